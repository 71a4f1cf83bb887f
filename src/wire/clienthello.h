/*
 * clienthello: what a TLS client says first, read before any TLS state exists.
 *
 * The server must know the name a client asks for (RFC 6066 section 3) before
 * it spends memory or arithmetic on it, and it must refuse what two parsers
 * could read in two ways: mbedTLS alone takes the last of two server_name
 * extensions. A pure function over the bytes as they came from the socket:
 * no allocation, no state between calls; call it again with more bytes.
 */
#ifndef WIRE_CLIENTHELLO_H
#define WIRE_CLIENTHELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CLIENTHELLO_MAX = 16384,   /* bytes on the wire, record headers included */
    CLIENTHELLO_NAME_MAX = 255 /* bytes; nothing longer can be a host name */
};

/* RFC 8446 section 6: the alerts that a hello can earn here. */
enum { ALERT_UNEXPECTED_MESSAGE = 10, ALERT_ILLEGAL_PARAMETER = 47, ALERT_DECODE_ERROR = 50 };

enum clienthello_result {
    CLIENTHELLO_MORE,    /* so far a hello, but not the whole of it */
    CLIENTHELLO_OK,      /* whole; *hello is filled in */
    CLIENTHELLO_NOT_TLS, /* no TLS handshake record: close without a word */
    CLIENTHELLO_REFUSED  /* TLS, but no hello to go on with: send hello->alert */
};

struct clienthello {
    char    name[CLIENTHELLO_NAME_MAX + 1]; /* host_name as sent, then a NUL */
    size_t  name_len;                       /* bytes; the name itself may hold NULs and worse */
    bool    has_name;                       /* a host_name was sent; with name_len 0 one that is
                                               too long, or empty, and so nobody's */
    bool    offers_tls13;                   /* supported_versions lists 0x0304 */
    bool    offers_aes128;                  /* cipher_suites lists TLS_AES_128_GCM_SHA256 */
    uint8_t alert;                          /* with CLIENTHELLO_REFUSED: the alert to send */
};

/*
 * Reads the first len bytes of a connection. The handshake message may be
 * split over records at any byte (RFC 8446 section 5.1); bytes after it are not
 * looked at. Refused: a repeated extension or a second host_name, more than
 * CLIENTHELLO_MAX bytes (told as soon as the announced length says so, so that
 * CLIENTHELLO_MAX bytes never ask for more): illegal_parameter; lengths that do
 * not add up: decode_error; another record type or handshake message in its
 * place, or an empty record: unexpected_message.
 * *hello is meaningful only with CLIENTHELLO_OK, and alert with _REFUSED.
 */
enum clienthello_result clienthello_read(const uint8_t *bytes, size_t len,
                                         struct clienthello *hello);

#endif
