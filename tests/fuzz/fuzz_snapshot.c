/*
 * snapshot, and what config replays of it, on any bytes: as a file as they are, which is refused or whole;
 * and as records with the checksum that belongs to them, from which a configuration comes out just when
 * no error was reported, and then every domain in it is found, with a body and an id.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/config.h"
#include "common/hostname.h"
#include "common/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[HASH_KEY_SIZE] = "a key to fuzz by";
static const uint8_t snapshot_key[HASH_KEY_SIZE] = "mta-stsd snapsho"; /* as published */
static const char    format[] = "mta-stsd snapshot 1\n";

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void report(void *context, enum config_severity severity, const char *file, unsigned line,
                   const char *text)
{
    size_t *errors = context;

    (void)line;
    require(file != NULL && text[0] != '\0');
    *errors += severity == CONFIG_ERROR;
}

static bool check_domain(void *context, const char *domain, const struct policy *policy)
{
    const struct config *config = context;
    struct config_match  match;
    char                 host[HOSTNAME_MAX + 1], id[POLICY_ID_LEN + 1];
    size_t               len = strlen(domain);
    char                *body = malloc(policy_body_length(policy, len) + 1);

    snprintf(host, sizeof host, HOSTNAME_POLICY_PREFIX "%s", domain);
    require(body != NULL && config_find_host(config, host, strlen(host), &match));
    require(match.policy == policy && match.domain == domain);
    require(policy_body_write(policy, domain, len, body) == policy_body_length(policy, len));
    policy_id(policy, domain, len, id);
    free(body);
    return true;
}

/* The records of a file that is whole. */
static void check_records(int fd)
{
    struct snapshot        snapshot;
    struct snapshot_record record;
    const char            *why;
    size_t                 end;

    if (snapshot_open(&snapshot, fd, &why) != 0) {
        require(why != NULL);
        return;
    }
    while (snapshot_next(&snapshot, &record))
        require(record.name[record.name_len] == '\0' && record.content[record.content_len] == '\0');
    end = snapshot.at;
    require(end <= snapshot.end && !snapshot_next(&snapshot, &record));
    snapshot_close(&snapshot);
}

static void check_replay(int fd)
{
    size_t                errors = 0;
    struct config_source  source = { CONFIG_FROM_DISK, .key = key, .report = report,
                                     .context = &errors, .places = true };
    struct config_removal removal;
    struct config        *config;

    source.replay = fd;
    config = config_load_from("main.ini", &source);
    require((config != NULL) == (errors == 0));
    if (config != NULL) {
        config_each_domain(config, check_domain, config);
        if (config_removal(config, fd, &removal) == 0)
            require(removal.removed <= removal.running);
    }
    config_free(config);
}

static void write_out(int fd, const void *bytes, size_t size)
{
    require(write(fd, bytes, size) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hash hash;
    uint8_t     digest[HASH_128_SIZE];
    int         fd = memfd_create("fuzz", MFD_CLOEXEC);

    require(fd >= 0);
    write_out(fd, data, size);
    check_records(fd);
    check_replay(fd);
    require(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    hash_128_init(&hash, snapshot_key);
    hash_128_update(&hash, format, sizeof format - 1);
    hash_128_update(&hash, data, size);
    hash_128_final(&hash, digest);
    write_out(fd, format, sizeof format - 1);
    write_out(fd, data, size);
    write_out(fd, digest, sizeof digest);
    check_records(fd);
    check_replay(fd);
    close(fd);
    return 0;
}
