#include "wire/media_type.h"

#include "wire/txt_slice.h"

/* The encodings of ISO 8859, as Python names them: there is no 12. */
enum { ISO_8859_LAST = 16, ISO_8859_NONE = 12 };

/* RFC 9110 section 5.6.4: qdtext or the second byte of a quoted-pair; obs-text included. */
static bool is_quotable(int c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

static bool is_iso_8859(struct txt_slice charset)
{
    static const char prefix[] = "iso-8859-";
    struct txt_slice  number;
    int               part = 0;

    if (!slice_begins_nocase(charset, prefix))
        return false;
    number = slice_behind(charset, sizeof prefix - 1);
    if (number.len == 0 || number.len > 2 || number.at[0] == '0' || !slice_all(number, is_digit))
        return false;
    for (size_t i = 0; i < number.len; i++)
        part = part * 10 + (number.at[i] - '0');
    return part <= ISO_8859_LAST && part != ISO_8859_NONE;
}

static bool is_known_charset(struct txt_slice charset)
{
    return slice_is_nocase(charset, "utf-8") || slice_is_nocase(charset, "us-ascii") ||
           is_iso_8859(charset);
}

/* With its quotation marks; 0: no quoted-string (RFC 9110 section 5.6.4). */
static size_t quoted_len(struct txt_slice rest)
{
    for (size_t at = 1; is_quotable(slice_byte(rest, at)); at++) {
        if (rest.at[at] == '"')
            return at + 1;
        if (rest.at[at] == '\\') {
            at++;
            if (!is_quotable(slice_byte(rest, at)))
                return 0;
        }
    }
    return 0;
}

static void take_charset(struct media_type *media_type, struct txt_slice charset)
{
    if (media_type->charset.at != NULL) {
        media_type->flaws |= MEDIA_TYPE_CHARSET_TWICE;
        return;
    }
    media_type->charset = charset;
    if (!is_known_charset(charset))
        media_type->flaws |= MEDIA_TYPE_CHARSET;
}

/* name "=" ( token / quoted-string ): gives its length, or 0 for what is none. */
static size_t read_parameter(struct media_type *media_type, struct txt_slice rest)
{
    struct txt_slice name = slice_first(rest, slice_span(rest, is_tchar));
    struct txt_slice value = slice_behind(rest, name.len);
    bool             is_quoted;

    if (name.len == 0)
        return 0;
    if (slice_byte(value, 0) == '=')
        value = slice_behind(value, 1);
    else
        value.len = 0;
    is_quoted = slice_byte(value, 0) == '"';
    value.len = is_quoted ? quoted_len(value) : slice_span(value, is_tchar);
    if (value.len == 0 && is_quoted)
        return 0;
    if (value.len == 0)
        media_type->flaws |= MEDIA_TYPE_NO_VALUE;
    else if (slice_is_nocase(name, "charset"))
        take_charset(media_type,
                     is_quoted ? slice_first(slice_behind(value, 1), value.len - 2) : value);
    return (size_t)(value.at - rest.at) + value.len;
}

/* *( OWS ";" OWS [ parameter ] ) (RFC 9110 section 5.6.6) */
static void read_parameters(struct media_type *media_type, struct txt_slice rest)
{
    size_t len;

    for (;;) {
        rest = slice_behind(rest, slice_span(rest, is_blank));
        if (rest.len == 0)
            return;
        if (rest.at[0] != ';')
            break;
        rest = slice_behind(rest, 1);
        rest = slice_behind(rest, slice_span(rest, is_blank));
        if (rest.len == 0 || rest.at[0] == ';')
            continue;
        len = read_parameter(media_type, rest);
        if (len == 0)
            break;
        rest = slice_behind(rest, len);
    }
    media_type->flaws |= MEDIA_TYPE_BAD;
}

void media_type_read(const char *bytes, size_t len, struct media_type *media_type)
{
    struct txt_slice value = slice_trim((struct txt_slice){ bytes, len });
    size_t           slash = slice_span(value, is_tchar), subtype;

    *media_type = (struct media_type){ 0 };
    subtype = slice_byte(value, slash) == '/' ? slice_span(slice_behind(value, slash + 1), is_tchar)
                                              : 0;
    if (slash == 0 || subtype == 0) {
        media_type->flaws = MEDIA_TYPE_BAD;
        return;
    }
    media_type->type = slice_first(value, slash + 1 + subtype);
    if (!slice_is_nocase(media_type->type, "text/plain"))
        media_type->flaws |= MEDIA_TYPE_OTHER;
    else if (!slice_is(media_type->type, "text/plain"))
        media_type->flaws |= MEDIA_TYPE_CASE;
    read_parameters(media_type, slice_behind(value, slash + 1 + subtype));
}
