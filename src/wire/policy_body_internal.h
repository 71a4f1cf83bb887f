/*
 * policy_body_internal: what policy_body and its parts share: a body that is being read.
 */
#ifndef WIRE_POLICY_BODY_INTERNAL_H
#define WIRE_POLICY_BODY_INTERNAL_H

#include "wire/policy_body.h"

enum policy_body_key { KEY_VERSION, KEY_MODE, KEY_MX, KEY_MAX_AGE, KEYS };

struct policy_body_reader {
    struct policy_body *body;
    void (*mx)(void *context, struct txt_slice pattern, unsigned line);
    void (*flaw)(void *context, enum policy_body_flaw flaw, struct txt_slice where, unsigned line);
    void            *context;
    unsigned         line;        /* counts from 1 */
    const char      *content_end; /* of the body without the line ends and blanks behind it */
    size_t           fields;      /* lines read so far that have a key */
    unsigned         seen;        /* bits of enum policy_body_key: in exactly these letters */
    unsigned         meant;       /* likewise: in any case */
    bool             has_lf;      /* what is told once has been */
    bool             has_cr;
    bool             has_control;
    bool             was_empty;                        /* the line before */
    struct txt_slice names[POLICY_BODY_MX_REMEMBERED]; /* of the first mx lines, each once */
    size_t           name_count;
};

static inline void policy_body_tell(struct policy_body_reader *reader, enum policy_body_flaw flaw,
                                    struct txt_slice where)
{
    reader->flaw(reader->context, flaw, where, reader->line);
}

/* The bytes of a UTF-8 sequence beyond ASCII that text begins with; 0: none that is well-formed. */
size_t policy_body_utf8_len(struct txt_slice text);

/* Judges the value of an mx line; field is all of the line. */
void policy_body_read_mx(struct policy_body_reader *reader, struct txt_slice field,
                         struct txt_slice value);

/* Judges the value of max_age, and takes it. */
void policy_body_read_age(struct policy_body_reader *reader, struct txt_slice field,
                          struct txt_slice value);

#endif
