#include "tool/report_words.h"
#include "common/hostname.h"
#include "tool/datetime.h"
#include "tool/report_sums.h"

#include <stdio.h>
#include <string.h>

/* RFC 8460 sections 4.3.1 and 4.3.2. */
static const struct report_words words[] = {
    { "starttls-not-supported", "it did not offer STARTTLS",
      "turn STARTTLS on there, and let no firewall take it out of its greeting" },
    { "certificate-host-mismatch", "its certificate is for other names",
      "give it one that covers the name in the MX record" },
    { "certificate-expired", "its certificate has expired",
      "renew its certificate, and let the mail server load it" },
    { "certificate-not-trusted", "no CA that the sender trusts stands behind its certificate",
      "give it one of a public CA, with the intermediates" },
    { "validation-failure", "TLS failed, and the sender says no more",
      "read its log of that time, and try it: openssl s_client -starttls smtp -connect HOST:25" },
    { "tlsa-invalid", "none of its TLSA records is valid",
      "publish TLSA records that match its certificate" },
    { "dnssec-invalid", "its DNS records came with signatures that are not valid",
      "have the zone signed again, and look at its DS record" },
    { "dane-required", "the sender insists on DANE, and there is no TLSA record with DNSSEC",
      "publish TLSA records for it in a signed zone" },
    { "sts-policy-fetch-error", "the policy could not be fetched",
      "fetch https://mta-sts.DOMAIN/.well-known/mta-sts.txt from outside: it must be answered with "
      "status 200, without a redirect" },
    { "sts-policy-invalid", "the policy was fetched, and is not well formed",
      "compare what is served at https://mta-sts.DOMAIN/.well-known/mta-sts.txt with RFC 8461" },
    { "sts-webpki-invalid", "the policy host's certificate is not valid",
      "look at the certificate of mta-sts.DOMAIN: its names, its end, its intermediates" },
};

static const struct report_words unknown = { "", "RFC 8460 does not have this type",
                                             "ask the sender what it means" };

const struct report_words *report_words_find(const char *type)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcmp(words[i].type, type) == 0)
            return &words[i];
    }
    return &unknown;
}

size_t report_words_replaced(const char *text, const char *word, const char *value)
{
    char   name[HOSTNAME_MAX + 1];
    size_t len = strlen(word);

    if (strncmp(text, word, len) != 0 ||
        hostname_canonical(value, strlen(value), HOSTNAME_MAX, name) != HOSTNAME_OK)
        return 0;
    return len;
}

const char *report_day_text(int32_t day, char out[REPORT_DAY_TEXT_MAX])
{
    if (day != REPORT_NO_DAY)
        return datetime_day_text(day, out);
    snprintf(out, REPORT_DAY_TEXT_MAX, "a day not said");
    return out;
}
