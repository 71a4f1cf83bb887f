/* The table of states, and what several of them do. Every state's function reads or writes until it
   would block, then says what it waits for. */
#include "server/conn_internal.h"

#include "server/tls.h"

#include <stdlib.h>
#include <sys/socket.h>

enum conn_next conn_wait_for(enum io io)
{
    return io == IO_WANT_READ ? CONN_WAIT_READ : io == IO_WANT_WRITE ? CONN_WAIT_WRITE : CONN_GONE;
}

void conn_drop_buffer(struct conn *conn)
{
    free(conn->buffer);
    conn->buffer = NULL;
    conn->used = conn->size = 0;
}

bool conn_grow_buffer(struct conn *conn, size_t max)
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

/* From now on it only reads, so that the kernel has no reason to reset. */
enum conn_next conn_linger(struct conn *conn)
{
    conn_drop_tls(conn);
    conn_drop_buffer(conn);
    shutdown(conn->io.fd, SHUT_WR);
    conn_enter(conn, CONN_LINGER);
    return CONN_GO_ON;
}

enum conn_next conn_end(struct conn *conn)
{
    if (conn->transport != NULL)
        conn->transport->finish(conn->link);
    return conn_linger(conn);
}

/* A read has brought nothing. When it never will, an alert of ours is on its way under TLS, or the
   peer's close_notify is answered by ours (RFC 8446 section 6.1). */
enum conn_next conn_wait_or_end(struct conn *conn, enum io io)
{
    return io == IO_END || io == IO_FAILED ? conn_end(conn) : conn_wait_for(io);
}

static enum conn_next state_linger(struct conn *conn)
{
    uint8_t unwanted[4096];
    size_t  count;

    for (unsigned reads = 0; reads < CONN_LINGER_READS; reads++) {
        enum io io = transport_receive(conn->io.fd, unwanted, sizeof(unwanted), &count);

        if (io != IO_DONE)
            return conn_wait_for(io);
    }
    return CONN_WAIT_READ; /* the socket is level-triggered: the others get their turn */
}

enum conn_next (*const conn_steps[CONN_STATES])(struct conn *conn) = {
    [CONN_HELLO] = conn_state_hello,         [CONN_CERT] = conn_state_cert,
    [CONN_HANDSHAKE] = conn_state_handshake, [CONN_REQUEST] = conn_state_request,
    [CONN_TOKEN] = conn_state_token,         [CONN_RESPONSE] = conn_state_response,
    [CONN_IDLE] = conn_state_idle,           [CONN_LINGER] = state_linger,
};

enum conn_next conn_expired(struct conn *conn)
{
    switch (conn->state) {
    case CONN_CERT: /* the keeper is too slow for a sender's patience */
        certs_cancel(&conn->waiter);
        return conn_refuse_hello(conn, ALERT_UNRECOGNIZED_NAME);
    case CONN_REQUEST:
    case CONN_TOKEN:
    case CONN_RESPONSE:
        return conn_request_expired(conn);
    case CONN_IDLE:
        return conn_end(conn);
    default:
        return CONN_GONE;
    }
}
