#include "server/answers.h"

#include "common/hostname.h"
#include "common/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_MAX = 512,  /* bytes: every field has a bound */
    PAGE_MAX = 2048, /* bytes: the text, and five names of at most 253 */
    DATE_MAX = 80    /* bytes of an IMF-fixdate with its NUL, whatever a struct tm can hold */
};

#define TEXT_PLAIN "text/plain"
#define ALLOW      "Allow: GET, HEAD\r\n"

/* What differs from head to head. */
struct head {
    unsigned    status;
    const char *type;
    const char *field; /* one more field line with its CRLF, or "" */
    size_t      body_len;
    bool        no_body; /* the request was HEAD: only told the length (RFC 9110 section 9.3.2) */
    bool        close;
};

static const char *reason(unsigned status)
{
    static const struct {
        unsigned    status;
        const char *text;
    } reasons[] = { { 200, "OK" },
                    { 400, "Bad Request" },
                    { 403, "Forbidden" },
                    { 404, "Not Found" },
                    { 405, "Method Not Allowed" },
                    { 408, "Request Timeout" },
                    { 414, "URI Too Long" },
                    { 421, "Misdirected Request" },
                    { 431, "Request Header Fields Too Large" },
                    { 500, "Internal Server Error" },
                    { 503, "Service Unavailable" } };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].text;
    }
    return "Error";
}

/* IMF-fixdate (RFC 9110 section 5.6.7), whatever the locale. */
static void format_date(time_t now, char date[DATE_MAX])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm         utc;

    gmtime_r(&now, &utc);
    snprintf(date, DATE_MAX, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
             days + (ptrdiff_t)3 * utc.tm_wday, utc.tm_mday, months + (ptrdiff_t)3 * utc.tm_mon,
             utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

/*
 * Writes the head and makes room for the body behind it. Returns where the body is
 * to be written, NULL when there is none to write: no memory, or HEAD.
 */
static char *compose(const struct head *head, time_t now, struct answer *answer)
{
    char   text[HEAD_MAX];
    char   date[DATE_MAX];
    size_t head_len;

    format_date(now, date);
    head_len = (size_t)snprintf(text, sizeof(text),
                                "HTTP/1.1 %u %s\r\n"
                                "Date: %s\r\n"
                                "Content-Type: %s\r\n"
                                "Content-Length: %zu\r\n"
                                "X-Content-Type-Options: nosniff\r\n"
                                "%s%s\r\n",
                                head->status, reason(head->status), date, head->type,
                                head->body_len, head->field,
                                head->close ? "Connection: close\r\n" : "");
    answer->status = head->status;
    answer->close = head->close;
    answer->len = head_len + (head->no_body ? 0 : head->body_len);
    answer->bytes = malloc(answer->len);
    if (answer->bytes == NULL) {
        answer->len = 0;
        return NULL;
    }
    memcpy(answer->bytes, text, head_len);
    return head->no_body ? NULL : answer->bytes + head_len;
}

/* body_len bytes of a body that is there already. */
static void compose_copy(const struct head *head, const char *body, time_t now,
                         struct answer *answer)
{
    char *out = compose(head, now, answer);

    if (out != NULL && head->body_len > 0)
        memcpy(out, body, head->body_len);
}

/* head's status as one line of text. */
static void compose_line(struct head *head, time_t now, struct answer *answer)
{
    char line[64];

    head->type = TEXT_PLAIN;
    head->body_len = (size_t)snprintf(line, sizeof(line), "%u %s\r\n", head->status,
                                      reason(head->status));
    compose_copy(head, line, now, answer);
}

/*
 * For the person who opens the host in a browser. Both names are canonical host names: letters,
 * digits, hyphens and dots, nothing that HTML could take for its own.
 */
static void compose_page(struct head *head, const struct config_match *match, const char *sni,
                         size_t sni_len, time_t now, struct answer *answer)
{
    char page[PAGE_MAX];
    int  host = (int)sni_len;
    int  domain = (int)match->domain_len;
    int  len;

    len = snprintf(page, sizeof(page),
                   "<!DOCTYPE html>\n"
                   "<html lang=\"en\">\n"
                   "<meta charset=\"utf-8\">\n"
                   "<title>%.*s</title>\n"
                   "<p>This host does one thing: it tells mail servers how to deliver safely to"
                   " <a href=\"https://%.*s\">%.*s</a>, by its"
                   " <a href=\"https://%.*s" ANSWERS_POLICY_PATH "\">MTA-STS policy</a>"
                   " (<a href=\"https://www.rfc-editor.org/rfc/rfc8461\">RFC 8461</a>).</p>\n"
                   "</html>\n",
                   host, sni, domain, match->domain, domain, match->domain, host, sni);
    head->type = "text/html; charset=utf-8";
    head->body_len = (size_t)len;
    compose_copy(head, page, now, answer);
}

static void compose_policy(struct head *head, const struct config_match *match, time_t now,
                           struct answer *answer)
{
    char *out;

    head->type = TEXT_PLAIN; /* RFC 8461 section 3.2; some senders compare the whole field */
    head->body_len = policy_body_length(match->policy, match->domain_len);
    out = compose(head, now, answer);
    if (out != NULL)
        policy_body_write(match->policy, match->domain, match->domain_len, out);
}

static bool path_is(const struct http_slice *path, const char *wanted)
{
    return path->len == strlen(wanted) && memcmp(path->at, wanted, path->len) == 0;
}

void answers_policy(const struct http_request *request, const struct config_match *match,
                    const char *sni, size_t sni_len, bool close, time_t now, struct answer *answer)
{
    struct head head = {
        .status = 200, .field = "", .no_body = request->method == HTTP_HEAD, .close = close
    };

    if (request->has_host && !hostname_equal(request->host.at, request->host.len, sni, sni_len)) {
        head.status = 421; /* RFC 9110 section 15.5.20 */
        compose_line(&head, now, answer);
    } else if (!path_is(&request->path, ANSWERS_POLICY_PATH)) {
        head.status = 403;
        compose_page(&head, match, sni, sni_len, now, answer);
    } else if (request->method == HTTP_OTHER) {
        head.status = 405;
        head.field = ALLOW; /* RFC 9110 section 15.5.6 */
        compose_line(&head, now, answer);
    } else {
        compose_policy(&head, match, now, answer);
    }
}

void answers_status(unsigned status, bool head, bool close, time_t now, struct answer *answer)
{
    struct head bare = { .status = status, .field = "", .no_body = head, .close = close };

    compose_line(&bare, now, answer);
}

void answers_token(const char *bytes, size_t len, bool head, bool close, time_t now,
                   struct answer *answer)
{
    struct head token = { .status = 200,
                          .type = "application/octet-stream", /* RFC 8555 section 8.3 */
                          .field = "",
                          .body_len = len,
                          .no_body = head,
                          .close = close };

    compose_copy(&token, bytes, now, answer);
}

void answers_health(const struct http_request *request, const char *unready, bool close, time_t now,
                    struct answer *answer)
{
    struct head head = { .status = 200,
                         .type = TEXT_PLAIN,
                         .field = "",
                         .no_body = request->method == HTTP_HEAD,
                         .close = close };
    bool        livez = path_is(&request->path, "/livez");
    char        line[128];

    if (!livez && !path_is(&request->path, "/readyz")) {
        head.status = 404;
        compose_line(&head, now, answer);
    } else if (request->method == HTTP_OTHER) {
        head.status = 405;
        head.field = ALLOW;
        compose_line(&head, now, answer);
    } else {
        head.status = livez || unready == NULL ? 200 : 503;
        head.body_len = (size_t)snprintf(line, sizeof(line), "%s\r\n",
                                         livez             ? "alive"
                                         : unready == NULL ? "ready"
                                                           : unready);
        compose_copy(&head, line, now, answer);
    }
}
