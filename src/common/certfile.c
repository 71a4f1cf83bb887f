#include "common/certfile.h"

#include "common/certpair.h"
#include "common/mbedtls_compat.h"
#include "common/pem.h"

#include <mbedtls/base64.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where everything goes. */
struct result {
    mbedtls_x509_crt   *chain;
    mbedtls_pk_context *key;
    bool               *key_readable;
};

int certfile_refuse(char *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, CERTPAIR_ERROR_MAX, format, arguments);
    va_end(arguments);
    return -1;
}

/* The algorithm that made mbedTLS refuse a block, where it is one that people meet. */
static const char *unserved_algorithm(const uint8_t *der, size_t len)
{
    static const struct {
        const char *oid; /* DER */
        size_t      len;
        const char *name;
    } known[] = {
        { "\x06\x03\x2b\x65\x70", 5, "Ed25519" },
        { "\x06\x03\x2b\x65\x71", 5, "Ed448" },
        { "\x06\x07\x2a\x86\x48\xce\x38\x04\x01", 9, "DSA" },
        { "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11", 11, "ML-DSA" },
        { "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12", 11, "ML-DSA" },
        { "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13", 11, "ML-DSA" },
        { "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 11, "RSA-PSS" },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (memmem(der, len, known[i].oid, known[i].len))
            return known[i].name;
    return NULL;
}

static const char *unserved_block(const struct pem_block *block)
{
    const char *body = memchr(block->text, '\n', block->len);
    const char *end = body ? strstr(body, "-----END") : NULL;
    const char *name = NULL;
    uint8_t    *der = malloc(block->len);
    size_t      len;

    if (der && end &&
        mbedtls_base64_decode(der, block->len, &len, (const uint8_t *)body + 1,
                              (size_t)(end - body - 1)) == 0)
        name = unserved_algorithm(der, len);
    if (der)
        explicit_bzero(der, block->len); /* it may be a key */
    free(der);
    return name;
}

static int refuse_block(const struct pem_block *block, const char *file, int code, char *error)
{
    const char *algorithm = unserved_block(block);
    char        text[160];

    if (strncmp(block->text, "-----BEGIN DSA ", 15) == 0)
        algorithm = "DSA";
    if (algorithm)
        return certfile_refuse(error,
                               "%s file: %s can't be served (line %u): get an ECDSA P-256 "
                               "certificate",
                               file, algorithm, block->line);
    mbedtls_strerror(code, text, sizeof(text));
    return certfile_refuse(error, "%s file: the block of line %u can't be read: %s", file,
                           block->line, text);
}

static int take_certificate(struct result *into, const struct pem_block *block, const char *file,
                            char *error)
{
    int code = mbedtls_x509_crt_parse(into->chain, (const uint8_t *)block->text, block->len + 1);

    return code == 0 ? 0 : refuse_block(block, file, code, error);
}

static bool has_key(const struct result *into)
{
    return mbedtls_pk_get_bitlen(into->key) > 0;
}

static int take_key(struct result *into, const struct pem_block *block, const char *file,
                    char *error)
{
    int code;

    if (block->kind == PEM_ENCRYPTED_KEY)
        return certfile_refuse(error,
                               "%s file: the key is encrypted, and nobody is there to type "
                               "its password: store it without one",
                               file);
    if (has_key(into))
        return certfile_refuse(error, "%s file: holds a second key in line %u", file, block->line);
    code = mbedtls_compat_parse_key(into->key, (const uint8_t *)block->text, block->len + 1);
    return code == 0 ? 0 : refuse_block(block, file, code, error);
}

/* What a file is read for. A certificate file may hold a key that is not asked for, and a key
   file certificates. */
struct wanted {
    const char *file;
    bool        certificates, key;
};

static int take_block(struct result *into, const struct wanted *wanted,
                      const struct pem_block *block, char *error)
{
    switch (block->kind) {
    case PEM_CERTIFICATE:
        return wanted->certificates ? take_certificate(into, block, wanted->file, error) : 0;
    case PEM_KEY:
    case PEM_ENCRYPTED_KEY:
        return wanted->key ? take_key(into, block, wanted->file, error) : 0;
    case PEM_FOREIGN:
        return certfile_refuse(error,
                               "%s file: line %u begins what only one program reads: "
                               "CERTIFICATE or PRIVATE KEY is expected",
                               wanted->file, block->line);
    case PEM_OTHER:
        break;
    }
    return 0;
}

static int take_file(struct result *into, int fd, const struct wanted *wanted, char *error)
{
    char             text[PEM_ERROR_MAX];
    struct pem       pem;
    struct pem_block block;
    enum pem_result  result = PEM_BAD;
    int              status = -1;

    if (pem_open(&pem, fd, CERTPAIR_FILE_MAX, text) == 0)
        while ((result = pem_next(&pem, &block, text)) == PEM_BLOCK)
            if (take_block(into, wanted, &block, error) != 0)
                goto out;
    if (result == PEM_BAD) {
        certfile_refuse(error, "%s file: %s", wanted->file, text);
        goto out;
    }
    if (wanted->key && pem.readable_by_others)
        *into->key_readable = true;
    status = 0;
out:
    pem_close(&pem);
    return status;
}

static int take_files(struct result *into, int certificate_fd, int key_fd, char *error)
{
    const struct wanted both = { "certificate", true, true },
                        first = { "certificate", true, false }, second = { "key", false, true };

    if (take_file(into, certificate_fd, key_fd < 0 ? &both : &first, error) != 0)
        return -1;
    if (into->chain->raw.len == 0)
        return certfile_refuse(error, "certificate file: holds no certificate");
    if (key_fd >= 0 && take_file(into, key_fd, &second, error) != 0)
        return -1;
    if (!has_key(into))
        return certfile_refuse(error, "%s",
                               key_fd < 0 ? "certificate file: holds no private key, "
                                            "and the configuration names no other"
                                          : "key file: holds no private key");
    return 0;
}

int certfile_read(int certificate_fd, int key_fd, mbedtls_x509_crt *chain, mbedtls_pk_context *key,
                  bool *readable, char *error)
{
    struct result into = { chain, key, readable };

    *readable = false;
    if (take_files(&into, certificate_fd, key_fd, error) != 0)
        return -1;
    if (mbedtls_compat_check_pair(&chain->pk, key) != 0)
        return certfile_refuse(error,
                               "the key is not the certificate's: was one renewed without "
                               "the other, or does the file begin with another certificate?");
    return 0;
}
