/* mta-sts dns: the records that the domains of a configuration need. */
#include "common/hostname.h"
#include "tool/command.h"
#include "tool/dns_format.h"
#include "tool/records.h"
#include "tool/typed.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: mta-sts dns [-c FILE] [--format zone|nsupdate|json] [--ttl SECONDS]\n"
    "                   [--target NAME | --address IP...] [DOMAIN...]\n"
    "\n"
    "Prints the DNS records of each domain of the configuration, or of these DOMAINs of it:\n"
    "\n"
    "  _mta-sts.DOMAIN    TXT with the policy's id, which changes when the policy does\n"
    "  mta-sts.DOMAIN     CNAME to NAME, or A and AAAA with each IP; neither: no such record\n"
    "  _smtp._tls.DOMAIN  TXT with where TLS reports go (rua in the configuration)\n"
    "\n"
    "  -c, --config FILE  the server's configuration (default: " COMMAND_CONFIG ")\n"
    "  --format FORMAT    zone: lines of a zone file, names in full (the default);\n"
    "                     nsupdate: commands for nsupdate, which replace what is there\n"
    "                     (knsupdate wants a line \"zone NAME\" before); json: an array\n"
    "  --ttl SECONDS      of each record (default: 3600)\n"
    "  --target NAME      the host that mta-stsd runs on, by name\n"
    "  --address IP       and by address; repeatable\n"
    "\n"
    "Publish a changed policy first, and its new id after that. Exit status: 0; 1 for an error\n"
    "in the configuration, a domain that is not in it, or one without a record; 2 for how it\n"
    "was called; 3 where it could not print.\n";

struct dns {
    const char              *config_path;
    const struct dns_format *format;
    uint32_t                 ttl;
    struct records_place     place;
    char                     target[HOSTNAME_MAX + 1];
    /* While printing. */
    size_t without_rua; /* domains */
    int    result;
};

/* --- Options */

static int take_format(struct dns *dns, const char *text)
{
    dns->format = dns_format_find(text);
    if (dns->format != NULL)
        return COMMAND_FINE;
    return command_misused(&dns_command, "--format is zone, nsupdate or json, not \"%s\"", text);
}

static int take_ttl(struct dns *dns, const char *text)
{
    char         *end;
    unsigned long ttl;

    errno = 0;
    ttl = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || ttl > RECORDS_TTL_MAX)
        return command_misused(&dns_command, "--ttl is 0 to %d seconds, not \"%s\"",
                               RECORDS_TTL_MAX, text);
    dns->ttl = (uint32_t)ttl;
    return COMMAND_FINE;
}

static int take_target(struct dns *dns, const char *text)
{
    char why[TYPED_WHY_MAX];

    if (dns->place.target != NULL)
        return command_misused(&dns_command, "there is one --target, not two");
    if (typed_address(text) != AF_UNSPEC)
        return command_misused(&dns_command, "--target is a name; for %s, write --address %s", text,
                               text);
    if (!typed_name(text, HOSTNAME_MAX, dns->target, why))
        return command_misused(&dns_command, "--target %s %s", text, why);
    dns->place.target = dns->target;
    return COMMAND_FINE;
}

static int take_address(struct dns *dns, const char *text)
{
    struct records_place *place = &dns->place;
    sa_family_t           family = typed_address(text);

    if (family == AF_UNSPEC)
        return command_misused(&dns_command, "--address is an IP address, not \"%s\"", text);
    if (place->address_count == RECORDS_ADDRESSES_MAX)
        return command_misused(&dns_command, "more than %d addresses", RECORDS_ADDRESSES_MAX);
    place->addresses[place->address_count].type = family == AF_INET ? RECORDS_A : RECORDS_AAAA;
    place->addresses[place->address_count++].text = text;
    return COMMAND_FINE;
}

static int take_option(struct dns *dns, int option, const char *text, const char *word)
{
    switch (option) {
    case 'c':
        dns->config_path = text;
        return COMMAND_FINE;
    case 'f':
        return take_format(dns, text);
    case 'l':
        return take_ttl(dns, text);
    case 't':
        return take_target(dns, text);
    case 'a':
        return take_address(dns, text);
    case ':':
        return command_misused(&dns_command, "%s lacks what belongs behind it", word);
    default:
        return command_misused(&dns_command, "there is no option %s", word);
    }
}

static int take_options(struct dns *dns, int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },  { "format", required_argument, NULL, 'f' },
        { "ttl", required_argument, NULL, 'l' },     { "target", required_argument, NULL, 't' },
        { "address", required_argument, NULL, 'a' }, { NULL, 0, NULL, 0 }
    };
    int option, result;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:", options, NULL)) != -1) {
        result = take_option(dns, option, optarg, argv[optind - 1]);
        if (result != COMMAND_FINE)
            return result;
    }
    if (dns->place.target != NULL && dns->place.address_count > 0)
        return command_misused(&dns_command, "--target or --address, not both: beside a CNAME "
                                             "there is nothing else (RFC 2181 section 10.1)");
    return COMMAND_FINE;
}

/* --- Records */

static void print_record(void *context, const struct record *record)
{
    struct dns *dns = context;

    dns->format->record(record, dns->ttl);
}

static void tell_lack(struct dns *dns, const char *domain, unsigned lack)
{
    dns->without_rua += (lack & RECORDS_LACK_RUA) != 0;
    if ((lack & RECORDS_LACK_NAME) != 0)
        command_tell("%s: too long: a record's name would have more than %d bytes", domain,
                     HOSTNAME_MAX);
    if ((lack & RECORDS_LACK_ROOM) != 0)
        command_tell("%s: all rua together do not fit into a record", domain);
    if ((lack & RECORDS_LACK_PLACE) != 0)
        command_tell("%s: its policy host is the target, and needs addresses of its own: "
                     "mta-sts dns --address IP %s",
                     domain, domain);
    if ((lack & RECORDS_LACK_MEMORY) != 0)
        command_tell("%s: out of memory", domain);
    if ((lack & ~(unsigned)(RECORDS_LACK_RUA | RECORDS_LACK_PLACE)) != 0)
        dns->result = COMMAND_PROBLEMS;
}

static void print_domain(struct dns *dns, const char *domain, const struct policy *policy)
{
    dns->format->open(domain);
    tell_lack(dns, domain, records_each(policy, domain, &dns->place, print_record, dns));
    dns->format->close();
}

static bool visit_domain(void *context, const char *domain, const struct policy *policy)
{
    print_domain(context, domain, policy);
    return true;
}

static void print_named(struct dns *dns, const struct config *config, const char *typed)
{
    char                host[HOSTNAME_MAX + 1] = HOSTNAME_POLICY_PREFIX;
    char               *domain = host + HOSTNAME_POLICY_PREFIX_LEN;
    char                why[TYPED_WHY_MAX];
    struct config_match match;

    if (!typed_name(typed, HOSTNAME_DOMAIN_MAX, domain, why)) {
        command_tell("%s %s", typed, why);
        dns->result = COMMAND_PROBLEMS;
    } else if (!config_find_host(config, host, strlen(host), &match)) {
        command_tell("%s: %s has no such domain", domain, config_path(config));
        dns->result = COMMAND_PROBLEMS;
    } else {
        print_domain(dns, domain, match.policy);
    }
}

static void print_all(struct dns *dns, const struct config *config, char **typed)
{
    dns->format->begin();
    if (*typed == NULL)
        config_each_domain(config, visit_domain, dns);
    for (; *typed != NULL; typed++)
        print_named(dns, config, *typed);
    if (!dns->format->end()) {
        command_tell("out of memory: not every record is printed");
        dns->result = COMMAND_UNABLE;
    }
    if (dns->without_rua > 0)
        command_tell("%zu domain%s without rua, and so without _smtp._tls: nobody would hear of "
                     "failed deliveries",
                     dns->without_rua, dns->without_rua == 1 ? "" : "s");
}

static int run(int argc, char **argv)
{
    struct dns     dns = { .config_path = COMMAND_CONFIG, .ttl = RECORDS_TTL_DEFAULT };
    struct config *config;
    int            result;

    dns.format = dns_format_find("zone");
    result = take_options(&dns, argc, argv);
    if (result != COMMAND_FINE)
        return result;
    config = command_load_config(dns.config_path);
    if (config == NULL)
        return COMMAND_PROBLEMS;
    print_all(&dns, config, argv + optind);
    config_free(config);
    return command_printed() ? dns.result : COMMAND_UNABLE;
}

const struct command dns_command = {
    .name = "dns",
    .summary = "the DNS records that the configuration's domains need",
    .help = help,
    .run = run,
};
