#include "tool/advise_state.h"

#include "tool/file_replace.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] = "mta-sts advise state 1\n";

struct advise_state {
    void *tree;   /* of struct advise_seen, by domain (tsearch) */
    FILE *out;    /* while it is written */
    bool  failed; /* to be written */
};

/* --- A line */

static const char *or_dash(const char *text)
{
    return text[0] == '\0' ? "-" : text;
}

static int print_line(const struct advise_seen *seen, char *line)
{
    return snprintf(line, ADVISE_STATE_LINE,
                    "%s first=%" PRId64 " from=%s last=%" PRId64 " mode=%s since=%" PRId64
                    " longest=%" PRIu32 " enforced=%s id=%s id_since=%" PRId64
                    " mx=%s mx_since=%" PRId64 "\n",
                    seen->domain, seen->first, seen->from_policy ? "policy" : "nothing", seen->last,
                    seen->last == 0 ? "-" : policy_mode_name(seen->mode), seen->since,
                    seen->longest, seen->enforced ? "yes" : "no", or_dash(seen->id), seen->id_since,
                    or_dash(seen->mx), seen->mx_since);
}

static bool is_name(const char *domain)
{
    char canonical[HOSTNAME_MAX + 1];

    return hostname_canonical(domain, strlen(domain), HOSTNAME_MAX, canonical) == HOSTNAME_OK &&
           strcmp(domain, canonical) == 0;
}

static bool are_of(const char *text, const char *characters)
{
    return text[strspn(text, characters)] == '\0';
}

static void drop_dash(char *text)
{
    if (strcmp(text, "-") == 0)
        text[0] = '\0';
}

static bool is_possible(const struct advise_seen *seen)
{
    return is_name(seen->domain) && seen->first > 0 && seen->last >= 0 && seen->since >= 0 &&
           seen->id_since >= 0 && seen->mx_since >= 0 && seen->longest <= POLICY_MAX_AGE_MAX &&
           are_of(seen->id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") &&
           are_of(seen->mx, "0123456789abcdef") &&
           (seen->mx[0] == '\0' || strlen(seen->mx) == ADVISE_MX_DIGEST);
}

/* Takes the line apart; what it says is right where the same line comes out again. */
static bool read_line(const char *line, struct advise_seen *seen)
{
    char from[8], mode[8], enforced[4], again[ADVISE_STATE_LINE];
    int  fields;

    *seen = (struct advise_seen){ 0 };
    /* NOLINTNEXTLINE(cert-err34-c): the comparison below holds the numbers, too */
    fields = sscanf(line,
                    "%253s first=%" SCNd64 " from=%7s last=%" SCNd64 " mode=%7s since=%" SCNd64
                    " longest=%" SCNu32 " enforced=%3s id=%32s id_since=%" SCNd64
                    " mx=%16s mx_since=%" SCNd64,
                    seen->domain, &seen->first, from, &seen->last, mode, &seen->since,
                    &seen->longest, enforced, seen->id, &seen->id_since, seen->mx, &seen->mx_since);
    if (fields != 12)
        return false;
    seen->from_policy = strcmp(from, "policy") == 0;
    seen->enforced = strcmp(enforced, "yes") == 0;
    if (seen->last != 0 && !policy_mode_parse(mode, strlen(mode), &seen->mode))
        return false;
    drop_dash(seen->id);
    drop_dash(seen->mx);
    return is_possible(seen) && print_line(seen, again) < ADVISE_STATE_LINE &&
           strcmp(line, again) == 0;
}

/* --- Domains */

static int compare(const void *a, const void *b)
{
    const struct advise_seen *left = a, *right = b;

    return strcmp(left->domain, right->domain);
}

/* Puts in what is not there; NULL: no memory. *found: it was there. */
static struct advise_seen *put(struct advise_state *state, const struct advise_seen *seen,
                               bool *found)
{
    struct advise_seen  *copy = malloc(sizeof(*copy));
    struct advise_seen **node;
    struct advise_seen  *kept;

    if (copy == NULL)
        return NULL;
    *copy = *seen;
    node = tsearch(copy, &state->tree, compare); /* a node begins with what it is of */
    kept = node == NULL ? NULL : *node;
    *found = kept != copy;
    if (kept != copy)
        free(copy);
    return kept;
}

struct advise_seen *advise_state_of(struct advise_state *state, const char *domain)
{
    struct advise_seen seen = { 0 };
    bool               found;

    snprintf(seen.domain, sizeof(seen.domain), "%s", domain);
    return put(state, &seen, &found);
}

/* --- Reading */

static enum advise_state_result take_line(struct advise_state *state, const char *line,
                                          const char *path, unsigned number, char *why)
{
    struct advise_seen seen;
    bool               found = false;

    if (!read_line(line, &seen)) {
        snprintf(why, ADVISE_STATE_WHY_MAX, "%s:%u: this is no line of a state file", path, number);
        return ADVISE_STATE_BROKEN;
    }
    if (put(state, &seen, &found) == NULL)
        return ADVISE_STATE_NO_MEMORY;
    if (!found)
        return ADVISE_STATE_FINE;
    snprintf(why, ADVISE_STATE_WHY_MAX, "%s:%u: this domain has a line already", path, number);
    return ADVISE_STATE_BROKEN;
}

static enum advise_state_result read_lines(struct advise_state *state, FILE *file, const char *path,
                                           char *why)
{
    enum advise_state_result result = ADVISE_STATE_FINE;
    char                     line[ADVISE_STATE_LINE];
    unsigned                 number = 1;
    bool                     more = fgets(line, sizeof(line), file) != NULL;

    if (more && strcmp(line, head) != 0) {
        snprintf(why, ADVISE_STATE_WHY_MAX, "%s:1: this is no state file of mta-sts advise", path);
        return ADVISE_STATE_BROKEN;
    }
    while (more && result == ADVISE_STATE_FINE) {
        more = fgets(line, sizeof(line), file) != NULL;
        if (more)
            result = take_line(state, line, path, ++number, why);
    }
    if (result != ADVISE_STATE_FINE || !ferror(file))
        return result;
    snprintf(why, ADVISE_STATE_WHY_MAX, "%s: %s", path, strerror(errno));
    return ADVISE_STATE_BROKEN;
}

enum advise_state_result advise_state_read(const char *path, struct advise_state **state, char *why)
{
    enum advise_state_result result;
    FILE                    *file;

    *state = calloc(1, sizeof(**state));
    if (*state == NULL)
        return ADVISE_STATE_NO_MEMORY;
    file = fopen(path, "re");
    if (file == NULL && errno == ENOENT)
        return ADVISE_STATE_FINE;
    if (file == NULL) {
        snprintf(why, ADVISE_STATE_WHY_MAX, "%s: %s", path, strerror(errno));
        return ADVISE_STATE_BROKEN;
    }
    result = read_lines(*state, file, path, why);
    fclose(file);
    return result;
}

/* --- Writing */

static void write_domain(const void *node, VISIT order, void *closure)
{
    struct advise_state *state = closure;
    char                 line[ADVISE_STATE_LINE];

    if (order != postorder && order != leaf) /* postorder: between its two sides */
        return;
    print_line(*(struct advise_seen *const *)node, line);
    state->failed |= fputs(line, state->out) == EOF;
}

static bool write_all(const void *context, FILE *out)
{
    const struct advise_state *state = context;
    struct advise_state        writing = { .out = out };

    writing.failed = fputs(head, out) == EOF;
    twalk_r(state->tree, write_domain, &writing);
    return !writing.failed;
}

enum advise_state_result advise_state_write(const struct advise_state *state, const char *path,
                                            char *why)
{
    if (file_replace(path, write_all, state))
        return ADVISE_STATE_FINE;
    snprintf(why, ADVISE_STATE_WHY_MAX, "%s: %s", path, strerror(errno));
    return ADVISE_STATE_BROKEN;
}

void advise_state_free(struct advise_state *state)
{
    if (state != NULL)
        tdestroy(state->tree, free);
    free(state);
}
