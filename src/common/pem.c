#include "common/pem.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGIN  "-----BEGIN "
#define END    "-----END "
#define DASHES "-----"
enum { DASHES_LEN = sizeof(DASHES) - 1 };

/* A line without its line feed and without blanks at its end. */
struct line {
    char  *text;
    size_t len;
    bool   last; /* nothing follows, not even a line feed */
};

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* 0, or an errno value. Short of the size that was seen: the file shrank meanwhile. */
static int read_all(struct pem *pem, int fd, size_t size)
{
    pem->text = calloc(size + 1, 1);
    if (!pem->text)
        return ENOMEM;
    while (pem->len < size) {
        ssize_t got = pread(fd, pem->text + pem->len, size - pem->len, (off_t)pem->len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            break;
        pem->len += (size_t)got;
    }
    pem->text[pem->len] = '\0';
    return 0;
}

/* What no PEM file is, told by name where it can be. NULL: it may be one. */
static const char *not_text(const struct pem *pem)
{
    const uint8_t der_sequence = 0x30;

    if (pem->len == 0)
        return "is empty";
    if ((uint8_t)pem->text[0] == der_sequence && !memmem(pem->text, pem->len, BEGIN, strlen(BEGIN)))
        return "is DER or PKCS #12: PEM is expected";
    if (memchr(pem->text, '\0', pem->len))
        return "holds NUL bytes: PEM is expected, or it is being written";
    return NULL;
}

int pem_open(struct pem *pem, int fd, size_t max, char *error)
{
    struct stat before, after;
    const char *what;
    int         failed;

    memset(pem, 0, sizeof(*pem));
    failed = fstat(fd, &before) != 0 ? errno : 0;
    if (failed == 0 && (uintmax_t)before.st_size > max) {
        snprintf(error, PEM_ERROR_MAX, "has more than %zu bytes", max);
        return -1;
    }
    if (failed == 0)
        failed = read_all(pem, fd, (size_t)before.st_size);
    if (failed == 0 && fstat(fd, &after) != 0)
        failed = errno;
    if (failed != 0) {
        snprintf(error, PEM_ERROR_MAX, "can't be read: %s", strerror(failed));
        return -1;
    }
    if (pem->len != (size_t)before.st_size || !same_file(&before, &after)) {
        snprintf(error, PEM_ERROR_MAX, "changed while it was read");
        return -1;
    }
    pem->readable_by_others = (before.st_mode & S_IROTH) != 0;
    what = not_text(pem);
    if (what)
        snprintf(error, PEM_ERROR_MAX, "%s", what);
    return what ? -1 : 0;
}

void pem_close(struct pem *pem)
{
    if (pem->text)
        explicit_bzero(pem->text, pem->len); /* it may have held a key */
    free(pem->text);
    memset(pem, 0, sizeof(*pem));
}

static bool next_line(struct pem *pem, struct line *line)
{
    char *start = pem->text + pem->at;
    char *feed = memchr(start, '\n', pem->len - pem->at);

    if (pem->at == pem->len)
        return false;
    line->text = start;
    line->len = feed ? (size_t)(feed - start) : pem->len - pem->at;
    line->last = !feed;
    pem->at += line->len + (feed ? 1 : 0);
    pem->line++;
    while (line->len > 0 && strchr("\r \t", line->text[line->len - 1]))
        line->len--;
    return true;
}

static bool starts_with(const struct line *line, const char *prefix)
{
    return line->len >= strlen(prefix) && memcmp(line->text, prefix, strlen(prefix)) == 0;
}

/* The label of a whole BEGIN or END line; NULL when it is none. */
static const char *label_of(const struct line *line, const char *prefix, size_t *len)
{
    size_t start = strlen(prefix);

    if (!starts_with(line, prefix) || line->len <= start + DASHES_LEN ||
        memcmp(line->text + line->len - DASHES_LEN, DASHES, DASHES_LEN) != 0)
        return NULL;
    *len = line->len - start - DASHES_LEN;
    return line->text + start;
}

/* Between blocks: would this line be a BEGIN or END line, were it whole and in its place? */
static bool half_marker(const struct line *line)
{
    return (line->last && starts_with(line, "-")) || starts_with(line, DASHES) ||
           memmem(line->text, line->len, BEGIN, strlen(BEGIN)) ||
           memmem(line->text, line->len, END, strlen(END));
}

static enum pem_kind kind_of(const char *label, size_t len)
{
    static const struct {
        const char   *label;
        enum pem_kind kind;
    } known[] = {
        { "CERTIFICATE", PEM_CERTIFICATE },
        { "PRIVATE KEY", PEM_KEY },
        { "EC PRIVATE KEY", PEM_KEY },
        { "RSA PRIVATE KEY", PEM_KEY },
        { "DSA PRIVATE KEY", PEM_KEY }, /* the parser refuses it by name */
        { "ENCRYPTED PRIVATE KEY", PEM_ENCRYPTED_KEY },
        { "OPENSSH PRIVATE KEY", PEM_FOREIGN },
        { "X509 CERTIFICATE", PEM_FOREIGN },
        { "TRUSTED CERTIFICATE", PEM_FOREIGN },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strlen(known[i].label) == len && memcmp(known[i].label, label, len) == 0)
            return known[i].kind;
    return PEM_OTHER;
}

/* The lines behind a BEGIN with this label, up to its END. */
static enum pem_result read_block(struct pem *pem, const char *label, size_t len,
                                  struct pem_block *block, char *error)
{
    struct line line;

    while (next_line(pem, &line)) {
        size_t      end_len = 0;
        const char *end = label_of(&line, END, &end_len);

        if (end && end_len == len && memcmp(end, label, len) == 0) {
            block->len = (size_t)(line.text + line.len - block->text);
            block->text[block->len] = '\0'; /* a line feed, a blank, or the NUL behind the file */
            return PEM_BLOCK;
        }
        if (starts_with(&line, "-") && !line.last) {
            snprintf(error, PEM_ERROR_MAX, "is broken: line %u is not the END of line %u",
                     pem->line, block->line);
            return PEM_BAD;
        }
        /* RFC 1421: how OpenSSL's old formats say it */
        if (block->kind == PEM_KEY && starts_with(&line, "Proc-Type:") &&
            memmem(line.text, line.len, "ENCRYPTED", 9))
            block->kind = PEM_ENCRYPTED_KEY;
    }
    snprintf(error, PEM_ERROR_MAX, "is cut short: the block of line %u has no END", block->line);
    return PEM_BAD;
}

enum pem_result pem_next(struct pem *pem, struct pem_block *block, char *error)
{
    struct line line;

    while (next_line(pem, &line)) {
        size_t      len = 0;
        const char *label = label_of(&line, BEGIN, &len);

        if (label) {
            *block = (struct pem_block){ .kind = kind_of(label, len),
                                         .text = line.text,
                                         .line = pem->line };
            return read_block(pem, label, len, block, error);
        }
        if (half_marker(&line)) {
            snprintf(error, PEM_ERROR_MAX, "is broken: line %u is no whole BEGIN or END line",
                     pem->line);
            return PEM_BAD;
        }
    }
    return PEM_END;
}
