/*
 * broker: every question gets exactly one answer, whatever becomes of the keeper, which is
 * the test itself at the other end of a socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <dirent.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/broker.h"

enum { ASKED_MAX = BROKER_PENDING_MAX + 10 };

/* One question, and how it was answered. */
struct asked {
    unsigned             calls;
    struct broker_answer answer;
    bool                 asks_again, cancels_next;
};

struct fixture {
    struct ev_loop *loop;
    struct broker  *broker;
    int             keeper;
    unsigned        go, recheck, scanned, lost;
    unsigned        open_when_lost; /* questions that were not answered yet */
};

static struct fixture now; /* one test at a time */
static struct asked   asked[ASKED_MAX];
static unsigned       answered;

static void on_go(void *context)
{
    ((struct fixture *)context)->go++;
}

static void on_recheck(void *context)
{
    ((struct fixture *)context)->recheck++;
}

static void on_scanned(void *context)
{
    ((struct fixture *)context)->scanned++;
}

static void on_answer(void *context, const struct broker_answer *answer);

static int ask(struct asked *question)
{
    return broker_ask(now.broker, MESSAGE_CERTIFICATE, "mta-sts.example.org", 19, on_answer,
                      question);
}

static int ask_for_token(struct asked *question)
{
    return broker_ask(now.broker, MESSAGE_TOKEN, "token", 5, on_answer, question);
}

/* The worst place to ask in: nothing may be called from inside broker_ask. */
static void on_lost(void *context)
{
    ((struct fixture *)context)->lost++;
    assert_int_equal(ask(&asked[ASKED_MAX - 1]), -1);
    assert_int_equal(errno, EPIPE);
    now.open_when_lost = answered;
}

static void on_answer(void *context, const struct broker_answer *answer)
{
    struct asked *question = context;

    question->calls++;
    question->answer = *answer;
    answered++;
    if (question->asks_again) {
        question->asks_again = false;
        ask(question);
    }
    if (question->cancels_next)
        broker_cancel(now.broker, question + 1);
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int  count = -1; /* the folder's own */

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static int start(void **state)
{
    struct broker_events events = { on_go, on_recheck, on_scanned, on_lost, &now };
    int                  pair[2];

    (void)state;
    memset(&now, 0, sizeof(now));
    memset(asked, 0, sizeof(asked));
    answered = 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    now.keeper = pair[1];
    now.loop = ev_loop_new(EVFLAG_NOENV);
    now.broker = now.loop ? broker_new(now.loop, pair[0], &events) : NULL;
    return now.broker ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    broker_free(now.broker);
    ev_loop_destroy(now.loop);
    if (now.keeper >= 0)
        close(now.keeper);
    return 0;
}

static void turn(void)
{
    ev_run(now.loop, EVRUN_NOWAIT);
}

static struct message keeper_reads(void)
{
    struct message message;
    char           packet[sizeof(message) + 1];
    long           len = message_receive(now.keeper, packet, sizeof(packet), NULL, NULL);

    assert_int_equal(len, sizeof(message));
    assert_true(message_request_read(packet, (size_t)len, &message));
    return message;
}

static void keeper_says(enum message_kind kind, uint32_t number, int error, const int *fds,
                        size_t count)
{
    struct message message;

    message_init(&message, kind, number);
    message.error = (uint16_t)error;
    message.step = error ? MESSAGE_STEP_CERTIFICATE : MESSAGE_STEP_NONE;
    assert_int_equal(message_send(now.keeper, &message, fds, count), 0);
}

static void close_keeper(void)
{
    close(now.keeper);
    now.keeper = -1;
}

static void assert_answered(const struct asked *question, unsigned calls, int error)
{
    assert_int_equal(question->calls, calls);
    assert_int_equal(question->answer.error, error);
    if (error) {
        assert_int_equal(question->answer.fds[0], -1);
        assert_int_equal(question->answer.fds[1], -1);
    }
}

static void the_keeper_gets_what_has_no_name(void **state)
{
    (void)state;
    assert_int_equal(broker_say(now.broker, MESSAGE_UP), 0);
    assert_int_equal(keeper_reads().kind, MESSAGE_UP);
    assert_int_equal(broker_say(now.broker, MESSAGE_SCANNED), 0);
    assert_int_equal(keeper_reads().kind, MESSAGE_SCANNED);
}

static void what_the_keeper_says_is_passed_on(void **state)
{
    (void)state;
    keeper_says(MESSAGE_GO, 0, 0, NULL, 0);
    keeper_says(MESSAGE_RECHECK, 0, 0, NULL, 0);
    keeper_says(MESSAGE_RECHECK, 0, 0, NULL, 0);
    keeper_says(MESSAGE_SCANNED, 0, 0, NULL, 0);
    turn();
    assert_int_equal(now.go, 1);
    assert_int_equal(now.recheck, 2);
    assert_int_equal(now.scanned, 1);
    assert_int_equal(now.lost, 0);
}

static void an_answer_reaches_who_asked_in_any_order(void **state)
{
    int      fds[2];
    uint32_t numbers[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct message request;

        assert_int_equal(ask(&asked[i]), 0);
        request = keeper_reads();
        numbers[i] = request.number;
        assert_string_equal(request.name, "mta-sts.example.org");
    }
    assert_int_equal(answered, 0);
    assert_int_equal(pipe(fds), 0);
    keeper_says(MESSAGE_ANSWER, numbers[2], EACCES, NULL, 0);
    keeper_says(MESSAGE_ANSWER, numbers[0], 0, fds, 2);
    keeper_says(MESSAGE_ANSWER, numbers[1], 0, fds, 1);
    turn();
    assert_answered(&asked[0], 1, 0);
    assert_answered(&asked[1], 1, 0);
    assert_answered(&asked[2], 1, EACCES);
    assert_int_equal(asked[2].answer.step, MESSAGE_STEP_CERTIFICATE);
    assert_int_equal(write(asked[0].answer.fds[1], "x", 1), 1);
    assert_int_equal(asked[1].answer.fds[1], -1);
    close(asked[0].answer.fds[0]);
    close(asked[0].answer.fds[1]);
    close(asked[1].answer.fds[0]);
    close(fds[0]);
    close(fds[1]);
}

static void a_keeper_that_does_not_answer_is_waited_for_a_second_at_most(void **state)
{
    ev_tstamp before = ev_time();

    (void)state;
    assert_int_equal(ask(&asked[0]), 0);
    assert_int_equal(ask(&asked[1]), 0);
    while (answered < 2)
        ev_run(now.loop, EVRUN_ONCE);
    assert_answered(&asked[0], 1, ETIMEDOUT);
    assert_answered(&asked[1], 1, ETIMEDOUT);
    assert_true(1000 * (ev_time() - before) >= BROKER_TIMEOUT_MS - 10);
    assert_true(1000 * (ev_time() - before) < BROKER_TIMEOUT_MS + 5000); /* a busy machine */
    assert_int_equal(now.lost, 0);
}

static void a_late_answers_descriptors_are_closed(void **state)
{
    int before, fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    before = open_descriptors();
    keeper_says(MESSAGE_ANSWER, 12345, 0, fds, 2); /* nobody asked */
    assert_int_equal(ask(&asked[0]), 0);
    keeper_says(MESSAGE_ANSWER, keeper_reads().number, EIO, fds, 2); /* an error needs none */
    keeper_says(MESSAGE_GO, 0, 0, fds, 2);
    turn();
    assert_answered(&asked[0], 1, EIO);
    assert_int_equal(now.go, 1);
    assert_int_equal(open_descriptors(), before);
    close(fds[0]);
    close(fds[1]);
}

static void a_keeper_that_is_gone_is_told_once_and_every_question_fails(void **state)
{
    (void)state;
    asked[1].asks_again = true;
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&asked[i]), 0);
    close_keeper();
    assert_int_equal(ask(&asked[3]), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(answered, 0); /* only from the loop */
    turn();
    turn();
    assert_int_equal(now.lost, 1);
    assert_int_equal(now.open_when_lost, 0);
    assert_int_equal(answered, 3);
    for (int i = 0; i < 3; i++)
        assert_answered(&asked[i], 1, EPIPE);
    assert_int_equal(ask(&asked[0]), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(broker_say(now.broker, MESSAGE_UP), -1);
    assert_int_equal(errno, EPIPE);
}

static void answers_given_before_the_end_still_count(void **state)
{
    (void)state;
    assert_int_equal(ask(&asked[0]), 0);
    keeper_says(MESSAGE_ANSWER, keeper_reads().number, ENOENT, NULL, 0);
    close_keeper();
    turn();
    turn();
    assert_answered(&asked[0], 1, ENOENT);
    assert_int_equal(now.lost, 1);
}

static void a_keeper_that_talks_nonsense_is_as_good_as_gone(void **state)
{
    (void)state;
    assert_int_equal(ask(&asked[0]), 0);
    assert_int_equal(send(now.keeper, "nonsense", 8, 0), 8);
    turn();
    assert_int_equal(now.lost, 1);
    assert_answered(&asked[0], 1, EPIPE);
}

static void questions_are_bounded_and_their_places_come_back(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        uint32_t numbers[ASKED_MAX];
        unsigned taken = 0, read = 0;

        answered = 0;
        while (taken < ASKED_MAX && ask(&asked[taken]) == 0)
            if (++taken % 8 == 0) /* or the socket would be full before the places are */
                for (int i = 0; i < 8; i++)
                    numbers[read++] = keeper_reads().number;
        assert_int_equal(errno, EAGAIN);
        assert_int_equal(taken, BROKER_PENDING_MAX);
        assert_int_equal(read, taken);
        for (unsigned i = 0; i < taken; i++) {
            keeper_says(MESSAGE_ANSWER, numbers[i], ENOENT, NULL, 0);
            turn();
        }
        assert_int_equal(answered, taken);
    }
}

static void tokens_leave_room_for_certificates(void **state)
{
    uint32_t numbers[ASKED_MAX];
    unsigned taken;

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (taken = 0; taken < ASKED_MAX - 1 && ask_for_token(&asked[taken]) == 0; taken++)
            numbers[taken] = keeper_reads().number;
        assert_int_equal(errno, EAGAIN);
        assert_int_equal(taken, BROKER_TOKENS_MAX);
        assert_int_equal(ask(&asked[taken]), 0);
        keeper_says(MESSAGE_ANSWER, keeper_reads().number, ENOENT, NULL, 0);
        for (unsigned i = 0; i < taken; i++) {
            keeper_says(MESSAGE_ANSWER, numbers[i], ENOENT, NULL, 0);
            turn();
        }
        assert_answered(&asked[taken], (unsigned)round + 1, ENOENT);
    }
}

static void who_asks_again_in_the_callback_is_answered_again(void **state)
{
    (void)state;
    asked[0].asks_again = true;
    assert_int_equal(ask(&asked[0]), 0);
    keeper_says(MESSAGE_ANSWER, keeper_reads().number, ENOENT, NULL, 0);
    turn();
    assert_answered(&asked[0], 1, ENOENT);
    keeper_says(MESSAGE_ANSWER, keeper_reads().number, EACCES, NULL, 0);
    turn();
    assert_answered(&asked[0], 2, EACCES);
}

static void who_cancels_is_not_called(void **state)
{
    int fds[2], before;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    before = open_descriptors();
    asked[0].cancels_next = true;
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(&asked[i]), 0);
    broker_cancel(now.broker, &asked[3]);
    broker_cancel(now.broker, &asked[3]);
    for (int i = 0; i < 4; i++)
        keeper_says(MESSAGE_ANSWER, keeper_reads().number, i == 1 || i == 3 ? 0 : ENOENT, fds,
                    i == 1 || i == 3 ? 2 : 0);
    turn();
    assert_int_equal(asked[0].calls, 1);
    assert_int_equal(asked[1].calls, 0);
    assert_int_equal(asked[2].calls, 1);
    assert_int_equal(asked[3].calls, 0);
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(ask(&asked[4]), 0); /* the end of the list is where it should be */
    keeper_says(MESSAGE_ANSWER, keeper_reads().number, ENOENT, NULL, 0);
    turn();
    assert_int_equal(asked[4].calls, 1);
    close(fds[0]);
    close(fds[1]);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    char name[MESSAGE_NAME_MAX + 1] = { 'a' };

    (void)state;
    assert_int_equal(broker_ask(now.broker, MESSAGE_TOKEN, name, sizeof(name), on_answer, asked),
                     -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_keeper_gets_what_has_no_name),
        TEST(what_the_keeper_says_is_passed_on),
        TEST(an_answer_reaches_who_asked_in_any_order),
        TEST(a_keeper_that_does_not_answer_is_waited_for_a_second_at_most),
        TEST(a_late_answers_descriptors_are_closed),
        TEST(a_keeper_that_is_gone_is_told_once_and_every_question_fails),
        TEST(answers_given_before_the_end_still_count),
        TEST(a_keeper_that_talks_nonsense_is_as_good_as_gone),
        TEST(questions_are_bounded_and_their_places_come_back),
        TEST(tokens_leave_room_for_certificates),
        TEST(who_asks_again_in_the_callback_is_answered_again),
        TEST(who_cancels_is_not_called),
        TEST(a_name_that_is_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
