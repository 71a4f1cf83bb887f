"""The descriptors and the memory of another process, which the kernel shows only to a process with rights over it.

The processes of mta-stsd are not dumpable, so their own user has no such right: it takes root or CAP_SYS_PTRACE. Where
the tests do not run as root, tests/private-net.sh leaves them this one capability, of a user namespace. What a test
starts does not inherit it, because drop_ambient() comes before the first test.
"""

import contextlib
import ctypes
import errno
import os
import re
from pathlib import Path

import pytest

CAP_SYS_PTRACE = 19
PIDFD_GETFD = 438  # of every architecture
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

_libc = ctypes.CDLL(None, use_errno=True)


def drop_ambient():
    """From now on, programs that this process starts have no capability that it does not give them."""
    assert _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0


def need_rights():
    """Skips the test that asks, unless it may look into other processes."""
    effective = int(re.search(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.M)[1], 16)
    if os.geteuid() != 0 and not effective >> CAP_SYS_PTRACE & 1:
        pytest.skip("looks into a process that is not dumpable: needs root, or a kernel that allows user namespaces")


def copy_descriptor(pid, number):
    """A descriptor of another process, as if this process had opened it."""
    pidfd = os.pidfd_open(pid)
    try:
        fd = _libc.syscall(PIDFD_GETFD, pidfd, number, 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), f"pidfd_getfd of {pid}")
        return fd
    finally:
        os.close(pidfd)


def _by_reading(pid):
    leads_to = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            leads_to[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return leads_to


def by_copying(pid):
    """/proc/PID/fd belongs to root, which CAP_SYS_PTRACE does not get past. pidfd_getfd asks for that capability alone."""
    table_size = int(re.search(r"^FDSize:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1])
    leads_to = {}
    for number in range(table_size):
        try:
            copy = copy_descriptor(pid, number)
        except OSError as error:
            if error.errno != errno.EBADF:  # not open
                raise
            continue
        leads_to[number] = os.readlink(f"/proc/self/fd/{copy}")
        os.close(copy)
    return leads_to


def descriptors(pid):
    """What each open descriptor of a process leads to."""
    need_rights()
    return _by_reading(pid) if os.geteuid() == 0 else by_copying(pid)
