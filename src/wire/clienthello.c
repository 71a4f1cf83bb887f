/*
 * Two passes. The first walks the record headers and says whether the whole
 * message is here; each of its verdicts rests only on bytes already seen, so
 * more bytes never change one. The second reads the message, which is whole,
 * through a cursor that steps over the record headers in between.
 */
#include "wire/clienthello.h"

#include <string.h>

enum {
    RECORD_HANDSHAKE = 22, /* RFC 8446 section 5.1: ContentType */
    RECORD_HEADER = 5,     /* bytes: type, version, length */
    RECORD_MAX = 16384,    /* bytes of a fragment (RFC 8446 section 5.1: 2^14) */
    MESSAGE_HELLO = 1,     /* RFC 8446 section 4: HandshakeType client_hello */
    MESSAGE_HEADER = 4,    /* bytes: type, length */
    RANDOM_LEN = 32,
    SESSION_ID_MAX = 32,
    EXT_SERVER_NAME = 0,     /* RFC 6066 section 3 */
    EXT_SUPPORTED_VERS = 43, /* RFC 8446 section 4.2.1 */
    NAME_TYPE_HOST = 0,
    VERSION_TLS13 = 0x0304,
    SUITE_AES128_SHA256 = 0x1301
};

/* left bytes of the message, the next of them at bytes[pos] unless a record ends there. */
struct cursor {
    const uint8_t *bytes;
    size_t         pos;
    size_t         record_left;
    size_t         left;
};

/* One bit for each of the 65536 extension types. */
struct type_set {
    uint64_t bits[65536 / 64];
};

static enum clienthello_result refuse(struct clienthello *hello, uint8_t alert)
{
    hello->alert = alert;
    return CLIENTHELLO_REFUSED;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Before TLS has shown itself in the first record, no alert would be understood. */
static enum clienthello_result read_record_header(const uint8_t *at, size_t left, bool first,
                                                  size_t *fragment, struct clienthello *hello)
{
    if (left < 1)
        return CLIENTHELLO_MORE;
    if (at[0] != RECORD_HANDSHAKE)
        return first ? CLIENTHELLO_NOT_TLS : refuse(hello, ALERT_UNEXPECTED_MESSAGE);
    if (left < 2)
        return CLIENTHELLO_MORE;
    /* The minor version says nothing (RFC 8446 section 5.1: ignored for all purposes). */
    if (at[1] != 3)
        return first ? CLIENTHELLO_NOT_TLS : refuse(hello, ALERT_DECODE_ERROR);
    if (left < RECORD_HEADER)
        return CLIENTHELLO_MORE;
    *fragment = (size_t)at[3] << 8 | at[4];
    /* RFC 8446 section 5.1: no zero-length fragments of handshake types. */
    if (*fragment == 0)
        return refuse(hello, ALERT_UNEXPECTED_MESSAGE);
    if (*fragment > RECORD_MAX)
        return refuse(hello, ALERT_ILLEGAL_PARAMETER);
    return CLIENTHELLO_OK;
}

/*
 * Is the message whole? With CLIENTHELLO_OK, *message is its length, header
 * included. Never CLIENTHELLO_MORE at CLIENTHELLO_MAX bytes: what is still
 * known to be missing is counted before it is waited for.
 */
static enum clienthello_result walk_records(const uint8_t *bytes, size_t len, size_t *message,
                                            struct clienthello *hello)
{
    size_t pos = 0, have = 0, need = MESSAGE_HEADER, body = 0;

    while (have < need) {
        size_t fragment, take;

        if (pos + RECORD_HEADER + (need - have) > CLIENTHELLO_MAX)
            return refuse(hello, ALERT_ILLEGAL_PARAMETER);
        enum clienthello_result result = read_record_header(bytes + pos, len - pos, pos == 0,
                                                            &fragment, hello);
        if (result != CLIENTHELLO_OK)
            return result;
        pos += RECORD_HEADER;

        for (; have < MESSAGE_HEADER && fragment > 0 && pos < len; fragment--) {
            uint8_t byte = bytes[pos++];
            if (have == 0 && byte != MESSAGE_HELLO)
                return refuse(hello, ALERT_UNEXPECTED_MESSAGE);
            if (have > 0)
                body = body << 8 | byte;
            if (++have == MESSAGE_HEADER)
                need += body;
        }
        if (pos + (need - have) > CLIENTHELLO_MAX)
            return refuse(hello, ALERT_ILLEGAL_PARAMETER);

        take = min_size(min_size(fragment, need - have), len - pos);
        have += take;
        pos += take;
        if (have < need && take < fragment)
            return CLIENTHELLO_MORE;
    }
    *message = need;
    return CLIENTHELLO_OK;
}

/* Steps over a record header where one record ends; only called with bytes left to read. */
static void enter_record(struct cursor *c)
{
    if (c->record_left > 0)
        return;
    c->record_left = (size_t)c->bytes[c->pos + 3] << 8 | c->bytes[c->pos + 4];
    c->pos += RECORD_HEADER;
}

static bool skip(struct cursor *c, size_t count)
{
    if (count > c->left)
        return false;
    c->left -= count;
    while (count > 0) {
        enter_record(c);
        size_t take = min_size(count, c->record_left);
        c->pos += take;
        c->record_left -= take;
        count -= take;
    }
    return true;
}

/* A big-endian number of width bytes. */
static bool read_number(struct cursor *c, size_t width, size_t *value)
{
    if (width > c->left)
        return false;
    for (*value = 0; width > 0; width--) {
        enter_record(c);
        *value = *value << 8 | c->bytes[c->pos];
        skip(c, 1);
    }
    return true;
}

/* A vector behind its length (RFC 8446 section 3.4): *inner sees it alone, *c goes on behind it. */
static bool read_vector(struct cursor *c, size_t width, struct cursor *inner)
{
    size_t count;

    if (!read_number(c, width, &count))
        return false;
    *inner = *c;
    inner->left = count;
    return skip(c, count);
}

/* Does a list of 16-bit numbers hold the wanted one? false: not such a list, or an empty one. */
static bool read_list(struct cursor list, size_t wanted, bool *found)
{
    size_t value;

    if (list.left == 0 || list.left % 2 != 0)
        return false;
    while (read_number(&list, 2, &value)) {
        if (value == wanted)
            *found = true;
    }
    return true;
}

static void keep_name(struct cursor name, struct clienthello *hello)
{
    size_t byte;

    /* Too long to be anyone's: never a part of it, which could be somebody's. */
    if (name.left > CLIENTHELLO_NAME_MAX)
        return;
    while (read_number(&name, 1, &byte))
        hello->name[hello->name_len++] = (char)byte;
}

/* RFC 6066 section 3: one name of a type; unknown types are behind a 16-bit length too. */
static enum clienthello_result read_server_name(struct cursor ext, struct clienthello *hello)
{
    struct cursor list, name;
    size_t        type;

    if (!read_vector(&ext, 2, &list) || ext.left > 0 || list.left == 0)
        return refuse(hello, ALERT_DECODE_ERROR);
    while (list.left > 0) {
        if (!read_number(&list, 1, &type) || !read_vector(&list, 2, &name))
            return refuse(hello, ALERT_DECODE_ERROR);
        if (type != NAME_TYPE_HOST)
            continue;
        if (hello->has_name)
            return refuse(hello, ALERT_ILLEGAL_PARAMETER);
        hello->has_name = true;
        keep_name(name, hello);
    }
    return CLIENTHELLO_OK;
}

static enum clienthello_result read_extension(size_t type, struct cursor ext,
                                              struct clienthello *hello)
{
    struct cursor list;

    if (type == EXT_SERVER_NAME)
        return read_server_name(ext, hello);
    if (type == EXT_SUPPORTED_VERS && (!read_vector(&ext, 1, &list) || ext.left > 0 ||
                                       !read_list(list, VERSION_TLS13, &hello->offers_tls13)))
        return refuse(hello, ALERT_DECODE_ERROR);
    return CLIENTHELLO_OK;
}

/* True when type was in the set before. */
static bool type_set_add(struct type_set *set, size_t type)
{
    uint64_t bit = (uint64_t)1 << (type % 64);
    bool     had = (set->bits[type / 64] & bit) != 0;

    set->bits[type / 64] |= bit;
    return had;
}

/* RFC 8446 section 4.2: no type twice. */
static enum clienthello_result read_extensions(struct cursor list, struct clienthello *hello)
{
    struct type_set seen = { { 0 } };
    struct cursor   ext;
    size_t          type;

    while (list.left > 0) {
        if (!read_number(&list, 2, &type) || !read_vector(&list, 2, &ext))
            return refuse(hello, ALERT_DECODE_ERROR);
        if (type_set_add(&seen, type))
            return refuse(hello, ALERT_ILLEGAL_PARAMETER);
        enum clienthello_result result = read_extension(type, ext, hello);
        if (result != CLIENTHELLO_OK)
            return result;
    }
    return CLIENTHELLO_OK;
}

/* RFC 8446 section 4.1.2; a hello of TLS 1.2 may end before the extensions (RFC 5246 7.4.1.2). */
static enum clienthello_result read_body(struct cursor *c, struct clienthello *hello)
{
    struct cursor session_id, suites, compression, extensions;
    size_t        version;

    if (!read_number(c, 2, &version) || !skip(c, RANDOM_LEN) || !read_vector(c, 1, &session_id) ||
        session_id.left > SESSION_ID_MAX || !read_vector(c, 2, &suites) ||
        !read_list(suites, SUITE_AES128_SHA256, &hello->offers_aes128) ||
        !read_vector(c, 1, &compression) || compression.left == 0)
        return refuse(hello, ALERT_DECODE_ERROR);
    if (c->left == 0)
        return CLIENTHELLO_OK;
    if (!read_vector(c, 2, &extensions) || c->left > 0)
        return refuse(hello, ALERT_DECODE_ERROR);
    return read_extensions(extensions, hello);
}

enum clienthello_result clienthello_read(const uint8_t *bytes, size_t len,
                                         struct clienthello *hello)
{
    struct cursor c = { .bytes = bytes };

    memset(hello, 0, sizeof *hello);
    if (len == 0)
        return CLIENTHELLO_MORE;
    enum clienthello_result result = walk_records(bytes, len, &c.left, hello);
    if (result != CLIENTHELLO_OK)
        return result;
    skip(&c, MESSAGE_HEADER);
    return read_body(&c, hello);
}
