#!/usr/bin/env python3
"""Writes the seed inputs of the fuzzers into corpus/.

The same files come out each time. Hellos of real clients, which this script
cannot make, are in corpus/clienthello/client-*; it leaves them alone.
"""
import pathlib
import struct

REPORTS = pathlib.Path(__file__).resolve().parent.parent / "reports"
CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
HOST = b"mta-sts.example.org"


def vector(width, data):
    return len(data).to_bytes(width, "big") + data


def extension(kind, data=b""):
    return struct.pack(">H", kind) + vector(2, data)


def server_name(*names):
    return extension(0, vector(2, b"".join(bytes([kind]) + vector(2, name)
                                           for kind, name in names)))


NAME = server_name((0, HOST))
VERSIONS = extension(43, vector(1, b"\x03\x04\x03\x03"))
GREASE = extension(0x1A1A)
KEY_SHARE = extension(51, vector(2, b"\x11\xec" + vector(2, bytes(1216))))


def hello(extensions, session_id=b"", suites=b"\x13\x01\xc0\x2f", tail=b""):
    body = b"\x03\x03" + bytes(32) + vector(1, session_id) + vector(2, suites) + b"\x01\x00"
    if extensions is not None:
        body += vector(2, extensions)
    return b"\x01" + vector(3, body + tail)


def records(message, first=16384, rest=16384, version=b"\x03\x01"):
    wire, take = b"", first
    while message:
        wire += b"\x16" + version + vector(2, message[:take])
        message, take = message[take:], rest
    return wire


BOTH = hello(NAME + VERSIONS)

HELLOS = {
    "name-and-versions": records(BOTH),
    "name-only-tls12": records(hello(NAME)),
    "no-extensions": records(hello(None)),
    "empty-extensions": records(hello(b"")),
    "no-name": records(hello(VERSIONS)),
    "grease": records(hello(GREASE + NAME + VERSIONS + extension(0x8A8A, b"\0"))),
    "ml-kem-share": records(hello(KEY_SHARE + NAME + VERSIONS)),
    "ml-kem-share-two-records": records(hello(KEY_SHARE + NAME + VERSIONS), 700),
    "split-in-header": records(BOTH, 2),
    "split-in-name": records(BOTH, 70),
    "records-of-1-byte": records(BOTH, 1, 1),
    # The largest number of bytes, four of them of a record header: no room for the rest.
    "records-of-1-byte-over-limit": records(hello(extension(21, bytes(2679))), 1, 1)[:16384],
    "ssl3-record-version": records(BOTH, version=b"\x03\x00"),
    "junk-after-message": records(BOTH) + b"\x15\x03\x03\x00\x02\x01\x00",
    "junk-in-message": records(hello(NAME, tail=b"\0")),
    "twice-name": records(hello(NAME + VERSIONS + NAME)),
    "twice-grease": records(hello(GREASE + GREASE)),
    "two-host-names": records(hello(server_name((0, HOST), (0, b"a.example")))),
    "other-name-type": records(hello(server_name((7, b"x"), (0, HOST)))),
    "name-empty": records(hello(server_name((0, b"")))),
    "name-255-bytes": records(hello(server_name((0, b"a" * 255)))),
    "name-256-bytes": records(hello(server_name((0, b"a" * 256)))),
    "name-with-nul": records(hello(server_name((0, b"a\0b")))),
    "name-list-empty": records(hello(extension(0, b"\0\0"))),
    "versions-odd": records(hello(extension(43, b"\x03\x03\x04\x03"))),
    "session-id-33-bytes": records(hello(NAME, session_id=bytes(33))),
    "suites-odd": records(hello(NAME, suites=b"\x13\x01\x13")),
    "suites-aes256-only": records(hello(NAME + VERSIONS, suites=b"\x13\x02")),
    "cut-short": records(BOTH)[:-1],
    "announces-16-mb": b"\x16\x03\x01\x40\x00\x01\xff\xff\xff",
    "empty-record": records(BOTH, 20)[:25] + b"\x16\x03\x01\x00\x00",
    "alert-in-between": records(BOTH, 20)[:25] + b"\x15\x03\x01\x00\x02\x01\x00",
    "server-hello": b"\x16\x03\x03\x00\x04\x02\x00\x00\x00",
    "sslv2-hello": b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10",
    "http": b"GET / HTTP/1.1\r\n\r\n",
}

FETCH = b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n"
HOST_FIELD = b"Host: " + HOST + b"\r\n"


def request(*fields, line=FETCH, host=HOST_FIELD):
    return line + host + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


REQUESTS = {
    "fetch": request(b"User-Agent: sender/1.0", b"Accept: */*"),
    "fetch-1.0": b"GET /.well-known/mta-sts.txt HTTP/1.0\r\n\r\n",
    "head": request(line=b"HEAD / HTTP/1.1\r\n"),
    "post-with-body": request(b"Content-Length: 3", line=b"POST / HTTP/1.1\r\n") + b"a=b",
    "options-star": request(line=b"OPTIONS * HTTP/1.1\r\n"),
    "connect": request(line=b"CONNECT " + HOST + b":443 HTTP/1.1\r\n"),
    "absolute-form": request(line=b"GET https://" + HOST + b":443/a?b HTTP/1.1\r\n"),
    "absolute-form-no-path": request(line=b"GET http://" + HOST + b" HTTP/1.1\r\n"),
    "absolute-form-literal": request(line=b"GET http://[2001:db8::1]:80/ HTTP/1.1\r\n"),
    "query-percent": request(line=b"GET /a%2fb?c=%3f&d HTTP/1.1\r\n"),
    "pipelined": request() + request(line=b"HEAD / HTTP/1.1\r\n"),
    "empty-line-first": b"\r\n" + request(),
    "two-empty-lines-first": b"\r\n\r\n" + request(),
    "connection-close": request(b"Connection: keep-alive, Close"),
    "connection-odd-list": request(b"Connection: , ,\tTE ,close,"),
    "host-final-dot-port": request(host=b"hOST:\t" + HOST + b".:8443 \r\n"),
    "host-literal": request(host=b"Host: [::1]:443\r\n"),
    "host-none": request(host=b""),
    "host-empty": request(host=b"Host:\r\n"),
    "host-twice": request(HOST_FIELD[:-2]),
    "host-bad-port": request(host=b"Host: a:65536\r\n"),
    "length-twice-same": request(b"Content-Length: 1", b"Content-Length: 1"),
    "length-twice-differs": request(b"Content-Length: 1", b"Content-Length: 2"),
    "length-and-coding": request(b"Content-Length: 1", b"Transfer-Encoding: chunked"),
    "coding": request(b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "obs-text": request(b"User-Agent: \xc3\xa4\xff"),
    "obs-fold": request(b"A: b\r\n c"),
    "blank-before-colon": request(b"A : b"),
    "bare-lf": request().replace(b"\r\n", b"\n"),
    "nul-in-value": request(b"A: \0"),
    "fields-64": request(*[b"A:"] * 63),
    "fields-65": request(*[b"A:"] * 64),
    "line-2048": b"GET /" + b"a" * 2032 + b" HTTP/1.0\r\n\r\n",
    "line-2049": b"GET /" + b"a" * 2033 + b" HTTP/1.0\r\n\r\n",
    "head-8192": request(b"A: " + b"a" * 8119),
    "head-8193": request(b"A: " + b"a" * 8120),
    "http2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls-hello": HELLOS["name-only-tls12"],
}

RECORDS = {
    "sts": b"v=STSv1; id=20260101T000000;",
    "sts-no-end": b"v=STSv1;id=1",
    "sts-no-id": b"v=STSv1;",
    "sts-id-33": b"v=STSv1; id=" + b"1" * 33,
    "sts-id-characters": b"v=STSv1; id=2026-01-01",
    "sts-id-twice": b"v=STSv1; id=1; id=2",
    "sts-blanks": b"v=STSv1\t ; id = 1 ; ",
    "sts-blank-at-end": b"v=STSv1; id=1 ",
    "sts-empty-fields": b";v=STSv1;; id=1; ;",
    "sts-unknown": b"v=STSv1; id=1; a=b; c=d:e; word; =x; y=; z=\xc3\xa4",
    "sts-case": b"V=stsv1; id=1",
    "sts-order": b"id=1; v=STSv1",
    "sts-quoted": b'"v=STSv1; id=1"',
    "sts-version-quoted": b'v="STSv1"; id=1',
    "sts-blank-in-front": b" v=STSv1; id=1",
    "sts-no-semicolon": b"v=STSv1, id=1",
    "spf": b"v=spf1 -all",
    "nothing": b"",
    "tlsrpt": b"v=TLSRPTv1; rua=mailto:tlsrpt@example.com",
    "tlsrpt-two": b"v=TLSRPTv1;rua=mailto:a@example.com , https://example.com/a?b=c",
    "tlsrpt-not-second": b"v=TLSRPTv1; a=b; rua=mailto:a@b; rua=mailto:c@d",
    "tlsrpt-comma": b"v=TLSRPTv1; rua=mailto:a,b@example.com,mailto:c@d?cc=e,f",
    "tlsrpt-commas": b"v=TLSRPTv1; rua=,mailto:a@b,,a@b, ,",
    "tlsrpt-bang": b"v=TLSRPTv1; rua=mailto:a@b!10m,mailto:c!d@e",
    "tlsrpt-http": b"v=TLSRPTv1; rua=http://h/,ftp://h/,a@b",
    "tlsrpt-https": b"v=TLSRPTv1; rua=https://u:p@[::1]:443/%20#f,https://h.:65536,https:h,https://",
    "tlsrpt-encoded": b"v=TLSRPTv1; rua=mailto:a%2C%21%3b%4@b..c",
}

LINES = (b"version: STSv1", b"mode: enforce", b"mx: mx1.example.com", b"mx: *.example.net", b"max_age: 604800")


def body(*more, lines=LINES, end=b"\r\n"):
    return b"".join(line + end for line in lines + more)


BODIES = {
    "policy": body(),
    "policy-none": body(lines=(b"version: STSv1", b"mode: none", b"max_age: 86400")),
    "testing-no-blanks": body().replace(b": ", b":\t").replace(b"enforce", b"testing  "),
    "lf": body(end=b"\n"),
    "cr": body(end=b"\r"),
    "cr-crlf": body(end=b"\r\r\n"),
    "no-last-end": body()[:-2],
    "byte-order-mark": b"\xef\xbb\xbf" + body(),
    "html": b"\r\n<html>" + body(),
    "nothing": b"",
    "blanks": b" \r\n\n\t",
    "blank-lines": b"\n" + body(b"", b"", b"  ", b""),
    "controls": body(b"a: \0", b"b\x7f: c"),
    "comments": body(b"# a: b", b"; c", b" // d"),
    "blanks-in-fields": body().replace(b"m", b" m").replace(b":", b" :"),
    "case": body().title(),
    "upper": body().upper(),
    "twice": body() + body(),
    "order": body(lines=LINES[::-1]),
    "keys": body(b"a: b", b"c: d:e", b"f:", b": g", b"-h: i", b"j" * 33 + b": k", b"l: m\tn"),
    "utf8": body(b"a: \xc3\xa4\xed\x9f\xbf\xf4\x8f\xbf\xbf", b"b: \xed\xa0\x80", b"mx: m\xc3\xbc.example"),
    "mx": body(*(b"mx: " + mx for mx in (
        b"a.example.", b"A.example", b"*", b"a.*.b", b"*.", b".example.com", b"192.0.2.1", b"[2001:db8::1]",
        b"a b", b"a,b", b"a_b", b"", b"a..b", b"-a", b"a" * 64, b"mx1.example.com"))),
    "mx-many": body(*(b"mx: m%d" % number for number in range(300)), b"mx: m1", b"mx: m299"),
    "ages": b"".join(body(lines=(*LINES[:4], b"max_age: " + age)) for age in (
        b"0", b"", b"-1", b"40000000", b"31557600", b"12345678901", b"7d", b"7 days", b"86399", b"3599", b"x")),
    "match": b"*.example.com\na.b.Example.com",
    "match-exact": b"mx.example.com\nmx.example.com",
}

TYPES = {
    "plain": b"text/plain",
    "utf-8": b"text/plain; charset=utf-8",
    "quoted": b'text/plain ;charset="utf-8" ; a="\\"b\xc3\xa4"',
    "iso-8859": b"text/plain; charset=ISO-8859-15",
    "unknown-charset": b"text/plain; charset=foo",
    "no-value": b"text/plain; charset; charset=",
    "case": b"Text/Plain; Charset=UTF-8",
    "html": b"text/html; charset=us-ascii",
    "twice": b"text/plain; charset=utf-8; charset=utf-8",
    "empty-parameters": b"text/plain;; ;charset=utf-8;",
    "no-slash": b"text",
    "list": b"text/plain, text/plain",
    "unterminated": b'text/plain; charset="utf-8\\',
    "blank-at-equals": b"text/plain; charset = utf-8",
    "nothing": b"",
}


# Answers to questions for alias.example; the last byte is an enum resolver_type.
TXT, MX, A, AAAA = b"\0", b"\1", b"\2", b"\3"
QUESTION = b"\5alias\7example\0"
SAME, EXAMPLE = b"\xc0\x0c", b"\xc0\x12"


def record(owner, kind, data):
    return owner + struct.pack(">HHI", kind, 1, 60) + vector(2, data)


def answer(wanted, *of_it, flags=0x8180, tail=b""):
    head = struct.pack(">HHHHHH", 0x1234, flags, 1, len(of_it), 0, 0)
    return head + QUESTION + struct.pack(">HH", 16, 1) + b"".join(of_it) + tail + wanted


ANSWERS = {
    "txt": answer(TXT, record(SAME, 16, vector(1, b"v=STSv1; ") + vector(1, b"id=1;")), record(SAME, 16, b"\0")),
    "mx": answer(MX, record(SAME, 15, b"\0\x0a\1a" + EXAMPLE), record(SAME, 15, b"\0\0\0")),
    "a": answer(A, record(SAME, 1, b"\xc0\0\2\1")),
    "aaaa": answer(AAAA, record(SAME, 28, b"\x20\1\x0d\xb8" + bytes(12))),
    "alias": answer(TXT, record(b"\1b" + EXAMPLE, 16, vector(1, b"there")), record(SAME, 5, b"\1b" + EXAMPLE)),
    "circle": answer(TXT, record(SAME, 5, SAME)),
    "stray": answer(TXT, record(EXAMPLE, 16, vector(1, b"elsewhere"))),
    "pointer-to-itself": answer(MX, record(SAME, 15, b"\0\1\xc0\x2d")),
    "cut-short": answer(TXT, record(SAME, 16, vector(1, b"v=STSv1;"))[:-3]),
    "servfail": answer(TXT, flags=0x8182),
    "nxdomain": answer(TXT, flags=0x8183),
    "nothing": b"",
}


def reports(end, before=b""):
    """The samples of tests/reports whose names end so."""
    return {path.name: before + path.read_bytes() for path in REPORTS.iterdir() if path.name.endswith(end)}


# What stands between the first line of a snapshot and its checksum; kinds as in src/common/config_internal.h.
def kept_record(kind, name=b"", number=0, content=b""):
    return struct.pack("<4Q", kind, number, len(name), len(content)) + name + b"\0" + content + b"\0"


MAIN_INI = (b"[server]\nlisten = 127.0.0.1:8443\nisolate = on\ninclude = c.d/*.ini\n[a.example]\nmode = none\n"
            b"mx = m.e\ncertificate = c.pem\n")
BAD_INI = b"[b.example]\nmode = x\nalias = c.example\nalias_file = names.txt\n[*]\n"
POLICY_BODY = b"version: STSv1\r\nmode: testing\r\nmx: mail.%d\r\nmx: m.e\r\nmax_age: 604800\r\n"
START = kept_record(1, b"/etc/mta-stsd", 1764000000)
INPUTS = (START + kept_record(2, b"main.ini", content=MAIN_INI) + kept_record(4, b"c.d/*.ini", 2 << 32) +
          kept_record(5, b"c.d/b.ini") + kept_record(5, b"c.d/gone.ini") + kept_record(2, b"c.d/b.ini", content=BAD_INI) +
          kept_record(3, b"c.d/names.txt", content=b"cannot open c.d/names.txt: Permission denied") +
          kept_record(3, b"c.d/gone.ini", content=b"cannot open c.d/gone.ini: Permission denied"))
KEPT = (kept_record(6, POLICY_BODY, 1 | 604800 << 8, b"/c.pem\0/k/%h.pem\0id1\0mailto:a@b\0https://c/d\0") +
        kept_record(7, b"main.ini") + kept_record(7, b"c.d/b.ini") + kept_record(7, b"c.d/names.txt", 1 | 1 << 32) +
        kept_record(8, b"b.example", 0, struct.pack("<2I", 1, 1)) + kept_record(8, b"c.example", 0, struct.pack("<2I", 1, 3)) +
        kept_record(8, b"d.example", 0, struct.pack("<2I", 2, 1)) +
        kept_record(8, b"*", 0 | 200 << 32, struct.pack("<2I", 1, 5)))
DOMAINS = kept_record(9, number=5 | 1 << 32 | 1 << 33, content=bytes(16) + struct.pack("<2Q", 0x1111111111111109, 0x2222222222222209))

SNAPSHOTS = {
    "kept": INPUTS + KEPT + DOMAINS,
    "inputs": INPUTS + DOMAINS,
    "cut-short": INPUTS + KEPT,
    "start": START,
    "no-isolation": (START + kept_record(2, b"main.ini", content=MAIN_INI.replace(b"include", b";")
                                         .replace(b"isolate", b";")) + DOMAINS),
    "other-order": START + KEPT + INPUTS + DOMAINS,
    "other-file": INPUTS.replace(b"c.d/gone.ini", b"c.d/g\0ne.ini") + KEPT + DOMAINS,
    "percent": INPUTS + KEPT.replace(b"mail.%d", b"mail.%x") + DOMAINS,
    "bad-path": INPUTS + KEPT.replace(b"%h.pem", b"%x.pem") + DOMAINS,
    "policy-of-none": INPUTS + kept_record(8, b"b.example", 0, bytes(8)) + DOMAINS,
    "domains-short": INPUTS + KEPT + kept_record(9, content=bytes(15)),
    "length-too-long": INPUTS + struct.pack("<4Q", 6, 0, (1 << 64) - 1, 0) + bytes(20),
    "nothing": b"",
}


FOLDERS = {"clienthello": HELLOS, "http": REQUESTS, "txt": RECORDS, "policy_body": BODIES, "media_type": TYPES,
           "resolver_answer": ANSWERS, "tlsrpt": reports(".json"), "mail": reports(".eml"), "unpack": reports(".gz"),
           "mbox": reports(".mbox", before=b"\x06"), "snapshot": SNAPSHOTS}


def main():
    for folder, inputs in FOLDERS.items():
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
        for name, data in inputs.items():
            (CORPUS / folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
