/* main: mta-stsd's options. Everything it does is somewhere else. */
#include "common/log.h"
#include "common/streams.h"
#include "server/admin_client.h"
#include "server/curves.h"
#include "server/health.h"
#include "server/master.h"
#include "server/testconf.h"
#include "server/versions.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#define VERSION        "0.1.0"
#define DEFAULT_CONFIG "/etc/mta-sts/mta-stsd.ini"
enum { EXIT_USAGE = 2 };

/* A new option: a row here, its letter in SHORT_OPTIONS, a line of usage(), a case of main(). */
static const struct option options[] = {
    { "config", required_argument, NULL, 'c' }, { "test", no_argument, NULL, 't' },
    { "config-only", no_argument, NULL, 'o' },  { "health", no_argument, NULL, 'H' },
    { "reload", no_argument, NULL, 'r' },       { "force", no_argument, NULL, 'f' },
    { "status", no_argument, NULL, 's' },       { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },         { 0 },
};
#define SHORT_OPTIONS "c:tHrfsVh"

/* contrib/completion reads it: the first line has each option once, in its short form where there
   is one, and a line "  -X, --NAME" adds the long form. */
static void usage(FILE *stream)
{
    fputs("usage: mta-stsd [-c FILE] [-t | -H | -r | -s | -V | -h] [--config-only] [-f]\n"
          "  -c, --config FILE  the configuration (default: " DEFAULT_CONFIG ")\n"
          "  -t, --test         check the configuration and every certificate, then exit\n"
          "      --config-only  with -t: check no certificate\n"
          "  -H, --health       ask the running server whether it is alive; -H ADDRESS:PORT\n"
          "                     asks the server at that address\n"
          "  -r, --reload       reload the running server, wait, print the findings\n"
          "  -f, --force        with -r: more domains may be removed than max_removed\n"
          "  -s, --status       print the status of the running server\n"
          "  -V, --version      print versions, then exit\n"
          "  -h, --help         print this, then exit\n"
          "Runs in the foreground and logs to standard error. SIGHUP reloads, SIGTERM stops.\n",
          stream);
}

static int version(void)
{
    curves_start();
    printf("mta-stsd " VERSION ", %s, curves: %s\n", versions_mbedtls(), curves_text());
    versions_print(stdout);
    return 0;
}

static int misused(const char *format, const char *what)
{
    fputs("mta-stsd: ", stderr);
    fprintf(stderr, format, what);
    fputc('\n', stderr);
    usage(stderr);
    return EXIT_USAGE;
}

static int serve(const char *config)
{
    log_init("master");
    curves_start();
    if (curves_trouble() != NULL)
        log_warnx("mbedTLS's own code, which is slower, has to do for %s", curves_trouble());
    return master_run(config);
}

static int test(const char *config, bool config_only)
{
    if (!config_only)
        curves_start(); /* each key is computed with once */
    return testconf_run(config, config_only);
}

/* mode is the letter of the option that says what to do, 0 to serve. */
static int run(int mode, const char *config, bool config_only, bool force, const char *address)
{
    switch (mode) {
    case 't':
        return test(config, config_only);
    case 'H':
        return address != NULL ? health_run(address) : admin_client_run(config, ADMIN_HEALTH);
    case 'r':
        return admin_client_run(config, force ? ADMIN_RELOAD_FORCED : ADMIN_RELOAD);
    case 's':
        return admin_client_run(config, ADMIN_STATUS);
    default:
        return serve(config);
    }
}

int main(int argc, char **argv)
{
    const char *config = DEFAULT_CONFIG;
    const char *address = NULL;
    bool        force = false;
    int         option;
    int         mode = 0;
    bool        config_only = false;

    if (streams_open() != 0) {
        perror("mta-stsd: /dev/null");
        return 1;
    }
    while ((option = getopt_long(argc, argv, SHORT_OPTIONS, options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 't':
        case 'H':
        case 'r':
        case 's':
            if (mode != 0 && mode != option)
                return misused("%s", "one of -t, -H, -r and -s at a time");
            mode = option;
            break;
        case 'f':
            force = true;
            break;
        case 'o':
            config_only = true;
            break;
        case 'V':
            return version();
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (mode == 'H' && optind < argc)
        address = argv[optind++];
    if (optind != argc)
        return misused("unexpected argument \"%s\"", argv[optind]);
    if (force && mode != 'r')
        return misused("%s", "-f goes with -r");
    if (config_only && mode != 't')
        return misused("%s", "--config-only goes with -t");
    return run(mode, config, config_only, force, address);
}
