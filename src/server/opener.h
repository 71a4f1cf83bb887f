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
    OPENER_TOKEN_MAX = 128,       /* bytes of an ACME token (RFC 8555 section 8.3: base64url) */
    OPENER_TOKEN_FILE_MAX = 4096, /* bytes */
    OPENER_TEXT_MAX = CONFIG_PATH_MAX + 256 /* bytes of a text with its NUL */
};

/*
 * Opens the file of an ACME token below server->acme_dir, which is set. The token is 1 to
 * OPENER_TOKEN_MAX bytes of the base64url alphabet, the file a regular one with one link, readable
 * by the world, at most OPENER_TOKEN_FILE_MAX bytes. Symbolic links are followed up to and including
 * acme_dir and none below it, because any user who may write there could make one. The directories
 * are opened anew each time: ACME clients remove and make them.
 * Returns the descriptor, or -1 with errno; ELOOP: the token or a directory above it is a link.
 */
int opener_token(const struct config_server *server, const char *token, size_t len);

/*
 * True when tokens can be found in the directory that the configuration names, as it is now, or
 * when it names none. False with a text of OPENER_TEXT_MAX bytes: acme_dir or acme_webroot cannot
 * be opened, or a symbolic link is below acme_webroot.
 */
bool opener_judge_acme(const struct config_server *server, char *text);

/*
 * Answers a worker's CERTIFICATE or TOKEN request in *answer, with *fd_count
 * descriptors in fds, which the caller closes. Refuses what the configuration does not have.
 */
void opener_answer(const struct config *config, const struct message *request,
                   struct message *answer, int fds[MESSAGE_FDS_MAX], size_t *fd_count);

/* True when the len bytes at token can be an ACME token. */
bool opener_token_valid(const char *token, size_t len);

#endif
