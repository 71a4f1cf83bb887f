/*
 * deadlines: which connection has to be done by when.
 *
 * Every state of a connection has one fixed time, so the connections in one
 * state, in the order in which they entered it, are already sorted by deadline: a
 * list a state, everything in constant time, and no timer a connection. Deadlines
 * are absolute: a byte a second does not put one off. Pure bookkeeping; the clock is the caller's.
 */
#ifndef SERVER_DEADLINES_H
#define SERVER_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

enum { DEADLINES_LISTS_MAX = 16 };

/* Embedded. Zeroed before its first use. */
struct deadline {
    struct deadline *next, **prev; /* prev NULL: in no list */
    int64_t          at;           /* milliseconds of the caller's clock */
    unsigned         list;
};

struct deadlines {
    struct deadline  *first[DEADLINES_LISTS_MAX];
    struct deadline **last[DEADLINES_LISTS_MAX];
};

void deadlines_init(struct deadlines *deadlines);

/* Puts it at the end of a list (taking it out of the one it is in): at must not be before the
   end's. */
void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, unsigned list,
                   int64_t at);

/* No-op when it is in none. */
void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline);

/* One whose time has come, or NULL. It stays in its list. */
struct deadline *deadlines_due(const struct deadlines *deadlines, int64_t now);

#endif
