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
#include "common/config.h"
#include "server/certs.h"
#include "server/message.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum {
    CERTS_LOG_MINUTE_MS = 60 * 1000,
    CERTS_LOG_REASON_MAX = CONFIG_PATH_MAX + CERTPAIR_ERROR_MAX /* bytes of a text with its NUL */
};

struct certs_entry;

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

/* Why the keeper's answer, or its absence, is no certificate: a text of CERTS_LOG_REASON_MAX bytes, with
   the path of a file that cannot be opened. False: the worker has logged it once for all hosts (the keeper
   is gone). */
bool certs_log_reason(const struct certs_entry *entry, enum message_step step, int error,
                      char *text);

/* A reason that was logged for this host less than a minute ago is left out, unless another one came since. */
void certs_log_failure(struct certs_log *log, struct certs_entry *entry, const char *why);

/* Those findings of the entry's pair that are in mask. */
void certs_log_findings(struct certs_log *log, const struct certs_entry *entry, unsigned mask,
                        time_t now);

void certs_log_renewed(struct certs_log *log, const char *host, const struct certpair *pair);

/* Tells how much was left out since it was told last. */
void certs_log_rest(struct certs_log *log);

#endif
