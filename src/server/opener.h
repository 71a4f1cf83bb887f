/*
 * opener: the keeper's hand on the file system.
 *
 * Everything a worker gets to read passes through here: the certificate and key
 * of a policy host that the configuration has (by certopen), and the file of an ACME token. No
 * path ever comes from outside: names are checked, then put into the
 * configuration's patterns. Nothing here blocks on a FIFO or a device.
 */
#ifndef SERVER_OPENER_H
#define SERVER_OPENER_H

#include "common/config.h"
#include "server/message.h"

enum {
    OPENER_TOKEN_MAX = 128,      /* bytes of an ACME token (RFC 8555 section 8.3: base64url) */
    OPENER_TOKEN_FILE_MAX = 4096 /* bytes */
};

/*
 * Opens the file of an ACME token. The token is 1 to OPENER_TOKEN_MAX bytes of
 * the base64url alphabet, the file a regular one with one link, readable by the
 * world, at most OPENER_TOKEN_FILE_MAX bytes, and the token no link itself. The folder
 * is opened anew each time: ACME clients remove and make it as they like.
 * Returns the descriptor, or -1 with errno.
 */
int opener_token(const char *acme_dir, const char *token, size_t len);

/*
 * Answers a worker's CERTIFICATE or TOKEN request in *answer, with *fd_count
 * descriptors in fds, which the caller closes. Refuses what the configuration does not have.
 */
void opener_answer(const struct config *config, const struct message *request,
                   struct message *answer, int fds[MESSAGE_FDS_MAX], size_t *fd_count);

/* True when the len bytes at token can be an ACME token. */
bool opener_token_valid(const char *token, size_t len);

#endif
