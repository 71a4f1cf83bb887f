#include "tool/report_html_internal.h"

void html_more(struct html_page *page, size_t all, size_t shown, const char *noun)
{
    if (all == shown)
        return;
    html_put(page, "<p class=\"note\">Not shown here: ");
    html_count(page, all - shown, noun);
    html_put(page, " more. <code>mta-sts report --json</code> has all.</p>\n");
}

void html_cell(struct html_page *page, uint64_t number)
{
    html_put(page, "<td>");
    html_number(page, number);
    html_put(page, "</td>");
}

void html_failed_cell(struct html_page *page, uint64_t failed)
{
    html_put(page, failed > 0 ? "<td class=\"failed\">" : "<td>");
    html_number(page, failed);
    html_put(page, "</td>");
}

/* --- Failures */

static size_t count_senders(const struct html_problem *problem)
{
    size_t count = 0;

    for (size_t i = 0; i < problem->case_count; i++)
        count += i == 0 || problem->cases[i].group != problem->cases[i - 1].group;
    return count;
}

static void put_failure(struct html_page *page, const struct html_problem *problem)
{
    const struct report_failure *failure = problem->cases->failure;

    html_put(page, "<tr><th scope=\"row\">");
    if (failure == NULL)
        html_put(page, "(without a word of why)");
    else
        html_text(page, *failure->type != '\0' ? failure->type : "(no type said)");
    if (failure != NULL && *failure->host != '\0') {
        html_put(page, "<span>");
        html_text(page, failure->host);
        html_put(page, "</span>");
    }
    html_put(page, "</th>");
    if (problem->sessions > 0)
        html_cell(page, problem->sessions);
    else
        html_put(page, "<td>not said</td>");
    html_cell(page, count_senders(problem));
    html_put(page, "<td class=\"days\">");
    html_days(page, problem->first, problem->last);
    html_put(page, "</td></tr>\n");
}

void html_failures_table(struct html_page *page, const struct html_view *view)
{
    size_t shown = view->problem_count < HTML_FAILURES_MAX ? view->problem_count
                                                           : HTML_FAILURES_MAX;

    if (shown == 0)
        return;
    html_put(page, "<div class=\"scroll\"><table class=\"failures\">\n<caption>Failures</caption>\n"
                   "<thead><tr><th scope=\"col\">Type, host</th><th scope=\"col\">Sessions</th><th "
                   "scope=\"col\">Senders</th>"
                   "<th scope=\"col\">Days</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < shown; i++)
        put_failure(page, &view->problems[i]);
    html_put(page, "</tbody>\n</table></div>\n");
    html_more(page, view->problem_count, shown, "failure");
}

/* --- Senders */

static void put_sender(struct html_page *page, const struct report_group *group)
{
    html_put(page, "<tr><th scope=\"row\">");
    html_sender_name(page, group->sender);
    html_put(page, "</th>");
    html_cell(page, group->worked);
    html_failed_cell(page, group->failed);
    html_put(page, "<td>");
    html_share(page, group->failed, group->worked);
    html_put(page, "</td><td>");
    html_day(page, group->days[group->day_count - 1].day);
    html_put(page, "</td></tr>\n");
}

void html_senders_table(struct html_page *page, const struct html_view *view)
{
    size_t shown = view->group_count < HTML_SENDERS_MAX ? view->group_count : HTML_SENDERS_MAX;

    html_put(page, view->group_count > HTML_SENDERS_OPEN ? "<details>\n<summary>"
                                                         : "<details open>\n<summary>");
    html_count(page, view->group_count, "sender");
    html_put(page, "</summary>\n<div class=\"scroll\"><table>\n<caption>Senders</caption>\n"
                   "<thead><tr><th scope=\"col\">Sender</th><th scope=\"col\">Worked</th>"
                   "<th scope=\"col\">Failed</th><th scope=\"col\">Of all</th>"
                   "<th scope=\"col\">Last report</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < shown; i++)
        put_sender(page, view->groups[i]);
    html_put(page, "</tbody>\n</table></div>\n");
    html_more(page, view->group_count, shown, "sender");
    html_put(page, "</details>\n");
}
