"""A memory that fails when a test says so: memory.c is compiled and preloaded into the server."""

import itertools
import mmap
import os
import re
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")
_HEAD = struct.Struct("5q")     # to_go, every, failed, process_count, mislead of struct page
_FRAMES = struct.Struct("16Q")
_PROCESS = struct.Struct("2q")  # pid, blocks
_PROCESSES_AT = _HEAD.size + _FRAMES.size
_SIZE = _PROCESSES_AT + 4096 * _PROCESS.size + (1 << 14) * 8


def build(folder):
    """Compiles the library once; gives its path."""
    library = folder / "test-memory.so"
    subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1",
                    str(_SOURCE), "-o", str(library), "-ldl"], check=True, timeout=60)
    return library


class Memory:
    """One server's memory: Server(site, env=memory.environment()), then memory.fail()."""

    def __init__(self, library, path, every=False):
        """every: each single allocation fails, the first, then the second, and so on; else each kind of them."""
        self._library = library
        self._path = path
        self._every = every
        self._number = 0
        path.write_bytes(bytes(_SIZE))
        with open(path, "r+b") as file:
            self._page = mmap.mmap(file.fileno(), _SIZE)

    def environment(self, others=None):
        """others: the environment of another library that is preloaded, too."""
        # A sanitizer's own library comes second then, which it accepts only when told.
        asan = os.environ.get("ASAN_OPTIONS", "")
        preloaded = [str(self._library), (others or {}).get("LD_PRELOAD", "")]
        return {"ASAN_OPTIONS": asan + (":" if asan else "") + "verify_asan_link_order=0",
                **(others or {}), "LD_PRELOAD": ":".join(filter(None, preloaded)),
                "TEST_MEMORY": str(self._path)}

    def fail(self):
        """From now on, the next that has not failed before fails, in whatever process: once."""
        self._number += 1
        struct.pack_into("3q", self._page, 0, 0, self._every, 0)
        struct.pack_into("q", self._page, 0, self._number if self._every else 1)

    def mislead(self):
        """From now on, errno is ENOMEM after each allocation that succeeds."""
        struct.pack_into("q", self._page, 4 * 8, 1)

    def failed(self):
        """No more of them fails from now on; gives the pid of the process where one has, or 0."""
        struct.pack_into("q", self._page, 0, 0)
        return _HEAD.unpack_from(self._page)[2]

    def blocks(self, process):
        """How many blocks a process holds."""
        for index in range(_HEAD.unpack_from(self._page)[3]):
            pid, blocks = _PROCESS.unpack_from(self._page, _PROCESSES_AT + index * _PROCESS.size)
            if pid == process.pid:
                return blocks
        raise AssertionError(f"{process} was never seen")

    def path(self):
        """The calls that led to the allocation that has failed, innermost first; nothing of a process that has gone."""
        frames = [frame for frame in _FRAMES.unpack_from(self._page, _HEAD.size) if frame]
        try:
            maps = Path(f"/proc/{self.failed()}/maps").read_text()
        except OSError:
            return ""
        calls = []
        for file, group in itertools.groupby(frames, lambda frame: _mapped_file(maps, frame)):
            begin = min(begin for begin, _, mapped in _mappings(maps) if mapped == file)
            done = subprocess.run(["addr2line", "-fspe", file, *(hex(frame - begin - 1) for frame in group)],
                                  stdout=subprocess.PIPE, text=True, timeout=60, check=True)
            calls += done.stdout.splitlines()
        return "\n".join(calls)


def _mappings(maps):
    """Begin, end and file of each line of /proc/PID/maps that has one."""
    for line in re.finditer(r"(?m)^([0-9a-f]+)-([0-9a-f]+) .* (/.*)$", maps):
        yield int(line[1], 16), int(line[2], 16), line[3]


def _mapped_file(maps, address):
    return next(file for begin, end, file in _mappings(maps) if begin <= address < end)
