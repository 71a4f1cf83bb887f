/*
 * fake_dns: a DNS server in a child process that answers by the first label of what it is asked,
 * as a test's table says.
 */
#ifndef UNIT_FAKE_DNS_H
#define UNIT_FAKE_DNS_H

#include "fake_server.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

enum { DNS_A = 1, DNS_CNAME = 5, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28 };
enum { DNS_MAX = 65535, DNS_SAME = 0xc00c /* a pointer to the question's name */ };

struct dns_message {
    size_t  len;
    bool    tcp;
    bool    silent;
    uint8_t bytes[DNS_MAX + 512];
};

struct dns_case {
    const char *label;
    void (*answer)(struct dns_message *message);
};

static inline void dns_put16(struct dns_message *message, unsigned number)
{
    message->bytes[message->len++] = (uint8_t)(number >> 8);
    message->bytes[message->len++] = (uint8_t)number;
}

static inline void dns_put(struct dns_message *message, const void *bytes, size_t len)
{
    memcpy(message->bytes + message->len, bytes, len);
    message->len += len;
}

static inline size_t dns_name(uint8_t *out, const char *name)
{
    size_t len = 0;

    while (*name) {
        size_t label = strcspn(name, ".");

        out[len++] = (uint8_t)label;
        memcpy(out + len, name, label);
        len += label;
        name += label + (name[label] == '.');
    }
    out[len++] = 0;
    return len;
}

/* owner NULL: the question's name. */
static inline void dns_record(struct dns_message *message, const char *owner, unsigned type,
                              const void *data, size_t len)
{
    unsigned count = (unsigned)message->bytes[6] << 8 | message->bytes[7];

    if (owner)
        message->len += dns_name(message->bytes + message->len, owner);
    else
        dns_put16(message, DNS_SAME);
    dns_put16(message, type);
    dns_put16(message, 1); /* IN */
    dns_put(message, "\0\0\0\074", 4);
    dns_put16(message, (unsigned)len);
    dns_put(message, data, len);
    message->bytes[6] = (uint8_t)((count + 1) >> 8);
    message->bytes[7] = (uint8_t)(count + 1);
}

static inline void dns_txt(struct dns_message *message, const char *owner, const char *text)
{
    uint8_t data[256];
    size_t  len = strlen(text);

    data[0] = (uint8_t)len;
    memcpy(data + 1, text, len);
    dns_record(message, owner, DNS_TXT, data, len + 1);
}

static inline void dns_cname(struct dns_message *message, const char *owner, const char *target)
{
    uint8_t data[256];

    dns_record(message, owner, DNS_CNAME, data, dns_name(data, target));
}

static inline void dns_mx(struct dns_message *message, unsigned preference, const char *host)
{
    uint8_t data[258] = { (uint8_t)(preference >> 8), (uint8_t)preference };

    dns_record(message, NULL, DNS_MX, data, 2 + dns_name(data + 2, host));
}

static inline void dns_rcode(struct dns_message *message, unsigned rcode)
{
    message->bytes[3] = (uint8_t)(0x80 | rcode);
}

/* The query becomes an answer with no records, and then what the table says. */
static inline void dns_answer(const struct dns_case *cases, struct dns_message *message)
{
    size_t label = message->bytes[12], end = 12;

    while (message->bytes[end])
        end += 1U + message->bytes[end];
    message->len = end + 5;
    message->silent = false;
    memcpy(message->bytes + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
    for (; cases->label; cases++)
        if (strlen(cases->label) == label &&
            memcmp(cases->label, message->bytes + 13, label) == 0) {
            cases->answer(message);
            return;
        }
    dns_rcode(message, 3);
}

static inline void dns_serve_udp(int fd, const struct dns_case *cases, struct dns_message *message)
{
    struct sockaddr_in from;
    socklen_t          len = sizeof(from);
    ssize_t got = recvfrom(fd, message->bytes, DNS_MAX, 0, (struct sockaddr *)&from, &len);

    if (got < 17)
        return;
    message->tcp = false;
    dns_answer(cases, message);
    if (!message->silent)
        (void)!sendto(fd, message->bytes, message->len, 0, (struct sockaddr *)&from, len);
}

/* As many questions as come on a connection, which this waits for. */
static inline void dns_serve_tcp(int fd, const struct dns_case *cases, struct dns_message *message)
{
    uint8_t size[2];

    while (recv(fd, size, 2, MSG_WAITALL) == 2) {
        size_t len = (size_t)size[0] << 8 | size[1];

        if (recv(fd, message->bytes, len, MSG_WAITALL) != (ssize_t)len)
            break;
        message->tcp = true;
        dns_answer(cases, message);
        if (message->silent)
            break;
        size[0] = (uint8_t)(message->len >> 8);
        size[1] = (uint8_t)message->len;
        (void)!send(fd, size, 2, MSG_NOSIGNAL | MSG_MORE);
        (void)!send(fd, message->bytes, message->len, MSG_NOSIGNAL);
    }
    close(fd);
}

static inline struct fake_server fake_dns_start(const struct dns_case *cases)
{
    static struct dns_message message;
    struct fake_server        server = { 0, 0 };
    int                       udp = fake_server_socket(SOCK_DGRAM, &server.port);
    int                       tcp = fake_server_socket(SOCK_STREAM, &server.port);

    server.pid = fake_server_fork();
    while (server.pid == 0) {
        struct pollfd fds[] = { { .fd = udp, .events = POLLIN }, { .fd = tcp, .events = POLLIN } };

        poll(fds, 2, -1);
        if (fds[0].revents)
            dns_serve_udp(udp, cases, &message);
        if (fds[1].revents) {
            int fd = accept(tcp, NULL, NULL);

            if (fake_server_fork() == 0) {
                dns_serve_tcp(fd, cases, &message);
                _exit(0);
            }
            close(fd);
        }
    }
    close(udp);
    close(tcp);
    return server;
}

#endif
