#include "tool/printable.h"
#include "tool/report_out.h"
#include "tool/report_words.h"

#include <inttypes.h>
#include <string.h>

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* A text of a sender's, or what stands for one that he left out. */
static void put(FILE *out, const char *text, const char *otherwise)
{
    printable_put(*text != '\0' ? text : otherwise, out);
}

static void put_sender(FILE *out, const char *sender)
{
    put(out, sender, "a sender without a name");
}

/* --- Failures */

/* What several days have in common: type and host. */
struct failures {
    const struct report_failure *first, *last; /* by day */
    uint64_t                     sessions;
    const char                  *from[REPORT_FROM_MAX];
    size_t                       from_count;
    bool                         from_more;
};

static void add_address(struct failures *all, const char *address)
{
    for (size_t i = 0; i < all->from_count; i++) {
        if (all->from[i] == address) /* the same text has the same address */
            return;
    }
    if (all->from_count < REPORT_FROM_MAX)
        all->from[all->from_count++] = address;
    else
        all->from_more = true;
}

static void add_failure(struct failures *all, const struct report_failure *failure)
{
    all->last = failure;
    if (__builtin_add_overflow(all->sessions, failure->sessions, &all->sessions))
        all->sessions = UINT64_MAX;
    all->from_more = all->from_more || failure->from_more;
    for (size_t i = 0; i < failure->from_count; i++)
        add_address(all, failure->from[i]);
}

static void put_addresses(FILE *out, const struct failures *all)
{
    for (size_t i = 0; i < all->from_count; i++) {
        fputs(i == 0 ? " from " : ", ", out);
        printable_put(all->from[i], out);
    }
    if (all->from_more)
        fputs(" and others", out);
}

/* Gives how much of the text that was. */
static size_t put_for(FILE *out, const char *text, const char *word, const char *value)
{
    size_t len = report_words_replaced(text, word, value);

    if (len > 0)
        printable_put(value, out);
    return len;
}

/* With the domain for DOMAIN and the host for HOST, where they are known. */
static void put_remedy(FILE *out, const char *remedy, const char *domain, const char *host)
{
    while (*remedy != '\0') {
        size_t len = strcspn(remedy, "DH"); /* neither can begin here */

        if (len > 0)
            fwrite(remedy, 1, len, out);
        else if ((len = put_for(out, remedy, "DOMAIN", domain)) == 0 &&
                 (len = put_for(out, remedy, "HOST", host)) == 0)
            fwrite(remedy, 1, len = 1, out);
        remedy += len;
    }
}

/* "certificate-expired at mail1.example.org: its certificate has expired: renew ...; seen by ..." */
static void put_failures(FILE *out, const struct report_group *group, const struct failures *all)
{
    const struct report_words *words = report_words_find(all->first->type);
    char                       day[REPORT_DAY_TEXT_MAX];

    fputs("    ", out);
    put(out, all->first->type, "failures without a type");
    if (*all->first->host != '\0') {
        fputs(" at ", out);
        printable_put(all->first->host, out);
    }
    fprintf(out, ": %s: ", words->meaning);
    put_remedy(out, words->remedy, group->domain, all->first->host);
    fputs("; seen by ", out);
    put_sender(out, group->sender);
    put_addresses(out, all);
    if (all->sessions > 0)
        fprintf(out, ", %" PRIu64 " session%s", all->sessions, plural(all->sessions));
    fprintf(out, ", last on %s", report_day_text(all->last->day, day));
    if (all->last->reason != NULL) {
        fputs(" (\"", out);
        printable_put(all->last->reason, out);
        fputs("\")", out);
    }
    fputc('\n', out);
}

static void put_all_failures(FILE *out, const struct report_group *group)
{
    for (size_t at = 0; at < group->failure_count;) {
        const struct report_failure *first = &group->failures[at];
        struct failures              all = { .first = first };

        for (; at < group->failure_count; at++) {
            const struct report_failure *each = &group->failures[at];

            if (strcmp(each->type, first->type) != 0 || strcmp(each->host, first->host) != 0)
                break;
            add_failure(&all, each);
        }
        put_failures(out, group, &all);
    }
}

/* --- Groups */

static void put_days(FILE *out, const struct report_group *group)
{
    char    text[REPORT_DAY_TEXT_MAX];
    int32_t first = group->days[0].day, last = group->days[group->day_count - 1].day;

    fprintf(out, " (%s", report_day_text(first, text));
    if (last != first)
        fprintf(out, " to %s", report_day_text(last, text));
}

static void put_mode(FILE *out, const struct report_group *group)
{
    static const char *const names[] = { [TLSRPT_MODE_NONE] = "none",
                                         [TLSRPT_MODE_TESTING] = "testing",
                                         [TLSRPT_MODE_ENFORCE] = "enforce" };
    enum tlsrpt_mode         mode = group->days[group->day_count - 1].mode;

    if (mode != TLSRPT_MODE_UNSAID)
        fprintf(out, ", mode %s", names[mode]);
    fputc(')', out);
}

static void put_group(FILE *out, const struct report_group *group)
{
    fputs("  ", out);
    put_sender(out, group->sender);
    fprintf(out, ", %s: %" PRIu64 " session%s worked, %" PRIu64 " failed",
            tlsrpt_type_name(group->type), group->worked, plural(group->worked), group->failed);
    if (group->unsaid > 0)
        fprintf(out, ", not said %" PRIu32 " time%s", group->unsaid, plural(group->unsaid));
    put_days(out, group);
    put_mode(out, group);
    fputc('\n', out);
    put_all_failures(out, group);
    if (group->unexplained > 0)
        fprintf(out, "    %" PRIu64 " of the failed sessions without details\n",
                group->unexplained);
}

static void put_groups(FILE *out, const struct report_sums *sums)
{
    const char *domain = NULL;

    for (size_t i = 0; i < sums->group_count; i++) {
        const struct report_group *group = &sums->groups[i];

        if (domain == NULL || strcmp(domain, group->domain) != 0) {
            put(out, group->domain, "(no domain said)");
            fputc('\n', out);
        }
        domain = group->domain;
        put_group(out, group);
        if (i + 1 == sums->group_count || strcmp(domain, sums->groups[i + 1].domain) != 0)
            fputc('\n', out);
    }
}

/* --- What is to be said of the reports themselves */

static void put_oddities(FILE *out, const struct report_sender *sender)
{
    for (unsigned odd = 0; odd < TLSRPT_ODDS; odd++) {
        if (sender->odd[odd] == 0)
            continue;
        fputs("odd in reports of ", out);
        put_sender(out, sender->name);
        fprintf(out, ": %s (%" PRIu32 " report%s)\n", tlsrpt_odd_text(odd), sender->odd[odd],
                plural(sender->odd[odd]));
    }
    if (sender->contradictions > 0) {
        fputs("odd in reports of ", out);
        put_sender(out, sender->name);
        fprintf(out,
                ": the report-id of another report, with other numbers (%" PRIu32
                ", not counted)\n",
                sender->contradictions);
    }
}

static void put_count(FILE *out, uint32_t count, const char *what)
{
    if (count > 0)
        fprintf(out, ", %" PRIu32 " %s", count, what);
}

bool report_text(const struct report_sums *sums, FILE *out)
{
    put_groups(out, sums);
    for (size_t i = 0; i < sums->sender_count; i++)
        put_oddities(out, &sums->senders[i]);
    fprintf(out, "%" PRIu32 " report%s counted", sums->reports, plural(sums->reports));
    put_count(out, sums->duplicates, "that came before passed over");
    put_count(out, sums->before, "of an earlier time");
    put_count(out, sums->undated, "of a time not said");
    put_count(out, sums->elsewhere, "of other domains");
    fputc('\n', out);
    return true;
}
