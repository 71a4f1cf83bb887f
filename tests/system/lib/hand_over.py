"""Sockets handed over to a program, as systemd does it (sd_listen_fds(3))."""

import socket
import sys

_PROGRAM = """
import os, sys
names, fds, command = sys.argv[1], [int(fd) for fd in sys.argv[2].split(",")], sys.argv[3:]
high = [os.dup(fd) for fd in fds]
high = [os.dup2(fd, 100 + at) for at, fd in enumerate(high)]
for at, fd in enumerate(high):
    os.dup2(fd, 3 + at)
os.closerange(3 + len(high), 1000)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names)
os.execvp(command[0], command)
"""


def hand_over_to(sockets):
    """Options for Server, whose program then has these sockets: (FileDescriptorName, descriptor) each."""
    fds = [fd for _, fd in sockets]
    names = ":".join(name for name, _ in sockets)
    return {"prefix": [sys.executable, "-c", _PROGRAM, names, ",".join(map(str, fds))], "pass_fds": fds}


def listening(family=socket.AF_INET, host="127.0.0.1", dual=False):
    return socket.create_server((host, 0), family=family, dualstack_ipv6=dual)
