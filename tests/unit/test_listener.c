/*
 * listener: sockets that are found, made, or explained. Each test has a network of
 * its own, so that any port is free and nothing outside is touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "server/listener.h"

static char error[LISTENER_ERROR_MAX];

static struct listener_set held, used;

/* "127.0.0.1", "::1", or the NAME behind "systemd:" with port 0. */
static struct config_listener wanted(const char *host, unsigned port)
{
    static char            names[16][LISTENER_NAME_MAX + 1];
    static size_t          next;
    char                  *name = names[next++ % 16];
    struct config_listener listener = { .kind = CONFIG_HTTPS, .name = name };
    struct sockaddr_in    *in = (void *)&listener.address;
    struct sockaddr_in6   *in6 = (void *)&listener.address;

    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        listener.address_len = sizeof(*in);
        snprintf(name, sizeof(names[0]), "%s:%u", host, port);
    } else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        listener.address_len = sizeof(*in6);
        snprintf(name, sizeof(names[0]), "[%s]:%u", host, port);
    } else {
        listener.systemd = host;
        snprintf(name, sizeof(names[0]), "systemd:%s", host);
    }
    return listener;
}

static enum listener_result open_wanted(const char *host, unsigned port, bool *fresh)
{
    struct config_listener listener = wanted(host, port);

    error[0] = '\0';
    return listener_open(&listener, &held, &used, fresh, error);
}

static void check_opens(const char *host, unsigned port)
{
    bool fresh;

    if (open_wanted(host, port, &fresh) != LISTENER_OK)
        fprintf(stderr, "%s\n", error);
    CHECK(fresh);
}

static void check_fails(const char *host, unsigned port, const char *text)
{
    size_t before = used.count;
    bool   fresh;

    CHECK(open_wanted(host, port, &fresh) == LISTENER_FAILED);
    CHECK(!fresh && used.count == before);
    if (strcmp(error, text) != 0)
        fprintf(stderr, "%s\n", error);
}

static void check_skips(const char *host, unsigned port)
{
    bool fresh;

    CHECK(open_wanted(host, port, &fresh) == LISTENER_SKIPPED);
    CHECK(!fresh && used.count == 0);
    CHECK(strstr(error, "is skipped: this machine has no IPv6") != NULL);
}

/* What was used is what the master holds from now on. */
static void next_generation(void)
{
    held = used;
    used.count = 0;
}

static void own_network(void)
{
    child_own_network();
    child_loopback_up();
}

/* Somebody else's socket, listening; dual-stack unless v6only. */
static int bind_raw(const char *host, unsigned port, int v6only)
{
    struct config_listener listener = wanted(host, port);
    int                    fd = socket(listener.address.ss_family, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    if (listener.address.ss_family == AF_INET6)
        CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) == 0);
    CHECK(bind(fd, (struct sockaddr *)&listener.address, listener.address_len) == 0);
    CHECK(listen(fd, 1) == 0);
    return fd;
}

/* --- Making */

static int option(int fd, int level, int name)
{
    int       value = -1;
    socklen_t len = sizeof(value);

    CHECK(getsockopt(fd, level, name, &value, &len) == 0);
    return value;
}

static void check_new_socket(void)
{
    struct sockaddr_in address;
    socklen_t          len = sizeof(address);
    int                fd, client, accepted;
    char               text[LISTENER_TEXT_MAX];

    own_network();
    client = socket(AF_INET, SOCK_STREAM, 0);
    check_opens("127.0.0.1", 0);
    CHECK(used.count == 1 && strcmp(used.at[0].name, "127.0.0.1:0") == 0);
    CHECK(!used.at[0].given && used.at[0].kind == CONFIG_HTTPS);
    fd = used.at[0].fd;
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK(accept(fd, NULL, NULL) == -1 && errno == EAGAIN);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    CHECK(connect(client, (struct sockaddr *)&address, len) == 0);
    CHECK((accepted = accept(fd, NULL, NULL)) >= 0);
    CHECK(option(accepted, IPPROTO_TCP, TCP_NODELAY) == 1);
    listener_address(fd, text, sizeof(text));
    CHECK(strncmp(text, "127.0.0.1:", 10) == 0 && strtoul(text + 10, NULL, 10) > 0);
}

static void check_both_families(void)
{
    own_network();
    check_opens("0.0.0.0", 443);
    check_opens("::", 443);
    CHECK(used.count == 2 && option(used.at[1].fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
}

static void check_held_is_kept(void)
{
    bool fresh = true;
    int  fd;

    own_network();
    check_opens("127.0.0.1", 443);
    fd = used.at[0].fd;
    next_generation();
    CHECK(open_wanted("127.0.0.1", 443, &fresh) == LISTENER_OK);
    CHECK(!fresh && used.count == 1 && used.at[0].fd == fd);
}

/* wanted() in another kind. Returns the descriptor that it got. */
static int opened_for(enum config_listener_kind kind, const char *host, unsigned port, bool *fresh)
{
    struct config_listener listener = wanted(host, port);

    listener.kind = kind;
    CHECK(listener_open(&listener, &held, &used, fresh, error) == LISTENER_OK);
    CHECK(used.at[used.count - 1].kind == kind);
    return used.at[used.count - 1].fd;
}

static void check_any_port_is_held_for_each_kind(void)
{
    static const enum config_listener_kind kinds[] = { CONFIG_HTTPS, CONFIG_ACME, CONFIG_HEALTH };
    int                                    fds[3];
    bool                                   fresh;

    own_network();
    for (size_t i = 0; i < 3; i++)
        fds[i] = opened_for(kinds[i], "127.0.0.1", 0, &fresh);
    CHECK(used.count == 3);
    next_generation();
    for (size_t i = 3; i-- > 0;) {
        CHECK(opened_for(kinds[i], "127.0.0.1", 0, &fresh) == fds[i]);
        CHECK(!fresh);
    }
    CHECK(used.count == 3);
}

static void check_numbered_port_is_held_for_any_kind(void)
{
    bool fresh;
    int  fd;

    own_network();
    fd = opened_for(CONFIG_HTTPS, "127.0.0.1", 8080, &fresh);
    CHECK(fresh);
    next_generation();
    CHECK(opened_for(CONFIG_ACME, "127.0.0.1", 8080, &fresh) == fd && !fresh && used.count == 1);
}

static void check_given_is_held_for_any_kind(void)
{
    bool fresh;
    int  fd;

    own_network();
    fd = bind_raw("127.0.0.1", 80, 0);
    CHECK(listener_set_add(&held, "systemd:http", fd, true, CONFIG_HTTPS) == 0);
    CHECK(opened_for(CONFIG_ACME, "http", 0, &fresh) == fd && !fresh && used.count == 1);
}

static void check_bound_again_after_close(void)
{
    struct sockaddr_in address;
    socklen_t          len = sizeof(address);
    int                client, accepted;
    char               byte;

    own_network();
    check_opens("127.0.0.1", 443);
    CHECK(getsockname(used.at[0].fd, (struct sockaddr *)&address, &len) == 0);
    client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&address, len) == 0);
    CHECK((accepted = accept(used.at[0].fd, NULL, NULL)) >= 0);
    close(accepted); /* first: the server's side is in TIME_WAIT */
    CHECK(read(client, &byte, 1) == 0);
    close(client);
    listener_set_close(&used);
    CHECK(used.count == 0);
    check_opens("127.0.0.1", 443);
}

static void a_new_socket_is_ready_for_workers(void **state)
{
    (void)state;
    assert_child_passes(check_new_socket);
}

static void both_families_share_a_port(void **state)
{
    (void)state;
    assert_child_passes(check_both_families);
}

static void what_is_held_is_kept(void **state)
{
    (void)state;
    assert_child_passes(check_held_is_kept);
}

static void port_0_is_held_for_each_kind(void **state)
{
    (void)state;
    assert_child_passes(check_any_port_is_held_for_each_kind);
}

static void other_sockets_are_held_for_any_kind(void **state)
{
    (void)state;
    assert_child_passes(check_numbered_port_is_held_for_any_kind);
    assert_child_passes(check_given_is_held_for_any_kind);
}

static void an_address_can_be_bound_again_at_once(void **state)
{
    (void)state;
    assert_child_passes(check_bound_again_after_close);
}

/* --- In use */

static void check_overlap_with_held(void)
{
    own_network();
    check_opens("0.0.0.0", 443);
    check_opens("127.0.0.1", 80);
    check_opens("::1", 443);
    next_generation();
    check_fails("127.0.0.1", 443,
                "127.0.0.1:443 overlaps 0.0.0.0:443, which this server still holds: "
                "needs a restart");
    check_fails("0.0.0.0", 80,
                "0.0.0.0:80 overlaps 127.0.0.1:80, which this server still holds: "
                "needs a restart");
    check_fails("::", 443,
                "[::]:443 overlaps [::1]:443, which this server still holds: needs a restart");
    check_opens("127.0.0.1", 8443);
}

static void check_overlap_with_itself(void)
{
    own_network();
    check_opens("0.0.0.0", 443);
    check_fails("127.0.0.1", 443,
                "127.0.0.1:443 overlaps 0.0.0.0:443 of the same configuration: "
                "keep one of the two");
}

static void check_overlap_with_dual_stack(void)
{
    own_network();
    CHECK(listener_set_add(&held, "systemd:https", bind_raw("::", 443, 0), true, CONFIG_HTTPS) ==
          0);
    check_fails("0.0.0.0", 443,
                "0.0.0.0:443 overlaps systemd:https, which systemd handed over: "
                "write listen = systemd:https, or take it out of the socket unit");
    check_fails("127.0.0.1", 443,
                "127.0.0.1:443 overlaps systemd:https, which systemd handed over: "
                "write listen = systemd:https, or take it out of the socket unit");
}

static void check_in_use_elsewhere(void)
{
    own_network();
    bind_raw("127.0.0.1", 443, 0);
    check_opens("127.0.0.1", 80);
    next_generation();
    check_fails("127.0.0.1", 443,
                "127.0.0.1:443 is in use by another program: "
                "find it with ss -ltnp 'sport = :443'");
}

static void an_overlap_is_told_with_what_to_do(void **state)
{
    (void)state;
    assert_child_passes(check_overlap_with_held);
    assert_child_passes(check_overlap_with_itself);
    assert_child_passes(check_overlap_with_dual_stack);
}

static void another_programs_port_is_told_with_how_to_find_it(void **state)
{
    (void)state;
    assert_child_passes(check_in_use_elsewhere);
}

/* --- Not to be had */

static void check_low_port(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct   none[_LINUX_CAPABILITY_U32S_3] = { { 0, 0, 0 } };
    bool                            fresh;

    own_network();
    CHECK(syscall(SYS_capset, &header, none) == 0);
    CHECK(open_wanted("127.0.0.1", 443, &fresh) == LISTENER_FAILED);
    CHECK(strstr(error, "127.0.0.1:443 needs CAP_NET_BIND_SERVICE: ") == error);
    CHECK(strstr(error, "--cap-add=NET_BIND_SERVICE") != NULL);
    CHECK(strstr(error, "ip_unprivileged_port_start to 443") != NULL);
    check_opens("127.0.0.1", 8443);
}

/* A network whose loopback is down has no [::1], as where IPv6 is switched off. */
static void check_ipv6_off(void)
{
    child_own_network();
    check_skips("::1", 443);
}

static void check_ipv6_missing(void)
{
    own_network();
    child_refuse(SYS_socket, EAFNOSUPPORT, AF_INET6);
    check_skips("::1", 443);
    check_skips("::", 443);
    check_skips("2001:db8::1", 443);
    check_opens("0.0.0.0", 443);
}

static void check_address_of_nobody(void)
{
    own_network();
    check_fails("192.0.2.1", 443,
                "192.0.2.1:443: no interface of this machine has the address "
                "(ip addr lists them)");
    check_fails("2001:db8::1", 443,
                "[2001:db8::1]:443: no interface of this machine has the address "
                "(ip addr lists them)");
}

static void a_low_port_without_the_capability_is_told(void **state)
{
    (void)state;
    assert_child_passes(check_low_port);
}

static void a_machine_without_ipv6_is_worth_a_warning(void **state)
{
    (void)state;
    assert_child_passes(check_ipv6_off);
    assert_child_passes(check_ipv6_missing);
}

static void an_address_of_no_interface_is_an_error(void **state)
{
    (void)state;
    assert_child_passes(check_address_of_nobody);
}

/* --- systemd's */

/* Puts these descriptors where systemd does, and says so as it does. */
static void hand_over(const int *fds, int count, const char *names, pid_t pid)
{
    char number[32];
    int  aside[8];

    for (int i = 0; i < count; i++)
        CHECK((aside[i] = fcntl(fds[i], F_DUPFD, 100)) >= 0);
    for (int i = 0; i < count; i++)
        CHECK(dup2(aside[i], 3 + i) == 3 + i);
    snprintf(number, sizeof(number), "%ld", (long)pid);
    setenv("LISTEN_PID", number, 1);
    snprintf(number, sizeof(number), "%d", count);
    setenv("LISTEN_FDS", number, 1);
    setenv("LISTEN_PIDFDID", "1", 1);
    if (names != NULL)
        setenv("LISTEN_FDNAMES", names, 1);
}

static void check_environment_is_clean(void)
{
    CHECK(getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDS") == NULL);
    CHECK(getenv("LISTEN_FDNAMES") == NULL && getenv("LISTEN_PIDFDID") == NULL);
}

static void check_handed_over(void)
{
    bool fresh;
    int  fds[3];

    own_network();
    fds[0] = bind_raw("127.0.0.1", 443, 0);
    fds[1] = bind_raw("127.0.0.1", 80, 0);
    fds[2] = bind_raw("::1", 443, 1);
    hand_over(fds, 3, "https:acme:https", getpid());
    CHECK(listener_from_systemd(&held, error) == 0 && held.count == 3);
    check_environment_is_clean();
    CHECK(strcmp(held.at[0].name, "systemd:https") == 0 && held.at[0].fd == 3);
    CHECK(strcmp(held.at[1].name, "systemd:acme") == 0 && held.at[1].fd == 4);
    CHECK(strcmp(held.at[2].name, "systemd:https") == 0 && held.at[2].fd == 5);
    for (int fd = 3; fd < 6; fd++) {
        CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        CHECK(held.at[fd - 3].given);
    }
    CHECK(open_wanted("https", 0, &fresh) == LISTENER_OK && !fresh && used.count == 2);
    CHECK(used.at[0].fd == 3 && used.at[1].fd == 5 && used.at[1].given);
    check_fails("http", 0,
                "systemd:http was not handed over (systemd:https, systemd:acme, systemd:https): "
                "set FileDescriptorName=http in the socket unit, and start by it");
}

static void check_without_names(void)
{
    int fds[2];

    own_network();
    fds[0] = bind_raw("127.0.0.1", 443, 0);
    fds[1] = bind_raw("127.0.0.1", 80, 0);
    hand_over(fds, 2, NULL, getpid());
    CHECK(listener_from_systemd(&held, error) == 0 && held.count == 2);
    CHECK(strcmp(held.at[1].name, "systemd:unknown") == 0);
    held.count = 0;
    hand_over(fds, 2, ":acme", getpid()); /* and fewer names than sockets */
    CHECK(listener_from_systemd(&held, error) == 0 && held.count == 2);
    CHECK(strcmp(held.at[0].name, "systemd:unknown") == 0);
    CHECK(strcmp(held.at[1].name, "systemd:acme") == 0);
}

static void check_of_another_process(void)
{
    int fd;

    own_network();
    fd = bind_raw("127.0.0.1", 443, 0);
    hand_over(&fd, 1, "https", getppid());
    CHECK(listener_from_systemd(&held, error) == 0 && held.count == 0);
    check_environment_is_clean();
    CHECK(listener_from_systemd(&held, error) == 0 && held.count == 0);
    check_fails("https", 0,
                "systemd:https was not handed over (systemd handed over none): "
                "set FileDescriptorName=https in the socket unit, and start by it");
}

static void check_no_listening_stream(int fd)
{
    held.count = 0;
    hand_over(&fd, 1, "https", getpid());
    CHECK(listener_from_systemd(&held, error) == -1);
    CHECK(strstr(error, "systemd:https: descriptor 3 is no listening stream socket: ") == error);
    check_environment_is_clean();
}

static void check_unusable(void)
{
    char name[300];
    int  fd;

    own_network();
    check_no_listening_stream(socket(AF_INET, SOCK_DGRAM, 0));
    check_no_listening_stream(socket(AF_INET, SOCK_STREAM, 0));
    check_no_listening_stream(STDIN_FILENO);
    fd = bind_raw("127.0.0.1", 443, 0);
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    hand_over(&fd, 1, name, getpid());
    CHECK(listener_from_systemd(&held, error) == -1);
    CHECK(strstr(error, "299 bytes") != NULL);
}

static void handed_over_sockets_are_found_by_name(void **state)
{
    (void)state;
    assert_child_passes(check_handed_over);
    assert_child_passes(check_without_names);
}

static void what_was_handed_to_another_process_is_left_alone(void **state)
{
    (void)state;
    assert_child_passes(check_of_another_process);
}

static void a_descriptor_that_is_no_listener_is_refused(void **state)
{
    (void)state;
    assert_child_passes(check_unusable);
}

/* --- Text, and the set */

static void assert_peer(const char *host, unsigned port, const char *expected)
{
    struct config_listener listener = wanted(host, port);
    char                   text[LISTENER_TEXT_MAX];

    listener_peer((const struct sockaddr *)&listener.address, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void peers_are_told_as_people_write_them(void **state)
{
    const struct sockaddr_un unix_peer = { .sun_family = AF_UNIX };
    char                     text[LISTENER_TEXT_MAX];

    (void)state;
    assert_peer("192.0.2.1", 1234, "192.0.2.1:1234");
    assert_peer("2001:db8::1", 65535, "[2001:db8::1]:65535");
    assert_peer("::ffff:192.0.2.1", 1, "192.0.2.1:1");
    assert_peer("2001:db8:1111:2222:3333:4444:5555:6666", 65535,
                "[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
    listener_peer((const struct sockaddr *)&unix_peer, text, sizeof(text));
    assert_string_equal(text, "unix");
    listener_address(-1, text, sizeof(text));
    assert_string_equal(text, "unknown");
}

static void a_set_refuses_what_it_cannot_hold(void **state)
{
    static struct listener_set set;
    char                       name[LISTENER_NAME_MAX + 2];

    (void)state;
    memset(name, 'n', sizeof(name));
    name[LISTENER_NAME_MAX + 1] = '\0';
    assert_int_equal(listener_set_add(&set, name, 7, false, CONFIG_ACME), -1);
    name[LISTENER_NAME_MAX] = '\0';
    for (int i = 0; i < LISTENER_SET_MAX; i++)
        assert_int_equal(listener_set_add(&set, name, 1000 + i, true, CONFIG_ACME), 0);
    assert_int_equal(listener_set_add(&set, "one more", 7, false, CONFIG_ACME), -1);
    assert_int_equal(set.count, LISTENER_SET_MAX);
    assert_true(listener_set_has_fd(&set, 1000));
    assert_true(listener_set_has_fd(&set, 1000 + LISTENER_SET_MAX - 1));
    assert_false(listener_set_has_fd(&set, 7));
    assert_string_equal(set.at[0].name, name);
    assert_int_equal(set.at[0].kind, CONFIG_ACME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_socket_is_ready_for_workers),
        cmocka_unit_test(both_families_share_a_port),
        cmocka_unit_test(what_is_held_is_kept),
        cmocka_unit_test(port_0_is_held_for_each_kind),
        cmocka_unit_test(other_sockets_are_held_for_any_kind),
        cmocka_unit_test(an_address_can_be_bound_again_at_once),
        cmocka_unit_test(an_overlap_is_told_with_what_to_do),
        cmocka_unit_test(another_programs_port_is_told_with_how_to_find_it),
        cmocka_unit_test(a_low_port_without_the_capability_is_told),
        cmocka_unit_test(a_machine_without_ipv6_is_worth_a_warning),
        cmocka_unit_test(an_address_of_no_interface_is_an_error),
        cmocka_unit_test(handed_over_sockets_are_found_by_name),
        cmocka_unit_test(what_was_handed_to_another_process_is_left_alone),
        cmocka_unit_test(a_descriptor_that_is_no_listener_is_refused),
        cmocka_unit_test(peers_are_told_as_people_write_them),
        cmocka_unit_test(a_set_refuses_what_it_cannot_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
