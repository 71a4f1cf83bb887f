#include "tool/tlsrpt.h"

static const struct {
    const char *name, *text;
} odds[] = {
    [TLSRPT_ODD_LABEL] = { "label", "labelled gzip without being it, or the other way round" },
    [TLSRPT_ODD_BOM] = { "bom", "a byte order mark" },
    [TLSRPT_ODD_UTF8] = { "utf8", "bytes that are no UTF-8 (read as \"?\")" },
    [TLSRPT_ODD_CONTROL] = { "control", "control characters in a text (read as blanks)" },
    [TLSRPT_ODD_KEY_TWICE] = { "key-twice", "a key twice in one object (the last one counts)" },
    [TLSRPT_ODD_FIELD] = { "field", "a value of another kind than RFC 8460 says (passed over)" },
    [TLSRPT_ODD_LONG] = { "long", "a text far too long (passed over)" },
    [TLSRPT_ODD_EMPTY] = { "empty", "an empty text" },
    [TLSRPT_ODD_NO_ORGANIZATION] = { "no-organization", "no organization-name" },
    [TLSRPT_ODD_NO_CONTACT] = { "no-contact", "no contact-info" },
    [TLSRPT_ODD_NO_ID] = { "no-id", "no report-id" },
    [TLSRPT_ODD_NO_DATES] = { "no-dates", "a date that is missing, or cannot be read" },
    [TLSRPT_ODD_DATE_FORM] = { "date-form", "a date that is not as RFC 3339 says (without a zone: "
                                            "read as UTC)" },
    [TLSRPT_ODD_RANGE] = { "range", "another range than 00:00:00 to 23:59:59 of one day" },
    [TLSRPT_ODD_NO_POLICIES] = { "no-policies", "an empty list of policies" },
    [TLSRPT_ODD_NO_DOMAIN] = { "no-domain", "no policy-domain" },
    [TLSRPT_ODD_DOMAIN_FORM] = { "domain-form", "a policy-domain that is no name in A-labels" },
    [TLSRPT_ODD_POLICY_TYPE] = { "policy-type", "a policy-type that is missing or unknown" },
    [TLSRPT_ODD_NO_POLICY_STRING] = { "no-policy-string", "no policy-string" },
    [TLSRPT_ODD_POLICY_STRING] = { "policy-string", "a policy-string that is no array" },
    [TLSRPT_ODD_POLICY_LINES] = { "policy-lines", "line ends within policy-string" },
    [TLSRPT_ODD_NO_MX_HOST] = { "no-mx-host", "no mx-host" },
    [TLSRPT_ODD_MX_HOST] = { "mx-host", "an mx-host that is no array" },
    [TLSRPT_ODD_COUNT_FORM] = { "count-form", "a number of sessions that is written oddly" },
    [TLSRPT_ODD_COUNT] = { "count", "a number of sessions that cannot be one (not counted)" },
    [TLSRPT_ODD_NO_SUMMARY] = { "no-summary", "a number of sessions that is missing" },
    [TLSRPT_ODD_NO_DETAILS] = { "no-details", "failed sessions without details" },
    [TLSRPT_ODD_SUM] = { "sum", "details that add up to another number than the summary's" },
    [TLSRPT_ODD_RESULT_TYPE] = { "result-type", "a result-type that RFC 8460 does not have" },
};

const char *tlsrpt_odd_text(enum tlsrpt_odd odd)
{
    return odds[odd].text;
}

const char *tlsrpt_odd_name(enum tlsrpt_odd odd)
{
    return odds[odd].name;
}
