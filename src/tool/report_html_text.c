#include "tool/printable.h"
#include "tool/report_html_internal.h"
#include "tool/report_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* U+202F: narrow, and no line is broken at it. */
#define THIN "\xe2\x80\xaf"

/* What comes after the first error has errors of its own. */
static void note_error(struct html_page *page)
{
    if (page->error == 0 && ferror(page->out))
        page->error = errno != 0 ? errno : EIO;
}

void html_put(struct html_page *page, const char *markup)
{
    fputs(markup, page->out);
    note_error(page);
}

void html_putf(struct html_page *page, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(page->out, format, arguments);
    va_end(arguments);
    note_error(page);
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return "&#39;";
    }
}

void html_text(struct html_page *page, const char *text)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "&<>\"'");

        printable_put_bytes(text, plain, page->out);
        text += plain;
        if (*text != '\0')
            fputs(entity(*text++), page->out);
    }
    note_error(page);
}

void html_number(struct html_page *page, uint64_t number)
{
    char   digits[24];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);

    for (size_t i = 0; i < len; i++)
        html_putf(page, "%s%c", i > 0 && (len - i) % 3 == 0 ? THIN : "", digits[i]);
}

void html_count(struct html_page *page, uint64_t number, const char *noun)
{
    html_number(page, number);
    html_putf(page, " %s%s", noun, number == 1 ? "" : "s");
}

void html_share(struct html_page *page, uint64_t failed, uint64_t worked)
{
    double share = 100.0 * (double)failed / ((double)failed + (double)worked);

    if (failed == 0 && worked == 0)
        return;
    if (failed == 0)
        html_put(page, "0" THIN "%");
    else if (share < 0.1)
        html_put(page, "under 0.1" THIN "%");
    else if (worked > 0 && share > 99.9)
        html_put(page, "over 99.9" THIN "%");
    else
        html_putf(page, "%.*f" THIN "%%", worked == 0 ? 0 : 1, share);
}

void html_day(struct html_page *page, int32_t day)
{
    char text[REPORT_DAY_TEXT_MAX];

    html_put(page, report_day_text(day, text));
}

void html_days(struct html_page *page, int32_t first, int32_t last)
{
    html_put(page, "<span class=\"whole\">");
    if (first != last && first != REPORT_NO_DAY) {
        html_day(page, first);
        html_put(page, " to</span> <span class=\"whole\">");
    }
    html_day(page, last);
    html_put(page, "</span>");
}

void html_domain_name(struct html_page *page, const char *domain)
{
    html_text(page, *domain != '\0' ? domain : "(no domain said)");
}

void html_sender_name(struct html_page *page, const char *sender)
{
    html_text(page, *sender != '\0' ? sender : "a sender without a name");
}

const char *html_type_title(enum tlsrpt_type type)
{
    static const char *const titles[] = { [TLSRPT_STS] = "MTA-STS",
                                          [TLSRPT_TLSA] = "DANE",
                                          [TLSRPT_NONE] = "No policy",
                                          [TLSRPT_OTHER] = "Another policy type" };

    return titles[type];
}

const char *html_mode_name(enum tlsrpt_mode mode)
{
    static const char *const names[] = { [TLSRPT_MODE_UNSAID] = "",
                                         [TLSRPT_MODE_NONE] = "none",
                                         [TLSRPT_MODE_TESTING] = "testing",
                                         [TLSRPT_MODE_ENFORCE] = "enforce" };

    return names[mode];
}
