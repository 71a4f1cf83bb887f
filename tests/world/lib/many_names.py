"""One server with policy hosts of every kind of key, which is what clients and scanners look at."""

from lib import pki
from lib.ca import Files

ADDRESS = "192.0.2.80"
KEYS = ["p256", "p384", "rsa2048"]
DOMAINS = [f"{which}.{key}.example" for key in KEYS for which in ("one", "two")]
UNTRUSTED = "untrusted.example"  # its certificate is from a CA that nobody knows
UNKNOWN = "mta-sts.unknown.example"  # a name in the DNS that the server has not


def policy_host(domain):
    return f"mta-sts.{domain}"


def body(host):
    """The policy of one of the hosts."""
    domain = host.removeprefix("mta-sts.")
    return f"version: STSv1\r\nmode: enforce\r\nmx: mail.{domain}\r\nmax_age: 604800\r\n".encode()


def section(domain, pair):
    return (f"[{domain}]\nmode = enforce\nmx = mail.{domain}\n"
            f"certificate = {pair.certificate}\nkey = {pair.key}\n")


def serve(world):
    """The running server."""
    files = {domain: world.ca.issue_files(policy_host(domain), kind=domain.split(".")[1]) for domain in DOMAINS}
    files[UNTRUSTED] = Files(world.make_folder("stranger"), pki.Authority().issue(policy_host(UNTRUSTED)))
    world.dns.set(*[f"{name}. A {ADDRESS}" for name in [*map(policy_host, files), UNKNOWN]])
    return world.mta_stsd(world.host("server", ADDRESS), f"[server]\nlisten = {ADDRESS}:443\n"
                          + "".join(section(domain, pair) for domain, pair in files.items()))
