/*
 * certopen: opens the files that a policy's certificate and key are in, for one of its domains.
 *
 * Links are followed (certbot's live/, Kubernetes' ..data); only a regular file is opened, and
 * nothing blocks on a FIFO or a device.
 */
#ifndef COMMON_CERTOPEN_H
#define COMMON_CERTOPEN_H

#include "common/policy.h"

enum certopen_file { CERTOPEN_CERTIFICATE, CERTOPEN_KEY };

/*
 * fds[0] is the certificate's file, open for reading, fds[1] the key's, or -1 when the key is in
 * the same file. 0, or -1 with errno and which file it was; EINVAL: it is no regular one. Then
 * nothing is open.
 */
int certopen(const struct policy *policy, const char *domain, size_t domain_len, int fds[2],
             enum certopen_file *failed);

/* The path of one of the two files (CONFIG_PATH_MAX + 1 bytes); of a key only where the policy names
   one. "": it does not fit, and certopen fails with ENAMETOOLONG. */
void certopen_path(const struct policy *policy, enum certopen_file file, const char *domain,
                   size_t domain_len, char *path);

#endif
