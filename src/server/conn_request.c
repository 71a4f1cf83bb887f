/* Requests and their answers, over either transport, and what the log says of them. */
#include "server/conn_internal.h"

#include "common/log.h"
#include "server/listener.h"
#include "server/process.h"
#include "server/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    answers_status(status, conn->is_head, conn->close, time(NULL), &conn->answer);
    return respond(conn);
}

static void token_done(void *context, const char *bytes, size_t len)
{
    struct conn *conn = context;

    if (bytes == NULL)
        conn->close = true;
    if (len == 0)
        answers_status(bytes == NULL ? 503 : 404, conn->is_head, conn->close, time(NULL),
                       &conn->answer);
    else
        answers_token(bytes, len, conn->is_head, conn->close, time(NULL), &conn->answer);
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

static enum conn_next answer_health(struct conn *conn, const struct http_request *request)
{
    const struct conns *conns = conn->conns;
    const char         *unready = conns->stopping             ? "the server is stopping"
                                  : conns->lacks_certificates ? "certificates are missing"
                                                              : NULL;

    answers_health(request, unready, conn->close, time(NULL), &conn->answer);
    return respond(conn);
}

static enum conn_next answer_request(struct conn *conn, const struct http_request *request)
{
    struct conns *conns = conn->conns;

    conn->requests++;
    conn->is_head = request->method == HTTP_HEAD;
    conn->head_len = request->head_len;
    conn->asked = request->host;
    conn->agent = request->user_agent;
    conn->close = !request->keep_alive || request->has_body || conns->draining ||
                  conn->requests >= CONN_REQUESTS_MAX;
    if (conn->kind == CONFIG_ACME)
        return answer_acme(conn, request);
    if (conn->kind == CONFIG_HEALTH)
        return answer_health(conn, request);
    answers_policy(request, &conn->match, conn->host, conn->host_len, conn->close, time(NULL),
                   &conn->answer);
    return respond(conn);
}

/* The head can't be read, or does not come: nothing of it is known. */
static enum conn_next answer_bad(struct conn *conn, unsigned status)
{
    static const struct http_slice unknown;

    conn->is_head = false;
    conn->close = true;
    conn->head_len = conn->used;
    conn->asked = conn->agent = unknown;
    return respond_status(conn, status);
}

/* One read a step: in records of one byte, a head costs as many readings as it has bytes. */
enum conn_next conn_state_request(struct conn *conn)
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
    if (!conn_grow_buffer(conn, HTTP_HEAD_MAX))
        return conn->size == HTTP_HEAD_MAX ? answer_bad(conn, 431) : conn_starve(conn);
    io = conn->transport->read(conn->link, conn->buffer + conn->used, conn->size - conn->used,
                               &count);
    if (io != IO_DONE)
        return conn_wait_or_end(conn, io);
    conn->used += count;
    return CONN_GO_ON;
}

enum conn_next conn_state_token(struct conn *conn)
{
    return respond(conn);
}

static struct log_field text_field(const char *name, const char *value, size_t len)
{
    return (struct log_field){ .name = name,
                               .value = len != 0 ? value : "-",
                               .len = len != 0 ? len : 1 };
}

static struct log_field number_field(const char *name, long long number)
{
    return (struct log_field){ .name = name, .number = number };
}

static void log_fetch(const struct conn *conn, bool complete)
{
    const char *host = conn->host != NULL ? conn->host : conn->asked.at;
    size_t      host_len = conn->host != NULL ? conn->host_len : conn->asked.len;
    const char *tls = conn->transport == &transport_tls ? tls_session_version(conn->link) : "";
    char        client[LISTENER_TEXT_MAX];

    if (!conn->conns->access_log || conn->kind == CONFIG_HEALTH)
        return; /* probes come every few seconds, and have nothing to do with senders */
    listener_peer((const struct sockaddr *)&conn->peer, client, sizeof(client));
    const struct log_field fields[] = {
        text_field("listener", conn->listener, strlen(conn->listener)),
        text_field("client", client, strlen(client)),
        text_field("host", host, host_len),
        number_field("status", conn->answer.status),
        text_field("tls", tls, strlen(tls)),
        text_field("agent", conn->agent.at, conn->agent.len),
        number_field("ms", process_now_ms() - conn->started),
        text_field("incomplete", "yes", 3),
    };
    log_fields("fetch", fields, sizeof(fields) / sizeof(fields[0]) - (complete ? 1 : 0));
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
    conn_drop_buffer(conn);
    if (conn->conns->draining)
        return conn_end(conn);
    conn_enter(conn, CONN_IDLE);
    return conn->transport->holds(conn->link) ? CONN_GO_ON : CONN_WAIT_READ;
}

enum conn_next conn_state_response(struct conn *conn)
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
        return conn_wait_for(io);
    log_fetch(conn, io == IO_DONE);
    if (io != IO_DONE)
        return CONN_GONE;
    return conn->answer.close ? conn_linger(conn) : next_request(conn);
}

enum conn_next conn_state_idle(struct conn *conn)
{
    size_t  count;
    enum io io;

    if (!conn_grow_buffer(conn, HTTP_HEAD_MAX))
        return conn_starve(conn);
    io = conn->transport->read(conn->link, conn->buffer, conn->size, &count);
    if (io == IO_DONE) {
        conn->used = count;
        conn->started = process_now_ms();
        conn_enter(conn, CONN_REQUEST);
        return CONN_GO_ON;
    }
    conn_drop_buffer(conn);
    return conn_wait_or_end(conn, io);
}

enum conn_next conn_request_expired(struct conn *conn)
{
    switch (conn->state) {
    case CONN_REQUEST:
        return answer_bad(conn, 408);
    case CONN_TOKEN:
        acme_cancel(conn->lookup);
        conn->lookup = NULL;
        conn->close = true;
        return respond_status(conn, 503);
    default:
        log_fetch(conn, false);
        return CONN_GONE;
    }
}
