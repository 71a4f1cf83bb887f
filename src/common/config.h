/*
 * config: the configuration, parsed whole, judged whole, or not taken at all.
 *
 * config_load reads the main file, its includes and the alias files, reports
 * every finding with its place, and gives a configuration only when there was no
 * error. It owns everything the configuration holds (one region, and the arrays of
 * domains and policies, which grow while loading); after config_load it is never
 * changed, so that workers share it by fork. Certificates are not looked at here.
 *
 * At 1,000,000 domains what counts is that a domain costs its name, an entry and
 * a table slot, and that equal policies are kept once.
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include "common/hash.h"
#include "common/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    CONFIG_LISTENERS_MAX = 64,
    CONFIG_WORKERS_MAX = 256,
    CONFIG_WORKERS_AUTO = 4, /* at most, when "auto" */
    CONFIG_PATH_MAX = 4095,
    CONFIG_FILE_MAX = 256 * 1024 * 1024, /* bytes of one file */
    CONFIG_ERRORS_MAX = 100              /* errors told, and as many warnings; the rest are counted
                                            in one more finding, at line 0 of the main file */
};

enum config_severity { CONFIG_ERROR, CONFIG_WARNING };

/* A finding. file is as the user wrote it, line counts from 1 (0: the file as a whole). */
typedef void config_report(void *context, enum config_severity severity, const char *file,
                           unsigned line, const char *text);

enum config_listener_kind {
    CONFIG_HTTPS,
    CONFIG_ACME,  /* HTTP, ACME challenges alone */
    CONFIG_HEALTH /* HTTP, /livez and /readyz alone */
};

struct config_listener {
    enum config_listener_kind kind;
    const char               *name;    /* "127.0.0.1:443", "[::]:443", "systemd:NAME" */
    const char               *systemd; /* the NAME, or NULL: bind address */
    struct sockaddr_storage   address;
    socklen_t                 address_len;
    const char               *file; /* where it is written, for messages */
    unsigned                  line;
};

/* Addresses whose first prefix bits are those of bytes (network order; IPv4: the first 4). */
struct config_network {
    sa_family_t family; /* AF_INET or AF_INET6 */
    uint8_t     prefix; /* bits */
    uint8_t     bytes[16];
};

/* A number of domains, or a percentage of the running ones. */
struct config_share {
    unsigned number;
    bool     percent;
    bool     set; /* written in the file: else the default, 50 % */
};

struct config_server {
    struct config_listener *listeners; /* in the order written; one https at least */
    size_t                  listener_count;
    struct config_network  *trusted;       /* who may send PROXY headers and X-Forwarded-For */
    size_t                  trusted_count; /* loopback when nothing is written: never 0 */
    bool                    plain_any;     /* [*] answers on plain listeners too */
    /* The folder of the token files: acme_dir, or acme_webroot with /.well-known/acme-challenge;
       NULL: none. */
    const char *acme_dir;
    const char *acme_thumbprint;        /* base64url, or NULL */
    const char *user;                   /* name or number[:number]; NULL: the default */
    unsigned    user_line;              /* where it is written; 0: nowhere */
    unsigned    workers;                /* "auto" already resolved */
    unsigned    max_connections;        /* a worker */
    unsigned    max_tls;                /* a worker; at most max_connections; 0: auto */
    unsigned    max_connections_per_ip; /* a worker; 0: no limit */
    unsigned    cert_cache;             /* entries, a worker */
    bool        access_log;
    bool        log_json;         /* log_format = json */
    bool        isolate;          /* a wrong section, included file or alias line is left out */
    unsigned    ready_percent;    /* of the hosts need a good pair for /readyz; 0: none */
    unsigned    drain_delay;      /* seconds from SIGTERM to the end of accepting */
    const char *state_dir;        /* absolute; NULL: nothing is written */
    unsigned    state_dir_line;   /* where it is written; 0: nowhere */
    struct config_share max_removed;
};

struct config; /* opaque: server settings, policies, the table of domains */

/*
 * digest_key is the caller's secret for config_digest and the table; any 16 bytes do.
 * NULL when there was an error, each of them reported, or no memory (reported too).
 * Not reported: a warning that was already told for the same place.
 */
struct config *config_load(const char *path, const uint8_t digest_key[HASH_KEY_SIZE],
                           config_report *report, void *context);
/* The same, and remembers where each domain is written: for config_place. */
struct config *config_load_with_places(const char *path, const uint8_t digest_key[HASH_KEY_SIZE],
                                       config_report *report, void *context);
void           config_free(struct config *config); /* accepts NULL */

const struct config_server *config_server(const struct config *config);
const char                 *config_path(const struct config *config);

/* Of every byte of every file read and of their names: equal with an equal key
   means that nothing was changed. HASH_128_SIZE bytes. */
const uint8_t *config_digest(const struct config *config);

/* What a policy host has: its policy, and its policy domain, which is borrowed
   from the configuration, or from the caller's host when the policy is [*]'s. */
struct config_match {
    const struct policy *policy;
    const char          *domain; /* domain_len bytes, and not always a NUL behind them */
    size_t               domain_len;
    bool                 any; /* found by [*] alone */
};

/*
 * Looks up a policy host ("mta-sts.example.org", any case, no final dot).
 * False when it is none of ours. host may be any bytes a stranger sent.
 * The name of a match by [*] is checked as a domain, and as one for which every mx of [*]'s
 * policy is a name that DNS can carry; it keeps the case of host, so lower it first.
 */
bool config_find_host(const struct config *config, const char *host, size_t host_len,
                      struct config_match *match);

/* Every domain, aliases included, in the order read; [*] is not among them. Ends early
   when visit returns false. */
void config_each_domain(const struct config *config,
                        bool (*visit)(void *context, const char *domain,
                                      const struct policy *policy),
                        void *context);

/* Where a domain that config_each_domain visited is written. The configuration is one that was
   loaded with places. */
void config_place(const struct config *config, const char *domain, const char **file,
                  unsigned *line);

size_t               config_domain_count(const struct config *config);
size_t               config_policy_count(const struct config *config); /* distinct ones */
const struct policy *config_any(const struct config *config);          /* [*]'s, or NULL */

#endif
