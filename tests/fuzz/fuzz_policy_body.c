/*
 * policy_body_read on any bytes: what is told lies within them, in the order of the lines that it
 * names; a body that nothing is told of says the same when it is printed anew; and a body says the
 * same with LF and with CRLF.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/policy_body.h"

/* What one reading told. */
struct heard {
    const char *bytes;
    size_t      len;
    size_t      counts[BODY_AGE_TWICE + 1];
    size_t      count;
    size_t      mx_count;
    const char *last; /* where the flaw before it begins */
    unsigned    line; /* of that; 0 before the first, and once something is missing */
    bool        is_at_missing;
    uint64_t    digest; /* of all flaws and lines but for BODY_LF */
    FILE       *printed;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_inside(struct txt_slice slice, const struct heard *heard)
{
    if (slice.len == 0 && slice.at == NULL)
        return;
    require(slice.at >= heard->bytes && slice.at + slice.len <= heard->bytes + heard->len);
}

/* From the flaw before it on, line ends are counted. */
static void require_line(struct heard *heard, const char *at, unsigned line)
{
    const char *from = heard->last != NULL ? heard->last : heard->bytes;
    unsigned    ends = 0;

    require(at >= from);
    for (const char *p = from; p < at; p++)
        ends += *p == '\n';
    require(line == (heard->last != NULL ? heard->line : 1) + ends);
    heard->last = at;
    heard->line = line;
}

static void hear(void *context, enum policy_body_flaw flaw, struct txt_slice where, unsigned line)
{
    struct heard *heard = context;

    require(flaw <= BODY_AGE_TWICE);
    require_inside(where, heard);
    require(line > 0 || (where.at == heard->bytes && where.len == heard->len));
    require(line == 0 || !heard->is_at_missing);
    if (line > 0)
        require_line(heard, where.at, line);
    heard->is_at_missing = line == 0;
    heard->counts[flaw]++;
    heard->count++;
    if (flaw != BODY_LF)
        heard->digest = (heard->digest ^ ((uint64_t)flaw << 32 | line)) * 0x100000001b3U;
}

static void hear_mx(void *context, struct txt_slice pattern, unsigned line)
{
    struct heard *heard = context;

    require_inside(pattern, heard);
    require(pattern.len > 0 && line > 0 && memchr(pattern.at, '\n', pattern.len) == NULL);
    require(pattern.at[0] != ' ' && pattern.at[pattern.len - 1] != ' ');
    heard->mx_count++;
    if (heard->printed != NULL)
        fprintf(heard->printed, "mx: %.*s\r\n", (int)pattern.len, pattern.at);
}

static struct heard read_copy(const char *bytes, size_t len, int dirt, struct policy_body *body,
                              FILE *printed)
{
    struct heard heard = { .bytes = bytes, .len = len, .printed = printed };

    memset(body, dirt, sizeof *body);
    policy_body_read(bytes, len, body, hear_mx, hear, &heard);
    require(body->mx_count == heard.mx_count);
    require(body->has_age || body->max_age == 0);
    return heard;
}

static void require_once(const struct heard *heard)
{
    static const enum policy_body_flaw once[] = {
        BODY_EMPTY,
        BODY_HTML,
        BODY_BOM,
        BODY_LF,
        BODY_CR,
        BODY_NUL,
        BODY_NO_LAST_END,
        BODY_NO_VERSION,
        BODY_NO_MODE,
        BODY_NO_MX,
        BODY_NO_AGE,
        BODY_NONE_WITHOUT_MX,
        BODY_VERSION_NOT_FIRST,
    };

    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
        require(heard->counts[once[i]] <= 1);
    require(heard->counts[BODY_EMPTY] + heard->counts[BODY_HTML] == 0 || heard->count == 1);
}

static void require_same(const struct policy_body *a, const struct policy_body *b)
{
    require(a->mode == b->mode && a->has_age == b->has_age && a->max_age == b->max_age &&
            a->mx_count == b->mx_count);
}

/* A body without a flaw: printed anew, it has none and says the same. */
static void require_prints(const char *bytes, size_t len, const struct policy_body *body)
{
    static const char *const modes[] = {
        [BODY_MODE_ENFORCE] = "enforce", [BODY_MODE_TESTING] = "testing", [BODY_MODE_NONE] = "none"
    };
    struct policy_body again;
    char              *text = NULL;
    size_t             text_len = 0;
    FILE              *stream = open_memstream(&text, &text_len);

    require(stream != NULL && body->mode != BODY_MODE_MISSING);
    require(body->has_age && body->max_age >= POLICY_BODY_AGE_SHORT &&
            body->max_age < POLICY_BODY_AGE_MAX && body->mx_count > 0);
    fprintf(stream, "version: STSv1\r\nmode: %s\r\n", modes[body->mode]);
    read_copy(bytes, len, 0x00, &again, stream);
    fprintf(stream, "max_age: %u\r\n", body->max_age);
    require(fclose(stream) == 0);
    require(read_copy(text, text_len, 0xff, &again, NULL).count == 0);
    require_same(body, &again);
    free(text);
}

/* Without a CR in it: each LF becomes CRLF. */
static void require_same_with_crlf(const char *bytes, size_t len, const struct policy_body *body,
                                   uint64_t digest)
{
    char              *text = malloc(2 * len + 1);
    size_t             text_len = 0;
    struct policy_body again;
    struct heard       heard;

    require(text != NULL);
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n')
            text[text_len++] = '\r';
        text[text_len++] = bytes[i];
    }
    heard = read_copy(text, text_len, 0xa5, &again, NULL);
    require(heard.counts[BODY_LF] == 0 && heard.digest == digest);
    require_same(body, &again);
    free(text);
}

/* The first line as a pattern, the second as a host. */
static void check_match(const char *bytes, size_t len)
{
    const char      *end = len > 0 ? memchr(bytes, '\n', len) : NULL;
    struct txt_slice pattern = { bytes, end != NULL ? (size_t)(end - bytes) : len };
    char            *host = malloc(len + 2);
    size_t           host_len = end != NULL ? len - pattern.len - 1 : 0;
    bool             is_wild = pattern.len > 1 && memcmp(pattern.at, "*.", 2) == 0;

    require(host != NULL);
    memcpy(host, bytes + len - host_len, host_len);
    host[host_len] = '\0';
    if (policy_body_mx_matches(pattern, host, false))
        require(policy_body_mx_matches(pattern, host, true));
    /* Any pattern matches what it looks like, unless that has a NUL, where a host would end. */
    memcpy(host, pattern.at, pattern.len);
    host[pattern.len] = '\0';
    if (is_wild)
        host[0] = 'x';
    if (strlen(host) == pattern.len)
        require(policy_body_mx_matches(pattern, host, false));
    free(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy_body body, again;
    struct heard       heard, heard_again;
    char              *copy = malloc(size > 0 ? size : 1);

    require(copy != NULL);
    memcpy(copy, data, size);
    heard = read_copy(copy, size, 0x00, &body, NULL);
    heard_again = read_copy(copy, size, 0xff, &again, NULL);
    require(heard.digest == heard_again.digest && heard.count == heard_again.count);
    require_same(&body, &again);
    require_once(&heard);
    if (heard.count == 0)
        require_prints(copy, size, &body);
    if (size > 0 && memchr(copy, '\r', size) == NULL)
        require_same_with_crlf(copy, size, &body, heard.digest);
    check_match(copy, size);
    free(copy);
    return 0;
}
