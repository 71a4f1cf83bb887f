#include "tool/report_html_internal.h"
#include "tool/report_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct report_words without = { "", "sessions failed, and the sender does not say why",
                                             "ask the sender, or wait for what others report" };

static const struct report_words *words_of(const struct html_problem *problem)
{
    const struct report_failure *failure = problem->cases->failure;

    return failure != NULL ? report_words_find(failure->type) : &without;
}

/* --- Facts: a term, and what is said of it */

static void open_fact(struct html_page *page, const char *term)
{
    html_putf(page, "<div><dt>%s</dt><dd>", term);
}

static void close_fact(struct html_page *page)
{
    html_put(page, "</dd></div>\n");
}

static void put_when(struct html_page *page, const struct html_problem *problem)
{
    open_fact(page, "When");
    html_days(page, problem->first, problem->last);
    close_fact(page);
}

/* The senders with most sessions, in order. */
struct seen_by {
    struct seen {
        const char *sender;
        uint64_t    sessions;
    } most[HTML_NAMES_MAX];
    size_t count; /* of all */
};

static void add_seen(struct seen_by *by, struct seen seen)
{
    size_t at = by->count < HTML_NAMES_MAX ? by->count : HTML_NAMES_MAX;

    by->count++;
    for (; at > 0 && by->most[at - 1].sessions < seen.sessions; at--) {
        if (at < HTML_NAMES_MAX)
            by->most[at] = by->most[at - 1];
    }
    if (at < HTML_NAMES_MAX)
        by->most[at] = seen;
}

static struct seen_by find_seen_by(const struct html_problem *problem)
{
    struct seen_by by = { .count = 0 };

    for (size_t i = 0; i < problem->case_count;) {
        const struct report_group *group = problem->cases[i].group;
        struct seen                seen = { .sender = group->sender };

        for (; i < problem->case_count && problem->cases[i].group == group; i++) {
            const struct html_case *each = &problem->cases[i];

            seen.sessions = html_add(seen.sessions, each->failure != NULL ? each->failure->sessions
                                                                          : each->without);
        }
        add_seen(&by, seen);
    }
    return by;
}

static void put_senders(struct html_page *page, const struct html_problem *problem)
{
    struct seen_by by = find_seen_by(problem);

    open_fact(page, "Seen by");
    for (size_t i = 0; i < by.count && i < HTML_NAMES_MAX; i++) {
        html_put(page, i > 0 ? ", " : "");
        html_sender_name(page, by.most[i].sender);
        if (by.count > 1 && by.most[i].sessions > 0) {
            html_put(page, " (");
            html_number(page, by.most[i].sessions);
            html_put(page, ")");
        }
    }
    if (by.count > HTML_NAMES_MAX) {
        html_put(page, " and ");
        html_count(page, by.count - HTML_NAMES_MAX, "other");
    }
    close_fact(page);
}

struct addresses {
    const char *first[REPORT_FROM_MAX];
    size_t      count;
    bool        more;
};

static void add_address(struct addresses *addresses, const char *address)
{
    for (size_t i = 0; i < addresses->count; i++) {
        if (strcmp(addresses->first[i], address) == 0)
            return;
    }
    if (addresses->count == REPORT_FROM_MAX)
        addresses->more = true;
    else
        addresses->first[addresses->count++] = address;
}

static void put_from(struct html_page *page, const struct html_problem *problem)
{
    struct addresses from = { .count = 0 };

    for (size_t i = 0; i < problem->case_count; i++) {
        const struct report_failure *failure = problem->cases[i].failure;

        if (failure == NULL)
            continue;
        for (size_t j = 0; j < failure->from_count; j++)
            add_address(&from, failure->from[j]);
        from.more = from.more || failure->from_more;
    }
    if (from.count == 0)
        return;
    open_fact(page, "From");
    for (size_t i = 0; i < from.count; i++) {
        html_put(page, i > 0 ? ", " : "");
        html_text(page, from.first[i]);
    }
    html_put(page, from.more ? " and others" : "");
    close_fact(page);
}

/* The last one that was said. */
static void put_said(struct html_page *page, const struct html_problem *problem, const char *term,
                     const char *(*said)(const struct report_failure *failure))
{
    const char *text = NULL;

    for (size_t i = problem->case_count; i > 0 && text == NULL; i--) {
        const struct report_failure *failure = problem->cases[i - 1].failure;

        text = failure != NULL ? said(failure) : NULL;
    }
    if (text == NULL)
        return;
    open_fact(page, term);
    html_text(page, text);
    close_fact(page);
}

static const char *to_of(const struct report_failure *failure)
{
    return failure->to;
}

static const char *reason_of(const struct report_failure *failure)
{
    return failure->reason;
}

static const char *information_of(const struct report_failure *failure)
{
    return failure->information;
}

static int order_days(const void *day, const void *other)
{
    const int32_t a = *(const int32_t *)day, b = ((const struct report_day *)other)->day;

    return (a > b) - (a < b);
}

static enum tlsrpt_mode mode_on(const struct report_group *group, int32_t day)
{
    const struct report_day *found = bsearch(&day, group->days, group->day_count,
                                             sizeof(*group->days), order_days);

    return found != NULL ? found->mode : TLSRPT_MODE_UNSAID;
}

/* What became of the mail, which RFC 8461 section 5 has depend on the mode. */
static void put_mode(struct html_page *page, const struct html_problem *problem)
{
    enum tlsrpt_mode mode = TLSRPT_MODE_UNSAID;

    for (size_t i = 0; i < problem->case_count; i++) {
        const struct html_case *each = &problem->cases[i];
        enum tlsrpt_mode        seen = TLSRPT_MODE_UNSAID;

        if (each->failure != NULL)
            seen = mode_on(each->group, each->failure->day);
        if (seen > mode)
            mode = seen;
    }
    if (mode != TLSRPT_MODE_ENFORCE && mode != TLSRPT_MODE_TESTING)
        return;
    open_fact(page, "Mode");
    html_putf(page, "%s: %s", html_mode_name(mode),
              mode == TLSRPT_MODE_ENFORCE ? "mail is not delivered to a host that fails"
                                          : "mail is delivered all the same");
    close_fact(page);
}

/* --- Problems */

static void put_size(struct html_page *page, const struct html_problem *problem)
{
    html_put(page, "<p class=\"size\">");
    if (problem->sessions > 0) {
        html_put(page, "<b>");
        html_number(page, problem->sessions);
        html_putf(page, "</b> session%s failed", problem->sessions == 1 ? "" : "s");
    } else {
        html_put(page, "failed; how often is not said");
    }
    html_put(page, "</p>\n");
}

static const char *host_of(const struct html_problem *problem)
{
    return problem->cases->failure != NULL ? problem->cases->failure->host : "";
}

static const char *domain_of(const struct html_problem *problem)
{
    return problem->cases->group->domain;
}

/* Whether it is the host that failed, and not the policy. */
static bool is_of_host(const struct html_problem *problem)
{
    return *host_of(problem) != '\0' && strncmp(problem->cases->failure->type, "sts-", 4) != 0;
}

/* "mail1.example.org: its certificate has expired" */
static void put_heading(struct html_page *page, const struct html_problem *problem)
{
    html_put(page, "<h3>");
    if (is_of_host(problem))
        html_text(page, host_of(problem));
    else
        html_domain_name(page, domain_of(problem));
    html_put(page, ": ");
    html_text(page, words_of(problem)->meaning);
    html_put(page, "</h3>\n");
}

/* "certificate-expired for example.org, MTA-STS" */
static void put_what(struct html_page *page, const struct html_problem *problem)
{
    const struct report_failure *failure = problem->cases->failure;

    html_put(page, "<p class=\"what\">");
    if (failure != NULL) {
        html_put(page, "<code>");
        html_text(page, *failure->type != '\0' ? failure->type : "(no type said)");
        html_put(page, "</code> ");
    }
    if (*host_of(problem) != '\0' && !is_of_host(problem)) {
        html_put(page, "at ");
        html_text(page, host_of(problem));
        html_put(page, " ");
    }
    html_put(page, "for ");
    html_domain_name(page, domain_of(problem));
    html_putf(page, ", <span class=\"whole\">%s</span></p>\n",
              html_type_title(problem->cases->group->type));
}

/* Gives how much of the text that was. */
static size_t put_for(struct html_page *page, const char *text, const char *word, const char *value)
{
    size_t len = report_words_replaced(text, word, value);

    if (len > 0)
        html_text(page, value);
    return len;
}

/* The remedy, with the names in place of DOMAIN and HOST. */
static void put_remedy(struct html_page *page, const struct html_problem *problem)
{
    const char *words = words_of(problem)->remedy;
    char        first[2] = { (char)toupper((unsigned char)*words), '\0' };

    html_put(page, "<p class=\"do\">");
    html_text(page, first);
    for (words++; *words != '\0';) {
        size_t len = put_for(page, words, "DOMAIN", domain_of(problem));

        if (len == 0)
            len = put_for(page, words, "HOST", host_of(problem));
        if (len == 0)
            html_putf(page, "%c", *words);
        words += len > 0 ? len : 1;
    }
    html_put(page, ".</p>\n");
}

static void put_problem(struct html_page *page, const struct html_problem *problem)
{
    html_put(page, "<li>\n");
    put_size(page, problem);
    html_put(page, "<div>\n");
    put_heading(page, problem);
    put_what(page, problem);
    put_remedy(page, problem);
    html_put(page, "<dl>\n");
    put_when(page, problem);
    put_senders(page, problem);
    put_from(page, problem);
    put_said(page, problem, "To", to_of);
    put_mode(page, problem);
    put_said(page, problem, "Reason", reason_of);
    put_said(page, problem, "More", information_of);
    html_put(page, "</dl>\n</div>\n</li>\n");
}

static void put_list(struct html_page *page, const struct html_problem **problems, size_t count)
{
    if (count == 0)
        return;
    html_put(page, "<ol class=\"problems\">\n");
    for (size_t i = 0; i < count; i++)
        put_problem(page, problems[i]);
    html_put(page, "</ol>\n");
}

/* Of all these, the first ones open, and of the others as many as are shown at all. */
static void put_lists(struct html_page *page, const struct html_problem **problems, size_t count,
                      size_t open)
{
    size_t shown = count < HTML_PROBLEMS_MAX ? count : HTML_PROBLEMS_MAX;

    if (open > shown)
        open = shown;
    put_list(page, problems, open);
    if (shown == open)
        return;
    html_put(page, "<details>\n<summary>");
    html_count(page, count - open, open > 0 ? "more failure" : "failure");
    html_put(page, "</summary>\n");
    put_list(page, problems + open, shown - open);
    html_more(page, count, shown, "failure");
    html_put(page, "</details>\n");
}

static void put_nothing(struct html_page *page)
{
    const struct html_model *model = page->model;

    html_put(page, "<p>Nothing: no session failed");
    if (model->problem_count > 0) {
        html_putf(page, " in the %d days up to ", HTML_RECENT_DAYS);
        html_day(page, model->axis.last);
    }
    html_put(page, ".</p>\n");
}

void html_problems(struct html_page *page)
{
    const struct html_model *model = page->model;
    size_t                   past = model->problem_count - model->recent_count;

    html_put(page, "<section>\n<h2>What needs attention</h2>\n");
    if (model->recent_count == 0)
        put_nothing(page);
    put_lists(page, model->problems, model->recent_count, HTML_PROBLEMS_OPEN);
    html_put(page, "</section>\n");
    if (past == 0)
        return;
    html_put(page, "<section>\n<h2>Not seen for a week</h2>\n");
    put_lists(page, model->problems + model->recent_count, past, 0);
    html_put(page, "</section>\n");
}
