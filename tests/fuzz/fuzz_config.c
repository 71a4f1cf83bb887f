/*
 * ini_reader and config on any bytes: a configuration comes out just when no
 * error was told, twice the same, and then every domain in it is found, with a
 * body, an id and paths that are what they must be. What was recorded and is replayed serves the same;
 * and so it does for a second load, in which the other files are broken and the first one's policies
 * may be kept (isolate = on).
 *
 * An input is main.ini, other.ini and names.txt, with 0x1e between them.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/config.h"
#include "common/hostname.h"

enum { FILES = 3, SEPARATOR = 0x1e };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[FILES] = { "main.ini", "other.ini", "names.txt" };
static const uint8_t     key[HASH_KEY_SIZE] = "a key to fuzz by";
static char              folder[] = "/tmp/mta-sts-fuzz_config-XXXXXX";
static char              paths[FILES][sizeof folder + 16];

/* What one load said. */
struct findings {
    size_t   errors;
    uint64_t hash;
};

struct walk {
    const struct config *config;
    size_t               count;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void remove_folder(void)
{
    for (size_t i = 0; i < FILES; i++)
        (void)unlink(paths[i]);
    (void)rmdir(folder);
}

/* Not entered: the fuzzer's own paths may be relative. */
static void make_folder(void)
{
    if (paths[0][0] != '\0')
        return;
    require(mkdtemp(folder) != NULL);
    for (size_t i = 0; i < FILES; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]);
    atexit(remove_folder);
}

/* No input may lead out of the folder: the whole machine is no test input. */
static void keep_inside(char *text, size_t len)
{
    bool leads = false, start = true;

    for (size_t i = 0; i < len; i++) {
        if (start)
            leads = (len - i >= 7 && memcmp(text + i, "include", 7) == 0) ||
                    (len - i >= 10 && memcmp(text + i, "alias_file", 10) == 0);
        start = text[i] == '\n' || (start && strchr(" \t\xef\xbb\xbf", text[i]) != NULL);
        if (leads && text[i] == '/')
            text[i] = '_';
    }
}

static void write_files(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < FILES; i++) {
        const uint8_t *end = size > 0 ? memchr(data, SEPARATOR, size) : NULL;
        size_t         len = end != NULL ? (size_t)(end - data) : size;
        char          *text = malloc(len + 1);
        FILE          *file = fopen(paths[i], "w");

        require(text != NULL && file != NULL);
        if (len > 0)
            memcpy(text, data, len);
        keep_inside(text, len);
        require(fwrite(text, 1, len, file) == len && fclose(file) == 0);
        free(text);
        data = end != NULL ? end + 1 : data;
        size = end != NULL ? size - len - 1 : 0;
    }
}

static void report(void *context, enum config_severity severity, const char *file, unsigned line,
                   const char *text)
{
    struct findings *findings = context;
    bool             known = false;

    for (size_t i = 0; i < FILES; i++)
        known = known || strcmp(file, paths[i]) == 0;
    require(known && text[0] != '\0');
    for (const char *p = text; *p != '\0'; p++)
        require((unsigned char)*p >= 0x20 && *p != 0x7f);
    findings->errors += severity == CONFIG_ERROR;
    findings->hash = (findings->hash ^ line ^ hash_64(key, text, strlen(text))) * 3;
}

static void check_body(const struct policy *policy, const char *domain)
{
    size_t len = policy_body_length(policy, strlen(domain));
    char  *body = malloc(len);

    require(body != NULL && len <= POLICY_BODY_MAX);
    require(policy_body_write(policy, domain, strlen(domain), body) == len);
    require(memcmp(body, "version: STSv1\r\nmode: ", 22) == 0);
    require(memcmp(body + len - 2, "\r\n", 2) == 0 && memchr(body, '%', len) == NULL);
    free(body);
}

static bool check_domain(void *context, const char *domain, const struct policy *policy)
{
    struct walk        *walk = context;
    struct config_match match;
    char                host[HOSTNAME_MAX + 1], canonical[HOSTNAME_DOMAIN_MAX + 1];
    char                path[CONFIG_PATH_MAX + 1], id[POLICY_ID_LEN + 1];
    size_t              len = strlen(domain);

    walk->count++;
    require(hostname_canonical(domain, len, HOSTNAME_DOMAIN_MAX, canonical) == HOSTNAME_OK);
    require(strcmp(domain, canonical) == 0);
    snprintf(host, sizeof host, HOSTNAME_POLICY_PREFIX "%s", domain);
    require(config_find_host(walk->config, host, strlen(host), &match));
    require(match.policy == policy && match.domain == domain && match.domain_len == len);
    require(policy->mx_count > 0 && policy->max_age > 0);
    check_body(policy, domain);
    policy_id(policy, domain, len, id);
    require(strlen(id) > 0);
    require(policy_path(policy->certificate, domain, len, path, sizeof path) > 0 && path[0] == '/');
    if (policy->key != NULL)
        require(policy_path(policy->key, domain, len, path, sizeof path) > 0 && path[0] == '/');
    return true;
}

static void check_config(const struct config *config)
{
    struct walk         walk = { config, 0 };
    struct config_match match;

    config_each_domain(config, check_domain, &walk);
    require(walk.count == config_domain_count(config));
    require(config_policy_count(config) > 0);
    require(config_server(config)->listener_count > 0 && config_server(config)->trusted_count > 0);
    if (config_find_host(config, "mta-sts.no.such.name", 20, &match))
        require(!match.any || match.policy == config_any(config));
}

static bool served_equally(void *context, const char *domain, const struct policy *policy)
{
    struct config_match match;
    char                host[HOSTNAME_MAX + 1];

    snprintf(host, sizeof host, HOSTNAME_POLICY_PREFIX "%s", domain);
    require(config_find_host(context, host, strlen(host), &match) && !match.any);
    require(match.policy->body_len == policy->body_len && match.policy->mode == policy->mode);
    require(memcmp(match.policy->body, policy->body, policy->body_len) == 0);
    require(strcmp(match.policy->certificate, policy->certificate) == 0);
    return true;
}

/* Loads the files as they are, with policies of last_good, and replays it: then the snapshot is the
   caller's. -1: they are in error. */
static int load_and_replay(int last_good)
{
    struct findings      findings = { 0, 0 };
    struct config_source source = { CONFIG_FROM_DISK, .key = key, .report = report,
                                    .context = &findings, .places = true };
    int                  snapshot = memfd_create("fuzz", MFD_CLOEXEC);
    struct config       *config, *replayed;

    require(snapshot >= 0);
    source.last_good = last_good;
    source.record = snapshot;
    config = config_load_from(paths[0], &source);
    require((config != NULL) == (findings.errors == 0));
    if (config == NULL) {
        close(snapshot);
        return -1;
    }
    check_config(config);
    source.last_good = source.record = -1;
    source.replay = snapshot;
    replayed = config_load_from(paths[0], &source);
    require(replayed != NULL);
    require(memcmp(config_digest(config), config_digest(replayed), HASH_128_SIZE) == 0);
    require(config_domain_count(config) == config_domain_count(replayed));
    require(config_isolated_count(config) == config_isolated_count(replayed));
    require((config_any(config) == NULL) == (config_any(replayed) == NULL));
    config_each_domain(config, served_equally, replayed);
    config_free(config);
    config_free(replayed);
    return snapshot;
}

/* Half of other.ini, and no names.txt. */
static void break_files(void)
{
    FILE *file = fopen(paths[1], "r");
    long  size;

    require(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size = ftell(file);
    fclose(file);
    require(truncate(paths[1], size / 2) == 0 && unlink(paths[2]) == 0);
}

static void check_snapshots(void)
{
    int first = load_and_replay(-1);
    int second;

    if (first < 0)
        return;
    break_files();
    second = load_and_replay(first);
    if (second >= 0) {
        close(load_and_replay(second)); /* a kept policy is kept once more */
        close(second);
    }
    close(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct findings first = { 0, 0 }, second = { 0, 0 };
    struct config  *config, *again;

    make_folder();
    write_files(data, size);
    config = config_load(paths[0], key, report, &first);
    again = config_load(paths[0], key, report, &second);
    require((config != NULL) == (first.errors == 0) && (config != NULL) == (again != NULL));
    require(first.errors == second.errors && first.hash == second.hash);
    if (config != NULL) {
        require(memcmp(config_digest(config), config_digest(again), HASH_128_SIZE) == 0);
        check_config(config);
    }
    config_free(config);
    config_free(again);
    check_snapshots();
    return 0;
}
