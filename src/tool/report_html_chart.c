#include "tool/report_html_internal.h"

#include <string.h>

/*
 * A bin is one unit wide, and the browser stretches them to the width that there is; so nothing in
 * the picture is a text or a stroke. What worked stands on the line, what failed hangs below it.
 */
enum {
    UP = 60,   /* units of height above the line */
    LINE = 2,  /* of the line */
    DOWN = 38, /* and below */
    LEAST = 3  /* of a bar that is not 0 */
};

struct bin {
    bool             there; /* some report tells of it */
    uint64_t         worked, failed;
    enum tlsrpt_mode mode;
};

struct chart {
    const struct html_view *view;
    const struct html_axis *axis;
    struct bin              bins[HTML_BINS_MAX];
    uint64_t                worked_max, failed_max; /* where the scales end */
    struct bin              undated;                /* and what the axis has no place for */
};

static void add_day(struct bin *bin, const struct report_day *day)
{
    bin->there = true;
    bin->worked = html_add(bin->worked, day->worked);
    bin->failed = html_add(bin->failed, day->failed);
    if (day->mode > bin->mode)
        bin->mode = day->mode;
}

static void fill(struct chart *chart)
{
    for (size_t i = 0; i < chart->view->group_count; i++) {
        const struct report_group *group = chart->view->groups[i];

        for (size_t j = 0; j < group->day_count; j++) {
            size_t at = html_axis_bin(chart->axis, group->days[j].day);

            add_day(at < chart->axis->bins ? &chart->bins[at] : &chart->undated, &group->days[j]);
        }
    }
}

/* The next number that is easy to read. */
static uint64_t round_up(uint64_t number)
{
    static const uint64_t easy[] = { 1, 2, 3, 4, 5, 6, 8, 10 };
    uint64_t              step = 1;
    size_t                i = 0;

    while (number > 10 * step) {
        if (step > UINT64_MAX / 100)
            return number;
        step *= 10;
    }
    while (number > easy[i] * step)
        i++;
    return easy[i] * step;
}

static void find_scales(struct chart *chart)
{
    uint64_t worked = 0, failed = 0;

    for (size_t i = 0; i < chart->axis->bins; i++) {
        if (chart->bins[i].worked > worked)
            worked = chart->bins[i].worked;
        if (chart->bins[i].failed > failed)
            failed = chart->bins[i].failed;
    }
    chart->worked_max = round_up(worked);
    chart->failed_max = failed > 0 ? round_up(failed) : 0;
}

static unsigned height(uint64_t number, uint64_t max, unsigned whole)
{
    unsigned units;

    if (number == 0 || max == 0)
        return 0;
    units = (unsigned)((double)number / (double)max * whole + 0.5);
    if (units < LEAST)
        return LEAST;
    return units < whole ? units : whole;
}

/* --- The picture */

static void put_bars(struct html_page *page, const struct chart *chart)
{
    html_put(page, "<path class=\"good\" d=\"");
    for (size_t i = 0; i < chart->axis->bins; i++) {
        unsigned up = height(chart->bins[i].worked, chart->worked_max, UP);

        if (up > 0)
            html_putf(page, "M%zu.1 %dv-%uh.8v%uz", i, UP, up, up);
    }
    html_put(page, "\"/>\n<path class=\"bad\" d=\"");
    for (size_t i = 0; i < chart->axis->bins; i++) {
        unsigned down = height(chart->bins[i].failed, chart->failed_max, DOWN);

        if (down > 0)
            html_putf(page, "M%zu.1 %dv%uh.8v-%uz", i, UP + LINE, down, down);
    }
    html_put(page, "\"/>\n");
}

/* The line where there are reports, and a shade where there are none. */
static void put_line(struct html_page *page, const struct chart *chart, unsigned whole, bool there)
{
    html_putf(page, "<path class=\"%s\" d=\"", there ? "line" : "gap");
    for (size_t i = 0, end; i < chart->axis->bins; i = end) {
        for (end = i; end < chart->axis->bins && chart->bins[end].there == chart->bins[i].there;)
            end++;
        if (chart->bins[i].there != there)
            continue;
        html_putf(page, "M%zu %dh%zuv%dh-%zuz", i, there ? UP : 0, end - i,
                  there ? LINE : (int)whole, end - i);
    }
    html_put(page, "\"/>\n");
}

static int32_t day_of(const struct chart *chart, size_t at)
{
    return chart->axis->first + (int32_t)at * chart->axis->step;
}

/* What the pointer tells of a bin: a pane over it. */
static void put_pane(struct html_page *page, const struct chart *chart, size_t at, unsigned whole)
{
    const struct bin *bin = &chart->bins[at];

    html_putf(page, "<path class=\"pane\" d=\"M%zu 0h1v%uh-1z\"><title>", at, whole);
    html_day(page, day_of(chart, at));
    html_put(page, chart->axis->step > 1 ? " and after: " : ": ");
    if (bin->there) {
        html_number(page, bin->worked);
        html_put(page, " worked, ");
        html_number(page, bin->failed);
        html_put(page, " failed");
    } else {
        html_put(page, "no report");
    }
    html_put(page, "</title></path>\n");
}

static const char *per_step(const struct chart *chart)
{
    if (chart->axis->step == 1)
        return "a day";
    return chart->axis->step == 7 ? "a week" : "in four weeks";
}

static void put_title(struct html_page *page, const struct chart *chart)
{
    html_putf(page, "<title>Sessions %s for ", per_step(chart));
    html_domain_name(page, chart->view->domain);
    html_putf(page, ", %s</title>\n<desc>", html_type_title(chart->view->type));
    html_day(page, chart->axis->first);
    html_put(page, " to ");
    html_day(page, chart->axis->last);
    html_put(page, ": ");
    html_number(page, chart->view->worked);
    html_put(page, " worked, ");
    html_number(page, chart->view->failed);
    html_put(page, " failed. The table behind it has the numbers.</desc>\n");
}

static void put_picture(struct html_page *page, const struct chart *chart)
{
    unsigned whole = chart->failed_max > 0 ? UP + LINE + DOWN : UP + LINE;

    html_putf(page, "<svg role=\"img\" viewBox=\"0 0 %zu %u\" preserveAspectRatio=\"none\" ",
              chart->axis->bins, whole);
    html_put(page, "aria-label=\"Timeline of ");
    html_domain_name(page, chart->view->domain);
    html_putf(page, ", %s\">\n", html_type_title(chart->view->type));
    put_title(page, chart);
    put_line(page, chart, whole, false);
    put_line(page, chart, whole, true);
    put_bars(page, chart);
    for (size_t i = 0; i < chart->axis->bins; i++)
        put_pane(page, chart, i, whole);
    html_put(page, "</svg>\n");
}

/* --- Around it */

static void put_scales(struct html_page *page, const struct chart *chart)
{
    html_put(page, "<div class=\"scale\" aria-hidden=\"true\"><span>");
    html_number(page, chart->worked_max);
    html_put(page, "</span><span>0</span>");
    if (chart->failed_max > 0) {
        html_put(page, "<span>");
        html_number(page, chart->failed_max);
        html_put(page, "</span>");
    }
    html_put(page, "</div>\n");
}

static void put_dates(struct html_page *page, const struct chart *chart)
{
    size_t middle = chart->axis->bins / 2;

    html_put(page, "<div class=\"dates\" aria-hidden=\"true\"><span>");
    html_day(page, day_of(chart, 0));
    html_put(page, "</span>");
    if (middle >= 4) {
        html_putf(page, "<span style=\"left:%.1f%%\">",
                  ((double)middle + 0.5) * 100 / (double)chart->axis->bins);
        html_day(page, day_of(chart, middle));
        html_put(page, "</span>");
    }
    html_put(page, "<span>");
    html_day(page, day_of(chart, chart->axis->bins - 1));
    html_put(page, "</span></div>\n");
}

static void put_legend(struct html_page *page, const struct chart *chart)
{
    bool gaps = false;

    for (size_t i = 0; i < chart->axis->bins; i++)
        gaps = gaps || !chart->bins[i].there;
    html_putf(page, "<figcaption>Sessions %s: <i class=\"good\"></i> worked, above the line",
              per_step(chart));
    if (chart->failed_max > 0)
        html_put(page, "; <i class=\"bad\"></i> failed, below it, on a scale of their own");
    if (gaps)
        html_put(page, "; <i class=\"gap\"></i> no report");
    html_put(page, "</figcaption>\n");
}

/* --- The table behind it */

static void put_numbers(struct html_page *page, const struct bin *bin)
{
    html_put(page, "</th>");
    html_cell(page, bin->worked);
    html_failed_cell(page, bin->failed);
    html_putf(page, "<td class=\"t\">%s</td></tr>\n", html_mode_name(bin->mode));
}

static void put_table(struct html_page *page, const struct chart *chart)
{
    html_put(page, "<details>\n<summary>The numbers</summary>\n"
                   "<div class=\"scroll\"><table "
                   "class=\"timeline\">\n<caption>Sessions</caption>\n<thead><tr>");
    html_putf(page, "<th scope=\"col\">%s</th>", chart->axis->step > 1 ? "From" : "Day");
    html_put(page, "<th scope=\"col\">Worked</th><th scope=\"col\">Failed</th>"
                   "<th scope=\"col\" class=\"t\">Mode</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < chart->axis->bins; i++) {
        if (!chart->bins[i].there)
            continue;
        html_put(page, "<tr><th scope=\"row\">");
        html_day(page, day_of(chart, i));
        put_numbers(page, &chart->bins[i]);
    }
    if (chart->undated.there) {
        html_put(page, "<tr><th scope=\"row\">another day, or none said");
        put_numbers(page, &chart->undated);
    }
    html_put(page, "</tbody>\n</table></div>\n</details>\n");
}

/* One day is none, nor are days that the axis has no place for. */
static bool has_timeline(const struct chart *chart)
{
    for (size_t i = 0; i < chart->axis->bins; i++) {
        if (chart->bins[i].there)
            return chart->axis->bins > 1;
    }
    return false;
}

void html_chart(struct html_page *page, const struct html_view *view)
{
    struct chart chart = { .view = view, .axis = &page->model->axis };

    fill(&chart);
    find_scales(&chart);
    if (has_timeline(&chart)) {
        html_putf(page, "<figure style=\"max-width:%zurem\">\n<div class=\"%s\">\n",
                  5 + 2 * chart.axis->bins, chart.failed_max > 0 ? "chart" : "chart calm");
        put_scales(page, &chart);
        put_picture(page, &chart);
        put_dates(page, &chart);
        html_put(page, "</div>\n");
        put_legend(page, &chart);
        html_put(page, "</figure>\n");
    }
    put_table(page, &chart);
}
