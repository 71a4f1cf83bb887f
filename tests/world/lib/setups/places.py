"""Where the hosts of the set-ups are."""

DNS = "192.0.2.54"           # answers as told, and for all else asks the world's name server
ASKING, ASKING6 = "192.0.2.99", "2001:db8::99"

GOOD_HOST = "192.0.2.79"     # mta-stsd
WRONG_HOST, WRONG_HOST6 = "192.0.2.80", "2001:db8::80"  # programs/wrong_policy_host.py; more addresses of it:
SLOW_HOST = "192.0.2.81"     # where those wait that would keep others waiting
TLS_1_3_HOST = "192.0.2.82"  # no TLS 1.2
TLS_1_1_HOST = "192.0.2.83"  # TLS 1.1 at most
NO_TLS_HOST = "192.0.2.84"   # HTTP on port 443
SECOND_HOST = "192.0.2.85"   # other_answer of a set-up, where it has one
MORE_HOSTS = tuple(f"192.0.2.{number}" for number in range(86, 90))

SILENT, SILENT6 = "192.0.2.200", "2001:db8::200"  # nobody's
NO_ROUTE6 = "2001:db8:1::1"

MX = "192.0.2.30"            # Postfix, as it should be
CLOSED = MX                  # on port 443
MX_HOST = "mx.example.net"
