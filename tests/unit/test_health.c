/*
 * health: the hello it says is one, and only the one alert means alive. The
 * configuration is this file's, and the servers that are asked are its children.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child.h"

#include <netinet/in.h>
#include <sys/syscall.h>

#include "common/config.h"
#include "server/health.h"
#include "wire/clienthello.h"

/* --- The configuration's part */

static struct config_listener listeners[4];
static struct config_server   server = { .listeners = listeners };
static bool                   broken; /* the configuration has errors */

struct config *config_load(const char *path, const uint8_t digest_key[HASH_KEY_SIZE],
                           config_report *report, void *context)
{
    (void)digest_key;
    report(context, CONFIG_WARNING, path, 1, "only a warning");
    if (!broken)
        return (struct config *)&server;
    report(context, CONFIG_ERROR, path, 2, "the first error");
    report(context, CONFIG_ERROR, path, 3, "the second error");
    return NULL;
}

void config_free(struct config *config)
{
    (void)config;
}

const struct config_server *config_server(const struct config *config)
{
    return (const struct config_server *)config;
}

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

/* A listening socket on a free port of any address, as listener number i. */
static int listening(size_t i, int family, bool wildcard)
{
    struct config_listener *listener = &listeners[i];
    struct sockaddr_in     *in = (void *)&listener->address;
    struct sockaddr_in6    *in6 = (void *)&listener->address;
    int                     fd = socket(family, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    listener->name = "the listener";
    listener->address.ss_family = (sa_family_t)family;
    listener->address_len = family == AF_INET ? sizeof(*in) : sizeof(*in6);
    if (family == AF_INET)
        in->sin_addr.s_addr = htonl(wildcard ? INADDR_ANY : INADDR_LOOPBACK);
    else
        in6->sin6_addr = wildcard ? in6addr_any : in6addr_loopback;
    CHECK(bind(fd, (struct sockaddr *)&listener->address, listener->address_len) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&listener->address, &listener->address_len) == 0);
    CHECK(listen(fd, 5) == 0);
    server.listener_count = i + 1;
    return fd;
}

/* Answers one client, after its whole hello, with these bytes in two pieces, and closes. */
static void serve(int fd, const char *bytes, size_t len)
{
    char   hello[512];
    size_t hello_len;

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

static void own_network(void)
{
    child_own_network();
    child_loopback_up();
}

static void ask(void)
{
    CHECK(health_run("mta-stsd.ini") == 0);
}

static void with_a_server(void)
{
    serve(listening(0, AF_INET, false), alert, 7);
    ask();
}

static void with_a_wildcard(void)
{
    serve(listening(0, AF_INET, true), alert, 7);
    ask();
}

static void with_an_ipv6_wildcard(void)
{
    own_network();
    serve(listening(0, AF_INET6, true), alert, 7);
    ask();
}

static void with_others_before_it(void)
{
    listening(0, AF_INET, false);
    listeners[0].kind = CONFIG_ACME;
    listeners[1] = (struct config_listener){ .name = "systemd:https", .systemd = "https" };
    serve(listening(2, AF_INET, false), alert, 7);
    ask();
}

/* Its loopback has no [::1]. */
static void without_ipv6(void)
{
    struct sockaddr_in6 *in6 = (void *)&listeners[0].address;

    own_network();
    listeners[0] = (struct config_listener){ .name = "[::]:443", .address_len = sizeof(*in6) };
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(443);
    child_refuse(SYS_socket, EAFNOSUPPORT, AF_INET6);
    serve(listening(1, AF_INET, false), alert, 7);
    ask();
}

static void a_server_that_answers_so_is_alive(void **state)
{
    (void)state;
    assert_child_passes(with_a_server);
    assert_child_passes(with_a_wildcard);
    assert_child_passes(with_an_ipv6_wildcard);
}

static void the_first_listener_that_can_be_asked_is_asked(void **state)
{
    (void)state;
    assert_child_passes(with_others_before_it);
    assert_child_passes(without_ipv6);
}

/* --- Not alive */

static void tell(void)
{
    _exit(health_run("mta-stsd.ini"));
}

static void with_another_alert(void)
{
    serve(listening(0, AF_INET, false), "\x15\x03\x03\x00\x02\x02\x28", 7);
    tell();
}

static void with_a_web_server(void)
{
    serve(listening(0, AF_INET, false), "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    tell();
}

static void with_half_an_alert(void)
{
    serve(listening(0, AF_INET, false), alert, 4);
    tell();
}

static void with_nobody(void)
{
    close(listening(0, AF_INET, false));
    tell();
}

static void with_a_server_that_hangs(void)
{
    listening(0, AF_INET, false); /* the kernel accepts, and nobody answers */
    alarm(HEALTH_TIMEOUT_MS / 1000 + 5);
    tell();
}

static void with_no_address(void)
{
    listeners[0] = (struct config_listener){ .name = "systemd:https", .systemd = "https" };
    server.listener_count = 1;
    tell();
}

static void with_a_broken_configuration(void)
{
    broken = true;
    tell();
}

static void assert_dead(void (*body)(void), const char *line)
{
    char said[CHILD_SAID_MAX];

    assert_int_equal(child_run(body, said), 1);
    assert_string_equal(said, line);
}

static void anything_else_is_one_line_and_status_1(void **state)
{
    (void)state;
    assert_dead(with_another_alert,
                "not alive: the listener: it answers, but not as mta-stsd does\n");
    assert_dead(with_a_web_server,
                "not alive: the listener: it answers, but not as mta-stsd does\n");
    assert_dead(with_half_an_alert, "not alive: the listener: it closed without an alert\n");
    assert_dead(with_nobody, "not alive: the listener: Connection refused\n");
    assert_dead(with_a_server_that_hangs, "not alive: the listener: Connection timed out\n");
    assert_dead(with_no_address, "not alive: no listener: the configuration names no address "
                                 "that can be asked here\n");
    assert_dead(with_a_broken_configuration, "mta-stsd.ini:2: error: the first error\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hello_is_read_as_one_for_nobodys_name),
        cmocka_unit_test(only_the_fatal_unrecognized_name_means_alive),
        cmocka_unit_test(a_server_that_answers_so_is_alive),
        cmocka_unit_test(the_first_listener_that_can_be_asked_is_asked),
        cmocka_unit_test(anything_else_is_one_line_and_status_1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
