/*
 * A body is a walk from line to line. What a line is comes first (an end of its own, blank, a
 * comment, a field), then what its key is, then its value; each byte is looked at a few times.
 */
#include "wire/policy_body.h"

#include "wire/policy_body_internal.h"
#include "wire/txt_slice.h"

static const char *const key_names[KEYS] = {
    [KEY_VERSION] = "version", [KEY_MODE] = "mode", [KEY_MX] = "mx", [KEY_MAX_AGE] = "max_age"
};

static const char *const mode_names[] = {
    [BODY_MODE_ENFORCE] = "enforce", [BODY_MODE_TESTING] = "testing", [BODY_MODE_NONE] = "none"
};

const char *policy_body_mode_name(enum policy_body_mode mode)
{
    return mode_names[mode];
}

static const enum policy_body_flaw twice_flaws[] = {
    [KEY_VERSION] = BODY_VERSION_TWICE, [KEY_MODE] = BODY_MODE_TWICE, [KEY_MAX_AGE] = BODY_AGE_TWICE
};

static bool is_continuation(int c)
{
    return c >= 0x80 && c < 0xc0;
}

static bool is_line_end_or_blank(int c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

/* RFC 3629 section 4: the second byte has less room behind some first ones. */
size_t policy_body_utf8_len(struct txt_slice text)
{
    int    first = slice_byte(text, 0), second = slice_byte(text, 1);
    size_t len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (first < 0xc2 || first > 0xf4 || (first == 0xe0 && second < 0xa0) ||
        (first == 0xed && second >= 0xa0) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second >= 0x90))
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (!is_continuation(slice_byte(text, i)))
            return 0;
    }
    return len;
}

static struct txt_slice value_or_field(struct txt_slice value, struct txt_slice field)
{
    return value.len > 0 ? value : field;
}

static void read_version(struct policy_body_reader *r, struct txt_slice field,
                         struct txt_slice value)
{
    if (slice_is_nocase(value, "STSv1") && !slice_is(value, "STSv1"))
        policy_body_tell(r, BODY_VERSION_CASE, value);
    else if (!slice_is(value, "STSv1"))
        policy_body_tell(r, BODY_WRONG_VERSION, value_or_field(value, field));
}

static void read_mode(struct policy_body_reader *r, struct txt_slice field, struct txt_slice value)
{
    enum policy_body_flaw flaw = BODY_UNKNOWN_MODE;

    for (int mode = BODY_MODE_ENFORCE; mode <= BODY_MODE_NONE; mode++) {
        if (slice_is(value, mode_names[mode])) {
            r->body->mode = (enum policy_body_mode)mode;
            return;
        }
        if (slice_is_nocase(value, mode_names[mode]))
            flaw = BODY_MODE_CASE;
    }
    policy_body_tell(r, flaw, value_or_field(value, field));
}

static void read_known(struct policy_body_reader *r, enum policy_body_key key,
                       struct txt_slice field, struct txt_slice value)
{
    static void (*const readers[KEYS])(struct policy_body_reader *, struct txt_slice field,
                                       struct txt_slice value) = {
        [KEY_VERSION] = read_version,
        [KEY_MODE] = read_mode,
        [KEY_MX] = policy_body_read_mx,
        [KEY_MAX_AGE] = policy_body_read_age,
    };
    bool is_again = (r->seen & 1U << key) != 0;

    r->seen |= 1U << key;
    r->meant |= 1U << key;
    /* RFC 8461 section 3.2: of any other field than mx the first counts. */
    if (is_again && key != KEY_MX) {
        policy_body_tell(r, twice_flaws[key], field);
        return;
    }
    if (key == KEY_VERSION && r->fields > 0)
        policy_body_tell(r, BODY_VERSION_NOT_FIRST, field);
    readers[key](r, field, value);
}

static void read_unknown_value(struct policy_body_reader *r, struct txt_slice field,
                               struct txt_slice value)
{
    bool has_utf8 = false;

    for (size_t i = 0, len; i < value.len; i += len) {
        int c = slice_byte(value, i);

        len = c < 0x80 ? c >= ' ' : policy_body_utf8_len(slice_behind(value, i));
        if (len == 0) {
            policy_body_tell(r, BODY_BAD_VALUE, value);
            return;
        }
        has_utf8 = has_utf8 || c >= 0x80;
    }
    if (has_utf8)
        policy_body_tell(r, BODY_UTF8, value);
    if (slice_find(value, ':') < value.len)
        policy_body_tell(r, BODY_SECOND_COLON, value);
    else if (!has_utf8)
        policy_body_tell(r, value.len > 0 ? BODY_UNKNOWN_KEY : BODY_NO_VALUE, field);
}

/* Which key it is; KEYS for another one. */
static enum policy_body_key find_key(struct txt_slice key,
                                     bool (*is)(struct txt_slice, const char *))
{
    int at = 0;

    while (at < KEYS && !is(key, key_names[at]))
        at++;
    return (enum policy_body_key)at;
}

static void read_key(struct policy_body_reader *r, struct txt_slice field, struct txt_slice key,
                     struct txt_slice value)
{
    enum policy_body_key known = find_key(key, slice_is);
    enum policy_body_key meant = find_key(key, slice_is_nocase);

    if (known < KEYS) {
        read_known(r, known, field, value);
    } else if (meant < KEYS) {
        policy_body_tell(r, BODY_KEY_CASE, key);
        r->meant |= 1U << meant;
    } else if (!slice_is_name(key, POLICY_BODY_KEY_MAX)) {
        policy_body_tell(r, BODY_BAD_KEY, value_or_field(key, field));
    } else {
        read_unknown_value(r, field, value);
    }
    r->fields++;
}

/* A line that is no field at all is told as that, and not for the blanks in it. */
static void read_field(struct policy_body_reader *r, struct txt_slice line)
{
    size_t           blanks = slice_span(line, is_blank);
    struct txt_slice field = slice_trim(line);
    size_t           colon = slice_find(field, ':');
    struct txt_slice key = slice_trim_end(slice_first(field, colon));

    if (is_one_of(slice_byte(field, 0), "#;")) {
        policy_body_tell(r, BODY_COMMENT, field);
        return;
    }
    if (colon == field.len) {
        policy_body_tell(r, BODY_NO_COLON, field);
        return;
    }
    if (blanks > 0)
        policy_body_tell(r, BODY_BLANK_BEFORE_KEY, slice_first(line, blanks));
    if (key.len < colon)
        policy_body_tell(r, BODY_BLANK_BEFORE_COLON, slice_first(field, colon));
    read_key(r, field, key, slice_trim(slice_behind(field, colon + 1)));
}

/* Are there control characters in the line? What they make of its value is not told as well. */
static bool tell_controls(struct policy_body_reader *r, struct txt_slice line)
{
    bool is_spoiled = false;

    for (size_t i = 0; i < line.len; i++) {
        int   c = slice_byte(line, i);
        bool *is_told = c == '\r' ? &r->has_cr : &r->has_control;

        if ((c >= ' ' && c != 0x7f) || c == '\t')
            continue;
        if (!*is_told)
            policy_body_tell(r, c == '\r' ? BODY_CR : BODY_NUL,
                             slice_first(slice_behind(line, i), 1));
        *is_told = is_spoiled = true;
    }
    return is_spoiled;
}

/* Its key is there, whatever its value would be. */
static void note_key(struct policy_body_reader *r, struct txt_slice line)
{
    struct txt_slice     key = slice_trim(slice_first(line, slice_find(line, ':')));
    enum policy_body_key known = find_key(key, slice_is_nocase);

    if (known < KEYS)
        r->meant |= 1U << known;
    r->fields++;
}

static void read_blank_line(struct policy_body_reader *r, struct txt_slice line, bool was_empty)
{
    if (line.len > 0)
        policy_body_tell(r, BODY_BLANKS_LINE, line);
    else if (!was_empty)
        policy_body_tell(r, line.at < r->content_end ? BODY_BLANK_LINE : BODY_BLANK_LINE_AT_END,
                         line);
}

/* How the line ends: LF or CRLF (erratum 6253). is_last: with nothing. */
static void tell_line_end(struct policy_body_reader *r, struct txt_slice line, bool is_last,
                          bool has_cr)
{
    bool is_blanks = slice_all(line, is_blank);

    if (is_last && !is_blanks && line.at[line.len - 1] != '\r')
        policy_body_tell(r, BODY_NO_LAST_END, line);
    if (!is_last && !has_cr && !r->has_lf)
        policy_body_tell(r, BODY_LF, line);
    r->has_lf = r->has_lf || (!is_last && !has_cr);
}

/* Gives what is behind it. */
static struct txt_slice read_line(struct policy_body_reader *r, struct txt_slice rest)
{
    size_t           len = slice_find(rest, '\n');
    struct txt_slice line = slice_first(rest, len);
    bool             is_last = len == rest.len, was_empty = r->was_empty;
    bool             has_cr = !is_last && len > 0 && rest.at[len - 1] == '\r';

    line.len -= has_cr ? 1 : 0;
    r->line++;
    r->was_empty = line.len == 0;
    tell_line_end(r, line, is_last, has_cr);
    if (slice_all(line, is_blank))
        read_blank_line(r, line, was_empty);
    else if (tell_controls(r, line))
        note_key(r, line);
    else
        read_field(r, line);
    return slice_behind(rest, is_last ? len : len + 1);
}

static bool is_missing(const struct policy_body_reader *r, enum policy_body_key key)
{
    return (r->meant & 1U << key) == 0;
}

static void tell_missing(struct policy_body_reader *r, struct txt_slice whole)
{
    /* A key in another case is told as that. */
    bool has_mx = r->body->mx_count > 0 || (r->meant & ~r->seen & 1U << KEY_MX) != 0;

    r->line = 0;
    if (is_missing(r, KEY_VERSION))
        policy_body_tell(r, BODY_NO_VERSION, whole);
    if (is_missing(r, KEY_MODE))
        policy_body_tell(r, BODY_NO_MODE, whole);
    if (!has_mx && r->body->mode == BODY_MODE_NONE)
        policy_body_tell(r, BODY_NONE_WITHOUT_MX, whole);
    else if (!has_mx && r->body->mode != BODY_MODE_MISSING)
        policy_body_tell(r, BODY_NO_MX, whole);
    if (is_missing(r, KEY_MAX_AGE))
        policy_body_tell(r, BODY_NO_AGE, whole);
}

/* A page of HTML is told as that, and not for each line that is no field. */
static void tell_html(struct policy_body_reader *r, struct txt_slice whole, struct txt_slice page)
{
    for (const char *p = whole.at; p < page.at; p++)
        r->line += *p == '\n' ? 1 : 0;
    r->line++;
    page.len = slice_find(page, '\n');
    page.len -= page.at[page.len - 1] == '\r' ? 1 : 0;
    policy_body_tell(r, BODY_HTML, page);
}

static void read_whole(struct policy_body_reader *r, struct txt_slice whole)
{
    bool             has_bom = slice_begins(whole, "\xef\xbb\xbf");
    struct txt_slice rest = slice_behind(whole, has_bom ? 3 : 0);
    struct txt_slice content = slice_behind(rest, slice_span(rest, is_line_end_or_blank));

    if (content.len == 0) {
        policy_body_tell(r, BODY_EMPTY, whole);
        return;
    }
    if (content.at[0] == '<') {
        tell_html(r, whole, content);
        return;
    }
    while (is_line_end_or_blank(slice_byte(content, content.len - 1)))
        content.len--;
    r->content_end = content.at + content.len;
    if (has_bom) {
        r->line = 1;
        policy_body_tell(r, BODY_BOM, slice_first(whole, 3));
        r->line = 0;
    }
    while (rest.len > 0)
        rest = read_line(r, rest);
    /* With a CR alone, what seems to be missing can stand behind it. */
    if (!r->has_cr)
        tell_missing(r, whole);
}

void policy_body_read(const char *bytes, size_t len, struct policy_body *body,
                      void (*mx)(void *context, struct txt_slice pattern, unsigned line),
                      void (*flaw)(void *context, enum policy_body_flaw flaw,
                                   struct txt_slice where, unsigned line),
                      void *context)
{
    struct policy_body_reader r = { .body = body, .mx = mx, .flaw = flaw, .context = context };

    *body = (struct policy_body){ 0 };
    read_whole(&r, (struct txt_slice){ bytes, len });
}
