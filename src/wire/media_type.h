/*
 * media_type: the value of a Content-Type field, read to the letter (RFC 9110 section 8.3).
 *
 * For policies: RFC 8461 section 3.2 wants text/plain, and senders differ in what else they mind
 * (docs/senders.md, rows H6 to H12). A pure function over borrowed bytes.
 */
#ifndef WIRE_MEDIA_TYPE_H
#define WIRE_MEDIA_TYPE_H

#include "wire/txt.h"

enum media_type_flaw {
    MEDIA_TYPE_OTHER = 1 << 0,    /* H5, H12: not text/plain in any case */
    MEDIA_TYPE_CASE = 1 << 1,     /* H11: text/plain but for case */
    MEDIA_TYPE_NO_VALUE = 1 << 2, /* H10: a parameter without "=" or without a value */
    MEDIA_TYPE_CHARSET = 1 << 3,  /* H9: a charset other than utf-8, us-ascii or iso-8859-N, in
                                          any case, which Python may not know */
    MEDIA_TYPE_BAD = 1 << 4,      /* what is no media type, or parameters that are none */
    MEDIA_TYPE_CHARSET_TWICE = 1 << 5
};

struct media_type {
    struct txt_slice type;    /* "text/plain" as written */
    struct txt_slice charset; /* as written, without quotation marks; empty: none */
    unsigned         flaws;   /* bits of enum media_type_flaw */
};

/* Reads the len bytes of a field's value, blanks around it allowed. */
void media_type_read(const char *bytes, size_t len, struct media_type *media_type);

#endif
