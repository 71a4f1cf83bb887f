/* From the first byte of a TLS connection to the end of its handshake: what is asked for, is it ours,
   is there a certificate? */
#include "server/conn_internal.h"

#include "common/certpair.h"
#include "server/tls.h"

#include <ctype.h>
#include <stdlib.h>

enum conn_next conn_refuse_hello(struct conn *conn, uint8_t description)
{
    uint8_t alert[TLS_ALERT_LEN];
    size_t  sent;

    tls_alert(description, alert);
    transport_send(conn->io.fd, alert, sizeof(alert), &sent); /* into an empty socket buffer */
    return conn_linger(conn);
}

static enum conn_next begin_handshake(struct conn *conn)
{
    struct tls_session *session;
    struct certpair    *pair = conn->pair;

    if (!conn_take_tls(conn))
        return conn_refuse_hello(conn, ALERT_INTERNAL_ERROR);
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
        return conn_refuse_hello(conn, ALERT_UNRECOGNIZED_NAME);
    conn_enter(conn, CONN_CERT);
    conn->waiter.done = certificate_done;
    switch (certs_get(services->certs, conn->match.policy, conn->host, conn->host_len,
                      &conn->waiter, &conn->pair)) {
    case CERTS_READY:
        return CONN_GO_ON;
    case CERTS_WAIT:
        return CONN_WAIT_ELSE;
    default:
        return conn_refuse_hello(conn, ALERT_UNRECOGNIZED_NAME);
    }
}

enum conn_next conn_state_hello(struct conn *conn)
{
    struct clienthello hello;

    for (;;) {
        size_t  count;
        enum io io;

        if (!conn_grow_buffer(conn, CLIENTHELLO_MAX))
            return conn->size == CLIENTHELLO_MAX ? conn_refuse_hello(conn, ALERT_ILLEGAL_PARAMETER)
                                                 : conn_starve(conn);
        io = transport_receive(conn->io.fd, conn->buffer + conn->used, conn->size - conn->used,
                               &count);
        if (io != IO_DONE) {
            if (conn->used == 0) /* who says nothing costs nothing */
                conn_drop_buffer(conn);
            return conn_wait_for(io);
        }
        conn->used += count;
        switch (clienthello_read(conn->buffer, conn->used, &hello)) {
        case CLIENTHELLO_MORE:
            break;
        case CLIENTHELLO_OK:
            return choose_certificate(conn, &hello);
        case CLIENTHELLO_NOT_TLS:
            return conn_linger(conn);
        case CLIENTHELLO_REFUSED:
            return conn_refuse_hello(conn, hello.alert);
        }
    }
}

enum conn_next conn_state_cert(struct conn *conn)
{
    if (conn->pair == NULL)
        return conn_refuse_hello(conn, ALERT_UNRECOGNIZED_NAME);
    return begin_handshake(conn);
}

enum conn_next conn_state_handshake(struct conn *conn)
{
    bool    answered;
    enum io io = tls_handshake(conn->link, &answered);

    if (io == IO_FAILED) /* the alert is on its way: let it arrive */
        return conn_linger(conn);
    if (io != IO_DONE) {
        if (answered)
            conn_progress(conn);
        return conn_wait_for(io);
    }
    conn_enter(conn, CONN_REQUEST);
    return CONN_GO_ON;
}
