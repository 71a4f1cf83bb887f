/* load: what the parts of the load generator share. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stddef.h>

struct name {
    char  *host;
    char  *request;
    size_t request_length;
};

/* What it was told, by load_read_options. */
struct load_options {
    struct sockaddr_in address;
    SSL_CTX           *ctx; /* with the version, groups and suites that are offered */
    struct name       *names;
    size_t             name_count;
    char              *body; /* what is expected */
    size_t             body_length;
    char               length_field[64]; /* of an answer with this body */
    long               fetches;
    long               silent;      /* connections that send nothing, instead of fetches; or 0 */
    long               connections; /* at a time */
    long               requests;    /* on each */
    double             rate;        /* fetches a second; 0: as fast as possible */
};

extern struct load_options load;

void load_read_options(int argc, char **argv);

/* Says why, with what OpenSSL has to say, and ends the program with status 1. */
void load_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Zeroed memory; there always is some. */
void *load_allocate(size_t count, size_t size);

#endif
