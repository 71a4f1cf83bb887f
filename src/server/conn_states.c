/* What a connection does in each of its states. Every function reads or writes until it would
   block, then says what it waits for. */
#include "server/conn_internal.h"

#include "common/log.h"
#include "server/certpair.h"
#include "server/listener.h"
#include "server/process.h"
#include "server/tls.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* What a transport's answer means when it is not IO_DONE. */
static enum conn_next wait_for(enum io io)
{
    return io == IO_WANT_READ ? CONN_WAIT_READ : io == IO_WANT_WRITE ? CONN_WAIT_WRITE : CONN_GONE;
}

static void drop_buffer(struct conn *conn)
{
    free(conn->buffer);
    conn->buffer = NULL;
    conn->used = conn->size = 0;
}

/* Makes room for at least one more byte, up to max in all. */
static bool grow_buffer(struct conn *conn, size_t max)
{
    size_t   size = conn->size == 0 ? CONN_BUFFER_MIN : max;
    uint8_t *larger;

    if (conn->used < conn->size)
        return true;
    if (conn->size == max)
        return false;
    larger = realloc(conn->buffer, size);
    if (larger == NULL)
        return false;
    conn->buffer = larger;
    conn->size = size;
    return true;
}

/* Half closes, and from now on only reads, so that the kernel has no reason to reset. */
static enum conn_next linger(struct conn *conn)
{
    conn_drop_tls(conn);
    drop_buffer(conn);
    shutdown(conn->io.fd, SHUT_WR);
    conn_enter(conn, CONN_LINGER);
    return CONN_GO_ON;
}

enum conn_next conn_end(struct conn *conn)
{
    if (conn->transport != NULL)
        conn->transport->finish(conn->link);
    return linger(conn);
}

/* A read has brought nothing. When it never will, an alert of ours is on its way under TLS, or the
   peer's close_notify is answered by ours (RFC 8446 section 6.1). */
static enum conn_next wait_or_end(struct conn *conn, enum io io)
{
    return io == IO_END || io == IO_FAILED ? conn_end(conn) : wait_for(io);
}

static enum conn_next refuse_hello(struct conn *conn, uint8_t description)
{
    uint8_t alert[TLS_ALERT_LEN];
    size_t  sent;

    tls_alert(description, alert);
    transport_send(conn->io.fd, alert, sizeof(alert), &sent); /* into an empty socket buffer */
    return linger(conn);
}

static enum conn_next begin_handshake(struct conn *conn)
{
    struct tls_session *session;
    struct certpair    *pair = conn->pair;

    if (!conn_take_tls(conn))
        return refuse_hello(conn, ALERT_INTERNAL_ERROR);
    conn->pair = NULL;
    session = tls_session_new(conn->conns->services.tls, conn->io.fd, conn->hello, pair,
                              conn->buffer, conn->used, conn->size);
    conn->buffer = NULL; /* the session's now */
    conn->used = conn->size = 0;
    if (session == NULL)
        return conn_starve(conn);
    free(conn->hello);
    conn->hello = NULL;
    conn->transport = &transport_tls;
    conn->link = session;
    conn_enter(conn, CONN_HANDSHAKE);
    return CONN_GO_ON;
}

static void certificate_done(struct certs_waiter *waiter, struct certpair *pair)
{
    struct conn *conn = CONN_OF(waiter, waiter);

    conn->pair = pair;
    conn_run(conn);
}

/* The hello is whole: is the name ours, and is there a certificate for it? */
static enum conn_next choose_certificate(struct conn *conn, const struct clienthello *hello)
{
    const struct conn_services *services = &conn->conns->services;

    conn->hello = malloc(sizeof(*hello));
    conn->host = malloc(hello->name_len + 1);
    if (conn->hello == NULL || conn->host == NULL)
        return conn_starve(conn);
    *conn->hello = *hello;
    for (size_t i = 0; i <= hello->name_len; i++)
        conn->host[i] = (char)tolower((unsigned char)hello->name[i]);
    conn->host_len = hello->name_len;
    if (!config_find_host(services->config, conn->host, conn->host_len, &conn->match))
        return refuse_hello(conn, ALERT_UNRECOGNIZED_NAME);
    conn_enter(conn, CONN_CERT);
    conn->waiter.done = certificate_done;
    switch (certs_get(services->certs, conn->host, conn->host_len, &conn->waiter, &conn->pair)) {
    case CERTS_READY:
        return CONN_GO_ON;
    case CERTS_WAIT:
        return CONN_WAIT_ELSE;
    default:
        return refuse_hello(conn, ALERT_UNRECOGNIZED_NAME);
    }
}

static enum conn_next state_hello(struct conn *conn)
{
    struct clienthello hello;

    for (;;) {
        size_t  count;
        enum io io;

        if (!grow_buffer(conn, CLIENTHELLO_MAX))
            return conn->size == CLIENTHELLO_MAX ? refuse_hello(conn, ALERT_ILLEGAL_PARAMETER)
                                                 : conn_starve(conn);
        io = transport_receive(conn->io.fd, conn->buffer + conn->used, conn->size - conn->used,
                               &count);
        if (io != IO_DONE) {
            if (conn->used == 0) /* who says nothing costs nothing */
                drop_buffer(conn);
            return wait_for(io);
        }
        conn->used += count;
        switch (clienthello_read(conn->buffer, conn->used, &hello)) {
        case CLIENTHELLO_MORE:
            break;
        case CLIENTHELLO_OK:
            return choose_certificate(conn, &hello);
        case CLIENTHELLO_NOT_TLS:
            return linger(conn);
        case CLIENTHELLO_REFUSED:
            return refuse_hello(conn, hello.alert);
        }
    }
}

static enum conn_next state_cert(struct conn *conn)
{
    if (conn->pair == NULL)
        return refuse_hello(conn, ALERT_UNRECOGNIZED_NAME);
    return begin_handshake(conn);
}

static enum conn_next state_handshake(struct conn *conn)
{
    enum io io = tls_handshake(conn->link);

    if (io == IO_FAILED) /* the alert is on its way: let it arrive */
        return linger(conn);
    if (io != IO_DONE)
        return wait_for(io);
    conn_enter(conn, CONN_REQUEST);
    return CONN_GO_ON;
}

static enum conn_next respond(struct conn *conn)
{
    if (conn->answer.bytes == NULL)
        return conn_starve(conn); /* the client will come again */
    conn->answered = 0;
    conn_enter(conn, CONN_RESPONSE);
    return CONN_GO_ON;
}

static enum conn_next respond_status(struct conn *conn, unsigned status)
{
    answers_status(status, conn->head, conn->close, time(NULL), &conn->answer);
    return respond(conn);
}

static void token_done(void *context, const char *bytes, size_t len)
{
    struct conn *conn = context;

    if (bytes == NULL)
        conn->close = true;
    if (len == 0)
        answers_status(bytes == NULL ? 503 : 404, conn->head, conn->close, time(NULL),
                       &conn->answer);
    else
        answers_token(bytes, len, conn->head, conn->close, time(NULL), &conn->answer);
    if (conn->lookup != NULL) { /* it has waited */
        conn->lookup = NULL;
        conn_run(conn);
    }
}

static enum conn_next answer_acme(struct conn *conn, const struct http_request *request)
{
    const struct conn_services *services = &conn->conns->services;

    if (request->method == HTTP_OTHER)
        return respond_status(conn, 404);
    conn_enter(conn, CONN_TOKEN);
    if (!acme_find(config_server(services->config), services->broker, request->path.at,
                   request->path.len, token_done, conn, &conn->lookup))
        return respond_status(conn, 404);
    return conn->lookup == NULL ? CONN_GO_ON : CONN_WAIT_ELSE;
}

static enum conn_next answer_request(struct conn *conn, const struct http_request *request)
{
    struct conns *conns = conn->conns;

    conn->requests++;
    conn->head = request->method == HTTP_HEAD;
    conn->head_len = request->head_len;
    conn->asked = request->host;
    conn->agent = request->user_agent;
    conn->close = !request->keep_alive || request->has_body || conns->draining ||
                  conn->requests >= CONN_REQUESTS_MAX;
    if (conn->kind == CONFIG_ACME)
        return answer_acme(conn, request);
    answers_policy(request, &conn->match, conn->host, conn->host_len, conn->close, time(NULL),
                   &conn->answer);
    return respond(conn);
}

/* The head can't be read, or does not come: nothing of it is known. */
static enum conn_next answer_bad(struct conn *conn, unsigned status)
{
    static const struct http_slice unknown;

    conn->head = false;
    conn->close = true;
    conn->head_len = conn->used;
    conn->asked = conn->agent = unknown;
    return respond_status(conn, status);
}

/* One read a step: in records of one byte, a head costs as many readings as it has bytes. */
static enum conn_next state_request(struct conn *conn)
{
    struct http_request request;
    size_t              count;
    enum io             io;

    switch (http_request_read((const char *)conn->buffer, conn->used, &request)) {
    case HTTP_OK:
        return answer_request(conn, &request);
    case HTTP_BAD:
        return answer_bad(conn, request.status);
    case HTTP_MORE:
        break;
    }
    if (!grow_buffer(conn, HTTP_HEAD_MAX))
        return conn->size == HTTP_HEAD_MAX ? answer_bad(conn, 431) : conn_starve(conn);
    io = conn->transport->read(conn->link, conn->buffer + conn->used, conn->size - conn->used,
                               &count);
    if (io != IO_DONE)
        return wait_or_end(conn, io);
    conn->used += count;
    return CONN_GO_ON;
}

static enum conn_next state_token(struct conn *conn)
{
    return respond(conn);
}

static void quote_or_dash(char *out, size_t size, const char *value, size_t len)
{
    log_quote(out, size, len != 0 ? value : "-", len != 0 ? len : 1);
}

static void log_fetch(const struct conn *conn, const char *outcome)
{
    char listener[LISTENER_NAME_MAX + 1], client[LISTENER_TEXT_MAX], host[300], agent[300];
    char fields[sizeof(listener) + sizeof(client) + sizeof(host) + sizeof(agent) + 128];

    if (!conn->conns->access_log)
        return;
    log_quote(listener, sizeof(listener), conn->listener, strlen(conn->listener));
    listener_peer((const struct sockaddr *)&conn->peer, client, sizeof(client));
    if (conn->host != NULL)
        quote_or_dash(host, sizeof(host), conn->host, conn->host_len);
    else
        quote_or_dash(host, sizeof(host), conn->asked.at, conn->asked.len);
    quote_or_dash(agent, sizeof(agent), conn->agent.at, conn->agent.len);
    snprintf(fields, sizeof(fields),
             "fetch listener=%s client=%s host=%s status=%u tls=%s agent=%s ms=%lld%s", listener,
             client, host, conn->answer.status,
             conn->transport == &transport_tls ? tls_session_version(conn->link) : "-", agent,
             (long long)(process_now_ms() - conn->started), outcome);
    log_fields(fields);
}

/* The answer is out: what comes next on this connection? */
static enum conn_next next_request(struct conn *conn)
{
    free(conn->answer.bytes);
    conn->answer.bytes = NULL;
    conn->used -= conn->head_len;
    memmove(conn->buffer, conn->buffer + conn->head_len, conn->used);
    conn->started = process_now_ms();
    if (conn->used != 0) { /* pipelined */
        conn_enter(conn, CONN_REQUEST);
        return CONN_GO_ON;
    }
    drop_buffer(conn);
    if (conn->conns->draining)
        return conn_end(conn);
    conn_enter(conn, CONN_IDLE);
    return CONN_GO_ON;
}

static enum conn_next state_response(struct conn *conn)
{
    const struct transport *transport = conn->transport;
    enum io                 io = IO_DONE;

    while (conn->answered < conn->answer.len && io == IO_DONE) {
        size_t count = 0;

        io = transport->write(conn->link, conn->answer.bytes + conn->answered,
                              conn->answer.len - conn->answered, &count);
        conn->answered += count;
    }
    if (io == IO_DONE) /* the last bytes and close_notify travel together */
        io = conn->answer.close ? transport->finish(conn->link) : transport->flush(conn->link);
    if (io == IO_WANT_READ || io == IO_WANT_WRITE)
        return wait_for(io);
    log_fetch(conn, io == IO_DONE ? "" : " incomplete=yes");
    if (io != IO_DONE)
        return CONN_GONE;
    return conn->answer.close ? linger(conn) : next_request(conn);
}

static enum conn_next state_idle(struct conn *conn)
{
    size_t  count;
    enum io io;

    if (!grow_buffer(conn, HTTP_HEAD_MAX))
        return conn_starve(conn);
    io = conn->transport->read(conn->link, conn->buffer, conn->size, &count);
    if (io == IO_DONE) {
        conn->used = count;
        conn->started = process_now_ms();
        conn_enter(conn, CONN_REQUEST);
        return CONN_GO_ON;
    }
    drop_buffer(conn);
    return wait_or_end(conn, io);
}

static enum conn_next state_linger(struct conn *conn)
{
    uint8_t unwanted[4096];
    size_t  count;

    for (unsigned reads = 0; reads < CONN_LINGER_READS; reads++) {
        enum io io = transport_receive(conn->io.fd, unwanted, sizeof(unwanted), &count);

        if (io != IO_DONE)
            return wait_for(io);
    }
    return CONN_WAIT_READ; /* the socket is level-triggered: the others get their turn */
}

enum conn_next (*const conn_steps[CONN_STATES])(struct conn *conn) = {
    [CONN_HELLO] = state_hello,         [CONN_CERT] = state_cert,
    [CONN_HANDSHAKE] = state_handshake, [CONN_REQUEST] = state_request,
    [CONN_TOKEN] = state_token,         [CONN_RESPONSE] = state_response,
    [CONN_IDLE] = state_idle,           [CONN_LINGER] = state_linger,
};

enum conn_next conn_expired(struct conn *conn)
{
    switch (conn->state) {
    case CONN_CERT: /* the keeper is too slow for a sender's patience */
        certs_cancel(&conn->waiter);
        return refuse_hello(conn, ALERT_UNRECOGNIZED_NAME);
    case CONN_REQUEST:
        return answer_bad(conn, 408);
    case CONN_TOKEN:
        acme_cancel(conn->lookup);
        conn->lookup = NULL;
        conn->close = true;
        return respond_status(conn, 503);
    case CONN_IDLE:
        return conn_end(conn);
    case CONN_RESPONSE:
        log_fetch(conn, " incomplete=yes");
        return CONN_GONE;
    default:
        return CONN_GONE;
    }
}
