#include "common/policy.h"

#include "common/hash.h"
#include "common/hostname.h"

#include <string.h>

/* Public on purpose: the server, the tool and every machine of a cluster derive the same id. */
static const uint8_t id_key[HASH_KEY_SIZE] = { 'm', 't', 'a', '-', 's', 't', 's', 'd',
                                               ' ', 'p', 'o', 'l', 'i', 'c', 'y', '1' };

static const char *const mode_names[] = {
    [POLICY_ENFORCE] = "enforce",
    [POLICY_TESTING] = "testing",
    [POLICY_NONE] = "none",
};

const char *policy_mode_name(enum policy_mode mode)
{
    return mode_names[mode];
}

bool policy_mode_parse(const char *name, size_t len, enum policy_mode *mode)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof mode_names[0]; i++) {
        if (strlen(mode_names[i]) == len && memcmp(mode_names[i], name, len) == 0) {
            *mode = (enum policy_mode)i;
            return true;
        }
    }
    return false;
}

/*
 * The template as its literal pieces: gives the next one and moves *at behind it;
 * *domain_follows says whether %d came after it. False at the end.
 */
static bool next_piece(const struct policy *policy, size_t *at, const char **piece, size_t *len,
                       bool *domain_follows)
{
    const char *start = policy->body + *at;
    size_t      left = policy->body_len - *at;
    const char *percent;

    if (left == 0)
        return false;
    percent = memchr(start, '%', left);
    *piece = start;
    *domain_follows = percent != NULL;
    *len = percent != NULL ? (size_t)(percent - start) : left;
    *at += *len + (percent != NULL ? 2 : 0);
    return true;
}

size_t policy_body_length(const struct policy *policy, size_t domain_len)
{
    return policy->body_len - 2 * (size_t)policy->body_domains + policy->body_domains * domain_len;
}

size_t policy_body_write(const struct policy *policy, const char *domain, size_t domain_len,
                         char *out)
{
    size_t      at = 0;
    size_t      written = 0;
    size_t      len;
    const char *piece;
    bool        domain_follows;

    while (next_piece(policy, &at, &piece, &len, &domain_follows)) {
        memcpy(out + written, piece, len);
        written += len;
        if (domain_follows) {
            memcpy(out + written, domain, domain_len);
            written += domain_len;
        }
    }
    return written;
}

void policy_id(const struct policy *policy, const char *domain, size_t domain_len, char *out)
{
    static const char hex[] = "0123456789abcdef";
    struct hash       hash;
    uint8_t           digest[HASH_128_SIZE];
    size_t            at = 0;
    size_t            len;
    const char       *piece;
    bool              domain_follows;

    if (policy->id != NULL) {
        memcpy(out, policy->id, strlen(policy->id) + 1); /* config holds it to POLICY_ID_LEN */
        return;
    }
    hash_128_init(&hash, id_key);
    while (next_piece(policy, &at, &piece, &len, &domain_follows)) {
        hash_128_update(&hash, piece, len);
        if (domain_follows)
            hash_128_update(&hash, domain, domain_len);
    }
    hash_128_final(&hash, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    out[POLICY_ID_LEN] = '\0';
}

/* Appends bytes to out, which has room for size; false when they do not fit before a NUL. */
static bool append(char *out, size_t size, size_t *len, const char *bytes, size_t count)
{
    if (count >= size - *len)
        return false;
    memcpy(out + *len, bytes, count);
    *len += count;
    out[*len] = '\0';
    return true;
}

int policy_path(const char *pattern, const char *domain, size_t domain_len, char *out, size_t size)
{
    size_t len = 0;
    bool   fits = size > 0;

    for (const char *p = pattern; fits && *p != '\0'; p++) {
        if (*p != '%') {
            fits = append(out, size, &len, p, 1);
            continue;
        }
        switch (*++p) {
        case '%':
            fits = append(out, size, &len, "%", 1);
            break;
        case 'h':
            fits = append(out, size, &len, HOSTNAME_POLICY_PREFIX, HOSTNAME_POLICY_PREFIX_LEN) &&
                   append(out, size, &len, domain, domain_len);
            break;
        case 'd':
            fits = append(out, size, &len, domain, domain_len);
            break;
        default:
            return -1;
        }
    }
    if (!fits)
        return -1;
    out[len] = '\0';
    return (int)len;
}
