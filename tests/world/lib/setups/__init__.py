"""The set-ups in which `mta-sts check` is tested, and what is to be expected: by the RFCs and docs/senders.md.

Beside each verdict by the RFC and by the strictest sender stands what mta-sts-query makes of it
(postfix-mta-sts-resolver: "resolver" in docs/senders.md).
"""

from lib.setups import bodies, good, hosts, mail, records

SETUPS = [*good.SETUPS, *records.SETUPS, *hosts.SETUPS, *bodies.SETUPS, *mail.SETUPS]
BY_NAME = {setup.name: setup for setup in SETUPS}
assert len(BY_NAME) == len(SETUPS)
