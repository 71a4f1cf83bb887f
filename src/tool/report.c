/* mta-sts report: what senders say in their TLS reports. */
#include "tool/command.h"
#include "tool/datetime.h"
#include "tool/mail.h"
#include "tool/report_html.h"
#include "tool/report_out.h"
#include "tool/report_read.h"
#include "tool/typed.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: mta-sts report [--json | --csv | --html FILE] [--since DATE] [--domain DOMAIN]\n"
    "                      PATH...\n"
    "\n"
    "Sums up TLS reports (RFC 8460), and says in plain words what failed and what to do. A PATH\n"
    "is a report as it was sent, packed or not, a mail with one, an mbox, a Maildir, a folder\n"
    "of these, or - for standard input; what it is, is told by its bytes.\n"
    "\n"
    "Sessions are summed by domain, sender and policy type (sts, tlsa, none), which are never\n"
    "added: senders report the same sessions under each. A report that is there twice is\n"
    "counted once. Who has sent it is not verified.\n"
    "\n"
    "  --json             one object, for programs\n"
    "  --csv              a line for each failure type of a day, and for each day's sums\n"
    "  --html FILE        a page to look at, with timelines, in place of FILE when it is whole;\n"
    "                     - for standard output\n"
    "  --since DATE       only reports that begin then or later: 2026-11-24, or a time as\n"
    "                     2026-11-24T12:00:00Z\n"
    "  --domain DOMAIN    only what is said of this domain\n"
    "\n"
    "Exit status: 0, with failures in the reports and without; 1 where a file could not be read\n"
    "or was refused, which is told; 2 for how it was called; 3 where it could not print, or had\n"
    "no memory.\n";

struct report {
    bool (*show)(const struct report_sums *sums, FILE *out);
    const char          *file; /* where the page goes; NULL: standard output, as all else */
    struct report_wanted wanted;
    char                 domain[HOSTNAME_MAX + 1];
};

/* --- Options */

static int take_show(struct report *report, bool (*show)(const struct report_sums *sums, FILE *out))
{
    if (report->show != NULL && report->show != show)
        return command_misused(&report_command, "one of --json, --csv and --html, not two");
    report->show = show;
    return COMMAND_FINE;
}

static int take_html(struct report *report, const char *file)
{
    if (report->show == report_html)
        return command_misused(&report_command, "there is one --html, not two");
    if (strcmp(file, "-") != 0)
        report->file = file;
    return take_show(report, report_html);
}

static int take_since(struct report *report, const char *text)
{
    enum datetime_form form = datetime_read(text, &report->wanted.since);

    if (form == DATETIME_DAY || form == DATETIME_RFC3339)
        return COMMAND_FINE;
    return command_misused(&report_command,
                           "--since is a day, 2026-11-24, or a time with its zone, "
                           "2026-11-24T12:00:00Z, not \"%s\"",
                           text);
}

static int take_domain(struct report *report, const char *text)
{
    char why[TYPED_WHY_MAX];

    if (report->wanted.domain != NULL)
        return command_misused(&report_command, "there is one --domain, not two");
    if (!typed_name(text, HOSTNAME_MAX, report->domain, why))
        return command_misused(&report_command, "--domain %s %s", text, why);
    report->wanted.domain = report->domain;
    return COMMAND_FINE;
}

static int take_option(struct report *report, int option, const char *text, const char *word)
{
    switch (option) {
    case 'j':
        return take_show(report, report_json);
    case 'c':
        return take_show(report, report_csv);
    case 'h':
        return take_html(report, text);
    case 's':
        return take_since(report, text);
    case 'd':
        return take_domain(report, text);
    case ':':
        return command_misused(&report_command, "%s lacks what belongs behind it", word);
    default:
        return command_misused(&report_command, "there is no option %s", word);
    }
}

static int take_options(struct report *report, int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },         { "csv", no_argument, NULL, 'c' },
        { "html", required_argument, NULL, 'h' },   { "since", required_argument, NULL, 's' },
        { "domain", required_argument, NULL, 'd' }, { NULL, 0, NULL, 0 }
    };
    int option, result;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        result = take_option(report, option, optarg, argv[optind - 1]);
        if (result != COMMAND_FINE)
            return result;
    }
    if (optind == argc)
        return command_misused(&report_command, "whose reports? a PATH, or - for standard input");
    return COMMAND_FINE;
}

/* --- Reports */

/* False: it could not be shown, and why is told. */
static bool print_sums(const struct report *report, const struct report_sums *sums)
{
    bool (*put)(const struct report_sums *, FILE *) = report->show != NULL ? report->show
                                                                           : report_text;

    if (report->file != NULL) {
        if (report_html_file(sums, report->file))
            return true;
        command_tell("%s: no page could be written there, or beside it: %s", report->file,
                     strerror(errno));
        return false;
    }
    if (put(sums, stdout) || ferror(stdout))
        return command_printed();
    command_tell("out of memory");
    return false;
}

static int show(const struct report *report, const struct report_reader *reader)
{
    const struct report_sums *sums = NULL;

    if (!reader->out_of_memory)
        sums = report_counter_sums(reader->counter);
    if (sums == NULL) {
        command_tell("out of memory");
        return COMMAND_UNABLE;
    }
    if (!print_sums(report, sums))
        return COMMAND_UNABLE;
    if (reader->without > 0)
        command_tell("%u mail%s about something else", reader->without,
                     reader->without == 1 ? "" : "s");
    return reader->refused > 0 ? COMMAND_PROBLEMS : COMMAND_FINE;
}

static int run(int argc, char **argv)
{
    struct report        report = { .wanted = { .since = TLSRPT_NO_TIME } };
    struct report_reader reader = { 0 };
    int                  result = take_options(&report, argc, argv);

    if (result != COMMAND_FINE)
        return result;
    reader.counter = report_counter_new(&report.wanted);
    if (reader.counter == NULL) {
        command_tell("no memory, or no random numbers");
        return COMMAND_UNABLE;
    }
    mail_start();
    for (int i = optind; i < argc; i++)
        report_read(&reader, argv[i]);
    mail_end();
    result = show(&report, &reader);
    report_reader_fini(&reader);
    report_counter_free(reader.counter);
    return result;
}

const struct command report_command = {
    .name = "report",
    .summary = "what senders say in their TLS reports, summed up",
    .help = help,
    .run = run,
};
