/*
 * message: what worker and keeper say to each other.
 *
 * One SOCK_SEQPACKET pair a worker; one message a packet; descriptors travel
 * beside it. A worker is the process that strangers talk to, so the keeper
 * believes nothing of it: message_request_read takes only what is well formed,
 * and the keeper looks every name up in its own configuration.
 *
 *   worker -> keeper   UP                      started, dropped, ready to accept
 *                      CERTIFICATE, name       the pair of this policy host, please
 *                      TOKEN, name             the file of this ACME token, please
 *                      SCANNED                 enough hosts have a good certificate for /readyz
 *   keeper -> worker   GO                      accept from now on
 *                      SCANNED                 a worker has found that
 *                      RECHECK                 look at every certificate before its next use
 *                      ANSWER, error, 0-2 fds  to the request of the same number
 */
#ifndef SERVER_MESSAGE_H
#define SERVER_MESSAGE_H

#include "server/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_NAME_MAX = 255, MESSAGE_FDS_MAX = PACKET_FDS_MAX };

enum message_kind {
    MESSAGE_UP = 1,
    MESSAGE_CERTIFICATE,
    MESSAGE_TOKEN,
    MESSAGE_GO,
    MESSAGE_RECHECK,
    MESSAGE_ANSWER,
    MESSAGE_SCANNED
};

/* As it travels, both ways: both ends are one binary, so native byte order. A packet
   is exactly sizeof(struct message) bytes; unused bytes are 0. */
struct message {
    uint32_t number;                     /* of the request, echoed in its answer */
    uint8_t  kind;                       /* enum message_kind */
    uint8_t  name_len;                   /* CERTIFICATE: policy host; TOKEN: token */
    uint16_t error;                      /* ANSWER: 0, or an errno value */
    uint8_t  step;                       /* ANSWER with an error: enum message_step */
    char     name[MESSAGE_NAME_MAX + 1]; /* canonical, NUL-terminated */
};

/* ANSWER: which step failed, so that the worker's log line can say it. */
enum message_step {
    MESSAGE_STEP_NONE,
    MESSAGE_STEP_NAME,        /* no such name in the keeper's configuration */
    MESSAGE_STEP_CERTIFICATE, /* the certificate's file */
    MESSAGE_STEP_KEY,         /* the key's file */
    MESSAGE_STEP_TOKEN        /* the token's file */
};

void message_init(struct message *message, enum message_kind kind, uint32_t number);

/* Sets name; false when it is longer than MESSAGE_NAME_MAX. */
bool message_set_name(struct message *message, const char *name, size_t len);

/*
 * Reads a packet that a worker sent. False unless it is exactly one of the four
 * that a worker may send: right size and kind, name_len in range and present where
 * needed, no NUL inside the name, NUL behind it. Pure.
 */
bool message_request_read(const void *packet, size_t len, struct message *message);

/* The same for what a keeper may send. */
bool message_reply_read(const void *packet, size_t len, struct message *message);

/*
 * Never blocks. fds are sent as copies; the caller still owns his. 0, or -1
 * with errno (EAGAIN: the peer does not read; EPIPE, ECONNRESET: it is gone).
 */
int message_send(int socket, const struct message *message, const int *fds, size_t fd_count);

/*
 * Receives a packet into packet (at least sizeof(struct message) + 1 bytes, so that a
 * longer one is seen as such) with descriptors that are close-on-exec and now the caller's.
 * More descriptors than MESSAGE_FDS_MAX are closed; with fds NULL, as the keeper has it
 * because a worker has none to give, all of them are. Returns the length, 0 at the
 * peer's end, -1 with errno (EAGAIN: nothing there); then no descriptor is left.
 */
long message_receive(int socket, void *packet, size_t size, int fds[MESSAGE_FDS_MAX],
                     size_t *fd_count);

#endif
