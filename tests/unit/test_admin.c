/*
 * admin and admin_client: the server's end of the socket, asked by bare sockets and by the client's end, which runs in a
 * child. Clock and log are the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "common/log.h"
#include "server/admin.h"
#include "server/admin_client.h"
#include "server/process.h"

enum { NOBODY = 65534, LINES_MAX = 16 };

/* --- The world around the modules */

static int64_t now_ms = 1000000;
static int64_t patience_ms = 3000; /* no wait is longer */

static char     lines[LINES_MAX][256];
static unsigned line_count;

int64_t process_now_ms(void)
{
    return now_ms;
}

int64_t process_left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - now_ms;

    if (deadline_ms == 0)
        return -1;
    left = left < patience_ms ? left : patience_ms;
    return left > 0 ? left : 0;
}

static void note(const char *format, va_list arguments)
{
    assert_true(line_count < LINES_MAX);
    vsnprintf(lines[line_count++], sizeof(lines[0]), format, arguments);
}

void log_warn(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(format, arguments);
    va_end(arguments);
}

/* --- What a test is made of */

static char               directory[] = "/tmp/admin-XXXXXX";
static char               config_path[64];
static unsigned           asked_count;
static enum admin_request last_asked;
static const char        *answer_at_once; /* to each request; NULL: it waits */
static int                answer_status;

static void on_asked(enum admin_request request)
{
    asked_count++;
    last_asked = request;
    if (answer_at_once != NULL)
        admin_answer(request, answer_status, answer_at_once);
}

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL || chmod(directory, 0755) != 0)
        return -1;
    snprintf(config_path, sizeof(config_path), "%s/mta-stsd.ini", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

static int start(void **state)
{
    (void)state;
    unsetenv("RUNTIME_DIRECTORY");
    line_count = asked_count = 0;
    patience_ms = 3000;
    answer_at_once = NULL;
    answer_status = 0;
    admin_open(config_path);
    return line_count == 0 ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    admin_close();
    return 0;
}

/* One turn of the master's loop, which waits for so long. */
static void turn_within(int milliseconds)
{
    struct pollfd fds[ADMIN_POLL_MAX];
    size_t        count = admin_poll(fds);

    assert_true(count <= ADMIN_POLL_MAX);
    poll(fds, count, milliseconds);
    admin_work(fds, count, on_asked);
}

static void turn(void)
{
    turn_within(0);
}

static int connect_at(const struct admin_address *address)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address->address, address->len), 0);
    return fd;
}

static int connect_client(void)
{
    struct admin_address addresses[2];

    assert_int_equal(admin_addresses(config_path, addresses), 0);
    return connect_at(&addresses[1]);
}

static int client_asking(char request)
{
    int fd = connect_client();

    assert_int_equal(send(fd, &request, 1, 0), 1);
    turn();
    return fd;
}

/* The next packet as a string; "" at the end, NULL: none there. */
static const char *received(int fd)
{
    static char packet[ADMIN_LINE_MAX + 1];
    ssize_t     len = recv(fd, packet, sizeof(packet) - 1, MSG_DONTWAIT);

    if (len < 0 && errno == EAGAIN)
        return NULL;
    packet[len > 0 ? len : 0] = '\0'; /* ECONNRESET: what it sent was not read */
    return packet;
}

static void assert_ended_with(int fd, const char *packet)
{
    const char *got = received(fd);

    assert_non_null(got);
    assert_string_equal(got, packet);
    assert_string_equal(received(fd), "");
    close(fd);
}

static void assert_waits(int fd)
{
    turn();
    assert_null(received(fd));
}

/* --- Addresses */

static void the_addresses_come_from_name_and_environment(void **state)
{
    struct admin_address addresses[2];

    (void)state;
    assert_int_equal(admin_addresses(config_path, addresses), 0);
    assert_int_equal(addresses[0].len, 0);
    assert_int_equal(addresses[1].len, offsetof(struct sockaddr_un, sun_path) + 1 + 9 + 16);
    assert_memory_equal(addresses[1].address.sun_path, "\0mta-stsd/", 10);
    setenv("RUNTIME_DIRECTORY", "/run/one:/run/two", 1);
    assert_int_equal(admin_addresses(config_path, addresses), 0);
    assert_int_equal(strncmp(addresses[0].address.sun_path, "/run/one/", 9), 0);
    assert_string_equal(addresses[0].address.sun_path + 9 + 16, ".sock");
    assert_memory_equal(addresses[0].address.sun_path + 9, addresses[1].address.sun_path + 10, 16);
    setenv("RUNTIME_DIRECTORY", "run", 1);
    assert_int_equal(admin_addresses(config_path, addresses), 0);
    assert_int_equal(addresses[0].len, 0);
}

static void what_there_is_not_has_no_length(void **state)
{
    struct admin_address addresses[2];
    char                 longest[128] = "/";

    (void)state;
    assert_int_equal(admin_addresses("/nowhere/at/all/mta-stsd.ini", addresses), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(addresses[0].len, 0);
    assert_int_equal(addresses[1].len, 0);
    memset(longest + 1, 'x', sizeof(longest) - 2);
    setenv("RUNTIME_DIRECTORY", longest, 1);
    assert_int_equal(admin_addresses(config_path, addresses), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(addresses[0].len, 0);
    assert_true(addresses[1].len > 0);
}

static void a_directory_that_is_not_there_is_a_warning(void **state)
{
    (void)state;
    admin_close();
    admin_open("/nowhere/at/all/mta-stsd.ini");
    assert_int_equal(line_count, 1);
    assert_string_equal(lines[0], "mta-stsd -H, -r and -s will not find this server: "
                                  "/nowhere/at/all/mta-stsd.ini");
    assert_int_equal(admin_deadline(), 0);
    turn();
}

/* A killed server leaves its file, on which no process accepts. */
static void a_file_that_a_killed_server_left_is_replaced(void **state)
{
    struct admin_address addresses[2];
    struct stat          status;
    int                  left = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    (void)state;
    admin_close();
    setenv("RUNTIME_DIRECTORY", directory, 1);
    assert_int_equal(admin_addresses(config_path, addresses), 0);
    assert_int_equal(bind(left, (struct sockaddr *)&addresses[0].address, addresses[0].len), 0);
    close(left);
    admin_open(config_path);
    assert_int_equal(line_count, 0);
    assert_int_equal(stat(addresses[0].address.sun_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    close(connect_at(&addresses[0]));
    close(connect_at(&addresses[1]));
    admin_close();
    assert_int_equal(access(addresses[0].address.sun_path, F_OK), -1);
}

static void what_is_no_socket_stays(void **state)
{
    struct admin_address addresses[2];

    (void)state;
    admin_close();
    setenv("RUNTIME_DIRECTORY", directory, 1);
    assert_int_equal(admin_addresses(config_path, addresses), 0);
    assert_int_equal(mkdir(addresses[0].address.sun_path, 0700), 0);
    admin_open(config_path);
    assert_int_equal(line_count, 1);
    close(connect_at(&addresses[1]));
    admin_close();
    assert_int_equal(rmdir(addresses[0].address.sun_path), 0);
}

static void an_address_that_is_taken_is_tried_again(void **state)
{
    struct admin_address addresses[2];
    int                  taken = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    (void)state;
    admin_close();
    assert_int_equal(admin_addresses(config_path, addresses), 0);
    assert_int_equal(bind(taken, (struct sockaddr *)&addresses[1].address, addresses[1].len), 0);
    admin_open(config_path);
    assert_int_equal(line_count, 1);
    assert_non_null(strstr(lines[0], "cannot use @mta-stsd/"));
    assert_int_equal(admin_deadline(), now_ms + ADMIN_RETRY_MS);
    now_ms += ADMIN_RETRY_MS;
    turn(); /* still taken */
    assert_int_equal(line_count, 1);
    assert_int_equal(admin_deadline(), now_ms + ADMIN_RETRY_MS);
    close(taken);
    now_ms += ADMIN_RETRY_MS;
    turn();
    assert_int_equal(line_count, 2);
    assert_non_null(strstr(lines[1], "can use @mta-stsd/"));
    assert_int_equal(admin_deadline(), 0);
    close(connect_client());
}

/* --- Requests */

static void a_request_is_asked_and_answered(void **state)
{
    static const enum admin_request requests[] = { ADMIN_HEALTH, ADMIN_RELOAD, ADMIN_RELOAD_FORCED,
                                                   ADMIN_STATUS };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        int client = client_asking((char)requests[i]);

        assert_int_equal(asked_count, i + 1);
        assert_int_equal(last_asked, requests[i]);
        assert_waits(client);
        admin_answer(requests[i], i % 2, "the text");
        assert_ended_with(client, i % 2 == 0 ? "E0the text" : "E1the text");
    }
}

static void what_is_no_request_ends_its_client(void **state)
{
    static const char *const packets[] = { "X", "h", "HH", "H\n", "reload" };

    (void)state;
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        int client = connect_client();

        assert_int_equal(send(client, packets[i], strlen(packets[i]), 0), strlen(packets[i]));
        turn();
        assert_string_equal(received(client), "");
        close(client);
    }
    assert_int_equal(asked_count, 0);
}

static void a_second_request_ends_its_client(void **state)
{
    int client = client_asking(ADMIN_RELOAD);

    (void)state;
    assert_int_equal(send(client, "R", 1, 0), 1);
    turn();
    assert_string_equal(received(client), "");
    assert_int_equal(asked_count, 1);
    close(client);
}

static void a_client_that_sends_nothing_is_closed_in_time(void **state)
{
    int client = connect_client(), other;

    (void)state;
    turn();
    assert_int_equal(admin_deadline(), now_ms + ADMIN_REQUEST_MS);
    other = client_asking(ADMIN_STATUS); /* which waits for as long as it takes */
    now_ms += ADMIN_REQUEST_MS - 1;
    assert_waits(client);
    now_ms += 1;
    turn();
    assert_string_equal(received(client), "");
    assert_waits(other);
    assert_int_equal(admin_deadline(), 0);
    close(client);
    close(other);
}

static void silent_clients_make_room(void **state)
{
    int silent[3 * ADMIN_CLIENTS_MAX], client;

    (void)state;
    for (size_t i = 0; i < 3 * ADMIN_CLIENTS_MAX; i++) {
        silent[i] = connect_client();
        now_ms++;
        turn();
    }
    client = client_asking(ADMIN_HEALTH);
    assert_int_equal(asked_count, 1);
    assert_waits(client);
    assert_string_equal(received(silent[0]), ""); /* the oldest */
    assert_null(received(silent[3 * ADMIN_CLIENTS_MAX - 1]));
    admin_answer(ADMIN_HEALTH, 0, "");
    assert_ended_with(client, "E0");
    for (size_t i = 0; i < 3 * ADMIN_CLIENTS_MAX; i++)
        close(silent[i]);
}

static void clients_that_wait_for_an_answer_keep_their_places(void **state)
{
    int           clients[ADMIN_CLIENTS_MAX], more;
    struct pollfd fds[ADMIN_POLL_MAX];

    (void)state;
    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        clients[i] = client_asking(ADMIN_RELOAD);
    assert_int_equal(admin_poll(fds),
                     ADMIN_CLIENTS_MAX); /* the listening socket is not among them */
    more = client_asking(ADMIN_STATUS);
    turn();
    assert_int_equal(asked_count, ADMIN_CLIENTS_MAX);
    admin_answer(ADMIN_RELOAD, 0, "done");
    for (size_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
        assert_ended_with(clients[i], "E0done");
    turn();
    assert_int_equal(last_asked, ADMIN_STATUS);
    close(more);
}

static void a_client_that_has_gone_harms_nothing(void **state)
{
    int gone = client_asking(ADMIN_RELOAD), sockets[ADMIN_CLIENTS_MAX];

    (void)state;
    admin_begin_reload();
    assert_int_equal(admin_reload_sockets(sockets), 1);
    close(gone);
    assert_false(admin_send_line(sockets[0], "a line"));
    turn();
    assert_int_equal(admin_reload_sockets(sockets), 0);
    admin_end_reload(0, "done");
}

static void a_reload_has_those_that_asked_before_it_began(void **state)
{
    int first = client_asking(ADMIN_RELOAD), second = client_asking(ADMIN_RELOAD);
    int probe = client_asking(ADMIN_HEALTH);
    int sockets[ADMIN_CLIENTS_MAX], later;

    (void)state;
    assert_false(admin_begin_reload());
    later = client_asking(ADMIN_RELOAD_FORCED);
    assert_int_equal(admin_reload_sockets(sockets), 2);
    assert_true(admin_send_line(sockets[0], "one"));
    assert_true(admin_send_line(sockets[0], "two"));
    assert_string_equal(received(first), "Lone");
    assert_string_equal(received(first), "Ltwo");
    admin_end_reload(1, "refused");
    assert_ended_with(first, "E1refused");
    assert_ended_with(second, "E1refused");
    assert_waits(probe);
    assert_waits(later);
    assert_true(admin_begin_reload());
    admin_answer(ADMIN_RELOAD, 1, "not those that are part of it");
    assert_waits(later);
    admin_end_reload(0, "done");
    assert_ended_with(later, "E0done");
    close(probe);
}

static void a_text_that_is_too_long_ends_in_dots(void **state)
{
    static char text[2 * ADMIN_LINE_MAX];
    int         client = client_asking(ADMIN_STATUS);
    const char *got;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    admin_answer(ADMIN_STATUS, 0, text);
    got = received(client);
    assert_int_equal(strlen(got), ADMIN_LINE_MAX - 1);
    assert_string_equal(got + ADMIN_LINE_MAX - 6, "xx...");
    close(client);
}

static void at_the_end_all_clients_see_it(void **state)
{
    int waiting = client_asking(ADMIN_HEALTH), silent = connect_client();

    (void)state;
    turn();
    admin_close();
    assert_string_equal(received(waiting), "");
    assert_string_equal(received(silent), "");
    close(waiting);
    close(silent);
    assert_int_equal(admin_deadline(), 0);
}

/* --- The client's end */

static void (*before_asking)(void);

struct ran {
    int  status;
    char output[4096], errors[4096];
};

static void read_all(int fd, char *text, size_t size)
{
    text[child_heard(fd, text, size - 1)] = '\0';
    close(fd);
}

/* Runs the client in a child, while turn is done again and again. */
static void run_client(enum admin_request request, void (*serve)(void), struct ran *ran)
{
    int   output[2], errors[2], status;
    pid_t pid;

    assert_int_equal(pipe(output), 0);
    assert_int_equal(pipe(errors), 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        dup2(output[1], STDOUT_FILENO);
        dup2(errors[1], STDERR_FILENO);
        admin_forget();
        if (before_asking != NULL)
            before_asking();
        status = admin_client_run(config_path, request);
        fflush(stdout);
        _exit(status);
    }
    close(output[1]);
    close(errors[1]);
    while (waitpid(pid, &status, WNOHANG) == 0)
        serve();
    ran->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    read_all(output[0], ran->output, sizeof(ran->output));
    read_all(errors[0], ran->errors, sizeof(ran->errors));
}

static void serve(void)
{
    turn_within(20);
}

static void assert_client(enum admin_request request, int status, const char *output,
                          const char *errors)
{
    struct ran ran;

    run_client(request, serve, &ran);
    assert_string_equal(ran.errors, errors);
    assert_string_equal(ran.output, output);
    assert_int_equal(ran.status, status);
}

static void the_client_prints_what_comes_and_ends_with_the_status(void **state)
{
    (void)state;
    answer_at_once = "";
    assert_client(ADMIN_HEALTH, 0, "", "");
    answer_at_once = "ready: generation 1";
    assert_client(ADMIN_STATUS, 0, "ready: generation 1\n", "");
    assert_client(ADMIN_RELOAD, 0, "ready: generation 1\n", "");
    answer_status = 1;
    answer_at_once = "the reason";
    assert_client(ADMIN_HEALTH, 1, "", "not alive: the reason\n");
    assert_client(ADMIN_RELOAD_FORCED, 1, "", "the reason\n");
    assert_int_equal(last_asked, ADMIN_RELOAD_FORCED);
}

static void serve_a_reload(void)
{
    int sockets[ADMIN_CLIENTS_MAX];

    turn_within(20);
    if (asked_count == 0)
        return;
    asked_count = 0;
    admin_begin_reload();
    assert_int_equal(admin_reload_sockets(sockets), 1);
    admin_send_line(sockets[0], "mta-stsd.ini:1: warning: one");
    admin_send_line(sockets[0], "mta-stsd.ini:2: error: two");
    admin_end_reload(1, "reload refused at mta-stsd.ini:2");
}

static void the_findings_of_a_reload_are_lines_of_standard_output(void **state)
{
    struct ran ran;

    (void)state;
    run_client(ADMIN_RELOAD, serve_a_reload, &ran);
    assert_int_equal(ran.status, 1);
    assert_string_equal(ran.output, "mta-stsd.ini:1: warning: one\nmta-stsd.ini:2: error: two\n");
    assert_string_equal(ran.errors, "reload refused at mta-stsd.ini:2\n");
}

static void without_a_server_the_client_fails(void **state)
{
    char expected[256];

    (void)state;
    admin_close();
    snprintf(expected, sizeof(expected), "not alive: no server runs with the configuration %s\n",
             config_path);
    assert_client(ADMIN_HEALTH, 1, "", expected);
    snprintf(expected, sizeof(expected), "no reload: no server runs with the configuration %s\n",
             config_path);
    assert_client(ADMIN_RELOAD, 1, "", expected);
}

static void a_server_that_does_not_answer_is_waited_for_and_no_longer(void **state)
{
    (void)state;
    patience_ms = 100;
    assert_client(ADMIN_HEALTH, 1, "", "not alive: the server did not answer in time\n");
    assert_client(ADMIN_STATUS, 1, "", "no status: the server did not answer in time\n");
}

static void rest(void)
{
    poll(NULL, 0, 20);
}

static void a_full_queue_is_waited_for_and_no_longer(void **state)
{
    int        waiting[64];
    size_t     count = 0;
    struct ran ran;

    (void)state;
    for (;;) {
        struct admin_address addresses[2];

        assert_int_equal(admin_addresses(config_path, addresses), 0);
        waiting[count] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
        if (connect(waiting[count], (struct sockaddr *)&addresses[1].address, addresses[1].len) !=
            0)
            break;
        assert_true(++count < 60);
    }
    patience_ms = 200;
    run_client(ADMIN_HEALTH, rest, &ran);
    assert_int_equal(ran.status, 1);
    assert_string_equal(ran.errors, "not alive: the server does not accept requests\n");
    patience_ms = 3000;
    answer_at_once = "";
    assert_client(ADMIN_HEALTH, 0, "", ""); /* now it accepts */
    for (size_t i = 0; i <= count; i++)
        close(waiting[i]);
}

static int other_server = -1;

/* Sends the first client something else, and closes. */
static void serve_something_else(void)
{
    struct pollfd ready = { .fd = other_server, .events = POLLIN };
    char          request;
    int           client;

    if (poll(&ready, 1, 20) != 1)
        return;
    client = accept(other_server, NULL, NULL);
    assert_int_equal(recv(client, &request, 1, 0), 1);
    send(client, "220 mail.example.org ESMTP", 26, MSG_NOSIGNAL);
    close(client);
}

static void something_else_is_not_believed(void **state)
{
    struct admin_address addresses[2];
    struct ran           ran;

    (void)state;
    admin_close();
    assert_int_equal(admin_addresses(config_path, addresses), 0);
    other_server = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(bind(other_server, (struct sockaddr *)&addresses[1].address, addresses[1].len),
                     0);
    assert_int_equal(listen(other_server, 5), 0);
    run_client(ADMIN_HEALTH, serve_something_else, &ran);
    assert_int_equal(ran.status, 1);
    assert_string_equal(ran.errors, "not alive: the process that answers is not mta-stsd\n");
    close(other_server);
}

/* --- Users */

static void become_another_user(void)
{
    CHECK(setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static void another_user_is_not_served(void **state)
{
    struct ran ran;

    (void)state;
    if (geteuid() != 0)
        skip();
    before_asking = become_another_user;
    run_client(ADMIN_RELOAD, serve, &ran);
    before_asking = NULL;
    assert_int_equal(ran.status, 1);
    assert_string_equal(ran.errors, "no reload: the server closed the connection: it has ended, or "
                                    "does not allow this user\n");
    assert_int_equal(asked_count, 0);
}

static void a_server_of_another_user_is_not_believed(void **state)
{
    struct ran ran;

    (void)state;
    if (geteuid() != 0)
        skip();
    admin_close();
    assert_int_equal(seteuid(NOBODY), 0);
    admin_open(config_path); /* whose the socket is from then on */
    assert_int_equal(seteuid(0), 0);
    answer_at_once = "";
    run_client(ADMIN_HEALTH, serve, &ran);
    assert_int_equal(ran.status, 1);
    assert_string_equal(ran.errors,
                        "not alive: the process that answers belongs to user 65534: run "
                        "this command as that user, if it is the server\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_addresses_come_from_name_and_environment),
        TEST(what_there_is_not_has_no_length),
        TEST(a_directory_that_is_not_there_is_a_warning),
        TEST(a_file_that_a_killed_server_left_is_replaced),
        TEST(what_is_no_socket_stays),
        TEST(an_address_that_is_taken_is_tried_again),
        TEST(a_request_is_asked_and_answered),
        TEST(what_is_no_request_ends_its_client),
        TEST(a_second_request_ends_its_client),
        TEST(a_client_that_sends_nothing_is_closed_in_time),
        TEST(silent_clients_make_room),
        TEST(clients_that_wait_for_an_answer_keep_their_places),
        TEST(a_client_that_has_gone_harms_nothing),
        TEST(a_reload_has_those_that_asked_before_it_began),
        TEST(a_text_that_is_too_long_ends_in_dots),
        TEST(at_the_end_all_clients_see_it),
        TEST(the_client_prints_what_comes_and_ends_with_the_status),
        TEST(the_findings_of_a_reload_are_lines_of_standard_output),
        TEST(without_a_server_the_client_fails),
        TEST(a_server_that_does_not_answer_is_waited_for_and_no_longer),
        TEST(a_full_queue_is_waited_for_and_no_longer),
        TEST(something_else_is_not_believed),
        TEST(another_user_is_not_served),
        TEST(a_server_of_another_user_is_not_believed),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
