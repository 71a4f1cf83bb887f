"""Senders of other people fetch policies from mta-stsd, and read in them what its configuration says."""

import re

import pytest

from lib import postfix, senders

ADDRESS, ADDRESS6 = "192.0.2.60", "2001:db8::60"
CATCHALL, MX = "192.0.2.61", "192.0.2.62"
DAY = 86400

LONG = ".".join(["a" * 60, "b" * 60, "c" * 60, "example"])  # 190 bytes: its policy host has 198
assert len(LONG) == 190
MANY = [f"mail{number}.many.example" for number in range(30)]

# domain: its policy, and for some names whether an MX of that name may have the domain's mail
POLICIES = {
    "enforce.example": (
        {"mode": "enforce", "mx": ["mail1.enforce.example", "mail2.enforce.example"], "max_age": 2419200},
        {"mail1.enforce.example": True, "MAIL2.Enforce.Example": True,
         "mail3.enforce.example": False, "enforce.example": False}),
    "testing.example": (
        {"mode": "testing", "mx": ["mail.testing.example"], "max_age": DAY},
        {"mail.testing.example": True, "mail.elsewhere.example": False}),
    "none.example": (
        {"mode": "none", "mx": ["mail.none.example"], "max_age": DAY},
        {"mail.none.example": True, "mail.elsewhere.example": True}),
    "wildcard.example": (
        {"mode": "enforce", "mx": ["*.mail.wildcard.example"], "max_age": 31557600},
        {"a.mail.wildcard.example": True, "mail.wildcard.example": False, "a.mail.wildcard.example.org": False}),
    "many.example": (
        {"mode": "enforce", "mx": MANY, "max_age": DAY},
        {**dict.fromkeys(MANY, True), "mail30.many.example": False}),
    "v6.example": (
        {"mode": "enforce", "mx": ["mail.v6.example"], "max_age": DAY},
        {"mail.v6.example": True}),
    LONG: (
        {"mode": "enforce", "mx": ["mail." + LONG], "max_age": DAY},
        {"mail." + LONG: True, LONG: False}),
}
# Where mail for a domain goes: to names that its policy lists, to one that its wildcard does not cover, to strangers.
EXCHANGERS = {
    "enforce.example": "mail1.enforce.example",
    "wildcard.example": "mail.wildcard.example",
    "testing.example": "mail.elsewhere.example",
    "none.example": "mail.elsewhere.example",
}
ALIAS, CAUGHT = "alias.example", "caught.example"
# How their policy hosts are found that have no usual address
RECORDS = {CAUGHT: f"A {CATCHALL}", ALIAS: "CNAME mta-sts.enforce.example.", "v6.example": f"AAAA {ADDRESS6}"}
UNRECOGNIZED = r"(?i)tlsv1.unrecognized.name"
# What is in a sender's error
BAD = {
    "unknown.example": UNRECOGNIZED,      # in DNS only
    "misnamed.example": UNRECOGNIZED,     # has a certificate of another name, which mta-stsd does not serve
    "expired.example": r"CERT_HAS_EXPIRED|certificate has expired",  # served: the sender judges
}

each_sender = pytest.mark.parametrize("sender", [senders.mta_sts_query, senders.mailauth],
                                      ids=lambda sender: sender.__name__)


def section(domain, policy, *more):
    return "\n".join([f"[{domain}]", f"mode = {policy['mode']}", *[f"mx = {mx}" for mx in policy["mx"]],
                      f"max_age = {policy['max_age']}", *more, ""])


class Site:
    """The policies on one server, [*] on another, and the DNS of all their domains."""

    def __init__(self, world, certs):
        self.world, self.certs = world, certs
        self.changing = {"mode": "testing", "mx": ["mail.changing.example"], "max_age": DAY}
        self.ids = {}
        for domain in (*POLICIES, ALIAS, CAUGHT, "changing.example"):
            self.install(domain)
        self.install("misnamed.example", "mta-sts.other.example")
        self.install("expired.example", since=-90, days=-1)
        self.set_dns()
        self.server = world.mta_stsd(world.host("policies", ADDRESS, ADDRESS6), self.ini())
        self.server.allow(r"^mta-sts\.misnamed\.example: the certificate does not cover .*; refused until")
        self.server.allow(r"^mta-sts\.expired\.example: the certificate expired 1 day ago")
        self.catchall = world.mta_stsd(world.host("catchall", CATCHALL), self.head(CATCHALL) + section(
            "*", {"mode": "enforce", "mx": ["mail.%d"], "max_age": DAY}))

    def install(self, domain, name=None, **options):
        """A certificate where the configuration's pattern finds it."""
        host = f"mta-sts.{domain}"
        self.world.ca.issue(name or host, **options).write(self.certs / host)

    def head(self, *addresses):
        return "\n".join(["[server]", *[f"listen = {address}:443" for address in addresses], "[defaults]",
                          f"certificate = {self.certs}/%h/fullchain.pem", f"key = {self.certs}/%h/privkey.pem", ""])

    def ini(self):
        usual = {"mode": "enforce", "mx": ["mail.example"], "max_age": DAY}
        return self.head(ADDRESS, f"[{ADDRESS6}]") + "".join([
            *[section(domain, policy, *([f"alias = {ALIAS}"] if domain == "enforce.example" else []))
              for domain, (policy, _) in POLICIES.items()],
            section("changing.example", self.changing),
            section("misnamed.example", usual), section("expired.example", usual)])

    def set_dns(self):
        lines = []
        for domain in (*POLICIES, ALIAS, CAUGHT, "changing.example", *BAD):
            lines += [f"mta-sts.{domain}. {RECORDS.get(domain, f'A {ADDRESS}')}",
                      f'_mta-sts.{domain}. TXT "v=STSv1; id={self.id(domain)};"']
        for domain, mx in EXCHANGERS.items():
            lines += [f"{domain}. MX 10 {mx}.", f"{mx}. A {MX}"]
        self.world.dns.set("\n".join(dict.fromkeys(lines)))

    def id(self, domain):
        return self.ids.get(domain, "20261124T0800")

    def change(self, policy=None, policy_id=None):
        """changing.example gets another policy, another id, or both."""
        if policy:
            self.changing = policy
            self.server.site.ini.write_text(self.ini())
            assert "refused" not in self.server.reload()
        if policy_id:
            self.ids["changing.example"] = policy_id
            self.set_dns()


@pytest.fixture(scope="module")
def site(world, tmp_path_factory):
    return Site(world, tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="module")
def outside(world):
    return world.host("asking", "192.0.2.63", "2001:db8::63")


# --- fetching

@each_sender
@pytest.mark.parametrize("domain", POLICIES, ids=lambda domain: domain[-20:])
def test_a_sender_reads_the_policy_that_was_configured(site, outside, sender, domain):
    policy, judgement = POLICIES[domain]
    seen = sender(outside, domain, mx=judgement)
    assert seen.error is None
    assert seen.id == site.id(domain)
    assert seen.policy == policy
    assert seen.valid_mx in (judgement, None)
    assert (seen.valid_mx is None) == (sender is senders.mta_sts_query)


@each_sender
def test_an_alias_has_the_policy_of_its_section(site, outside, sender):
    seen = sender(outside, ALIAS)
    assert (seen.error, seen.id, seen.policy) == (None, site.id(ALIAS), POLICIES["enforce.example"][0])


@each_sender
def test_any_domain_with_a_certificate_has_the_policy_of_the_asterisk(site, outside, sender):
    seen = sender(outside, CAUGHT)
    assert (seen.error, seen.id) == (None, site.id(CAUGHT))
    assert seen.policy == {"mode": "enforce", "mx": [f"mail.{CAUGHT}"], "max_age": DAY}


@each_sender
@pytest.mark.parametrize("domain", BAD)
def test_a_sender_says_error_where_there_is_no_good_certificate(site, outside, sender, domain):
    seen = sender(outside, domain)
    assert seen.policy is None
    assert re.search(BAD[domain], seen.error), seen.error


@each_sender
def test_a_new_policy_is_seen_when_the_id_is_new(site, outside, sender):
    old = {"mode": "testing", "mx": ["mail.changing.example"], "max_age": DAY}
    new = {"mode": "enforce", "mx": ["new.changing.example", "mail.changing.example"], "max_age": 2 * DAY}
    site.change(old, "1")
    seen = sender(outside, "changing.example")
    assert (seen.error, seen.id, seen.policy) == (None, "1", old)

    site.change(new)  # the id is still the old one: nobody looks
    assert sender(outside, "changing.example", known="1") == senders.Seen()

    site.change(policy_id="2")
    seen = sender(outside, "changing.example", known="1")
    assert (seen.error, seen.id, seen.policy) == (None, "2", new)


# --- mx-connect: policy, MX, connection

@pytest.fixture(scope="module")
def exchanger(world, site, tmp_path_factory):
    pair = tmp_path_factory.mktemp("pair")
    world.ca.issue("mail1.enforce.example").write(pair)
    exchanger = postfix.receiver(world.host("exchanger", MX), "mail1.enforce.example", "enforce.example", pair)
    yield exchanger
    exchanger.stop()


@pytest.mark.parametrize("domain, mode, listed", [
    ("enforce.example", "enforce", True), ("wildcard.example", "enforce", False),
    ("testing.example", "testing", False), ("none.example", "none", True)])
def test_mx_connect_connects_where_the_policy_lets_it(site, exchanger, outside, domain, mode, listed):
    answer = senders.mx_connect(outside, domain)
    assert answer["checks"] == [{"mode": mode, "success": listed}]
    if listed or mode == "testing":
        assert answer["hostname"] == EXCHANGERS[domain]
    else:
        assert answer["category"] == "policy"
        assert f"MTA-STS policy check failed for {EXCHANGERS[domain]}" in answer["message"]
