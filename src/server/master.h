/*
 * master: signals, supervision, and the listening sockets that outlive generations.
 *
 * It parses nothing and meets no stranger, so that it has nothing to die of. A
 * reload is a new generation of processes beside the old one, and only when the
 * new one is ready is the old one told to drain: process exit is rollback.
 * A keeper that dies is replaced by a new generation, as by a reload.
 */
#ifndef SERVER_MASTER_H
#define SERVER_MASTER_H

/* Returns the exit status: 0 after SIGTERM or SIGINT, 1 when the first generation fails. */
int master_run(const char *config_path);

#endif
