/*
 * The URIs of a rua field (RFC 8460 section 3, RFC 3986), as far as a report could go there.
 *
 * A comma that should have been encoded looks like one between two URIs, but what is behind it has
 * no scheme: such pieces belong to the URI before them.
 */
#include "wire/txt_internal.h"
#include "wire/txt_slice.h"

/* RFC 3986 section 3.3, without "!", "," and ";", which RFC 8460 section 3 wants encoded. */
#define PCHAR     USER_CHAR ":@"
#define USER_CHAR "-._~$&'()*+="

static bool is_between_uris(int c)
{
    return is_blank(c) || c == ',';
}

/* Only letters, digits, %xx and these. */
static bool holds_only(struct txt_slice part, const char *others)
{
    for (size_t i = 0; i < part.len; i++) {
        if (slice_byte(part, i) == '%') {
            if (!is_hex(slice_byte(part, i + 1)) || !is_hex(slice_byte(part, i + 2)))
                return false;
            i += 2;
        } else if (!is_alnum(slice_byte(part, i)) && !is_one_of(slice_byte(part, i), others)) {
            return false;
        }
    }
    return true;
}

/* Of the scheme without its ":" (RFC 3986 section 3.1); 0: none. */
static size_t scheme_len(struct txt_slice uri)
{
    size_t len = 0;

    if (!is_alpha(slice_byte(uri, 0)))
        return 0;
    while (is_alnum(slice_byte(uri, len)) || is_one_of(slice_byte(uri, len), "+-."))
        len++;
    return slice_byte(uri, len) == ':' ? len : 0;
}

/* Labels of what could be in DNS, with a dot between each two. */
static bool is_host(struct txt_slice name)
{
    bool in_label = false;

    for (size_t i = 0; i < name.len; i++) {
        bool is_dot = name.at[i] == '.';

        if (is_dot && !in_label)
            return false;
        in_label = !is_dot;
    }
    return in_label && holds_only(name, "-_.");
}

/* RFC 3986 section 3.2.2: IP-literal, only its shape. */
static bool is_literal(struct txt_slice host)
{
    for (size_t i = 1; i + 1 < host.len; i++) {
        if (!is_hex(slice_byte(host, i)) && !is_one_of(slice_byte(host, i), ":."))
            return false;
    }
    return host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
}

/* Perhaps no digit at all (RFC 3986 section 3.2.3). */
static bool is_port(struct txt_slice digits)
{
    unsigned long number = 0;

    for (size_t i = 0; i < digits.len && number <= 65535; i++)
        number = number * 10 + (unsigned long)(digits.at[i] - '0');
    return number <= 65535;
}

/* Up to the first of these bytes, or all of it. */
static size_t find_any(struct txt_slice slice, const char *these)
{
    size_t len = 0;

    while (len < slice.len && !is_one_of(slice_byte(slice, len), these))
        len++;
    return len;
}

/* "?" and a query, "#" and a fragment, or either, or nothing. */
static bool is_query(struct txt_slice rest)
{
    size_t hash = slice_find(rest, '#');

    return holds_only(slice_first(rest, hash), PCHAR "/?") &&
           holds_only(slice_behind(rest, hash < rest.len ? hash + 1 : hash), PCHAR "/?");
}

/* RFC 6068 section 2, with one address, since a comma is encoded. */
static bool is_mailto(struct txt_slice rest)
{
    struct txt_slice address = slice_first(rest, find_any(rest, "?#"));
    size_t           at = slice_find(address, '@');

    return at > 0 && at < address.len && holds_only(slice_first(address, at), USER_CHAR ":/") &&
           is_host(slice_behind(address, at + 1)) && is_query(slice_behind(rest, address.len));
}

/* [userinfo "@"] host [":" port] (RFC 3986 section 3.2) */
static bool is_authority(struct txt_slice authority)
{
    size_t           at = slice_find(authority, '@'), colon;
    struct txt_slice host = authority;

    if (at < authority.len) {
        if (!holds_only(slice_first(authority, at), USER_CHAR ":"))
            return false;
        host = slice_behind(authority, at + 1);
    }
    for (colon = host.len; colon > 0 && is_digit(slice_byte(host, colon - 1)); colon--)
        ;
    if (colon > 0 && host.at[colon - 1] == ':') {
        if (!is_port(slice_behind(host, colon)))
            return false;
        host.len = colon - 1;
    }
    if (host.len > 1 && host.at[host.len - 1] == '.')
        host.len--;
    return is_host(host) || is_literal(host);
}

static bool is_https(struct txt_slice rest)
{
    struct txt_slice authority, path;

    if (!slice_begins(rest, "//"))
        return false;
    rest = slice_behind(rest, 2);
    authority = slice_first(rest, find_any(rest, "/?#"));
    rest = slice_behind(rest, authority.len);
    path = slice_first(rest, find_any(rest, "?#"));
    return is_authority(authority) && holds_only(path, PCHAR "/") &&
           is_query(slice_behind(rest, path.len));
}

/* RFC 7489 section 6.2: "!" and the size of a report, at the end. */
static bool is_dmarc_size(struct txt_slice end)
{
    size_t digits = slice_span(slice_behind(end, 1), is_digit);

    if (digits > 0 && digits + 2 == end.len)
        return is_one_of(to_lower(slice_byte(end, digits + 1)), "kmgt");
    return digits > 0 && digits + 1 == end.len;
}

struct slip {
    bool             is_one;
    enum txt_flaw    flaw;
    struct txt_slice where;
};

/* A URI between two commas, or behind the last one: what is wrong with it, or it is counted. */
static struct slip judge(struct txt_slice uri, struct txt_record *record)
{
    size_t           scheme = scheme_len(uri), bang = slice_find(uri, '!');
    struct txt_slice rest = slice_behind(uri, scheme > 0 ? scheme + 1 : 0);
    bool             is_mail = slice_is_nocase(slice_first(uri, scheme), "mailto");

    if (slice_is_nocase(slice_first(uri, scheme), "http"))
        return (struct slip){ true, TXT_RUA_HTTP, uri };
    if (!is_mail && !slice_is_nocase(slice_first(uri, scheme), "https"))
        return (struct slip){ true, TXT_RUA_SCHEME, uri };
    if (bang < uri.len && is_dmarc_size(slice_behind(uri, bang)))
        return (struct slip){ true, TXT_RUA_BANG, slice_behind(uri, bang) };
    if (is_mail ? !is_mailto(rest) : !is_https(rest))
        return (struct slip){ true, TXT_RUA_BAD, uri };
    if (is_mail)
        record->mails++;
    else
        record->https++;
    return (struct slip){ .is_one = false };
}

/* Behind a URI: the pieces that are none by themselves. Gives their length, commas included. */
static size_t pieces_len(struct txt_slice rest)
{
    size_t len = 0;

    while (len < rest.len) {
        struct txt_slice piece = slice_behind(rest, len + 1);

        piece.len = slice_find(piece, ',');
        if (slice_trim(piece).len == 0 || scheme_len(slice_trim(piece)) > 0)
            break;
        len += 1 + piece.len;
    }
    return len;
}

/* Tells what is wrong with the URI that begins here; gives its length, with all that belongs to it. */
static size_t read_uri(struct txt_reader *r, struct txt_slice rest)
{
    size_t           len = slice_find(rest, ',');
    struct txt_slice uri = slice_trim(slice_first(rest, len));
    size_t           pieces = scheme_len(uri) > 0 ? pieces_len(slice_behind(rest, len)) : 0;
    struct slip      slip = judge(uri, r->record);

    if (pieces > 0)
        txt_tell(r, TXT_RUA_COMMA, slice_trim(slice_first(rest, len + pieces)));
    if (slip.is_one && (slip.flaw != TXT_RUA_BAD || pieces == 0))
        txt_tell(r, slip.flaw, slip.where);
    return len + pieces;
}

void txt_rua_read(struct txt_reader *r, struct txt_slice value)
{
    for (size_t at = 0; at <= value.len; at++) {
        struct txt_slice rest = slice_behind(value, at);
        size_t           len = slice_span(rest, is_between_uris), before = at > 0 ? 1 : 0;

        if (len == rest.len || slice_find(slice_first(rest, len), ',') < len)
            txt_tell(r, TXT_RUA_BAD, (struct txt_slice){ rest.at - before, len + before });
        at += len;
        if (at < value.len)
            at += read_uri(r, slice_behind(rest, len));
    }
}
