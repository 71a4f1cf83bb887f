/*
 * txt_read on any bytes, as a record of either kind: what is told lies within them and in their
 * order, and a record that nothing is told of is one by another reading of the ABNF, too.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/txt.h"

enum { PRINTED_MAX = 2 * 1024 }; /* bytes of a record that is printed again */

static const char *const versions[] = { [TXT_STS] = "v=STSv1", [TXT_TLSRPT] = "v=TLSRPTv1" };

/* What one reading told. */
struct heard {
    struct txt_slice text;
    const char      *last; /* where the flaw before it begins */
    size_t           count;
    bool             is_missing; /* the id or the rua, which is told last */
    bool             is_almost;  /* something that only records have that almost begin */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_inside(struct txt_slice slice, struct txt_slice text)
{
    if (slice.len == 0)
        return;
    require(slice.at >= text.at && slice.at + slice.len <= text.at + text.len);
}

static void hear(void *context, enum txt_flaw flaw, struct txt_slice where)
{
    struct heard *heard = context;

    require(flaw <= TXT_NO_SEMICOLON && !heard->is_missing);
    require(where.len > 0 || heard->text.len == 0);
    require_inside(where, heard->text);
    heard->is_missing = flaw == TXT_NO_ID || (flaw == TXT_NO_RUA && where.len == heard->text.len);
    require(heard->is_missing || heard->last == NULL || where.at >= heard->last);
    heard->last = where.at;
    heard->is_almost = heard->is_almost || flaw == TXT_VERSION_NAME_CASE ||
                       flaw == TXT_VERSION_CASE || flaw == TXT_VERSION_NOT_FIRST ||
                       flaw >= TXT_BLANK_IN_FRONT;
    heard->count++;
}

static struct heard read_copy(enum txt_kind kind, struct txt_slice text, int dirt,
                              struct txt_record *record)
{
    struct heard heard = { .text = text };

    memset(record, dirt, sizeof *record);
    txt_read(kind, text, record, hear, &heard);
    require_inside(record->id, text);
    require_inside(record->rua, text);
    require(kind == TXT_STS ? record->rua.len + record->mails + record->https == 0
                            : record->id.len == 0);
    return heard;
}

static size_t skip(struct txt_slice text, size_t at, const char *these)
{
    while (at < text.len && text.at[at] != '\0' && strchr(these, text.at[at]) != NULL)
        at++;
    return at;
}

/* version ";" *WSP name "=" value [ *WSP ";" ] is all that nothing is told of. */
static bool is_flawless(enum txt_kind kind, struct txt_slice text, struct txt_slice value)
{
    const char *name = kind == TXT_STS ? "id=" : "rua=";
    size_t      at = strlen(versions[kind]);

    if (text.len < at + 1 || memcmp(text.at, versions[kind], at) != 0 || text.at[at] != ';')
        return false;
    at = skip(text, at + 1, " \t");
    if (text.len - at < strlen(name) || memcmp(text.at + at, name, strlen(name)) != 0)
        return false;
    at += strlen(name);
    if (text.at + at != value.at || value.len == 0)
        return false;
    at += value.len;
    if (at == text.len)
        return kind != TXT_STS || txt_id_is_good(value);
    at = skip(text, at, " \t");
    return at + 1 == text.len && text.at[at] == ';' && (kind != TXT_STS || txt_id_is_good(value));
}

static void require_good_uris(const struct txt_record *record)
{
    size_t uris = 1;

    for (size_t i = 0; i < record->rua.len; i++) {
        require(record->rua.at[i] != ';' && record->rua.at[i] != '!');
        uris += record->rua.at[i] == ',';
    }
    require(record->mails + record->https == uris);
}

/* Printed anew, it is flawless again and says the same. */
static void require_prints(enum txt_kind kind, const struct txt_record *record)
{
    char              text[PRINTED_MAX];
    struct txt_slice  value = kind == TXT_STS ? record->id : record->rua;
    struct txt_record again;
    int               len = snprintf(text, sizeof text, "%s; %s=%.*s;", versions[kind],
                       kind == TXT_STS ? "id" : "rua", (int)value.len, value.at);

    if ((size_t)len >= sizeof text)
        return;
    require(read_copy(kind, (struct txt_slice){ text, (size_t)len }, 0xff, &again).count == 0);
    require(again.id.len == record->id.len && again.rua.len == record->rua.len);
    require(again.mails == record->mails && again.https == record->https);
}

static void check(enum txt_kind kind, struct txt_slice text)
{
    struct txt_record record, again;
    bool              begins = txt_begins(kind, text);
    bool              almost = txt_almost_begins(kind, text);
    struct heard      heard = read_copy(kind, text, 0x00, &record);
    struct heard      heard_again = read_copy(kind, text, 0xff, &again);

    require(heard.count == heard_again.count && heard.last == heard_again.last);
    require(heard.count <= 2 * text.len + 1);
    require(!(begins && almost));
    require(!begins || !heard.is_almost);
    require(!almost || heard.count > 0);
    if (heard.count == 0 && begins) {
        if (kind == TXT_TLSRPT)
            require_good_uris(&record);
        require_prints(kind, &record);
    }
    if (begins && kind == TXT_STS)
        require((heard.count == 0) == is_flawless(kind, text, record.id));
    else if (begins && heard.count == 0)
        require(is_flawless(kind, text, record.rua));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);

    require(copy != NULL);
    memcpy(copy, data, size);
    check(TXT_STS, (struct txt_slice){ copy, size });
    check(TXT_TLSRPT, (struct txt_slice){ copy, size });
    free(copy);
    return 0;
}
