"""Set-ups that are as they should be, or unusual and harmless."""

from lib.setups.places import GOOD_HOST, MX_HOST, WRONG_HOST, WRONG_HOST6
from lib.setups.setup import BODY, Certificate, Setup, answer, body

ENFORCE = f"mode = enforce\nmx = {MX_HOST}\nmax_age = 604800\nid = 1\n"

SETUPS = [
    # --- served by mta-stsd
    Setup("good", "as it should be", host=(f"A {GOOD_HOST}",), policy=ENFORCE),
    Setup("delegated", "_mta-sts and mta-sts are CNAMEs to a provider's", rows="D21 P5",
          record=("CNAME _mta-sts.good.example.",), host=("CNAME policies.example.net.",), policy=ENFORCE),
    Setup("wildcard", "certificate for *.wildcard.example", rows="L5",
          host=(f"A {GOOD_HOST}",), policy=ENFORCE, certificate=Certificate(("*.@",))),
    Setup("mode-none", "mode none, with an mx", "policy-mode-none", rows="B31",
          host=(f"A {GOOD_HOST}",), policy=ENFORCE.replace("enforce", "none")),
    Setup("testing", "mode testing", host=(f"A {GOOD_HOST}",), policy=ENFORCE.replace("enforce", "testing")),
    Setup("mx-wildcard", "mx is *. and all but the first label", host=(f"A {GOOD_HOST}",),
          policy=ENFORCE.replace(MX_HOST, "*.example.net")),

    # --- likewise, and whoever checks knows the configuration
    Setup("stale", "a new policy, and still the old id", "record-stale", rows="D23",
          host=(f"A {GOOD_HOST}",), policy=ENFORCE, configured=ENFORCE.replace("id = 1", "id = 2")),
    Setup("not-reloaded", "a policy that is not the configured one", "policy-not-configured",
          host=(f"A {GOOD_HOST}",), policy=ENFORCE, configured=ENFORCE.replace("enforce", "testing")),

    # --- unusual and harmless
    Setup("ipv6-alone", "AAAA and no A", rows="P3", host=(f"AAAA {WRONG_HOST6}",)),
    Setup("both-families", "A and AAAA", host=(f"A {WRONG_HOST}", f"AAAA {WRONG_HOST6}")),
    Setup("record-tight", "no blank behind ;, and none at the end", rows="D8 D9", record=('TXT "v=STSv1;id=1"',)),
    Setup("record-over-tcp", "an answer too long for UDP", dns={"_mta-sts.@": "truncated"}),
    Setup("no-charset", "Content-Type: text/plain", answer=answer(content_type="text/plain")),
    Setup("charset-utf-8", "charset=utf-8", rows="H7", answer=answer(content_type="text/plain; charset=utf-8")),
    Setup("latin-1", "charset=iso-8859-1", rows="H8", answer=answer(content_type="text/plain; charset=iso-8859-1")),
    Setup("chunked", "the answer comes in chunks", rows="H14",
          answer=b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
                 + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:20].encode(), BODY[20:].encode()))
                 + b"0\r\n\r\n"),
    Setup("http-10", "HTTP/1.0, whose body ends with the connection", rows="H15",
          answer=b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + BODY.encode()),
    Setup("blanks", "no blank or a tab behind :, and blanks at the ends of lines", rows="B15 B16 B17",
          answer=answer(body((": STSv1", ":STSv1"), (": enforce", ":\tenforce \t"), (": 604800", ":  604800  ")))),
]
