/*
 * txt: the TXT records of MTA-STS and TLSRPT, read to the letter (RFC 8461 section 3.1, RFC 8460
 * section 3).
 *
 * The records of one name go in as they came from DNS, and out come the one that counts, what its
 * fields say, and each slip in it: also those that the RFC allows and a strict sender does not
 * (docs/senders.md, whose rows stand beside). Pure functions over borrowed bytes, no allocation.
 */
#ifndef WIRE_TXT_H
#define WIRE_TXT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    TXT_ID_MAX = 32,  /* characters of an id */
    TXT_NAME_MAX = 32 /* characters of a field's name */
};

struct txt_slice {
    const char *at; /* into the caller's bytes; not NUL-terminated, and may hold any byte */
    size_t      len;
};

enum txt_kind { TXT_STS, TXT_TLSRPT };

/* What is to be told about one record. Rows D are of TXT_STS, rows R of TXT_TLSRPT. */
enum txt_flaw {
    TXT_BLANK_BEFORE_SEMICOLON, /* D10, R5: before the ";" of the version */
    TXT_BLANK_AT_END,           /* D11: with no ";" before it */
    TXT_BLANK_AFTER_LAST,       /* D12: behind the last ";" */
    TXT_EMPTY_FIELD,            /* D13: nothing between two ";" */
    TXT_VERSION_NAME_CASE,      /* D14: "V=STSv1" */
    TXT_VERSION_CASE,           /* D15, R7: "v=stsv1" */
    TXT_VERSION_NOT_FIRST,      /* D16 */
    TXT_UNKNOWN_FIELD,          /* D17: well-formed */
    TXT_COLON,                  /* D18: of an unknown field's value (TXT_STS alone) */
    TXT_NO_EQUALS,              /* D19: a word that is no field */
    TXT_BAD_FIELD,              /* a field whose name or value the ABNF does not allow, a byte that
                                   is no visible ASCII or blank included */
    TXT_NO_ID,                  /* D4 */
    TXT_EMPTY_ID,               /* D5 */
    TXT_LONG_ID,                /* D6 */
    TXT_BAD_ID,                 /* D7: other than letters and digits */
    TXT_ID_TWICE,               /* D20 */
    TXT_NO_RUA,                 /* R3: none, or an empty one */
    TXT_RUA_NOT_SECOND,         /* R4 */
    TXT_RUA_TWICE,
    TXT_RUA_COMMA, /* R8: a URI, and behind its comma pieces without a scheme; where is all of it */
    TXT_RUA_BANG,  /* R9: "!" and what DMARC has behind it */
    TXT_RUA_HTTP,  /* R10, R11: http: */
    TXT_RUA_SCHEME, /* neither mailto: nor https: nor http: */
    TXT_RUA_BAD,    /* a URI of those schemes that is malformed: no address, no host, a byte that
                       must be encoded; or a comma with nothing before or behind it */
    /* Slips of records that only almost begin as they should. */
    TXT_BLANK_IN_FRONT, /* a blank before all else */
    TXT_QUOTED,         /* quotation marks in front of the record, or around its version */
    TXT_NO_SEMICOLON,   /* behind the version stands something else */
    TXT_FLAWS           /* how many there are */
};

struct txt_record {
    struct txt_slice id;    /* TXT_STS: of the first id field; empty: none */
    struct txt_slice rua;   /* TXT_TLSRPT: of the first rua field, whole; empty: none */
    size_t           mails; /* TXT_TLSRPT: well-formed mailto: URIs in rua */
    size_t           https; /* and https: URIs; mails == 0 and https > 0 is R12 */
};

/*
 * Does the record begin as the RFC says that one of this kind does: "v=STSv1" or "v=TLSRPTv1",
 * then blanks or none, and ";" or the end? Only such are counted: with two of them there is no
 * policy (D1, R1), and all others are passed over (D2, R2).
 */
bool txt_begins(enum txt_kind kind, struct txt_slice record);

/*
 * Would it, but for case, blanks, the order of its fields, a quotation mark or what stands behind
 * the version: is it what somebody meant to be one? For "did you mean"; false for those that
 * txt_begins takes.
 */
bool txt_almost_begins(enum txt_kind kind, struct txt_slice record);

/*
 * Reads a record that txt_begins or txt_almost_begins takes. flaw is called for each slip, in the
 * order of the bytes (what is missing comes last); where is the part of the record that it is
 * about, never empty, the whole of it for what is missing. Behind the first id or rua, a second one
 * is told and not looked at. Blanks around an "=" are TXT_BAD_FIELD, and an id or rua is read all
 * the same.
 */
void txt_read(enum txt_kind kind, struct txt_slice text, struct txt_record *record,
              void (*flaw)(void *context, enum txt_flaw flaw, struct txt_slice where),
              void *context);

/* By RFC 8461 section 3.1, is the id 1 to 32 letters and digits? */
bool txt_id_is_good(struct txt_slice id);

#endif
