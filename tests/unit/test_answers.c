/* answers: every byte of every response. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/answers.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SNI          "mta-sts.example.org"
#define DATE         "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" /* RFC 9110's own */

static const time_t then = 784111777;

#define BODY "version: STSv1\r\nmode: enforce\r\nmx: mail.%d\r\nmax_age: 604800\r\n"

static const struct policy policy = { .body = BODY,
                                      .body_len = sizeof(BODY) - 1,
                                      .body_domains = 1 };

/* What is true of every answer; then its head and body as strings. */
struct read {
    char        head[1024];
    const char *body; /* NUL-terminated here */
    size_t      body_len;
    char        bytes[4096];
};

static void read_answer(struct answer *answer, bool head_only, struct read *read)
{
    const char *end, *length;

    assert_non_null(answer->bytes);
    assert_true(answer->len < sizeof(read->bytes));
    memset(read, 0, sizeof(*read));
    memcpy(read->bytes, answer->bytes, answer->len);
    free(answer->bytes);
    end = strstr(read->bytes, "\r\n\r\n");
    assert_non_null(end);
    memcpy(read->head, read->bytes, (size_t)(end + 2 - read->bytes));
    read->body = end + 4;
    read->body_len = answer->len - (size_t)(read->body - read->bytes);

    length = strstr(read->head, "\r\nContent-Length: ");
    assert_non_null(length);
    if (head_only)
        assert_int_equal(read->body_len, 0);
    else
        assert_int_equal(strtoul(length + 18, NULL, 10), read->body_len);
    assert_int_equal(strtoul(read->head + strlen("HTTP/1.1 "), NULL, 10), answer->status);
    assert_non_null(strstr(read->head, "\r\n" DATE));
    assert_non_null(strstr(read->head, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_int_equal(strstr(read->head, "\r\nConnection: close\r\n") != NULL, answer->close);
    assert_null(strstr(read->head, "\r\nServer:"));
    assert_null(strstr(read->head, "\r\nLocation:")); /* RFC 8461 section 3.3 */
}

static struct http_slice slice(const char *text)
{
    return (struct http_slice){ text, strlen(text) };
}

static struct http_request request_for(enum http_method method, const char *path, const char *host)
{
    return (struct http_request){ .method = method,
                                  .path = slice(path),
                                  .host = slice(host != NULL ? host : ""),
                                  .has_host = host != NULL,
                                  .keep_alive = true };
}

static unsigned answer_to(const struct http_request *request, bool close, struct read *read)
{
    /* No NUL behind the domain: it is a piece of something longer. */
    const struct config_match match = { &policy, "example.orgX", 11, false };
    struct answer             answer;

    answers_policy(request, &match, SNI "X", strlen(SNI), close, then, &answer);
    read_answer(&answer, request->method == HTTP_HEAD, read);
    return answer.status;
}

static unsigned status_of(enum http_method method, const char *path, const char *host)
{
    struct http_request request = request_for(method, path, host);
    struct read         read;

    return answer_to(&request, false, &read);
}

static void the_policy_is_exactly_this(void **state)
{
    struct http_request request = request_for(HTTP_GET, ANSWERS_POLICY_PATH, SNI);
    struct read         read;

    (void)state;
    answer_to(&request, false, &read);
    assert_string_equal(read.bytes, "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\n"
                                    "Content-Length: 70\r\n"
                                    "X-Content-Type-Options: nosniff\r\n"
                                    "\r\n"
                                    "version: STSv1\r\nmode: enforce\r\n"
                                    "mx: mail.example.org\r\nmax_age: 604800\r\n");
}

static void another_host_is_misdirected_whatever_it_asks(void **state)
{
    static const char *const others[] = {
        "mta-sts.example.com", "example.org",          "",
        "mta-sts.example.or",  "mta-sts.example.orgX", "mta-sts.example.org."
    };

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(status_of(HTTP_GET, ANSWERS_POLICY_PATH, others[i]), 421);
        assert_int_equal(status_of(HTTP_HEAD, "/", others[i]), 421);
        assert_int_equal(status_of(HTTP_OTHER, "/other", others[i]), 421);
    }
    assert_int_equal(status_of(HTTP_GET, ANSWERS_POLICY_PATH, "MTA-STS.Example.ORG"), 200);
}

static void without_a_host_the_sni_decides(void **state)
{
    (void)state;
    assert_int_equal(status_of(HTTP_GET, ANSWERS_POLICY_PATH, NULL), 200);
}

static void only_the_one_path_has_the_policy(void **state)
{
    static const char *const others[] = { "/",
                                          "*",
                                          "/.well-known/",
                                          "/.well-known/mta-sts.tx",
                                          "/.well-known/mta-sts.txt/",
                                          "/.well-known/MTA-STS.txt",
                                          "//.well-known/mta-sts.txt",
                                          "/.well-known/mta-sts%2etxt",
                                          "/./.well-known/mta-sts.txt" };

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(status_of(HTTP_GET, others[i], SNI), 403);
        assert_int_equal(status_of(HTTP_OTHER, others[i], SNI), 403);
    }
}

static void a_person_is_told_what_the_host_is_for(void **state)
{
    struct http_request request = request_for(HTTP_GET, "/", SNI);
    struct read         read;

    (void)state;
    assert_int_equal(answer_to(&request, false, &read), 403);
    assert_non_null(strstr(read.head, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
    assert_non_null(strstr(read.body, "\"https://" SNI ANSWERS_POLICY_PATH "\""));
    assert_non_null(strstr(read.body, "\"https://example.org\">example.org</a>"));
    assert_null(strstr(read.body, "orgX"));
}

static void the_page_holds_the_longest_names(void **state)
{
    struct http_request       request = request_for(HTTP_GET, "/", NULL);
    char                      host[253 + 1] = "mta-sts.";
    const struct config_match match = { .policy = &policy, .domain = host + 8, .domain_len = 245 };
    struct answer             answer;
    struct read               read;

    (void)state;
    memset(host + 8, 'a', 245);
    answers_policy(&request, &match, host, 253, false, then, &answer);
    read_answer(&answer, false, &read);
    assert_non_null(strstr(read.body, "</html>\n"));
}

static void another_method_is_told_which_there_are(void **state)
{
    struct http_request request = request_for(HTTP_OTHER, ANSWERS_POLICY_PATH, SNI);
    struct read         read;

    (void)state;
    assert_int_equal(answer_to(&request, false, &read), 405);
    assert_non_null(strstr(read.head, "\r\nAllow: GET, HEAD\r\n"));
    assert_string_equal(read.body, "405 Method Not Allowed\r\n");
}

static void head_has_the_same_head(void **state)
{
    static const char *const paths[] = { ANSWERS_POLICY_PATH, "/" };
    static const char *const hosts[] = { SNI, "mta-sts.example.com" };

    (void)state;
    for (size_t i = 0; i < COUNT(paths) * COUNT(hosts); i++) {
        struct http_request request = request_for(HTTP_GET, paths[i % 2], hosts[i / 2]);
        struct read         get, head;

        answer_to(&request, false, &get);
        request.method = HTTP_HEAD;
        answer_to(&request, false, &head);
        assert_string_equal(get.head, head.head);
    }
}

static void the_answer_says_when_the_connection_ends_with_it(void **state)
{
    const struct http_request request = request_for(HTTP_GET, ANSWERS_POLICY_PATH, SNI);
    struct read               read;

    (void)state;
    answer_to(&request, true, &read);
    assert_non_null(strstr(read.head, "\r\nConnection: close\r\n"));
    answer_to(&request, false, &read);
    assert_null(strstr(read.head, "\r\nConnection:"));
}

static void a_bare_status_is_one_line(void **state)
{
    static const unsigned statuses[] = { 400, 404, 408, 414, 421, 431, 503 };
    struct answer         answer;
    struct read           read, head;

    (void)state;
    for (size_t i = 0; i < COUNT(statuses); i++) {
        char line[64];

        answers_status(statuses[i], false, i % 2 == 0, then, &answer);
        assert_int_equal(answer.close, i % 2 == 0);
        assert_int_equal(answer.status, statuses[i]);
        read_answer(&answer, false, &read);
        snprintf(line, sizeof(line), "HTTP/1.1 %.*s", (int)strcspn(read.body, "\r"), read.body);
        assert_int_equal(strncmp(read.head, line, strlen(line)), 0);
        answers_status(statuses[i], true, i % 2 == 0, then, &answer);
        read_answer(&answer, true, &head);
        assert_string_equal(read.head, head.head);
    }
    assert_string_equal(read.body, "503 Service Unavailable\r\n");
}

static void a_token_is_copied_byte_for_byte(void **state)
{
    static const char token[] = "evaGxfADs6pSRb2LAv9IZ.9jg46WB3rR\0\r\n\xff";
    struct answer     answer;
    struct read       read;

    (void)state;
    answers_token(token, sizeof(token), false, true, then, &answer);
    assert_int_equal(answer.status, 200);
    read_answer(&answer, false, &read);
    assert_non_null(strstr(read.head, "\r\nContent-Type: application/octet-stream\r\n"));
    assert_int_equal(read.body_len, sizeof(token));
    assert_memory_equal(read.body, token, sizeof(token));
    answers_token(token, sizeof(token), true, true, then, &answer);
    read_answer(&answer, true, &read);
}

/* --- A health listener */

static unsigned health_answer(enum http_method method, const char *path, const char *unready,
                              struct read *read)
{
    struct http_request request = request_for(method, path, "127.0.0.1:8081");
    struct answer       answer;

    answers_health(&request, unready, false, then, &answer);
    read_answer(&answer, method == HTTP_HEAD, read);
    return answer.status;
}

static void livez_is_200_whatever_is_not_ready(void **state)
{
    struct read read;

    (void)state;
    assert_int_equal(health_answer(HTTP_GET, "/livez", NULL, &read), 200);
    assert_string_equal(read.bytes, "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\n"
                                    "Content-Length: 7\r\n"
                                    "X-Content-Type-Options: nosniff\r\n"
                                    "\r\n"
                                    "alive\r\n");
    assert_int_equal(health_answer(HTTP_GET, "/livez", "the reason", &read), 200);
    assert_string_equal(read.body, "alive\r\n");
}

static void readyz_is_503_with_its_reason(void **state)
{
    struct read get, head;

    (void)state;
    assert_int_equal(health_answer(HTTP_GET, "/readyz", NULL, &get), 200);
    assert_string_equal(get.body, "ready\r\n");
    assert_int_equal(health_answer(HTTP_GET, "/readyz", "the reason", &get), 503);
    assert_string_equal(get.body, "the reason\r\n");
    assert_int_equal(health_answer(HTTP_HEAD, "/readyz", "the reason", &head), 503);
    assert_string_equal(get.head, head.head);
}

static void a_health_listener_has_nothing_else(void **state)
{
    static const char *const others[] = { "/",     "*",      "/livez/",  "/livezx",
                                          "/live", "/LIVEZ", "/healthz", ANSWERS_POLICY_PATH };
    struct read              read;

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(health_answer(HTTP_GET, others[i], NULL, &read), 404);
        assert_int_equal(health_answer(HTTP_OTHER, others[i], NULL, &read), 404);
    }
    assert_int_equal(health_answer(HTTP_OTHER, "/readyz", "the reason", &read), 405);
    assert_non_null(strstr(read.head, "\r\nAllow: GET, HEAD\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_is_exactly_this),
        cmocka_unit_test(another_host_is_misdirected_whatever_it_asks),
        cmocka_unit_test(without_a_host_the_sni_decides),
        cmocka_unit_test(only_the_one_path_has_the_policy),
        cmocka_unit_test(a_person_is_told_what_the_host_is_for),
        cmocka_unit_test(the_page_holds_the_longest_names),
        cmocka_unit_test(another_method_is_told_which_there_are),
        cmocka_unit_test(head_has_the_same_head),
        cmocka_unit_test(the_answer_says_when_the_connection_ends_with_it),
        cmocka_unit_test(a_bare_status_is_one_line),
        cmocka_unit_test(a_token_is_copied_byte_for_byte),
        cmocka_unit_test(livez_is_200_whatever_is_not_ready),
        cmocka_unit_test(readyz_is_503_with_its_reason),
        cmocka_unit_test(a_health_listener_has_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
