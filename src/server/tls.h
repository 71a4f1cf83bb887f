/*
 * tls: TLS 1.2 and 1.3 over one socket, on mbedTLS.
 *
 * A session is made only when the whole hello has been read and the right certificate is at
 * hand, since it costs about 41 KB. It speaks through buffers of its own: one read and
 * one write a flight. The certificate goes out only when mbedTLS read the same name
 * in the hello as our own reader did; otherwise the handshake is aborted (RFC 8461 section 7.1).
 * No session tickets: senders come about once a day.
 */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "server/transport.h"
#include "wire/clienthello.h"

#include <stdbool.h>
#include <stdint.h>

enum { TLS_ALERT_LEN = 7, TLS_ERROR_MAX = 128 /* bytes of an error's text with its NUL */ };

/* Alerts that the server sends by its own hand, before any TLS state exists. */
enum { ALERT_INTERNAL_ERROR = 80, ALERT_UNRECOGNIZED_NAME = 112 };

struct certpair;
struct tls; /* what the sessions of a worker share */
struct tls_session;

/* NULL with a text in error (TLS_ERROR_MAX bytes). certpair_init must have succeeded in this
   process. */
struct tls *tls_new(char *error);
void        tls_free(struct tls *tls); /* accepts NULL; no session may be left */

/*
 * A session over fd, which stays the caller's. early holds what was read from the
 * socket so far, from the hello's first byte on: early_len bytes in a malloc'ed buffer of early_size,
 * which the session takes, also when it fails. pair: a reference, taken too. NULL: no memory.
 */
struct tls_session *tls_session_new(struct tls *tls, int fd, const struct clienthello *hello,
                                    struct certpair *pair, uint8_t *early, size_t early_len,
                                    size_t early_size);

/* IO_DONE when the handshake is over. After IO_FAILED the alert has been sent as far as the socket took it.
   *answered: the peer has sent a whole flight, and this call has answered it. */
enum io tls_handshake(struct tls_session *session, bool *answered);

/* "1.2" or "1.3"; "-" before it is known. */
const char *tls_session_version(const struct tls_session *session);

/* It has failed for want of memory, which is nobody's fault. */
bool tls_session_starved(const struct tls_session *session);

extern const struct transport transport_tls; /* the state is a struct tls_session */

/* A fatal alert in a record of its own, as it is sent in the place of a ServerHello. */
void tls_alert(uint8_t description, uint8_t out[TLS_ALERT_LEN]);

#endif
