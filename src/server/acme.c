#include "server/acme.h"

#include "common/log.h"
#include "server/broker.h"
#include "server/opener.h"
#include "server/process.h"
#include "server/shortage.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREFIX_LEN = sizeof(ACME_PREFIX) - 1, COMPLAIN_MS = 60 * 1000 };

struct acme_lookup {
    const struct config_server *server;
    struct broker              *broker;
    acme_callback              *callback;
    void                       *context;
    size_t                      token_len;
    char                        token[OPENER_TOKEN_MAX + 1];
};

/* Without a file: "keyAuthorization = token || '.' || base64url(Thumbprint(accountKey))",
   RFC 8555 8.1. */
static void answer_stateless(const struct acme_lookup *lookup)
{
    char   text[ACME_ANSWER_MAX];
    size_t thumbprint_len = lookup->server->acme_thumbprint
                                ? strlen(lookup->server->acme_thumbprint)
                                : 0;
    size_t len = lookup->token_len + 1 + thumbprint_len;

    if (thumbprint_len == 0 || len > sizeof(text)) {
        lookup->callback(lookup->context, "", 0);
        return;
    }
    memcpy(text, lookup->token, lookup->token_len);
    text[lookup->token_len] = '.';
    memcpy(text + lookup->token_len + 1, lookup->server->acme_thumbprint, thumbprint_len);
    lookup->callback(lookup->context, text, len);
}

/* The bytes as they are: clients of the protocol ignore white space at the end (RFC 8555 8.3). */
static size_t read_file(int fd, char *text, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t got = pread(fd, text + len, size - len, (off_t)len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    return len;
}

/* A file that is there and not taken is the operator's puzzle; that none is there is every
   stranger's choice. */
static void complain(const struct acme_lookup *lookup, const struct broker_answer *answer)
{
    static int64_t last_ms = -COMPLAIN_MS;
    const char    *why;

    if (answer->step != MESSAGE_STEP_TOKEN || answer->error == ENOENT || answer->error == ENOTDIR ||
        process_now_ms() - last_ms < COMPLAIN_MS)
        return;
    last_ms = process_now_ms();
    why = answer->error == EMLINK   ? "it has more than one link"
          : answer->error == ELOOP  ? "it, or a directory below acme_webroot, is a symbolic link"
          : answer->error == EACCES ? "it, or its folder, is not readable by everyone"
          : answer->error == EFBIG  ? "it is too large"
          : answer->error == EINVAL ? "it is no regular file"
                                    : strerror(answer->error);
    log_warnx("the file of ACME token %s is not taken: %s", lookup->token, why);
}

static void on_answer(void *context, const struct broker_answer *answer)
{
    struct acme_lookup *lookup = context;
    char                text[ACME_ANSWER_MAX];
    size_t              len = 0;

    if (answer->error != 0)
        complain(lookup, answer);
    else if (answer->fds[0] >= 0)
        len = read_file(answer->fds[0], text, sizeof(text));
    for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
        if (answer->fds[i] >= 0)
            close(answer->fds[i]);
    if (len > 0)
        lookup->callback(lookup->context, text, len);
    else
        answer_stateless(lookup);
    free(lookup);
}

bool acme_find(const struct config_server *server, struct broker *broker, const char *path,
               size_t len, acme_callback *callback, void *context, struct acme_lookup **lookup)
{
    struct acme_lookup *new_lookup;

    *lookup = NULL;
    if (len < PREFIX_LEN || memcmp(path, ACME_PREFIX, PREFIX_LEN) != 0 ||
        !opener_token_valid(path + PREFIX_LEN, len - PREFIX_LEN) ||
        (!server->acme_dir && !server->acme_thumbprint))
        return false;
    new_lookup = calloc(1, sizeof(*new_lookup));
    if (!new_lookup) {
        shortage_tell("an ACME token is not looked for");
        callback(context, NULL, 0);
        return true;
    }
    *new_lookup = (struct acme_lookup){ .server = server,
                                        .broker = broker,
                                        .callback = callback,
                                        .context = context,
                                        .token_len = len - PREFIX_LEN };
    memcpy(new_lookup->token, path + PREFIX_LEN, new_lookup->token_len);
    if (server->acme_dir && broker_ask(broker, MESSAGE_TOKEN, new_lookup->token,
                                       new_lookup->token_len, on_answer, new_lookup) == 0) {
        *lookup = new_lookup;
        return true;
    }
    answer_stateless(new_lookup);
    free(new_lookup);
    return true;
}

void acme_cancel(struct acme_lookup *lookup)
{
    if (!lookup)
        return;
    broker_cancel(lookup->broker, lookup);
    free(lookup);
}
