/*
 * packet: one packet over a SOCK_SEQPACKET pair, with descriptors beside it. What is in it is
 * message's (worker and keeper) or control's (keeper and master) affair.
 */
#ifndef SERVER_PACKET_H
#define SERVER_PACKET_H

#include <stddef.h>

enum { PACKET_FDS_MAX = 2 };

/*
 * Never blocks. fds are sent as copies; the caller still owns his. 0, or -1
 * with errno (EAGAIN: the peer does not read; EPIPE, ECONNRESET: it is gone).
 */
int packet_send(int socket, const void *packet, size_t len, const int *fds, size_t fd_count);

/*
 * Never blocks. size is one more than the largest packet there is, so that a longer one is
 * seen as such. Descriptors are close-on-exec and now the caller's; those beyond PACKET_FDS_MAX
 * are closed, and with fds NULL all of them. Returns the length, 0 at the peer's end, -1 with errno
 * (EAGAIN: nothing there).
 */
long packet_receive(int socket, void *packet, size_t size, int fds[PACKET_FDS_MAX],
                    size_t *fd_count);

#endif
