/*
 * acme: which requests are challenges, and what each is answered with. Keeper, clock and log are
 * the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "server/acme.h"
#include "server/broker.h"
#include "server/process.h"

#define TOKEN      "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"
#define THUMBPRINT "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"

static struct config_server server;
static int64_t              now_ms = 1000000;
static char                 line[256];
static unsigned             line_count;

static broker_callback *on_answer;
static void            *on_answer_context;
static int              refused_with; /* broker_ask fails with this errno */
static char             asked[256];

static unsigned calls;
static char     given[ACME_ANSWER_MAX + 1];
static size_t   given_len;

int64_t process_now_ms(void)
{
    return now_ms;
}

void log_warnx(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    line_count++;
}

int broker_ask(struct broker *broker, enum message_kind kind, const char *name, size_t len,
               broker_callback *callback, void *context)
{
    (void)broker;
    assert_int_equal(kind, MESSAGE_TOKEN);
    snprintf(asked, sizeof(asked), "%.*s", (int)len, name);
    if (refused_with) {
        errno = refused_with;
        return -1;
    }
    on_answer = callback;
    on_answer_context = context;
    return 0;
}

void broker_cancel(struct broker *broker, const void *context)
{
    (void)broker;
    if (context == on_answer_context)
        on_answer = NULL;
}

static void keep(void *context, const char *bytes, size_t len)
{
    assert_ptr_equal(context, &calls);
    assert_true(len <= ACME_ANSWER_MAX);
    memcpy(given, bytes, len);
    given[len] = '\0';
    given_len = len;
    calls++;
}

static int start(void **state)
{
    (void)state;
    server = (struct config_server){ .acme_dir = "/acme",
                                     .acme_below = "",
                                     .acme_thumbprint = THUMBPRINT };
    refused_with = 0;
    calls = line_count = 0;
    on_answer = NULL;
    asked[0] = '\0';
    now_ms += 10 * 60 * 1000;
    return 0;
}

static bool find_bytes(const char *path, size_t len, struct acme_lookup **lookup)
{
    return acme_find(&server, NULL, path, len, keep, &calls, lookup);
}

static bool find(const char *path, struct acme_lookup **lookup)
{
    return find_bytes(path, strlen(path), lookup);
}

static void answer(int error, enum message_step step, const char *bytes, size_t len)
{
    struct broker_answer told = { .error = error, .step = step, .fds = { -1, -1 } };

    if (error == 0) {
        told.fds[0] = memfd_create("token", MFD_CLOEXEC);
        assert_int_equal(write(told.fds[0], bytes, len), len);
    }
    on_answer(on_answer_context, &told);
    if (error == 0)
        assert_int_equal(fcntl(told.fds[0], F_GETFD), -1); /* closed */
}

static void answer_error(int error)
{
    answer(error, MESSAGE_STEP_TOKEN, NULL, 0);
}

static void the_files_bytes_are_the_answer(void **state)
{
    static char         large[ACME_ANSWER_MAX + 100];
    struct acme_lookup *lookup;

    (void)state;
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    assert_non_null(lookup);
    assert_string_equal(asked, TOKEN);
    assert_int_equal(calls, 0);
    answer(0, MESSAGE_STEP_NONE, TOKEN ".x\r\n \0", sizeof(TOKEN ".x\r\n "));
    assert_int_equal(calls, 1);
    assert_int_equal(given_len, sizeof(TOKEN ".x\r\n "));
    assert_memory_equal(given, TOKEN ".x\r\n ", given_len);
    assert_true(find(ACME_PREFIX "a", &lookup));
    answer(0, MESSAGE_STEP_NONE, large, sizeof(large)); /* grew after it was opened */
    assert_int_equal(given_len, ACME_ANSWER_MAX);
}

static void without_a_file_the_thumbprint_answers(void **state)
{
    struct acme_lookup *lookup;

    (void)state;
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    answer_error(ENOENT);
    assert_string_equal(given, TOKEN "." THUMBPRINT);
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    answer(0, MESSAGE_STEP_NONE, "", 0); /* being written */
    assert_string_equal(given, TOKEN "." THUMBPRINT);
    assert_int_equal(calls, 2);
    assert_int_equal(line_count, 0);
}

static void with_the_thumbprint_alone_nobody_is_asked(void **state)
{
    struct acme_lookup *lookup;

    (void)state;
    server.acme_dir = NULL;
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    assert_null(lookup);
    assert_int_equal(calls, 1);
    assert_string_equal(given, TOKEN "." THUMBPRINT);
    assert_string_equal(asked, "");
}

static void without_either_there_is_no_answer(void **state)
{
    struct acme_lookup *lookup;

    (void)state;
    server.acme_thumbprint = NULL;
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    answer_error(ENOENT);
    assert_int_equal(calls, 1);
    assert_int_equal(given_len, 0);
    server.acme_dir = NULL;
    assert_false(find(ACME_PREFIX TOKEN, &lookup));
    assert_null(lookup);
    assert_int_equal(calls, 1);
}

static void a_keeper_that_cannot_be_asked_leaves_the_thumbprint(void **state)
{
    struct acme_lookup *lookup;

    (void)state;
    refused_with = EPIPE;
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    assert_null(lookup);
    assert_string_equal(given, TOKEN "." THUMBPRINT);
    server.acme_thumbprint = NULL;
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    assert_int_equal(given_len, 0);
    assert_int_equal(calls, 2);
}

static void only_challenge_paths_are_looked_up(void **state)
{
    static const char *const paths[] = {
        "",
        "/",
        ACME_PREFIX,
        ACME_PREFIX "a/b",
        ACME_PREFIX "..",
        ACME_PREFIX "a.b",
        ACME_PREFIX "%61",
        ACME_PREFIX "a ",
        "/.well-known/acme-challenge",
        "/.Well-Known/a",
        "x" ACME_PREFIX "a",
        "/.well-known/mta-sts.txt",
    };
    char                path[sizeof(ACME_PREFIX) + 200];
    struct acme_lookup *lookup;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_false(find(paths[i], &lookup));
    assert_false(find_bytes(ACME_PREFIX "a\0", sizeof(ACME_PREFIX) + 1, &lookup));
    memset(path, 'a', sizeof(path));
    memcpy(path, ACME_PREFIX, sizeof(ACME_PREFIX) - 1);
    assert_false(find_bytes(path, sizeof(ACME_PREFIX) - 1 + 129, &lookup));
    assert_string_equal(asked, "");
    assert_true(find_bytes(path, sizeof(ACME_PREFIX) - 1 + 128, &lookup));
    acme_cancel(lookup);
    assert_int_equal(calls, 0);
}

static void who_cancels_is_not_called(void **state)
{
    struct acme_lookup *lookup;

    (void)state;
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    acme_cancel(lookup);
    acme_cancel(NULL);
    assert_null(on_answer); /* the broker has forgotten it too */
    assert_int_equal(calls, 0);
}

static void a_file_that_is_not_taken_is_told_once_a_minute(void **state)
{
    struct acme_lookup *lookup;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(find(ACME_PREFIX TOKEN, &lookup));
        answer_error(EACCES);
    }
    assert_int_equal(line_count, 1);
    assert_string_equal(line,
                        "the file of ACME token " TOKEN " is not taken: it, or its folder, is "
                        "not readable by everyone");
    now_ms += 60 * 1000;
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    answer_error(EMLINK);
    assert_int_equal(line_count, 2);
    assert_non_null(strstr(line, "more than one link"));
}

static void that_a_stranger_asks_for_what_is_not_there_is_not_told(void **state)
{
    struct acme_lookup *lookup;

    (void)state;
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    answer_error(ENOENT);
    assert_true(find(ACME_PREFIX TOKEN, &lookup));
    answer(ETIMEDOUT, MESSAGE_STEP_NONE, NULL, 0);
    assert_int_equal(line_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_files_bytes_are_the_answer, start),
        cmocka_unit_test_setup(without_a_file_the_thumbprint_answers, start),
        cmocka_unit_test_setup(with_the_thumbprint_alone_nobody_is_asked, start),
        cmocka_unit_test_setup(without_either_there_is_no_answer, start),
        cmocka_unit_test_setup(a_keeper_that_cannot_be_asked_leaves_the_thumbprint, start),
        cmocka_unit_test_setup(only_challenge_paths_are_looked_up, start),
        cmocka_unit_test_setup(who_cancels_is_not_called, start),
        cmocka_unit_test_setup(a_file_that_is_not_taken_is_told_once_a_minute, start),
        cmocka_unit_test_setup(that_a_stranger_asks_for_what_is_not_there_is_not_told, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
