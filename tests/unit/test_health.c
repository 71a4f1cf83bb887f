/*
 * health: the hello is one that a server reads, and only the one alert means alive. The servers that are
 * asked are children of the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "server/health.h"
#include "wire/clienthello.h"

/* --- The hello and the alert */

static void the_hello_is_read_as_one_for_nobodys_name(void **state)
{
    struct clienthello hello;
    size_t             len;
    const void        *bytes = health_hello(&len);

    (void)state;
    assert_int_equal(clienthello_read(bytes, len, &hello), CLIENTHELLO_OK);
    assert_true(hello.has_name);
    assert_int_equal(hello.name_len, strlen(HEALTH_NAME));
    assert_string_equal(hello.name, HEALTH_NAME);
    assert_false(hello.offers_tls13);
    for (size_t part = 0; part < len; part++)
        assert_int_equal(clienthello_read(bytes, part, &hello), CLIENTHELLO_MORE);
}

static void only_the_fatal_unrecognized_name_means_alive(void **state)
{
    static const unsigned char expected[HEALTH_ALERT_LEN] = { 21, 3, 3, 0, 2, 2, 112 };

    (void)state;
    assert_true(health_is_expected(expected));
    for (size_t i = 0; i < HEALTH_ALERT_LEN; i++) {
        unsigned char other[HEALTH_ALERT_LEN];

        memcpy(other, expected, sizeof(other));
        other[i] ^= 1;
        assert_int_equal(health_is_expected(other), i == 2); /* the minor version is free */
    }
}

/* --- Servers */

static const char alert[] = "\x15\x03\x03\x00\x02\x02\x70";

static char asked[64]; /* the address of the one that listens, as it is given to -H */

/* A listening socket on a free port of the loopback. */
static int listening(int family)
{
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_in  in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr    *address = family == AF_INET ? (void *)&in : (void *)&in6;
    socklen_t           len = family == AF_INET ? sizeof(in) : sizeof(in6);
    int                 fd = socket(family, SOCK_STREAM, 0);

    CHECK(fd >= 0 && bind(fd, address, len) == 0);
    CHECK(getsockname(fd, address, &len) == 0);
    CHECK(listen(fd, 5) == 0);
    snprintf(asked, sizeof(asked), family == AF_INET ? "127.0.0.1:%u" : "[::1]:%u",
             ntohs(family == AF_INET ? in.sin_port : in6.sin6_port));
    return fd;
}

/* Answers one client, after its whole hello, with these bytes in two pieces, and closes. */
static void serve(int family, const char *bytes, size_t len)
{
    char   hello[512];
    size_t hello_len;
    int    fd = listening(family);

    health_hello(&hello_len);
    if (fork() != 0)
        return;
    alarm(30);
    fd = accept(fd, NULL, NULL);
    if (recv(fd, hello, hello_len, MSG_WAITALL) == (ssize_t)hello_len) {
        send(fd, bytes, len / 2, MSG_NOSIGNAL);
        usleep(20000);
        send(fd, bytes + len / 2, len - len / 2, MSG_NOSIGNAL);
    }
    _exit(0);
}

static void ask(void)
{
    _exit(health_run(asked));
}

static void with_a_server(void)
{
    serve(AF_INET, alert, 7);
    ask();
}

static void with_an_ipv6_server(void)
{
    child_own_network(); /* in which there is [::1] */
    child_loopback_up();
    serve(AF_INET6, alert, 7);
    ask();
}

static void a_server_that_answers_so_is_alive(void **state)
{
    (void)state;
    assert_child_passes(with_a_server);
    assert_child_passes(with_an_ipv6_server);
}

/* --- Not alive */

static void with_another_alert(void)
{
    serve(AF_INET, "\x15\x03\x03\x00\x02\x02\x28", 7);
    ask();
}

static void with_a_web_server(void)
{
    serve(AF_INET, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    ask();
}

static void with_half_an_alert(void)
{
    serve(AF_INET, alert, 4);
    ask();
}

static void without_a_server(void)
{
    close(listening(AF_INET));
    ask();
}

static void with_a_server_that_hangs(void)
{
    listening(AF_INET); /* the kernel accepts, and no process answers */
    alarm(HEALTH_TIMEOUT_MS / 1000 + 5);
    ask();
}

/* The port is any. */
static void assert_dead(void (*body)(void), const char *why)
{
    char        printed[CHILD_SAID_MAX];
    const char *at = printed;

    assert_int_equal(child_run(body, printed), 1);
    assert_int_equal(strncmp(printed, "not alive: 127.0.0.1:", 21), 0);
    at += 21;
    at += strspn(at, "0123456789");
    assert_string_equal(at, why);
}

static void anything_else_is_one_line_and_status_1(void **state)
{
    (void)state;
    assert_dead(with_another_alert, ": it answers, but not as mta-stsd does\n");
    assert_dead(with_a_web_server,
                ": it speaks HTTP without TLS: ask a health listener for /livez\n");
    assert_dead(with_half_an_alert, ": it closed without an alert\n");
    assert_dead(without_a_server, ": Connection refused\n");
    assert_dead(with_a_server_that_hangs, ": Connection timed out\n");
}

static void what_is_no_address_is_wrong_usage(void **state)
{
    static const char *const others[] = { "",
                                          "443",
                                          ":443",
                                          "127.0.0.1",
                                          "127.0.0.1:",
                                          "::1:443",
                                          "[::1]",
                                          "[::1:443",
                                          "127.0.0.1:0",
                                          "127.0.0.1:65536",
                                          "localhost:443",
                                          "127.0.0.1:-1",
                                          "127.0.0.1: 80",
                                          "127.0.0.1:443443443443",
                                          "systemd:443" };
    char                     printed[CHILD_SAID_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        snprintf(asked, sizeof(asked), "%s", others[i]);
        assert_int_equal(child_run(ask, printed), HEALTH_USAGE);
        assert_non_null(strstr(printed, "is not an address and a port, such as 127.0.0.1:443"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hello_is_read_as_one_for_nobodys_name),
        cmocka_unit_test(only_the_fatal_unrecognized_name_means_alive),
        cmocka_unit_test(a_server_that_answers_so_is_alive),
        cmocka_unit_test(anything_else_is_one_line_and_status_1),
        cmocka_unit_test(what_is_no_address_is_wrong_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
