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

void notify_ready(
    const char *status); /* READY=1, and STATUS=status, one line without its end; NULL: as it was */
void notify_reloading(void); /* RELOADING=1 with MONOTONIC_USEC: a READY=1 must follow */
void notify_stopping(void);  /* STOPPING=1 */

#endif
