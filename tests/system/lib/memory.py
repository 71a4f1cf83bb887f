"""A memory that fails when a test says so: memory.c is compiled and preloaded into the server."""

import mmap
import os
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")
_HEAD = struct.Struct("3q")     # armed, failed, process_count of struct page
_FRAMES = struct.Struct("12Q")
_PROCESS = struct.Struct("2q")  # pid, blocks
_PROCESSES_AT = _HEAD.size + _FRAMES.size
_SIZE = _PROCESSES_AT + 4096 * _PROCESS.size + (1 << 14) * 8


def build(folder):
    """Compiles the library once; gives its path."""
    library = folder / "test-memory.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", str(_SOURCE),
                    "-o", str(library), "-ldl"], check=True, timeout=60)
    return library


class Memory:
    """One server's memory: Server(site, env=memory.environment()), then memory.fail()."""

    def __init__(self, library, path):
        self._library = library
        self._path = path
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
        """The next allocation that has not failed before fails, in whatever process: once."""
        struct.pack_into("q", self._page, 8, 0)
        struct.pack_into("q", self._page, 0, 1)

    def failed(self):
        """No more of them fails from now on; gives the pid of the process where one has, or 0."""
        struct.pack_into("q", self._page, 0, 0)
        return _HEAD.unpack_from(self._page)[1]

    def blocks(self, process):
        """How many blocks a process holds."""
        for index in range(_HEAD.unpack_from(self._page)[2]):
            pid, blocks = _PROCESS.unpack_from(self._page, _PROCESSES_AT + index * _PROCESS.size)
            if pid == process.pid:
                return blocks
        raise AssertionError(f"{process} was never seen")

    def path(self, program):
        """The calls that led to the allocation that has failed, in a program that lives, for its failures."""
        frames = [frame for frame in _FRAMES.unpack_from(self._page, _HEAD.size) if frame]
        maps = Path(f"/proc/{self.failed()}/maps").read_text().splitlines()
        base = next(int(line.split("-")[0], 16) for line in maps if line.endswith(program))
        done = subprocess.run(["addr2line", "-fspe", program, *(hex(frame - base - 1) for frame in frames)],
                              stdout=subprocess.PIPE, text=True, timeout=60, check=True)
        return done.stdout
