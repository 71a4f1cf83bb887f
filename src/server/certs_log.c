#include "server/certs_log.h"

#include "common/log.h"
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

bool certs_log_reason(enum message_step step, int error, char *text, size_t size)
{
    const char *what = step == MESSAGE_STEP_CERTIFICATE ? "certificate file: "
                       : step == MESSAGE_STEP_KEY       ? "key file: "
                                                        : "";

    if (step == MESSAGE_STEP_NONE && error == EPIPE)
        return false;
    if (step == MESSAGE_STEP_NAME)
        snprintf(text, size, "the keeper knows no such host");
    else if (step == MESSAGE_STEP_NONE && error == ETIMEDOUT)
        snprintf(text, size, "the keeper did not answer in time");
    else if (step == MESSAGE_STEP_NONE && error == EAGAIN)
        snprintf(text, size, "too many hosts are being asked for");
    else
        snprintf(text, size, "%s%s", what, strerror(error));
    return true;
}

void certs_log_failure(struct certs_log *log, const char *host, const char *why, bool kept,
                       int64_t *told_ms)
{
    int64_t now_ms = process_now_ms();

    if (now_ms - *told_ms < CERTS_LOG_MINUTE_MS)
        return;
    *told_ms = now_ms;
    if (may_log(&log->failures))
        log_warnx("%s: %s; %s", host, why,
                  kept ? "the last good certificate goes on serving"
                       : "refused until there is a good one");
}

void certs_log_findings(struct certs_log *log, const char *host, const struct certpair *pair,
                        unsigned mask, time_t now)
{
    unsigned found = certpair_findings(pair, now) & mask;
    char     text[CERTPAIR_ERROR_MAX];

    for (unsigned bit = 1; bit <= found; bit <<= 1) {
        if (!(found & bit) || !may_log(&log->findings))
            continue;
        certpair_explain(pair, (enum certpair_finding)bit, now, text, sizeof(text));
        log_warnx("%s: %s", host, text);
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
