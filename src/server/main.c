/* main: mta-stsd's options. Everything it does is somewhere else. */
#include "common/log.h"
#include "server/curves.h"
#include "server/health.h"
#include "server/master.h"
#include "server/testconf.h"
#include "server/tls.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#define VERSION        "0.1.0"
#define DEFAULT_CONFIG "/etc/mta-sts/mta-stsd.ini"
enum { EXIT_USAGE = 2 };

/* A new option: a row here, its letter in SHORT_OPTIONS, a line of usage(), a case of main(). */
static const struct option options[] = {
    { "config", required_argument, NULL, 'c' },
    { "test", no_argument, NULL, 't' },
    { "config-only", no_argument, NULL, 'o' },
    { "health", no_argument, NULL, 'H' },
    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};
#define SHORT_OPTIONS "c:tHVh"

/* contrib/completion reads it: each option of the usage has a line, "  -X, --NAME". */
static void usage(FILE *stream)
{
    fputs("usage: mta-stsd [-c FILE] [-t] [--config-only] [-H] [-V] [-h]\n"
          "  -c, --config FILE  the configuration (default: " DEFAULT_CONFIG ")\n"
          "  -t, --test         check the configuration and every certificate, then exit\n"
          "      --config-only  with -t: check no certificate\n"
          "  -H, --health       ask the running server whether it is alive, then exit\n"
          "  -V, --version      print versions, then exit\n"
          "  -h, --help         print this, then exit\n"
          "Runs in the foreground and logs to standard error. SIGHUP reloads, SIGTERM stops.\n",
          stream);
}

static int version(void)
{
    curves_start();
    printf("mta-stsd " VERSION ", %s, curves: %s\n", tls_library_version(), curves_text());
    return 0;
}

static int test(const char *config, bool config_only)
{
    if (!config_only)
        curves_start(); /* each key is computed with once */
    return testconf_run(config, config_only);
}

int main(int argc, char **argv)
{
    const char *config = DEFAULT_CONFIG;
    int         option;
    int         mode = 0;
    bool        config_only = false;

    while ((option = getopt_long(argc, argv, SHORT_OPTIONS, options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 't':
        case 'H':
            mode = option;
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
    if (optind != argc) {
        fprintf(stderr, "mta-stsd: unexpected argument \"%s\"\n", argv[optind]);
        usage(stderr);
        return EXIT_USAGE;
    }
    if (config_only && mode != 't') {
        fputs("mta-stsd: --config-only goes with -t\n", stderr);
        return EXIT_USAGE;
    }
    if (mode == 't')
        return test(config, config_only);
    if (mode == 'H')
        return health_run(config);
    log_init("master");
    curves_start();
    if (curves_trouble() != NULL)
        log_warnx("mbedTLS's own code, which is slower, has to do for %s", curves_trouble());
    return master_run(config);
}
