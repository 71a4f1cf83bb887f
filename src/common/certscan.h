/*
 * certscan: the certificates of all domains of a configuration, as the server would take them.
 *
 * Domains whose certificate and key are the same files (device, inode, size, times) share a pair:
 * it is read once, and only its names are compared with each policy host. The pairs are divided
 * among as many processes as there are CPUs for this one; what is found does not depend on how
 * many they are.
 */
#ifndef COMMON_CERTSCAN_H
#define COMMON_CERTSCAN_H

#include "common/certopen.h"
#include "common/config.h"

#include <time.h>

enum certscan_outcome {
    CERTSCAN_UNOPENED, /* a file cannot be opened: failed is which, error is the errno */
    CERTSCAN_REFUSED,  /* text says why; error: the errno of a read that failed, or 0 */
    CERTSCAN_SERVED    /* text: what there is to report about the pair */
};

struct certscan_result {
    enum certscan_outcome outcome;
    enum certopen_file    failed;
    int                   error;
    time_t                not_after; /* CERTSCAN_SERVED */
    const char           *path;      /* of the file that failed, or else of the certificate */
    const char           *text;      /* text_count sentences, each ended by NUL */
    unsigned              text_count;
};

typedef void certscan_visit(void *context, const char *domain, const struct policy *policy,
                            const struct certscan_result *result);

/*
 * Visits every domain, in the order of config_each_domain. now is the time that findings such as an
 * expiry are judged by. Starts processes, and waits for them; mbedTLS runs in them alone. Returns
 * NULL; or, when there are too few processes, random numbers or too little memory, the reason, and
 * no domain has been visited.
 */
const char *certscan(const struct config *config, time_t now, certscan_visit *visit, void *context);

#endif
