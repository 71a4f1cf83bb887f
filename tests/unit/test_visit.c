/*
 * visit: what becomes of a visit to servers on loopback, of which most are broken; how many there
 * are at once; and how a visit is redirected. The loop is outside's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "child.h"
#include "failing_malloc.h"
#include "fake_server.h"
#include "fake_tls.h"
#include "fast_clock.h"

#include "tool/outside.h"
#include "tool/visit_internal.h"

#define HOST "mta-sts.example.org"
#define GOOD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

enum { TIMEOUT = 10, SAID_MAX = 4096 };

/* What the children of the servers tell. */
struct told {
    atomic_int connections, open, most;
    char       said[SAID_MAX]; /* by the visitor, last */
};

static struct told *shared;

static const struct fake_tls_options good_tls = { "leaf intermediate", "leaf", 0, 0 };

/* --- Servers --- */

static void hang(int fd)
{
    char byte;

    while (recv(fd, &byte, 1, 0) > 0)
        ;
}

static void close_at_once(int fd)
{
    (void)fd;
}

/* After the handshake, and what the visitor asks for; NULL: nothing, it was a second look. */
static mbedtls_ssl_context *ask_visitor(int fd, const struct fake_tls_options *options)
{
    mbedtls_ssl_context *ssl = fake_tls_accept(fd, options);
    char                 head[SAID_MAX];

    if (fake_tls_read_head(ssl, head, sizeof(head)) == 0)
        return NULL;
    memcpy(shared->said, head, sizeof(head));
    return ssl;
}

static void serve_by(int fd, const struct fake_tls_options *options, const char *bytes, size_t len)
{
    mbedtls_ssl_context *ssl = ask_visitor(fd, options);

    if (!ssl)
        return;
    fake_tls_write(ssl, bytes, len);
    mbedtls_ssl_close_notify(ssl);
}

static void serve_text(int fd, const char *text)
{
    serve_by(fd, &good_tls, text, strlen(text));
}

static void serve_good(int fd)
{
    serve_text(fd, GOOD);
}

static void serve_redirect(int fd)
{
    serve_text(fd, "HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1:1/\r\n"
                   "Content-Length: 0\r\n\r\n");
}

static void serve_two_types(int fd)
{
    serve_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Type: text/plain\r\n"
                   "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b");
}

static void serve_chunks(int fd)
{
    serve_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nver\r\n4\r\nsion\r\n0\r\n\r\n");
}

static void serve_without_end(int fd, const char *head, const char *more)
{
    mbedtls_ssl_context *ssl = ask_visitor(fd, &good_tls);
    size_t               len = strlen(more);

    if (!ssl)
        return;
    fake_tls_write(ssl, head, strlen(head));
    while (mbedtls_ssl_write(ssl, (const unsigned char *)more, len) > 0)
        ;
}

static const char field[] =
    "X-More: and more, and more, and more, and more, and more, and more\r\n";

static void serve_endless_header(int fd)
{
    serve_without_end(fd, "HTTP/1.1 200 OK\r\n", field);
}

static void serve_endless_trailer(int fd)
{
    serve_without_end(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", field);
}

static void serve_endless_continue(int fd)
{
    serve_without_end(fd, "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n");
}

static void serve_endless_line(int fd)
{
    serve_without_end(fd, "HTTP/1.1 200 OK\r\nX: ", "and more, and more, and more, and more, ");
}

static void serve_cut_short(int fd)
{
    serve_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nversion");
}

static void serve_garbage(int fd)
{
    serve_text(fd, "\r\n\r\nI am no HTTP\r\n");
}

static void serve_nothing(int fd)
{
    serve_text(fd, "");
}

static void serve_bytes(int fd, size_t count)
{
    static char text[2 * VISIT_BODY_MAX];
    int head = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                        count);

    memset(text + head, 'x', count);
    serve_by(fd, &good_tls, text, (size_t)head + count);
}

static void serve_most(int fd)
{
    serve_bytes(fd, VISIT_BODY_MAX);
}

static void serve_too_much(int fd)
{
    serve_bytes(fd, VISIT_BODY_MAX + 1);
}

/* A byte at a time, for as long as anybody is there. */
static void serve_trickle(int fd)
{
    mbedtls_ssl_context *ssl = ask_visitor(fd, &good_tls);
    struct pollfd        gone = { .fd = fd, .events = POLLIN };
    static const char    head[] = "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n";

    if (!ssl)
        return;
    fake_tls_write(ssl, head, sizeof(head) - 1);
    while (poll(&gone, 1, 200) == 0)
        fake_tls_write(ssl, "x", 1);
}

static void serve_clear_text(int fd)
{
    static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

    (void)!send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
    hang(fd);
}

static void serve_tls13(int fd)
{
    static const struct fake_tls_options options = { "leaf intermediate", "leaf",
                                                     MBEDTLS_SSL_VERSION_TLS1_3, 0 };

    serve_by(fd, &options, GOOD, strlen(GOOD));
}

static void serve_tls12(int fd)
{
    static const struct fake_tls_options options = { "leaf intermediate", "leaf", 0,
                                                     MBEDTLS_SSL_VERSION_TLS1_2 };

    serve_by(fd, &options, GOOD, strlen(GOOD));
}

static void serve_lone(int fd)
{
    static const struct fake_tls_options options = { "leaf", "leaf", 0, 0 };

    serve_by(fd, &options, GOOD, strlen(GOOD));
}

static void serve_other_name(int fd)
{
    static const struct fake_tls_options options = { "other intermediate", "other", 0, 0 };

    serve_by(fd, &options, GOOD, strlen(GOOD));
}

static void serve_self_signed(int fd)
{
    static const struct fake_tls_options options = { "plain", "plain", 0, 0 };

    serve_by(fd, &options, GOOD, strlen(GOOD));
}

/* The first ones hold on until there are as many as may be. Whoever is not answered yet is there. */
static void serve_counted(int fd)
{
    int now = atomic_fetch_add(&shared->open, 1) + 1, most = atomic_load(&shared->most);
    mbedtls_ssl_context *ssl;

    while (now > most && !atomic_compare_exchange_weak(&shared->most, &most, now))
        ;
    if (atomic_fetch_add(&shared->connections, 1) < OUTSIDE_PER_SERVER)
        while (atomic_load(&shared->most) < OUTSIDE_PER_SERVER)
            (void)poll(NULL, 0, 1);
    ssl = ask_visitor(fd, &good_tls);
    atomic_fetch_sub(&shared->open, 1);
    if (ssl)
        fake_tls_write(ssl, GOOD, strlen(GOOD));
}

/* --- Visiting --- */

struct seen {
    unsigned     calls;
    struct visit visit; /* its texts are those below */
    char         location[64], type[64], encoding[64];
    char         body[VISIT_BODY_MAX + 1];
};

static struct outside    *outside;
static struct fake_server server;
static bool               asking;

static void keep(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "none");
}

static void see(void *context, const struct visit *visit)
{
    struct seen *seen = context;

    assert_false(asking);
    seen->calls++;
    seen->visit = *visit;
    keep(seen->location, sizeof(seen->location), visit->location);
    keep(seen->type, sizeof(seen->type), visit->content_type);
    keep(seen->encoding, sizeof(seen->encoding), visit->content_encoding);
    memcpy(seen->body, visit->body, visit->body_len + 1);
    assert_int_equal(visit->why[0] == '\0', visit->result == VISIT_OK);
}

static int look(void **state)
{
    const struct outside_options options = { .ca = "tests/unit/pki/root.pem",
                                             .timeout = TIMEOUT,
                                             .smtp = true };
    char                         why[OUTSIDE_WHY_MAX];
    bool                         usage;

    (void)state;
    fast_clock_ahead = 0;
    memset(shared, 0, sizeof(*shared));
    outside = outside_new(&options, &usage, why);
    return outside ? 0 : -1;
}

static int look_away(void **state)
{
    (void)state;
    outside_free(outside);
    outside = NULL;
    fake_server_stop(&server);
    server.pid = 0;
    return 0;
}

static void go(struct seen *seen, unsigned port, bool smtp)
{
    struct visits *visits = outside_visits(outside);

    memset(seen, 0, sizeof(*seen));
    asking = true;
    if (smtp)
        visit_smtp(visits, HOST, "127.0.0.1", port, see, seen);
    else
        visit_policy(visits, HOST, "127.0.0.1", port, true, see, seen);
    asking = false;
}

/* The last one's; each begins with a server of its own. */
static struct seen seen;

static enum visit_result visit_port(unsigned port, bool smtp)
{
    go(&seen, port, smtp);
    assert_true(outside_run(outside, fast_clock_tick, NULL));
    assert_int_equal(seen.calls, 1);
    return seen.visit.result;
}

/* The server stays until the next one, to hear what is said last. */
static enum visit_result visit_server(void (*serve)(int fd), bool smtp)
{
    fake_server_stop(&server);
    server = fake_server_start(serve);
    return visit_port(server.port, smtp);
}

static enum visit_result fetch(void (*serve)(int fd))
{
    return visit_server(serve, false);
}

/* --- HTTPS --- */

static void a_policy_is_fetched_as_a_sender_would(void **state)
{
    (void)state;
    assert_int_equal(fetch(serve_good), VISIT_OK);
    assert_int_equal(seen.visit.status, 200);
    assert_string_equal(seen.body, "hello");
    assert_int_equal(seen.visit.body_len, 5);
    assert_false(seen.visit.body_over);
    assert_string_equal(seen.type, "text/plain");
    assert_false(seen.visit.content_type_twice);
    assert_string_equal(seen.encoding, "none");
    assert_string_equal(seen.location, "none");
    assert_false(seen.visit.only_tls13);
    assert_true(seen.visit.chain.present);
    assert_true(seen.visit.chain.covers);
    assert_int_equal(seen.visit.chain.length, 2);
    assert_true(seen.visit.seconds > 0 && seen.visit.seconds < (double)TIMEOUT);
    assert_string_equal(shared->said, "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: " HOST
                                      "\r\nUser-Agent: mta-sts/0.1.0\r\nAccept: */*\r\n\r\n");
}

static void no_redirect_is_followed(void **state)
{
    (void)state;
    assert_int_equal(fetch(serve_redirect), VISIT_OK);
    assert_int_equal(seen.visit.status, 301);
    assert_string_equal(seen.location, "https://127.0.0.1:1/");
    assert_string_equal(seen.type, "none");
    assert_string_equal(seen.body, "");
}

static void a_body_comes_as_it_is(void **state)
{
    (void)state;
    assert_int_equal(fetch(serve_two_types), VISIT_OK);
    assert_string_equal(seen.type, "text/html");
    assert_true(seen.visit.content_type_twice);
    assert_string_equal(seen.encoding, "gzip");
    assert_string_equal(seen.body, "\x1f\x8b");
    assert_int_equal(fetch(serve_chunks), VISIT_OK);
    assert_string_equal(seen.body, "version");
}

static void a_body_is_read_up_to_a_bound(void **state)
{
    (void)state;
    assert_int_equal(fetch(serve_most), VISIT_OK);
    assert_int_equal(seen.visit.body_len, VISIT_BODY_MAX);
    assert_false(seen.visit.body_over);
    assert_int_equal(fetch(serve_too_much), VISIT_OK);
    assert_int_equal(seen.visit.body_len, VISIT_BODY_MAX);
    assert_true(seen.visit.body_over);
    assert_true(seen.visit.chain.present);
}

static void what_is_no_whole_answer_is_broken(void **state)
{
    (void)state;
    assert_int_equal(fetch(serve_cut_short), VISIT_BROKEN);
    assert_int_equal(seen.visit.status, 200);
    assert_string_equal(seen.body, "version");
    assert_int_equal(fetch(serve_garbage), VISIT_BROKEN);
    assert_int_equal(fetch(serve_nothing), VISIT_BROKEN);
    assert_int_equal(seen.visit.status, 0);
}

static void a_header_is_read_up_to_a_bound(void **state)
{
    (void)state;
    assert_int_equal(fetch(serve_endless_header), VISIT_BROKEN);
    assert_string_equal(seen.visit.why, "its header has over 128 KB");
    assert_int_equal(fetch(serve_endless_trailer), VISIT_BROKEN);
    assert_string_equal(seen.visit.why, "its header has over 128 KB");
    assert_int_equal(fetch(serve_endless_continue), VISIT_BROKEN);
    assert_string_equal(seen.visit.why, "its header has over 128 KB");
    assert_int_not_equal(fetch(serve_endless_line), VISIT_OK);
    assert_non_null(strstr(seen.visit.why, "header"));
}

static void whoever_is_slow_is_given_up(void **state)
{
    (void)state;
    assert_int_equal(fetch(serve_trickle), VISIT_TIMED_OUT);
    assert_string_equal(seen.visit.why, "not done in 10 seconds");
    assert_int_equal(seen.visit.status, 200);
    assert_true(seen.visit.body_len > 0);
    assert_int_equal(fetch(hang), VISIT_TIMED_OUT);
    assert_int_equal(seen.visit.status, 0);
    assert_true(seen.visit.seconds >= (double)TIMEOUT);
}

/* Where the queue of those that want to connect is full, nothing is answered. */
static void whoever_is_not_there_is_dead(void **state)
{
    unsigned           port = 0, full = 0;
    int                closed = fake_server_socket(SOCK_STREAM, &port);
    int                listener = fake_server_socket(SOCK_STREAM, &full), fds[3];
    struct sockaddr_in address = fake_server_address(full);

    (void)state;
    close(closed);
    assert_int_equal(visit_port(port, false), VISIT_DEAD);
    assert_string_equal(seen.visit.why, "Connection refused");
    assert_int_equal(listen(listener, 0), 0);
    for (size_t i = 0; i < 3; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(fds[i], (struct sockaddr *)&address, sizeof(address)) != 0)
            assert_int_equal(errno, EINPROGRESS);
    }
    assert_int_equal(visit_port(full, true), VISIT_DEAD);
    assert_string_equal(seen.visit.why, "no answer in 10 seconds");
    for (size_t i = 0; i < 3; i++)
        close(fds[i]);
    close(listener);
}

static void go_where_no_way_leads(void)
{
    child_own_network();
    CHECK(look(NULL) == 0);
    visit_policy(outside_visits(outside), HOST, "192.0.2.1", 443, true, see, &seen);
    CHECK(outside_run(outside, fast_clock_tick, NULL));
    CHECK(seen.visit.result == VISIT_NO_WAY);
    visit_smtp(outside_visits(outside), HOST, "2001:db8::1", 25, see, &seen);
    CHECK(outside_run(outside, fast_clock_tick, NULL));
    CHECK(seen.visit.result == VISIT_NO_WAY);
    CHECK(strcmp(seen.visit.why, "Network is unreachable") == 0 ||
          strcmp(seen.visit.why, "Cannot assign requested address") == 0 ||
          strcmp(seen.visit.why, "Address family not supported by protocol") == 0);
    visit_smtp(outside_visits(outside), HOST, "mail.example.org", 25, see, &seen);
    CHECK(outside_run(outside, fast_clock_tick, NULL));
    CHECK(seen.visit.result == VISIT_NO_WAY);
    look_away(NULL);
}

static void an_address_without_a_route_is_told(void **state)
{
    (void)state;
    look_away(NULL);
    assert_child_passes(go_where_no_way_leads);
    assert_int_equal(look(NULL), 0);
}

static void a_name_that_no_host_has_is_not_visited(void **state)
{
    static const char *const names[] = { "", "a/b", "a@b", "a#", "a b", "a?b", "a\\032b", "a:1" };

    (void)state;
    server = fake_server_start(serve_good);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        visit_policy(outside_visits(outside), names[i], "127.0.0.1", server.port, true, see, &seen);
        assert_true(outside_run(outside, fast_clock_tick, NULL));
        assert_int_equal(seen.visit.result, VISIT_BROKEN);
        assert_string_equal(seen.visit.why, "that is no name of a host");
    }
    visit_policy(outside_visits(outside), "mta-sts_x.example.org", "127.0.0.1", server.port, true,
                 see, &seen);
    assert_true(outside_run(outside, fast_clock_tick, NULL));
    assert_int_equal(seen.visit.result, VISIT_UNTRUSTED);
}

/* --- TLS --- */

static void what_is_no_tls_fails(void **state)
{
    (void)state;
    assert_int_equal(fetch(serve_clear_text), VISIT_TLS_FAILED);
    assert_null(strchr(seen.visit.why, ':'));
    assert_false(seen.visit.chain.present);
}

static void whether_it_speaks_tls12_is_found_out(void **state)
{
    (void)state;
    assert_int_equal(fetch(serve_tls13), VISIT_OK);
    assert_true(seen.visit.only_tls13);
    assert_false(seen.visit.tls12);
    assert_string_equal(seen.body, "hello");
    assert_string_equal(seen.type, "text/plain");
    assert_int_equal(fetch(serve_tls12), VISIT_OK);
    assert_false(seen.visit.only_tls13);
    assert_true(seen.visit.tls12);
}

static void a_certificate_that_is_refused_is_fetched_and_told(void **state)
{
    (void)state;
    assert_int_equal(fetch(serve_lone), VISIT_UNTRUSTED);
    assert_true(seen.visit.chain.lone);
    assert_true(seen.visit.chain.covers);
    assert_int_equal(seen.visit.status, 0);
    assert_string_equal(shared->said, ""); /* nothing is asked of it */
    assert_int_equal(fetch(serve_other_name), VISIT_UNTRUSTED);
    assert_false(seen.visit.chain.covers);
    assert_string_equal(seen.visit.chain.names, "mta-sts.example.net");
    assert_int_equal(fetch(serve_self_signed), VISIT_UNTRUSTED);
    assert_true(seen.visit.chain.self_signed);
}

/* --- SMTP --- */

static const char                    *greeting, *to_ehlo, *to_starttls;
static const struct fake_tls_options *tls;

/* One of the replies, and then the next line of the visitor, behind what was said. */
static void reply(int fd, const char *text)
{
    size_t len = strlen(shared->said);
    char   byte = '\0';

    if (!text)
        hang(fd);
    else
        (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
    while (byte != '\n' && len < SAID_MAX - 1 && recv(fd, &byte, 1, 0) == 1)
        shared->said[len++] = byte;
}

static void serve_smtp(int fd)
{
    mbedtls_ssl_context *ssl;
    size_t               len;

    memset(shared->said, 0, SAID_MAX);
    reply(fd, greeting);
    reply(fd, to_ehlo);
    if (!strstr(shared->said, "STARTTLS\r\n"))
        return;
    if (strncmp(to_starttls, "220", 3) != 0) {
        reply(fd, to_starttls);
        return;
    }
    (void)!send(fd, to_starttls, strlen(to_starttls), MSG_NOSIGNAL);
    ssl = fake_tls_accept(fd, tls);
    len = strlen(shared->said);
    (void)mbedtls_ssl_read(ssl, (unsigned char *)shared->said + len, SAID_MAX - len - 1);
}

static enum visit_result say_hello_to(const char *first, const char *second, const char *third)
{
    greeting = first;
    to_ehlo = second;
    to_starttls = third;
    return visit_server(serve_smtp, true);
}

/* Behind EHLO and its name, which is another on each machine. The server may still be reading. */
static void assert_said(const char *text)
{
    const char *line = NULL;

    for (int i = 0; i < 5000 && !(line && strcmp(line + 1, text) == 0); i++) {
        line = strchr(shared->said, '\n');
        (void)poll(NULL, 0, 1);
    }
    assert_memory_equal(shared->said, "EHLO ", 5);
    assert_string_equal(line ? line + 1 : "nothing", text);
}

#define OFFER "250-mail.example.org\r\n250-PIPELINING\r\n250-starttls\r\n250 HELP\r\n"

static void starttls_is_spoken_and_left_politely(void **state)
{
    (void)state;
    tls = &good_tls;
    assert_int_equal(say_hello_to("220-a\r\n220 b ESMTP\r\n", OFFER, "220 go\r\n"), VISIT_OK);
    assert_true(seen.visit.chain.present);
    assert_true(seen.visit.chain.covers);
    assert_said("STARTTLS\r\nQUIT\r\n");
    assert_int_equal(say_hello_to("220\r\n", "250-x\r\n250 STARTTLS\r\n", "220\r\n"), VISIT_OK);
}

static void an_exchangers_certificate_is_judged_too(void **state)
{
    static const struct fake_tls_options other = { "other intermediate", "other", 0, 0 };

    (void)state;
    tls = &other;
    assert_int_equal(say_hello_to("220 a\r\n", OFFER, "220 go\r\n"), VISIT_UNTRUSTED);
    assert_true(seen.visit.chain.present);
    assert_false(seen.visit.chain.covers);
    assert_string_equal(seen.visit.chain.names, "mta-sts.example.net");
}

static void no_starttls_is_told_and_left_politely(void **state)
{
    static const char *const offers[] = { "250 a\r\n",
                                          "250-a\r\n250-STARTTLSX\r\n250 A STARTTLS\r\n",
                                          "250 STARTTLS\r\n" /* its name, not an extension */ };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(say_hello_to("220 a\r\n", offers[i], ""), VISIT_NO_STARTTLS);
        assert_string_equal(seen.visit.why, "it does not offer STARTTLS");
        assert_said("QUIT\r\n");
    }
    assert_int_equal(say_hello_to("220 a\r\n", "502 what\r\n", ""), VISIT_NO_STARTTLS);
    assert_int_equal(say_hello_to("220 a\r\n", OFFER, "454 not now\r\n"), VISIT_NO_STARTTLS);
    assert_string_equal(seen.visit.why, "STARTTLS is answered with 454 not now");
    assert_said("STARTTLS\r\nQUIT\r\n");
}

/* What it says to this machine is not what it says to a sender. */
static void a_server_that_talks_to_others_perhaps_is_not_judged(void **state)
{
    static const char *const replies[] = { "550 5.7.1 blocked", "501 bad name", "421 busy" };
    char                     reply[64];

    (void)state;
    assert_int_equal(say_hello_to("554 go away\r\n", "", ""), VISIT_REFUSED);
    assert_string_equal(seen.visit.why, "it greets with 554 go away");
    for (size_t i = 0; i < 3; i++) {
        snprintf(reply, sizeof(reply), "%s\r\n", replies[i]);
        assert_int_equal(say_hello_to("220 a\r\n", reply, ""), VISIT_REFUSED);
        assert_non_null(strstr(seen.visit.why, replies[i]));
        assert_said("QUIT\r\n");
    }
}

static void what_is_no_smtp_is_broken(void **state)
{
    static char line[VISIT_LINE_MAX + 1], lines[VISIT_LINES_MAX * 8 + 16];

    (void)state;
    assert_int_equal(say_hello_to("SSH-2.0-x\r\n", "", ""), VISIT_BROKEN);
    assert_string_equal(seen.visit.why, "that is no SMTP: SSH-2.0-x");
    assert_int_equal(say_hello_to("120 soon\r\n", "", ""), VISIT_BROKEN);
    assert_int_equal(say_hello_to("220 a\r\n250 b\r\n", "", ""), VISIT_BROKEN);
    assert_string_equal(seen.visit.why, "it speaks out of turn");
    assert_int_equal(say_hello_to("220 a\r\n", OFFER, "220 go\r\n250 b\r\n"), VISIT_BROKEN);
    memset(line, '2', VISIT_LINE_MAX);
    assert_int_equal(say_hello_to(line, "", ""), VISIT_BROKEN);
    for (size_t i = 0; i <= VISIT_LINES_MAX; i++)
        strcat(lines, "220-a\r\n");
    assert_int_equal(say_hello_to(lines, "", ""), VISIT_BROKEN);
    assert_int_equal(visit_server(close_at_once, true), VISIT_BROKEN);
    assert_string_equal(seen.visit.why, "it hung up before STARTTLS was done");
}

static void an_exchanger_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    assert_int_equal(say_hello_to(NULL, "", ""), VISIT_TIMED_OUT);
    assert_string_equal(seen.visit.why, "not done in 30 seconds");
}

/* --- How many at once --- */

static void wait_on(void *context)
{
    (void)context;
}

static void a_server_is_visited_by_no_more_than_four_at_once(void **state)
{
    enum { VISITS = 20 };
    static struct seen many[VISITS];

    (void)state;
    server = fake_server_start(serve_counted);
    for (size_t i = 0; i < VISITS; i++)
        visit_policy(outside_visits(outside), HOST, "127.0.0.1", server.port, false, see, &many[i]);
    assert_true(outside_run(outside, wait_on, NULL));
    for (size_t i = 0; i < VISITS; i++)
        assert_int_equal(many[i].visit.result, VISIT_OK);
    assert_int_equal(atomic_load(&shared->most), OUTSIDE_PER_SERVER);
}

static struct seen stuck[2 * OUTSIDE_PER_SERVER];

static void expect_only_the_good(void *context)
{
    if (seen.calls == 0)
        for (size_t i = 0; i < sizeof(stuck) / sizeof(*stuck); i++)
            assert_int_equal(stuck[i].calls, 0);
    else
        fast_clock_tick(context);
}

static void a_stuck_server_holds_nobody_else_up(void **state)
{
    struct fake_server bad = fake_server_start(hang), good = fake_server_start(serve_good);

    (void)state;
    for (size_t i = 0; i < sizeof(stuck) / sizeof(*stuck); i++)
        go(&stuck[i], bad.port, false);
    go(&seen, good.port, false);
    assert_true(outside_run(outside, expect_only_the_good, NULL));
    assert_int_equal(seen.visit.result, VISIT_OK);
    for (size_t i = 0; i < sizeof(stuck) / sizeof(*stuck); i++)
        assert_int_equal(stuck[i].visit.result, VISIT_TIMED_OUT);
    fake_server_stop(&bad);
    fake_server_stop(&good);
}

/* --- How often, where nobody answers --- */

enum { CROWD = 20, IN_VAIN = 8 };

static void hang_and_count(int fd)
{
    atomic_fetch_add(&shared->connections, 1);
    hang(fd);
}

static void hang_at_first(int fd)
{
    if (atomic_fetch_add(&shared->connections, 1) < OUTSIDE_PER_SERVER)
        hang(fd);
    else
        serve_good(fd);
}

/* Time flies only until somebody is answered, who may need as long as a slow machine takes. */
static void fly_until_answered(void *context)
{
    if (atomic_load(&shared->connections) <= OUTSIDE_PER_SERVER)
        fast_clock_tick(context);
}

static void go_in_a_crowd(void (*serve)(int fd), struct seen *crowd, void (*tick)(void *context))
{
    server = fake_server_start(serve);
    for (size_t i = 0; i < CROWD; i++)
        go(&crowd[i], server.port, false);
    assert_true(outside_run(outside, tick, NULL));
}

static void a_server_that_answers_nobody_is_left_alone(void **state)
{
    static struct seen crowd[CROWD];

    (void)state;
    go_in_a_crowd(hang_and_count, crowd, fast_clock_tick);
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(crowd[i].calls, 1);
        assert_int_equal(crowd[i].visit.result, i < IN_VAIN ? VISIT_TIMED_OUT : VISIT_UNTRIED);
    }
    assert_int_equal(atomic_load(&shared->connections), IN_VAIN);
    go(&seen, server.port, false); /* nor later on */
    assert_true(outside_run(outside, fast_clock_tick, NULL));
    assert_int_equal(seen.visit.result, VISIT_UNTRIED);
}

static void a_server_that_is_not_there_is_dead_to_all(void **state)
{
    static struct seen crowd[CROWD];

    (void)state;
    for (size_t i = 0; i < CROWD; i++)
        go(&crowd[i], 1, false);
    assert_true(outside_run(outside, fast_clock_tick, NULL));
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(crowd[i].visit.result, VISIT_DEAD);
        assert_string_equal(crowd[i].visit.why, "Connection refused");
    }
}

static void one_answer_is_enough_to_be_tried(void **state)
{
    static struct seen crowd[CROWD];
    size_t             good = 0;

    (void)state;
    go_in_a_crowd(hang_at_first, crowd, fly_until_answered);
    for (size_t i = 0; i < CROWD; i++)
        good += crowd[i].visit.result != VISIT_TIMED_OUT && crowd[i].visit.result != VISIT_UNTRIED;
    assert_int_equal(good, CROWD - OUTSIDE_PER_SERVER);
}

/* --- Whoever asks --- */

static void go_again(void *context, const struct visit *visit)
{
    see(context, visit);
    if (seen.calls < 3)
        visit_policy(outside_visits(outside), HOST, "127.0.0.1", server.port, false, go_again,
                     context);
}

static void a_visit_may_ask_for_another(void **state)
{
    (void)state;
    server = fake_server_start(serve_good);
    memset(&seen, 0, sizeof(seen));
    go_again(&seen, &(struct visit){ .body = "" });
    assert_true(outside_run(outside, fast_clock_tick, NULL));
    assert_int_equal(seen.calls, 3);
}

static void nobody_is_called_by_the_end(void **state)
{
    (void)state;
    server = fake_server_start(hang);
    for (size_t i = 0; i < sizeof(stuck) / sizeof(*stuck); i++)
        go(&stuck[i], server.port, false);
    assert_true(visits_step(outside_visits(outside)));
    look_away(NULL);
    for (size_t i = 0; i < sizeof(stuck) / sizeof(*stuck); i++)
        assert_int_equal(stuck[i].calls, 0);
}

static void without_memory_it_is_an_answer_or_the_end(void **state)
{
    bool done = false;

    (void)state;
    server = fake_server_start(serve_good);
    for (long n = 1; !done; n += 1 + n / 16) { /* there are many, of a certificate's parts */
        outside_free(outside);
        assert_int_equal(look(NULL), 0);
        mallocs_until_failure = n;
        go(&seen, server.port, false);
        if (outside_run(outside, fast_clock_tick, NULL)) {
            assert_int_equal(seen.calls, 1);
            assert_true(seen.visit.result == VISIT_NO_MEMORY ||
                        (seen.visit.result == VISIT_OK && seen.visit.chain.covers &&
                         strcmp(seen.body, "hello") == 0));
        }
        done = mallocs_until_failure > 0;
        mallocs_until_failure = 0;
    }
    assert_int_equal(seen.visit.result, VISIT_OK);
}

/* --- Options --- */

static void assert_refused(const struct outside_options *options, bool wanted, const char *what)
{
    char            why[OUTSIDE_WHY_MAX] = "";
    bool            usage = !wanted;
    struct outside *refused = outside_new(options, &usage, why);

    assert_null(refused);
    assert_int_equal(usage, wanted);
    if (!strstr(why, what))
        fail_msg("\"%s\" does not say \"%s\"", why, what);
}

static void files_of_trust_that_cannot_be_are_told(void **state)
{
    (void)state;
    assert_refused(&(struct outside_options){ .ca = "tests/unit/pki/absent.pem" }, false,
                   "tests/unit/pki/absent.pem: No such file");
    assert_refused(&(struct outside_options){ .ca = "tests/unit/pki/leaf.key" }, false,
                   "tests/unit/pki/leaf.key: holds no certificate");
    assert_refused(&(struct outside_options){ .ca = "tests" }, false,
                   "tests: holds no certificate");
}

static void redirects_that_cannot_be_are_told(void **state)
{
    static const char *const bad[] = { "",           "a",           "a:1",       "a:1:b",
                                       "a:1:b:2:3",  "a:x:b:1",     "a:0:b:1",   "a:1:b:65536",
                                       "a:1:::1:25", "a:1:[::1:2",  "a:1:[x]:2", "a:1:b/c:2",
                                       "a:1:b:2 ",   "a:123456:b:2" };
    struct redirect          redirect;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct outside_options options = { .ca = "tests/unit/pki/root.pem",
                                           .connect_to = &bad[i],
                                           .connect_to_count = 1 };

        if (visit_read_redirect(bad[i], &redirect))
            fail_msg("\"%s\" was taken", bad[i]);
        assert_refused(&options, true, "HOST1:PORT1:HOST2:PORT2 is expected");
    }
}

static void assert_redirected(struct outside *where, const char *host, unsigned port,
                              const char *to, unsigned to_port)
{
    const char *whom;
    size_t      len;
    unsigned    whose;

    visits_redirect(outside_visits(where), host, port, &whom, &len, &whose);
    assert_int_equal(len, strlen(to));
    assert_memory_equal(whom, to, len);
    assert_int_equal(whose, to_port);
}

static void the_first_redirect_that_fits_is_taken(void **state)
{
    char        first[] = "A.example:443:[2001:db8::1]:8443";
    const char *texts[] = { first, "b.example:::2525", ":25:127.0.0.1:", "b.example:1:x:1" };
    struct outside_options options = { .ca = "tests/unit/pki/root.pem",
                                       .connect_to = texts,
                                       .connect_to_count = 4 };
    char                   why[OUTSIDE_WHY_MAX];
    bool                   usage;
    struct outside        *where = outside_new(&options, &usage, why);

    (void)state;
    assert_non_null(where);
    memset(first, 'x', sizeof(first) - 1); /* it was copied */
    assert_redirected(where, "a.example", 443, "[2001:db8::1]", 8443);
    assert_redirected(where, "a.example", 80, "a.example", 80);
    assert_redirected(where, "b.example", 1, "b.example", 2525);
    assert_redirected(where, "a.example", 25, "127.0.0.1", 25);
    assert_redirected(where, "aa.example", 443, "aa.example", 443);
    outside_free(where);
}

static int start(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? -1 : 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, look, look_away)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_policy_is_fetched_as_a_sender_would),
        TEST(no_redirect_is_followed),
        TEST(a_body_comes_as_it_is),
        TEST(a_body_is_read_up_to_a_bound),
        TEST(what_is_no_whole_answer_is_broken),
        TEST(a_header_is_read_up_to_a_bound),
        TEST(whoever_is_slow_is_given_up),
        TEST(whoever_is_not_there_is_dead),
        TEST(an_address_without_a_route_is_told),
        TEST(a_name_that_no_host_has_is_not_visited),
        TEST(what_is_no_tls_fails),
        TEST(whether_it_speaks_tls12_is_found_out),
        TEST(a_certificate_that_is_refused_is_fetched_and_told),
        TEST(starttls_is_spoken_and_left_politely),
        TEST(an_exchangers_certificate_is_judged_too),
        TEST(no_starttls_is_told_and_left_politely),
        TEST(a_server_that_talks_to_others_perhaps_is_not_judged),
        TEST(what_is_no_smtp_is_broken),
        TEST(an_exchanger_that_says_nothing_is_given_up),
        TEST(a_server_is_visited_by_no_more_than_four_at_once),
        TEST(a_stuck_server_holds_nobody_else_up),
        TEST(a_server_that_answers_nobody_is_left_alone),
        TEST(a_server_that_is_not_there_is_dead_to_all),
        TEST(one_answer_is_enough_to_be_tried),
        TEST(a_visit_may_ask_for_another),
        TEST(nobody_is_called_by_the_end),
        TEST(without_memory_it_is_an_answer_or_the_end),
        cmocka_unit_test(files_of_trust_that_cannot_be_are_told),
        cmocka_unit_test(redirects_that_cannot_be_are_told),
        cmocka_unit_test(the_first_redirect_that_fits_is_taken),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
