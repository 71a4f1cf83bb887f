/*
 * txt_internal: what txt and its part txt_rua share: a record that is being read.
 */
#ifndef WIRE_TXT_INTERNAL_H
#define WIRE_TXT_INTERNAL_H

#include "wire/txt.h"

struct txt_reader {
    enum txt_kind      kind;
    struct txt_record *record;
    void (*flaw)(void *context, enum txt_flaw flaw, struct txt_slice where);
    void  *context;
    size_t fields; /* read so far, the version included */
    bool   has_version;
    bool   has_wanted;        /* the id or the rua */
    bool   is_behind_version; /* with nothing else in between */
};

static inline void txt_tell(struct txt_reader *reader, enum txt_flaw flaw, struct txt_slice where)
{
    reader->flaw(reader->context, flaw, where);
}

/* Reads the value of a rua field: its URIs are counted, and what is wrong with each is told. */
void txt_rua_read(struct txt_reader *reader, struct txt_slice value);

#endif
