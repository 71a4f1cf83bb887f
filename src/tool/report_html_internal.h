/*
 * report_html_internal: what the files of report_html share: the sums put in the page's order, and
 * how a page is written.
 */
#ifndef TOOL_REPORT_HTML_INTERNAL_H
#define TOOL_REPORT_HTML_INTERNAL_H

#include "common/region.h"
#include "tool/report_html.h"

/* What is shown of each; how many more there are is told, and that --json has them. */
enum {
    HTML_PROBLEMS_MAX = 100, /* that were seen of late, and as many that were not */
    HTML_PROBLEMS_OPEN = 10, /* the others have to be opened */
    HTML_DOMAINS_MAX = 200,
    HTML_FAILURES_MAX = 50, /* of a view */
    HTML_SENDERS_MAX = 50,  /* of a view */
    HTML_ODD_MAX = 100,     /* senders whose reports were odd */
    HTML_SENDERS_OPEN = 10, /* with more of them, their table has to be opened */
    HTML_NAMES_MAX = 5,     /* senders that a problem names */
    HTML_OPEN_MAX = 3,      /* with more domains than these, each has to be opened */
    HTML_BINS_MAX = 100     /* of a timeline */
};

enum { HTML_RECENT_DAYS = 7 }; /* a problem that was seen since then is not over */

/* --- The sums in the page's order (report_html_model) */

/* One failure of one sender's; without: failed sessions of which he does not say why. */
struct html_case {
    const struct report_group   *group;
    const struct report_failure *failure; /* NULL: without */
    uint64_t                     without;
};

/* A failure type at a host, of one domain under one policy type. */
struct html_problem {
    const struct html_case *cases; /* by sender and day */
    size_t                  case_count;
    uint64_t                sessions;    /* of those who said how many */
    int32_t                 first, last; /* days */
};

/* A domain under one policy type. */
struct html_view {
    const char                       *domain;
    enum tlsrpt_type                  type;
    const struct report_group *const *groups; /* a sender each, the most failed sessions first */
    size_t                            group_count;
    const struct html_problem        *problems; /* the worst first */
    size_t                            problem_count;
    uint64_t                          worked, failed;
    uint64_t                          unsaid; /* how many times one of these was missing */
};

struct html_domain {
    const struct html_view *views;
    size_t                  view_count;
    uint64_t failed; /* under the policy type with most, since they are never added */
};

/* The days that timelines have. A few that are years away from the others would leave no room for
   these, and are none of them. */
struct html_axis {
    int32_t first, last; /* last < first: there are none */
    int32_t step;        /* days of a bin: 1, 7 or 28 */
    size_t  bins;
};

struct html_model {
    struct region              *memory;
    const struct html_domain   *domains; /* the most failed sessions first */
    size_t                      domain_count;
    const struct html_problem **problems; /* the recent ones first, of these the worst */
    size_t                      problem_count, recent_count;
    struct html_axis            axis;
};

/* False: there is no memory. The model is to be freed in either case; it points into the sums. */
bool html_model_init(struct html_model *model, const struct report_sums *sums);
void html_model_fini(struct html_model *model);

/* False: there is no memory. */
bool html_axis_init(struct html_axis *axis, struct region *memory, const struct report_sums *sums);

/* The bin of a day; axis->bins where it has none. */
size_t html_axis_bin(const struct html_axis *axis, int32_t day);

/* Saturates. */
uint64_t html_add(uint64_t a, uint64_t b);

/* --- Writing (report_html_text) */

struct html_page {
    FILE                     *out;
    int                       error; /* the errno of the first write that failed; 0: none did */
    const struct report_sums *sums;
    const struct html_model  *model;
};

/* Markup and our own words, as they are. */
void html_put(struct html_page *page, const char *markup);
void html_putf(struct html_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What a stranger wrote, fit for text and for attributes in double quotes. */
void html_text(struct html_page *page, const char *text);

/* With a thin blank between thousands. */
void html_number(struct html_page *page, uint64_t number);

/* A number and what it counts: "1 session", "12 sessions". */
void html_count(struct html_page *page, uint64_t number, const char *noun);

/* "0.4 %"; nothing where there were no sessions. */
void html_share(struct html_page *page, uint64_t failed, uint64_t worked);

void html_day(struct html_page *page, int32_t day);

/* The first to the last one, with markup that lets a line end between them alone. */
void html_days(struct html_page *page, int32_t first, int32_t last);

/* Those who did not say their names have others. */
void html_domain_name(struct html_page *page, const char *domain);
void html_sender_name(struct html_page *page, const char *sender);

/* For people, such as "MTA-STS". */
const char *html_type_title(enum tlsrpt_type type);

/* "enforce"; "" where it was not said. */
const char *html_mode_name(enum tlsrpt_mode mode);

/* --- Parts of the page */

extern const char html_style[]; /* CSS */

/* What needs attention (report_html_problems). */
void html_problems(struct html_page *page);

/* A row for each domain and policy type, and then each of them (report_html_domains). */
void html_overview(struct html_page *page);
void html_domains(struct html_page *page);

/* The failures and the senders of a view (report_html_tables). */
void html_failures_table(struct html_page *page, const struct html_view *view);
void html_senders_table(struct html_page *page, const struct html_view *view);

/* A cell with a number; of failed sessions, so that they are seen. */
void html_cell(struct html_page *page, uint64_t number);
void html_failed_cell(struct html_page *page, uint64_t failed);

/* "12 more ...", where only so many of all are shown. */
void html_more(struct html_page *page, size_t all, size_t shown, const char *noun);

/* The timeline of a view, and its table (report_html_chart). */
void html_chart(struct html_page *page, const struct html_view *view);

#endif
