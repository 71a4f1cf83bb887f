#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load_options load;

/* The options; one that isn't given is NULL. */
enum {
    ADDRESS,
    NAMES,
    BODY,
    FETCHES,
    CONNECTIONS,
    REQUESTS,
    RATE,
    TLS,
    GROUP,
    SUITES,
    SILENT,
    OPTIONS
};
static const char *options[OPTIONS];

void load_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    ERR_print_errors_fp(stderr);
    exit(1);
}

void *load_allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        load_fail("no memory");
    return memory;
}

static char *read_file(const char *path, size_t *length)
{
    static char content[1 << 20];
    FILE       *file = fopen(path, "r");
    if (!file)
        load_fail("%s: %s", path, strerror(errno));
    *length = fread(content, 1, sizeof content - 1, file);
    fclose(file);
    char *copy = load_allocate(*length + 1, 1);
    memcpy(copy, content, *length);
    return copy;
}

/* One host a line. */
static void read_names(const char *path)
{
    size_t length, count = 0;
    char  *text = read_file(path, &length);
    load.names = load_allocate(length + 1, sizeof *load.names);
    for (char *host = strtok(text, "\n"); host; host = strtok(NULL, "\n")) {
        struct name *name = &load.names[count++];
        name->host = host;
        int written = asprintf(&name->request,
                               "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: %s\r\n"
                               "User-Agent: load\r\nAccept: */*\r\n\r\n",
                               host);
        if (written < 0)
            load_fail("no memory");
        name->request_length = (size_t)written;
    }
    if (count == 0)
        load_fail("%s: no names", path);
    load.name_count = count;
}

static void read_body(const char *path)
{
    load.body = read_file(path, &load.body_length);
    snprintf(load.length_field, sizeof load.length_field, "\r\nContent-Length: %zu\r\n",
             load.body_length);
}

static void read_address(const char *text)
{
    char           host[INET_ADDRSTRLEN] = "";
    unsigned short port = 0;
    load.address.sin_family = AF_INET;
    if (sscanf(text, "%15[0-9.]:%hu", host, &port) != 2 ||
        inet_pton(AF_INET, host, &load.address.sin_addr) != 1)
        load_fail("not ADDRESS:PORT: %s", text);
    load.address.sin_port = htons(port);
}

/* 1 where nothing is said. */
static long count_of(int option)
{
    long count = options[option] ? strtol(options[option], NULL, 10) : 1;
    if (count < 1)
        load_fail("not a number above 0: %s", options[option]);
    return count;
}

/* What is not told is as OpenSSL has it. */
static void make_context(void)
{
    bool old = options[TLS] && strcmp(options[TLS], "1.2") == 0;
    load.ctx = SSL_CTX_new(TLS_client_method());
    if (!load.ctx || SSL_CTX_set_min_proto_version(load.ctx, TLS1_2_VERSION) != 1)
        load_fail("no context");
    if (options[TLS]) {
        SSL_CTX_set_min_proto_version(load.ctx, old ? TLS1_2_VERSION : TLS1_3_VERSION);
        SSL_CTX_set_max_proto_version(load.ctx, old ? TLS1_2_VERSION : TLS1_3_VERSION);
    }
    if (options[GROUP] &&
        SSL_CTX_ctrl(load.ctx, SSL_CTRL_SET_GROUPS_LIST, 0, (void *)(uintptr_t)options[GROUP]) != 1)
        load_fail("unknown group: %s", options[GROUP]);
    if (options[SUITES] && (old ? SSL_CTX_set_cipher_list(load.ctx, options[SUITES])
                                : SSL_CTX_set_ciphersuites(load.ctx, options[SUITES])) != 1)
        load_fail("unknown suites: %s", options[SUITES]);
    SSL_CTX_set_session_cache_mode(load.ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(load.ctx, 1); /* one read for all that has come */
}

void load_read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "address", required_argument, NULL, ADDRESS },
        { "names", required_argument, NULL, NAMES },
        { "body", required_argument, NULL, BODY },
        { "fetches", required_argument, NULL, FETCHES },
        { "connections", required_argument, NULL, CONNECTIONS },
        { "requests", required_argument, NULL, REQUESTS },
        { "rate", required_argument, NULL, RATE },
        { "tls", required_argument, NULL, TLS },
        { "group", required_argument, NULL, GROUP },
        { "suites", required_argument, NULL, SUITES },
        { "silent", required_argument, NULL, SILENT },
        { NULL, 0, NULL, 0 },
    };
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option >= OPTIONS)
            exit(2);
        options[option] = optarg;
    }
    if (options[ADDRESS] && options[SILENT]) {
        read_address(options[ADDRESS]);
        load.silent = count_of(SILENT);
        return;
    }
    if (!options[ADDRESS] || !options[NAMES] || !options[BODY] || !options[FETCHES])
        load_fail("--address, --names, --body and --fetches are needed");
    read_address(options[ADDRESS]);
    read_names(options[NAMES]);
    read_body(options[BODY]);
    load.fetches = count_of(FETCHES);
    load.connections = count_of(CONNECTIONS);
    load.requests = count_of(REQUESTS);
    make_context();
    load.rate = options[RATE] ? strtod(options[RATE], NULL) : 0;
}
