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
#include <time.h>

enum {
    CONFIG_LISTENERS_MAX = 64,
    CONFIG_WORKERS_MAX = 256,
    CONFIG_WORKERS_AUTO = 4, /* at most, when "auto" */
    CONFIG_PATH_MAX = 4095,
    CONFIG_FILE_MAX = 256 * 1024 * 1024, /* bytes of one file */
    CONFIG_ERRORS_MAX = 100              /* errors told, and as many warnings; the rest are counted
                                            in one more finding, at line 0 of the main file */
};

enum config_severity {
    CONFIG_ERROR,
    CONFIG_WARNING,
    CONFIG_ISOLATED /* isolate = on: the entry is left out or keeps its last good policy; the
                       text says which */
};

/* A finding. file is as the user wrote it, line counts from 1 (0: the file as a whole). */
typedef void config_report(void *context, enum config_severity severity, const char *file,
                           unsigned line, const char *text);

/* Bytes with NUL: of a file, of a text that names two, and of what became of an isolated entry. */
enum { CONFIG_FINDING_MAX = 3 * (CONFIG_PATH_MAX + 1) + 1024 + 64 };

/* Writes a finding as it is printed everywhere: "FILE:LINE: error: TEXT", and for line 0 "FILE: error:
   TEXT"; "warning: isolated: TEXT" for CONFIG_ISOLATED. Control characters become '?', so that it stays
   one line and cannot steer a terminal. Returns out. */
const char *config_finding(enum config_severity severity, const char *file, unsigned line,
                           const char *text, char out[CONFIG_FINDING_MAX]);

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

#define CONFIG_ACME_BELOW_WEBROOT ".well-known/acme-challenge" /* RFC 8555 section 8.3 */

struct config_server {
    struct config_listener *listeners; /* in the order written; one https at least */
    size_t                  listener_count;
    struct config_network  *trusted;       /* who may send PROXY headers and X-Forwarded-For */
    size_t                  trusted_count; /* loopback when nothing is written: never 0 */
    bool                    plain_any;     /* [*] answers on plain listeners too */
    /* acme_dir or acme_webroot, absolute, and the way from there to the token files, relative:
       CONFIG_ACME_BELOW_WEBROOT, or "" for acme_dir. Links are followed in the first alone.
       NULL: neither is set. */
    const char         *acme_dir;
    const char         *acme_below;
    unsigned            acme_line;              /* where it is written; 0: nowhere */
    const char         *acme_thumbprint;        /* base64url, or NULL */
    const char         *user;                   /* name or number[:number]; NULL: the default */
    unsigned            user_line;              /* where it is written; 0: nowhere */
    unsigned            workers;                /* "auto" already resolved */
    unsigned            max_connections;        /* a worker */
    unsigned            max_tls;                /* a worker; at most max_connections; 0: auto */
    unsigned            max_connections_per_ip; /* a worker; 0: no limit */
    unsigned            cert_cache;             /* entries, a worker */
    bool                access_log;
    bool                log_json; /* log_format = json */
    bool                isolate;  /* a wrong section, included file or alias line is left out */
    unsigned            ready_percent;  /* of the hosts need a good pair for /readyz; 0: none */
    unsigned            drain_delay;    /* seconds from SIGTERM to the end of accepting */
    const char         *state_dir;      /* absolute; NULL: nothing is written */
    unsigned            state_dir_line; /* where it is written; 0: nowhere */
    struct config_share max_removed;
};

/* Findings are to be logged as JSON, or as text. */
typedef void config_format(void *context, bool json);

struct config; /* opaque: server settings, policies, the table of domains */

/*
 * Where a configuration is loaded from. A snapshot (common/snapshot.h) holds every input that a
 * configuration was made from, and the policies that isolation kept for it. Its descriptor is
 * borrowed, and read from its start whatever its offset. Start from CONFIG_FROM_DISK.
 */
struct config_source {
    const uint8_t
        *key; /* the caller's secret for config_digest and the table: HASH_KEY_SIZE bytes */
    config_report *report;
    void          *context;
    /* NULL, or called with log_format as soon as it is known: in the line of that key, so that each
       later finding is logged in that format; and, with its default, when the main file has been
       read. */
    config_format *log_format;
    bool           places; /* remember where each domain is written: for config_place */
    /* A snapshot: its inputs are read, and nothing from disk; path is then that of the snapshot.
       -1: from disk. */
    int replay;
    /* A snapshot, from which isolate = on takes last good policies; -1: none. One that cannot be
       read is a warning. */
    int last_good;
    /* NULL, or called once where last_good is -1 and something is isolated, with the configuration's
       state_dir or NULL: a snapshot that becomes the loader's, or -1. */
    int (*find_last_good)(void *context, const char *state_dir);
    /* An empty, seekable descriptor that a snapshot is written to; -1: none. Only what a good
       configuration leaves there is a snapshot. When it cannot be written, that is a warning,
       and the descriptor is empty again. */
    int record;
    /* CONFIG_PATH_MAX + 1 bytes, or NULL. Gets the state_dir, also of a configuration that is
       refused, as far as it was read; "" when there is none. */
    char *state_dir;
};

#define CONFIG_FROM_DISK .replay = -1, .last_good = -1, .record = -1

/*
 * NULL when there was an error, each of them reported, or no memory (reported too).
 * Not reported: a warning that was already told for the same place.
 */
struct config *config_load_from(const char *path, const struct config_source *source);
/* From disk alone. */
struct config *config_load(const char *path, const uint8_t digest_key[HASH_KEY_SIZE],
                           config_report *report, void *context);
/* The same, and remembers where each domain is written. */
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

/* When the configuration was loaded from disk; one that is replayed has the time of its snapshot. */
time_t config_time(const struct config *config);

/* Entries that isolation left out, or for which it kept a last good policy: sections, included
   files, lines, and domains by themselves. */
size_t config_isolated_count(const struct config *config);

/* What a change of the configuration takes away (max_removed). */
struct config_removal {
    size_t removed; /* domains of the running configuration that this one does not serve */
    size_t running; /* domains of the running configuration, aliases included */
    struct config_share limit;   /* max_removed of the running configuration */
    bool                refused; /* removed is over the limit */
};

/* Compares with the running configuration's snapshot. -1: it cannot be read, *removal is unset. */
int config_removal(const struct config *config, int running_snapshot,
                   struct config_removal *removal);

size_t               config_domain_count(const struct config *config);
size_t               config_policy_count(const struct config *config); /* distinct ones */
const struct policy *config_any(const struct config *config);          /* [*]'s, or NULL */

#endif
