/*
 * http: requests that are read, and everything that is not one. Every input is
 * read at the end of a page whose successor cannot be read, so that one byte
 * too far ends the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/http.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FETCH        "GET /.well-known/mta-sts.txt HTTP/1.1\r\n"
#define HOST         "Host: mta-sts.example.org\r\n"

static char *readable_end; /* the next byte after it faults */

static int map_guard(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 8 * page;
    char  *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    if (area == MAP_FAILED || mprotect(area + size - page, page, PROT_NONE) != 0)
        return -1;
    readable_end = area + size - page;
    return 0;
}

/* *request is dirty before, so that nothing is right by chance. */
static enum http_result read_bytes(const char *bytes, size_t len, struct http_request *request)
{
    memset(request, 0xa5, sizeof *request);
    memcpy(readable_end - len, bytes, len);
    return http_request_read(readable_end - len, len, request);
}

static enum http_result read_text(const char *text, struct http_request *request)
{
    return read_bytes(text, strlen(text), request);
}

static void assert_slice(struct http_slice slice, const char *text)
{
    assert_int_equal(slice.len, strlen(text));
    if (slice.len > 0)
        assert_memory_equal(slice.at, text, slice.len);
}

/* Refused at its last byte, and not before. */
static void assert_refused_at_the_end(const char *text, unsigned status)
{
    struct http_request request;
    size_t              len = 0;

    while (len <= strlen(text) && read_bytes(text, len, &request) == HTTP_MORE)
        len++;
    if (len != strlen(text))
        fail_msg("told at byte %zu of %zu: %s", len, strlen(text), text);
    assert_int_equal(read_bytes(text, len, &request), HTTP_BAD);
    assert_int_equal(request.status, status);
}

/* A head whose one field of interest stands between a request line and its end. */
static enum http_result read_field(const char *field, struct http_request *request)
{
    char head[1024];

    assert_true((size_t)snprintf(head, sizeof head, FETCH HOST "%s\r\n\r\n", field) < sizeof head);
    return read_text(head, request);
}

static void a_fetch_is_read(void **state)
{
    static const char head[] = FETCH HOST "User-Agent: a sender/1.0 (test)\r\nAccept: */*\r\n\r\n";

    struct http_request request;

    (void)state;
    assert_int_equal(read_text(head, &request), HTTP_OK);
    assert_int_equal(request.method, HTTP_GET);
    assert_slice(request.path, "/.well-known/mta-sts.txt");
    assert_slice(request.host, "mta-sts.example.org");
    assert_slice(request.user_agent, "a sender/1.0 (test)");
    assert_true(request.has_host && request.keep_alive);
    assert_false(request.has_body);
    assert_int_equal(request.head_len, strlen(head));
}

static void every_prefix_of_a_request_asks_for_more(void **state)
{
    static const char *const heads[] = {
        FETCH HOST "User-Agent: a\r\nConnection: keep-alive, TE\r\n\r\n",
        "\r\nGET http://user.example:80/a%2fb?c%20=%3f HTTP/1.1\r\nHost: x\r\n\r\n",
        "HEAD HTTPS://[2001:db8::1]:443 HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost:mta-sts.example.org.:8443 \t\r\nX:\r\n\r\n",
        "CONNECT mta-sts.example.org:443 HTTP/1.1\r\nHost: mta-sts.example.org:443\r\n\r\n",
    };
    struct http_request request;

    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++) {
        for (size_t len = 0; len < strlen(heads[i]); len++)
            assert_int_equal(read_bytes(heads[i], len, &request), HTTP_MORE);
        assert_int_equal(read_text(heads[i], &request), HTTP_OK);
        assert_int_equal(request.head_len, strlen(heads[i]));
    }
}

static void the_next_request_starts_behind_the_head(void **state)
{
    static const char two[] = FETCH HOST "\r\nHEAD / HTTP/1.0\r\n\r\n\x01\xff";

    struct http_request request;

    (void)state;
    assert_int_equal(read_text(two, &request), HTTP_OK);
    assert_int_equal(request.head_len, strlen(FETCH HOST "\r\n"));
    assert_int_equal(read_text(two + request.head_len, &request), HTTP_OK);
    assert_int_equal(request.method, HTTP_HEAD);
    assert_int_equal(request.head_len, strlen("HEAD / HTTP/1.0\r\n\r\n"));
}

static void one_empty_line_before_the_request_is_skipped(void **state)
{
    struct http_request request;

    (void)state;
    assert_int_equal(read_text("\r\n" FETCH HOST "\r\n", &request), HTTP_OK);
    assert_int_equal(request.head_len, strlen("\r\n" FETCH HOST "\r\n"));
    assert_refused_at_the_end("\r\n\r", 400);
    assert_refused_at_the_end("\n", 400);
    assert_refused_at_the_end("\rG", 400);
}

static void methods_are_told_apart_by_case(void **state)
{
    static const struct {
        const char      *line;
        enum http_method method;
    } cases[] = {
        { "GET / HTTP/1.0\r\n\r\n", HTTP_GET },
        { "HEAD / HTTP/1.0\r\n\r\n", HTTP_HEAD },
        { "get / HTTP/1.0\r\n\r\n", HTTP_OTHER },
        { "Head / HTTP/1.0\r\n\r\n", HTTP_OTHER },
        { "POST / HTTP/1.0\r\n\r\n", HTTP_OTHER },
        { "GE / HTTP/1.0\r\n\r\n", HTTP_OTHER },
        { "GETS / HTTP/1.0\r\n\r\n", HTTP_OTHER },
        { "!#$%&'*+-.^_`|~09azAZ / HTTP/1.0\r\n\r\n", HTTP_OTHER },
        { "OPTIONS * HTTP/1.0\r\n\r\n", HTTP_OTHER },
    };
    struct http_request request;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(read_text(cases[i].line, &request), HTTP_OK);
        assert_int_equal(request.method, cases[i].method);
    }
}

static void targets_are_read_in_their_four_forms(void **state)
{
    static const struct {
        const char *line, *path, *host;
    } cases[] = {
        { "GET / HTTP/1.1\r\n", "/", "h" },
        { "GET /a/b?c=d?/ HTTP/1.1\r\n", "/a/b", "h" },
        { "GET /? HTTP/1.1\r\n", "/", "h" },
        { "GET //a HTTP/1.1\r\n", "//a", "h" },
        { "GET /%2e%2E/~-._!$&'()*+,;=:@ HTTP/1.1\r\n", "/%2e%2E/~-._!$&'()*+,;=:@", "h" },
        { "GET http://Other.example/a?b HTTP/1.1\r\n", "/a", "Other.example" },
        { "GET HttpS://other.example.:8443/a HTTP/1.1\r\n", "/a", "other.example" },
        { "GET http://other.example HTTP/1.1\r\n", "/", "other.example" },
        { "GET https://other.example:?a HTTP/1.1\r\n", "/", "other.example" },
        { "GET http://[2001:db8::1]:80/ HTTP/1.1\r\n", "/", "[2001:db8::1]" },
        { "OPTIONS * HTTP/1.1\r\n", "*", "h" },
        { "CONNECT other.example:443 HTTP/1.1\r\n", "other.example:443", "h" },
        { "CONNECT [::1]:443 HTTP/1.1\r\n", "[::1]:443", "h" },
    };
    char                head[256];
    struct http_request request;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(head, sizeof head, "%sHost: h\r\n\r\n", cases[i].line);
        assert_int_equal(read_text(head, &request), HTTP_OK);
        assert_slice(request.path, cases[i].path);
        assert_slice(request.host, cases[i].host);
    }
}

/* Each case ends with the byte that cannot be mended. */
static void a_malformed_request_line_is_refused_at_once(void **state)
{
    static const char *const cases[] = {
        " ",
        "\x16",
        "G\t",
        "GET\t",
        "GET\r",
        "GET\n",
        "G\x80",
        "G(",
        "GET  ",
        "GET a",
        "GET hu",
        "GET http:a",
        "GET httpx",
        "GET http:/a",
        "GET ?",
        "GET *",
        "GET http:// ",
        "GET http:///",
        "GET http://:",
        "GET http://.",
        "GET http://a..",
        "GET http://a@",
        "GET http://a:b",
        "GET http://a:65536",
        "GET http://a:99999",
        "GET http://[]",
        "GET http://[g",
        "GET http://[::1\r",
        "GET http://[::1]a",
        "GET http://a%",
        "GET http://a#",
        "OPTIONS *a",
        "OPTIONS **",
        "CONNECT /",
        "CONNECT a ",
        "CONNECT a: ",
        "CONNECT a/",
        "CONNECT *",
        "CONNECT a:1/",
        "CONNECT [::1] ",
        "GET /#",
        "GET /a\\",
        "GET /\"",
        "GET /<",
        "GET /^",
        "GET /{",
        "GET /|",
        "GET /\x7f",
        "GET /\x80",
        "GET /\xc3",
        "GET /\t",
        "GET /\r",
        "GET /\n",
        "GET /%g",
        "GET /%2 ",
        "GET /?#",
        "GET /?\x01",
        "GET /?%z",
        "GET /  ",
        "GET / h",
        "GET / HTTPS",
        "GET / HTTP/2",
        "GET / HTTP/0",
        "GET / HTTP/1 ",
        "GET / HTTP/1.a",
        "GET / HTTP/1.10",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\r\r",
        "GET / R",
        "PRI *",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_refused_at_the_end(cases[i], 400);
}

static void a_malformed_field_line_is_refused_at_once(void **state)
{
    static const char *const cases[] = {
        " ",       "\t",      "\n",      ":",         "a ",     "a\t",      "a\r",
        "a\n",     "a\x80",   "(",       "\x7f",      "a: b\n", "a: b\r\r", "a: b\rc",
        "a: \x01", "a: \x1f", "a: \x7f", "a: b\r\n ", "\r\r",
    };
    char head[256];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(head, sizeof head, FETCH HOST "%s", cases[i]);
        assert_refused_at_the_end(head, 400);
    }
}

static void a_nul_is_refused_wherever_it_stands(void **state)
{
    static const char   head[] = "GET /a?b HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
    char                broken[sizeof head];
    struct http_request request;

    (void)state;
    for (size_t at = 0; at < strlen(head); at++) {
        memcpy(broken, head, sizeof head);
        broken[at] = '\0';
        assert_int_equal(read_bytes(broken, at, &request), HTTP_MORE);
        assert_int_equal(read_bytes(broken, strlen(head), &request), HTTP_BAD);
        assert_int_equal(request.status, 400);
    }
}

static void field_values_may_hold_tabs_and_bytes_from_0x80(void **state)
{
    struct http_request request;

    (void)state;
    assert_int_equal(read_field("user-AGENT: \t a\tb\x80\xff \t", &request), HTTP_OK);
    assert_slice(request.user_agent, "a\tb\x80\xff");
    assert_int_equal(read_field("User-Agent: a\r\nUser-Agent: b", &request), HTTP_OK);
    assert_slice(request.user_agent, "a");
    assert_int_equal(read_field("User-Agent:", &request), HTTP_OK);
    assert_slice(request.user_agent, "");
    assert_int_equal(read_field("X-User-Agent: a", &request), HTTP_OK);
    assert_slice(request.user_agent, "");
}

static void http_1_1_needs_exactly_one_host(void **state)
{
    struct http_request request;

    (void)state;
    assert_refused_at_the_end(FETCH "\r\n", 400);
    assert_refused_at_the_end("GET / HTTP/1.9\r\n\r\n", 400);
    assert_refused_at_the_end("GET http://a/ HTTP/1.1\r\n\r\n", 400);
    assert_refused_at_the_end(FETCH HOST HOST, 400);
    assert_refused_at_the_end("GET / HTTP/1.0\r\n" HOST "hOST: b\r\n", 400);
    assert_int_equal(read_text("GET / HTTP/1.0\r\n\r\n", &request), HTTP_OK);
    assert_false(request.has_host);
    assert_int_equal(request.host.len, 0);
    assert_int_equal(read_text("GET http://a/ HTTP/1.0\r\n\r\n", &request), HTTP_OK);
    assert_true(request.has_host);
    assert_slice(request.host, "a");
}

static void port_and_final_dot_are_taken_off_the_host(void **state)
{
    static const char *const cases[][2] = {
        { "A.example", "A.example" },
        { "a.example.", "a.example" },
        { "a.example:443", "a.example" },
        { "a.example.:443", "a.example" },
        { " \ta:65535\t ", "a" },
        { "a:", "a" },
        { "a_b-c.d", "a_b-c.d" },
        { "192.0.2.1:80", "192.0.2.1" },
        { "[::1]", "[::1]" },
        { "[2001:db8::1]:443", "[2001:db8::1]" },
    };
    char                head[256];
    struct http_request request;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(head, sizeof head, FETCH "Host:%s\r\n\r\n", cases[i][0]);
        assert_int_equal(read_text(head, &request), HTTP_OK);
        assert_slice(request.host, cases[i][1]);
    }
}

static void a_host_that_is_no_host_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        ".",
        ":443",
        ".a",
        "a..",
        "a..b",
        "a b",
        "a,b",
        "a/b",
        "a@b",
        "a:b",
        "a:1:2",
        "a:65536",
        "a:4294967297",
        "a\x80",
        "\xc3\xa4.example",
        "a%41",
        "[::1",
        "::1",
        "[]",
        "[::1].",
        "[a.example]",
        "http://a",
        "a:+1",
        "a: 1",
        "a\t.b",
        "*.a",
    };
    char head[256];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(head, sizeof head, FETCH "Host: %s\r\n", cases[i]);
        assert_refused_at_the_end(head, 400);
        snprintf(head, sizeof head, "GET http://a/ HTTP/1.0\r\nHost: %s\r\n", cases[i]);
        assert_refused_at_the_end(head, 400);
    }
}

static void keep_alive_is_the_clients_wish_in_http_1_1(void **state)
{
    static const struct {
        const char *field;
        bool        keep_alive;
    } cases[] = {
        { "X: close", true },
        { "Connection: keep-alive", true },
        { "Connection: closed, not-close", true },
        { "Connection:", true },
        { "Connection: close", false },
        { "connection: CLOSE", false },
        { "Connection: te,close", false },
        { "Connection: , ,\tClose\t,te", false },
        { "Connection: keep-alive\r\nConnection: close", false },
        { "Connection: close\r\nConnection: keep-alive", false },
    };
    struct http_request request;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(read_field(cases[i].field, &request), HTTP_OK);
        assert_int_equal(request.keep_alive, cases[i].keep_alive);
    }
    assert_int_equal(read_text("GET / HTTP/1.7\r\n" HOST "\r\n", &request), HTTP_OK);
    assert_true(request.keep_alive);
    assert_int_equal(read_text("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &request),
                     HTTP_OK);
    assert_false(request.keep_alive);
    assert_refused_at_the_end(FETCH HOST "Connection: clo se\r\n", 400);
    assert_refused_at_the_end(FETCH HOST "Connection: \"close\"\r\n", 400);
}

static void a_body_is_announced_by_length_or_coding(void **state)
{
    static const struct {
        const char *field;
        bool        has_body;
    } cases[] = {
        { "X: 1", false },
        { "Content-Length: 0", false },
        { "Content-Length: 000", false },
        { "Content-Length: 1", true },
        { "CONTENT-LENGTH: 99999999999999999999999999", true },
        { "Content-Length: 10\r\ncontent-length: 10", true },
        { "Transfer-Encoding: chunked", true },
        { "Transfer-Encoding: identity", true },
        { "transfer-encoding:", true },
    };
    struct http_request request;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(read_field(cases[i].field, &request), HTTP_OK);
        assert_int_equal(request.has_body, cases[i].has_body);
    }
}

static void a_length_that_can_be_doubted_is_refused(void **state)
{
    static const char *const cases[] = {
        "Content-Length:",
        "Content-Length: a",
        "Content-Length: +1",
        "Content-Length: -1",
        "Content-Length: 1 1",
        "Content-Length: 1, 1",
        "Content-Length: 0x1",
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 10\r\nContent-Length: 1",
        "Content-Length: 0\r\nContent-Length: 00",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
    };
    char head[256];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(head, sizeof head, FETCH HOST "%s\r\n", cases[i]);
        assert_refused_at_the_end(head, 400);
    }
}

/* from, then fill repeated up to len bytes */
static void fill(char *head, const char *from, char byte, size_t len)
{
    memset(head, byte, len);
    memcpy(head, from, strlen(from));
    head[len] = '\0';
}

static void a_request_line_over_its_limit_is_414(void **state)
{
    static const char   end[] = " HTTP/1.0\r\n";
    static char         head[HTTP_HEAD_MAX];
    struct http_request request;

    (void)state;
    fill(head, "GET /", 'a', HTTP_LINE_MAX);
    assert_refused_at_the_end(head, 414);
    fill(head, "GET /", 'a', HTTP_LINE_MAX - strlen(end));
    strcat(strcat(head, end), "\r\n");
    assert_int_equal(read_text(head, &request), HTTP_OK);
    fill(head, "\r\nGET /?", 'a', 2 + HTTP_LINE_MAX - strlen(end));
    strcat(strcat(head, end), "\r\n");
    assert_int_equal(read_text(head, &request), HTTP_OK);
    fill(head, "GET /", 'a', HTTP_LINE_MAX - strlen(end) + 1);
    strcat(strcat(head, end), "\r\n");
    assert_int_equal(read_text(head, &request), HTTP_BAD);
    assert_int_equal(request.status, 414);
    fill(head, "G", 'G', HTTP_LINE_MAX);
    assert_refused_at_the_end(head, 414);
}

static void a_head_over_its_limit_is_431(void **state)
{
    static char         head[HTTP_HEAD_MAX + 64];
    struct http_request request;

    (void)state;
    fill(head, FETCH HOST "X: ", 'a', HTTP_HEAD_MAX);
    assert_refused_at_the_end(head, 431);
    fill(head, FETCH HOST, 'a', HTTP_HEAD_MAX);
    assert_refused_at_the_end(head, 431);
    fill(head, FETCH HOST "X: ", 'a', HTTP_HEAD_MAX - 4);
    strcat(head, "\r\n\r\n");
    assert_int_equal(read_text(head, &request), HTTP_OK);
    assert_int_equal(request.head_len, HTTP_HEAD_MAX);
    fill(head, FETCH HOST "X: ", 'a', HTTP_HEAD_MAX - 3);
    strcat(head, "\r\n\r\n");
    assert_int_equal(read_text(head, &request), HTTP_BAD);
    assert_int_equal(request.status, 431);
}

static void one_field_too_many_is_431(void **state)
{
    char head[1024] = FETCH HOST;
    struct http_request     request;

    (void)state;
    for (size_t i = 1; i < HTTP_FIELDS_MAX; i++)
        strcat(head, "A:\r\n");
    strcat(head, "\r\n");
    assert_int_equal(read_text(head, &request), HTTP_OK);
    strcpy(head + strlen(head) - 2, "A");
    assert_refused_at_the_end(head, 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fetch_is_read),
        cmocka_unit_test(every_prefix_of_a_request_asks_for_more),
        cmocka_unit_test(the_next_request_starts_behind_the_head),
        cmocka_unit_test(one_empty_line_before_the_request_is_skipped),
        cmocka_unit_test(methods_are_told_apart_by_case),
        cmocka_unit_test(targets_are_read_in_their_four_forms),
        cmocka_unit_test(a_malformed_request_line_is_refused_at_once),
        cmocka_unit_test(a_malformed_field_line_is_refused_at_once),
        cmocka_unit_test(a_nul_is_refused_wherever_it_stands),
        cmocka_unit_test(field_values_may_hold_tabs_and_bytes_from_0x80),
        cmocka_unit_test(http_1_1_needs_exactly_one_host),
        cmocka_unit_test(port_and_final_dot_are_taken_off_the_host),
        cmocka_unit_test(a_host_that_is_no_host_is_refused),
        cmocka_unit_test(keep_alive_is_the_clients_wish_in_http_1_1),
        cmocka_unit_test(a_body_is_announced_by_length_or_coding),
        cmocka_unit_test(a_length_that_can_be_doubted_is_refused),
        cmocka_unit_test(a_request_line_over_its_limit_is_414),
        cmocka_unit_test(a_head_over_its_limit_is_431),
        cmocka_unit_test(one_field_too_many_is_431),
    };
    return cmocka_run_group_tests(tests, map_guard, NULL);
}
