"""A world for a file of tests: hosts on a network, their DNS, the CA that they trust, and servers of ours."""

import contextlib
import re
import types

from lib.dns import Dns
from lib.hosts import DNS, DNS6, Network
from lib.server import Server


class WorldServer(Server):
    """A running mta-stsd on a host. Warnings are failures too, unless a test names them with allow()."""

    def __init__(self, host, ini, env=None):
        super().__init__(types.SimpleNamespace(ini=ini), prefix=host.prefix, env=env)
        self.host = host
        self.name = f"mta-stsd on {host.name}"
        self._warned = 0

    def wait_for_line(self, pattern, **options):
        """Waits for a line, be it a message or a fetch, that the pattern is found in; gives the match."""
        return self.wait(lambda line: re.search(pattern, line.raw), what=f"line like {pattern!r}", **options)

    def check(self):
        super().check()
        lines, self._warned = self.lines[self._warned:], len(self.lines)
        bad = [line.raw for line in lines if line.level == "warning"
               and not any(allowed.search(line.message) for allowed in self._allowed)]
        assert not bad, "unexpected warnings:\n" + "\n".join(bad)


class World:
    """What the world fixture gives. All that was started ends with it."""

    def __init__(self, ca, folder):
        self.ca = ca
        self.folder = folder
        self._servers = []
        self._ending = contextlib.ExitStack()
        self._network = Network()
        self._ending.callback(self._network.close)
        self.dns = Dns(self.host("dns", DNS, DNS6), self.make_folder("dns"))

    def host(self, name, address, address6=None):
        """A new machine; address is in 192.0.2.0/24, address6 in 2001:db8::/64."""
        return self._network.add(name, address, address6)

    def make_folder(self, name):
        """An empty folder that all users can enter."""
        folder = self.folder / name
        folder.mkdir()
        folder.chmod(0o755)
        return folder

    def mta_stsd(self, host, ini_text, env=None):
        """A server of ours on this host, ready; stop() ends and judges it, else the world's end does."""
        self._servers.append(None)
        ini = self.folder / f"mta-stsd-{len(self._servers)}.ini"
        ini.write_text(ini_text)
        return self._ending.enter_context(WorldServer(host, ini, env))

    def close(self):
        self._ending.close()
