/* log: one line a write, never waiting for a reader, and nothing of a stranger's unescaped. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/log.h"
#include "common/log_quote.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TIME "time=0000-00-00T00:00:00.000Z " /* 0: any digit */

enum { TIME_LEN = sizeof TIME - 1, SAID_MAX = 1 << 20 };

static char said[SAID_MAX];

/* What body writes to standard error, which is fd; read from from. Its exit status. */
static int run_before_init(void (*body)(void), int from, int fd)
{
    size_t  len = 0;
    ssize_t got;
    int     status;
    pid_t   pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(fd, STDERR_FILENO);
        close(fd);
        body();
        _exit(0);
    }
    close(fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    while ((got = read(from, said + len, SAID_MAX - 1 - len)) > 0)
        len += (size_t)got;
    said[len] = '\0';
    close(from);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void (*body_after_init)(void);

static void initialize(void)
{
    log_init("test");
    body_after_init();
}

static int run(void (*body)(void), int from, int fd)
{
    body_after_init = body;
    return run_before_init(initialize, from, fd);
}

static int run_with_pipe(void (*body)(void))
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    return run(body, ends[0], ends[1]);
}

static void run_with_file(void (*body)(void))
{
    char path[] = "/tmp/mta-sts-test_log-XXXXXX";
    int  fd = mkstemp(path);
    int  from = open(path, O_RDONLY);

    assert_true(fd >= 0 && from >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(run(body, from, fd), 0);
}

/* The lines, and behind times of which only the shape is known. */
static void assert_lines(const char *expected)
{
    char  without[8 * LOG_LINE_MAX] = "";
    char *line = said;
    char *end;

    while ((end = strchr(line, '\n')) != NULL) {
        for (size_t i = 0; i < TIME_LEN; i++) {
            char shape = line[i] >= '0' && line[i] <= '9' ? '0' : line[i];

            assert_int_equal(shape, TIME[i]);
        }
        strncat(without, line + TIME_LEN, (size_t)(end + 1 - line - TIME_LEN));
        line = end + 1;
    }
    assert_string_equal(line, ""); /* no line without its end */
    assert_string_equal(without, expected);
}

static const struct log_field fetch[] = {
    { .name = "host", .value = "a b", .len = 3 },
    { .name = "status", .number = 200 },
    { .name = "agent", .value = "", .len = 0 },
    { .name = "ms", .number = -1 },
};

static void say_one_of_each(void)
{
    log_info("count %d", 7);
    log_warnx("warned");
    log_errorx("failed");
    errno = ENOENT;
    log_warn("cannot open %s", "file");
    errno = EACCES;
    log_error("cannot read");
    log_set_process("worker.3");
    log_fields("fetch", fetch, COUNT(fetch));
}

static void a_line_has_time_level_process_and_message(void **state)
{
    (void)state;
    assert_int_equal(run_with_pipe(say_one_of_each), 0);
    assert_lines("level=info from=test msg=\"count 7\"\n"
                 "level=warning from=test msg=\"warned\"\n"
                 "level=error from=test msg=\"failed\"\n"
                 "level=warning from=test msg=\"cannot open file: No such file or directory\"\n"
                 "level=error from=test msg=\"cannot read: Permission denied\"\n"
                 "from=worker.3 fetch host=\"a b\" status=200 agent=\"\" ms=-1\n");
}

/* What is written in one go arrives in one packet. */
static void a_line_is_one_write(void **state)
{
    int     ends[2];
    int     lines = 0;
    ssize_t got;
    pid_t   pid;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        log_init("test");
        say_one_of_each();
        _exit(0);
    }
    close(ends[1]);
    while ((got = read(ends[0], said, SAID_MAX - 1)) > 0) {
        assert_memory_equal(said, "time=", 5);
        assert_ptr_equal(memchr(said, '\n', (size_t)got), said + got - 1);
        lines++;
    }
    assert_int_equal(lines, 6);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(ends[0]);
}

static void say_what_breaks_lines(void)
{
    log_info("a\nb\"c\\d\xff");
    log_set_process("a name that is longer than the thirty-one bytes it may have");
    log_info("x");
}

static void a_message_cannot_end_its_line(void **state)
{
    (void)state;
    assert_int_equal(run_with_pipe(say_what_breaks_lines), 0);
    assert_lines("level=info from=test msg=\"a\\x0ab\\\"c\\\\d\\xff\"\n"
                 "level=info from=a name that is longer than the  msg=\"x\"\n");
}

static void say_long_lines(void)
{
    static char text[2 * LOG_LINE_MAX];

    memset(text, 'x', sizeof text - 1);
    log_info("%s", text);
    memset(text, '"', sizeof text - 1);
    log_info("%s", text);
}

static void a_longer_line_is_cut_with_dots(void **state)
{
    char *line = said;

    (void)state;
    assert_int_equal(run_with_pipe(say_long_lines), 0);
    for (int i = 0; i < 2; i++) {
        char *end = strchr(line, '\n');

        assert_non_null(end);
        assert_in_range(end + 1 - line, LOG_LINE_MAX - 1, LOG_LINE_MAX);
        assert_memory_equal(end - 4, "...\"", 4);
        line = end + 1;
    }
    assert_string_equal(line, "");
}

static void keep_errno(void)
{
    errno = EXDEV;
    log_info("x");
    log_warn("x");
    log_fields("x", NULL, 0);
    _exit(errno == EXDEV ? 3 : 4);
}

static void errno_stays_as_it_was(void **state)
{
    (void)state;
    assert_int_equal(run_with_pipe(keep_errno), 3);
}

static void end_fatally(void)
{
    errno = EPERM;
    log_fatal("cannot %s", "start");
}

static void end_fatally_without_errno(void)
{
    log_fatalx("no start");
}

static void a_fatal_line_ends_the_process(void **state)
{
    (void)state;
    assert_int_equal(run_with_pipe(end_fatally), 1);
    assert_lines("level=error from=test msg=\"cannot start: Operation not permitted\"\n");
    assert_int_equal(run_with_pipe(end_fatally_without_errno), 1);
    assert_lines("level=error from=test msg=\"no start\"\n");
}

/* Fills standard error until lines are dropped, makes room, and says two more; a child of
   fork does not tell its parent's drops again. */
static int drain_fd;

static void overflow(void)
{
    char          sink[4096];
    struct pollfd readable = { .fd = drain_fd, .events = POLLIN };

    for (int i = 0; i < 100000 && log_dropped() == 0; i++)
        log_info("%0900d", i);
    log_info("%0900d", 0);
    if (log_dropped() != 2)
        _exit(2);
    while (poll(&readable, 1, 0) == 1 && read(drain_fd, sink, sizeof sink) > 0)
        continue;
    if (fork() == 0) {
        log_info("child");
        _exit(0);
    }
    wait(NULL);
    log_info("first");
    log_info("second");
    _exit(log_dropped() == 2 ? 0 : 3);
}

static void assert_drops_are_told(void)
{
    assert_lines("level=info from=test msg=\"child\"\n"
                 "level=info from=test dropped=2 msg=\"first\"\n"
                 "level=info from=test msg=\"second\"\n");
}

static void a_full_pipe_drops_lines_and_tells_how_many(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    drain_fd = ends[0];
    assert_int_equal(run(overflow, ends[0], ends[1]), 0);
    assert_drops_are_told();
}

static void a_full_socket_drops_lines_and_tells_how_many(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    drain_fd = ends[0];
    assert_int_equal(run(overflow, ends[0], ends[1]), 0);
    assert_drops_are_told();
}

static void the_pipe_that_others_share_keeps_its_flags(void **state)
{
    int ends[2], shared;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    shared = dup(ends[1]);
    assert_int_equal(run(say_one_of_each, open("/dev/null", O_RDONLY), ends[1]), 0);
    assert_false(fcntl(shared, F_GETFL) & O_NONBLOCK);
    close(shared);
    close(ends[0]);
}

/* On a new terminal, which can be read and is no user's but root's. */
static int run_on_terminal(void (*body)(void))
{
    int  terminal = posix_openpt(O_RDWR | O_NOCTTY), fd;
    char path[64];

    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    assert_int_equal(ptsname_r(terminal, path, sizeof path), 0);
    fd = open(path, O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    if (geteuid() == 0)
        assert_int_equal(fchmod(fd, 0600), 0);
    return run_before_init(body, terminal, fd);
}

static void say_if_not_readable(void)
{
    log_init("test");
    if ((fcntl(STDERR_FILENO, F_GETFL) & O_ACCMODE) == O_WRONLY)
        log_info("x");
}

static void as_another_user(void)
{
    if (setresuid(12345, 12345, 12345) != 0)
        _exit(9);
    say_if_not_readable();
}

static void as_another_user_in_its_session(void)
{
    if (setsid() < 0 || ioctl(STDERR_FILENO, TIOCSCTTY, 0) != 0)
        _exit(9);
    as_another_user();
}

static void as_another_user_for_writing_alone(void)
{
    char path[64];
    int  fd;

    if (ttyname_r(STDERR_FILENO, path, sizeof path) != 0)
        _exit(9);
    fd = open(path, O_WRONLY | O_NOCTTY);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(9);
    close(fd);
    as_another_user();
}

static void a_terminal_is_never_kept_for_reading(void **state)
{
    (void)state;
    assert_int_equal(run_on_terminal(say_if_not_readable), 0);
    assert_non_null(strstr(said, "msg=\"x\"\r\n"));
    if (geteuid() != 0)
        return;
    assert_int_equal(run_on_terminal(as_another_user_in_its_session), 0);
    assert_non_null(strstr(said, "msg=\"x\"\r\n"));
    assert_int_equal(run_on_terminal(as_another_user_for_writing_alone), 0);
    assert_non_null(strstr(said, "msg=\"x\"\r\n"));
    assert_int_equal(run_on_terminal(as_another_user), 1);
    assert_non_null(strstr(said, "standard error is a terminal that cannot be opened for writing "
                                 "alone: redirect it"));
}

static void a_regular_file_gets_every_line(void **state)
{
    (void)state;
    run_with_file(say_what_breaks_lines);
    assert_non_null(strstr(said, "msg=\"x\"\n"));
}

static void values_are_bare_or_quoted(void **state)
{
    static const struct {
        const char *value;
        const char *quoted;
    } cases[] = {
        { "", "\"\"" },
        { "mta-sts.example.org", "mta-sts.example.org" },
        { "[2001:db8::1]:443", "[2001:db8::1]:443" },
        { "a_b", "a_b" },
        { "a@b/*+", "a@b/*+" },
        { "a b", "\"a b\"" },
        { "a=b", "\"a=b\"" },
        { "a\"b\\c", "\"a\\\"b\\\\c\"" },
        { "a\nb\x7f\xc3\xbc", "\"a\\x0ab\\x7f\\xc3\\xbc\"" },
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            log_quote_if_needed(out, sizeof out, cases[i].value, strlen(cases[i].value)),
            strlen(cases[i].quoted));
        assert_string_equal(out, cases[i].quoted);
    }
    assert_int_equal(log_quote_if_needed(out, sizeof out, "a\0b", 3), 8);
    assert_string_equal(out, "\"a\\x00b\"");
}

static void a_value_is_cut_at_a_whole_escape(void **state)
{
    static const char *const values[] = { "abcdefghijklmnopqrstuvwxyz", "abc\x01\x02\x03 efgh",
                                          "\"\"\"\"\"\"\"\"\"\"", "\xff\xff\xff\xff\xff\xff" };

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        char   whole[64];
        size_t len = log_quote_if_needed(whole, sizeof whole, values[i], strlen(values[i]));
        bool   bare = whole[0] != '"';

        for (size_t size = 8; size <= len + 1; size++) {
            char  *out = malloc(size); /* what is behind is the sanitizers' to watch */
            size_t got = log_quote_if_needed(out, size, values[i], strlen(values[i]));
            size_t kept = got - (bare ? 3 : 4);

            assert_int_equal(strlen(out), got);
            assert_true(got < size);
            if (size == len + 1) {
                assert_string_equal(out, whole);
            } else {
                assert_memory_equal(out, whole, kept);
                assert_string_equal(out + kept, bare ? "..." : "...\"");
                /* an escape begins behind what is kept, or ended there */
                assert_true(kept < 2 || out[kept - 1] != '\\' || out[kept - 2] == '\\');
                assert_true(kept < 3 || memcmp(out + kept - 2, "\\x", 2) != 0);
            }
            free(out);
        }
    }
}

static char bytes[256 * 16];

static void fill_with(unsigned char byte)
{
    memset(bytes, byte, sizeof bytes);
}

/* Thirty values of 1,000 bytes: of each, LOG_VALUE_MAX; of all, what fits in a line. */
static void say_many_fields(void)
{
    struct log_field fields[30];

    fill_with('"');
    for (size_t i = 0; i < COUNT(fields); i++)
        fields[i] = (struct log_field){ .name = "value", .value = bytes, .len = 1000 };
    log_fields("event", fields, 1);
    log_fields("event", fields, COUNT(fields));
    fields[29] = (struct log_field){ .name = "n", .number = 7 };
    log_fields("event", fields, COUNT(fields));
}

static void long_values_and_many_fields_fit_in_a_line(void **state)
{
    char *line = said;

    (void)state;
    assert_int_equal(run_with_pipe(say_many_fields), 0);
    for (int i = 0; i < 3; i++) {
        char *end = strchr(line, '\n');

        assert_non_null(end);
        if (i == 0)
            assert_in_range(end - line, LOG_VALUE_MAX, LOG_VALUE_MAX + 60);
        else
            assert_in_range(end + 1 - line, LOG_LINE_MAX - 60, LOG_LINE_MAX);
        assert_memory_equal(end - 4, "...\"", 4);
        line = end + 1;
    }
    assert_string_equal(line, "");
}

/* --- JSON --- */

static void say_one_of_each_in_json(void)
{
    log_set_json(true);
    say_one_of_each();
    log_set_json(false);
    log_info("text again");
}

/* Takes the next line of what was said, which is ASCII alone. */
static json_t *next_object(char **line)
{
    char        *end = strchr(*line, '\n');
    json_error_t error;
    json_t      *object;

    assert_non_null(end);
    assert_in_range(end + 1 - *line, 2, LOG_LINE_MAX);
    for (char *at = *line; at < end; at++)
        assert_in_range(*at, 0x20, 0x7e);
    object = json_loadb(*line, (size_t)(end - *line), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
                        &error);
    if (object == NULL)
        fail_msg("%s at %d: %.*s", error.text, error.position, (int)(end - *line), *line);
    *line = end + 1;
    return object;
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    assert_non_null(text);
    return text;
}

static void a_line_in_json_is_an_object_with_the_same_members(void **state)
{
    static const char *const expected[][3] = {
        { "info", "test", "count 7" },
        { "warning", "test", "warned" },
        { "error", "test", "failed" },
        { "warning", "test", "cannot open file: No such file or directory" },
        { "error", "test", "cannot read: Permission denied" },
        { "info", "worker.3", "fetch" },
    };
    char *line = said;

    (void)state;
    assert_int_equal(run_with_pipe(say_one_of_each_in_json), 0);
    for (size_t i = 0; i < COUNT(expected); i++) {
        json_t *object = next_object(&line);
        json_t *status = json_object_get(object, "status");

        assert_int_equal(strlen(text_of(object, "time")), TIME_LEN - strlen("time= "));
        assert_string_equal(text_of(object, "level"), expected[i][0]);
        assert_string_equal(text_of(object, "from"), expected[i][1]);
        assert_string_equal(text_of(object, "msg"), expected[i][2]);
        assert_int_equal(json_object_size(object), i == 5 ? 8 : 4);
        if (i == 5) {
            assert_string_equal(text_of(object, "host"), "a b");
            assert_string_equal(text_of(object, "agent"), "");
            assert_true(json_is_integer(status));
            assert_int_equal(json_integer_value(status), 200);
            assert_int_equal(json_integer_value(json_object_get(object, "ms")), -1);
        }
        json_decref(object);
    }
    assert_memory_equal(line, "time=", 5);
}

static void overflow_in_json(void)
{
    log_set_json(true);
    overflow();
}

static void dropped_lines_are_a_number_in_json(void **state)
{
    static const int expected[] = { 0, 2, 0 };
    int              ends[2];
    char            *line = said;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    drain_fd = ends[0];
    assert_int_equal(run(overflow_in_json, ends[0], ends[1]), 0);
    for (size_t i = 0; i < COUNT(expected); i++) {
        json_t *object = next_object(&line);

        assert_int_equal(json_integer_value(json_object_get(object, "dropped")), expected[i]);
        json_decref(object);
    }
    assert_string_equal(line, "");
}

/* In a message each byte but NUL, in a value each byte; 16 a line, so that none is cut. */
static void say_every_byte(void)
{
    log_set_json(true);
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < 256; i += 16) {
        struct log_field value = { .name = "value", .value = bytes + i, .len = 16 };

        log_info("%.16s", bytes + (i == 0 ? 1 : i));
        log_fields("event", &value, 1);
    }
}

/* Jansson gives UTF-8: below 0x80 the byte, else the two bytes of that character. */
static void assert_latin_1(const json_t *value, unsigned char first, size_t count)
{
    const unsigned char *at = (const unsigned char *)json_string_value(value);

    for (size_t i = 0; i < count; i++) {
        unsigned byte = first + (unsigned)i;

        if (byte < 0x80) {
            assert_int_equal(*at++, byte);
        } else {
            assert_int_equal(*at++, 0xc0 | byte >> 6);
            assert_int_equal(*at++, 0x80 | (byte & 0x3f));
        }
    }
    assert_ptr_equal(at, json_string_value(value) + json_string_length(value));
}

static void json_keeps_every_byte(void **state)
{
    char *line = said;

    (void)state;
    assert_int_equal(run_with_pipe(say_every_byte), 0);
    for (unsigned i = 0; i < 256; i += 16) {
        json_t *message = next_object(&line);
        json_t *event = next_object(&line);

        assert_latin_1(json_object_get(message, "msg"), (unsigned char)(i == 0 ? 1 : i), 16);
        assert_latin_1(json_object_get(event, "value"), (unsigned char)i, 16);
        json_decref(message);
        json_decref(event);
    }
    assert_string_equal(line, "");
}

/* Each kind of escape, cut at each of its bytes: by the end of a value, and by the end of a line. */
static void say_what_is_cut(void)
{
    static const unsigned char kinds[] = { 'x', '"', '\\', '\n', 0xff };

    log_set_json(true);
    for (size_t kind = 0; kind < sizeof kinds; kind++) {
        fill_with(kinds[kind]);
        memset(bytes, 'x', 8);
        for (size_t skip = 0; skip < 8; skip++) {
            size_t           len = LOG_VALUE_MAX + 10;
            struct log_field value = { .name = "value", .value = bytes + skip, .len = len };

            log_fields("event", &value, 1);
            log_info("%.*s", LOG_LINE_MAX - 1, bytes + skip);
        }
    }
}

static void say_what_is_nearly_cut(void)
{
    log_set_json(true);
    fill_with(0xff);
    for (size_t len = 0; len < LOG_VALUE_MAX / 5; len++) {
        struct log_field value = { .name = "value", .value = bytes, .len = len };

        log_fields("event", &value, 1);
    }
    for (size_t len = LOG_LINE_MAX / 6 - 40; len < LOG_LINE_MAX / 6; len++)
        log_info("%.*s", (int)len, bytes);
}

static void assert_all_valid(int least)
{
    char *line = said;
    int   lines = 0;

    for (; *line != '\0'; lines++)
        json_decref(next_object(&line));
    assert_in_range(lines, least, INT32_MAX);
}

static void json_is_valid_wherever_it_is_cut(void **state)
{
    (void)state;
    run_with_file(say_what_is_cut);
    assert_all_valid(80);
    run_with_file(say_what_is_nearly_cut);
    assert_all_valid(100);
}

/* --- The journal --- */

static dev_t journal_device;
static ino_t journal_inode;

static void set_journal(dev_t device, ino_t inode)
{
    char text[64];

    snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)device, (uintmax_t)inode);
    assert_int_equal(setenv("JOURNAL_STREAM", text, 1), 0);
}

/* As the first program of a service would: JOURNAL_STREAM is set when log_init runs. */
static void say_to_the_journal(void)
{
    struct stat status;

    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    set_journal(status.st_dev + journal_device, status.st_ino + journal_inode);
    log_init("test");
    unsetenv("JOURNAL_STREAM"); /* it was read once */
    say_one_of_each();
    log_set_json(true);
    log_set_process("j");
    log_errorx("x");
}

static void assert_prefixes(const char *const expected[], size_t count)
{
    char *line = said;

    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(line, expected[i], strlen(expected[i]));
        line = strchr(line, '\n');
        assert_non_null(line);
        line++;
    }
    assert_string_equal(line, "");
}

static void lines_to_the_journal_begin_with_their_priority(void **state)
{
    static const char *const expected[] = {
        "<6>time=", "<4>time=", "<3>time=", "<4>time=", "<3>time=", "<6>time=", "<3>{\"time\":\"",
    };
    int ends[2];

    (void)state;
    journal_device = journal_inode = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(run(say_to_the_journal, ends[0], ends[1]), 0);
    assert_prefixes(expected, COUNT(expected));
    assert_int_equal(run_with_pipe(say_to_the_journal),
                     0); /* opened again, which is the same inode */
    assert_prefixes(expected, COUNT(expected));
}

static void no_priority_where_the_journal_is_not_standard_error(void **state)
{
    static const char *const expected[] = {
        "time=", "time=", "time=", "time=", "time=", "time=", "{\"time\":\"",
    };

    (void)state;
    journal_device = 0;
    journal_inode = 1;
    assert_int_equal(run_with_pipe(say_to_the_journal), 0);
    assert_prefixes(expected, COUNT(expected));
    journal_device = 1;
    journal_inode = 0;
    assert_int_equal(run_with_pipe(say_to_the_journal), 0);
    assert_prefixes(expected, COUNT(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_process_and_message),
        cmocka_unit_test(a_line_is_one_write),
        cmocka_unit_test(a_message_cannot_end_its_line),
        cmocka_unit_test(a_longer_line_is_cut_with_dots),
        cmocka_unit_test(errno_stays_as_it_was),
        cmocka_unit_test(a_fatal_line_ends_the_process),
        cmocka_unit_test(a_full_pipe_drops_lines_and_tells_how_many),
        cmocka_unit_test(a_full_socket_drops_lines_and_tells_how_many),
        cmocka_unit_test(the_pipe_that_others_share_keeps_its_flags),
        cmocka_unit_test(a_terminal_is_never_kept_for_reading),
        cmocka_unit_test(a_regular_file_gets_every_line),
        cmocka_unit_test(values_are_bare_or_quoted),
        cmocka_unit_test(a_value_is_cut_at_a_whole_escape),
        cmocka_unit_test(long_values_and_many_fields_fit_in_a_line),
        cmocka_unit_test(a_line_in_json_is_an_object_with_the_same_members),
        cmocka_unit_test(dropped_lines_are_a_number_in_json),
        cmocka_unit_test(json_keeps_every_byte),
        cmocka_unit_test(json_is_valid_wherever_it_is_cut),
        cmocka_unit_test(lines_to_the_journal_begin_with_their_priority),
        cmocka_unit_test(no_priority_where_the_journal_is_not_standard_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
