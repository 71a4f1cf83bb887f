/*
 * The value of an mx line: [ "*." ] Domain, where Domain is that of RFC 5321 section 4.1.2. What can
 * be told apart is taken off a value in turn, so that each slip is seen beside the others.
 */
#include "wire/policy_body.h"

#include "wire/policy_body_internal.h"
#include "wire/txt_slice.h"

enum {
    NAME_MAX_LEN = 253, /* bytes, without the final dot (RFC 1035 section 2.3.4) */
    LABEL_MAX_LEN = 63,
    FLAWS_OF_A_NAME = BODY_MX_BAD - BODY_MX_DOT + 1
};

static bool is_separator(int c)
{
    return is_blank(c) || c == ',';
}

static bool is_word(int c)
{
    return c >= 0 && !is_separator(c);
}

/* At least two words with blanks or commas between, as "a, b", not "a,". */
static bool is_many(struct txt_slice value)
{
    size_t front = slice_span(value, is_separator);
    size_t word = front + slice_span(slice_behind(value, front), is_word);

    return word > front && word + slice_span(slice_behind(value, word), is_separator) < value.len;
}

static bool is_ipv4(struct txt_slice value)
{
    for (int labels = 0; labels < 4; labels++) {
        size_t digits = slice_span(value, is_digit);

        if (digits == 0 || digits > 3)
            return false;
        value = slice_behind(value, digits);
        if (labels < 3 && slice_byte(value, 0) != '.')
            return false;
        value = slice_behind(value, labels < 3 ? 1 : 0);
    }
    return value.len == 0;
}

/* By its bytes alone: no name has two colons. */
static bool is_ipv6(struct txt_slice value)
{
    size_t colons = 0;

    for (size_t i = 0; i < value.len; i++) {
        colons += value.at[i] == ':';
        if (!is_hex(slice_byte(value, i)) && !is_one_of(slice_byte(value, i), ":."))
            return false;
    }
    return colons > 1;
}

/* With or without the [ ] and the tag of RFC 5321 section 4.1.3. */
static struct txt_slice without_brackets(struct txt_slice value)
{
    static const char tag[] = "IPv6:";

    if (value.len < 2 || value.at[0] != '[' || value.at[value.len - 1] != ']')
        return value;
    value = (struct txt_slice){ value.at + 1, value.len - 2 };
    return slice_behind(value, slice_begins_nocase(value, tag) ? sizeof tag - 1 : 0);
}

/* What has one name, and none beside it; false: none of these. */
static bool flaw_of_whole(struct txt_slice value, enum policy_body_flaw *flaw)
{
    struct txt_slice bare = without_brackets(value);

    if (slice_is(value, "*"))
        *flaw = BODY_MX_STAR;
    else if (is_many(value))
        *flaw = BODY_MX_MANY;
    else if (is_ipv4(bare))
        *flaw = BODY_MX_IPV4;
    else if (is_ipv6(bare))
        *flaw = BODY_MX_IPV6;
    else
        return false;
    return true;
}

static unsigned bit(enum policy_body_flaw flaw)
{
    return 1U << (flaw - BODY_MX_DOT);
}

/* What the bytes of a name are; *name goes from one to the next. */
static unsigned flaw_of_byte(struct txt_slice *name)
{
    int      c = slice_byte(*name, 0);
    size_t   utf8 = c >= 0x80 ? policy_body_utf8_len(*name) : 0;
    unsigned flaws = bit(BODY_MX_BAD);

    if (utf8 > 0)
        flaws = bit(BODY_MX_UTF8);
    else if (c >= 'A' && c <= 'Z')
        flaws = bit(BODY_MX_UPPER);
    else if (c == '*')
        flaws = bit(BODY_MX_INNER_STAR);
    else if (c == '_')
        flaws = bit(BODY_MX_UNDERSCORE);
    else if (is_alnum(c) || c == '-' || c == '.')
        flaws = 0;
    *name = slice_behind(*name, utf8 > 0 ? utf8 : 1);
    return flaws;
}

/* Labels of 1 to 63 bytes that neither begin nor end with a hyphen. */
static bool has_good_labels(struct txt_slice name)
{
    for (;;) {
        struct txt_slice label = slice_first(name, slice_find(name, '.'));

        if (label.len == 0 || label.len > LABEL_MAX_LEN || label.at[0] == '-' ||
            label.at[label.len - 1] == '-')
            return false;
        if (label.len == name.len)
            return true;
        name = slice_behind(name, label.len + 1);
    }
}

/* As bits. */
static unsigned flaws_of_name(struct txt_slice name)
{
    unsigned flaws = 0;

    if (slice_begins(name, "*."))
        name = slice_behind(name, 2);
    else if (name.len > 1 && name.at[0] == '.') {
        name = slice_behind(name, 1);
        flaws |= bit(BODY_MX_LEADING_DOT);
    }
    if (name.len > 1 && name.at[name.len - 1] == '.') {
        name.len--;
        flaws |= bit(BODY_MX_DOT);
    }
    if (name.len > NAME_MAX_LEN || !has_good_labels(name))
        flaws |= bit(BODY_MX_BAD);
    while (name.len > 0)
        flaws |= flaw_of_byte(&name);
    return flaws;
}

/* The first names are remembered, so that reading a body is linear, however many it has. */
static bool is_twice(struct policy_body_reader *r, struct txt_slice value)
{
    for (size_t i = 0; i < r->name_count; i++) {
        if (slice_same_nocase(r->names[i], value))
            return true;
    }
    if (r->name_count < POLICY_BODY_MX_REMEMBERED)
        r->names[r->name_count++] = value;
    return false;
}

void policy_body_read_mx(struct policy_body_reader *r, struct txt_slice field,
                         struct txt_slice value)
{
    enum policy_body_flaw flaw;
    unsigned              flaws;

    if (value.len == 0) {
        policy_body_tell(r, BODY_MX_EMPTY, field);
        return;
    }
    r->body->mx_count++;
    if (r->mx != NULL)
        r->mx(r->context, value, r->line);
    if (flaw_of_whole(value, &flaw)) {
        policy_body_tell(r, flaw, value);
    } else {
        flaws = flaws_of_name(value);
        for (int i = 0; i < FLAWS_OF_A_NAME; i++) {
            if (flaws & 1U << i)
                policy_body_tell(r, (enum policy_body_flaw)(BODY_MX_DOT + i), value);
        }
    }
    if (is_twice(r, value))
        policy_body_tell(r, BODY_MX_TWICE, value);
}

bool policy_body_mx_matches(struct txt_slice pattern, const char *host, bool loosely)
{
    struct txt_slice name = { host, strlen(host) };
    size_t           label;

    if (!slice_begins(pattern, "*."))
        return slice_same_nocase(pattern, name);
    pattern = slice_behind(pattern, 1);
    label = slice_find(name, '.');
    if (loosely && name.len > pattern.len)
        label = name.len - pattern.len;
    return label > 0 && slice_same_nocase(pattern, slice_behind(name, label));
}
