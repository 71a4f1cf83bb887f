"""Senders that fetch policies: each is asked the same question, and their answers made alike."""

import ast
import dataclasses
import json
import re
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
# Node's own list of CAs has no CA of this world; the system's has.
NODE = ("node", "--use-openssl-ca")


@dataclasses.dataclass
class Seen:
    """What a sender made of a domain: a policy with its id, or an error; neither when the known id is still there."""

    id: str | None = None
    policy: dict | None = None  # mode, mx, max_age
    error: str | None = None
    valid_mx: dict | None = None  # for each MX asked about: may mail go there? Of mailauth alone


def mta_sts_query(host, domain, known=None, mx=()):
    """postfix-mta-sts-resolver asks once. It has no public function that judges an MX: mx is not looked at."""
    arguments = [domain] if known is None else [domain, known]
    done = host.run("mta-sts-query", *arguments)
    status, result = re.fullmatch(r"\(<STSFetchResult\.(\w+): \d>, (.*)\)\n", done.stdout).groups()
    if status == "VALID":
        policy_id, policy = ast.literal_eval(result)
        assert policy.pop("version") == "STSv1"
        return Seen(policy_id, policy)
    assert (status, result) in (("NONE", "None"), ("FETCH_ERROR", "None"), ("NOT_CHANGED", "None"))
    return Seen() if status == "NOT_CHANGED" else Seen(error=done.stderr or "no record")


def takes_policy(host, domains):
    """Of which of these domains does postfix-mta-sts-resolver have a policy? It is what mta-sts-query does, at once."""
    done = host.run("/usr/bin/python3", PROGRAMS / "resolver.py", input="\n".join(domains), timeout=120)
    results = dict(line.split("\t") for line in done.stdout.splitlines())
    assert results.keys() == set(domains), done.stderr
    return {domain: result == "VALID" for domain, result in results.items()}


def mailauth(host, domain, known=None, mx=()):
    """mailauth's getPolicy, which is given the policy known so far, and validateMx."""
    done = host.run(*NODE, PROGRAMS / "mailauth.mjs", json.dumps({"domain": domain, "known": known, "mx": list(mx)}))
    answer = json.loads(done.stdout)
    if answer["status"] == "errored":
        return Seen(error=answer["error"])
    if answer["status"] == "renewed":
        return Seen()
    assert answer["status"] == "found"
    assert answer["policy"]["version"] == "STSv1"
    policy = {"mode": answer["policy"]["mode"], "mx": answer["policy"]["mx"], "max_age": answer["policy"]["maxAge"]}
    return Seen(answer["policy"]["id"], policy, valid_mx=answer["valid"])


def mx_connect(host, domain):
    """mx-connect fetches the policy, holds the domain's MX against it, and connects: to whom, or why not."""
    return json.loads(host.run(*NODE, PROGRAMS / "mx-connect.mjs", domain).stdout)
