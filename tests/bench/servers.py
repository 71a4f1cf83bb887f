"""The servers that are measured: mta-stsd from build/, the others from the Debian root, all with the same files.

Each is configured as its own documentation or Debian's package has it, but for this: one worker, no access log. Each is
kept on the first processor; who asks it is kept on the last. What they share is in FOLDER, which is SEEN_AS in the root.
"""

import os
import re
import subprocess
import time
from pathlib import Path

import processes
from lib import pki
from lib.server import MTA_STSD

ROOT = Path(os.environ.get("BENCH_ROOT", ""))
SEEN_AS = Path("/srv")
FOLDER = ROOT / "srv"
CPUS = sorted(os.sched_getaffinity(0))
PATIENCE = 60  # seconds: Apache checks a thousand hosts for long
NICE = -15
AUTOGROUP = Path("/proc/self/autogroup")
CONNECTIONS_MAX = 12000  # where it is about many of them

POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n"


def started(command, cpu, **options):
    """A Popen that runs on this processor alone, and before other work of the machine: as on one with nothing to do."""
    def prepare():
        os.sched_setaffinity(0, {cpu})
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        if AUTOGROUP.exists():  # where sessions share the processors, a nice process is so within its own only
            AUTOGROUP.write_text(str(NICE))
    return subprocess.Popen([str(part) for part in command], start_new_session=True, preexec_fn=prepare,
                            **{"stdin": subprocess.DEVNULL, **options})


class Site:
    """Hosts with their certificates and the one policy that all of them serve."""

    authority = pki.Authority()

    def __init__(self, name, kinds, shared_key=None):
        """kinds: the kind of key of each domain."""
        self.folder = FOLDER / name
        self.seen_as = SEEN_AS / name
        self.domains = list(kinds)
        self.hosts = [f"mta-sts.{domain}" for domain in kinds]
        for host, kind in zip(self.hosts, kinds.values()):
            self.authority.issue(host, kind=kind, key=shared_key).write(self.folder / "certs" / host)
        policy = self.folder / "www/.well-known/mta-sts.txt"
        policy.parent.mkdir(parents=True)
        policy.write_bytes(POLICY)

    def names_file(self, *hosts):
        """For the load generator: what it asks for, in turn."""
        path = self.folder / f"names-{'-'.join(hosts)}"
        path.write_text("\n".join(hosts or self.hosts) + "\n")
        return path


class Server:
    """A server that runs while the `with` lasts."""

    name = port = program = None

    def __init__(self, site, crowd=False):
        """crowd: with room for CONNECTIONS_MAX connections."""
        self.site = site
        self.crowd = crowd
        self.address = f"127.0.0.1:{self.port}"

    def configuration(self):
        raise NotImplementedError

    def command(self, path):
        raise NotImplementedError

    @property
    def configuration_path(self):
        return self.site.folder / f"{self.name}.conf".replace(" ", "-")

    def _start(self):
        path = self.configuration_path
        path.write_text(self.configuration())
        with open(path.with_suffix(".log"), "wb") as log:
            return started(self.command(path), CPUS[0], stdout=log, stderr=log, env={**os.environ, "HOME": "/tmp"})

    def _listens(self):
        assert self.process.poll() is None, (
            f"{self.name} ended:\n" + "\n".join(path.read_text() for path in self.site.folder.glob("*.log")))
        return f":{self.port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()

    def __enter__(self):
        since = time.monotonic()
        self.process = self._start()
        while not self._listens():  # without a pause: a start may take milliseconds
            assert time.monotonic() < since + PATIENCE, f"{self.name} does not listen"
        self.start_seconds = time.monotonic() - since
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)

    @property
    def pids(self):
        return processes.tree(self.process.pid)


class Ours(Server):
    name, port = "mta-stsd", 4430

    def configuration(self):
        certs = self.site.folder / "certs"
        first, *others = self.site.domains
        crowd = f"max_connections = {CONNECTIONS_MAX}\nmax_connections_per_ip = 0\n" if self.crowd else ""
        aliases = "".join(f"alias = {domain}\n" for domain in others)
        return (f"[server]\nlisten = {self.address}\nworkers = 1\naccess_log = off\n{crowd}"
                f"[defaults]\ncertificate = {certs}/%h/fullchain.pem\nkey = {certs}/%h/privkey.pem\n"
                f"[{first}]\nmode = enforce\nmx = mail.example.org\n{aliases}")

    def command(self, path):
        return [MTA_STSD, "-c", str(path)]

    @staticmethod
    def version():
        done = subprocess.run([MTA_STSD, "-V"], stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.splitlines()[0]


class Peer(Server):
    """A server from the Debian root."""

    program = None
    version_option = "-v"
    options = ()

    def command(self, path):
        return ["chroot", str(ROOT), self.program, *self.options, str(self.site.seen_as / path.name)]

    def hosts(self):
        """Each host with the files of its certificate, as the server sees them."""
        for host in self.site.hosts:
            folder = self.site.seen_as / "certs" / host
            yield host, folder / "fullchain.pem", folder / "privkey.pem"

    @classmethod
    def version(cls):
        done = subprocess.run(["chroot", str(ROOT), cls.program, *cls.version_option.split()],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
        return re.search(r"\d+\.\d+\.\d+", done.stdout)[0]


class Nginx(Peer):
    """Debian's nginx.conf, but for the lines that this is about."""

    name, port, program = "nginx", 4431, "/usr/sbin/nginx"
    options = ("-g", "daemon off;", "-c")
    tls = ""
    location = ""

    def configuration(self):
        www = self.site.seen_as / "www"
        return (f"user www-data;\nworker_processes 1;\npid {self.site.seen_as}/nginx.pid;\n"
                f"error_log stderr;\n"
                f"events {{ worker_connections {CONNECTIONS_MAX if self.crowd else 768}; }}\n"
                "http {\nsendfile on;\ntcp_nopush on;\ntypes_hash_max_size 2048;\n"
                "include /etc/nginx/mime.types;\ndefault_type application/octet-stream;\n"
                "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;\nssl_prefer_server_ciphers on;\n"
                "access_log off;\ngzip on;\nserver_names_hash_bucket_size 128;\n" + self.tls
                + "".join(f"server {{ listen {self.address} ssl; server_name {host}; root {www};\n"
                          f"ssl_certificate {certificate}; ssl_certificate_key {key}; {self.location} }}\n"
                          for host, certificate, key in self.hosts()) + "}\n")


class NginxWithoutTickets(Nginx):
    name, port = "nginx without tickets", 4432
    tls = "ssl_session_tickets off;\n"


class NginxFromMemory(Nginx):
    """The policy in the configuration instead of a file."""

    name, port = "nginx with return", 4433
    location = ("location = /.well-known/mta-sts.txt { default_type text/plain; return 200 \""
                + POLICY.decode() + "\"; }")


class Caddy(Peer):
    name, port, program = "Caddy", 4434, "/usr/bin/caddy"
    version_option = "version"
    options = ("run", "--adapter", "caddyfile", "--config")

    def configuration(self):
        # No HTTP/3: it is not asked for, and would listen on UDP.
        return ("{\nadmin off\nauto_https off\n"
                f"storage file_system {self.site.seen_as}/caddy\nservers {{\nprotocols h1 h2\n}}\n}}\n"
                + "".join(f"https://{host}:{self.port} {{\nbind 127.0.0.1\ntls {certificate} {key}\n"
                          f"root * {self.site.seen_as}/www\nfile_server\n}}\n"
                          for host, certificate, key in self.hosts()))


class Apache(Peer):
    """The event MPM with Debian's defaults, but for one process that serves."""

    name, port, program = "Apache", 4435, "/usr/sbin/apache2"
    options = ("-DFOREGROUND", "-f")
    modules = "mpm_event authz_core mime reqtimeout socache_shmcb ssl".split()

    def configuration(self):
        folder = self.site.seen_as
        return ("".join(f"LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n"
                        for module in self.modules)
                + f"ServerRoot {folder}\nServerName localhost\nListen {self.address}\n"
                f"User www-data\nGroup www-data\nPidFile {folder}/apache.pid\nErrorLog {folder}/apache-error.log\n"
                f"DefaultRuntimeDir {folder}\nTypesConfig /dev/null\nAddType text/plain .txt\n"
                "StartServers 1\nServerLimit 1\nThreadsPerChild 25\nMaxRequestWorkers 25\n"
                f"SSLSessionCache shmcb:{folder}/apache-sessions(512000)\nSSLCipherSuite HIGH:!aNULL\n"
                "SSLProtocol all -SSLv3\nRequestReadTimeout header=20-40,minrate=500\n"
                f"<Directory {folder}/www>\nRequire all granted\n</Directory>\n"
                + "".join(f"<VirtualHost {self.address}>\nServerName {host}\nDocumentRoot {folder}/www\n"
                          f"SSLEngine on\nSSLCertificateFile {certificate}\nSSLCertificateKeyFile {key}\n"
                          "</VirtualHost>\n" for host, certificate, key in self.hosts()))


PEERS = [Nginx, NginxWithoutTickets, Caddy, Apache]
ALL = [Ours, *PEERS]
