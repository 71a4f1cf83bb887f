/* SMTP as far as STARTTLS: RFC 5321 section 4.2, RFC 3207. */
#include "tool/visit_internal.h"

#include "common/hostname.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static bool say(struct trip *trip, const char *text)
{
    size_t len = strlen(text);

    /* A few bytes always fit what the kernel keeps for a connection. */
    if (send(trip->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len)
        return true;
    visit_came_to(trip, VISIT_BROKEN, "it hung up");
    return false;
}

/* Politely, and without waiting for what is said to it. */
static void say_goodbye(const struct trip *trip)
{
    static const char quit[] = "QUIT\r\n";

    (void)!send(trip->fd, quit, sizeof(quit) - 1, MSG_NOSIGNAL);
}

/* This machine's name, or its address where that is no full one (RFC 5321 section 4.1.4). */
static void put_own_name(const struct trip *trip, char *out, size_t size)
{
    struct sockaddr_storage own = { 0 };
    socklen_t               len = sizeof(own);
    char                    address[INET6_ADDRSTRLEN];

    out[size - 1] = '\0';
    if (gethostname(out, size - 1) == 0 && strchr(out, '.') &&
        hostname_canonical(out, strlen(out), size - 1, out) == HOSTNAME_OK)
        return;
    getsockname(trip->fd, (struct sockaddr *)&own, &len);
    if (own.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&own)->sin6_addr, address, sizeof(address));
        snprintf(out, size, "[IPv6:%s]", address);
    } else {
        inet_ntop(AF_INET, &((struct sockaddr_in *)&own)->sin_addr, address, sizeof(address));
        snprintf(out, size, "[%s]", address);
    }
}

void visit_talk(struct trip *trip)
{
    trip->stage = VISIT_TALKING;
    trip->talk = TALK_GREETING;
    trip->heard = 0;
    trip->lines = 0;
    trip->starttls = false;
}

/* --- Replies; the last line of each is in trip->line --- */

static void after_greeting(struct trip *trip)
{
    char name[HOSTNAME_MAX + 1], command[HOSTNAME_MAX + 16];

    if (trip->line[0] != '2') {
        say_goodbye(trip);
        visit_came_to(trip, VISIT_REFUSED, "it greets with %.200s", trip->line);
        return;
    }
    put_own_name(trip, name, sizeof(name));
    snprintf(command, sizeof(command), "EHLO %s\r\n", name);
    if (say(trip, command))
        trip->talk = TALK_EHLO;
}

/* RFC 5321 section 4.2.4: then it has no extension at all. Else it is about who says it. */
static bool knows_no_ehlo(const char *line)
{
    return strncmp(line, "500", 3) == 0 || strncmp(line, "502", 3) == 0 ||
           strncmp(line, "504", 3) == 0;
}

static void after_ehlo(struct trip *trip)
{
    if (trip->line[0] == '2' && trip->starttls) {
        if (say(trip, "STARTTLS\r\n"))
            trip->talk = TALK_STARTTLS;
        return;
    }
    say_goodbye(trip);
    if (trip->line[0] == '2')
        visit_came_to(trip, VISIT_NO_STARTTLS, "it does not offer STARTTLS");
    else
        visit_came_to(trip, knows_no_ehlo(trip->line) ? VISIT_NO_STARTTLS : VISIT_REFUSED,
                      "EHLO is answered with %.200s", trip->line);
}

static void after_reply(struct trip *trip)
{
    trip->lines = 0;
    switch (trip->talk) {
    case TALK_GREETING:
        after_greeting(trip);
        break;
    case TALK_EHLO:
        after_ehlo(trip);
        break;
    case TALK_STARTTLS:
        if (trip->line[0] == '2') {
            visit_transfer(trip);
            break;
        }
        say_goodbye(trip);
        visit_came_to(trip, VISIT_NO_STARTTLS, "STARTTLS is answered with %.200s", trip->line);
        break;
    }
}

static bool is_reply(const char *line)
{
    return line[0] >= '2' && line[0] <= '5' && line[1] >= '0' && line[1] <= '9' && line[2] >= '0' &&
           line[2] <= '9' && (line[3] == ' ' || line[3] == '-' || line[3] == '\0');
}

static bool offers_starttls(const char *line)
{
    return strncasecmp(line + 4, "STARTTLS", 8) == 0 && (line[12] == '\0' || line[12] == ' ');
}

/* The line, without its end, is in trip->line; more says that bytes came behind it. */
static void take_line(struct trip *trip, bool more)
{
    bool last;

    if (!is_reply(trip->line) || ++trip->lines > VISIT_LINES_MAX) {
        visit_came_to(trip, VISIT_BROKEN, "that is no SMTP: %.100s", trip->line);
        return;
    }
    last = trip->line[3] != '-';
    if (trip->talk == TALK_EHLO && trip->line[3] != '\0' && trip->lines > 1 &&
        offers_starttls(trip->line))
        trip->starttls = true;
    if (last && more) /* RFC 3207 section 6: what was said before TLS is not to be believed */
        visit_came_to(trip, VISIT_BROKEN, "it speaks out of turn");
    else if (last)
        after_reply(trip);
}

/* Takes the first line out of what was heard. */
static bool next_line(struct trip *trip, char *rest, size_t *rest_len)
{
    char  *end = memchr(trip->line, '\n', trip->heard);
    size_t len = end ? (size_t)(end - trip->line) : 0;

    if (!end)
        return false;
    *rest_len = trip->heard - len - 1;
    memcpy(rest, end + 1, *rest_len);
    if (len > 0 && trip->line[len - 1] == '\r')
        len--;
    trip->line[len] = '\0';
    return true;
}

void visit_hear(struct trip *trip)
{
    char    rest[VISIT_LINE_MAX];
    size_t  rest_len;
    ssize_t got = recv(trip->fd, trip->line + trip->heard, sizeof(trip->line) - 1 - trip->heard, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        visit_came_to(trip, VISIT_BROKEN, "it hung up before STARTTLS was done");
        return;
    }
    trip->heard += (size_t)got;
    while (trip->stage == VISIT_TALKING && next_line(trip, rest, &rest_len)) {
        take_line(trip, rest_len > 0);
        if (trip->stage != VISIT_TALKING)
            return;
        memcpy(trip->line, rest, rest_len);
        trip->heard = rest_len;
    }
    if (trip->heard == sizeof(trip->line) - 1)
        visit_came_to(trip, VISIT_BROKEN, "a line of over %d bytes", VISIT_LINE_MAX);
}
