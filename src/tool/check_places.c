#include "tool/check_places.h"

#include "tool/check_copy.h"
#include "tool/typed.h"

#include <string.h>

enum { HTTPS_PORT = 443, SMTP_PORT = 25 };

struct look {
    struct outside      *outside;
    struct region       *region;
    const char          *host;
    enum check_visit     visit;
    unsigned             port;
    struct check_places *places;
    bool                *lost;
    size_t               pending; /* answers that are still to come */
    void (*done)(void *context);
    void *context;
};

/* What a visit to one address is called back with. */
struct visitor {
    struct look        *look;
    struct check_place *place;
};

static void settle(struct look *look)
{
    if (--look->pending == 0)
        look->done(look->context);
}

/* --- Visits */

static void on_visit(void *context, const struct visit *visit)
{
    struct visitor *visitor = context;
    struct look    *look = visitor->look;

    check_copy_visit(look->region, visit, &visitor->place->visit, look->lost);
    settle(look);
}

static void go(struct look *look, struct check_place *place)
{
    struct visits  *visits = outside_visits(look->outside);
    struct visitor *visitor = region_alloc(look->region, sizeof(*visitor));

    if (visitor == NULL) {
        *look->lost = true;
        return;
    }
    *visitor = (struct visitor){ look, place };
    look->pending++;
    if (look->visit == CHECK_POLICY_HOST)
        visit_policy(visits, look->host, place->address, look->port, true, on_visit, visitor);
    else
        visit_smtp(visits, look->host, place->address, look->port, on_visit, visitor);
}

static void add(struct look *look, const char *address, bool ipv6)
{
    struct check_places *places = look->places;

    places->at[places->count++] = (struct check_place){ .address = address, .ipv6 = ipv6 };
}

static void add_answer(struct look *look, const struct resolver_answer *answer, bool ipv6)
{
    size_t tried = answer->count < CHECK_ADDRESSES_MAX ? answer->count : CHECK_ADDRESSES_MAX;

    for (size_t i = 0; i < tried; i++)
        add(look, answer->records[i].text, ipv6);
    look->places->untried += answer->count - tried;
}

static void go_everywhere(struct look *look)
{
    for (size_t i = 0; i < look->places->count; i++)
        go(look, &look->places->at[i]);
}

/* --- Addresses */

static void on_addresses(struct look *look, const struct resolver_answer *answer,
                         struct resolver_answer *copy)
{
    struct check_places *places = look->places;

    check_copy_answer(look->region, answer, copy, look->lost);
    if (look->pending == 1) { /* this was the second */
        add_answer(look, &places->a, false);
        add_answer(look, &places->aaaa, true);
        go_everywhere(look);
    }
    settle(look);
}

static void on_a(void *context, const struct resolver_answer *answer)
{
    struct look *look = context;

    on_addresses(look, answer, &look->places->a);
}

static void on_aaaa(void *context, const struct resolver_answer *answer)
{
    struct look *look = context;

    on_addresses(look, answer, &look->places->aaaa);
}

static void ask(struct look *look, const char *name)
{
    struct resolver *resolver = outside_resolver(look->outside);

    look->pending = 2;
    resolver_ask(resolver, name, RESOLVER_A, on_a, look);
    resolver_ask(resolver, name, RESOLVER_AAAA, on_aaaa, look);
}

/* Where connections to the host go: to an address that was given at once, or to a name that DNS is
   asked for. An MX record with digits and dots for a host has a name, too. */
static bool start(struct look *look)
{
    struct check_places *places = look->places;
    const char          *to, *name;
    size_t               len;

    look->port = look->visit == CHECK_POLICY_HOST ? HTTPS_PORT : SMTP_PORT;
    visits_redirect(outside_visits(look->outside), look->host, look->port, &to, &len, &look->port);
    places->redirected = to != look->host;
    places->at = region_alloc(look->region, sizeof(*places->at) * 2 * CHECK_ADDRESSES_MAX);
    name = to[0] == '[' ? region_string(look->region, to + 1, len - 2)
                        : region_string(look->region, to, len);
    if (places->at == NULL || name == NULL)
        return false;
    if (!places->redirected || typed_address(name) == AF_UNSPEC) {
        ask(look, name);
        return true;
    }
    add(look, name, typed_address(name) == AF_INET6);
    go_everywhere(look);
    return look->pending > 0;
}

bool check_places_look(struct outside *outside, struct region *region, const char *host,
                       enum check_visit visit, struct check_places *places, bool *lost,
                       void (*done)(void *context), void *context)
{
    struct look *look = region_alloc(region, sizeof(*look));
    bool         started = false;

    *places = (struct check_places){ 0 };
    if (look != NULL) {
        *look = (struct look){ outside, region, host, visit, 0, places, lost, 0, done, context };
        started = start(look);
    }
    *lost |= !started;
    return started;
}
