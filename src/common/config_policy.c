#include "common/config_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    MX_MAX = POLICY_BODY_MAX / 9, /* a line "mx: a.b" and CRLF is the shortest */
    PATH_INSERT = HOSTNAME_MAX    /* bytes that a %h or %d may become */
};

#define ALPHANUMERICS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool keep_text(struct loader *loader, struct item *item, const char *text)
{
    item->text = region_string(loader->scratch, text, strlen(text));
    if (item->text == NULL)
        config_no_memory(loader);
    return item->text != NULL;
}

bool config_set_mode(struct loader *loader, struct item *item, char *value)
{
    enum policy_mode mode;

    if (policy_mode_parse(value, strlen(value), &mode)) {
        item->number = mode;
        return true;
    }
    for (int i = POLICY_ENFORCE; i <= POLICY_NONE; i++) {
        const char *name = policy_mode_name((enum policy_mode)i);

        if (config_nearness(value, name) >= 0) {
            config_error(loader, item->place, "unknown mode " SHOW "; did you mean %s?", value,
                         name);
            return false;
        }
    }
    config_error(loader, item->place, "mode is enforce, testing or none, not " SHOW, value);
    return false;
}

/* Seconds in the unit that ends a time, or 0. */
static uint32_t unit_seconds(const char *unit)
{
    static const struct {
        char     letter;
        uint32_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };

    if (*unit == '\0')
        return 1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].letter == unit[0] && unit[1] == '\0')
            return units[i].seconds;
    }
    return 0;
}

bool config_set_max_age(struct loader *loader, struct item *item, char *value)
{
    size_t   len = strspn(value, "0123456789");
    uint32_t unit = unit_seconds(value + len);
    uint32_t count;
    uint64_t seconds = 0;

    if (len == 0 || unit == 0) {
        config_error(loader, item->place,
                     "max_age is a number of seconds, or one with s, m, h, d or w behind it, "
                     "not " SHOW,
                     value);
        return false;
    }
    if (config_digits(value, len, POLICY_MAX_AGE_MAX, &count))
        seconds = (uint64_t)count * unit;
    if (seconds < 1 || seconds > POLICY_MAX_AGE_MAX) {
        config_error(loader, item->place, "max_age is 1 to %d seconds, not " SHOW,
                     POLICY_MAX_AGE_MAX, value);
        return false;
    }
    if (seconds < POLICY_MAX_AGE_WARN)
        config_warning(loader, item->place,
                       "max_age is below a day (%d): senders look once a day, and some refuse less",
                       POLICY_MAX_AGE_WARN);
    item->number = (uint32_t)seconds;
    return true;
}

/*
 * The host of an mx, %d and all, into out as a name that can be judged: with a name of two
 * labels for each %d, which must be whole labels itself. False when it holds another %.
 */
static bool fill_domain(const char *mx, char *out, uint32_t *count)
{
    size_t len = 0;

    for (const char *p = mx; *p != '\0'; p++) {
        if (*p != '%') {
            out[len++] = *p;
            continue;
        }
        if (p[1] != 'd' || (p > mx && p[-1] != '.') || (p[2] != '.' && p[2] != '\0'))
            return false;
        memcpy(out + len, "x.x", 3);
        len += 3;
        p++;
        ++*count;
    }
    out[len] = '\0';
    return true;
}

static bool tell_bad_mx(struct loader *loader, const struct item *item, const char *mx,
                        enum hostname_verdict verdict)
{
    char more[32] = "";

    if (verdict == HOSTNAME_TOO_LONG)
        snprintf(more, sizeof more, ": it has at most %d bytes", HOSTNAME_MAX);
    config_error(loader, item->place, "mx " SHOW " %s%s", mx, hostname_explain(verdict), more);
    return false;
}

/* RFC 8461 section 3.2: ["*."] Domain. Canonical in place. */
static bool canonical_mx(struct loader *loader, struct item *item, char *mx)
{
    char                 *host = strncmp(mx, "*.", 2) == 0 ? mx + 2 : mx;
    size_t                len = strlen(mx);
    char                  filled[2 * HOSTNAME_MAX + 8]; /* "x.x" for "%d" */
    char                  canonical[sizeof filled];
    enum hostname_verdict verdict;

    if (len > HOSTNAME_MAX + 1)
        return tell_bad_mx(loader, item, mx, HOSTNAME_TOO_LONG);
    if (!fill_domain(host, filled, &item->number)) {
        config_error(loader, item->place,
                     "mx " SHOW ": a %% is only good in %%d, which stands for whole labels", mx);
        return false;
    }
    verdict = hostname_canonical(filled, strlen(filled), sizeof canonical - 1, canonical);
    if (verdict == HOSTNAME_OK && len - (mx[len - 1] == '.') > HOSTNAME_MAX)
        verdict = HOSTNAME_TOO_LONG;
    if (verdict == HOSTNAME_CHARACTER && strchr(host, '*') != NULL) {
        config_error(loader, item->place,
                     "mx " SHOW ": a * is only good as the whole left-most label", mx);
        return false;
    }
    if (verdict != HOSTNAME_OK)
        return tell_bad_mx(loader, item, mx, verdict);
    if (mx[len - 1] == '.')
        mx[len - 1] = '\0';
    for (char *p = mx; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return true;
}

/* An earlier item of the same list key and text, or NULL. */
static const struct item *find_repeated(const struct section *section, const struct item *item)
{
    for (const struct item *other = section->first; other != item; other = other->next) {
        if (other->key == item->key && !other->bad && strcmp(other->text, item->text) == 0)
            return other;
    }
    return NULL;
}

/* Keeps one more of a list, unless it is there already: some senders choke on a repeated mx. */
static bool keep_distinct(struct loader *loader, struct item *item, const char *text)
{
    const struct section *section = &loader->sections[loader->section];
    const struct item    *other;

    if (!keep_text(loader, item, text))
        return false;
    other = find_repeated(section, item);
    if (other != NULL) {
        config_error(loader, item->place, "%s %.260s is already at %s:%u",
                     config_keys[item->key].name, text, config_file_name(loader, other->place),
                     other->place.line);
        return false;
    }
    return true;
}

bool config_set_mx(struct loader *loader, struct item *item, char *value)
{
    uint32_t count = loader->sections[loader->section].mx_count++;

    if (count >= MX_MAX) {
        if (count == MX_MAX)
            config_error(loader, item->place, "more than %d mx: no sender takes such a policy",
                         MX_MAX);
        return false;
    }
    if (strpbrk(value, " \t,") != NULL) {
        config_error(loader, item->place, "one mx a line: repeat the key");
        return false;
    }
    return canonical_mx(loader, item, value) && keep_distinct(loader, item, value);
}

bool config_set_path(struct loader *loader, struct item *item, char *value)
{
    size_t inserts = 0;
    char  *path;

    for (const char *p = value; (p = strchr(p, '%')) != NULL; p += 2) {
        if (p[1] != 'h' && p[1] != 'd' && p[1] != '%') {
            config_error(loader, item->place,
                         "unknown %%%.*s in %s; there are %%h (policy host), %%d (policy domain) "
                         "and %%%%",
                         (unsigned char)p[1] < 0x80, p + 1, config_keys[item->key].name);
            return false;
        }
        inserts += p[1] != '%';
    }
    path = config_absolute(loader, item->place, value, true);
    if (path == NULL)
        return false;
    if (strlen(path) + inserts * PATH_INSERT > CONFIG_PATH_MAX) {
        config_error(loader, item->place, "%s may become a path of more than %d bytes",
                     config_keys[item->key].name, CONFIG_PATH_MAX);
        return false;
    }
    item->text = path;
    return true;
}

bool config_set_id(struct loader *loader, struct item *item, char *value)
{
    size_t len = strlen(value);

    /* RFC 8461 section 3.1: sts-id */
    if (len > POLICY_ID_LEN || strspn(value, ALPHANUMERICS) != len) {
        config_error(loader, item->place, "id is 1 to %d letters and digits, not " SHOW,
                     POLICY_ID_LEN, value);
        return false;
    }
    return keep_text(loader, item, value);
}

/* What the list in the TLSRPT record takes for its own (RFC 8460 section 3), encoded. */
static const char *encoded(char c)
{
    return c == ',' ? "%2C" : c == '!' ? "%21" : "%3B";
}

static bool is_rua(const char *value)
{
    if (strncasecmp(value, "mailto:", 7) == 0)
        return value[7] != '\0';
    return strncasecmp(value, "https://", 8) == 0 && value[8] != '\0';
}

bool config_set_rua(struct loader *loader, struct item *item, char *value)
{
    const char *special = strpbrk(value, ",!;");
    uint32_t    count = 0;

    if (!is_rua(value)) {
        config_error(loader, item->place, "rua is a mailto: or https:// address, not " SHOW, value);
        return false;
    }
    for (const char *p = value; *p != '\0'; p++) {
        if (*p <= 0x20 || *p >= 0x7f) {
            config_error(loader, item->place,
                         "rua has a byte that no URI has; one rua a line, repeat the key");
            return false;
        }
    }
    if (special != NULL) {
        config_error(loader, item->place,
                     "a \"%c\" in a rua is written %s; several rua: repeat the key", *special,
                     encoded(*special));
        return false;
    }
    for (const struct item *p = loader->sections[loader->section].first; p != item; p = p->next)
        count += p->key == KEY_RUA;
    if (count >= CONFIG_RUA_MAX) {
        config_error(loader, item->place, "more than %d rua", CONFIG_RUA_MAX);
        return false;
    }
    return keep_distinct(loader, item, value);
}
