#include "server/deadlines.h"

void deadlines_init(struct deadlines *deadlines)
{
    for (unsigned list = 0; list < DEADLINES_LISTS_MAX; list++) {
        deadlines->first[list] = NULL;
        deadlines->last[list] = &deadlines->first[list];
    }
}

void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline)
{
    if (deadline->prev == NULL)
        return;
    *deadline->prev = deadline->next;
    if (deadline->next != NULL)
        deadline->next->prev = deadline->prev;
    else
        deadlines->last[deadline->list] = deadline->prev;
    deadline->prev = NULL;
}

void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, unsigned list,
                   int64_t at)
{
    deadlines_remove(deadlines, deadline);
    deadline->at = at;
    deadline->list = list;
    deadline->next = NULL;
    deadline->prev = deadlines->last[list];
    *deadline->prev = deadline;
    deadlines->last[list] = &deadline->next;
}

struct deadline *deadlines_due(const struct deadlines *deadlines, int64_t now)
{
    for (unsigned list = 0; list < DEADLINES_LISTS_MAX; list++)
        if (deadlines->first[list] != NULL && deadlines->first[list]->at <= now)
            return deadlines->first[list];
    return NULL;
}
