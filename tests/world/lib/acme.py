"""An ACME CA (pebble) and the clients that people run, each as its own documentation has it."""

import json

WEBROOT = "/var/lib/mta-sts/acme"
CHALLENGES = f"{WEBROOT}/.well-known/acme-challenge"


class Pebble:
    """The CA, validating over port 80 as the public ones do. Every order is validated anew."""

    def __init__(self, world, name, address, address6):
        host = self.host = world.host("ca", address, address6)
        files = world.ca.issue_files(name)
        world.dns.set(f"{name}. A {address}")
        folder = world.make_folder("pebble")
        (folder / "config.json").write_text(json.dumps({"pebble": {
            "listenAddress": "0.0.0.0:14000", "managementListenAddress": "0.0.0.0:15000",
            "certificate": str(files.certificate), "privateKey": str(files.key),
            "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": False,
            "retryAfter": {"authz": 1, "order": 1}}}))
        host.start("pebble", "-config", folder / "config.json", "-dnsserver", "192.0.2.53:53", ready=14000,
                   env={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"})
        host.wait_for_port(15000)
        self.directory = f"https://{name}:14000/dir"
        self.root = folder / "root.pem"  # changes with every start
        self.root.write_text(host.run("curl", "-sS", f"https://{name}:15000/roots/0").stdout)


class Client:
    """An ACME client with one certificate: where it puts it, and how it is told to get it and to renew it."""

    acme = f"acme_webroot = {WEBROOT}"  # in [server]

    def __init__(self, host, ca):
        self._host = host
        self._ca = ca

    def run(self, *command, **options):
        return self._host.run(*command, timeout=120, **options).stdout


class Certbot(Client):
    """As README has it, with certbot's own folders."""

    certificate, key = "/etc/letsencrypt/live/%h/fullchain.pem", "/etc/letsencrypt/live/%h/privkey.pem"

    def issue(self, name):
        self.run("certbot", "certonly", "--webroot", "-w", WEBROOT, "-d", name, "--server", self._ca.directory,
                 "--non-interactive", "--agree-tos", "--register-unsafely-without-email")

    def renew(self, name):
        self.run("certbot", "renew", "--cert-name", name, "--force-renewal", "--no-random-sleep-on-renew")


class Dehydrated(Client):
    """As Debian configures it, with a challenge folder of its own, of which the server is told."""

    acme = "acme_dir = /var/lib/dehydrated/acme-challenges"
    certificate, key = "/var/lib/dehydrated/certs/%h/fullchain.pem", "/var/lib/dehydrated/certs/%h/privkey.pem"

    def issue(self, name, *options):
        self.run("dehydrated", "--cron", "--accept-terms", "--ca", self._ca.directory, "--domain", name, *options)

    def renew(self, name):
        self.issue(name, "--force")


class Lego(Client):
    """With the web root."""

    certificate, key = "/var/lib/lego/certificates/%h.crt", "/var/lib/lego/certificates/%h.key"

    def _lego(self, name, *command):
        self.run("lego", "--server", self._ca.directory, "--accept-tos", "--email", "admin@example.org",
                 "--path", "/var/lib/lego", "--domains", name, "--http", "--http.webroot", WEBROOT, *command)

    def issue(self, name):
        self._lego(name, "run")

    def renew(self, name):
        self._lego(name, "renew", "--days", "9999", "--no-random-sleep")


class Uacme(Client):
    """With the hook that comes with it."""

    certificate, key = "/etc/ssl/uacme/%h/cert.pem", "/etc/ssl/uacme/private/%h/key.pem"

    def _uacme(self, *command):
        self.run("uacme", "--acme-url", self._ca.directory, "--hook", "/usr/share/uacme/uacme.sh", *command,
                 env={"UACME_CHALLENGE_PATH": CHALLENGES})

    def issue(self, name):
        self._uacme("--yes", "new")
        self._uacme("issue", name)

    def renew(self, name):
        self._uacme("--force", "issue", name)
