#include "server/certs_log.h"

#include "common/hostname.h"
#include "common/log.h"
#include "common/policy.h"
#include "server/certs_cache.h"
#include "server/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void tell_left_out(struct certs_log_limit *limit)
{
    if (limit->left_out > 0)
        log_warnx("%lu more lines about certificates were left out", limit->left_out);
    limit->left_out = 0;
}

void certs_log_rest(struct certs_log *log)
{
    tell_left_out(&log->failures);
    tell_left_out(&log->findings);
}

static bool may_log(struct certs_log_limit *limit)
{
    int64_t now_ms = process_now_ms();

    if (limit->lines == 0 || now_ms - limit->since_ms >= CERTS_LOG_MINUTE_MS) {
        tell_left_out(limit);
        limit->since_ms = now_ms;
        limit->lines = 0;
    }
    if (limit->lines >= CERTS_LOG_PER_MINUTE) {
        limit->left_out++;
        return false;
    }
    limit->lines++;
    return true;
}

/* The path of a file of this host, as the keeper makes it; "" where there is none. */
static void file_of(const struct certs_entry *entry, const char *pattern,
                    char path[CONFIG_PATH_MAX + 1])
{
    const char *domain = entry->host + HOSTNAME_POLICY_PREFIX_LEN;

    if (pattern == NULL ||
        policy_path(pattern, domain, strlen(domain), path, CONFIG_PATH_MAX + 1) < 0)
        path[0] = '\0';
}

static void explain_file(const struct certs_entry *entry, bool key, int error, char *text)
{
    char path[CONFIG_PATH_MAX + 1];

    file_of(entry, key ? entry->policy->key : entry->policy->certificate, path);
    snprintf(text, CERTS_LOG_REASON_MAX, "%s file: %s%s%s", key ? "key" : "certificate", path,
             path[0] == '\0' ? "" : ": ", error == EINVAL ? "is no regular file" : strerror(error));
}

bool certs_log_reason(const struct certs_entry *entry, enum message_step step, int error,
                      char *text)
{
    if (step == MESSAGE_STEP_NONE && error == EPIPE)
        return false;
    if (step == MESSAGE_STEP_CERTIFICATE || step == MESSAGE_STEP_KEY)
        explain_file(entry, step == MESSAGE_STEP_KEY, error, text);
    else if (step == MESSAGE_STEP_NAME)
        snprintf(text, CERTS_LOG_REASON_MAX, "the keeper knows no such host");
    else if (error == ETIMEDOUT)
        snprintf(text, CERTS_LOG_REASON_MAX, "the keeper did not answer in time");
    else if (error == EAGAIN)
        snprintf(text, CERTS_LOG_REASON_MAX, "too many hosts are being asked for");
    else
        snprintf(text, CERTS_LOG_REASON_MAX, "%s", strerror(error));
    return true;
}

/* The same reason is logged once a minute, another one at once. */
static bool is_news(struct certs_logged *last, const char *why)
{
    static const uint8_t key[HASH_KEY_SIZE]; /* a collision costs one line */
    int64_t              now_ms = process_now_ms();
    uint64_t             hash = hash_64(key, why, strlen(why));

    if (last->at_ms != 0 && last->hash == hash && now_ms - last->at_ms < CERTS_LOG_MINUTE_MS)
        return false;
    *last = (struct certs_logged){ .at_ms = now_ms, .hash = hash };
    return true;
}

void certs_log_failure(struct certs_log *log, struct certs_entry *entry, const char *why)
{
    if (is_news(&entry->failure, why) && may_log(&log->failures))
        log_warnx("%s: %s; %s", entry->host, why,
                  entry->pair != NULL ? "the last good certificate goes on serving"
                                      : "refused until there is a good one");
}

void certs_log_findings(struct certs_log *log, const struct certs_entry *entry, unsigned mask,
                        time_t now)
{
    unsigned found = certpair_findings(entry->pair, now) & mask;
    char     text[CERTPAIR_ERROR_MAX], path[CONFIG_PATH_MAX + 1];

    file_of(entry, entry->policy->certificate, path);
    for (unsigned bit = 1; bit <= found; bit <<= 1) {
        if (!(found & bit) || !may_log(&log->findings))
            continue;
        certpair_explain(entry->pair, (enum certpair_finding)bit, now, path, text, sizeof(text));
        log_warnx("%s: %s", entry->host, text);
    }
}

void certs_log_renewed(struct certs_log *log, const char *host, const struct certpair *pair)
{
    time_t    not_after = certpair_not_after(pair);
    char      date[32] = "";
    struct tm parts;

    if (!may_log(&log->findings))
        return;
    if (gmtime_r(&not_after, &parts))
        strftime(date, sizeof(date), "%Y-%m-%d", &parts);
    log_info("%s: a renewed certificate is in use, good until %s", host, date);
}
