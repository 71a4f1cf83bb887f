#include "tool/advise_state.h"

#include <string.h>

static void note_mx(struct advise_seen *seen, const struct advise_look *look)
{
    if (look->mx[0] == '\0' || strcmp(seen->mx, look->mx) == 0)
        return;
    if (seen->mx[0] != '\0')
        seen->mx_since = look->now;
    memcpy(seen->mx, look->mx, sizeof(seen->mx));
}

/* Of a policy in force: by its record, senders come to know it. */
static void note_policy(struct advise_seen *seen, const struct advise_look *look)
{
    bool is_other = seen->last == 0 || seen->mode != look->mode;

    if (is_other)
        seen->since = look->now;
    seen->mode = look->mode;
    seen->last = look->now;
}

static void note_id(struct advise_seen *seen, const struct advise_look *look)
{
    if (look->id == NULL || strlen(look->id) > POLICY_ID_LEN || strcmp(seen->id, look->id) == 0)
        return;
    strcpy(seen->id, look->id);
    seen->id_since = look->now;
}

bool advise_state_is_same_id(const struct advise_seen *seen, const struct advise_look *look)
{
    return look->in_force && seen->last != 0 && seen->mode != look->mode &&
           strcmp(seen->id, look->id) == 0;
}

void advise_state_note(struct advise_seen *seen, const struct advise_look *look)
{
    if (seen->first == 0) {
        seen->first = look->now;
        seen->from_policy = look->published || look->served;
    }
    note_mx(seen, look);
    if (look->served) {
        seen->enforced |= look->mode == POLICY_ENFORCE;
        if (look->max_age > seen->longest)
            seen->longest = look->max_age;
    }
    if (look->in_force && !advise_state_is_same_id(seen, look)) {
        note_policy(seen, look);
        note_id(seen, look);
    }
}

int64_t advise_state_cached_until(const struct advise_seen *seen)
{
    int64_t begin = seen->mode == POLICY_ENFORCE ? seen->last : seen->since;
    int64_t until = begin + seen->longest;

    if (seen->from_policy && seen->first + POLICY_MAX_AGE_MAX > until)
        until = seen->first + POLICY_MAX_AGE_MAX;
    return until;
}
