/*
 * config: each rule word for word (config_rules.h), and what a configuration
 * without errors then answers.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/hostname.h"
#include "common/ini_reader.h"
#include "config_rules.h"

#define FIFTY_E      X10("e") X10("e") X10("e") X10("e") X10("e")
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t key[HASH_KEY_SIZE] = "a key for tests";
static char          folder[] = "/tmp/mta-sts-test_config-XXXXXX";
static char          said[200 * 1024]; /* the findings, a line each */

static void report(void *context, enum config_severity severity, const char *file, unsigned line,
                   const char *text)
{
    size_t len = strlen(said);

    assert_string_equal(context, "context");
    snprintf(said + len, sizeof said - len, "%s:%u%s%s\n", file, line,
             severity == CONFIG_ERROR ? ERROR : WARNING, text);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static struct config *load(const char *path)
{
    static char context[] = "context";

    said[0] = '\0';
    return config_load(path, key, report, context);
}

/* Loads a main file that must be good. */
static struct config *load_text(const char *text)
{
    struct config *config;

    write_file("main.ini", text);
    config = load("main.ini");
    assert_string_equal(said, "");
    assert_non_null(config);
    return config;
}

static void holds_rule(void **state)
{
    const struct rule *rule = *state;
    struct config     *config;

    if (rule->main_ini != NULL)
        write_file("main.ini", rule->main_ini);
    if (rule->other_ini != NULL)
        write_file("other.ini", rule->other_ini);
    if (rule->names_txt != NULL)
        write_file("names.txt", rule->names_txt);
    config = load("main.ini");
    assert_string_equal(said, rule->said);
    assert_true((config == NULL) == (strstr(rule->said, ERROR) != NULL));
    config_free(config);
}

static int clear_folder(void **state)
{
    static const char *const names[] = { "main.ini",  "other.ini", "names.txt",     "b.ini",
                                         "p.d/a.ini", "p.d/B.ini", "p.d/names.txt", "p.d" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        (void)remove(names[i]);
    return 0;
}

static bool find(const struct config *config, const char *host, struct config_match *match)
{
    memset(match, 0xa5, sizeof *match);
    return config_find_host(config, host, strlen(host), match);
}

static const char *body_of(const struct config *config, const char *host)
{
    static char         body[1024];
    struct config_match match;
    size_t              len;

    assert_true(find(config, host, &match));
    assert_true(policy_body_length(match.policy, match.domain_len) < sizeof body);
    len = policy_body_write(match.policy, match.domain, match.domain_len, body);
    body[len] = '\0';
    return body;
}

static void a_policy_host_has_its_domains_policy(void **state)
{
    struct config      *config = load_text(SERVER POLICY "alias = example.net\n");
    struct config_match match;

    (void)state;
    assert_string_equal(
        body_of(config, "mta-sts.example.org"),
        "version: STSv1\r\nmode: testing\r\nmx: mail.example.org\r\nmax_age: 604800\r\n");
    assert_true(find(config, "MTA-STS.Example.NET", &match));
    assert_int_equal(match.domain_len, 11);
    assert_memory_equal(match.domain, "example.net", 11);
    assert_false(match.any);
    config_free(config);
}

static void other_hosts_are_none_of_ours(void **state)
{
    static const char *const hosts[] = {
        "",
        "m",
        "mta-sts",
        "mta-sts.",
        "example.org",
        "mta-sts.example.org.",
        "mta-sts.example.com",
        "mta-stsxexample.org",
        "mta-sts.mta-sts.example.org",
        "mta-sts.example.or",
        "mta-sts.example.orgg",
        "mta-sts.example.org\xff",
        "mta-sts..org",
        "mta-sts.org",
    };
    struct config      *config = load_text(SERVER POLICY);
    struct config_match match;

    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++)
        assert_false(find(config, hosts[i], &match));
    assert_false(config_find_host(config, "mta-sts.example.org\0x", 21, &match));
    config_free(config);
}

static void any_domain_is_found_when_no_other_has_it(void **state)
{
    struct config      *config = load_text(SERVER POLICY
                                           "[*]\nmode = none\nmx = mail.%d\ncertificate = /any\n");
    struct config_match match;
    char                host[] = "mta-sts.example.com-and-more";

    (void)state;
    assert_true(config_find_host(config, host, 19, &match));
    assert_true(match.any);
    assert_ptr_equal(match.policy, config_any(config));
    assert_ptr_equal(match.domain, host + 8);
    assert_int_equal(match.domain_len, 11);
    assert_true(find(config, "mta-sts.example.org", &match));
    assert_false(match.any);
    assert_false(find(config, "mta-sts.one_two.com", &match));
    assert_false(find(config, "mta-sts.label", &match));
    assert_int_equal(config_domain_count(config), 1);
    config_free(config);
}

static void any_domain_is_none_for_which_an_mx_would_be_too_long(void **state)
{
    struct config *config = load_text(
        SERVER "[*]\nmode = none\nmx = mail.customers.%d\ncertificate = /c\n");
    struct config_match match;

    (void)state;
    assert_true(find(config, "mta-sts." LABELS FIFTY_E "ee.ee", &match));
    assert_int_equal(match.domain_len, 253 - strlen("mail.customers."));
    assert_false(find(config, "mta-sts." LABELS FIFTY_E "ee.eee", &match));
    config_free(config);
}

static void defaults_apply_wherever_they_stand(void **state)
{
    struct config *config = load_text(SERVER
                                      "[a.example]\n[b.example]\nmx = other.example\nmax_age = 1w\n"
                                      "[defaults]\nmode = enforce\nmx = m1.%d\nmx = m2.%d\n"
                                      "max_age = 2w\ncertificate = /c\n");

    (void)state;
    assert_string_equal(
        body_of(config, "mta-sts.a.example"),
        "version: STSv1\r\nmode: enforce\r\nmx: m1.a.example\r\nmx: m2.a.example\r\n"
        "max_age: 1209600\r\n");
    assert_string_equal(
        body_of(config, "mta-sts.b.example"),
        "version: STSv1\r\nmode: enforce\r\nmx: other.example\r\nmax_age: 604800\r\n");
    config_free(config);
}

static void max_age_is_written_whole(void **state)
{
    static const char *const ages[] = { "86400",   "99999",    "100000",  "1000000",
                                        "9999999", "10000000", "31557600" };
    char                     text[512], end[64];

    (void)state;
    for (size_t i = 0; i < COUNT(ages); i++) {
        struct config *config;

        snprintf(text, sizeof text, SERVER POLICY "max_age = %s\n", ages[i]);
        snprintf(end, sizeof end, "mx: mail.example.org\r\nmax_age: %s\r\n", ages[i]);
        config = load_text(text);
        assert_string_equal(strstr(body_of(config, "mta-sts.example.org"), "mx: "), end);
        config_free(config);
    }
}

static void equal_policies_are_kept_once(void **state)
{
    struct config *config = load_text(
        SERVER "[a.example]\n" KEYS "[b.example]\n" KEYS "max_age = 604800\n"
               "[c.example]\n" KEYS "id = x\n[d.example]\n" KEYS "rua = mailto:a@b\n"
               "[e.example]\n" KEYS "key = /k\n[f.example]\n" KEYS "rua = mailto:a@b\n");

    (void)state;
    assert_int_equal(config_domain_count(config), 6);
    assert_int_equal(config_policy_count(config), 4);
    config_free(config);
}

static void everything_of_a_policy_is_kept(void **state)
{
    struct config      *config = load_text(SERVER POLICY
                                           "key = k/%d.pem\nid = 20261124\nrua = mailto:a@b\n"
                                                "rua = https://c/d\n");
    struct config_match match;
    char                id[POLICY_ID_LEN + 1], cwd[200], expected[220];

    (void)state;
    assert_non_null(getcwd(cwd, sizeof cwd));
    assert_true(find(config, "mta-sts.example.org", &match));
    assert_int_equal(match.policy->mode, POLICY_TESTING);
    assert_int_equal(match.policy->max_age, POLICY_MAX_AGE_DEFAULT);
    assert_int_equal(match.policy->mx_count, 1);
    assert_string_equal(match.policy->certificate, "/c.pem");
    snprintf(expected, sizeof expected, "%s/k/%%d.pem", cwd);
    assert_string_equal(match.policy->key, expected);
    policy_id(match.policy, match.domain, match.domain_len, id);
    assert_string_equal(id, "20261124");
    assert_int_equal(match.policy->rua_count, 2);
    assert_string_equal(match.policy->rua[0], "mailto:a@b");
    assert_string_equal(match.policy->rua[1], "https://c/d");
    config_free(config);
}

static void server_settings_have_defaults(void **state)
{
    struct config              *config = load_text(SERVER POLICY);
    const struct config_server *server = config_server(config);

    (void)state;
    assert_in_range(server->workers, 1, CONFIG_WORKERS_AUTO);
    assert_int_equal(server->max_connections, 4096);
    assert_int_equal(server->max_tls, 0); /* auto */
    assert_int_equal(server->max_connections_per_ip, 64);
    assert_int_equal(server->cert_cache, 1024);
    assert_true(server->access_log);
    assert_false(server->plain_any);
    assert_null(server->acme_dir);
    assert_null(server->acme_thumbprint);
    assert_null(server->user);
    assert_int_equal(server->user_line, 0);
    assert_int_equal(server->trusted_count, 2);
    assert_int_equal(server->trusted[0].family, AF_INET);
    assert_int_equal(server->trusted[0].prefix, 8);
    assert_int_equal(server->trusted[0].bytes[0], 127);
    assert_int_equal(server->trusted[1].prefix, 128);
    assert_int_equal(server->trusted[1].bytes[15], 1);
    assert_string_equal(config_path(config), "main.ini");
    config_free(config);
}

static void server_settings_are_taken(void **state)
{
    struct config *config = load_text(
        "[server]\nlisten = 127.0.0.1:8443\nlisten_acme = [0::1]:80\nlisten = systemd:web\n"
        "acme_webroot = /w\nacme_thumbprint = " TOKEN "\nuser = 12:34\nworkers = 3\n"
        "max_connections = 100\nmax_tls = 60\nmax_connections_per_ip = 0\ncert_cache = "
        "5\naccess_log = "
        "off\n" POLICY);
    const struct config_server *server = config_server(config);
    struct sockaddr_in6         address;

    (void)state;
    assert_int_equal(server->listener_count, 3);
    assert_string_equal(server->listeners[0].name, "127.0.0.1:8443");
    assert_int_equal(server->listeners[0].address_len, sizeof(struct sockaddr_in));
    assert_null(server->listeners[0].systemd);
    assert_string_equal(server->listeners[1].name, "[::1]:80");
    assert_int_equal(server->listeners[1].kind, CONFIG_ACME);
    assert_int_equal(server->listeners[1].line, 3);
    assert_string_equal(server->listeners[1].file, "main.ini");
    memcpy(&address, &server->listeners[1].address, sizeof address);
    assert_int_equal(ntohs(address.sin6_port), 80);
    assert_true(IN6_IS_ADDR_LOOPBACK(&address.sin6_addr));
    assert_string_equal(server->listeners[2].name, "systemd:web");
    assert_string_equal(server->listeners[2].systemd, "web");
    assert_string_equal(server->acme_dir, "/w");
    assert_string_equal(server->acme_below, ".well-known/acme-challenge");
    assert_int_equal(server->acme_line, 5);
    assert_string_equal(server->acme_thumbprint, TOKEN);
    assert_string_equal(server->user, "12:34");
    assert_int_equal(server->user_line, 7);
    assert_int_equal(server->workers, 3);
    assert_int_equal(server->max_connections, 100);
    assert_int_equal(server->max_tls, 60);
    assert_int_equal(server->max_connections_per_ip, 0);
    assert_int_equal(server->cert_cache, 5);
    assert_false(server->access_log);
    config_free(config);
}

static void there_are_never_more_tls_states_than_connections(void **state)
{
    struct config *config;

    (void)state;
    write_file("main.ini", SERVER "max_connections = 100\nmax_tls = 101\n" POLICY);
    config = load("main.ini");
    assert_non_null(config);
    assert_int_equal(config_server(config)->max_tls, 100);
    config_free(config);
}

static bool collect(void *context, const char *domain, const struct policy *policy)
{
    char *names = context;

    assert_non_null(policy->body);
    strcat(strcat(names, domain), " ");
    return strcmp(domain, "last.example") != 0;
}

static void includes_are_read_in_byte_order_after_the_main_file(void **state)
{
    char           names[200] = "";
    struct config *config;

    (void)state;
    assert_int_equal(mkdir("p.d", 0755), 0);
    write_file("p.d/a.ini", "[a.example]\nalias_file = names.txt\n[last.example]\n[c.example]\n");
    write_file("p.d/B.ini", "[b.example]\n");
    write_file("p.d/names.txt", "alias.example\n");
    config = load_text(SERVER "include = p.d/*.ini\n[defaults]\n" KEYS "[example.org]\n");
    config_each_domain(config, collect, names);
    assert_string_equal(names, "example.org b.example a.example alias.example last.example ");
    assert_int_equal(config_domain_count(config), 6);
    config_free(config);
}

static void paths_are_relative_to_the_file_that_names_them(void **state)
{
    struct config      *config;
    struct config_match match;
    char                cwd[200], path[300];

    (void)state;
    assert_int_equal(mkdir("p.d", 0755), 0);
    assert_non_null(getcwd(cwd, sizeof cwd));
    write_file("p.d/a.ini",
               "[server]\nlisten = 127.0.0.1:1\ninclude = B*\n[defaults]\nmode = none\nmx = a.b\n");
    write_file("p.d/B.ini", "[b.example]\ncertificate = c/%h.pem\n");
    config = load("p.d/a.ini");
    assert_string_equal(said, "");
    assert_true(find(config, "mta-sts.b.example", &match));
    snprintf(path, sizeof path, "%s/p.d/c/%%h.pem", cwd);
    assert_string_equal(match.policy->certificate, path);
    config_free(config);
}

/* The folder's own characters are no pattern, neither for include nor for certificates. */
static void a_folder_of_special_characters_is_taken_literally(void **state)
{
    struct config      *config;
    struct config_match match;
    char                path[300], expanded[300], cwd[200];

    (void)state;
    assert_int_equal(mkdir("[x]*%h", 0755), 0);
    assert_int_equal(chdir("[x]*%h"), 0);
    write_file("main.ini", SERVER "include = o*.ini\n");
    write_file("other.ini", "[b.example]\nmode = none\nmx = a.b\ncertificate = %d.pem\n");
    assert_non_null(getcwd(cwd, sizeof cwd));
    snprintf(path, sizeof path, "%s/main.ini", cwd);
    config = load(path);
    assert_int_equal(remove("main.ini") | remove("other.ini") | chdir("..") | rmdir("[x]*%h"), 0);
    assert_string_equal(said, "");
    assert_true(find(config, "mta-sts.b.example", &match));
    assert_true(policy_path(match.policy->certificate, "b.example", 9, expanded, sizeof expanded) >
                0);
    snprintf(path, sizeof path, "%s/b.example.pem", cwd);
    assert_string_equal(expanded, path);
    config_free(config);
}

static void digest_of(uint8_t out[HASH_128_SIZE])
{
    struct config *config = load("main.ini");

    assert_non_null(config);
    memcpy(out, config_digest(config), HASH_128_SIZE);
    config_free(config);
}

static void the_digest_tells_any_change_of_any_file(void **state)
{
    uint8_t digests[5][HASH_128_SIZE], again[HASH_128_SIZE];

    (void)state;
    assert_int_equal(mkdir("p.d", 0755), 0);
    write_file("main.ini", SERVER "include = p.d/*.ini\n" POLICY "alias_file = names.txt\n");
    write_file("names.txt", "a.example\n");
    digest_of(digests[0]);
    digest_of(again);
    assert_memory_equal(digests[0], again, HASH_128_SIZE);
    write_file("names.txt", "a.example #\n");
    digest_of(digests[1]);
    write_file("p.d/a.ini", "");
    digest_of(digests[2]);
    assert_int_equal(rename("p.d/a.ini", "p.d/B.ini"), 0);
    digest_of(digests[3]);
    write_file("main.ini", SERVER "include = p.d/*.ini\n" POLICY "alias_file = names.txt\n;\n");
    digest_of(digests[4]);
    for (size_t i = 0; i < COUNT(digests); i++) {
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(digests[i], digests[j], HASH_128_SIZE);
    }
}

/* mx lines of 16 bytes each in the body. */
static void write_policy_of(unsigned count)
{
    FILE *file = fopen("main.ini", "w");

    assert_non_null(file);
    fprintf(file, SERVER "[example.org]\nmode = none\ncertificate = /c\n");
    for (unsigned i = 0; i < count; i++)
        fprintf(file, "mx = m%04u.b.cd\n", i);
    assert_int_equal(fclose(file), 0);
}

static void a_big_body_is_a_warning_and_a_huge_one_an_error(void **state)
{
    static const struct {
        unsigned    count;
        const char *said;
    } cases[] = {
        /* 45 bytes beside the mx lines */
        { 637, "" },
        { 638, "main.ini:3: warning: a policy of 10253 bytes; some senders stop at 10240\n" },
        { 4093, "main.ini:3: warning: a policy of 65533 bytes; some senders stop at 10240\n" },
        { 4094, "main.ini:3: error: a policy of 65549 bytes; senders take no more than 65536\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_policy_of(cases[i].count);
        config_free(load("main.ini"));
        assert_string_equal(said, cases[i].said);
    }
}

static void a_hopeless_number_of_mx_is_refused_at_once(void **state)
{
    (void)state;
    write_policy_of(10000);
    assert_null(load("main.ini"));
    assert_non_null(strstr(said, "more than 7281 mx: no sender takes such a policy\n"));
}

static void a_line_of_8000_bytes_is_whole_and_a_longer_one_an_error(void **state)
{
    static char text[9000];
    size_t      len;

    (void)state;
    for (int more = 0; more < 2; more++) {
        len = (size_t)sprintf(text, SERVER POLICY "alias = a.example");
        while (len < strlen(SERVER POLICY) + INI_READER_LINE_MAX - 9 + (size_t)more)
            text[len++] = ' ';
        strcpy(text + len, "b.example\n");
        write_file("main.ini", text);
        config_free(load("main.ini"));
        assert_string_equal(said,
                            more ? "main.ini:7: error: a line of more than 8000 bytes\n" : "");
    }
}

static void a_long_line_of_an_alias_file_is_an_error(void **state)
{
    static char text[9000];

    (void)state;
    memset(text, '#', INI_READER_LINE_MAX + 1);
    strcpy(text + INI_READER_LINE_MAX + 1, "\na.example\n");
    write_file("names.txt", text);
    write_file("main.ini", SERVER POLICY "alias_file = names.txt\n");
    assert_null(load("main.ini"));
    assert_string_equal(said, "names.txt:1: error: a line of more than 8000 bytes\n");
    memmove(text, text + 1, sizeof text - 1);
    write_file("names.txt", text);
    config_free(load("main.ini"));
    assert_string_equal(said, "");
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;

    while ((text = strchr(text, '\n')) != NULL) {
        lines++;
        text++;
    }
    return lines;
}

static void errors_beyond_a_hundred_are_counted(void **state)
{
    FILE *file = fopen("main.ini", "w");

    (void)state;
    assert_non_null(file);
    fputs(SERVER POLICY, file);
    for (int i = 0; i < 250; i++)
        fprintf(file, "no_key_%d = 1\n", i);
    assert_int_equal(fclose(file), 0);
    assert_null(load("main.ini"));
    assert_int_equal(count_lines(said), CONFIG_ERRORS_MAX + 1);
    assert_non_null(strstr(said, "main.ini:0: error: 150 more errors\n"));
}

static void a_finding_is_printed_at_its_place_and_as_one_line(void **state)
{
    char out[CONFIG_FINDING_MAX];
    char path[CONFIG_PATH_MAX + 1];

    (void)state;
    assert_string_equal(config_finding(CONFIG_ERROR, "a.ini", 7, "it is wrong", out),
                        "a.ini:7: error: it is wrong");
    assert_string_equal(config_finding(CONFIG_WARNING, "a.ini", 0, "it is odd", out),
                        "a.ini: warning: it is odd");
    assert_string_equal(config_finding(CONFIG_ERROR, "a\n.ini", 1, "\033[2J\177\xc3\xa4", out),
                        "a?.ini:1: error: ?[2J?\xc3\xa4");
    memset(path, 'a', CONFIG_PATH_MAX);
    path[CONFIG_PATH_MAX] = '\0';
    assert_int_equal(strlen(config_finding(CONFIG_WARNING, path, 4294967295U, path, out)),
                     2 * CONFIG_PATH_MAX + strlen(":4294967295: warning: "));
}

static void a_fifo_is_refused_without_waiting(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("main.ini", 0644), 0);
    assert_null(load("main.ini"));
    assert_string_equal(said, "main.ini:0: error: the configuration is no regular file\n");
}

static void a_file_over_the_limit_is_refused_unread(void **state)
{
    (void)state;
    write_file("main.ini", "");
    assert_int_equal(truncate("main.ini", CONFIG_FILE_MAX + 1), 0);
    assert_null(load("main.ini"));
    assert_string_equal(said,
                        "main.ini:0: error: the configuration has more than 268435456 bytes\n");
}

static void a_terminal_cannot_be_steered_by_a_finding(void **state)
{
    (void)state;
    write_file("names.txt", "a\x1b[2J\x7f.example\n");
    write_file("main.ini", SERVER POLICY "alias_file = names.txt\n");
    assert_null(load("main.ini"));
    assert_string_equal(said,
                        "names.txt:1: error: \"a?[2J?.example\" is no domain: it has a character "
                        "other than letters, digits, hyphens and dots\n");
}

static void a_hundred_thousand_domains_are_all_found(void **state)
{
    enum { MANY = 100000 };
    FILE               *file = fopen("names.txt", "w");
    struct config      *config;
    struct config_match match;
    char                host[64];

    (void)state;
    assert_non_null(file);
    for (int i = 0; i < MANY; i++)
        fprintf(file, "customer%d.example\n", i);
    assert_int_equal(fclose(file), 0);
    config = load_text(SERVER POLICY "alias_file = names.txt\n");
    assert_int_equal(config_domain_count(config), MANY + 1);
    assert_int_equal(config_policy_count(config), 1);
    for (int i = 0; i < MANY; i++) {
        snprintf(host, sizeof host, "mta-sts.customer%d.example", i);
        assert_true(find(config, host, &match));
        assert_string_equal(match.domain, host + HOSTNAME_POLICY_PREFIX_LEN);
    }
    assert_false(find(config, "mta-sts.customer100000.example", &match));
    config_free(config);
}

static void server_settings_for_operation_have_defaults(void **state)
{
    struct config              *config = load_text(SERVER POLICY);
    const struct config_server *server = config_server(config);

    (void)state;
    assert_false(server->isolate);
    assert_false(server->log_json);
    assert_int_equal(server->ready_percent, 0);
    assert_int_equal(server->drain_delay, 0);
    assert_null(server->state_dir);
    assert_int_equal(server->state_dir_line, 0);
    assert_int_equal(server->max_removed.number, 50);
    assert_true(server->max_removed.percent);
    assert_false(server->max_removed.set);
    config_free(config);
}

static void server_settings_for_operation_are_taken(void **state)
{
    struct config *config = load_text(
        SERVER
        "listen_health = 127.0.0.1:8081\nready_requires_certificates = 90%\ndrain_delay = 15\n"
        "isolate = on\nmax_removed = 12\nstate_dir = state\nlog_format = json\n" POLICY);
    const struct config_server *server = config_server(config);
    char                        expected[sizeof folder + 16];

    (void)state;
    assert_int_equal(server->listener_count, 2);
    assert_int_equal(server->listeners[1].kind, CONFIG_HEALTH);
    assert_int_equal(server->ready_percent, 90);
    assert_int_equal(server->drain_delay, 15);
    assert_true(server->isolate);
    assert_true(server->log_json);
    assert_int_equal(server->max_removed.number, 12);
    assert_false(server->max_removed.percent);
    assert_true(server->max_removed.set);
    snprintf(expected, sizeof expected, "%s/state", folder);
    assert_string_equal(server->state_dir, expected);
    assert_int_equal(server->state_dir_line, 8);
    config_free(config);
}

static void assert_place(const struct config *config, const char *domain, const char *file,
                         unsigned line)
{
    const char *told;
    unsigned    told_line;

    config_place(config, domain, &told, &told_line);
    assert_string_equal(told, file);
    assert_int_equal(told_line, line);
}

static void places_of_domains_are_kept_when_asked_for(void **state)
{
    static char    context[] = "context";
    struct config *config;

    (void)state;
    write_file("main.ini", SERVER "include = other.ini\n" POLICY "alias = a.example b.example\n");
    write_file("other.ini", "[c.example]\n" KEYS "alias_file = names.txt\n");
    write_file("names.txt", "# customers\nd.example\n");
    said[0] = '\0';
    config = config_load_with_places("main.ini", key, report, context);
    assert_non_null(config);
    assert_place(config, "c.example", "other.ini", 1);
    assert_place(config, "d.example", "names.txt", 2);
    assert_place(config, "a.example", "main.ini", 8);
    assert_place(config, "b.example", "main.ini", 8);
    config_free(config);
    write_file("names.txt", "d.example\nd.example\n");
    assert_null(config_load_with_places("main.ini", key, report, context));
}

static void nothing_is_freed_of_nothing(void **state)
{
    (void)state;
    config_free(NULL);
}

/* --- The format of the log --- */

static void note_format(void *context, bool json)
{
    assert_string_equal(context, "context");
    strcat(said, json ? "json\n" : "text\n");
}

static void load_for_log(const char *text)
{
    static char          context[] = "context";
    struct config_source source = { CONFIG_FROM_DISK, .key = key, .report = report,
                                    .log_format = note_format, .context = context };

    said[0] = '\0';
    write_file("main.ini", text);
    config_free(config_load_from("main.ini", &source));
}

static void the_format_of_the_log_is_known_before_what_is_found_behind_it(void **state)
{
    (void)state;
    load_for_log("[server]\nfoo = 1\nlog_format = json\nbar = 1\n");
    assert_memory_equal(said, "main.ini:2: error: ", 19);
    assert_non_null(strstr(said, "\njson\nmain.ini:4: error: "));
    load_for_log(SERVER POLICY "max_age = 1\n");
    assert_memory_equal(said, "main.ini:7: warning: ", 21);
    assert_non_null(strstr(said, "\ntext\n"));
    load_for_log(SERVER "include = missing.ini\n" POLICY);
    assert_memory_equal(said, "text\nmain.ini:3: error: ", 24); /* of an included file */
    load_for_log(SERVER "log_format = xml\n" POLICY);
    assert_memory_equal(said, "main.ini:3: error: ", 19);
}

// clang-format off: LLVM 14 and 19 differ in it
#define BEHAVIOUR(name)                       \
    {                                         \
#name, name, NULL, clear_folder, NULL \
    }
// clang-format on

static const struct CMUnitTest behaviours[] = {
    BEHAVIOUR(a_policy_host_has_its_domains_policy),
    BEHAVIOUR(the_format_of_the_log_is_known_before_what_is_found_behind_it),
    BEHAVIOUR(other_hosts_are_none_of_ours),
    BEHAVIOUR(any_domain_is_found_when_no_other_has_it),
    BEHAVIOUR(any_domain_is_none_for_which_an_mx_would_be_too_long),
    BEHAVIOUR(defaults_apply_wherever_they_stand),
    BEHAVIOUR(max_age_is_written_whole),
    BEHAVIOUR(equal_policies_are_kept_once),
    BEHAVIOUR(everything_of_a_policy_is_kept),
    BEHAVIOUR(server_settings_have_defaults),
    BEHAVIOUR(server_settings_are_taken),
    BEHAVIOUR(server_settings_for_operation_have_defaults),
    BEHAVIOUR(server_settings_for_operation_are_taken),
    BEHAVIOUR(there_are_never_more_tls_states_than_connections),
    BEHAVIOUR(includes_are_read_in_byte_order_after_the_main_file),
    BEHAVIOUR(paths_are_relative_to_the_file_that_names_them),
    BEHAVIOUR(a_folder_of_special_characters_is_taken_literally),
    BEHAVIOUR(the_digest_tells_any_change_of_any_file),
    BEHAVIOUR(a_big_body_is_a_warning_and_a_huge_one_an_error),
    BEHAVIOUR(a_hopeless_number_of_mx_is_refused_at_once),
    BEHAVIOUR(a_line_of_8000_bytes_is_whole_and_a_longer_one_an_error),
    BEHAVIOUR(places_of_domains_are_kept_when_asked_for),
    BEHAVIOUR(a_long_line_of_an_alias_file_is_an_error),
    BEHAVIOUR(errors_beyond_a_hundred_are_counted),
    BEHAVIOUR(a_finding_is_printed_at_its_place_and_as_one_line),
    BEHAVIOUR(a_fifo_is_refused_without_waiting),
    BEHAVIOUR(a_file_over_the_limit_is_refused_unread),
    BEHAVIOUR(a_terminal_cannot_be_steered_by_a_finding),
    BEHAVIOUR(a_hundred_thousand_domains_are_all_found),
    BEHAVIOUR(nothing_is_freed_of_nothing),
};

int main(void)
{
    static struct CMUnitTest tests[COUNT(rules) + COUNT(behaviours)];
    static struct rule       states[COUNT(rules)];
    int                      failed;

    for (size_t i = 0; i < COUNT(rules); i++) {
        states[i] = rules[i];
        tests[i] = (struct CMUnitTest){ rules[i].name, holds_rule, NULL, clear_folder, &states[i] };
    }
    memcpy(tests + COUNT(rules), behaviours, sizeof behaviours);
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return chdir("/") != 0 || rmdir(folder) != 0 ? 1 : failed;
}
