/*
 * A record is a walk from field to field: each is read up to its ";" without the blanks before
 * that, which are of the delimiter. Each step ends behind where it began, so the whole is linear.
 */
#include "wire/txt.h"

#include "wire/txt_internal.h"
#include "wire/txt_slice.h"

static const char *const versions[] = { [TXT_STS] = "STSv1", [TXT_TLSRPT] = "TLSRPTv1" };
static const char *const wanted_names[] = { [TXT_STS] = "id", [TXT_TLSRPT] = "rua" };

/* A version field as somebody meant it. */
struct version {
    struct txt_slice field; /* up to what stands behind it */
    struct txt_slice value; /* without quotation marks */
    bool             has_blanks;
    bool             is_quoted;
};

static bool is_front(int c)
{
    return is_blank(c) || c == '"';
}

static bool is_between(int c)
{
    return c >= 0 && !is_alnum(c);
}

/* RFC 8461 section 3.1, RFC 8460 section 3: chars excluding "=", SP and CTLs; a ";" ends the field. */
static bool is_value_char(int c)
{
    return c > ' ' && c < 0x7f && c != '=';
}

static size_t blanks_at(struct txt_slice slice, size_t place)
{
    return slice_span(slice_behind(slice, place), is_blank);
}

/* In any case, with blanks around the "=", with quotation marks around the value. */
static bool find_version(enum txt_kind kind, struct txt_slice field, struct version *version)
{
    const char *wanted = versions[kind];
    size_t      equals, at;

    if (to_lower(slice_byte(field, 0)) != 'v')
        return false;
    equals = 1 + blanks_at(field, 1);
    if (slice_byte(field, equals) != '=')
        return false;
    at = equals + 1 + blanks_at(field, equals + 1);
    version->has_blanks = at > 2;
    version->is_quoted = slice_byte(field, at) == '"';
    at += version->is_quoted ? 1 : 0;
    version->value = slice_behind(field, at);
    if (!slice_begins_nocase(version->value, wanted))
        return false;
    version->value.len = strlen(wanted);
    at += strlen(wanted);
    at += version->is_quoted && slice_byte(field, at) == '"' ? 1 : 0;
    version->field = slice_first(field, at);
    return !is_alnum(slice_byte(field, at));
}

/* Gives what was read of the field: what is behind the version without a ";" is the next one. */
static size_t read_version(struct txt_reader *r, struct txt_slice field,
                           const struct version *version)
{
    struct txt_slice rest = slice_behind(field, version->field.len);
    size_t           between = slice_span(rest, is_between);

    r->has_version = true;
    r->is_behind_version = rest.len == 0;
    if (r->fields > 0)
        txt_tell(r, TXT_VERSION_NOT_FIRST, version->field);
    if (version->has_blanks)
        txt_tell(r, TXT_BAD_FIELD, version->field);
    if (version->field.at[0] != 'v')
        txt_tell(r, TXT_VERSION_NAME_CASE, slice_first(version->field, 1));
    if (version->is_quoted)
        txt_tell(r, TXT_QUOTED, version->value);
    if (!slice_is(version->value, versions[r->kind]))
        txt_tell(r, TXT_VERSION_CASE, version->value);
    if (rest.len > 0)
        txt_tell(r, TXT_NO_SEMICOLON, slice_first(rest, between));
    return version->field.len + between;
}

static void read_id(struct txt_reader *r, struct txt_slice field, struct txt_slice value)
{
    r->record->id = value;
    if (value.len == 0)
        txt_tell(r, TXT_EMPTY_ID, field);
    if (value.len > TXT_ID_MAX)
        txt_tell(r, TXT_LONG_ID, value);
    if (!slice_all(value, is_alnum))
        txt_tell(r, TXT_BAD_ID, value);
}

static void read_rua(struct txt_reader *r, struct txt_slice field, struct txt_slice value)
{
    r->record->rua = value;
    if (r->fields > (r->has_version ? 1 : 0))
        txt_tell(r, TXT_RUA_NOT_SECOND, field);
    if (value.len == 0)
        txt_tell(r, TXT_NO_RUA, field);
    else
        txt_rua_read(r, value);
}

static void read_wanted(struct txt_reader *r, struct txt_slice field, struct txt_slice value)
{
    bool is_sts = r->kind == TXT_STS;

    if (r->has_wanted)
        txt_tell(r, is_sts ? TXT_ID_TWICE : TXT_RUA_TWICE, field);
    else if (is_sts)
        read_id(r, field, value);
    else
        read_rua(r, field, value);
    r->has_wanted = true;
}

static enum txt_flaw flaw_of_unknown(enum txt_kind kind, struct txt_slice name,
                                     struct txt_slice value)
{
    if (!slice_is_name(name, TXT_NAME_MAX) || value.len == 0 || !slice_all(value, is_value_char))
        return TXT_BAD_FIELD;
    return kind == TXT_STS && slice_find(value, ':') < value.len ? TXT_COLON : TXT_UNKNOWN_FIELD;
}

static void read_named(struct txt_reader *r, struct txt_slice field)
{
    size_t           equals = slice_find(field, '=');
    struct txt_slice name = slice_trim(slice_first(field, equals)), value;

    r->is_behind_version = false;
    if (equals == field.len) {
        txt_tell(r, TXT_NO_EQUALS, field);
        return;
    }
    value = slice_trim(slice_behind(field, equals + 1));
    /* "id = 1" is told once, and read as the id that it is meant to be. */
    if (name.len + 1 + value.len < field.len)
        txt_tell(r, TXT_BAD_FIELD, field);
    if (slice_is(name, wanted_names[r->kind]))
        read_wanted(r, field, value);
    else if (name.len + 1 + value.len == field.len)
        txt_tell(r, flaw_of_unknown(r->kind, name, value), field);
}

/* Gives what is behind the field. */
static struct txt_slice read_field(struct txt_reader *r, struct txt_slice rest)
{
    struct txt_slice field = slice_trim_end(slice_first(rest, slice_find(rest, ';')));
    struct version   version;

    if (field.len == 0)
        return rest;
    if (!r->has_version && find_version(r->kind, field, &version))
        field.len = read_version(r, field, &version);
    else
        read_named(r, field);
    r->fields++;
    return slice_behind(rest, field.len);
}

static struct txt_slice between(struct txt_slice slice, size_t start, size_t end)
{
    return slice_first(slice_behind(slice, start), end - start);
}

/* Blanks and ";" up to the next field, or to the end. Gives what is behind them. */
static struct txt_slice read_delimiter(struct txt_reader *r, struct txt_slice rest)
{
    size_t count = 0, first = slice_span(rest, is_blank), last = first, at = first;

    for (; slice_byte(rest, at) == ';'; at += 1 + blanks_at(rest, at + 1)) {
        last = at;
        count++;
    }
    if (count == 0 && first > 0)
        txt_tell(r, TXT_BLANK_AT_END, slice_first(rest, first));
    if (count > 0 && first > 0 && r->is_behind_version)
        txt_tell(r, TXT_BLANK_BEFORE_SEMICOLON, slice_first(rest, first));
    if (count > 1 || (count > 0 && r->fields == 0))
        txt_tell(r, TXT_EMPTY_FIELD, between(rest, first, last + 1));
    if (count > 0 && at == rest.len && last + 1 < at)
        txt_tell(r, TXT_BLANK_AFTER_LAST, between(rest, last + 1, at));
    return slice_behind(rest, at);
}

/* What no record has in front. Whole records in quotation marks are read without both. */
static struct txt_slice read_front(struct txt_reader *r, struct txt_slice text)
{
    size_t           len = slice_span(text, is_front);
    struct txt_slice front = slice_first(text, len), rest = slice_behind(text, len);

    if (slice_find(front, '"') == front.len) {
        if (len > 0)
            txt_tell(r, TXT_BLANK_IN_FRONT, front);
        return rest;
    }
    txt_tell(r, TXT_QUOTED, front);
    if (rest.len > 0 && rest.at[rest.len - 1] == '"')
        rest.len--;
    return rest;
}

bool txt_begins(enum txt_kind kind, struct txt_slice record)
{
    size_t at = 2 + strlen(versions[kind]);

    if (!slice_begins(record, "v=") || !slice_begins(slice_behind(record, 2), versions[kind]))
        return false;
    at += blanks_at(record, at);
    return at == record.len || record.at[at] == ';';
}

bool txt_almost_begins(enum txt_kind kind, struct txt_slice record)
{
    struct txt_slice rest = slice_behind(record, slice_span(record, is_front));
    struct version   version;

    if (txt_begins(kind, record))
        return false;
    while (rest.len > 0) {
        size_t           len = slice_find(rest, ';');
        struct txt_slice field = slice_trim(slice_first(rest, len));

        if (find_version(kind, field, &version))
            return true;
        rest = slice_behind(rest, len < rest.len ? len + 1 : len);
    }
    return false;
}

void txt_read(enum txt_kind kind, struct txt_slice text, struct txt_record *record,
              void (*flaw)(void *context, enum txt_flaw flaw, struct txt_slice where),
              void *context)
{
    struct txt_reader r = { .kind = kind, .record = record, .flaw = flaw, .context = context };
    struct txt_slice  rest = read_front(&r, text);

    *record = (struct txt_record){ 0 };
    while (rest.len > 0)
        rest = read_delimiter(&r, read_field(&r, rest));
    if (!r.has_wanted)
        txt_tell(&r, kind == TXT_STS ? TXT_NO_ID : TXT_NO_RUA, text);
}

bool txt_id_is_good(struct txt_slice id)
{
    return id.len > 0 && id.len <= TXT_ID_MAX && slice_all(id, is_alnum);
}
