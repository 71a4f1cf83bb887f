/* What libcurl does: TLS over a connection that is there, and HTTP over that. */
#include "tool/command.h"
#include "tool/visit_internal.h"

#include "common/hostname.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CERTIFICATES_MAX = 16 };

#define POLICY_PATH "/.well-known/mta-sts.txt" /* RFC 8461 section 3.3 */
static const char no_memory[] = "out of memory";

#define SET(easy, option, value) (curl_easy_setopt(easy, option, value) == CURLE_OK)

/* --- How it is set up --- */

static bool is_fetch(const struct trip *trip)
{
    return trip->aim == VISIT_AIM_REAL && !trip->smtp;
}

static curl_socket_t hand_over(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct trip  *trip = context;
    curl_socket_t fd = trip->fd;

    (void)purpose;
    (void)address;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    trip->fd = -1;
    trip->also = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return fd;
}

static int is_connected(void *context, curl_socket_t fd, curlsocktype purpose)
{
    (void)context;
    (void)fd;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* No more than VISIT_BODY_MAX: what is over it ends the transfer. */
static size_t take_body(const char *bytes, size_t size, size_t count, void *context)
{
    struct trip *trip = context;
    size_t       len = size * count, room = VISIT_BODY_MAX - trip->visit.body_len;

    if (len > room) {
        trip->visit.body_over = true;
        len = room;
    }
    if (trip->visit.body_len + len >= trip->body_size) {
        size_t need = 2 * (trip->visit.body_len + len) + 1;
        char  *body = realloc(trip->body, need);

        if (!body) {
            trip->no_memory = true;
            return 0;
        }
        trip->body = body;
        trip->body_size = need;
    }
    memcpy(trip->body + trip->visit.body_len, bytes, len);
    trip->visit.body_len += len;
    trip->body[trip->visit.body_len] = '\0';
    return trip->visit.body_over ? 0 : size * count;
}

/* Trailers and 1xx included: libcurl keeps them all. */
static size_t count_header(const char *bytes, size_t size, size_t count, void *context)
{
    struct trip *trip = context;

    (void)bytes;
    trip->header_len += size * count;
    return trip->header_len > VISIT_HEADER_MAX ? 0 : size * count;
}

static bool set_connection(struct trip *trip, CURL *easy)
{
    return SET(easy, CURLOPT_PRIVATE, (char *)trip) &&
           SET(easy, CURLOPT_ERRORBUFFER, trip->error) && SET(easy, CURLOPT_NOSIGNAL, 1L) &&
           SET(easy, CURLOPT_NOPROXY, "*") && SET(easy, CURLOPT_CONNECT_TO, trip->to) &&
           SET(easy, CURLOPT_OPENSOCKETFUNCTION, hand_over) &&
           SET(easy, CURLOPT_OPENSOCKETDATA, trip) &&
           SET(easy, CURLOPT_SOCKOPTFUNCTION, is_connected) &&
           SET(easy, CURLOPT_FRESH_CONNECT, 1L) &&
           SET(easy, CURLOPT_FORBID_REUSE, is_fetch(trip) ? 1L : 0L) && /* else no QUIT */
           SET(easy, CURLOPT_CONNECTTIMEOUT, 2L * trip->visits->timeout + VISIT_SMTP);
}

/* Who is trusted: what is in one file, which libcurl then reads once for all visits. */
static bool set_trust(const struct trip *trip, CURL *easy)
{
    if (trip->aim != VISIT_AIM_REAL)
        return SET(easy, CURLOPT_SSL_VERIFYPEER, 0L) && SET(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    return !trip->visits->ca ||
           (SET(easy, CURLOPT_CAINFO, trip->visits->ca) && SET(easy, CURLOPT_CAPATH, (char *)NULL));
}

static bool set_tls(const struct trip *trip, CURL *easy)
{
    long version = CURL_SSLVERSION_TLSv1_2;

    if (trip->aim == VISIT_AIM_OLD) {
        version = CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_1;
        /* OpenSSL's; another library has it allowed, or fails. */
        (void)curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0");
    } else if (trip->aim == VISIT_AIM_TLS12) {
        version = CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2;
    }
    return SET(easy, CURLOPT_SSLVERSION, version) && SET(easy, CURLOPT_CERTINFO, 1L) &&
           set_trust(trip, easy);
}

static bool set_request(struct trip *trip, CURL *easy)
{
    char url[HOSTNAME_MAX + sizeof("https://" POLICY_PATH)];

    snprintf(url, sizeof(url), "https://%.*s" POLICY_PATH, HOSTNAME_MAX, trip->host);
    return SET(easy, CURLOPT_URL, url) && SET(easy, CURLOPT_PROTOCOLS_STR, "https") &&
           SET(easy, CURLOPT_CONNECT_ONLY, is_fetch(trip) ? 0L : 1L) &&
           SET(easy, CURLOPT_SSL_ENABLE_ALPN, trip->smtp ? 0L : 1L) &&
           SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           SET(easy, CURLOPT_FOLLOWLOCATION, 0L) && /* RFC 8461 section 3.3 */
           SET(easy, CURLOPT_USERAGENT, "mta-sts/" COMMAND_VERSION) &&
           SET(easy, CURLOPT_WRITEFUNCTION, take_body) && SET(easy, CURLOPT_WRITEDATA, trip) &&
           SET(easy, CURLOPT_HEADERFUNCTION, count_header) && SET(easy, CURLOPT_HEADERDATA, trip);
}

/* So that libcurl has no name to look up. */
static struct curl_slist *direction_of(const struct trip *trip)
{
    char text[INET6_ADDRSTRLEN + 16];
    bool ipv6 = strchr(trip->address, ':') != NULL;

    snprintf(text, sizeof(text), ipv6 ? "::[%s]:%u" : "::%s:%u", trip->address, trip->port);
    return curl_slist_append(NULL, text);
}

void visit_transfer(struct trip *trip)
{
    trip->stage = VISIT_TRANSFER;
    trip->easy = curl_easy_init();
    trip->to = direction_of(trip);
    if (!trip->easy || !trip->to || !set_connection(trip, trip->easy) ||
        !set_tls(trip, trip->easy) || !set_request(trip, trip->easy) ||
        curl_multi_add_handle(trip->visits->multi, trip->easy) != CURLM_OK)
        visit_came_to(trip, VISIT_NO_MEMORY, no_memory);
}

/* --- What came of it --- */

/* False: there was no memory. */
static bool read_chain(struct trip *trip)
{
    static const char     label[] = "Cert:";
    const char           *pems[CERTIFICATES_MAX] = { NULL };
    size_t                count = 0;
    struct curl_certinfo *certificates = NULL;

    if (trip->aim != VISIT_AIM_REAL && trip->aim != VISIT_AIM_CHAIN)
        return true;
    if (curl_easy_getinfo(trip->easy, CURLINFO_CERTINFO, &certificates) != CURLE_OK ||
        !certificates)
        return true;
    for (int i = 0; i < certificates->num_of_certs; i++)
        for (const struct curl_slist *at = certificates->certinfo[i]; at; at = at->next)
            if (count < CERTIFICATES_MAX && strncmp(at->data, label, sizeof(label) - 1) == 0)
                pems[count++] = at->data + sizeof(label) - 1;
    return chain_read(pems, count, trip->host, &trip->visit.chain);
}

static const char *header(CURL *easy, const char *name, bool *twice)
{
    struct curl_header *found;

    *twice = false;
    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
        return NULL;
    *twice = found->amount > 1;
    return found->value;
}

void visit_read_response(struct trip *trip)
{
    struct visit *visit = &trip->visit;
    long          status = 0;
    bool          twice;

    if (!is_fetch(trip))
        return;
    (void)curl_easy_getinfo(trip->easy, CURLINFO_RESPONSE_CODE, &status);
    visit->status = (unsigned)status;
    visit->location = header(trip->easy, "Location", &twice);
    visit->content_encoding = header(trip->easy, "Content-Encoding", &twice);
    visit->content_type = header(trip->easy, "Content-Type", &visit->content_type_twice);
    visit->body = trip->body ? trip->body : "";
}

static enum visit_result result_of(const struct trip *trip, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return VISIT_OK;
    case CURLE_WRITE_ERROR: /* take_body's, or count_header's */
        return trip->no_memory ? VISIT_NO_MEMORY : trip->visit.body_over ? VISIT_OK : VISIT_BROKEN;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_SSL_CACERT_BADFILE:
        return VISIT_NO_MEMORY;
    case CURLE_PEER_FAILED_VERIFICATION:
        return VISIT_UNTRUSTED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        return VISIT_TLS_FAILED;
    default:
        return VISIT_BROKEN;
    }
}

/* What libcurl says, without the names of libraries and of their numbers: what stands behind the
   last colon, for that of "error:0A00042E:SSL routines::tlsv1 alert protocol version"; all of it
   where it speaks of a certificate. */
static const char *words_of(struct trip *trip, CURLcode code)
{
    char *where = strstr(trip->error, " in connection to "), *colon;

    if (trip->no_memory)
        return no_memory;
    if (trip->header_len > VISIT_HEADER_MAX)
        return "its header has over 128 KB";
    if (code == CURLE_OUT_OF_MEMORY) /* of libcurl's own bound on a line it says the same */
        return "out of memory, or a line of its header has over 100 KB";
#if LIBCURL_VERSION_NUM >= 0x080600 /* which has a word of its own for it */
    if (code == CURLE_TOO_LARGE)
        return "a line of its header has over 100 KB";
#endif
    if (trip->error[0] == '\0')
        return curl_easy_strerror(code);
    if (where)
        *where = '\0';
    colon = strrchr(trip->error, ':');
    return colon && colon[1] && code != CURLE_PEER_FAILED_VERIFICATION ? colon + strspn(colon, ": ")
                                                                       : trip->error;
}

void visit_transferred(struct trip *trip, CURLcode code)
{
    static const char quit[] = "QUIT\r\n";
    enum visit_result result = result_of(trip, code);
    const char       *why = words_of(trip, code);
    size_t            sent;

    if (result == VISIT_OK && !read_chain(trip)) {
        result = VISIT_NO_MEMORY;
        why = no_memory;
    }
    visit_read_response(trip);
    if (trip->smtp && code == CURLE_OK)
        (void)curl_easy_send(trip->easy, quit, sizeof(quit) - 1, &sent);
    visit_came_to(trip, result, "%s", why);
}

/* libcurl has said that it closes, and keeps the connection until the server has, too, or 2 seconds:
   with the next one there would be more than may be. */
static void hang_up(struct trip *trip)
{
    if (trip->also < 0)
        return;
    (void)shutdown(trip->also, SHUT_RDWR);
    close(trip->also);
    trip->also = -1;
}

void visit_end_transfer(struct trip *trip)
{
    if (trip->easy)
        curl_multi_remove_handle(trip->visits->multi, trip->easy);
    if (is_fetch(trip)) /* its headers are for whoever asked */
        trip->answer = trip->easy;
    else
        curl_easy_cleanup(trip->easy);
    trip->easy = NULL;
    curl_slist_free_all(trip->to);
    trip->to = NULL;
    hang_up(trip);
}
