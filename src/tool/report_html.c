#include "tool/report_html.h"
#include "tool/report_html_internal.h"
#include "tool/report_words.h"

#include <errno.h>

/* --- Head */

/* ": example.org", or how many there are; with markup around it. */
static void put_subject(struct html_page *page, const char *before, const char *behind)
{
    const struct html_model *model = page->model;

    if (model->domain_count == 0)
        return;
    html_putf(page, ": %s", before);
    if (model->domain_count == 1)
        html_domain_name(page, model->domains->views->domain);
    else
        html_count(page, model->domain_count, "domain");
    html_put(page, behind);
}

static void put_head(struct html_page *page)
{
    html_put(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"color-scheme\" content=\"light dark\">\n"
                   "<meta name=\"referrer\" content=\"no-referrer\">\n"
                   "<meta name=\"robots\" content=\"noindex\">\n<title>TLS reports");
    put_subject(page, "", "");
    html_put(page, "</title>\n<style>\n");
    html_put(page, html_style);
    html_put(page, "</style>\n</head>\n<body>\n<header>\n<h1>TLS reports");
    put_subject(page, "<span>", "</span>");
    html_put(page, "</h1>\n");
}

/* --- What was counted */

static void put_count(struct html_page *page, uint32_t count, const char *what)
{
    if (count == 0)
        return;
    html_put(page, "; ");
    html_number(page, count);
    html_putf(page, " %s", what);
}

static void put_counted(struct html_page *page)
{
    const struct report_sums *sums = page->sums;
    const struct html_axis   *axis = &page->model->axis;

    html_put(page, "<p>");
    if (axis->bins > 0) {
        html_days(page, axis->first, axis->last);
        html_put(page, " (UTC): ");
    }
    html_count(page, sums->reports, "report");
    html_put(page, " from ");
    html_count(page, sums->sender_count, "sender");
    put_count(page, sums->duplicates, "that came before passed over");
    put_count(page, sums->before, "of an earlier time");
    put_count(page, sums->undated, "of a time not said");
    put_count(page, sums->elsewhere, "of other domains");
    html_put(page, ".</p>\n</header>\n<main>\n");
}

/* --- What was odd about the reports themselves */

static bool is_odd(const struct report_sender *sender)
{
    bool odd = sender->contradictions > 0;

    for (size_t i = 0; i < TLSRPT_ODDS; i++)
        odd = odd || sender->odd[i] > 0;
    return odd;
}

static void put_oddity(struct html_page *page, const struct report_sender *sender, uint32_t count,
                       const char *what)
{
    if (count == 0)
        return;
    html_put(page, "<tr><th scope=\"row\">");
    html_sender_name(page, sender->name);
    html_put(page, "</th><td class=\"t\">");
    html_text(page, what);
    html_put(page, "</td><td>");
    html_number(page, count);
    html_put(page, "</td></tr>\n");
}

static void put_oddities_of(struct html_page *page, const struct report_sender *sender)
{
    for (unsigned odd = 0; odd < TLSRPT_ODDS; odd++)
        put_oddity(page, sender, sender->odd[odd], tlsrpt_odd_text(odd));
    put_oddity(page, sender, sender->contradictions,
               "the report-id of another report, with other numbers (not counted)");
}

static void put_oddities(struct html_page *page)
{
    size_t count = 0, shown = 0;

    for (size_t i = 0; i < page->sums->sender_count; i++)
        count += is_odd(&page->sums->senders[i]);
    if (count == 0)
        return;
    html_put(page, "<section>\n<h2>What was odd about the reports</h2>\n"
                   "<p>They were read all the same, and no number was made up.</p>\n"
                   "<details>\n<summary>");
    html_count(page, count, "sender");
    html_put(page, "</summary>\n<div class=\"scroll\"><table>\n<caption>Oddities</caption>\n"
                   "<thead><tr><th scope=\"col\">Sender</th><th scope=\"col\" class=\"t\">What</th>"
                   "<th scope=\"col\">Reports</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < page->sums->sender_count && shown < HTML_ODD_MAX; i++) {
        put_oddities_of(page, &page->sums->senders[i]);
        shown += is_odd(&page->sums->senders[i]);
    }
    html_put(page, "</tbody>\n</table></div>\n");
    html_more(page, count, shown, "sender");
    html_put(page, "</details>\n</section>\n");
}

/* --- The page */

static void put_body(struct html_page *page)
{
    if (page->sums->reports == 0) {
        html_put(page, "<p class=\"none\">No reports.</p>\n");
    } else if (page->model->domain_count == 0) {
        html_put(page, "<p class=\"none\">The reports tell of no domain.</p>\n");
    } else {
        html_problems(page);
        html_overview(page);
        html_domains(page);
    }
    put_oddities(page);
}

static void put_page(struct html_page *page)
{
    put_head(page);
    put_counted(page);
    put_body(page);
    html_put(page, "</main>\n<footer>\n<p>Made by <code>mta-sts report --html</code>. Senders "
                   "report the same sessions under each policy type, so these are never added. A "
                   "day without reports is a gap, not a zero. Who has sent a report is not "
                   "verified.</p>\n</footer>\n</body>\n</html>\n");
}

bool report_html(const struct report_sums *sums, FILE *out)
{
    struct html_model model;
    struct html_page  page = { .out = out, .sums = sums, .model = &model };
    bool              made = html_model_init(&model, sums);

    if (made)
        put_page(&page);
    html_model_fini(&model);
    errno = made ? page.error : ENOMEM;
    return errno == 0;
}
