#include "common/hostname.h"
#include "tool/tlsrpt_internal.h"

#include <string.h>

/* --- Details */

static bool is_known_result(const char *type)
{
    static const char *const known[] = { /* RFC 8460 section 4.3 */
                                         "starttls-not-supported", "certificate-host-mismatch",
                                         "certificate-expired",    "certificate-not-trusted",
                                         "validation-failure",     "tlsa-invalid",
                                         "dnssec-invalid",         "dane-required",
                                         "sts-policy-fetch-error", "sts-policy-invalid",
                                         "sts-webpki-invalid"
    };

    for (size_t i = 0; type != NULL && i < sizeof(known) / sizeof(*known); i++) {
        if (strcmp(type, known[i]) == 0)
            return true;
    }
    return false;
}

static void read_detail(struct tlsrpt *report, const json_t *from, struct tlsrpt_detail *detail)
{
    detail->result_type = tlsrpt_text(report, from, "result-type");
    detail->sending_ip = tlsrpt_text(report, from, "sending-mta-ip");
    detail->host = tlsrpt_text(report, from, "receiving-mx-hostname");
    detail->helo = tlsrpt_text(report, from, "receiving-mx-helo");
    detail->receiving_ip = tlsrpt_text(report, from, "receiving-ip");
    detail->information = tlsrpt_text(report, from, "additional-information");
    detail->reason = tlsrpt_text(report, from, "failure-reason-code");
    detail->sessions = tlsrpt_count(report, from, "failed-session-count");
    if (!is_known_result(detail->result_type))
        tlsrpt_note(report, TLSRPT_ODD_RESULT_TYPE);
}

/* Whether the details tell of as many failed sessions as the summary does. */
static void compare_sums(struct tlsrpt *report, const struct tlsrpt_policy *policy)
{
    int64_t sum = 0;

    if (policy->failed > 0 && policy->detail_count == 0)
        tlsrpt_note(report, TLSRPT_ODD_NO_DETAILS);
    for (size_t i = 0; i < policy->detail_count; i++) {
        if (policy->details[i].sessions == TLSRPT_UNSAID)
            return;
        sum += policy->details[i].sessions;
    }
    if (policy->failed != TLSRPT_UNSAID && policy->detail_count > 0 && sum != policy->failed)
        tlsrpt_note(report, TLSRPT_ODD_SUM);
}

/* False: there is no memory. */
static bool read_details(struct tlsrpt *report, const json_t *list, struct tlsrpt_policy *policy)
{
    size_t  i;
    json_t *each;

    if (list != NULL && !json_is_null(list) && !json_is_array(list))
        tlsrpt_note(report, TLSRPT_ODD_FIELD);
    if (json_array_size(list) > 0) {
        policy->details = tlsrpt_zeros(json_array_size(list), sizeof(*policy->details));
        if (policy->details == NULL)
            return false;
    }
    json_array_foreach(list, i, each)
    {
        if (json_is_object(each))
            read_detail(report, each, &policy->details[policy->detail_count++]);
        else
            tlsrpt_note(report, TLSRPT_ODD_FIELD);
    }
    compare_sums(report, policy);
    return true;
}

/* --- Policies */

/* The mode in the lines of an MTA-STS policy (RFC 8461 section 3.2), if it is one of them. */
static enum tlsrpt_mode mode_of(const char *line)
{
    static const struct {
        const char      *name;
        enum tlsrpt_mode mode;
    } modes[] = { { "enforce", TLSRPT_MODE_ENFORCE },
                  { "testing", TLSRPT_MODE_TESTING },
                  { "none", TLSRPT_MODE_NONE } };
    size_t len;

    for (; line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, "\n\r\t ");
        if (strncmp(line, "mode:", strlen("mode:")) != 0)
            continue;
        line += strlen("mode:");
        line += strspn(line, " \t");
        len = strcspn(line, "\r\n \t");
        for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
            if (strlen(modes[i].name) == len && memcmp(line, modes[i].name, len) == 0)
                return modes[i].mode;
        }
    }
    return TLSRPT_MODE_UNSAID;
}

static void read_policy_line(struct tlsrpt *report, const json_t *value,
                             struct tlsrpt_policy *policy)
{
    const char *line = tlsrpt_text_of(report, value);

    if (line == NULL)
        return;
    if (strpbrk(line, "\r\n") != NULL)
        tlsrpt_note(report, TLSRPT_ODD_POLICY_LINES);
    if (policy->type == TLSRPT_STS && policy->mode == TLSRPT_MODE_UNSAID)
        policy->mode = mode_of(line);
}

static void read_policy_string(struct tlsrpt *report, const json_t *value,
                               struct tlsrpt_policy *policy)
{
    size_t  i;
    json_t *line;

    if (value == NULL || json_is_null(value)) {
        if (policy->type == TLSRPT_STS || policy->type == TLSRPT_TLSA)
            tlsrpt_note(report, TLSRPT_ODD_NO_POLICY_STRING);
        return;
    }
    if (json_is_string(value)) {
        tlsrpt_note(report, TLSRPT_ODD_POLICY_STRING);
        read_policy_line(report, value, policy);
    } else if (!json_is_array(value)) {
        tlsrpt_note(report, TLSRPT_ODD_FIELD);
    }
    json_array_foreach(value, i, line)
    {
        read_policy_line(report, line, policy);
    }
}

static void read_mx_host(struct tlsrpt *report, const json_t *value, enum tlsrpt_type type)
{
    if (value == NULL || json_is_null(value)) {
        if (type == TLSRPT_STS)
            tlsrpt_note(report, TLSRPT_ODD_NO_MX_HOST);
    } else if (json_is_string(value)) {
        tlsrpt_note(report, TLSRPT_ODD_MX_HOST);
    } else if (!json_is_array(value)) {
        tlsrpt_note(report, TLSRPT_ODD_FIELD);
    }
}

static enum tlsrpt_type read_type(struct tlsrpt *report, const json_t *policy)
{
    const char *text = tlsrpt_text(report, policy, "policy-type");

    if (text != NULL && strcmp(text, "sts") == 0)
        return TLSRPT_STS;
    if (text != NULL && strcmp(text, "tlsa") == 0)
        return TLSRPT_TLSA;
    if (text != NULL && strcmp(text, "no-policy-found") == 0)
        return TLSRPT_NONE;
    tlsrpt_note(report, TLSRPT_ODD_POLICY_TYPE);
    return TLSRPT_OTHER;
}

/* In its canonical form, which takes the text's place in the document. False: there is no memory. */
static bool read_domain(struct tlsrpt *report, const json_t *from, struct tlsrpt_policy *policy)
{
    json_t *value = json_object_get(from, "policy-domain");
    char    name[HOSTNAME_MAX + 1];

    policy->domain = tlsrpt_text_of(report, value);
    if (policy->domain == NULL) {
        tlsrpt_note(report, TLSRPT_ODD_NO_DOMAIN);
        return true;
    }
    if (hostname_canonical(policy->domain, strlen(policy->domain), HOSTNAME_MAX, name) !=
        HOSTNAME_OK) {
        tlsrpt_note(report, TLSRPT_ODD_DOMAIN_FORM);
        return true;
    }
    if (strcmp(policy->domain, name) != 0 && json_string_set(value, name) != 0)
        return false;
    policy->domain = json_string_value(value);
    return true;
}

static bool read_policy(struct tlsrpt *report, const json_t *from, struct tlsrpt_policy *policy)
{
    const json_t *told = tlsrpt_object(report, from, "policy");
    const json_t *summary = tlsrpt_object(report, from, "summary");

    policy->type = read_type(report, told);
    if (!read_domain(report, told, policy))
        return false;
    read_policy_string(report, json_object_get(told, "policy-string"), policy);
    read_mx_host(report, json_object_get(told, "mx-host"), policy->type);
    policy->worked = tlsrpt_count(report, summary, "total-successful-session-count");
    policy->failed = tlsrpt_count(report, summary, "total-failure-session-count");
    return read_details(report, json_object_get(from, "failure-details"), policy);
}

bool tlsrpt_policies(struct tlsrpt *report, const json_t *list)
{
    size_t  i;
    json_t *each;

    if (json_array_size(list) == 0) {
        tlsrpt_note(report, TLSRPT_ODD_NO_POLICIES);
        return true;
    }
    report->policies = tlsrpt_zeros(json_array_size(list), sizeof(*report->policies));
    if (report->policies == NULL)
        return false;
    json_array_foreach(list, i, each)
    {
        if (!json_is_object(each))
            tlsrpt_note(report, TLSRPT_ODD_FIELD);
        else if (!read_policy(report, each, &report->policies[report->policy_count++]))
            return false;
    }
    return true;
}
