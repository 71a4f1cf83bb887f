/*
 * certfile: from two descriptors to a certificate chain and its key, for certpair.
 *
 * Every certificate in the file is parsed, or the file is refused with a text that
 * says what is wrong with it. Only the two mbedTLS objects outlive a call.
 */
#ifndef COMMON_CERTFILE_H
#define COMMON_CERTFILE_H

#include <stdbool.h>

struct mbedtls_x509_crt;
struct mbedtls_pk_context;

/*
 * chain and key are initialized, and the caller's to free, after a refusal too. key_fd
 * -1: the key is in the certificate's file. *readable: others than owner and group can
 * read the key. -1 with a text in error (CERTPAIR_ERROR_MAX bytes) unless there are at
 * least one certificate and the one key that is the first certificate's.
 */
int certfile_read(int certificate_fd, int key_fd, struct mbedtls_x509_crt *chain,
                  struct mbedtls_pk_context *key, bool *readable, char *error);

/* Writes the text to error (CERTPAIR_ERROR_MAX bytes); returns -1. */
int certfile_refuse(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
