/*
 * config_internal: what the config_*.c files share, and nobody else includes.
 *
 * Loading goes in two steps. First every file is read: a key's value is checked where it
 * stands, and what a policy needs of it is kept as an item of its section, in the scratch
 * region. [defaults] applies wherever it stands, so only then are the sections finished:
 * defaults merged in, what is missing told, and each distinct policy kept once. The
 * loader and its scratch are gone when config_load returns.
 *
 *   config.c           load and free, the accessors, the lookup
 *   config_domains.c   the table of domain names
 *   config_findings.c  errors and warnings, "did you mean"
 *   config_sections.c  headers and keys as the reader finds them
 *   config_keys.c      the table of keys
 *   config_server.c    values of [server]
 *   config_listen.c    addresses to listen on
 *   config_trusted.c   addresses to trust
 *   config_policy.c    values of a policy
 *   config_inputs.c    the files read: from disk or from a snapshot, and into one
 *   config_files.c     the main file, and the paths in files
 *   config_includes.c  include
 *   config_aliases.c   alias, alias_file
 *   config_kept.c      each distinct policy once
 *   config_lists.c     what a section has, and what [defaults] has for it
 *   config_finish.c    sections to policies
 *   config_isolate.c   isolate = on: what an error takes out, and what became of it
 *   config_last_good.c the last good policies
 *   config_removal.c   max_removed
 */
#ifndef COMMON_CONFIG_INTERNAL_H
#define COMMON_CONFIG_INTERNAL_H

#include "common/config.h"
#include "common/hostname.h"
#include "common/region.h"

#include <stdarg.h>

struct snapshot;
struct snapshot_record;
struct snapshot_writer;
struct stat;

/* ---- the domains (config_domains.c) ---- */

struct domain {
    uint32_t name;   /* where it begins in names */
    uint32_t policy; /* its index; while loading, its section's */
};

struct domains {
    char          *names; /* each ended by NUL */
    size_t         names_len;
    size_t         names_size;
    struct domain *entries; /* in the order read */
    uint32_t       count;
    uint32_t       size;
    uint32_t      *slots;      /* open addressing: index of an entry + 1, or 0 */
    uint32_t       slot_count; /* a power of two, or 0 */
};

enum domains_answer { DOMAINS_NEW, DOMAINS_KNOWN, DOMAINS_NO_MEMORY };

/* name is canonical. *index is where it is, new or known. */
enum domains_answer  domains_add(struct domains *domains, const uint8_t key[HASH_KEY_SIZE],
                                 const char *name, size_t len, uint32_t policy, uint32_t *index);
const struct domain *domains_find(const struct domains *domains, const uint8_t key[HASH_KEY_SIZE],
                                  const char *name, size_t len);
const char          *domains_name(const struct domains *domains, uint32_t index);
void domains_shrink(struct domains *domains); /* gives back what doubling took too much */
void domains_free(struct domains *domains);

/* ---- the configuration ---- */

#define NO_POLICY UINT32_MAX

struct place {
    uint32_t file; /* index in the loader's files */
    uint32_t line;
};

/* A file that was read, or could not be. */
struct config_file {
    const char *name;
    uint32_t    parent;     /* the file whose line names it; 0: the main file */
    uint32_t    kept;       /* domains from it that only a last good policy serves */
    bool        aliases;    /* an alias_file */
    bool        absent;     /* it could not be read, and a line names it without a pattern */
    bool        unsure;     /* isolated: which names it means to hold is not known */
    bool        renamed[2]; /* an include, an alias_file that it names may be an old one renamed */
};

struct config {
    struct region       *region;
    const char          *path;
    struct config_server server;
    struct domains       domains;
    struct policy       *policies;
    uint32_t             policy_count;
    const struct policy *any;
    uint32_t             any_policy; /* its index, or NO_POLICY */
    time_t               time;
    uint32_t             isolated;       /* entries that isolation left out or kept */
    size_t               any_domain_max; /* bytes of the longest domain that [*] can serve */
    uint8_t              key[HASH_KEY_SIZE];
    uint8_t              digest[HASH_128_SIZE];
    /* Only when loaded with places: what the loader would else have thrown away. */
    struct region      *scratch; /* holds the files' names */
    struct config_file *files;
    uint32_t            file_count;
    struct place       *places; /* of each domain, by its index */
    struct place        any_place;
};

/* ---- the loader ---- */

enum key_id {
    KEY_LISTEN,
    KEY_LISTEN_ACME,
    KEY_TRUSTED,
    KEY_PLAIN_ANY,
    KEY_ACME_WEBROOT,
    KEY_ACME_DIR,
    KEY_ACME_THUMBPRINT,
    KEY_USER,
    KEY_WORKERS,
    KEY_MAX_CONNECTIONS,
    KEY_MAX_TLS,
    KEY_MAX_CONNECTIONS_PER_IP,
    KEY_CERT_CACHE,
    KEY_ACCESS_LOG,
    KEY_LISTEN_HEALTH,
    KEY_READY_REQUIRES_CERTIFICATES,
    KEY_DRAIN_DELAY,
    KEY_ISOLATE,
    KEY_MAX_REMOVED,
    KEY_STATE_DIR,
    KEY_LOG_FORMAT,
    KEY_INCLUDE,
    KEY_MODE,
    KEY_MX,
    KEY_MAX_AGE,
    KEY_CERTIFICATE,
    KEY_KEY,
    KEY_ID,
    KEY_RUA,
    KEY_ALIAS,
    KEY_ALIAS_FILE,
    KEY_COUNT
};

#define KEY_BIT(id) (UINT64_C(1) << (id))

enum key_home {
    HOME_SERVER,
    HOME_POLICY, /* a policy's section, [defaults], [*] */
    HOME_DOMAIN  /* a policy's section alone: it names domains */
};

enum section_kind {
    SECTION_SERVER,
    SECTION_DEFAULTS,
    SECTION_ANY,
    SECTION_DOMAIN,
    SECTION_BAD /* its header was an error: keys are checked, no policy is made */
};

/* One line of a section; its value checked and in its final form, or bad. */
struct item {
    struct item *next;
    const char  *text; /* NULL where number says it all, and in [server] */
    const char  *kept; /* the same text in the configuration's region, once it is there */
    struct place place;
    uint32_t     number; /* mode, max_age; mx: how many %d */
    uint8_t      key;    /* enum key_id */
    bool         bad;    /* the value was an error, and is told */
    bool         told;   /* a finding that each section with this item would repeat */
};

struct section {
    struct item       *first;
    struct item       *last;
    struct place       place;
    uint64_t           seen;     /* KEY_BIT of each key that occurred */
    uint32_t           policy;   /* finished: its index */
    uint32_t           mx_count; /* so far */
    uint32_t           header;   /* the index of the domain in its header + 1; 0: that is none */
    uint32_t           kept;     /* isolated: how many of its domains keep a last good policy, */
    uint32_t           left_out; /* and how many do not */
    const struct item *mx_limit; /* the mx that fits limits; NULL: it is the body */
    uint8_t            longest;  /* bytes of its longest domain */
    uint8_t            fits; /* isolate: bytes of the longest domain that its policy can serve */
    bool               isolated;  /* an error in it takes out all its domains */
    bool               mx_judged; /* its list has been looked at for repetitions */
    uint8_t            kind;      /* enum section_kind */
};

struct include {
    struct include *next;
    const char     *value; /* a name or a pattern, as written */
    struct place    place;
};

struct kept {
    uint32_t policy; /* its index + 1, or 0: free */
    uint32_t hash;   /* of its content */
};

enum {
    CONFIG_RUA_MAX = 64,
    CONFIG_BODY_SIZE = POLICY_BODY_MAX + 512 /* bytes: the longest template, %d as two of them */
};

#define NO_SECTION UINT32_MAX

/* While loading, in the policy of a domain beside the index of its section: by itself isolated. */
#define DOMAIN_ISOLATED (UINT32_C(1) << 31)

/* isolate = on: what an error takes out. */
enum unit_kind {
    UNIT_ALL, /* everything: the configuration is refused */
    UNIT_SECTION,
    UNIT_LINE,
    UNIT_FILE,
    UNIT_DOMAIN
};

struct unit {
    enum unit_kind kind;
    uint32_t       index;  /* of the section, file or domain */
    bool           unsure; /* the file that the error stands in meant to hold names that are not
                              known now */
};

struct isolated {
    struct unit  unit;
    struct place place;
    const char  *text;
};

struct loader {
    struct config   *config;
    struct region   *scratch;
    config_report   *report;
    config_format   *log_format; /* or NULL */
    void            *context;
    unsigned         errors;
    unsigned         warnings;
    bool             no_memory; /* told once; everything after it is vain. Likewise: a snapshot that
                                  is not usable */
    bool             isolate;
    struct unit      unit;           /* what an error takes out now */
    struct isolated *isolated;       /* the first CONFIG_ERRORS_MAX findings */
    unsigned         isolated_count; /* all of them */
    bool             limited;        /* a section has domains that its policy does not fit */
    int              last_good;      /* a snapshot, or -1 */
    int (*find_last_good)(void *context, const char *state_dir); /* as in struct config_source */
    struct snapshot        *replay;                              /* NULL: from disk */
    struct snapshot_writer *record;                              /* NULL: none */
    const char             *directory; /* replay: the current one when the snapshot was made */
    struct hash             digest;
    struct config_file     *files; /* names as told in findings */
    uint32_t                file_count;
    uint32_t                file_size;
    uint32_t                file; /* the one being read */
    struct section         *sections;
    uint32_t                section_count;
    uint32_t                section_size;
    uint32_t                section;          /* the one being read, or NO_SECTION: skip its keys */
    uint32_t        special[SECTION_ANY + 1]; /* [server], [defaults], [*]: index + 1, or 0 */
    struct place   *places;                   /* of each domain, by its index */
    uint32_t        place_size;
    struct kept    *kept;      /* open addressing by content */
    uint32_t        kept_size; /* a power of two, or 0 */
    uint32_t        policy_size;
    struct include *first_include;
    struct include *last_include;
    char           *body; /* CONFIG_BODY_SIZE bytes, in which each policy is made */
    uint64_t        main_device;
    uint64_t        main_inode;
    bool            wants_peers; /* a listener was (refused as) plain or proxy */
};

/* ---- findings (config_findings.c) ---- */

/* How much of a value a message shows. */
#define SHOW "\"%.100s\""

void config_error(struct loader *loader, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void config_warning(struct loader *loader, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As it is, and neither counted nor bounded. */
void config_tell(struct loader *loader, enum config_severity severity, struct place place,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
#define NO_MEMORY "not enough memory" /* the text of this finding, and of no other */
void        config_no_memory(struct loader *loader);
void        config_count_rest(struct loader *loader); /* tells how many were not told */
const char *config_file_name(const struct loader *loader, struct place place);

/* Whether somebody who wrote word may have meant candidate: at most two slips, and not as
   many as word has letters. Smaller is nearer; -1: no. */
int config_nearness(const char *word, const char *candidate);

/* ---- keys (config_keys.c) ---- */

struct config_key {
    const char   *name;
    enum key_home home;
    bool          list; /* may be repeated */
    /* Checks the value and keeps what is needed of it, in item or in the configuration.
       loader->section is the section's index. False after an error, which is told. */
    bool (*set)(struct loader *loader, struct item *item, char *value);
};

extern const struct config_key config_keys[KEY_COUNT];

/* The key of that name, or KEY_COUNT. */
enum key_id config_find_key(const char *name);
/* The len bytes at text are digits, and a number of at most most. Nothing is told. */
bool config_digits(const char *text, size_t len, uint32_t most, uint32_t *number);
/* False and an error unless value is a number from least to most. */
bool config_number(struct loader *loader, const struct item *item, const char *value,
                   uint32_t least, uint32_t most, uint32_t *number);
/* The next word of a blank separated list, ended by NUL, or NULL. */
char *config_word(char **rest);

/* ---- values (config_server.c, config_listen.c, config_trusted.c, config_policy.c) ---- */

#define CONFIG_SETTER(name) bool name(struct loader *loader, struct item *item, char *value)

CONFIG_SETTER(config_set_listen);
CONFIG_SETTER(config_set_trusted);
CONFIG_SETTER(config_set_switch);
CONFIG_SETTER(config_set_acme_folder);
CONFIG_SETTER(config_set_acme_thumbprint);
CONFIG_SETTER(config_set_user);
CONFIG_SETTER(config_set_workers);
CONFIG_SETTER(config_set_limit);
CONFIG_SETTER(config_set_max_tls);
CONFIG_SETTER(config_set_ready_percent);
CONFIG_SETTER(config_set_max_removed);
CONFIG_SETTER(config_set_state_dir);
CONFIG_SETTER(config_set_log_format);
CONFIG_SETTER(config_set_include);
CONFIG_SETTER(config_set_mode);
CONFIG_SETTER(config_set_mx);
CONFIG_SETTER(config_set_max_age);
CONFIG_SETTER(config_set_path);
CONFIG_SETTER(config_set_id);
CONFIG_SETTER(config_set_rua);
CONFIG_SETTER(config_set_alias);
CONFIG_SETTER(config_set_alias_file);

void config_server_defaults(struct loader *loader);
/* Gives log_format to the caller of config_load_for_log. */
void config_tell_log_format(const struct loader *loader);
void config_server_finish(struct loader *loader);
/* Loopback, when nothing else is trusted. */
void config_trusted_finish(struct loader *loader);

/* ---- sections (config_sections.c) ---- */

/* Reads one file of sections; text is its whole content. */
void config_read_sections(struct loader *loader, uint32_t file, const char *text, size_t len);

/* The first line of a section with this key, or NULL. */
struct item *config_find_item(const struct section *section, enum key_id id);
bool         config_keep_place(struct loader *loader, uint32_t index, struct place place);
/* Gives a domain to the section being read, by its header or as an alias. False after an error. */
bool config_add_domain(struct loader *loader, struct place place, const char *name, size_t len,
                       bool header);

/* ---- files (config_files.c, config_includes.c) ---- */

bool config_read_main(struct loader *loader, const char *path);
void config_read_includes(struct loader *loader);

/* Makes path, whose bytes stay, a file that places can name. False: no memory. */
bool config_add_file(struct loader *loader, const char *path, uint32_t parent, bool aliases,
                     uint32_t *index);

/* value, below the folder of path unless it is absolute: in scratch. NULL: no memory. */
char *config_beside(struct loader *loader, const char *path, const char *value);
/*
 * The path that a value means: itself when absolute, else below the folder of the file that
 * names it, and below the current one if that is relative: in scratch, absolute.
 * pattern: the folder's % are doubled, for policy_path. NULL after an error.
 */
char *config_absolute(struct loader *loader, struct place place, const char *value, bool pattern);
/* The first folder bytes of path into out, mark in front of each that is one of special.
   False when they do not fit. */
bool config_mark_folder(const char *path, size_t folder, const char *special, char mark, char *out,
                        size_t size);

/* ---- inputs (config_inputs.c) ---- */

/* The records of a snapshot, in their order. Those up to RECORD_PATH are the inputs as the loader
   asks for them. */
enum record_kind {
    RECORD_START = 1, /* name: the current directory, number: the time */
    RECORD_FILE,      /* name, content */
    RECORD_MISSING,   /* name, content: why it could not be read */
    RECORD_PATTERN,   /* name: of an include; number: see config_includes.c */
    RECORD_PATH,      /* name: a file that the pattern before it matches */
    RECORD_POLICY,    /* config_last_good.c */
    RECORD_PLACE,
    RECORD_KEPT,
    RECORD_DOMAINS /* config_removal.c */
};

/* Opens the snapshots that the source names. False after an error. */
bool config_inputs_begin(struct loader *loader, const struct config_source *source);
/* Ends the snapshot that is written; that of a configuration with errors is emptied. */
void config_inputs_end(struct loader *loader);
void config_inputs_free(struct loader *loader);

/* The content of a file, malloced and part of the digest; NULL after an error, told at place. */
char *config_load_file(struct loader *loader, struct place place, const char *path, size_t *len,
                       struct stat *status);
/* Replaying: the next record, which must be of that kind and, unless name is NULL, of that name.
   False after an error. */
bool config_replay(struct loader *loader, enum record_kind kind, const char *name,
                   struct snapshot_record *record);
/* The snapshot does not hold what it should: told once, and everything after it is vain. */
void config_corrupt(struct loader *loader);
/* One more record, when a snapshot is written. */
void config_record(struct loader *loader, enum record_kind kind, const char *name, uint64_t number,
                   const void *content, size_t content_len);
/* The current directory, in out. 0, or -1 with errno. */
int config_directory(const struct loader *loader, char *out, size_t size);

/* ---- isolation (config_isolate.c) ---- */

/* Whether [server] of a main file says isolate = on. */
bool config_wants_isolation(const char *text, size_t len);
/* Replaces what an error takes out from now on. Returns what it was before. */
struct unit config_take_out(struct loader *loader, enum unit_kind kind, uint32_t index,
                            bool unsure);
/* A finding of what loader->unit takes out. */
void config_isolate(struct loader *loader, struct place place, const char *format,
                    va_list arguments);
/* The domain, by itself, is isolated. */
void config_isolate_domain(struct loader *loader, uint32_t index, struct place place,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Gives each domain its policy, or its last good one, or takes it out. */
void config_isolate_finish(struct loader *loader);

/* ---- last good policies (config_last_good.c, _read.c, _unsure.c) ---- */

/* The policy of another configuration in this one. */
struct taken {
    uint32_t policy; /* its index + 1; 0: not taken yet */
    uint32_t number; /* of its record */
};

struct last_good {
    struct config *config;
    bool           whole; /* all of it is wanted: what is replayed has kept just these */
    struct taken  *policies;
    uint32_t       policies_recorded;
    uint32_t      *places; /* by the loader's files: the number of its record + 1; 0: none yet */
    uint32_t       places_size;
    uint32_t       places_recorded;
};

/* Those of the snapshot that is replayed, or of the last good one. NULL: there are none. */
struct last_good *config_last_good_open(struct loader *loader);
void              config_last_good_free(struct last_good *last); /* accepts NULL */
/* The policies that the snapshot being replayed has kept. NULL after an error. */
struct config *config_read_kept(struct loader *loader);
/* Takes a policy over, by its index in last, for a name, which may be "*": its index in
   loader->config, or NO_POLICY. longest: any_domain_max of "*". */
uint32_t config_last_good_keep(struct loader *loader, struct last_good *last, uint32_t policy,
                               const char *name, uint32_t longest, struct place place);
/* The index of a domain's policy in loader->config, or NO_POLICY; place is recorded with it. */
uint32_t config_last_good_find(struct loader *loader, struct last_good *last, const char *domain,
                               struct place place);
/* Takes over [*]. False when there is none. */
bool config_last_good_any(struct loader *loader, struct last_good *last, struct place place);
/* Takes over the domains of files whose names are not known now, and that are nowhere else. */
void config_last_good_unsure(struct loader *loader, struct last_good *last);

/* ---- max_removed (config_removal.c) ---- */

void config_record_domains(struct loader *loader);

/* ---- policies (config_kept.c) ---- */

/* The index of a policy with the same content, or NO_POLICY; and the hash of that content. */
uint32_t config_kept_find(const struct loader *loader, const struct policy *policy, uint32_t *hash);
/* One more policy, which was not found and whose strings last. Its index, or NO_POLICY: no memory,
   told. */
uint32_t config_kept_add(struct loader *loader, const struct policy *policy, uint32_t hash);

/* ---- what sections and [defaults] list (config_lists.c) ---- */

/* The section that a key's value comes from: a section's key replaces that of [defaults], lists are
   replaced whole. NULL: neither has it. */
struct section *config_home(const struct loader *loader, struct section *section, enum key_id id);
/* A list key's good items, one after the other. */
struct item *config_first_item(const struct section *section, enum key_id id);
struct item *config_next_item(const struct item *item);
bool         config_has_bad(const struct section *section, enum key_id id);
/* False after an error: an mx is repeated when %d is filled in. Looked for once a list. */
bool config_check_mx_distinct(struct loader *loader, struct section *list);

/* ---- finish (config_finish.c) ---- */

/* Merges, judges and keeps the policies, and gives each domain its own. */
void config_finish_policies(struct loader *loader);

#endif
