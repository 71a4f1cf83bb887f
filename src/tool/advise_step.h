/*
 * advise_step: the next safe step for a domain, what speaks for it, and what is missing for a better.
 *
 * A pure function of what is configured, what was seen from outside, what reports prove, and what was
 * seen before. It would rather say "wait" once too often: nothing that senders keep (RFC 8461 section
 * 3.2: max_age) is advised on less than ADVISE_DAYS days of reports from ADVISE_SENDERS senders.
 */
#ifndef TOOL_ADVISE_STEP_H
#define TOOL_ADVISE_STEP_H

#include "tool/advise_evidence.h"
#include "tool/advise_state.h"

enum {
    ADVISE_AGE_FIRST = 604800, /* seconds: of testing, and of enforce at first */
    ADVISE_AGE_TOP = 31557599, /* seconds: at 31557600 itself Stalwart makes it a day */
    ADVISE_AGE_LEAVING = 86400 /* seconds: of mode none */
};

enum advise_step {
    ADVISE_LOOK_AGAIN, /* too little could be looked at to say anything */
    ADVISE_MEND,       /* what check finds comes first */
    ADVISE_FAILURES,   /* what senders report as failed comes first */
    ADVISE_NOT_NEEDED, /* no mail comes here, and there is no policy: nothing to do */
    /* the way in */
    ADVISE_CONFIGURE,  /* a section in mode testing */
    ADVISE_TAKE_BACK,  /* configured is enforce, for which it is too early: back to testing */
    ADVISE_SERVE,      /* the policy host, its certificate, the server */
    ADVISE_RELOAD,     /* have the server take the configuration up */
    ADVISE_REPORTS,    /* publish where reports go */
    ADVISE_PUBLISH,    /* publish the record */
    ADVISE_PUBLISH_ID, /* publish the configured policy's id */
    ADVISE_WAIT,       /* for what is missing */
    ADVISE_ENFORCE,
    ADVISE_MAX_AGE, /* another max_age */
    ADVISE_KEEP,    /* all is done */
    /* the way out */
    ADVISE_RESTORE, /* the record is gone, and senders still keep what is enforced: put it back */
    ADVISE_LEAVE,   /* mode none with a short max_age */
    ADVISE_LEAVE_WAIT, /* until nobody keeps an older policy */
    ADVISE_REMOVE,     /* the record, then the section and the policy host */
    ADVISE_LEFT,       /* the record is gone: the section and the policy host may go */
    ADVISE_STEPS
};

/* Why not yet: bits. */
enum advise_missing {
    ADVISE_MISSING_REPORTS = 1,  /* no reports were given */
    ADVISE_MISSING_DAYS = 2,     /* too few */
    ADVISE_MISSING_SENDERS = 4,  /* too few */
    ADVISE_MISSING_FRESH = 8,    /* the last report is old */
    ADVISE_MISSING_MX_LOOK = 16, /* the MX hosts were not looked at */
    ADVISE_MISSING_UNREAD = 64,  /* reports that were given, and who knows what they say */
    ADVISE_MISSING_STATE = 32    /* since when this max_age is served is not known */
};

/* All that is known of a domain. */
struct advise_situation {
    int64_t          now;
    bool             looked;  /* DNS answered, and the policy host could be tried */
    bool             null_mx; /* no mail comes here (RFC 7505) */
    bool             configured;
    enum policy_mode configured_mode;
    uint32_t         configured_max_age; /* seconds */
    bool             published;          /* there is a record */
    bool             stale;              /* its id is not the configured policy's */
    bool             served;             /* a policy is */
    enum policy_mode mode;
    uint32_t         max_age;       /* seconds */
    bool             as_configured; /* what is served is; true where nothing is configured */
    bool             reports;       /* there is a record that says where reports go */
    uint32_t         problems;      /* that check has, those apart that are in a bool above */
    bool             mx_looked_at;  /* the MX hosts' STARTTLS and certificates were */
    const struct advise_evidence *evidence;
    const struct advise_seen     *seen; /* with this look in it; NULL: there is no state */
};

struct advice {
    enum advise_step step;
    unsigned         missing;   /* of enum advise_missing */
    bool             change;    /* the section's mode and max_age are to be: */
    enum policy_mode mode;      /* such */
    uint32_t         max_age;   /* seconds */
    int64_t          ask_again; /* when; 0: when this is done */
    int64_t          until;   /* senders may keep a policy until then; 0: nothing is known of it */
    bool             assumed; /* until is for want of state the longest that there can be */
};

/* Since which day reports count, by what was seen before: REPORT_NO_DAY, any. */
int32_t advise_evidence_since(const struct advise_seen *seen);

struct advice advise_next(const struct advise_situation *situation);

/* The next max_age above this one: a week, and then twice as much each time. */
uint32_t advise_longer(uint32_t max_age);

const char *advise_step_name(enum advise_step step); /* "publish-id" */

#endif
