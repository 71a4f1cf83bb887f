/* Attacks a server with connections that say nothing more, and meanwhile fetches as real senders do.

       siege ADDRESS:PORT HOST hello|silent RATE ADDRESSES WARM_UP PARALLEL:RTT_MS:FETCHES...

   The attack: RATE connections a second, in turn from so many addresses of 127.64.0.0/10, each of which sends one
   ClientHello with a valid key share (hello) or nothing (silent), and is then held open until the server closes it. It
   goes on to the end of the program. After WARM_UP seconds, for each PARALLEL:RTT_MS:FETCHES, a sender of one address
   fetches the policy of HOST, with so many connections at a time and with waits of RTT_MS where the network would have
   a round trip: between the server's flight and the client's, and between a fetch and the next. OpenSSL makes a full
   TLS 1.3 handshake each time. Each gives a line of JSON: how many fetches were served and how many were not, the
   half handshakes a second that were begun meanwhile, and the CPU time of this program as a share of the time. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
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

enum {
    SENDERS_MAX = 64,
    EVENTS_MAX = 256,
    HELLO_MAX = 2048,
    ANSWER_MAX = 16384,
    PATIENCE_MS = 20000, /* a fetch that takes longer has failed */
    PHASE_MS = 20000,    /* a phase that takes longer ends */
    BURST = 64           /* attackers in one turn */
};

/* WAITS: for its time, to begin or to send its next flight. */
enum state { BEGINS, CONNECTS, GETS_FLIGHT, WAITS, GETS_ANSWER };

struct sender {
    enum state state;
    int        fd;
    SSL       *ssl;
    int64_t    due, since;
    size_t     length;
    char       answer[ANSWER_MAX + 1];
};

static struct sockaddr_in server = { .sin_family = AF_INET };
static char              *host;
static SSL_CTX           *ctx;
static char               groups[] = "X25519"; /* the server has it, so that there is no retry */
static int                poller;
static uint8_t            hello[HELLO_MAX]; /* hello_length 0: the attack is silent */
static size_t             hello_length;
static double             rate;
static uint32_t           addresses, attackers;
static int64_t            attack_begin;

static struct sender senders[SENDERS_MAX];
static long          parallel, rtt, served, failed;
static char          reason[128]; /* of the first failure */

static void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The tag is the index of a sender, or -1 - fd for an attacker. */
static int open_socket(uint32_t source, int64_t tag, bool is_sender)
{
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(source) };
    int                on = 1;
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EMFILE && !is_sender)
        return -1; /* the server is too slow to close as many as come */
    if (fd < 0)
        fail("socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
        fail("bind: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    struct epoll_event event = { .events = EPOLLOUT | EPOLLRDHUP | (is_sender ? EPOLLIN : 0U) |
                                           EPOLLET,
                                 .data.u64 = (uint64_t)(is_sender ? tag : -1 - (int64_t)fd) };
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl: %s", strerror(errno));
    return fd;
}

/* --- Attackers, which are no more than a descriptor in the poller */

static void attack_due(void)
{
    int64_t due = (int64_t)((double)(now_ms() - attack_begin) * rate / 1000);
    for (int i = 0; i < BURST && attackers < due; i++)
        open_socket(0x7f400000 + attackers++ % addresses, 0, false);
}

static void attacker_event(int fd, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        close(fd);
        return;
    }
    struct epoll_event event = { .events = EPOLLRDHUP, .data.u64 = (uint64_t)(-1 - (int64_t)fd) };
    if (hello_length > 0 && send(fd, hello, hello_length, MSG_NOSIGNAL) < 0)
        close(fd);
    else
        epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event);
}

/* --- Senders */

static SSL *new_tls(void)
{
    SSL *ssl = SSL_new(ctx);
    if (!ssl || SSL_set_tlsext_host_name(ssl, host) != 1)
        fail("no TLS state");
    SSL_set0_rbio(ssl, BIO_new(BIO_s_mem()));
    SSL_set0_wbio(ssl, BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    return ssl;
}

static void sender_end(struct sender *sender, const char *failure)
{
    if (!failure)
        served++;
    else if (failed++ == 0)
        snprintf(reason, sizeof reason, "%s", failure);
    SSL_free(sender->ssl);
    close(sender->fd);
    sender->fd = -1;
    sender->ssl = NULL;
    sender->state = BEGINS;
    sender->due = now_ms() + rtt;
}

static void send_flight(struct sender *sender)
{
    char bytes[HELLO_MAX];
    int  count = BIO_read(SSL_get_wbio(sender->ssl), bytes, sizeof bytes);
    if (count > 0 && send(sender->fd, bytes, (size_t)count, MSG_NOSIGNAL) != count)
        sender_end(sender, "the server has closed before the client's flight");
}

/* What has come goes to OpenSSL. False: nothing more will come. */
static bool receive(struct sender *sender)
{
    char bytes[16384];
    for (;;) {
        ssize_t count = recv(sender->fd, bytes, sizeof bytes, 0);
        if (count <= 0)
            return count < 0 && errno == EAGAIN;
        BIO_write(SSL_get_rbio(sender->ssl), bytes, (int)count);
    }
}

/* The round trip is over: the client's flight, with the request behind it when the handshake is done. */
static void sender_answer(struct sender *sender)
{
    static const char request[] =
        "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n";
    char text[512];
    bool open = receive(sender);
    int  result = SSL_do_handshake(sender->ssl);
    if (result != 1 && (!open || SSL_get_error(sender->ssl, result) != SSL_ERROR_WANT_READ)) {
        ERR_clear_error();
        sender_end(sender, open ? "an alert" : "closed in the handshake");
        return;
    }
    sender->state = GETS_FLIGHT;
    if (result == 1) {
        snprintf(text, sizeof text, request, host);
        SSL_write(sender->ssl, text, (int)strlen(text));
        sender->state = GETS_ANSWER;
    }
    send_flight(sender);
}

static void sender_read(struct sender *sender)
{
    bool open = receive(sender);
    int  count;
    while (sender->length < ANSWER_MAX &&
           (count = SSL_read(sender->ssl, sender->answer + sender->length,
                             (int)(ANSWER_MAX - sender->length))) > 0)
        sender->length += (size_t)count;
    ERR_clear_error();
    sender->answer[sender->length] = '\0';
    if (SSL_get_shutdown(sender->ssl) & SSL_RECEIVED_SHUTDOWN)
        sender_end(sender, strncmp(sender->answer, "HTTP/1.1 200 ", 13) == 0 &&
                                   strstr(sender->answer, "STSv1")
                               ? NULL
                               : "a wrong answer");
    else if (!open)
        sender_end(sender, "closed instead of an answer");
}

static void sender_event(struct sender *sender)
{
    switch (sender->state) {
    case CONNECTS: /* the hello travels with the last packet of TCP's handshake */
        SSL_do_handshake(sender->ssl);
        sender->state = GETS_FLIGHT;
        send_flight(sender);
        break;
    case GETS_FLIGHT: {
        char byte;
        if (recv(sender->fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN)
            break;
        sender->state = WAITS;
        sender->due = now_ms() + rtt;
        break;
    }
    case GETS_ANSWER:
        sender_read(sender);
        break;
    default:
        break;
    }
}

static void sender_due(size_t index, bool more)
{
    struct sender *sender = &senders[index];
    int64_t        now = now_ms();
    if (sender->state == BEGINS && more && now >= sender->due) {
        sender->since = now;
        sender->length = 0;
        sender->ssl = new_tls();
        sender->state = CONNECTS;
        sender->fd = open_socket(0x7f000901, (int64_t)index, true);
    } else if (sender->state == WAITS && now >= sender->due) {
        sender_answer(sender);
    } else if (sender->state != BEGINS && now - sender->since > PATIENCE_MS) {
        sender_end(sender, "no answer in time");
    }
}

/* --- All of it */

static void turn(void)
{
    struct epoll_event events[EVENTS_MAX];
    int                count = epoll_wait(poller, events, EVENTS_MAX, 1);
    for (int i = 0; i < count; i++) {
        int64_t tag = (int64_t)events[i].data.u64;
        if (tag < 0)
            attacker_event((int)(-1 - tag), events[i].events);
        else if (senders[tag].state != BEGINS)
            sender_event(&senders[tag]);
    }
    attack_due();
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void run_phase(const char *text)
{
    long     fetches, active;
    int64_t  begin = now_ms();
    uint32_t attackers_before = attackers;
    double   cpu = cpu_seconds();
    if (sscanf(text, "%ld:%ld:%ld", &parallel, &rtt, &fetches) != 3 || parallel < 1 ||
        parallel > SENDERS_MAX)
        fail("%s is not PARALLEL:RTT_MS:FETCHES", text);
    served = failed = 0;
    reason[0] = '\0';
    do {
        bool more = served + failed < fetches && now_ms() - begin < PHASE_MS;
        active = more;
        turn();
        for (long i = 0; i < parallel; i++) {
            sender_due((size_t)i, more);
            active += senders[i].state != BEGINS;
        }
    } while (active > 0);
    double seconds = (double)(now_ms() - begin) / 1000;
    printf("{\"parallel\": %ld, \"rtt\": %ld, \"served\": %ld, \"failed\": %ld, \"seconds\": %.1f, "
           "\"rate\": %.0f, "
           "\"busy\": %.2f, \"reason\": \"%s\"}\n",
           parallel, rtt, served, failed, seconds, (attackers - attackers_before) / seconds,
           (cpu_seconds() - cpu) / seconds, reason);
    fflush(stdout);
}

static void read_arguments(char **argv)
{
    char *colon = strchr(argv[1], ':');
    if (!colon)
        fail("%s is not ADDRESS:PORT", argv[1]);
    *colon = '\0';
    server.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1)
        fail("%s is not an IPv4 address", argv[1]);
    host = argv[2];
    rate = atof(argv[4]);
    addresses = (uint32_t)atol(argv[5]);
    if (addresses < 1 || addresses > 0x3fffff)
        fail("%s is not a number of addresses", argv[5]);
}

/* Each attacker sends the same hello: its key share is valid. */
static void make_hello(void)
{
    SSL *ssl = new_tls();
    SSL_do_handshake(ssl);
    hello_length = (size_t)BIO_read(SSL_get_wbio(ssl), hello, sizeof hello);
    SSL_free(ssl);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (argc < 8)
        fail("usage: siege ADDRESS:PORT HOST hello|silent RATE ADDRESSES WARM_UP "
             "PARALLEL:RTT_MS:FETCHES...");
    read_arguments(argv);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    prctl(PR_SET_TIMERSLACK, 1);
    poller = epoll_create1(EPOLL_CLOEXEC);
    ctx = SSL_CTX_new(TLS_client_method());
    if (poller < 0 || !ctx)
        fail("no poller or no OpenSSL");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set1_groups_list(ctx, groups);
    if (strcmp(argv[3], "hello") == 0)
        make_hello();
    attack_begin = now_ms();
    while (now_ms() - attack_begin < 1000 * atol(argv[6]))
        turn();
    for (int i = 7; i < argc; i++)
        run_phase(argv[i]);
    return 0;
}
