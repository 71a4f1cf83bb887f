/*
 * advise_state: what was seen of domains at earlier looks, in a file.
 *
 * Senders keep a policy for its max_age. So who wants to leave, or wants to know since when a policy is
 * out, has to remember what nobody can look up any more. The file is of lines, for people to read too:
 *
 *   mta-sts advise state 1
 *   DOMAIN first=TIME from=nothing|policy last=TIME mode=MODE since=TIME longest=SECONDS
 *          enforced=yes|no id=ID id_since=TIME mx=DIGEST mx_since=TIME          (on the same line)
 *
 * TIME is seconds since 1970; what is not known is "-". It is read strictly: anything unknown is an
 * error with its line, and then the file is not written. Domains that were not looked at stay. It is
 * written beside, synced, and renamed.
 */
#ifndef TOOL_ADVISE_STATE_H
#define TOOL_ADVISE_STATE_H

#include "common/hostname.h"
#include "common/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ADVISE_MX_DIGEST = 16,  /* hexadecimal digits */
    ADVISE_STATE_LINE = 800 /* bytes of a line, with its end and a NUL */
};

/* What is remembered of one domain. */
struct advise_seen {
    char             domain[HOSTNAME_MAX + 1]; /* canonical */
    int64_t          first;                    /* the first look */
    bool             from_policy;              /* there was a policy or a record already then */
    int64_t          last;     /* the last look at which a policy was in force; 0: never */
    enum policy_mode mode;     /* of the policy in force then; only where last is not 0 */
    int64_t          since;    /* the first of the looks that have found this mode */
    uint32_t         longest;  /* max_age, seconds, of all that was served; 0: nothing was */
    bool             enforced; /* mode enforce was among them */
    char             id[POLICY_ID_LEN + 1]; /* of the record; "": none yet */
    int64_t          id_since;
    char             mx[ADVISE_MX_DIGEST + 1]; /* of the MX hosts' names; "": not known */
    int64_t          mx_since;                 /* when they were seen to have changed; 0: never */
};

/* One look. */
struct advise_look {
    int64_t now;
    bool    published;     /* there is a record */
    bool    served;        /* there is a policy that senders would take, be there a record or not */
    bool    in_force;      /* both, and the record's id is that policy's */
    enum policy_mode mode; /* as served */
    uint32_t         max_age;                  /* as served, seconds */
    const char      *id;                       /* of the record; NULL: none */
    char             mx[ADVISE_MX_DIGEST + 1]; /* "": not known */
};

/* Is what is served in another mode than before, under the id of before? Then who knows that id does
   not look again (RFC 8461 section 3.1), and it is not in force, whatever else was seen. */
bool advise_state_is_same_id(const struct advise_seen *seen, const struct advise_look *look);

/* Puts a look behind the earlier ones; of a domain never seen, seen is all zero but for its name. */
void advise_state_note(struct advise_seen *seen, const struct advise_look *look);

/*
 * Until when senders may keep a policy that was served up to now, given that none of that kind is
 * served any more; while one in mode enforce is, as if it ended at the last look. What was served
 * before the first look is not known: its max_age is taken for the longest that there can be.
 */
int64_t advise_state_cached_until(const struct advise_seen *seen);

struct advise_state;

enum advise_state_result {
    ADVISE_STATE_FINE,
    ADVISE_STATE_BROKEN, /* the file cannot be read or written, or is none: why says so */
    ADVISE_STATE_NO_MEMORY
};

enum { ADVISE_STATE_WHY_MAX = 300 };

/* Reads a file; one that is not there is empty. *state is to be freed after any result. */
enum advise_state_result advise_state_read(const char *path, struct advise_state **state,
                                           char *why);

/* What is known of a domain, made where there was nothing; NULL: no memory. Valid until the next. */
struct advise_seen *advise_state_of(struct advise_state *state, const char *domain);

enum advise_state_result advise_state_write(const struct advise_state *state, const char *path,
                                            char *why);

void advise_state_free(struct advise_state *state); /* accepts NULL */

#endif
