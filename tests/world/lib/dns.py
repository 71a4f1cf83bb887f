"""The world's DNS: knot with a zone for the root, in which there is nothing but what the tests put there."""

from lib.hosts import DNS, DNS6

_CONF = """
server:
    rundir: {folder}
    listen: [ {address}@53, {address6}@53 ]
    user: root
log:
  - target: stdout
    any: info
database:
    storage: {folder}
template:
  - id: default
    storage: {folder}
    zonefile-load: difference-no-serial
    zonefile-sync: -1
    journal-content: all
zone:
  - domain: .
    file: root.zone
"""

_APEX = """$ORIGIN .
$TTL 60
. SOA ns.world. hostmaster.world. 1 3600 600 86400 1
. NS ns.world.
ns.world. A {address}
ns.world. AAAA {address6}
"""


class Dns:
    """Records are lines of a zone file: "mta-sts.example.org. 60 A 192.0.2.25", every name in full."""

    def __init__(self, host, folder):
        self.host = host
        self._folder = folder
        self._records = []
        self._conf = folder / "knot.conf"
        self._conf.write_text(_CONF.format(folder=folder, address=DNS, address6=DNS6))
        self._write()
        self.process = host.start("knotd", "-c", self._conf, ready="server started")
        self._knotc("zone-status", ".")

    def set(self, *records):
        """From now on, each name and type that these records mention has these, and no others."""
        new = [record.split(None, 1) for text in records for record in text.strip().splitlines() if record.strip()]
        changed = {_name_and_type(*record) for record in new}
        self._records = [record for record in self._records if _name_and_type(*record) not in changed] + new
        self._reload()

    def remove(self, *names):
        """Nothing is left of these names."""
        gone = {_in_full(name) for name in names}
        self._records = [record for record in self._records if _in_full(record[0]) not in gone]
        self._reload()

    def _write(self):
        lines = [f"{_in_full(name)} {rest}" for name, rest in self._records]
        (self._folder / "root.zone").write_text(_APEX.format(address=DNS, address6=DNS6) + "\n".join(lines) + "\n")

    def _reload(self):
        self._write()
        self._knotc("-b", "zone-reload", ".")

    def _knotc(self, *arguments):
        self.host.run("knotc", "-c", self._conf, *arguments)


def _in_full(name):
    return name.lower().rstrip(".") + "."


def _name_and_type(name, rest):
    """The type is the first word that is neither a TTL nor a class."""
    return _in_full(name), next(word.upper() for word in rest.split() if not word.isdigit() and word.upper() != "IN")
