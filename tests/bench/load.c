/* Fetches policies as senders do, and says how long that took: a line of JSON.

       load --address ADDRESS:PORT --names FILE --body FILE --fetches N [OPTION...]
       load --address ADDRESS:PORT --silent N

   Every connection is a new one, from another address of 127.1.0.0/24, with a full handshake: no session is kept, and
   OpenSSL makes the ephemeral keys anew. The certificate has to be for the name that was asked for, the answer has to be
   200 with the body that is expected; anything else ends the run with status 1. The chain is not verified: that would
   only cost the client. Without a rate, fetches follow each other as fast as possible over so many connections. With
   one, they are due at fixed times, and are timed from there, whether or not they could begin: a server that falls
   behind is charged for those that wait.

   Or holds N connections that never send a byte, says so, and at the end of standard input makes sure that the server
   has held them, too. */

#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_NS 10000000000 /* nothing happened for so long: it never will */
#define SECOND_NS   1000000000
#define ADDRESSES   250 /* that connections come from */
#define ANSWER_MAX  16384
#define EVENTS_MAX  64

enum state { HANDSHAKE, REQUEST, ANSWER };

struct connection {
    int                fd; /* -1: free */
    SSL               *ssl;
    enum state         state;
    bool               wants_write;
    const struct name *name;
    long               requests; /* answered */
    int64_t            since;    /* when what is under way was due */
    size_t             length;
    char               answer[ANSWER_MAX + 1];
};

static int      poller;
static int64_t  begin; /* when the first was due */
static long     begun, done;
static int64_t *latencies;
static char     suite[64], group[64]; /* of the last connection */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * SECOND_NS + time.tv_nsec;
}

/* --- one connection */

static int open_socket(void)
{
    static unsigned    count;
    struct sockaddr_in from = { .sin_family = AF_INET };
    int                on = 1;
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        load_fail("socket: %s", strerror(errno));
    from.sin_addr.s_addr = htonl(0x7f010001 + count++ % ADDRESSES);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
        load_fail("bind: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&load.address, sizeof load.address) != 0 &&
        errno != EINPROGRESS)
        load_fail("connect: %s", strerror(errno));
    return fd;
}

static void connection_begin(struct connection *c, int64_t since)
{
    c->fd = open_socket();
    c->state = HANDSHAKE;
    c->wants_write = false;
    c->name = &load.names[(size_t)begun++ % load.name_count];
    c->requests = 0;
    c->since = since;
    c->ssl = SSL_new(load.ctx);
    if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1 ||
        SSL_set_tlsext_host_name(c->ssl, c->name->host) != 1)
        load_fail("no TLS state");
    SSL_set_connect_state(c->ssl);
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) != 0)
        load_fail("epoll_ctl: %s", strerror(errno));
}

/* As most clients do: the client closes, with a close_notify. */
static void connection_end(struct connection *c)
{
    SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(c->fd);
    c->fd = -1;
}

/* What a call has returned that is no success: true if it waits for the peer. */
static bool must_wait(struct connection *c, int returned, const char *what)
{
    int error = SSL_get_error(c->ssl, returned);
    c->wants_write = error == SSL_ERROR_WANT_WRITE;
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        load_fail("%s: %s: error %d, %s", c->name->host, what, error, strerror(errno));
    return true;
}

static void check_certificate(const struct connection *c)
{
    X509 *certificate = SSL_get1_peer_certificate(c->ssl);
    if (!certificate || X509_check_host(certificate, c->name->host, 0, 0, NULL) != 1)
        load_fail("%s: the certificate is for somebody else", c->name->host);
    X509_free(certificate);
}

/* True if the answer is whole; ends the program if it is wrong. */
static bool answer_is_whole(struct connection *c)
{
    c->answer[c->length] = '\0';
    char *end = strstr(c->answer, "\r\n\r\n");
    if (!end)
        return false;
    end += 4;
    size_t length = c->length - (size_t)(end - c->answer);
    if (length < load.body_length && memcmp(end, load.body, length) == 0)
        return false;
    bool same = length == load.body_length && memcmp(end, load.body, length) == 0;
    end[-2] = '\0';
    if (!same || strncmp(c->answer, "HTTP/1.1 200 ", 13) != 0 ||
        !strcasestr(c->answer, load.length_field))
        load_fail("%s: a wrong answer:\n%s", c->name->host, c->answer);
    return true;
}

/* Keeps what was agreed on, for the report. */
static void note_agreement(const struct connection *c)
{
    EVP_PKEY *key = NULL;
    size_t    length;
    snprintf(suite, sizeof suite, "%s", SSL_get_cipher_name(c->ssl));
    if (SSL_get_peer_tmp_key(c->ssl, &key) != 1)
        load_fail("%s: no ephemeral key", c->name->host);
    if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1)
        snprintf(group, sizeof group, "%s", EVP_PKEY_get0_type_name(key));
    EVP_PKEY_free(key);
}

/* A fetch is done: the next one on this connection, or its end. True if there is a next one. */
static bool fetch_done(struct connection *c)
{
    int64_t time = now();
    latencies[done++] = time - c->since;
    if (++c->requests == load.requests || done == load.fetches) {
        if (done == load.fetches)
            note_agreement(c);
        connection_end(c);
        return false;
    }
    c->since = time;
    c->state = REQUEST;
    return true;
}

/* Goes on until it waits for the peer or is done. */
static void connection_step(struct connection *c)
{
    for (;;) {
        int result;
        switch (c->state) {
        case HANDSHAKE:
            if ((result = SSL_do_handshake(c->ssl)) != 1 && must_wait(c, result, "handshake"))
                return;
            check_certificate(c);
            c->state = REQUEST;
            break;
        case REQUEST:
            result = SSL_write(c->ssl, c->name->request, (int)c->name->request_length);
            if (result <= 0 && must_wait(c, result, "request"))
                return;
            c->length = 0;
            c->state = ANSWER;
            break;
        case ANSWER:
            if (c->length == ANSWER_MAX)
                load_fail("%s: the answer has no end", c->name->host);
            result = SSL_read(c->ssl, c->answer + c->length, (int)(ANSWER_MAX - c->length));
            if (result <= 0 && must_wait(c, result, "answer"))
                return;
            c->length += (size_t)result;
            if (answer_is_whole(c) && !fetch_done(c))
                return;
            break;
        }
    }
}

/* --- all of them */

/* When the next connection is due, which may have been long ago. */
static int64_t next_due(void)
{
    return load.rate > 0 ? begin + (int64_t)((double)begun * SECOND_NS / load.rate) : 0;
}

/* Begins what is due, as far as there is room. A fetch may be done at once, and make room for another. */
static void begin_due(struct connection *connections, long to_begin)
{
    for (long i = 0; i < load.connections; i++)
        while (connections[i].fd < 0 && begun < to_begin) {
            int64_t due = next_due(), time = now();
            if (due > time)
                return;
            connection_begin(&connections[i], due ? due : time);
            connection_step(&connections[i]);
        }
}

/* Waits for the peers, or until the next one is due. */
static void wait_and_step(bool more_to_begin)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t            wait = PATIENCE_NS;
    if (more_to_begin && load.rate > 0) {
        int64_t until = next_due() - now();
        wait = until > 0 ? until : 0;
    }
    struct timespec timeout = { .tv_sec = wait / SECOND_NS, .tv_nsec = wait % SECOND_NS };
    int             count = epoll_pwait2(poller, events, EVENTS_MAX, &timeout, NULL);
    if (count < 0 && errno != EINTR)
        load_fail("epoll_pwait2: %s", strerror(errno));
    if (count == 0 && wait == PATIENCE_NS)
        load_fail("nothing has come for %d s", (int)(PATIENCE_NS / SECOND_NS));
    for (int i = 0; i < count; i++) {
        struct connection *c = events[i].data.ptr;
        if (c->fd >= 0 && (c->wants_write || events[i].events & ~(uint32_t)EPOLLOUT))
            connection_step(c);
    }
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double percentile_us(double part)
{
    return (double)latencies[(long)((double)(done - 1) * part)] / 1000;
}

static void run(void)
{
    struct connection *connections = load_allocate((size_t)load.connections, sizeof *connections);
    long               to_begin = (load.fetches + load.requests - 1) / load.requests;
    for (long i = 0; i < load.connections; i++)
        connections[i].fd = -1;
    latencies = load_allocate((size_t)load.fetches, sizeof *latencies);
    begin = now();
    while (done < load.fetches) {
        begin_due(connections, to_begin);
        if (done < load.fetches)
            wait_and_step(begun < to_begin);
    }
    double        seconds = (double)(now() - begin) / SECOND_NS;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double busy = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    free(connections);
    qsort(latencies, (size_t)done, sizeof *latencies, compare);
    printf("{\"fetches\": %ld, \"seconds\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": "
           "%.1f, "
           "\"suite\": \"%s\", \"group\": \"%s\", \"busy\": %.2f}\n",
           done, seconds, percentile_us(0.5), percentile_us(0.99), percentile_us(1), suite, group,
           busy / seconds);
}

static void be_silent(void)
{
    int *fds = load_allocate((size_t)load.silent, sizeof *fds);
    for (long i = 0; i < load.silent; i++)
        fds[i] = open_socket();
    puts("held");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    for (long i = 0; i < load.silent; i++) {
        char byte;
        if (recv(fds[i], &byte, 1, 0) >= 0 || errno != EAGAIN)
            load_fail("the server has not held a silent connection");
    }
    free(fds);
}

int main(int argc, char **argv)
{
    load_read_options(argc, argv);
    if (load.silent) {
        be_silent();
        return 0;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        load_fail("epoll_create1: %s", strerror(errno));
    run();
    return 0;
}
