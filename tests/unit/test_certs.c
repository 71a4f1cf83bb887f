/*
 * certs: every arrow of the picture in its header. Keeper, certificates, clocks and log are the
 * test's own: so time passes when the test says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/hostname.h"
#include "common/log.h"
#include "common/policy.h"
#include "server/broker.h"
#include "common/certpair.h"
#include "server/certs.h"
#include "server/process.h"

enum { CAPACITY = 3, REQUESTS_MAX = 1000, LINES_MAX = 200, DAY = 86400 };

/* --- The world around the module --- */

static int64_t now_ms;
static time_t  now_s;

static struct request {
    char             host[64];
    broker_callback *callback;
    void            *context;
} requests[REQUESTS_MAX];
static unsigned asked, answered; /* requests, in order */
static int      refused_with;    /* broker_ask fails with this errno */

static enum message_step failing; /* the step that the keeper reports */

struct certpair {
    unsigned references, serial;
};
static unsigned    pairs_alive, loads;
static const char *load_error; /* certpair_load refuses with this */
static unsigned    findings;   /* of every pair */
static time_t      not_after;

static char     lines[LINES_MAX][256];
static unsigned line_count;

int64_t process_now_ms(void)
{
    return now_ms;
}

time_t time(time_t *out)
{
    if (out)
        *out = now_s;
    return now_s;
}

static void pass(double seconds)
{
    now_ms += (int64_t)(seconds * 1000);
    now_s += (time_t)seconds;
}

static void say(const char *format, va_list arguments)
{
    assert_true(line_count < LINES_MAX);
    vsnprintf(lines[line_count++], sizeof(lines[0]), format, arguments);
}

void log_warnx(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

static void assert_said(unsigned count, const char *last)
{
    assert_int_equal(line_count, count);
    if (count > 0 && !strstr(lines[count - 1], last))
        fail_msg("\"%s\" is not \"%s\"", lines[count - 1], last);
    line_count = 0;
}

int broker_ask(struct broker *broker, enum message_kind kind, const char *name, size_t len,
               broker_callback *callback, void *context)
{
    (void)broker;
    assert_int_equal(kind, MESSAGE_CERTIFICATE);
    if (refused_with) {
        errno = refused_with;
        return -1;
    }
    assert_true(asked < REQUESTS_MAX);
    assert_true(len > HOSTNAME_POLICY_PREFIX_LEN);
    snprintf(requests[asked].host, sizeof(requests[0].host), "%.*s",
             (int)(len - HOSTNAME_POLICY_PREFIX_LEN), name + HOSTNAME_POLICY_PREFIX_LEN);
    requests[asked].callback = callback;
    requests[asked++].context = context;
    return 0;
}

struct certpair *certpair_load(int certificate_fd, int key_fd, const char *host, char *error)
{
    struct certpair *pair;

    assert_true(certificate_fd >= 0 && key_fd >= 0 && host[0] != '\0');
    loads++;
    if (load_error) {
        strcpy(error, load_error);
        return NULL;
    }
    pair = calloc(1, sizeof(*pair));
    pairs_alive++;
    *pair = (struct certpair){ .references = 1, .serial = loads };
    return pair;
}

struct certpair *certpair_ref(struct certpair *pair)
{
    pair->references++;
    return pair;
}

void certpair_unref(struct certpair *pair)
{
    if (!pair || --pair->references > 0)
        return;
    pairs_alive--;
    free(pair);
}

unsigned certpair_findings(const struct certpair *pair, time_t now)
{
    (void)pair;
    return findings | (now > not_after ? CERTPAIR_EXPIRED : 0);
}

void certpair_explain(const struct certpair *pair, enum certpair_finding finding, time_t now,
                      const char *path, char *text, size_t size)
{
    (void)pair;
    (void)now;
    snprintf(text, size, "finding %d of %s", (int)finding, path);
}

time_t certpair_not_after(const struct certpair *pair)
{
    (void)pair;
    return not_after;
}

/* --- What a test is made of --- */

struct client {
    struct certs_waiter waiter; /* first */
    unsigned            calls, order;
    struct certpair    *pair;
    void (*then)(struct client *client); /* inside done */
};

static struct certs *certs;
static int           file; /* what the keeper opens */
static unsigned      done_calls;
static struct client clients[1000];

static void on_done(struct certs_waiter *waiter, struct certpair *pair)
{
    struct client *client = (struct client *)waiter;

    client->calls++;
    client->order = ++done_calls;
    client->pair = pair;
    if (client->then)
        client->then(client);
}

static int new_file(void)
{
    if (file >= 0)
        close(file);
    file = memfd_create("certificate", MFD_CLOEXEC);
    return file >= 0 ? 0 : -1;
}

static int start(void **state)
{
    (void)state;
    memset(clients, 0, sizeof(clients));
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
        clients[i].waiter.done = on_done;
    now_ms = 1000000;
    now_s = 1800000000;
    not_after = now_s + 60 * DAY;
    asked = answered = loads = findings = done_calls = line_count = 0;
    refused_with = 0;
    failing = MESSAGE_STEP_CERTIFICATE;
    load_error = NULL;
    file = -1;
    certs = certs_new(NULL, CAPACITY);
    return certs && new_file() == 0 ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    certs_free(certs);
    close(file);
    return pairs_alive == 0 ? 0 : -1;
}

/* host is the policy domain here, and so in requests. */
static enum certs_result get(struct client *client, const char *host)
{
    static const struct policy policy = { .certificate = "/certs/%h.pem", .key = "/keys/%d.key" };
    char                       name[64];

    client->pair = NULL;
    snprintf(name, sizeof(name), HOSTNAME_POLICY_PREFIX "%s", host);
    return certs_get(certs, &policy, name, strlen(name), &client->waiter, &client->pair);
}

static void let_go(struct client *client)
{
    certpair_unref(client->pair);
    client->pair = NULL;
}

/* The keeper answers the oldest request that it has not answered. */
static void answer(int error)
{
    struct broker_answer given = { .error = error,
                                   .fds = { -1, -1 },
                                   .step = error ? failing : MESSAGE_STEP_NONE };
    struct request      *request = &requests[answered++];

    assert_true(answered <= asked);
    if (error == ETIMEDOUT || error == EPIPE) /* no answer came */
        given.step = MESSAGE_STEP_NONE;
    else if (error == 0)
        for (int i = 0; i < 2; i++)
            given.fds[i] = dup(file);
    request->callback(request->context, &given);
}

static void assert_waits(struct client *client, const char *host)
{
    unsigned before = asked;

    assert_int_equal(get(client, host), CERTS_WAIT);
    assert_int_equal(asked, before + 1);
    assert_string_equal(requests[before].host, host);
}

/* Served at once; which load made the pair. */
static unsigned serial_now(const char *host)
{
    unsigned before = asked, serial;

    assert_int_equal(get(&clients[999], host), CERTS_READY);
    assert_int_equal(asked, before);
    serial = clients[999].pair->serial;
    let_go(&clients[999]);
    return serial;
}

static unsigned serial_after_waiting(const char *host, int error)
{
    struct client *client = &clients[998];
    unsigned       calls = client->calls, serial;

    assert_waits(client, host);
    answer(error);
    assert_int_equal(client->calls, calls + 1);
    assert_non_null(client->pair);
    serial = client->pair->serial;
    let_go(client);
    return serial;
}

static void assert_fails_after_waiting(const char *host, int error)
{
    unsigned calls = clients[998].calls;

    assert_waits(&clients[998], host);
    answer(error);
    assert_int_equal(clients[998].calls, calls + 1);
    assert_null(clients[998].pair);
}

static void assert_fails_at_once(const char *host)
{
    unsigned before = asked;

    assert_int_equal(get(&clients[999], host), CERTS_FAILED);
    assert_int_equal(asked, before);
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

/* --- Loading and serving --- */

static void the_first_asks_and_the_next_are_served_from_memory(void **state)
{
    int before = open_descriptors();

    (void)state;
    assert_int_equal(serial_after_waiting("a", 0), 1);
    assert_int_equal(serial_now("a"), 1);
    pass(59.9);
    assert_int_equal(serial_now("a"), 1);
    assert_int_equal(open_descriptors(), before);
    assert_said(0, "");
}

static void all_who_want_a_host_wait_for_one_request_and_are_called_in_turn(void **state)
{
    (void)state;
    assert_waits(&clients[0], "a");
    for (int i = 1; i < 500; i++)
        assert_int_equal(get(&clients[i], "a"), CERTS_WAIT);
    assert_int_equal(asked, 1);
    answer(0);
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(clients[i].calls, 1);
        assert_int_equal(clients[i].order, i + 1);
        assert_non_null(clients[i].pair);
        let_go(&clients[i]);
    }
}

static void hosts_are_asked_for_apart(void **state)
{
    (void)state;
    assert_waits(&clients[0], "a");
    assert_waits(&clients[1], "b");
    answer(ENOENT);
    assert_int_equal(clients[0].calls, 1);
    assert_int_equal(clients[1].calls, 0);
    answer(0);
    assert_int_equal(clients[1].calls, 1);
    let_go(&clients[1]);
}

static void a_failure_is_remembered_for_a_second_and_told_once_a_minute(void **state)
{
    (void)state;
    assert_fails_after_waiting("a", ENOENT);
    assert_said(1, "mta-sts.a: certificate file: /certs/mta-sts.a.pem: No such file or directory; "
                   "refused until there is a good one");
    assert_fails_at_once("a");
    pass(1);
    assert_fails_after_waiting("a", ENOENT);
    assert_said(0, "");
    pass(60);
    assert_fails_after_waiting("a", EACCES);
    assert_said(1, "a: certificate file: /certs/mta-sts.a.pem: Permission denied");
    pass(1);
    assert_int_equal(serial_after_waiting("a", 0), 1);
    assert_int_equal(serial_now("a"), 1);
}

static void another_reason_is_told_at_once(void **state)
{
    (void)state;
    assert_fails_after_waiting("a", ENOENT);
    assert_said(1, "a: certificate file: /certs/mta-sts.a.pem: No such file");
    pass(1);
    failing = MESSAGE_STEP_KEY;
    assert_fails_after_waiting("a", ENOENT);
    assert_said(1, "a: key file: /keys/a.key: No such file");
    pass(1);
    load_error = "the certificate does not cover a";
    assert_fails_after_waiting("a", 0);
    assert_said(1, "a: the certificate does not cover a; refused");
    pass(1);
    assert_fails_after_waiting("a", 0);
    assert_said(0, "");
    pass(60);
    assert_fails_after_waiting("a", 0);
    assert_said(1, "a: the certificate does not cover a; refused");
    for (int i = 0; i < 100; i++) { /* but all lines together have their limit */
        pass(0.5);
        failing = i % 2 == 0 ? MESSAGE_STEP_KEY : MESSAGE_STEP_CERTIFICATE;
        certs_recheck(certs);
        assert_fails_after_waiting("a", EACCES);
    }
    assert_said(CERTS_LOG_PER_MINUTE - 1, "a: ");
}

static void what_is_no_regular_file_is_told_in_words(void **state)
{
    (void)state;
    assert_fails_after_waiting("a", EINVAL);
    assert_said(1, "a: certificate file: /certs/mta-sts.a.pem: is no regular file; refused");
}

static void a_pair_that_is_refused_is_a_failure(void **state)
{
    (void)state;
    load_error = "the certificate does not cover a";
    assert_fails_after_waiting("a", 0);
    assert_said(1, "a: the certificate does not cover a; refused");
    assert_fails_at_once("a");
}

/* --- Checking --- */

static void an_unchanged_file_is_not_read_again(void **state)
{
    (void)state;
    assert_int_equal(serial_after_waiting("a", 0), 1);
    pass(60);
    assert_int_equal(serial_after_waiting("a", 0), 1);
    assert_int_equal(loads, 1);
    assert_int_equal(serial_now("a"), 1);
    assert_said(0, "");
}

static void a_renewed_certificate_is_taken_before_its_next_use(void **state)
{
    (void)state;
    assert_int_equal(serial_after_waiting("a", 0), 1);
    pass(60);
    new_file();
    assert_int_equal(serial_after_waiting("a", 0), 2);
    assert_said(1, "a: a renewed certificate is in use, good until 2027-03-16");
    assert_int_equal(serial_now("a"), 2);
    pass(60);
    assert_int_equal(write(file, "x", 1), 1); /* the same file, changed in place */
    assert_int_equal(serial_after_waiting("a", 0), 3);
}

static void assert_last_good_pair_serves(int error, const char *why)
{
    pass(60);
    new_file();
    assert_int_equal(serial_after_waiting("a", error), 1);
    assert_said(1, why);
    assert_int_equal(serial_now("a"), 1);
    pass(1);
    assert_int_equal(serial_after_waiting("a", error), 1);
    assert_said(0, "");
}

static void whatever_a_check_finds_the_last_good_pair_serves(void **state)
{
    (void)state;
    assert_int_equal(serial_after_waiting("a", 0), 1);
    assert_last_good_pair_serves(ENOENT, "a: certificate file: /certs/mta-sts.a.pem: No such file "
                                         "or directory; the last good certificate");
    assert_last_good_pair_serves(ETIMEDOUT, "a: the keeper did not answer in time; the last good");
    load_error = "half written";
    assert_last_good_pair_serves(0, "a: half written; the last good certificate goes on serving");
    load_error = NULL;
    pass(1);
    assert_int_equal(serial_after_waiting("a", 0), 4); /* two loads failed */
    assert_said(1, "renewed");
}

static void a_recheck_looks_at_every_host_before_its_next_use(void **state)
{
    (void)state;
    assert_int_equal(serial_after_waiting("a", 0), 1);
    assert_fails_after_waiting("b", ENOENT);
    certs_recheck(certs);
    new_file();
    assert_int_equal(serial_after_waiting("a", 0), 2);
    assert_int_equal(serial_after_waiting("b", 0), 3); /* within its second */
    assert_int_equal(serial_now("a"), 2);
}

static void a_recheck_during_a_request_asks_once_more(void **state)
{
    (void)state;
    assert_waits(&clients[0], "a");
    certs_recheck(certs);
    answer(0);
    let_go(&clients[0]);
    new_file();
    assert_int_equal(serial_after_waiting("a", 0), 2);
    assert_int_equal(serial_now("a"), 2);
}

static void without_a_keeper_memory_serves_and_the_log_is_silent(void **state)
{
    (void)state;
    assert_int_equal(serial_after_waiting("a", 0), 1);
    pass(60);
    assert_int_equal(serial_after_waiting("a", EPIPE), 1);
    refused_with = EPIPE;
    for (int i = 0; i < 100; i++) {
        pass(61);
        assert_int_equal(serial_now("a"), 1);
        assert_fails_at_once("b");
    }
    assert_said(0, "");
}

static void a_keeper_that_is_too_busy_to_be_asked_is_a_failure(void **state)
{
    (void)state;
    assert_int_equal(serial_after_waiting("a", 0), 1);
    refused_with = EAGAIN;
    pass(60);
    assert_int_equal(serial_now("a"), 1);
    assert_said(1, "a: too many hosts are being asked for; the last good");
    assert_fails_at_once("b");
    assert_said(1, "b: too many hosts are being asked for; refused");
    refused_with = 0;
    pass(1);
    assert_int_equal(serial_after_waiting("b", 0), 2);
}

/* --- Bounds --- */

static void the_least_recently_used_goes(void **state)
{
    (void)state;
    serial_after_waiting("a", 0);
    serial_after_waiting("b", 0);
    serial_after_waiting("c", 0);
    assert_int_equal(serial_now("a"), 1);
    serial_after_waiting("d", 0);
    assert_int_equal(pairs_alive, CAPACITY);
    serial_now("a");
    serial_now("c");
    serial_now("d");
    serial_after_waiting("b", 0);
    assert_int_equal(pairs_alive, CAPACITY);
    serial_after_waiting("a", 0);
}

static void a_pair_in_use_outlives_its_entry(void **state)
{
    (void)state;
    assert_waits(&clients[0], "a");
    answer(0);
    for (char host[] = "b"; host[0] <= 'e'; host[0]++)
        serial_after_waiting(host, 0);
    assert_int_equal(pairs_alive, CAPACITY + 1);
    assert_int_equal(clients[0].pair->serial, 1);
    let_go(&clients[0]);
    assert_int_equal(pairs_alive, CAPACITY);
}

static void what_is_waited_for_is_never_evicted(void **state)
{
    (void)state;
    serial_after_waiting("a", 0);
    pass(60);
    assert_waits(&clients[0], "a");                      /* checking */
    assert_waits(&clients[1], "new");                    /* loading */
    for (char host[] = "b"; host[0] <= 'i'; host[0]++) { /* asked later, answered first */
        assert_waits(&clients[2], host);
        requests[asked - 1].callback(requests[asked - 1].context,
                                     &(struct broker_answer){ .fds = { dup(file), dup(file) } });
        let_go(&clients[2]);
    }
    answer(0);
    answer(0);
    answered = asked;
    assert_int_equal(clients[0].pair->serial, 1);
    assert_non_null(clients[1].pair);
    let_go(&clients[0]);
    let_go(&clients[1]);
    serial_now("a");
    serial_now("new");
    assert_int_equal(pairs_alive, CAPACITY);
}

static void failures_never_push_a_good_pair_out_and_are_bounded(void **state)
{
    char host[32];

    (void)state;
    serial_after_waiting("a", 0);
    for (int i = 0; i < CERTS_FAILED_MAX + 1; i++) {
        snprintf(host, sizeof(host), "stranger%d", i);
        assert_fails_after_waiting(host, ENOENT);
    }
    line_count = 0;
    serial_now("a");
    assert_fails_at_once("stranger1");
    assert_fails_after_waiting("stranger0", ENOENT); /* had to go */
}

static void lines_of_all_hosts_together_are_limited_and_the_rest_counted(void **state)
{
    char host[32];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(host, sizeof(host), "stranger%d", i);
        assert_fails_after_waiting(host, ENOENT);
    }
    assert_said(CERTS_LOG_PER_MINUTE, "stranger59: ");
    pass(60);
    assert_fails_after_waiting("stranger99", ENOENT);
    assert_string_equal(lines[0], "40 more lines about certificates were left out");
    assert_said(2, "stranger99: ");
}

/* --- Who waits may do anything --- */

static void who_cancels_is_not_called(void **state)
{
    (void)state;
    assert_waits(&clients[0], "a");
    for (int i = 1; i < 4; i++)
        assert_int_equal(get(&clients[i], "a"), CERTS_WAIT);
    certs_cancel(&clients[0].waiter);
    certs_cancel(&clients[2].waiter);
    certs_cancel(&clients[2].waiter);
    certs_cancel(&clients[4].waiter); /* never waited */
    answer(0);
    assert_int_equal(clients[0].calls + clients[2].calls, 0);
    assert_int_equal(clients[1].calls + clients[3].calls, 2);
    let_go(&clients[1]);
    let_go(&clients[3]);
}

static void what_nobody_waits_for_any_more_is_loaded_all_the_same(void **state)
{
    (void)state;
    assert_waits(&clients[0], "a");
    certs_cancel(&clients[0].waiter);
    answer(0);
    assert_int_equal(serial_now("a"), 1);
}

static void cancel_the_others(struct client *client)
{
    (void)client;
    for (int i = 0; i < 5; i++)
        certs_cancel(&clients[i].waiter);
}

static void the_called_may_cancel_the_others(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(get(&clients[i], "a"), CERTS_WAIT);
    clients[1].then = cancel_the_others;
    answer(0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(clients[i].calls, i < 2);
    let_go(&clients[0]);
    let_go(&clients[1]);
}

static void get_the_same_again(struct client *client)
{
    client->then = NULL;
    let_go(client);
    assert_int_equal(get(client, "a"), CERTS_READY);
    let_go(client);
}

static void recheck_and_get_again(struct client *client)
{
    client->then = NULL;
    let_go(client);
    certs_recheck(certs);
    assert_int_equal(get(client, "a"), CERTS_WAIT);
}

static void get_another(struct client *client)
{
    client->then = NULL;
    let_go(client);
    assert_int_equal(get(client, "b"), CERTS_WAIT);
}

static void the_called_may_ask_again(void **state)
{
    (void)state;
    clients[0].then = get_the_same_again;
    clients[1].then = recheck_and_get_again;
    clients[2].then = get_another;
    for (int i = 0; i < 4; i++)
        assert_int_equal(get(&clients[i], "a"), CERTS_WAIT);
    answer(0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(clients[i].calls, 1);
    assert_int_equal(clients[3].pair->serial, 1);
    let_go(&clients[3]);
    assert_int_equal(asked, 3);
    new_file();
    answer(0); /* a, once more */
    assert_int_equal(clients[1].calls, 2);
    assert_int_equal(clients[1].pair->serial, 2);
    let_go(&clients[1]);
    answer(0); /* b */
    assert_int_equal(clients[2].pair->serial, 3);
    let_go(&clients[2]);
}

/* The worst: while the first is called, failures that need no answer push its own entry out. */
static void fail_many(struct client *client)
{
    char host[32];

    client->then = NULL;
    refused_with = EPIPE;
    for (int i = 0; i <= CERTS_FAILED_MAX; i++) {
        snprintf(host, sizeof(host), "stranger%d", i);
        assert_int_equal(get(client, host), CERTS_FAILED);
    }
    refused_with = 0;
}

static void an_entry_may_go_while_its_waiters_are_called(void **state)
{
    (void)state;
    clients[0].then = fail_many;
    for (int i = 0; i < 3; i++)
        assert_int_equal(get(&clients[i], "a"), CERTS_WAIT);
    answer(ENOENT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(clients[i].calls, 1);
    assert_waits(&clients[0], "a"); /* it is forgotten */
    answer(ENOENT);
}

/* --- What is told --- */

static void findings_are_told_when_a_pair_is_loaded_and_those_of_time_daily(void **state)
{
    (void)state;
    findings = CERTPAIR_NO_INTERMEDIATE | CERTPAIR_KEY_READABLE;
    serial_after_waiting("a", 0);
    assert_string_equal(lines[0], "mta-sts.a: finding 8 of /certs/mta-sts.a.pem");
    assert_said(2, "a: finding 32");
    not_after = now_s - 1;
    serial_now("a");
    assert_said(0, "");
    for (int day = 0; day < 3; day++) {
        pass(DAY);
        serial_after_waiting("a", 0); /* a check, of the same file */
        serial_now("a");
        assert_said(1, "a: finding 1");
        serial_now("a");
        assert_said(0, "");
    }
    assert_int_equal(loads, 1);
}

static void findings_and_failures_have_limits_of_their_own(void **state)
{
    char host[32];

    (void)state;
    findings = CERTPAIR_NO_INTERMEDIATE;
    for (int i = 0; i < 100; i++) {
        snprintf(host, sizeof(host), "host%d", i);
        serial_after_waiting(host, 0);
    }
    assert_said(CERTS_LOG_PER_MINUTE, "host59: finding 8");
    assert_fails_after_waiting("b", ENOENT);
    assert_said(1, "b: certificate file");
    certs_free(certs);
    assert_said(1, "40 more lines about certificates were left out");
    certs = NULL;
}

static void assert_counters(unsigned long hits, unsigned long misses, unsigned long evictions)
{
    struct certs_counters counters = certs_counters(certs);

    assert_int_equal(counters.hits, hits);
    assert_int_equal(counters.misses, misses);
    assert_int_equal(counters.evictions, evictions);
}

static void what_memory_served_is_a_hit_and_what_was_read_a_miss(void **state)
{
    (void)state;
    assert_fails_after_waiting("none", ENOENT);
    assert_fails_at_once("none");
    assert_counters(0, 0, 0);
    serial_after_waiting("a", 0);
    assert_counters(0, 1, 0);
    serial_now("a");
    assert_counters(1, 1, 0);
    pass(60);
    serial_after_waiting("a", 0); /* the files are the same */
    assert_counters(2, 1, 0);
    pass(60);
    serial_after_waiting("a", ENOENT); /* the last good pair */
    assert_counters(3, 1, 0);
    pass(60);
    new_file();
    serial_after_waiting("a", 0);
    assert_counters(3, 2, 0);
    refused_with = EPIPE;
    pass(60);
    serial_now("a");
    assert_counters(4, 2, 0);
}

static void a_pair_that_makes_room_is_an_eviction_and_a_failure_is_none(void **state)
{
    char host[32];

    (void)state;
    for (int i = 0; i < CAPACITY + 2; i++) {
        snprintf(host, sizeof(host), "host%d", i);
        serial_after_waiting(host, 0);
    }
    assert_counters(0, CAPACITY + 2, 2);
    for (int i = 0; i < CERTS_FAILED_MAX + 10; i++) {
        snprintf(host, sizeof(host), "none%d", i);
        get(&clients[0], host);
        answer(ENOENT);
        line_count = 0;
    }
    assert_counters(0, CAPACITY + 2, 2);
}

static void a_recheck_and_the_end_count_on_and_log_nothing(void **state)
{
    (void)state;
    serial_after_waiting("a", 0);
    certs_recheck(certs);
    assert_counters(0, 1, 0);
    serial_after_waiting("a", 0);
    assert_counters(1, 1, 0);
    certs_free(certs);
    assert_said(0, "");
    certs = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_asks_and_the_next_are_served_from_memory),
        TEST(all_who_want_a_host_wait_for_one_request_and_are_called_in_turn),
        TEST(hosts_are_asked_for_apart),
        TEST(a_failure_is_remembered_for_a_second_and_told_once_a_minute),
        TEST(another_reason_is_told_at_once),
        TEST(what_is_no_regular_file_is_told_in_words),
        TEST(a_pair_that_is_refused_is_a_failure),
        TEST(an_unchanged_file_is_not_read_again),
        TEST(a_renewed_certificate_is_taken_before_its_next_use),
        TEST(whatever_a_check_finds_the_last_good_pair_serves),
        TEST(a_recheck_looks_at_every_host_before_its_next_use),
        TEST(a_recheck_during_a_request_asks_once_more),
        TEST(without_a_keeper_memory_serves_and_the_log_is_silent),
        TEST(a_keeper_that_is_too_busy_to_be_asked_is_a_failure),
        TEST(the_least_recently_used_goes),
        TEST(a_pair_in_use_outlives_its_entry),
        TEST(what_is_waited_for_is_never_evicted),
        TEST(failures_never_push_a_good_pair_out_and_are_bounded),
        TEST(lines_of_all_hosts_together_are_limited_and_the_rest_counted),
        TEST(who_cancels_is_not_called),
        TEST(what_nobody_waits_for_any_more_is_loaded_all_the_same),
        TEST(the_called_may_cancel_the_others),
        TEST(the_called_may_ask_again),
        TEST(an_entry_may_go_while_its_waiters_are_called),
        TEST(findings_are_told_when_a_pair_is_loaded_and_those_of_time_daily),
        TEST(findings_and_failures_have_limits_of_their_own),
        TEST(what_memory_served_is_a_hit_and_what_was_read_a_miss),
        TEST(a_pair_that_makes_room_is_an_eviction_and_a_failure_is_none),
        TEST(a_recheck_and_the_end_count_on_and_log_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
