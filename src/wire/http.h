/*
 * http: one HTTP/1 request head, read strictly (RFC 9112).
 *
 * This server answers one path to one method, so the reader is as narrow as
 * the standard allows: what two parsers could read in two ways is refused, not
 * repaired. Bare LF, obs-fold, blanks before the colon, control characters and
 * bytes from 0x80 in the target are all errors. A pure function: the caller's buffer
 * in, borrowed slices out, no allocation; call it again with more bytes.
 */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

enum {
    HTTP_LINE_MAX = 2048, /* bytes of the request line, CRLF included; beyond: 414 */
    HTTP_HEAD_MAX = 8192, /* bytes of request line and fields together; beyond: 431 */
    HTTP_FIELDS_MAX = 64  /* field lines; beyond: 431 */
};

enum http_result {
    HTTP_MORE, /* so far a request, but not the whole head */
    HTTP_OK,   /* whole; *request is filled in */
    HTTP_BAD   /* answer request->status, then close */
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_OTHER };

struct http_slice {
    const char *at; /* into the caller's buffer; not NUL-terminated */
    size_t      len;
};

struct http_request {
    enum http_method  method;
    struct http_slice path;       /* as sent, without the query; "/" when absolute-form has none;
                                     "*" or an authority with HTTP_OTHER methods */
    struct http_slice host;       /* of absolute-form's authority, else of the Host field:
                                     port and one final dot taken off, case as sent */
    bool              has_host;   /* false only in HTTP/1.0 without Host */
    struct http_slice user_agent; /* the first; empty when not sent */
    bool              keep_alive; /* the client's wish: 1.1 without "close"; in 1.0 never */
    bool              has_body;   /* Content-Length other than 0, or Transfer-Encoding:
                                     answer, then close, reading none of it */
    size_t            head_len;   /* bytes of the head; the next request starts there */
    unsigned          status;     /* with HTTP_BAD: 400, 414 or 431 */
};

/*
 * Reads a request head from the first len bytes. One empty line before the
 * request line is skipped (RFC 9112 section 2.2) and counted in head_len.
 * HTTP_BAD is told at the first byte that cannot be mended by more bytes; a
 * field's value is judged when its line is whole. At HTTP_HEAD_MAX bytes the
 * answer is never HTTP_MORE.
 * 400: malformed; a major version other than 1; HTTP/1.1 without exactly one
 * Host (RFC 9112 section 3.2), a Host that is no host; a target that is neither
 * origin-form nor http(s) absolute-form (OPTIONS * and CONNECT's authority-form
 * are read, as HTTP_OTHER); two differing Content-Lengths, or Content-Length
 * beside Transfer-Encoding. Minor versions above 1 are read as 1.1.
 */
enum http_result http_request_read(const char *bytes, size_t len, struct http_request *request);

#endif
