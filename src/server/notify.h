/*
 * notify: systemd's service notification protocol (sd_notify(3)), spoken by the
 * master alone. Without NOTIFY_SOCKET every call does nothing. Never blocks; what
 * cannot be told is logged, and that is all.
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

/* Once at start: opens the socket and takes NOTIFY_SOCKET out of the environment. */
void notify_init(void);

/* The socket, or -1 where nobody is notified. */
int notify_fd(void);

/* READY=1, and STATUS=status: one line without its end. NULL: the status stays as it was. */
void notify_ready(const char *status);

/* RELOADING=1 with MONOTONIC_USEC: a READY=1 must follow. */
void notify_reloading(void);

/* STOPPING=1 */
void notify_stopping(void);

#endif
