/*
 * certs_log: what is said about certificates, and how often.
 *
 * With [*] a stranger chooses which names fail, and a server may have a million
 * that are out of order: so there are limits for each host and for all together, failures
 * and findings apart, and what was left out is counted.
 */
#ifndef SERVER_CERTS_LOG_H
#define SERVER_CERTS_LOG_H

#include "common/certpair.h"
#include "server/certs.h"
#include "server/message.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { CERTS_LOG_MINUTE_MS = 60 * 1000 };

/* Lines of one sort, of all hosts together. */
struct certs_log_limit {
    int64_t       since_ms;
    unsigned      lines;
    unsigned long left_out;
};

/* Zeroed before first use. */
struct certs_log {
    struct certs_log_limit failures, findings;
};

/* Why the keeper's answer, or its absence, is no certificate. False: the worker has said it, once
   for all hosts (the keeper is gone). */
bool certs_log_reason(enum message_step step, int error, char *text, size_t size);

/* *told_ms is when a failure of this host was logged last. kept: the last good pair serves. */
void certs_log_failure(struct certs_log *log, const char *host, const char *why, bool kept,
                       int64_t *told_ms);

/* Those findings of the pair that are in mask. */
void certs_log_findings(struct certs_log *log, const char *host, const struct certpair *pair,
                        unsigned mask, time_t now);

void certs_log_renewed(struct certs_log *log, const char *host, const struct certpair *pair);

/* Tells how much was left out since it was told last. */
void certs_log_rest(struct certs_log *log);

#endif
