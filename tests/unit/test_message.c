/*
 * message: what each side takes from the other, and descriptors that neither get lost nor
 * stay open. The packets go over a real pair of sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/message.h"

enum { PACKET = sizeof(struct message) };

static struct message request(enum message_kind kind, const char *name)
{
    struct message message;

    message_init(&message, kind, 7);
    assert_true(message_set_name(&message, name, strlen(name)));
    return message;
}

static bool keeper_takes(const struct message *message)
{
    struct message read;

    memset(&read, 0xa5, sizeof(read));
    return message_request_read(message, PACKET, &read) && memcmp(&read, message, PACKET) == 0;
}

static bool worker_takes(const struct message *message)
{
    struct message read;

    memset(&read, 0xa5, sizeof(read));
    return message_reply_read(message, PACKET, &read) && memcmp(&read, message, PACKET) == 0;
}

static void each_side_takes_what_the_other_may_send(void **state)
{
    (void)state;
    for (int kind = 0; kind < 256; kind++) {
        struct message bare = request((enum message_kind)kind, "");
        struct message named = request((enum message_kind)kind, "mta-sts.example.org");

        assert_int_equal(keeper_takes(&bare), kind == MESSAGE_UP || kind == MESSAGE_SCANNED);
        assert_int_equal(keeper_takes(&named),
                         kind == MESSAGE_CERTIFICATE || kind == MESSAGE_TOKEN);
        assert_int_equal(worker_takes(&bare), kind == MESSAGE_GO || kind == MESSAGE_RECHECK ||
                                                  kind == MESSAGE_ANSWER ||
                                                  kind == MESSAGE_SCANNED);
        assert_false(worker_takes(&named));
    }
}

static void names_are_whole_and_ended(void **state)
{
    struct message message = request(MESSAGE_CERTIFICATE, "mta-sts.example.org");
    char           longest[MESSAGE_NAME_MAX + 1];

    (void)state;
    message.name[3] = '\0';
    assert_false(keeper_takes(&message));
    message = request(MESSAGE_TOKEN, "token");
    message.name_len--;
    assert_false(keeper_takes(&message));
    memset(longest, 'a', sizeof(longest));
    assert_true(message_set_name(&message, longest, MESSAGE_NAME_MAX));
    assert_true(keeper_takes(&message));
    assert_false(message_set_name(&message, longest, MESSAGE_NAME_MAX + 1));
}

/* What is unused may hold anything, and arrives as zeros. */
static void nothing_but_checked_bytes_get_through(void **state)
{
    struct message message = request(MESSAGE_TOKEN, "token"), read, clean = message;

    (void)state;
    memset(message.name + 6, 'x', sizeof(message.name) - 6);
    assert_true(message_request_read(&message, PACKET, &read));
    assert_memory_equal(&read, &clean, PACKET);
    message.error = 1;
    assert_false(message_request_read(&message, PACKET, &read));
    message.error = 0;
    message.step = MESSAGE_STEP_KEY;
    assert_false(message_request_read(&message, PACKET, &read));
}

static void a_packet_of_another_size_is_refused(void **state)
{
    struct message message = request(MESSAGE_TOKEN, "token"), reply, read;

    (void)state;
    message_init(&reply, MESSAGE_GO, 0);
    for (size_t len = 0; len <= PACKET + 1; len++) {
        char bytes[PACKET + 1] = { 0 };

        memcpy(bytes, &message, PACKET);
        assert_int_equal(message_request_read(bytes, len, &read), len == PACKET);
        memcpy(bytes, &reply, PACKET);
        assert_int_equal(message_reply_read(bytes, len, &read), len == PACKET);
    }
}

static void an_answer_says_which_step_failed(void **state)
{
    struct message answer;

    (void)state;
    message_init(&answer, MESSAGE_ANSWER, 9);
    answer.error = EACCES;
    answer.step = MESSAGE_STEP_KEY;
    assert_true(worker_takes(&answer));
    answer.step = MESSAGE_STEP_TOKEN + 1;
    assert_false(worker_takes(&answer));
    answer.step = MESSAGE_STEP_KEY;
    answer.error = 0;
    assert_false(worker_takes(&answer));
}

/* --- Over a socket --- */

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int  count = -1; /* the folder's own */

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void close_pair(const int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

static void descriptors_arrive_as_the_receivers_own(void **state)
{
    struct message message = request(MESSAGE_TOKEN, "token");
    char           packet[PACKET + 1], byte;
    int            pair[2], sent[2], got[MESSAGE_FDS_MAX];
    size_t         count;

    (void)state;
    make_pair(pair);
    assert_int_equal(pipe(sent), 0);
    assert_int_equal(message_send(pair[0], &message, sent, 2), 0);
    assert_int_equal(message_receive(pair[1], packet, sizeof(packet), got, &count), PACKET);
    assert_memory_equal(packet, &message, PACKET);
    assert_int_equal(count, 2);
    assert_true(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(got[1], "x", 1), 1);
    assert_int_equal(read(sent[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close_pair(got);
    close_pair(sent);
    close_pair(pair);
}

static void send_raw(int socket, const void *bytes, size_t len, const int *fds, size_t count)
{
    char            control[CMSG_SPACE(8 * sizeof(int))] = { 0 };
    struct iovec    part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
    struct msghdr   head = { .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
    struct cmsghdr *first = CMSG_FIRSTHDR(&head);

    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(first), fds, count * sizeof(int));
    assert_int_equal(sendmsg(socket, &head, 0), len);
}

static void descriptors_that_nobody_wants_are_closed(void **state)
{
    const int many[5] = { 0, 0, 0, 0, 0 };
    char      packet[PACKET + 1];
    int       pair[2], got[MESSAGE_FDS_MAX], before;
    size_t    count;

    (void)state;
    make_pair(pair);
    before = open_descriptors();
    send_raw(pair[0], "five", 4, many, 5);
    assert_int_equal(message_receive(pair[1], packet, sizeof(packet), got, &count), 4);
    assert_int_equal(count, MESSAGE_FDS_MAX);
    close_pair(got);
    assert_int_equal(open_descriptors(), before);
    send_raw(pair[0], "none", 4, many, 5); /* as the keeper reads */
    assert_int_equal(message_receive(pair[1], packet, sizeof(packet), NULL, NULL), 4);
    assert_int_equal(open_descriptors(), before);
    send_raw(pair[0], "", 0, many, 2); /* reads as the peer's end */
    assert_int_equal(message_receive(pair[1], packet, sizeof(packet), got, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(open_descriptors(), before);
    close_pair(pair);
}

static void a_longer_packet_is_seen_as_such(void **state)
{
    char   packet[PACKET + 1], bytes[PACKET + 100] = { 0 };
    int    pair[2], fds[MESSAGE_FDS_MAX];
    size_t count;

    (void)state;
    make_pair(pair);
    assert_int_equal(send(pair[0], bytes, sizeof(bytes), 0), sizeof(bytes));
    assert_int_equal(message_receive(pair[1], packet, sizeof(packet), fds, &count), PACKET + 1);
    close_pair(pair);
}

static void neither_end_blocks(void **state)
{
    struct message message = request(MESSAGE_TOKEN, "token");
    char           packet[PACKET + 1];
    int            pair[2], fds[MESSAGE_FDS_MAX];
    size_t         count;

    (void)state;
    make_pair(pair);
    assert_int_equal(message_receive(pair[1], packet, sizeof(packet), fds, &count), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(count, 0);
    while (message_send(pair[0], &message, NULL, 0) == 0)
        ;
    assert_int_equal(errno, EAGAIN);
    close(pair[1]);
    assert_int_equal(message_send(pair[0], &message, NULL, 0), -1);
    assert_true(errno == EPIPE || errno == ECONNRESET);
    close(pair[0]);
}

static void the_peers_end_reads_as_zero(void **state)
{
    char   packet[PACKET + 1];
    int    pair[2], fds[MESSAGE_FDS_MAX];
    size_t count;

    (void)state;
    make_pair(pair);
    close(pair[0]);
    assert_int_equal(message_receive(pair[1], packet, sizeof(packet), fds, &count), 0);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_side_takes_what_the_other_may_send),
        cmocka_unit_test(names_are_whole_and_ended),
        cmocka_unit_test(nothing_but_checked_bytes_get_through),
        cmocka_unit_test(a_packet_of_another_size_is_refused),
        cmocka_unit_test(an_answer_says_which_step_failed),
        cmocka_unit_test(descriptors_arrive_as_the_receivers_own),
        cmocka_unit_test(descriptors_that_nobody_wants_are_closed),
        cmocka_unit_test(a_longer_packet_is_seen_as_such),
        cmocka_unit_test(neither_end_blocks),
        cmocka_unit_test(the_peers_end_reads_as_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
