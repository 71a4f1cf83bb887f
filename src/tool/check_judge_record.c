/* The TXT records: _mta-sts (RFC 8461 section 3.1) and _smtp._tls (RFC 8460 section 3). */
#include "tool/check_judge_internal.h"

#include <string.h>

#define NOTHING CHECK_CODES /* a slip that is none, or that cannot be in a record of this kind */

static const enum check_code sts_codes[] = {
    [TXT_BLANK_BEFORE_SEMICOLON] = RECORD_BLANK_BEFORE_SEMICOLON,
    [TXT_BLANK_AT_END] = RECORD_BLANK_AT_END,
    [TXT_BLANK_AFTER_LAST] = RECORD_BLANK_AFTER_LAST,
    [TXT_EMPTY_FIELD] = RECORD_EMPTY_FIELD,
    [TXT_VERSION_NAME_CASE] = RECORD_VERSION_NAME_CASE,
    [TXT_VERSION_CASE] = RECORD_VERSION_CASE,
    [TXT_VERSION_NOT_FIRST] = RECORD_VERSION_NOT_FIRST,
    [TXT_UNKNOWN_FIELD] = RECORD_UNKNOWN_FIELD,
    [TXT_COLON] = RECORD_COLON,
    [TXT_NO_EQUALS] = RECORD_NO_EQUALS,
    [TXT_BAD_FIELD] = RECORD_BAD_FIELD,
    [TXT_NO_ID] = RECORD_NO_ID,
    [TXT_EMPTY_ID] = RECORD_EMPTY_ID,
    [TXT_LONG_ID] = RECORD_LONG_ID,
    [TXT_BAD_ID] = RECORD_BAD_ID,
    [TXT_ID_TWICE] = RECORD_ID_TWICE,
    [TXT_NO_RUA] = NOTHING,
    [TXT_RUA_NOT_SECOND] = NOTHING,
    [TXT_RUA_TWICE] = NOTHING,
    [TXT_RUA_COMMA] = NOTHING,
    [TXT_RUA_BANG] = NOTHING,
    [TXT_RUA_HTTP] = NOTHING,
    [TXT_RUA_SCHEME] = NOTHING,
    [TXT_RUA_BAD] = NOTHING,
    [TXT_BLANK_IN_FRONT] = RECORD_ALMOST,
    [TXT_QUOTED] = RECORD_ALMOST,
    [TXT_NO_SEMICOLON] = RECORD_ALMOST,
};

static const enum check_code tlsrpt_codes[] = {
    [TXT_BLANK_BEFORE_SEMICOLON] = REPORTS_BLANK_BEFORE_SEMICOLON,
    [TXT_BLANK_AT_END] = REPORTS_BAD_FIELD,
    [TXT_BLANK_AFTER_LAST] = NOTHING,
    [TXT_EMPTY_FIELD] = REPORTS_BAD_FIELD,
    [TXT_VERSION_NAME_CASE] = REPORTS_VERSION_CASE,
    [TXT_VERSION_CASE] = REPORTS_VERSION_CASE,
    [TXT_VERSION_NOT_FIRST] = REPORTS_ALMOST,
    [TXT_UNKNOWN_FIELD] = REPORTS_UNKNOWN_FIELD,
    [TXT_COLON] = NOTHING,
    [TXT_NO_EQUALS] = REPORTS_BAD_FIELD,
    [TXT_BAD_FIELD] = REPORTS_BAD_FIELD,
    [TXT_NO_ID] = NOTHING,
    [TXT_EMPTY_ID] = NOTHING,
    [TXT_LONG_ID] = NOTHING,
    [TXT_BAD_ID] = NOTHING,
    [TXT_ID_TWICE] = NOTHING,
    [TXT_NO_RUA] = REPORTS_NO_RUA,
    [TXT_RUA_NOT_SECOND] = REPORTS_RUA_NOT_SECOND,
    [TXT_RUA_TWICE] = REPORTS_RUA_TWICE,
    [TXT_RUA_COMMA] = REPORTS_RUA_COMMA,
    [TXT_RUA_BANG] = REPORTS_RUA_BANG,
    [TXT_RUA_HTTP] = REPORTS_RUA_HTTP,
    [TXT_RUA_SCHEME] = REPORTS_RUA_BAD,
    [TXT_RUA_BAD] = REPORTS_RUA_BAD,
    [TXT_BLANK_IN_FRONT] = REPORTS_ALMOST,
    [TXT_QUOTED] = REPORTS_ALMOST,
    [TXT_NO_SEMICOLON] = REPORTS_ALMOST,
};

_Static_assert(sizeof(sts_codes) == TXT_FLAWS * sizeof(enum check_code), "each slip has a code");
_Static_assert(sizeof(tlsrpt_codes) == TXT_FLAWS * sizeof(enum check_code), "each slip has a code");

/* The records of one name that are, or may have been meant to be, of one kind. */
struct candidates {
    size_t                        good;   /* that begin as they should */
    const struct resolver_record *first;  /* of them */
    const struct resolver_record *almost; /* the first that almost does; NULL: none */
};

/* While one record is read. */
struct reading {
    struct judge          *judge;
    const enum check_code *codes;
    bool http; /* an http: URI was found, to be told when it is known what else is there */
    struct txt_slice http_uri;
};

static struct txt_slice text_of(const struct resolver_record *record)
{
    return (struct txt_slice){ record->text, record->len };
}

static struct candidates choose(enum txt_kind kind, const struct resolver_answer *answer)
{
    struct candidates candidates = { 0 };

    for (size_t i = 0; i < answer->count; i++) {
        const struct resolver_record *record = &answer->records[i];

        if (txt_begins(kind, text_of(record))) {
            if (candidates.good++ == 0)
                candidates.first = record;
        } else if (candidates.almost == NULL && txt_almost_begins(kind, text_of(record))) {
            candidates.almost = record;
        }
    }
    return candidates;
}

static void on_flaw(void *context, enum txt_flaw flaw, struct txt_slice where)
{
    struct reading *reading = context;
    enum check_code code = reading->codes[flaw];

    if (code == REPORTS_RUA_HTTP) {
        reading->http = true;
        reading->http_uri = where;
    } else if (code != NOTHING) {
        judge_find(reading->judge, code, NULL, "\"%s\"", judge_quote(reading->judge, where));
    }
}

static struct txt_record read_record(struct reading *reading, enum txt_kind kind,
                                     const struct resolver_record *text)
{
    struct txt_record record;

    txt_read(kind, text_of(text), &record, on_flaw, reading);
    return record;
}

/* --- _mta-sts */

static void judge_id(struct judge *judge, struct txt_slice id)
{
    const struct check_facts *facts = judge->facts;
    char                      configured[POLICY_ID_LEN + 1];

    if (id.len == 0)
        return;
    judge->out->id = judge_quote(judge, id);
    if (facts->configured == NULL)
        return;
    policy_id(facts->configured, facts->domain, strlen(facts->domain), configured);
    if (strlen(configured) != id.len || memcmp(configured, id.at, id.len) != 0)
        judge_find(judge, RECORD_STALE, NULL, "the record has id %s, the configured policy %s",
                   judge->out->id, configured);
}

static void judge_the_record(struct judge *judge, const struct resolver_record *record)
{
    struct reading reading = { .judge = judge, .codes = sts_codes };
    size_t         others = judge->facts->record.count - 1;

    if (others > 0)
        judge_find(judge, RECORD_BESIDE, NULL, "%zu other TXT record%s at _mta-sts.%s", others,
                   others == 1 ? "" : "s", judge->facts->domain);
    if (record->strings > 1)
        judge_find(judge, RECORD_SPLIT, NULL, "it is in %u strings", record->strings);
    judge_id(judge, read_record(&reading, TXT_STS, record).id);
}

/* Is there one among these findings for which no sender counts the record? */
static bool is_refused(const struct check_finding *finding)
{
    while (finding != NULL && finding->rfc != EFFECT_NO_POLICY && finding->rfc != EFFECT_NO_REPORTS)
        finding = finding->next;
    return finding != NULL;
}

static void judge_no_record(struct judge *judge, const struct resolver_record *almost)
{
    struct reading         reading = { .judge = judge, .codes = sts_codes };
    const char            *domain = judge->facts->domain;
    size_t                 count = judge->facts->record.count;
    struct check_finding **before = judge->last;

    if (almost != NULL) {
        read_record(&reading, TXT_STS, almost);
        if (!is_refused(*before))
            judge_find(judge, RECORD_ALMOST, NULL, "\"%s\"", judge_quote(judge, text_of(almost)));
    } else if (count == 0) {
        judge_find(judge, RECORD_MISSING, NULL, "there is no TXT record at _mta-sts.%s", domain);
    } else {
        judge_find(judge, RECORD_MISSING, NULL,
                   "of the TXT records at _mta-sts.%s (%zu), none begins with v=STSv1;", domain,
                   count);
    }
}

void judge_record(struct judge *judge)
{
    const struct resolver_answer *answer = &judge->facts->record;
    struct candidates             candidates = choose(TXT_STS, answer);

    if (judge_unanswered(answer)) {
        judge_find(judge, RECORD_DNS_FAILED, NULL, "TXT _mta-sts.%s: %s", judge->facts->domain,
                   answer->why);
        return;
    }
    if (candidates.good > 0)
        judge_see(judge, STEP_RECORD, "\"%s\"", judge_quote(judge, text_of(candidates.first)));
    if (candidates.good > 1)
        judge_find(judge, RECORD_TWO, NULL, "%zu records begin with v=STSv1;", candidates.good);
    else if (candidates.good == 1)
        judge_the_record(judge, candidates.first);
    else
        judge_no_record(judge, candidates.almost);
}

/* --- _smtp._tls */

static void judge_the_reports(struct judge *judge, const struct resolver_record *text)
{
    struct reading    reading = { .judge = judge, .codes = tlsrpt_codes };
    struct txt_record record = read_record(&reading, TXT_TLSRPT, text);
    bool              alone = record.mails + record.https == 0;

    if (reading.http)
        judge_find(judge, alone ? REPORTS_RUA_HTTP_ALONE : REPORTS_RUA_HTTP, NULL, "\"%s\"",
                   judge_quote(judge, reading.http_uri));
    if (record.mails == 0 && record.https > 0)
        judge_find(judge, REPORTS_RUA_HTTPS_ALONE, NULL, "\"%s\"", judge_quote(judge, record.rua));
}

static void judge_no_reports(struct judge *judge, const struct resolver_record *almost)
{
    struct reading         reading = { .judge = judge, .codes = tlsrpt_codes };
    struct check_finding **before = judge->last;

    if (almost == NULL) {
        judge_find(judge, REPORTS_MISSING, NULL, "there is no such TXT record at _smtp._tls.%s",
                   judge->facts->domain);
        return;
    }
    read_record(&reading, TXT_TLSRPT, almost);
    if (!is_refused(*before))
        judge_find(judge, REPORTS_ALMOST, NULL, "\"%s\"", judge_quote(judge, text_of(almost)));
}

void judge_reports(struct judge *judge)
{
    const struct resolver_answer *answer = &judge->facts->reports;
    struct candidates             candidates = choose(TXT_TLSRPT, answer);

    if (judge_unanswered(answer)) {
        judge_find(judge, REPORTS_DNS_FAILED, NULL, "TXT _smtp._tls.%s: %s", judge->facts->domain,
                   answer->why);
        return;
    }
    if (candidates.good > 0)
        judge_see(judge, STEP_REPORTS, "\"%s\"", judge_quote(judge, text_of(candidates.first)));
    if (candidates.good > 1)
        judge_find(judge, REPORTS_TWO, NULL, "%zu records begin with v=TLSRPTv1;", candidates.good);
    else if (candidates.good == 1)
        judge_the_reports(judge, candidates.first);
    else
        judge_no_reports(judge, candidates.almost);
}
