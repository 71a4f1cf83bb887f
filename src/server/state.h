/*
 * state: the last good configuration in state_dir.
 *
 * DIR/INSTANCE.snapshot, with the instance's name of the configuration's FILE, is the snapshot of the
 * inputs that the last accepted generation was made from. It is written beside its place, whole and
 * synced, before that generation goes live, and moved to its place when it does. The directory belongs
 * to the user that starts the server, who alone may enter it: what it holds is served.
 */
#ifndef SERVER_STATE_H
#define SERVER_STATE_H

#include <stdbool.h>

enum { STATE_ERROR_MAX = 4096 + 256 /* bytes: the text names a file */ };

/* 0, or -1 with the reason in error: dir is not an absolute path, no real directory, another user's
   (geteuid() is not its owner), or open to other users (mode & 077). create: the last component is
   made, with mode 0700, when it is missing. */
int state_check(const char *dir, bool create, char error[STATE_ERROR_MAX]);

/* Checks dir, opens its snapshot for config_path and verifies that it is whole: *fd is the caller's,
   read only. 0; or -1 with the reason in error, which is "" when there is no such file or directory. */
int state_open(const char *dir, const char *config_path, int *fd, char error[STATE_ERROR_MAX]);

/* Copies a snapshot into dir, beside its place, and syncs it. 0, or -1 with the reason in error. */
int state_write(const char *dir, const char *config_path, int snapshot,
                char error[STATE_ERROR_MAX]);
/* Moves the file that state_write has written to its place. The same. */
int state_commit(const char *dir, const char *config_path, char error[STATE_ERROR_MAX]);

#endif
