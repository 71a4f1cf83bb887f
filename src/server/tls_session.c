/* One TLS connection: buffers between the socket and mbedTLS, and what mbedTLS's answers mean. */
#include "server/tls_internal.h"

#include "common/certpair.h"
#include "common/mbedtls_compat.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    TLS_IN_SIZE = 2048,  /* bytes read ahead, once the hello has been read */
    TLS_READS = 8,       /* reads from the socket in one call, before others get their turn */
    TLS_OUT_SIZE = 4096, /* bytes of the first flight with a usual chain: the buffer's first size */
    TLS_OUT_MAX = 40960  /* bytes kept unsent: two full records, and so never less than one */
};

struct tls_session {
    mbedtls_ssl_context ssl;
    int                 fd;
    struct certpair    *pair;
    char               *name; /* host_name of the hello, as our reader saw it */
    size_t              name_len;
    uint8_t            *in; /* read ahead: in_at to in_len is not yet mbedTLS's */
    size_t              in_at, in_len, in_size;
    unsigned            reads; /* from the socket in this call */
    uint8_t            *out;   /* not yet sent: out_at to out_len */
    size_t              out_at, out_len, out_size;
    bool                closing; /* close_notify is in the buffers */
    bool                alerted; /* since the peer's last bytes, an alert may have been sent */
    bool                broken;
    bool                starved;  /* for want of memory */
    unsigned long       failures; /* memory_failures() before this call to mbedTLS */
    bool                wrote;    /* in this call of the handshake */
};

/*
 * Called by mbedTLS in each handshake, twice after a HelloRetryRequest, with or
 * without a name. Our reader has already chosen the pair; what is left to do is to
 * make sure that both have read the same hello.
 */
int tls_give_certificate(mbedtls_ssl_context *ssl)
{
    struct tls_session  *session = mbedtls_ssl_get_user_data_p(ssl);
    size_t               len;
    const unsigned char *name = mbedtls_ssl_get_hs_sni(ssl, &len);

    if (name == NULL || len != session->name_len || memcmp(name, session->name, len) != 0) {
        mbedtls_ssl_send_alert_message(ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, ALERT_ILLEGAL_PARAMETER);
        return MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER;
    }
    /* It appends: without this, the second call after a retry would list the pair twice. */
    mbedtls_ssl_set_hs_own_cert(ssl, NULL, NULL);
    return mbedtls_ssl_set_hs_own_cert(ssl, certpair_chain(session->pair),
                                       certpair_key(session->pair));
}

/* Sends what is kept. IO_DONE: nothing is left. */
static enum io flush(struct tls_session *session)
{
    while (session->out_at < session->out_len) {
        size_t  sent;
        enum io io = transport_send(session->fd, session->out + session->out_at,
                                    session->out_len - session->out_at, &sent);

        if (io != IO_DONE) {
            session->broken = io != IO_WANT_WRITE;
            return io;
        }
        session->out_at += sent;
    }
    session->out_at = session->out_len = 0;
    return IO_DONE;
}

static bool out_reserve(struct tls_session *session, size_t len)
{
    size_t   size = session->out_size != 0 ? session->out_size : TLS_OUT_SIZE;
    uint8_t *larger;

    while (size < session->out_len + len)
        size *= 2;
    if (size <= session->out_size)
        return true;
    larger = realloc(session->out, size);
    if (larger == NULL)
        return false;
    session->out = larger;
    session->out_size = size;
    return true;
}

/* Never 0: mbedTLS would take that for success with the data unsent. */
static int bio_send(void *context, const unsigned char *bytes, size_t len)
{
    struct tls_session *session = context;

    if (session->out_len != 0 && session->out_len + len > TLS_OUT_MAX) {
        switch (flush(session)) {
        case IO_DONE:
            break;
        case IO_WANT_WRITE:
            return MBEDTLS_ERR_SSL_WANT_WRITE;
        default:
            return MBEDTLS_ERR_SSL_CONN_EOF;
        }
    }
    if (!out_reserve(session, len)) {
        session->starved = true;
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
    memcpy(session->out + session->out_len, bytes, len);
    session->out_len += len;
    session->wrote = true;
    session->alerted = bytes[0] != MBEDTLS_SSL_MSG_HANDSHAKE; /* what TLS 1.3 encrypts may be one */
    return (int)len;
}

/* The hello's buffer has done its work; from here on records are short. */
static void in_shrink(struct tls_session *session)
{
    uint8_t *smaller;

    if (session->in_size == TLS_IN_SIZE)
        return;
    smaller = realloc(session->in, TLS_IN_SIZE);
    if (smaller != NULL) {
        session->in = smaller;
        session->in_size = TLS_IN_SIZE;
    }
}

/*
 * mbedTLS reads on behind records that mean nothing (ChangeCipherSpec under TLS 1.3, warnings under
 * 1.2) for as long as more of them come: so a call has a bound. The socket is level-triggered.
 */
static int bio_receive(void *context, unsigned char *bytes, size_t size)
{
    struct tls_session *session = context;
    size_t              count;

    if (session->in_at == session->in_len) {
        /* With bytes unsent the peer has nothing to answer yet. */
        if (session->out_len > 0 || session->reads++ == TLS_READS)
            return MBEDTLS_ERR_SSL_WANT_READ;
        in_shrink(session);
        session->in_at = session->in_len = 0;
        switch (transport_receive(session->fd, session->in, session->in_size, &session->in_len)) {
        case IO_DONE:
            break;
        case IO_WANT_READ:
            return MBEDTLS_ERR_SSL_WANT_READ;
        case IO_END:
            return 0;
        default:
            return MBEDTLS_ERR_SSL_CONN_EOF;
        }
    }
    count = session->in_len - session->in_at;
    if (count > size)
        count = size;
    memcpy(bytes, session->in + session->in_at, count);
    session->in_at += count;
    session->alerted = false;
    return (int)count;
}

struct tls_session *tls_session_new(struct tls *tls, int fd, const struct clienthello *hello,
                                    struct certpair *pair, uint8_t *early, size_t early_len,
                                    size_t early_size)
{
    struct tls_session *session = calloc(1, sizeof(*session));
    bool                sha256 = hello->offers_tls13 && hello->offers_aes128;

    if (session == NULL) {
        certpair_unref(pair);
        free(early);
        return NULL;
    }
    mbedtls_ssl_init(&session->ssl);
    session->fd = fd;
    session->pair = pair;
    session->in = early;
    session->in_len = early_len;
    session->in_size = early_size;
    session->name_len = hello->name_len;
    session->name = malloc(hello->name_len + 1);
    if (session->name == NULL)
        goto fail;
    memcpy(session->name, hello->name, hello->name_len + 1);
    if (mbedtls_ssl_setup(&session->ssl, sha256 ? &tls->sha256 : &tls->all) != 0)
        goto fail;
    mbedtls_ssl_set_user_data_p(&session->ssl, session);
    mbedtls_ssl_set_bio(&session->ssl, session, bio_send, bio_receive, NULL);
    return session;
fail:
    transport_tls.free(session);
    return NULL;
}

/* Before each call to mbedTLS in which memory may run out. */
static void begin_call(struct tls_session *session)
{
    session->failures = memory_failures();
    session->reads = 0;
}

/* Whether memory has run out within the call, whatever its result. */
static bool has_starved(const struct tls_session *session)
{
    return session->starved || memory_failures() != session->failures;
}

/* The session is given up for want of memory; its key may have been left half way through. */
static enum io starve(struct tls_session *session)
{
    session->broken = session->starved = true;
    mbedtls_compat_forget_blinding(certpair_key(session->pair));
    return IO_FAILED;
}

/* Nothing that was sent so far is more than a HelloRetryRequest, and nothing is encrypted. */
static bool is_before_server_hello(const struct tls_session *session)
{
    return session->ssl.MBEDTLS_PRIVATE(state) <= MBEDTLS_SSL_SERVER_HELLO;
}

static void send_alert(struct tls_session *session, uint8_t description)
{
    uint8_t record[TLS_ALERT_LEN];

    if (is_before_server_hello(session)) {
        /* Past mbedTLS, which would first send the ServerHello that it has begun, and no alert. */
        tls_alert(description, record);
        bio_send(session, record, sizeof(record));
    } else {
        mbedtls_ssl_send_alert_message(&session->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, description);
    }
    flush(session);
}

static enum io fail(struct tls_session *session, int result)
{
    int alert = tls_alert_for(result, is_before_server_hello(session));

    if (has_starved(session))
        return starve(session);
    if (!session->alerted && alert != TLS_NO_ALERT) /* mbedTLS sends one for some failures */
        send_alert(session, (uint8_t)alert);
    session->broken = true;
    return IO_FAILED;
}

/*
 * What an mbedTLS result means for the caller. Whatever it wants, what is kept must be out first:
 * the peer can't answer what it hasn't got.
 */
static enum io outcome(struct tls_session *session, int result)
{
    enum io flushed = flush(session);

    if (result >= 0)
        return flushed;
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return IO_END; /* of his side: ours can still be ended as it should be */
    if (result != MBEDTLS_ERR_SSL_WANT_READ && result != MBEDTLS_ERR_SSL_WANT_WRITE)
        return fail(session, result);
    if (flushed != IO_DONE)
        return flushed;
    /* After a flush, a write that found no room can go on at once: say so by asking again. */
    return result == MBEDTLS_ERR_SSL_WANT_READ ? IO_WANT_READ : IO_WANT_WRITE;
}

enum io tls_handshake(struct tls_session *session, bool *answered)
{
    int result;

    *answered = false;
    if (mbedtls_ssl_is_handshake_over(&session->ssl))
        return flush(session); /* the last flight did not go out whole the last time */
    session->wrote = false;
    begin_call(session);
    result = mbedtls_ssl_handshake(&session->ssl);
    *answered = session->wrote;
    /* Whatever the result: where there was no memory for it, mbedTLS sends a Finished that it did
       not compute (1.2), or signs once more with what it left of an RSA key (1.3). */
    if (has_starved(session))
        return starve(session);
    return outcome(session, result);
}

static enum io tls_read(void *state, void *bytes, size_t size, size_t *count)
{
    struct tls_session *session = state;
    int                 result;

    begin_call(session);
    result = mbedtls_ssl_read(&session->ssl, bytes, size);
    if (result > 0) {
        *count = (size_t)result;
        return IO_DONE;
    }
    if (result == 0) { /* the end without close_notify */
        session->broken = true;
        return IO_END;
    }
    return outcome(session, result);
}

static enum io tls_write(void *state, const void *bytes, size_t len, size_t *count)
{
    struct tls_session *session = state;
    int                 result;

    begin_call(session);
    result = mbedtls_ssl_write(&session->ssl, bytes, len);
    if (result > 0) {
        *count = (size_t)result;
        return IO_DONE;
    }
    return outcome(session, result);
}

static enum io tls_flush(void *state)
{
    return flush(state);
}

static bool tls_holds(const void *state)
{
    const struct tls_session *session = state;

    return session->in_at < session->in_len || mbedtls_ssl_check_pending(&session->ssl) != 0;
}

static enum io tls_finish(void *state)
{
    struct tls_session *session = state;

    if (!session->closing && !session->broken) {
        int result;

        begin_call(session);
        result = mbedtls_ssl_close_notify(&session->ssl);
        session->starved = result != 0 && has_starved(session);
        /* With a record still under way, mbedTLS sends that and no more: ask again. */
        if (result == MBEDTLS_ERR_SSL_WANT_WRITE)
            return outcome(session, result);
        session->closing = true;
    }
    return flush(session);
}

bool tls_session_starved(const struct tls_session *session)
{
    return session->starved;
}

const char *tls_session_version(const struct tls_session *session)
{
    switch (mbedtls_ssl_get_version_number(&session->ssl)) {
    case MBEDTLS_SSL_VERSION_TLS1_2:
        return "1.2";
    case MBEDTLS_SSL_VERSION_TLS1_3:
        return "1.3";
    default:
        return "-";
    }
}

static void tls_session_free(void *state)
{
    struct tls_session *session = state;

    if (session == NULL)
        return;
    mbedtls_ssl_free(&session->ssl);
    certpair_unref(session->pair);
    free(session->name);
    free(session->in);
    free(session->out);
    free(session);
}

const struct transport transport_tls = {
    .read = tls_read,
    .write = tls_write,
    .flush = tls_flush,
    .holds = tls_holds,
    .finish = tls_finish,
    .free = tls_session_free,
};
