#include "tool/report_html_internal.h"

#include <stdlib.h>
#include <string.h>

uint64_t html_add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static int order_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int order_days(int32_t a, int32_t b)
{
    return (a > b) - (a < b);
}

/* --- Groups, by domain and policy type; in these the most failed sessions first */

static int order_views(const struct report_group *a, const struct report_group *b)
{
    int order = strcmp(a->domain, b->domain);

    return order != 0 ? order : (int)a->type - (int)b->type;
}

static int order_groups(const void *first, const void *second)
{
    const struct report_group *const a = *(const struct report_group *const *)first;
    const struct report_group *const b = *(const struct report_group *const *)second;
    int                              order = order_views(a, b);

    if (order == 0)
        order = order_numbers(b->failed, a->failed);
    if (order == 0)
        order = order_numbers(b->worked, a->worked);
    return order != 0 ? order : strcmp(a->sender, b->sender);
}

static const struct report_group **sort_groups(struct region            *memory,
                                               const struct report_sums *sums)
{
    const struct report_group **groups = region_alloc(memory, sums->group_count * sizeof(*groups));

    if (groups == NULL)
        return NULL;
    for (size_t i = 0; i < sums->group_count; i++)
        groups[i] = &sums->groups[i];
    qsort(groups, sums->group_count, sizeof(*groups), order_groups);
    return groups;
}

/* --- Cases, by domain, policy type, failure type and host; in these by sender and day */

static const char *type_of(const struct html_case *each)
{
    return each->failure != NULL ? each->failure->type : "";
}

static const char *host_of(const struct html_case *each)
{
    return each->failure != NULL ? each->failure->host : "";
}

static int order_problems(const struct html_case *a, const struct html_case *b)
{
    int order = order_views(a->group, b->group);

    if (order == 0)
        order = (a->failure == NULL) - (b->failure == NULL);
    if (order == 0)
        order = strcmp(type_of(a), type_of(b));
    return order != 0 ? order : strcmp(host_of(a), host_of(b));
}

static int order_cases(const void *first, const void *second)
{
    const struct html_case *a = first, *b = second;
    int                     order = order_problems(a, b);

    if (order == 0)
        order = strcmp(a->group->sender, b->group->sender);
    if (order == 0 && a->failure != NULL && b->failure != NULL)
        order = order_days(a->failure->day, b->failure->day);
    return order;
}

/* The cases of a group, to out; there is one more for what failed without a word of why. Gives how
   many there are. */
static size_t fill_cases(const struct report_group *group, struct html_case *out)
{
    size_t count = group->failure_count;

    for (size_t i = 0; i < count; i++)
        out[i] = (struct html_case){ .group = group, .failure = &group->failures[i] };
    if (group->unexplained > 0)
        out[count++] = (struct html_case){ .group = group, .without = group->unexplained };
    return count;
}

static struct html_case *sort_cases(struct region *memory, const struct report_sums *sums,
                                    size_t *count)
{
    struct html_case *cases;
    size_t            max = 0;

    for (size_t i = 0; i < sums->group_count; i++)
        max += sums->groups[i].failure_count + 1;
    cases = region_alloc(memory, max * sizeof(*cases));
    if (cases == NULL)
        return NULL;
    *count = 0;
    for (size_t i = 0; i < sums->group_count; i++)
        *count += fill_cases(&sums->groups[i], cases + *count);
    qsort(cases, *count, sizeof(*cases), order_cases);
    return cases;
}

/* --- Problems */

static void add_day(struct html_problem *problem, int32_t day)
{
    if (day < problem->first)
        problem->first = day;
    if (day > problem->last)
        problem->last = day;
}

static void add_case(struct html_problem *problem, const struct html_case *each)
{
    const struct report_group *group = each->group;

    problem->case_count++;
    problem->sessions = html_add(problem->sessions,
                                 each->failure != NULL ? each->failure->sessions : each->without);
    if (each->failure != NULL) {
        add_day(problem, each->failure->day);
        return;
    }
    for (size_t i = 0; i < group->day_count; i++) {
        if (group->days[i].failed > 0)
            add_day(problem, group->days[i].day);
    }
}

static struct html_problem *find_problems(struct region *memory, const struct html_case *cases,
                                          size_t case_count, size_t *count)
{
    struct html_problem *problems = region_alloc(memory, case_count * sizeof(*problems));

    *count = 0;
    if (problems == NULL)
        return NULL;
    for (size_t at = 0; at < case_count; at++) {
        if (at == 0 || order_problems(&cases[at - 1], &cases[at]) != 0)
            problems[(*count)++] = (struct html_problem){ .cases = &cases[at],
                                                          .first = INT32_MAX,
                                                          .last = INT32_MIN };
        add_case(&problems[*count - 1], &cases[at]);
    }
    return problems;
}

/* What has no day may be recent. */
static bool is_recent(const struct html_axis *axis, const struct html_problem *problem)
{
    return problem->last == REPORT_NO_DAY || problem->last > axis->last - HTML_RECENT_DAYS;
}

static int order_worst(const void *first, const void *second)
{
    const struct html_problem *a = first, *b = second;
    int                        order = order_numbers(b->sessions, a->sessions);

    if (order == 0)
        order = order_days(b->last, a->last);
    return order != 0 ? order : order_problems(a->cases, b->cases);
}

static int order_worst_of_all(const void *first, const void *second)
{
    return order_worst(*(const struct html_problem *const *)first,
                       *(const struct html_problem *const *)second);
}

static bool rank_problems(struct html_model *model, const struct html_problem *problems,
                          size_t count)
{
    size_t at = 0;

    model->problems = region_alloc(model->memory, count * sizeof(struct html_problem *));
    if (model->problems == NULL)
        return false;
    for (int recent = 1; recent >= 0; recent--) {
        for (size_t i = 0; i < count; i++) {
            if (is_recent(&model->axis, &problems[i]) == recent)
                model->problems[at++] = &problems[i];
        }
        if (recent)
            model->recent_count = at;
    }
    model->problem_count = count;
    qsort(model->problems, model->recent_count, sizeof(*model->problems), order_worst_of_all);
    qsort(model->problems + model->recent_count, count - model->recent_count,
          sizeof(*model->problems), order_worst_of_all);
    return true;
}

/* --- Views and domains */

static struct html_view *find_views(struct region *memory, const struct report_group **groups,
                                    size_t group_count, size_t *count)
{
    struct html_view *views = region_alloc(memory, group_count * sizeof(*views));

    *count = 0;
    if (views == NULL)
        return NULL;
    for (size_t at = 0; at < group_count; at++) {
        struct html_view *view;

        if (at == 0 || order_views(groups[at - 1], groups[at]) != 0)
            views[(*count)++] = (struct html_view){ .domain = groups[at]->domain,
                                                    .type = groups[at]->type,
                                                    .groups = &groups[at] };
        view = &views[*count - 1];
        view->group_count++;
        view->worked = html_add(view->worked, groups[at]->worked);
        view->failed = html_add(view->failed, groups[at]->failed);
        view->unsaid += groups[at]->unsaid;
    }
    return views;
}

/* Both are in the same order. In a view, the worst come first. */
static void give_problems(struct html_view *views, size_t view_count, struct html_problem *problems,
                          size_t problem_count)
{
    size_t at = 0;

    for (size_t i = 0; i < view_count; i++) {
        size_t first = at;

        while (at < problem_count &&
               order_views(problems[at].cases->group, views[i].groups[0]) == 0)
            at++;
        qsort(problems + first, at - first, sizeof(*problems), order_worst);
        views[i].problems = problems + first;
        views[i].problem_count = at - first;
    }
}

static int order_domains(const void *first, const void *second)
{
    const struct html_domain *a = first, *b = second;
    int                       order = order_numbers(b->failed, a->failed);

    return order != 0 ? order : strcmp(a->views->domain, b->views->domain);
}

static bool find_domains(struct html_model *model, const struct html_view *views, size_t view_count)
{
    struct html_domain *domains = region_alloc(model->memory, view_count * sizeof(*domains));
    size_t              count = 0;

    if (domains == NULL)
        return false;
    for (size_t i = 0; i < view_count; i++) {
        struct html_domain *domain;

        if (i == 0 || strcmp(views[i - 1].domain, views[i].domain) != 0)
            domains[count++] = (struct html_domain){ .views = &views[i] };
        domain = &domains[count - 1];
        domain->view_count++;
        if (views[i].failed > domain->failed)
            domain->failed = views[i].failed;
    }
    qsort(domains, count, sizeof(*domains), order_domains);
    model->domains = domains;
    model->domain_count = count;
    return true;
}

bool html_model_init(struct html_model *model, const struct report_sums *sums)
{
    const struct report_group **groups;
    struct html_case           *cases;
    struct html_problem        *problems;
    struct html_view           *views;
    size_t                      case_count = 0, problem_count = 0, view_count = 0;

    *model = (struct html_model){ .memory = region_new() };
    if (model->memory == NULL || !html_axis_init(&model->axis, model->memory, sums))
        return false;
    groups = sort_groups(model->memory, sums);
    cases = sort_cases(model->memory, sums, &case_count);
    if (groups == NULL || cases == NULL)
        return false;
    problems = find_problems(model->memory, cases, case_count, &problem_count);
    views = find_views(model->memory, groups, sums->group_count, &view_count);
    if (problems == NULL || views == NULL)
        return false;
    give_problems(views, view_count, problems, problem_count);
    return rank_problems(model, problems, problem_count) && find_domains(model, views, view_count);
}

void html_model_fini(struct html_model *model)
{
    region_free(model->memory);
}
