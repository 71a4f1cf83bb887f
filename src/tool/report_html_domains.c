#include "tool/report_html_internal.h"

static size_t shown(const struct html_page *page)
{
    size_t count = page->model->domain_count;

    return count < HTML_DOMAINS_MAX ? count : HTML_DOMAINS_MAX;
}

/* --- All of them, in one table */

static void put_row(struct html_page *page, const struct html_view *view, size_t number, bool first)
{
    html_put(page, "<tr><th scope=\"row\">");
    if (first)
        html_putf(page, "<a href=\"#domain-%zu\">", number);
    html_domain_name(page, view->domain);
    html_put(page, first ? "</a></th>" : "</th>");
    html_putf(page, "<td class=\"t\">%s</td>", html_type_title(view->type));
    html_cell(page, view->worked);
    html_failed_cell(page, view->failed);
    html_put(page, "<td>");
    html_share(page, view->failed, view->worked);
    html_put(page, "</td></tr>\n");
}

void html_overview(struct html_page *page)
{
    const struct html_model *model = page->model;

    if (model->domain_count < 2)
        return;
    html_put(page, "<section>\n<h2>Domains</h2>\n<div class=\"scroll\"><table>\n"
                   "<caption>Sessions of each domain; those of two policy types may be the same "
                   "ones</caption>\n<thead><tr><th scope=\"col\">Domain</th>"
                   "<th scope=\"col\" class=\"t\">Policy</th><th scope=\"col\">Worked</th>"
                   "<th scope=\"col\">Failed</th><th scope=\"col\">Of all</th></tr></thead>\n"
                   "<tbody>\n");
    for (size_t i = 0; i < shown(page); i++) {
        const struct html_domain *domain = &model->domains[i];

        for (size_t j = 0; j < domain->view_count; j++)
            put_row(page, &domain->views[j], i + 1, j == 0);
    }
    html_put(page, "</tbody>\n</table></div>\n");
    html_more(page, model->domain_count, shown(page), "domain");
    html_put(page, "</section>\n");
}

/* --- Each of them */

static void put_view(struct html_page *page, const struct html_view *view)
{
    html_putf(page, "<section class=\"view\">\n<h3>%s</h3>\n<p class=\"sum\"><b>",
              html_type_title(view->type));
    html_number(page, view->worked);
    html_putf(page, "</b> session%s worked, <b%s>", view->worked == 1 ? "" : "s",
              view->failed > 0 ? " class=\"failed\"" : "");
    html_number(page, view->failed);
    html_put(page, "</b> failed");
    if (view->failed > 0) {
        html_put(page, " (");
        html_share(page, view->failed, view->worked);
        html_put(page, ")");
    }
    html_put(page, "</p>\n");
    if (view->unsaid > 0) {
        html_put(page, "<p class=\"note\">A number of sessions was not said ");
        html_count(page, view->unsaid, "time");
        html_put(page, ": it is counted nowhere.</p>\n");
    }
    html_chart(page, view);
    html_failures_table(page, view);
    html_senders_table(page, view);
    html_put(page, "</section>\n");
}

static void put_domain(struct html_page *page, const struct html_domain *domain, size_t number)
{
    bool closed = page->model->domain_count > HTML_OPEN_MAX;

    html_putf(page, "<section id=\"domain-%zu\">\n<h2>", number);
    html_domain_name(page, domain->views->domain);
    html_put(page, "</h2>\n");
    if (closed) {
        html_put(page, "<details>\n<summary>");
        html_count(page, domain->failed, "failed session");
        html_put(page, "</summary>\n");
    }
    for (size_t i = 0; i < domain->view_count; i++)
        put_view(page, &domain->views[i]);
    html_put(page, closed ? "</details>\n</section>\n" : "</section>\n");
}

void html_domains(struct html_page *page)
{
    for (size_t i = 0; i < shown(page); i++)
        put_domain(page, &page->model->domains[i], i + 1);
}
