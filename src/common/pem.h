/*
 * pem: a PEM file (RFC 7468), read whole and taken apart, or refused.
 *
 * TLS libraries look for the blocks they know and pass over the rest, so that a
 * file caught half written reads like a shorter one. Here every BEGIN has its END, every
 * line of dashes is a whole one, and the file was the same before and after reading.
 * Text between the blocks is let be. Owns a copy of the file, and wipes it.
 */
#ifndef COMMON_PEM_H
#define COMMON_PEM_H

#include <stdbool.h>
#include <stddef.h>

enum { PEM_ERROR_MAX = 160 }; /* bytes of an error's text with its NUL */

enum pem_kind {
    PEM_CERTIFICATE,
    PEM_KEY,
    PEM_ENCRYPTED_KEY,
    PEM_FOREIGN, /* a certificate or key in a dialect of one program: OpenSSH, OpenSSL's TRUSTED */
    PEM_OTHER    /* "DH PARAMETERS" and the like */
};

struct pem_block {
    enum pem_kind kind;
    char         *text; /* from BEGIN to the end of END, NUL behind it; until pem_close */
    size_t        len;  /* bytes without that NUL */
    unsigned      line; /* of BEGIN, from 1 */
};

struct pem {
    char    *text;
    size_t   len, at;
    unsigned line;
    bool     readable_by_others; /* than owner and group */
};

/* Reads all of fd, at most max bytes, without moving its offset. -1 with a text in error
   (PEM_ERROR_MAX bytes), which goes on from the file's name; pem_close is due either way. */
int pem_open(struct pem *pem, int fd, size_t max, char *error);

enum pem_result { PEM_BLOCK, PEM_END, PEM_BAD };

/* The next block. PEM_BAD: with a text in error, as above. */
enum pem_result pem_next(struct pem *pem, struct pem_block *block, char *error);

void pem_close(struct pem *pem);

#endif
