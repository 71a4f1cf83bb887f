/*
 * privileges: what the worker gives away before it meets a stranger.
 *
 * As root a worker becomes the configured user in an empty root, without any
 * capability and without a way to new ones. Started as somebody else, it gives away all that
 * it has. There is no way back, and each step is checked.
 */
#ifndef SERVER_PRIVILEGES_H
#define SERVER_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PRIVILEGES_ERROR_MAX = 256 }; /* bytes of an error's text with its NUL */

struct privileges {
    bool  drop; /* started as root: change user and root */
    uid_t uid;
    gid_t gid;
    int   empty_fd; /* an empty folder that is in no file system any more; -1 when not root */
};

/*
 * In the keeper, before it forks workers: finds the user ("name", "number" or
 * "number:number"; NULL: mta-sts where it exists, else nobody), makes the empty
 * root, checks that this process may do all of it. A bare number has the group of that user
 * where there is one, else the group of the same number. Not started as root:
 * user is ignored. -1 with a text that says what to do; nothing is held then.
 */
int privileges_prepare(const char *user, struct privileges *privileges, char *error);

/* Its first step alone, for -t: fills uid and gid. -1 with a text. */
int privileges_find_user(const char *user, struct privileges *privileges, char *error);

void privileges_fini(struct privileges *privileges); /* closes empty_fd */

/* In the worker: gives everything away, closes empty_fd, and proves that it is gone. -1 with a
   text; the worker must not go on. */
int privileges_drop(const struct privileges *privileges, char *error);

/* No core files and no tracing by others of the same user: keys and ways to them are in here.
   To be called after privileges_drop, since a change of user resets it. */
void privileges_hide_memory(void);

#endif
