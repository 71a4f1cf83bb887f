/*
 * The head is read byte by byte and never back: a verdict rests only on the
 * bytes before it, so more bytes never change one. The two size limits cut the
 * input instead of counting along: what still asks for more at the limit is
 * too long.
 */
#include "wire/http.h"
#include "wire/http_scan.h"

#include <string.h>

/* What must be known of all the fields together. */
struct fields {
    size_t            count;
    size_t            hosts;
    bool              close;
    bool              coded;          /* Transfer-Encoding was sent */
    struct http_slice content_length; /* at is NULL when not sent */
};

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* RFC 3986 section 3.2.3: perhaps no digit at all; here also no number that is no port. */
static enum http_result read_port(struct scan *s, size_t *digits)
{
    unsigned port = 0;

    for (; is_digit(peek(s)); s->pos++, ++*digits) {
        port = port * 10 + (unsigned)(peek(s) - '0');
        if (port > 65535)
            return HTTP_BAD;
    }
    return HTTP_OK;
}

/* RFC 3986 section 3.2.2: IP-literal. Its address is nobody's policy host, so only its shape. */
static enum http_result read_literal(struct scan *s)
{
    size_t start = ++s->pos;

    while (is_hex(peek(s)) || is_one_of(peek(s), ":."))
        s->pos++;
    if (peek(s) != ']' || s->pos == start)
        return stopped_at(s);
    s->pos++;
    return HTTP_OK;
}

/* Labels with a dot between each two, and perhaps one behind the last. */
static enum http_result read_name(struct scan *s)
{
    size_t label = s->pos;

    for (; is_host_char(peek(s)); s->pos++) {
        if (peek(s) != '.')
            continue;
        if (s->pos == label)
            return HTTP_BAD;
        label = s->pos + 1;
    }
    return HTTP_OK;
}

/*
 * uri-host [":" port], without userinfo (RFC 9110 section 4.2.4) and never
 * empty (section 4.2.1). Stops at the first byte beyond.
 */
static enum http_result read_authority(struct scan *s, struct http_slice *host, size_t *port_digits)
{
    size_t           start = s->pos;
    enum http_result result = peek(s) == '[' ? read_literal(s) : read_name(s);

    *port_digits = 0;
    if (result != HTTP_OK)
        return result;
    if (s->pos == start)
        return stopped_at(s);
    *host = slice_from(s, start);
    if (host->at[host->len - 1] == '.')
        host->len--;
    if (peek(s) != ':')
        return HTTP_OK;
    s->pos++;
    return read_port(s, port_digits);
}

/* A path or a query, to the first byte that cannot be in it. */
static enum http_result read_target_part(struct scan *s, bool in_query)
{
    for (;;) {
        if (is_target_char(peek(s), in_query)) {
            s->pos++;
            continue;
        }
        if (peek(s) != '%')
            return HTTP_OK;
        s->pos++;
        for (int digits = 0; digits < 2; digits++, s->pos++) {
            if (!is_hex(peek(s)))
                return stopped_at(s);
        }
    }
}

static enum http_result read_path_and_query(struct scan *s, struct http_slice *path)
{
    size_t           start = s->pos;
    enum http_result result = read_target_part(s, false);

    *path = slice_from(s, start);
    if (result != HTTP_OK || peek(s) != '?')
        return result;
    s->pos++;
    return read_target_part(s, true);
}

/* RFC 9112 section 3.2.2, with the schemes that lead here (case: RFC 3986 section 3.1). */
static enum http_result read_absolute_form(struct scan *s, struct http_request *request)
{
    for (const char *scheme = "http"; *scheme != '\0'; scheme++, s->pos++) {
        if (to_lower(peek(s)) != *scheme)
            return stopped_at(s);
    }
    if (to_lower(peek(s)) == 's')
        s->pos++;
    enum http_result result = expect(s, "://");
    if (result != HTTP_OK)
        return result;

    size_t slash = s->pos - 1, port_digits;
    result = read_authority(s, &request->host, &port_digits);
    if (result != HTTP_OK)
        return result;
    request->has_host = true;
    if (peek(s) == '/' || peek(s) == '?')
        result = read_path_and_query(s, &request->path);
    if (result == HTTP_OK && request->path.len == 0)
        request->path = (struct http_slice){ s->at + slash, 1 };
    return result;
}

/* RFC 9112 section 3.2.3: for CONNECT alone, which takes nothing else. The port is not optional. */
static enum http_result read_authority_form(struct scan *s, struct http_slice *path)
{
    struct http_slice host;
    size_t            start = s->pos, port_digits;
    enum http_result  result = read_authority(s, &host, &port_digits);

    if (result != HTTP_OK)
        return result;
    *path = slice_from(s, start);
    return port_digits > 0 ? HTTP_OK : stopped_at(s);
}

static enum http_result read_target(struct scan *s, struct http_slice method,
                                    struct http_request *request)
{
    if (slice_is(method, "CONNECT"))
        return read_authority_form(s, &request->path);
    if (peek(s) == '/')
        return read_path_and_query(s, &request->path);
    /* RFC 9112 section 3.2.4: for OPTIONS alone. */
    if (peek(s) == '*' && slice_is(method, "OPTIONS")) {
        request->path = (struct http_slice){ s->at + s->pos, 1 };
        s->pos++;
        return HTTP_OK;
    }
    return read_absolute_form(s, request);
}

/* RFC 9112 section 2.3: minor versions above ours are read as ours (RFC 9110 section 2.5). */
static enum http_result read_version(struct scan *s, bool *is_1_0)
{
    enum http_result result = expect(s, "HTTP/1.");

    if (result != HTTP_OK)
        return result;
    if (!is_digit(peek(s)))
        return stopped_at(s);
    *is_1_0 = peek(s) == '0';
    s->pos++;
    return expect(s, "\r\n");
}

/* RFC 9112 section 3 */
static enum http_result read_request_line(struct scan *s, struct http_request *request,
                                          bool *is_1_0)
{
    struct http_slice method = take_while(s, is_tchar);

    if (method.len == 0)
        return stopped_at(s);
    enum http_result result = expect(s, " ");
    if (result != HTTP_OK)
        return result;
    request->method = slice_is(method, "GET")    ? HTTP_GET
                      : slice_is(method, "HEAD") ? HTTP_HEAD
                                                 : HTTP_OTHER;
    result = read_target(s, method, request);
    if (result == HTTP_OK)
        result = expect(s, " ");
    return result == HTTP_OK ? read_version(s, is_1_0) : result;
}

static struct http_slice trim_end(struct http_slice slice)
{
    while (slice.len > 0 && is_blank((unsigned char)slice.at[slice.len - 1]))
        slice.len--;
    return slice;
}

/* RFC 9112 section 5: no blank before the colon, no continued line (5.1, 5.2). */
static enum http_result read_field(struct scan *s, struct http_slice *name,
                                   struct http_slice *value)
{
    *name = take_while(s, is_tchar);
    if (name->len == 0)
        return stopped_at(s);
    enum http_result result = expect(s, ":");
    if (result != HTTP_OK)
        return result;
    take_while(s, is_blank);
    *value = trim_end(take_while(s, is_field_char));
    return expect(s, "\r\n");
}

/* RFC 9112 section 3.2: one Host at most, in HTTP/1.0 too. */
static enum http_result apply_host(struct http_slice value, struct fields *fields,
                                   struct http_request *request)
{
    struct scan       s = { value.at, 0, value.len };
    struct http_slice host;
    size_t            port_digits;

    if (++fields->hosts > 1 || read_authority(&s, &host, &port_digits) != HTTP_OK || s.pos < s.len)
        return HTTP_BAD;
    /* RFC 9112 section 3.2.2: the host of absolute-form wins. */
    if (!request->has_host)
        request->host = host;
    request->has_host = true;
    return HTTP_OK;
}

/* RFC 9112 section 6.3: a length that can be doubted is an error; the same one twice cannot. */
static enum http_result apply_content_length(struct http_slice value, struct fields *fields,
                                             struct http_request *request)
{
    struct scan              s = { value.at, 0, value.len };
    const struct http_slice *first = &fields->content_length;

    if (take_while(&s, is_digit).len != value.len || value.len == 0)
        return HTTP_BAD;
    if (first->at != NULL &&
        (first->len != value.len || memcmp(first->at, value.at, value.len) != 0))
        return HTTP_BAD;
    fields->content_length = value;
    for (size_t i = 0; i < value.len; i++)
        request->has_body = request->has_body || value.at[i] != '0';
    return HTTP_OK;
}

/* RFC 9110 section 7.6.1: a list of tokens. Empty ones count for nothing (section 5.6.1). */
static enum http_result apply_connection(struct http_slice value, struct fields *fields)
{
    struct scan s = { value.at, 0, value.len };

    for (;;) {
        take_while(&s, is_blank);
        if (slice_is_nocase(take_while(&s, is_tchar), "close"))
            fields->close = true;
        take_while(&s, is_blank);
        if (peek(&s) < 0)
            return HTTP_OK;
        if (peek(&s) != ',')
            return HTTP_BAD;
        s.pos++;
    }
}

static enum http_result apply_field(struct http_slice name, struct http_slice value,
                                    struct fields *fields, struct http_request *request)
{
    enum http_result result = HTTP_OK;

    if (slice_is_nocase(name, "host"))
        result = apply_host(value, fields, request);
    else if (slice_is_nocase(name, "connection"))
        result = apply_connection(value, fields);
    else if (slice_is_nocase(name, "content-length"))
        result = apply_content_length(value, fields, request);
    else if (slice_is_nocase(name, "transfer-encoding"))
        fields->coded = request->has_body = true;
    else if (slice_is_nocase(name, "user-agent") && request->user_agent.len == 0)
        request->user_agent = value;
    /* RFC 9112 section 6.1: both together is how requests are smuggled. */
    if (fields->coded && fields->content_length.at != NULL)
        result = HTTP_BAD;
    return result;
}

static enum http_result read_fields(struct scan *s, struct fields *fields,
                                    struct http_request *request)
{
    struct http_slice name, value;

    while (peek(s) != '\r') {
        if (peek(s) >= 0 && ++fields->count > HTTP_FIELDS_MAX) {
            request->status = 431;
            return HTTP_BAD;
        }
        enum http_result result = read_field(s, &name, &value);
        if (result == HTTP_OK)
            result = apply_field(name, value, fields, request);
        if (result != HTTP_OK)
            return result;
    }
    return expect(s, "\r\n");
}

static enum http_result read_head(struct scan *s, struct http_request *request)
{
    struct fields    fields = { 0 };
    struct scan      line;
    bool             is_1_0;
    enum http_result result;

    /* RFC 9112 section 2.2: some clients end a body with one line end too many. */
    if (peek(s) == '\r' && (result = expect(s, "\r\n")) != HTTP_OK)
        return result;
    line = *s;
    line.len = min_size(s->len, s->pos + HTTP_LINE_MAX);
    result = read_request_line(&line, request, &is_1_0);
    if (result == HTTP_MORE && line.len == s->pos + HTTP_LINE_MAX) {
        request->status = 414;
        return HTTP_BAD;
    }
    if (result != HTTP_OK)
        return result;
    s->pos = line.pos;
    result = read_fields(s, &fields, request);
    if (result != HTTP_OK)
        return result;
    request->keep_alive = !is_1_0 && !fields.close;
    request->head_len = s->pos;
    return is_1_0 || fields.hosts == 1 ? HTTP_OK : HTTP_BAD;
}

enum http_result http_request_read(const char *bytes, size_t len, struct http_request *request)
{
    struct scan s = { bytes, 0, min_size(len, HTTP_HEAD_MAX) };

    memset(request, 0, sizeof *request);
    if (len == 0)
        return HTTP_MORE;
    enum http_result result = read_head(&s, request);
    if (result == HTTP_MORE && s.len == HTTP_HEAD_MAX) {
        request->status = 431;
        result = HTTP_BAD;
    }
    if (result == HTTP_BAD && request->status == 0)
        request->status = 400;
    return result;
}
