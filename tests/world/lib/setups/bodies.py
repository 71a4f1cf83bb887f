"""Bodies of policies (rows B), their mx lines (M) and max_age (A)."""

from lib.setups.places import MX_HOST
from lib.setups.setup import ALL, BODY, Setup, answer, body


def served(name, how, text, codes, counts, rows="", why=""):
    """A set-up that serves this body."""
    return Setup(name, how, codes, counts, rows, why, answer=answer(text))


def changed(name, how, old, new, codes, counts, rows="", why=""):
    """A set-up that serves the usual body, changed in one place."""
    return served(name, how, body((old, new)), codes, counts, rows, why)


def line(name, how, text, codes, counts, rows="", why=""):
    """A set-up whose body has one more line, in front of max_age."""
    return changed(name, how, "max_age", f"{text}\r\nmax_age", codes, counts, rows, why)


def mx(name, how, value, code, counts, rows="", why=""):
    """A set-up with one mx line, which is this, and matches no host."""
    return changed(name, how, MX_HOST, value, f"{code} mx-not-in-policy", counts, rows, why)


def age(name, how, value, code, counts, rows, why=""):
    return changed(name, how, "604800", value, code, counts, rows, why)


IGNORES = "resolver passes over a line that it does not know"
LAST = "KumoMTA refuses; of the others some take the first, some the last"
NO_MATCH = "resolver does not look at the value; no host, or not the one meant, matches it then"

LINES = [
    served("lf", "LF instead of CRLF", BODY.replace("\r\n", "\n"), "policy-lf", ALL, "B1"),
    changed("cr", "CR alone at the end of a line", f"{MX_HOST}\r\n", f"{MX_HOST}\r", "policy-cr", "resolver", "B2",
            "Python takes CR for a line end"),
    served("bom", "byte order mark", "\ufeff" + BODY, "policy-bom", "", "B3"),
    changed("blank-line", "blank line in the middle", "max_age", "\r\nmax_age", "policy-blank-line", "resolver", "B4",
            IGNORES),
    served("blank-line-at-end", "blank line at the end", BODY + "\r\n", "policy-blank-line-at-end", "resolver", "B5",
           IGNORES),
    line("blanks-line", "line of blanks", "  ", "policy-blanks-line", "resolver", "B6", IGNORES),
    served("no-last-end", "no line end at the end", BODY[:-2], "policy-no-last-end", ALL, "B7"),
    line("control", "a control character", "a: b\ac", "policy-control", "resolver", "", IGNORES),

    served("version-not-first", "version behind mode",
           body(("version: STSv1\r\nmode: enforce", "mode: enforce\r\nversion: STSv1")),
           "policy-version-not-first", ALL, "B8"),
    changed("no-version", "no version", "version: STSv1\r\n", "", "policy-no-version", "", "B9"),
    changed("version-2", "version: STSv2", "STSv1", "STSv2", "policy-wrong-version", "", "B10"),
    changed("policy-version-case", "version: stsv1", "STSv1", "stsv1", "policy-version-case", "", "B11"),
    line("version-twice", "version twice", "version: STSv1", "policy-version-twice", "rfc resolver", "B20", LAST),

    served("key-case", "all keys with a capital",
           body(("version", "Version"), ("mode", "Mode"), ("mx:", "Mx:"), ("max_age", "Max_age")),
           "policy-key-case", "", "B12"),
    changed("blank-before-key", "blank before a key", "mode", " mode", "policy-blank-before-key", "", "B13"),
    changed("blank-before-colon", "blank before :", "mode:", "mode :", "policy-blank-before-colon", "", "B14"),
    line("unknown-key", "unknown key", "a: b", "policy-unknown-key", ALL, "B21"),
    line("second-colon", "unknown key with a : in its value", "a: b:c", "policy-second-colon", "rfc resolver", "B22",
         "go-mtasts wants one : a line"),
    line("no-value", "unknown key without a value", "a:", "policy-no-value", "resolver", "B23", IGNORES),
    Setup("utf-8", "UTF-8 in an unknown key's value, no charset", "policy-utf8", "rfc", "B24",
          "resolver reads ASCII where no charset is said",
          answer=answer(body(("max_age", "a: \u00fc\r\nmax_age")), content_type="text/plain")),
    served("bad-value", "a byte that is no UTF-8 in an unknown key's value",
           BODY.encode().replace(b"max_age", b"a: \xff\r\nmax_age"), "policy-bad-value", ""),
    line("no-colon", "line without :", "word", "policy-no-colon", "resolver", "B25", IGNORES),
    line("comment", "comment", "# the new server", "policy-comment", "resolver", "B26", IGNORES),
    line("comment-colon", "comment with a :", "# since: 2026", "policy-comment", "resolver", "B27", IGNORES),
    line("bad-key", "key with a blank", "a b: c", "policy-bad-key", "resolver", "", IGNORES),

    changed("no-mode", "no mode", "mode: enforce\r\n", "", "policy-no-mode", "", "B28"),
    changed("unknown-mode", "unknown mode", "enforce", "report", "policy-unknown-mode", "", "B29"),
    changed("mode-case", "mode: Enforce", "enforce", "Enforce", "policy-mode-case", "", "B30"),
    line("mode-twice", "mode twice", "mode: testing", "policy-mode-twice", "rfc resolver", "B18", LAST),
    served("none-without-mx", "mode none, and no mx", body((f"mx: {MX_HOST}\r\n", ""), ("enforce", "none")),
           "policy-mode-none policy-none-without-mx", ALL, "B32"),
    changed("no-mx-line", "no mx", f"mx: {MX_HOST}\r\n", "", "policy-no-mx", "", "B33"),
]

MX_LINES = [
    mx("mx-dot", "mx with a dot at the end", f"{MX_HOST}.", "policy-mx-dot", "resolver", "M1", NO_MATCH),
    changed("mx-capital", "mx in upper case", MX_HOST, MX_HOST.upper(), "policy-mx-upper", ALL, "M2"),
    Setup("mx-u-label", "mx as a U-label, no charset", "policy-mx-utf8 mx-not-in-policy", "", "M3",
          answer=answer(body((MX_HOST, "mx.ex\u00e4mple.net")), content_type="text/plain")),
    mx("mx-star", "mx: *", "*", "policy-mx-star", "resolver", "M4", NO_MATCH),
    mx("mx-inner-star", "mx with a * inside", "mx.*.example.net", "policy-mx-inner-star", "resolver", "M6", NO_MATCH),
    mx("mx-leading-dot", "mx with a dot in front", ".example.net", "policy-mx-leading-dot", "resolver", "M7", NO_MATCH),
    mx("mx-ipv4", "mx is an IPv4 address", "192.0.2.30", "policy-mx-ipv4", "resolver", "M8", NO_MATCH),
    mx("mx-ipv6", "mx is an IPv6 address", "2001:db8::30", "policy-mx-ipv6", "resolver", "M9", NO_MATCH),
    mx("mx-many", "two names in a line", f"{MX_HOST}, mx2.example.net", "policy-mx-many", "resolver", "M10", NO_MATCH),
    mx("mx-underscore", "mx with a _", "my_mx.example.net", "policy-mx-underscore", "resolver", "M11", NO_MATCH),
    line("mx-empty", "mx: and nothing, beside a good line", "mx:", "policy-mx-empty", "resolver", "M12", NO_MATCH),
    mx("mx-bad", "mx with an empty label", "mx..example.net", "policy-mx-bad", "resolver", "", NO_MATCH),
    line("mx-twice", "the same mx twice", f"mx: {MX_HOST}", "policy-mx-twice", ALL),
]

AGES = [
    age("age-0", "max_age 0", "0", "policy-age-zero", "rfc resolver", "A1", "tlspol and chasquid refuse 0"),
    changed("no-age", "no max_age", "max_age: 604800\r\n", "", "policy-no-age", "", "A2"),
    age("age-empty", "max_age: and nothing", "", "policy-age-empty", "", "A3"),
    age("age-negative", "max_age negative", "-1", "policy-age-negative", "", "A4"),
    age("age-over", "max_age over a year", "40000000", "policy-age-over", "rfc", "A5",
        "the ABNF allows ten digits, the text 31557600; resolver, mailauth and chasquid go by the text"),
    age("age-most", "max_age 31557600", "31557600", "policy-age-max", ALL, "A6"),
    age("age-11-digits", "max_age of 11 digits", "10000000000", "policy-age-digits", "", "A7"),
    age("age-unit", "max_age with a unit", "7d", "policy-age-unit", "", "A8"),
    age("age-word", "max_age in words", "week", "policy-age-bad", "", ""),
    age("age-hours", "max_age of two hours", "7200", "policy-age-short", ALL, "A9"),
    age("age-minute", "max_age of a minute", "60", "policy-age-very-short", ALL, "A10"),
    line("age-twice", "max_age twice", "max_age: 86400", "policy-age-twice", "rfc resolver", "B19", LAST),
]

SETUPS = [*LINES, *MX_LINES, *AGES]
