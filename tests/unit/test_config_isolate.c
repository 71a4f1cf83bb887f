/*
 * config with isolate = on: what is wrong is left out or keeps its last good policy, everything else
 * is served, word for word. Each load that succeeds is the running configuration of the next one, as in
 * the server: a snapshot of it is where last good policies come from, and what is replayed when a keeper
 * has died.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/hostname.h"
#include "failing_malloc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SERVER       "[server]\nlisten = 127.0.0.1:8443\nisolate = on\n" /* lines 1 to 3 */
#define WITH_OTHER   SERVER "include = other.ini\n"                      /* line 4 */
/* A section of four lines. */
#define DOMAIN(name, mx) "[" name "]\nmode = testing\ncertificate = /c.pem\nmx = " mx "\n"
#define BAD(name, mx)    "[" name "]\nmode = tasting\ncertificate = /c.pem\nmx = " mx "\n"
#define ISOLATED         ": warning: isolated: "
#define MODE             ISOLATED "unknown mode \"tasting\"; did you mean testing?; "
#define X10(x)           x x x x x x x x x x
#define X60(x)           X10(x) X10(x) X10(x) X10(x) X10(x) X10(x)
#define LONG             X60("a") "." X60("b") "." X60("c") ".example" /* 190 bytes */

static const uint8_t key[HASH_KEY_SIZE] = "a key for tests";
static char          folder[] = "/tmp/mta-sts-test_config_isolate-XXXXXX";
static char          said[200 * 1024]; /* the findings, a line each */
static int           running = -1;     /* the snapshot of the last load that succeeded */

static void report(void *context, enum config_severity severity, const char *file, unsigned line,
                   const char *text)
{
    size_t len = strlen(said);
    char   finding[CONFIG_FINDING_MAX];

    (void)context;
    snprintf(said + len, sizeof said - len, "%s\n",
             config_finding(severity, file, line, text, finding));
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static const char *const names[] = { "main.ini",  "other.ini", "names.txt",
                                     "c.d/a.ini", "c.d/b.ini", "c.d/c.txt" };

static void clear_files(void)
{
    for (size_t i = 0; i < COUNT(names); i++)
        (void)unlink(names[i]);
}

static int begin(void **state)
{
    (void)state;
    running = -1;
    return mkdir("c.d", 0700);
}

static int end(void **state)
{
    (void)state;
    clear_files();
    if (running >= 0)
        close(running);
    return rmdir("c.d");
}

static bool same_domain(void *context, const char *domain, const struct policy *policy)
{
    const struct config *other = context;
    char                 host[HOSTNAME_MAX + 1];
    struct config_match  match;

    snprintf(host, sizeof host, "mta-sts.%s", domain);
    assert_true(config_find_host(other, host, strlen(host), &match));
    assert_int_equal(match.any, false);
    assert_int_equal(match.policy->body_len, policy->body_len);
    assert_memory_equal(match.policy->body, policy->body, policy->body_len);
    assert_int_equal(match.policy->mode, policy->mode);
    assert_int_equal(match.policy->max_age, policy->max_age);
    assert_int_equal(match.policy->mx_count, policy->mx_count);
    assert_int_equal(match.policy->body_domains, policy->body_domains);
    assert_string_equal(match.policy->certificate, policy->certificate);
    assert_int_equal(match.policy->key == NULL, policy->key == NULL);
    if (policy->key != NULL)
        assert_string_equal(match.policy->key, policy->key);
    assert_int_equal(match.policy->id == NULL, policy->id == NULL);
    if (policy->id != NULL)
        assert_string_equal(match.policy->id, policy->id);
    assert_int_equal(match.policy->rua_count, policy->rua_count);
    for (uint32_t i = 0; i < policy->rua_count; i++)
        assert_string_equal(match.policy->rua[i], policy->rua[i]);
    return true;
}

/* What a snapshot gives when its files are gone is what it was made of. */
static void assert_replayed(const struct config *config, int snapshot)
{
    struct config_source source = { CONFIG_FROM_DISK, .key = key, .report = report };
    struct config       *replayed;
    struct config       *again;
    int                  copy = memfd_create("copy", MFD_CLOEXEC);

    assert_true(copy >= 0);
    source.replay = snapshot;
    source.record = copy;
    replayed = config_load_from("elsewhere.ini", &source);
    assert_non_null(replayed);
    assert_memory_equal(config_digest(replayed), config_digest(config), HASH_128_SIZE);
    assert_int_equal(config_time(replayed), config_time(config));
    assert_string_equal(config_path(replayed), config_path(config));
    assert_int_equal(config_domain_count(replayed), config_domain_count(config));
    assert_int_equal(config_isolated_count(replayed), config_isolated_count(config));
    config_each_domain(config, same_domain, replayed);
    assert_int_equal(config_any(replayed) == NULL, config_any(config) == NULL);
    if (config_any(config) != NULL)
        assert_int_equal(config_any(replayed)->body_len, config_any(config)->body_len);
    /* and so is what is recorded while it is replayed */
    source.replay = copy;
    source.record = -1;
    again = config_load_from("elsewhere.ini", &source);
    assert_non_null(again);
    config_each_domain(config, same_domain, again);
    assert_int_equal(config_domain_count(again), config_domain_count(config));
    config_free(again);
    config_free(replayed);
    close(copy);
}

/* Loads main.ini as a reload does. The configuration that comes out is the running one from then on. */
static struct config *load(void)
{
    struct config_source source = { CONFIG_FROM_DISK, .key = key, .report = report,
                                    .places = true };
    struct config       *config;
    char                 findings[sizeof said];

    said[0] = '\0';
    source.last_good = running;
    source.record = memfd_create("record", MFD_CLOEXEC);
    assert_true(source.record >= 0);
    config = config_load_from("main.ini", &source);
    if (config == NULL) {
        assert_int_equal(lseek(source.record, 0, SEEK_END), 0);
        close(source.record);
        return NULL;
    }
    if (running >= 0)
        close(running);
    running = source.record;
    strcpy(findings, said);
    assert_replayed(config, running);
    strcpy(said, findings);
    return config;
}

/* "a.example=mx1 b.example=mx2 *=mx3", in the order of the configuration. */
static bool append_domain(void *context, const char *domain, const struct policy *policy)
{
    char *out = context;

    sprintf(out + strlen(out), "%s%s=%.*s", out[0] != '\0' ? " " : "", domain,
            (int)strcspn(strstr(policy->body, "mx: ") + 4, "\r"), strstr(policy->body, "mx: ") + 4);
    return true;
}

static void assert_served(const struct config *config, const char *expected)
{
    static char out[64 * 1024];

    out[0] = '\0';
    config_each_domain(config, append_domain, out);
    if (config_any(config) != NULL)
        append_domain(out, "*", config_any(config));
    assert_string_equal(out, expected);
}

/* The main file, and beside it other.ini and names.txt where they are not NULL. */
static void write_files(const char *main_ini, const char *other_ini, const char *names_txt)
{
    clear_files();
    write_file("main.ini", main_ini);
    if (other_ini != NULL)
        write_file("other.ini", other_ini);
    if (names_txt != NULL)
        write_file("names.txt", names_txt);
}

/* A load that succeeds: what is said of it, and what it serves. */
static void assert_step(const char *expected_said, const char *expected_served)
{
    struct config *config = load();

    assert_string_equal(said, expected_said);
    assert_non_null(config);
    assert_served(config, expected_served);
    config_free(config);
}

/* A step of which everything is in the arguments. */
static void step(const char *main_ini, const char *other_ini, const char *names_txt,
                 const char *expected_said, const char *expected_served)
{
    write_files(main_ini, other_ini, names_txt);
    assert_step(expected_said, expected_served);
}

/* A load that fails. */
static void refused(const char *main_ini, const char *other_ini, const char *names_txt,
                    const char *expected_said)
{
    write_files(main_ini, other_ini, names_txt);
    assert_null(load());
    assert_string_equal(said, expected_said);
}

/* ---- sections ---- */

static void a_wrong_section_is_left_out_at_a_first_start(void **state)
{
    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") BAD("b.example", "m2.e"), NULL, NULL,
         "main.ini:9" MODE "b.example is left out\n", "a.example=m1.e");
}

static void a_wrong_section_keeps_its_last_good_policy_until_it_is_right(void **state)
{
    const char *const wrong = "main.ini:9" MODE "b.example keeps its last good policy\n";

    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("b.example", "m2.e"), NULL, NULL, "",
         "a.example=m1.e b.example=m2.e");
    step(SERVER DOMAIN("a.example", "m3.e") BAD("b.example", "m4.e"), NULL, NULL, wrong,
         "a.example=m3.e b.example=m2.e");
    step(SERVER DOMAIN("a.example", "m5.e") BAD("b.example", "m6.e"), NULL, NULL, wrong,
         "a.example=m5.e b.example=m2.e");
    step(SERVER DOMAIN("a.example", "m5.e") DOMAIN("b.example", "m6.e"), NULL, NULL, "",
         "a.example=m5.e b.example=m6.e");
}

static void every_error_in_a_section_takes_the_section_out_and_no_other(void **state)
{
    static const struct {
        const char *line, *text;
    } errors[] = {
        { "mood = x", "unknown key \"mood\"; did you mean mode?" },
        { "listen = 127.0.0.1:1", "listen belongs in [server], not in a policy" },
        { "mode = none", "mode is already set at main.ini:9" },
        { "max_age = 0", "max_age is 1 to 31557600 seconds, not \"0\"" },
        { "id =", "id has no value" },
        { "mx = m2.e", "mx m2.e is already at main.ini:11" },
        { "key = /%x", "unknown %x in key; there are %h (policy host), %d (policy domain) and %%" },
        { "rua = x", "rua is a mailto: or https:// address, not \"x\"" },
        { "a word", "neither a [section] nor \"key = value\"" },
        { "id : x", "a key and its value are separated by =, not by :" },
        { "id = \x01", "a control character" },
    };
    char text[1024], expected[512];

    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("b.example", "m0.e"), NULL, NULL, "",
         "a.example=m1.e b.example=m0.e");
    for (size_t i = 0; i < COUNT(errors); i++) {
        snprintf(text, sizeof text,
                 SERVER DOMAIN("a.example", "m1.e")
                     DOMAIN("b.example", "m2.e") "%s\n" DOMAIN("c.example", "m3.e"),
                 errors[i].line);
        snprintf(expected, sizeof expected,
                 "main.ini:12" ISOLATED "%s; b.example keeps its last good policy\n",
                 errors[i].text);
        step(text, NULL, NULL, expected, "a.example=m1.e b.example=m0.e c.example=m3.e");
    }
}

static void what_a_section_lacks_takes_the_section_out(void **state)
{
    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") "[b.example]\nmode = none\n", NULL, NULL,
         "main.ini:8" ISOLATED
         "no certificate, neither here nor in [defaults]; b.example is left out\n"
         "main.ini:8" ISOLATED "no mx, neither here nor in [defaults]; b.example is left out\n",
         "a.example=m1.e");
}

static void the_names_of_a_wrong_section_share_its_fate(void **state)
{
    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("b.example", "m2.e") "alias = c.example\n", NULL,
         NULL, "", "a.example=m1.e b.example=m2.e c.example=m2.e");
    step(SERVER DOMAIN("a.example", "m1.e") BAD("b.example", "m2.e") "alias = c.example\n", NULL,
         NULL, "main.ini:9" MODE "b.example and 1 more domain keep their last good policy\n",
         "a.example=m1.e b.example=m2.e c.example=m2.e");
    step(SERVER DOMAIN("a.example", "m1.e")
             BAD("b.example", "m2.e") "alias = c.example d.example e.example\n",
         NULL, NULL,
         "main.ini:9" MODE "of its 4 domains, 2 keep the last good policy and 2 are left out\n",
         "a.example=m1.e b.example=m2.e c.example=m2.e");
    step(SERVER DOMAIN("a.example", "m1.e") BAD("x.example", "m2.e") "alias = y.example\n", NULL,
         NULL, "main.ini:9" MODE "x.example and 1 more domain are left out\n", "a.example=m1.e");
}

static void a_kept_policy_ends_when_its_section_is_removed(void **state)
{
    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("b.example", "m2.e"), NULL, NULL, "",
         "a.example=m1.e b.example=m2.e");
    step(SERVER DOMAIN("a.example", "m1.e") BAD("b.example", "m2.e"), NULL, NULL,
         "main.ini:9" MODE "b.example keeps its last good policy\n",
         "a.example=m1.e b.example=m2.e");
    step(SERVER DOMAIN("a.example", "m1.e"), NULL, NULL, "", "a.example=m1.e");
    step(SERVER DOMAIN("a.example", "m1.e") BAD("b.example", "m2.e"), NULL, NULL,
         "main.ini:9" MODE "b.example is left out\n", "a.example=m1.e");
}

static void a_wrong_any_section_keeps_its_last_good_policy(void **state)
{
    struct config_match match;
    struct config      *config;

    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") BAD("*", "m2.e"), NULL, NULL,
         "main.ini:9" MODE "[*] is left out\n", "a.example=m1.e");
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("*", "mail.customers.%d"), NULL, NULL, "",
         "a.example=m1.e *=mail.customers.%d");
    write_files(SERVER DOMAIN("a.example", "m1.e") BAD("*", "m2.e"), NULL, NULL);
    config = load();
    assert_string_equal(said, "main.ini:9" MODE "[*] keeps its last good policy\n");
    assert_served(config, "a.example=m1.e *=mail.customers.%d");
    assert_true(config_find_host(config, "mta-sts.x.example", 17, &match));
    assert_true(match.any);
    /* "mail.customers." and the domain have more than 253 bytes */
    assert_false(config_find_host(config, "mta-sts." LONG "." X60("d"), 8 + 190 + 61, &match));
    config_free(config);
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("*", "m2.e") DOMAIN("*", "m3.e"), NULL, NULL,
         "main.ini:12" ISOLATED "[*] is already at main.ini:8; [*] keeps its last good policy\n",
         "a.example=m1.e *=mail.customers.%d");
}

static void a_wrong_header_takes_its_section_out_and_keeps_what_it_may_have_named(void **state)
{
    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("b_b.example", "m2.e") "alias = c.example\n",
         NULL, NULL,
         "main.ini:8" ISOLATED "[b_b.example] is no domain: it has a character other than letters, "
         "digits, hyphens and dots; its 1 domain is left out\n",
         "a.example=m1.e");
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("b.example", "m2.e"), NULL, NULL, "",
         "a.example=m1.e b.example=m2.e");
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("mta-sts.b.example", "m3.e"), NULL, NULL,
         "main.ini:8" ISOLATED
         "[mta-sts.b.example] names a policy host, not its domain; did you mean "
         "[b.example]?; the section is left out, and 1 domain that is not found now keeps the last "
         "good policy\n",
         "a.example=m1.e b.example=m2.e");
    step(SERVER DOMAIN("a.example", "m1.e") "[b.example\nmode = none\n", NULL, NULL,
         "main.ini:8" ISOLATED
         "a section header without its ]; it is left out, and 1 domain that is "
         "not found now keeps the last good policy\n",
         "a.example=m1.e b.example=m2.e");
}

/* ---- aliases ---- */

static void a_wrong_alias_is_left_out_alone(void **state)
{
    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") "alias = b c.example mta-sts.d.example\n"
                                            "alias =\nalias_file = names.txt\n",
         NULL, "e.example\nf_f.example\ng.example h.example\ni.example\n",
         "main.ini:8" ISOLATED "\"b\" is no domain: it has no dot; it is left out\n"
         "main.ini:8" ISOLATED "mta-sts.d.example is a policy host, not a domain; did you mean "
         "d.example?; it is left out\n"
         "main.ini:9" ISOLATED "alias has no value; it is left out\n"
         "names.txt:2" ISOLATED
         "\"f_f.example\" is no domain: it has a character other than letters, "
         "digits, hyphens and dots; it is left out\n"
         "names.txt:3" ISOLATED "one domain a line, and # comments; it is left out\n",
         "a.example=m1.e c.example=m1.e e.example=m1.e i.example=m1.e");
}

static void a_missing_alias_file_keeps_the_domains_that_it_had(void **state)
{
    const char *const main_ini = SERVER DOMAIN("a.example", "m1.e") "alias_file = names.txt\n";
    const char *const renamed = SERVER DOMAIN("a.example", "m1.e") "alias_file = nanes.txt\n";
    const char *const                  kept = "main.ini:8" ISOLATED
                             "cannot open names.txt: No such file or directory; "
                             "the file is left out, and 2 domains that are not found now keep the "
                             "last good policy\n";

    (void)state;
    step(main_ini, NULL, NULL,
         "main.ini:8" ISOLATED
         "cannot open names.txt: No such file or directory; the file is left out\n",
         "a.example=m1.e");
    step(main_ini, NULL, "b.example\nc.example\n", "",
         "a.example=m1.e b.example=m1.e c.example=m1.e");
    step(main_ini, NULL, NULL, kept, "a.example=m1.e b.example=m1.e c.example=m1.e");
    step(main_ini, NULL, NULL, kept, "a.example=m1.e b.example=m1.e c.example=m1.e");
    step(renamed, NULL, NULL,
         "main.ini:8" ISOLATED "cannot open nanes.txt: No such file or directory; "
         "the file is left out\n",
         "a.example=m1.e b.example=m1.e c.example=m1.e");
    step(main_ini, NULL, "c.example\n", "", "a.example=m1.e c.example=m1.e");
    step(SERVER DOMAIN("a.example", "m1.e"), NULL, "c.example\n", "", "a.example=m1.e");
}

/* The main file is the same by another path; what it names has other paths then. */
static void the_main_file_is_known_by_another_path(void **state)
{
    struct config_source source = { CONFIG_FROM_DISK, .key = key, .report = report };
    struct config       *config;

    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("b.example", "m2.e") "alias_file = names.txt\n",
         NULL, "c.example\n", "", "a.example=m1.e b.example=m2.e c.example=m2.e");
    write_files(SERVER DOMAIN("a.example", "m1.e") "[b_b.example]\n", NULL, NULL);
    said[0] = '\0';
    source.last_good = running;
    config = config_load_from("./main.ini", &source);
    assert_string_equal(said,
                        "./main.ini:8" ISOLATED "[b_b.example] is no domain: it has a character "
                        "other than letters, digits, hyphens and dots; the section is left out, "
                        "and 2 domains that are not found now keep the last good policy\n");
    assert_served(config, "a.example=m1.e b.example=m2.e c.example=m2.e");
    config_free(config);
}

/* ---- one domain ---- */

static void a_domain_named_twice_belongs_to_neither(void **state)
{
    const char *const twice = SERVER DOMAIN("a.example", "m1.e") "alias = x.example\n" DOMAIN(
        "b.example", "m2.e") "alias = c.example x.example\n";

    (void)state;
    step(twice, NULL, NULL,
         "main.ini:13" ISOLATED "x.example is already named at main.ini:8: neither "
         "counts; x.example is left out\n",
         "a.example=m1.e b.example=m2.e c.example=m2.e");
    step(SERVER DOMAIN("a.example", "m0.e") "alias = x.example\n", NULL, NULL, "",
         "a.example=m0.e x.example=m0.e");
    step(twice, NULL, NULL,
         "main.ini:13" ISOLATED "x.example is already named at main.ini:8: neither "
         "counts; x.example keeps its last good policy\n",
         "a.example=m1.e x.example=m0.e b.example=m2.e c.example=m2.e");
    step(SERVER DOMAIN("a.example", "m1.e") DOMAIN("a.example", "m2.e") "alias = b.example\n", NULL,
         NULL,
         "main.ini:8" ISOLATED "a.example is already named at main.ini:4: neither counts; "
         "a.example keeps its last good policy\n",
         "a.example=m1.e b.example=m2.e");
}

static void a_domain_named_twice_in_its_section_is_served(void **state)
{
    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e") "alias = b.example a.example\nalias_file = names.txt\n",
         NULL, "b.example\n",
         "main.ini:8" ISOLATED "a.example is already named at main.ini:4; it is left out\n"
         "names.txt:1" ISOLATED "b.example is already named at main.ini:8; it is left out\n",
         "a.example=m1.e b.example=m1.e");
}

static void a_domain_that_an_mx_is_too_long_with_is_taken_out_alone(void **state)
{
    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e")
             DOMAIN("b.example", "%d." X60("m") ".example") "alias = " LONG " c.example\n",
         NULL, NULL,
         "main.ini:12" ISOLATED "mx %d." X60("m") ".example has more than 253 bytes with " LONG
                                                  "; " LONG " is left out\n",
         "a.example=m1.e b.example=%d." X60("m") ".example c.example=%d." X60("m") ".example");
}

static void a_domain_that_repeats_an_mx_is_taken_out_alone(void **state)
{
    (void)state;
    step(SERVER "[defaults]\nmode = none\ncertificate = /c\nmx = mail.%d\nmx = mail.b.example\n"
                "mx = mail.c.example\n[a.example]\n[b.example]\n[c.example]\nalias = d.example\n",
         NULL, NULL,
         "main.ini:8" ISOLATED "mx mail.b.example is the same as mx mail.%d at main.ini:7 for "
         "b.example; b.example is left out\n"
         "main.ini:9" ISOLATED "mx mail.c.example is the same as mx mail.%d at main.ini:7 for "
         "c.example; c.example is left out\n",
         "a.example=mail.%d d.example=mail.%d");
}

/* ---- files ---- */

static void an_include_cut_inside_a_value_keeps_the_domains_behind_the_cut(void **state)
{
    const char *const main_ini = WITH_OTHER DOMAIN("a.example", "m1.e");

    (void)state;
    step(main_ini,
         DOMAIN("b.example", "m2.e") DOMAIN("c.example", "m3.e") DOMAIN("d.example", "m4.e"), NULL,
         "", "a.example=m1.e b.example=m2.e c.example=m3.e d.example=m4.e");
    step(main_ini,
         DOMAIN("b.example", "m2.e") "[c.example]\nmx = m3.e\ncertificate = /c\nmode = test", NULL,
         "other.ini:8" ISOLATED "mode is enforce, testing or none, not \"test\"; "
         "c.example keeps its last good policy, and 1 domain that is not found now keeps the last "
         "good policy\n",
         "a.example=m1.e b.example=m2.e c.example=m3.e d.example=m4.e");
    step(main_ini, BAD("c.example", "m3.e") DOMAIN("b.example", "m2.e"), NULL,
         "other.ini:2" MODE "c.example keeps its last good policy\n",
         "a.example=m1.e c.example=m3.e b.example=m2.e");
}

static void a_missing_include_keeps_the_domains_that_it_had(void **state)
{
    const char *const main_ini = WITH_OTHER DOMAIN("a.example", "m1.e");

    (void)state;
    step(main_ini, DOMAIN("b.example", "m2.e") "alias = c.example\n", NULL, "",
         "a.example=m1.e b.example=m2.e c.example=m2.e");
    step(main_ini, NULL, NULL,
         "main.ini:4" ISOLATED "cannot open other.ini: No such file or directory; "
         "the file is left out, and 2 domains that are not found now keep the last good policy\n",
         "a.example=m1.e b.example=m2.e c.example=m2.e");
    step(WITH_OTHER DOMAIN("a.example", "m1.e") DOMAIN("c.example", "m3.e"), NULL, NULL,
         "main.ini:4" ISOLATED
         "cannot open other.ini: No such file or directory; the file is left out, and 1 domain "
         "that is not found now keeps the last good policy\n",
         "a.example=m1.e c.example=m3.e b.example=m2.e");
    step(SERVER DOMAIN("a.example", "m1.e"), NULL, NULL, "", "a.example=m1.e");
}

static void what_an_include_meant_to_hold_keeps_its_last_good_policy(void **state)
{
    static const struct {
        const char *before, *text;
    } errors[] = {
        { "mode = none\n", "a key above every [section]; it is left out" },
        { "[c.example] x\n",
          "nothing but a ; comment may follow a section header; it is left out" },
        { "[server]\n", "[server] stands in the main file only; it is left out" },
        { "[c]\n", "[c] is no domain: it has no dot; the section is left out" },
        { "[def\x01", "a control character; it is left out" },
    };
    char text[1024], expected[512];

    (void)state;
    step(WITH_OTHER DOMAIN("a.example", "m1.e"),
         DOMAIN("b.example", "m2.e") DOMAIN("c.example", "m3.e") "alias_file = names.txt\n",
         "d.example\n", "", "a.example=m1.e b.example=m2.e c.example=m3.e d.example=m3.e");
    for (size_t i = 0; i < COUNT(errors); i++) {
        snprintf(text, sizeof text, "%s\n" DOMAIN("b.example", "m4.e"), errors[i].before);
        snprintf(expected, sizeof expected,
                 "other.ini:1" ISOLATED "%s, and 2 domains that are not "
                 "found now keep the last good policy\n",
                 errors[i].text);
        step(WITH_OTHER DOMAIN("a.example", "m1.e"), text, NULL, expected,
             "a.example=m1.e b.example=m4.e c.example=m3.e d.example=m3.e");
    }
    /* what another file had is not this file's */
    step(WITH_OTHER DOMAIN("e.example", "m1.e"), "mode = none\n", NULL,
         "other.ini:1" ISOLATED
         "a key above every [section]; it is left out, and 3 domains that are "
         "not found now keep the last good policy\n",
         "e.example=m1.e b.example=m4.e c.example=m3.e d.example=m3.e");
}

static void a_file_that_a_pattern_finds_may_be_wrong(void **state)
{
    const char *const main_ini = SERVER "include = c.d/*.ini\n" DOMAIN("z.example", "m0.e");

    (void)state;
    write_files(main_ini, NULL, NULL);
    write_file("c.d/a.ini", DOMAIN("a.example", "m1.e"));
    write_file("c.d/b.ini", DOMAIN("b.example", "m2.e"));
    assert_step("", "z.example=m0.e a.example=m1.e b.example=m2.e");
    assert_int_equal(unlink("c.d/a.ini"), 0);
    assert_int_equal(mkdir("c.d/a.ini", 0700), 0);
    write_file("c.d/b.ini", DOMAIN("b.example", "m3.e"));
    assert_step("main.ini:4" ISOLATED
                "c.d/a.ini is no regular file; the file is left out, and 1 domain "
                "that is not found now keeps the last good policy\n",
                "z.example=m0.e b.example=m3.e a.example=m1.e");
    assert_int_equal(rmdir("c.d/a.ini"), 0);
    assert_step("", "z.example=m0.e b.example=m3.e");
}

static void a_removed_file_ends_while_another_is_wrong(void **state)
{
    (void)state;
    write_files(SERVER "include = c.d/*.ini\n" DOMAIN("z.example", "m0.e"), NULL, NULL);
    write_file("c.d/a.ini", DOMAIN("a.example", "m1.e"));
    write_file("c.d/b.ini", DOMAIN("b.example", "m2.e"));
    assert_step("", "z.example=m0.e a.example=m1.e b.example=m2.e");
    assert_int_equal(unlink("c.d/a.ini"), 0);
    write_file("c.d/b.ini", "[b_b.example]\n");
    assert_step(
        "c.d/b.ini:1" ISOLATED "[b_b.example] is no domain: it has a character other than "
        "letters, digits, hyphens and dots; the section is left out, and 1 domain that is not "
        "found now keeps the last good policy\n",
        "z.example=m0.e b.example=m2.e");
}

/* ---- what stays strict ---- */

static void server_and_defaults_stay_strict(void **state)
{
    static const struct {
        const char *text, *said;
    } rules[] = {
        { "[server]\nlisten = 1\nisolate = on\n" DOMAIN("a.example", "m1.e"),
          "main.ini:2: error: \"1\" is no address to listen on; did you mean 0.0.0.0:1 and "
          "[::]:1?\n" },
        { SERVER "colour = x\n" DOMAIN("a.example", "m1.e"),
          "main.ini:4: error: unknown key \"colour\"\n" },
        { SERVER "a word\n" DOMAIN("a.example", "m1.e"),
          "main.ini:4: error: neither a [section] nor \"key = value\"\n" },
        { SERVER "[defaults]\nmode = x\n" DOMAIN("a.example", "m1.e"),
          "main.ini:5: error: mode is enforce, testing or none, not \"x\"\n" },
        { SERVER "[defaults]\nalias = b.example\n" DOMAIN("a.example", "m1.e"),
          "main.ini:5: error: alias belongs in the section of a domain, not in [defaults]\n" },
        { SERVER "[default]\nmode = none\n" DOMAIN("a.example", "m1.e"),
          "main.ini:4: error: [default] is no domain: it has no dot; did you mean [defaults]?\n" },
        { SERVER "[defaults\nmode = none\n" DOMAIN("a.example", "m1.e"),
          "main.ini:4: error: a section header without its ]\n" },
        { SERVER "[server]\n" DOMAIN("a.example", "m1.e"),
          "main.ini:4: error: [server] is already at main.ini:1\n" },
        { "mode = none\n" SERVER DOMAIN("a.example", "m1.e"),
          "main.ini:1: error: a key above every [section]\n" },
        { SERVER "include = main.*\n" DOMAIN("a.example", "m1.e"),
          "main.ini:4: error: main.ini is this file itself\n" },
        { WITH_OTHER "include = other*\n" DOMAIN("a.example", "m1.e"),
          "main.ini:5: error: other.ini is already included at main.ini:4\n" },
        { SERVER, "main.ini: error: there is no policy: no section of a domain and no [*]\n" },
        { SERVER BAD("a.example", "m1.e"),
          "main.ini:5" MODE "a.example is left out\n"
          "main.ini: error: there is no policy left: everything is isolated\n" },
        { SERVER "isolate = off\n" BAD("a.example", "m1.e"),
          "main.ini:4: error: isolate is already set at main.ini:3\n"
          "main.ini:6: error: unknown mode \"tasting\"; did you mean testing?\n" },
        { "[server]\nlisten = 127.0.0.1:8443\nisolate = of\n" BAD("a.example", "m1.e"),
          "main.ini:3: error: isolate is on or off (or yes, no), not \"of\"\n"
          "main.ini:5: error: unknown mode \"tasting\"; did you mean testing?\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++)
        refused(rules[i].text, "", NULL, rules[i].said);
}

static void a_strict_error_does_not_hide_the_isolated_ones(void **state)
{
    (void)state;
    refused(SERVER "colour = x\n" DOMAIN("a.example", "m1.e") BAD("b.example", "m2.e"), NULL, NULL,
            "main.ini:4: error: unknown key \"colour\"\n"
            "main.ini:10" ISOLATED "unknown mode \"tasting\"; did you mean testing?\n");
}

static void isolation_is_known_wherever_the_server_section_stands(void **state)
{
    (void)state;
    step(BAD("a.example", "m1.e") DOMAIN("isolate.example", "m2.e") SERVER, NULL, NULL,
         "main.ini:2" MODE "a.example is left out\n", "isolate.example=m2.e");
    step("\xef\xbb\xbf[isolate.example]\nmode = none\nmx = m.e\ncertificate = /c\n"
         "[b.example]\nisolate = on\n[server]\nlisten = 127.0.0.1:1\n  isolate = yes\n",
         NULL, NULL,
         "main.ini:6" ISOLATED
         "isolate belongs in [server], not in a policy; b.example is left out\n"
         "main.ini:5" ISOLATED "no mode, neither here nor in [defaults]; b.example is left out\n"
         "main.ini:5" ISOLATED
         "no certificate, neither here nor in [defaults]; b.example is left out\n"
         "main.ini:5" ISOLATED "no mx, neither here nor in [defaults]; b.example is left out\n",
         "isolate.example=m.e");
}

static void nothing_but_last_good_policies_is_enough(void **state)
{
    (void)state;
    step(WITH_OTHER, DOMAIN("a.example", "m1.e"), NULL, "", "a.example=m1.e");
    step(WITH_OTHER, NULL, NULL,
         "main.ini:4" ISOLATED "cannot open other.ini: No such file or "
         "directory; the file is left out, and 1 domain that is not found now keeps the last good "
         "policy\n",
         "a.example=m1.e");
}

static void findings_beyond_a_hundred_are_counted(void **state)
{
    char text[20000] = SERVER DOMAIN("a.example", "m1.e");
    struct config            *config;
    size_t                    lines = 0;

    (void)state;
    for (int i = 0; i < 103; i++)
        strcat(text, "alias = b\n");
    write_files(text, NULL, NULL);
    config = load();
    assert_int_equal(config_isolated_count(config), 103);
    for (const char *p = said; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, 101);
    assert_non_null(strstr(said, "main.ini" ISOLATED "3 more findings\n"));
    config_free(config);
}

static void entries_are_counted_not_findings(void **state)
{
    struct config *config;

    (void)state;
    write_files(
        WITH_OTHER DOMAIN("a.example", "m1.e") "alias = b c\n"
                                               "[d.example]\nmode = x\n" DOMAIN(
                                                   "e.example", "m2.e") "alias = a.example\n",
        NULL, NULL);
    config = load();
    /* other.ini, "b", "c", [d.example] with its three findings, a.example */
    assert_int_equal(config_isolated_count(config), 5);
    config_free(config);
}

/* ---- the snapshot ---- */

static void everything_of_a_kept_policy_is_kept(void **state)
{
    (void)state;
    step(SERVER DOMAIN(
             "z.example",
             "m0.e") "[a.example]\nmode = enforce\nmax_age = 2w\nmx = m1.e\n"
                     "mx = mail.%d\ncertificate = c/%d.pem\nkey = k/%h.pem\nid = x1\nrua = "
                     "mailto:a@b\n"
                     "rua = https://c/d\n[b.example]\nmode = none\nmx = m2.e\ncertificate = /c\n",
         NULL, NULL, "", "z.example=m0.e a.example=m1.e b.example=m2.e");
    step(SERVER DOMAIN("z.example", "m0.e") BAD("a.example", "m8.e") BAD("b.example", "m9.e"), NULL,
         NULL,
         "main.ini:9" MODE "a.example keeps its last good policy\n"
         "main.ini:13" MODE "b.example keeps its last good policy\n",
         "z.example=m0.e a.example=m1.e b.example=m2.e");
}

static void equal_inputs_have_one_digest(void **state)
{
    uint8_t        digest[HASH_128_SIZE];
    struct config *config;

    (void)state;
    write_files(WITH_OTHER DOMAIN("a.example", "m1.e"), NULL, NULL);
    config = load();
    memcpy(digest, config_digest(config), sizeof digest);
    config_free(config);
    config = load();
    assert_memory_equal(config_digest(config), digest, sizeof digest);
    config_free(config);
    write_file("other.ini", "");
    config = load();
    assert_memory_not_equal(config_digest(config), digest, sizeof digest);
    config_free(config);
}

static void a_relative_path_means_the_directory_of_the_snapshot(void **state)
{
    struct config *config;

    (void)state;
    write_files(SERVER "[a.example]\nmode = none\nmx = m.e\ncertificate = c.pem\n", NULL, NULL);
    config = load();
    assert_non_null(config);
    assert_int_equal(chdir("/"), 0);
    assert_replayed(config, running);
    assert_int_equal(chdir(folder), 0);
    config_free(config);
}

static void a_snapshot_that_is_not_whole_is_refused(void **state)
{
    struct config_source source = { CONFIG_FROM_DISK, .key = key, .report = report };
    char                 byte;

    (void)state;
    step(SERVER DOMAIN("a.example", "m1.e"), NULL, NULL, "", "a.example=m1.e");
    assert_int_equal(pread(running, &byte, 1, 100), 1);
    byte ^= 1;
    assert_int_equal(pwrite(running, &byte, 1, 100), 1);
    said[0] = '\0';
    source.replay = running;
    assert_null(config_load_from("main.ini", &source));
    assert_string_equal(said, "main.ini: error: the kept configuration is not usable: it is not "
                              "whole: its checksum is wrong\n");
    /* and gives no policies, which is a warning */
    step(SERVER DOMAIN("a.example", "m1.e") BAD("b.example", "m2.e"), NULL, NULL,
         "main.ini: warning: no last good policy can be kept: the kept configuration is not "
         "usable: it "
         "is not whole: its checksum is wrong\nmain.ini:9" MODE "b.example is left out\n",
         "a.example=m1.e");
}

static int found = -1;

static int find_in_state_dir(void *context, const char *state_dir)
{
    (void)context;
    assert_string_equal(state_dir, "/s");
    return dup(found);
}

static void a_start_finds_last_good_policies_by_the_state_dir(void **state)
{
    struct config_source source = { CONFIG_FROM_DISK, .key = key, .report = report,
                                    .find_last_good = find_in_state_dir };
    struct config       *config;

    (void)state;
    step(SERVER "state_dir = /s\n" DOMAIN("a.example", "m1.e"), NULL, NULL, "", "a.example=m1.e");
    found = running;
    write_files(SERVER "state_dir = /s\n" BAD("a.example", "m2.e") DOMAIN("b.example", "m3.e"),
                NULL, NULL);
    said[0] = '\0';
    config = config_load_from("main.ini", &source);
    assert_string_equal(said, "main.ini:6" MODE "a.example keeps its last good policy\n");
    assert_served(config, "a.example=m1.e b.example=m3.e");
    config_free(config);
}

static void state_dir_is_known_of_a_refused_configuration(void **state)
{
    char                 state_dir[CONFIG_PATH_MAX + 1] = "x";
    struct config_source source = { CONFIG_FROM_DISK, .key = key, .report = report,
                                    .state_dir = state_dir };

    (void)state;
    write_files(SERVER "state_dir = /var/lib/x\ncolour = x\n", NULL, NULL);
    assert_null(config_load_from("main.ini", &source));
    assert_string_equal(state_dir, "/var/lib/x");
    write_files(SERVER, NULL, NULL);
    assert_null(config_load_from("main.ini", &source));
    assert_string_equal(state_dir, "");
}

static void a_snapshot_that_cannot_be_written_is_a_warning(void **state)
{
    struct config_source source = { CONFIG_FROM_DISK, .key = key, .report = report };
    struct config       *config;

    (void)state;
    write_files(SERVER DOMAIN("a.example", "m1.e"), NULL, NULL);
    said[0] = '\0';
    source.record = STDIN_FILENO;
    assert_non_null(freopen("/dev/null", "r", stdin));
    config = config_load_from("main.ini", &source);
    assert_non_null(config);
    assert_string_equal(said, "main.ini: warning: the configuration cannot be kept: Bad file "
                              "descriptor\n");
    config_free(config);
}

/* ---- max_removed ---- */

/* The running configuration has a key of [server] and count domains d0.example and so on; it is
   compared with one of other lines. */
static struct config_removal removal_of(const char *server, int count, const char *after)
{
    static char           text[64 * 1024];
    struct config_removal removal;
    struct config        *config;
    int                   before;

    sprintf(text, SERVER "%s" DOMAIN("a.example", "m.e"), server);
    for (int i = 1; i < count; i++)
        sprintf(text + strlen(text), "alias = d%d.example\n", i);
    write_files(text, NULL, NULL);
    config_free(load());
    assert_string_equal(said, "");
    before = running;
    running = -1;
    write_files(after, NULL, NULL);
    config = load();
    assert_non_null(config);
    assert_int_equal(config_removal(config, before, &removal), 0);
    config_free(config);
    close(before);
    return removal;
}

static void assert_removal(const char *server, int count, const char *after, size_t removed,
                           bool is_refused)
{
    struct config_removal removal = removal_of(server, count, after);

    assert_int_equal(removal.running, count);
    assert_int_equal(removal.removed, removed);
    assert_int_equal(removal.refused, is_refused);
}

static void a_reload_may_drop_as_many_domains_as_the_running_limit_says(void **state)
{
    const char *const one = SERVER "max_removed = 0\n" DOMAIN("a.example", "m.e");
    const char *const two = SERVER DOMAIN("a.example", "m.e") "alias = d1.example\n";

    (void)state;
    assert_removal("", 9, one, 8, false); /* below 10 domains, the default is off */
    assert_removal("", 10, one, 9, true);
    assert_removal("max_removed = 100%\n", 10, one, 9, false);
    assert_removal("max_removed = 90%\n", 10, one, 9, false);
    assert_removal("max_removed = 89%\n", 10, one, 9, true);
    assert_removal("max_removed = 9\n", 10, one, 9, false);
    assert_removal("max_removed = 8\n", 10, one, 9, true);
    assert_removal("max_removed = 0\n", 2, one, 1, true); /* one that is written counts always */
    assert_removal("max_removed = 0\n", 2, two, 0, false);
    assert_removal("", 4, two, 2, false);
    assert_int_equal(removal_of("max_removed = 7%\n", 2, two).limit.number, 7);
}

static void domains_that_any_still_serves_are_not_removed(void **state)
{
    (void)state;
    assert_removal("", 10, SERVER DOMAIN("*", "mail.%d"), 0, false);
    assert_removal("", 10,
                   SERVER DOMAIN("*", "%d." X60("m") "." X60("n") "." X60("o") "." X60("p") ".x.x")
                       DOMAIN("b.example", "m.e"),
                   10, true);
}

static void an_isolated_domain_is_removed_unless_its_policy_is_kept(void **state)
{
    struct config_removal removal;
    struct config        *config;
    int                   before;

    (void)state;
    step(SERVER "max_removed = 0\n" DOMAIN("a.example", "m.e") DOMAIN("b.example", "m.e"), NULL,
         NULL, "", "a.example=m.e b.example=m.e");
    assert_removal("max_removed = 0\n", 2,
                   SERVER DOMAIN("a.example", "m.e") BAD("d1.example", "m.e"), 1, true);
    step(SERVER "max_removed = 0\n" DOMAIN("a.example", "m.e") DOMAIN("b.example", "m.e"), NULL,
         NULL, "", "a.example=m.e b.example=m.e");
    before = dup(running);
    write_files(SERVER DOMAIN("a.example", "m.e") BAD("b.example", "m.e"), NULL, NULL);
    config = load();
    assert_int_equal(config_removal(config, before, &removal), 0);
    assert_int_equal(removal.removed, 0);
    assert_int_equal(ftruncate(before, 10), 0);
    assert_int_equal(config_removal(config, before, &removal), -1);
    config_free(config);
    close(before);
}

/* ---- memory ---- */

/* A reload in which each kind of last good policy is kept. Its nth allocation fails. */
static struct config *load_without_memory(long nth, int record)
{
    struct config_source source = { CONFIG_FROM_DISK, .key = key, .report = report,
                                    .places = true };

    said[0] = '\0';
    source.last_good = running;
    source.record = record;
    mallocs_until_failure = nth;
    return config_load_from("main.ini", &source);
}

static void a_load_without_memory_ends_in_an_error(void **state)
{
    long           nth = 0;
    long           refusals = 0;
    struct config *config = NULL;

    (void)state;
    step(WITH_OTHER "state_dir = /s\n" DOMAIN("a.example", "m1.e") DOMAIN("*", "m3.e"),
         DOMAIN("b.example", "m2.e") "alias_file = names.txt\nid = x\nkey = /k\nrua = mailto:a@b\n",
         "c.example\n", "", "a.example=m1.e b.example=m2.e c.example=m2.e *=m3.e");
    write_files(WITH_OTHER DOMAIN("a.example", "m1.e") BAD("*", "m3.e"), NULL, "c.example\n");
    do {
        int record = memfd_create("record", MFD_CLOEXEC);

        config_free(config);
        config = load_without_memory(++nth, record);
        if (config == NULL) {
            assert_non_null(strstr(said, ": error: not enough memory\n"));
            assert_int_equal(lseek(record, 0, SEEK_END), 0);
            refusals++;
        } else { /* what could not be made smaller does as well */
            assert_served(config, "a.example=m1.e b.example=m2.e c.example=m2.e *=m3.e");
        }
        close(record);
    } while (mallocs_until_failure == 0);
    mallocs_until_failure = 0;
    config_free(config);
    if (nth == 1)
        skip(); /* under valgrind no allocation fails */
    assert_in_range(refusals, 30, nth);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_wrong_section_is_left_out_at_a_first_start),
        TEST(a_wrong_section_keeps_its_last_good_policy_until_it_is_right),
        TEST(every_error_in_a_section_takes_the_section_out_and_no_other),
        TEST(what_a_section_lacks_takes_the_section_out),
        TEST(the_names_of_a_wrong_section_share_its_fate),
        TEST(a_kept_policy_ends_when_its_section_is_removed),
        TEST(a_wrong_any_section_keeps_its_last_good_policy),
        TEST(a_wrong_header_takes_its_section_out_and_keeps_what_it_may_have_named),
        TEST(a_wrong_alias_is_left_out_alone),
        TEST(a_missing_alias_file_keeps_the_domains_that_it_had),
        TEST(the_main_file_is_known_by_another_path),
        TEST(a_domain_named_twice_belongs_to_neither),
        TEST(a_domain_named_twice_in_its_section_is_served),
        TEST(a_domain_that_an_mx_is_too_long_with_is_taken_out_alone),
        TEST(a_domain_that_repeats_an_mx_is_taken_out_alone),
        TEST(an_include_cut_inside_a_value_keeps_the_domains_behind_the_cut),
        TEST(a_missing_include_keeps_the_domains_that_it_had),
        TEST(what_an_include_meant_to_hold_keeps_its_last_good_policy),
        TEST(a_file_that_a_pattern_finds_may_be_wrong),
        TEST(a_removed_file_ends_while_another_is_wrong),
        TEST(server_and_defaults_stay_strict),
        TEST(a_strict_error_does_not_hide_the_isolated_ones),
        TEST(isolation_is_known_wherever_the_server_section_stands),
        TEST(nothing_but_last_good_policies_is_enough),
        TEST(findings_beyond_a_hundred_are_counted),
        TEST(entries_are_counted_not_findings),
        TEST(everything_of_a_kept_policy_is_kept),
        TEST(equal_inputs_have_one_digest),
        TEST(a_relative_path_means_the_directory_of_the_snapshot),
        TEST(a_snapshot_that_is_not_whole_is_refused),
        TEST(a_start_finds_last_good_policies_by_the_state_dir),
        TEST(state_dir_is_known_of_a_refused_configuration),
        TEST(a_snapshot_that_cannot_be_written_is_a_warning),
        TEST(a_reload_may_drop_as_many_domains_as_the_running_limit_says),
        TEST(domains_that_any_still_serves_are_not_removed),
        TEST(an_isolated_domain_is_removed_unless_its_policy_is_kept),
        TEST(a_load_without_memory_ends_in_an_error),
    };
    int failed;

    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return chdir("/") != 0 || rmdir(folder) != 0 ? 1 : failed;
}
