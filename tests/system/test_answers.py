"""What is answered, to the byte: DESIGN's table "What it answers" and the sentences under it."""

import concurrent.futures
import itertools
import re
import time

import pytest

from lib.client import POLICY, fetch, request, tls
from lib.server import HOST, Server
from lib.tools import curl

LONG_DOMAIN = ".".join(["d" * 60, "o" * 60, "m" * 60, "n" * 60, "e"])  # 245 bytes: the longest there is
MANY = [f"mx{number}.mail.example.org" for number in range(30, 0, -1)]
# mx lines of 256 bytes each, as wide as names get, to a body of some 60 KB
BIG = [".".join([f"m{number:03}" + "a" * 56, "b" * 60, "c" * 60, "d" * 60, "example"])
       for number in range(240)]


def mx_lines(names):
    return "".join(f"mx = {name}\n" for name in names)


def body(mode, mx, max_age):
    """The policy as RFC 8461 section 3.2 has it, in our order."""
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {name}" for name in mx), f"max_age: {max_age}"]
    return "".join(line + "\r\n" for line in lines).encode()


POLICIES = f"""
[example.org]
mode    = enforce
mx      = zeta.example.org
mx      = alpha.example.org
mx      = *.mail.example.org
max_age = 1w
alias   = alias1.example alias2.example
alias   = alias3.example

[template.example]
mode       = testing
mx         = mail.%d
mx         = *.%d
max_age    = 12h
alias      = other.example
alias_file = customers.txt

[none.example]
mode    = none
mx      = mail.example.org
max_age = 86400

[many.example]
mode = enforce
{mx_lines(MANY)}
[big.example]
mode = enforce
{mx_lines(BIG)}
[{LONG_DOMAIN}]
mode = enforce
mx   = mail.example.org

[*]
mode = testing
mx   = mail.%d
"""
ORG_BODY = body("enforce", ["zeta.example.org", "alpha.example.org", "*.mail.example.org"], 604800)
BODIES = {
    "example.org": ORG_BODY,
    "alias1.example": ORG_BODY,
    "alias2.example": ORG_BODY,
    "alias3.example": ORG_BODY,
    "template.example": body("testing", ["mail.template.example", "*.template.example"], 43200),
    "other.example": body("testing", ["mail.other.example", "*.other.example"], 43200),
    "listed1.example": body("testing", ["mail.listed1.example", "*.listed1.example"], 43200),
    "listed2.example": body("testing", ["mail.listed2.example", "*.listed2.example"], 43200),
    "none.example": body("none", ["mail.example.org"], 86400),
    "many.example": body("enforce", MANY, 604800),
    "big.example": body("enforce", BIG, 604800),
    LONG_DOMAIN: body("enforce", ["mail.example.org"], 604800),
    "anybody.example": body("testing", ["mail.anybody.example"], 604800),
}


KINDS = {"p256": "example.org", "p384": "alias1.example", "rsa2048": "alias2.example"}  # all have ORG_BODY


@pytest.fixture(scope="module")
def server(make_site):
    site = make_site()
    site.write("# our customers\nlisted1.example\n\n  Listed2.Example.   # with a comment\n", "customers.txt")
    site.configure(POLICIES, listen=["127.0.0.1:0", "[::1]:0"])
    for domain in BODIES:
        site.install(domain, common_name="policy host")
    for kind, domain in KINDS.items():
        site.install(domain, kind=kind)
    with Server(site) as running:
        yield running


@pytest.fixture
def connection(server):
    with tls(server) as made:
        yield made


# --- the policy

@pytest.mark.parametrize("domain", BODIES, ids=lambda domain: domain[:20])
def test_the_body_is_the_policy_and_nothing_else(server, domain):
    response = fetch(server, f"mta-sts.{domain}")
    assert response.status == 200
    assert response.body == BODIES[domain]


def test_a_body_of_60_kilobytes_is_whole_under_both_versions(server):
    assert 60000 < len(BODIES["big.example"]) < 65536
    for version in ("1.2", "1.3"):
        assert fetch(server, "mta-sts.big.example", version=version).body == BODIES["big.example"]


def test_the_headers_of_a_policy_are_these(server):
    before = int(time.time())
    response = fetch(server)
    date = response.headers.pop("date")
    told = time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")
    assert before <= time.mktime(told) - time.timezone <= time.time()
    assert response.headers == {"content-type": "text/plain",
                                "content-length": str(len(ORG_BODY)),
                                "x-content-type-options": "nosniff",
                                "connection": "close"}
    assert response.head.startswith(b"HTTP/1.1 200 OK\r\n")


def test_over_ipv6_as_over_ipv4(server):
    address = server.address("https", "[::1]:0")
    assert address[0] == "::1"
    assert fetch(server, address=address).body == ORG_BODY


def test_curl_gets_the_same_bytes(server):
    done = curl(server)
    assert (done.returncode, done.stdout) == (0, ORG_BODY)


def test_head_has_the_headers_of_get_and_no_body(connection):
    head = connection.ask(method="HEAD")
    get = connection.ask()
    assert head.status == 200
    head.headers.pop("date"), get.headers.pop("date")
    assert head.headers == get.headers
    # that get was read at all shows that no byte stood between the two heads


@pytest.mark.parametrize("query", ["?", "?a=b", "?a=b&c=/../%2e%2E", "?" + "q" * 1900])
def test_a_query_string_changes_nothing(connection, query):
    response = connection.ask(path=POLICY + query)
    assert (response.status, response.body) == (200, ORG_BODY)


# --- which host is meant

@pytest.mark.parametrize("host", ["mta-sts.EXAMPLE.org", "MTA-STS.example.org.", f"{HOST}:443",
                                  f"{HOST}:8443", f"{HOST}.:1", f"{HOST}:"])
def test_host_in_any_case_with_port_and_final_dot(connection, host):
    response = connection.ask(host)
    assert (response.status, response.body) == (200, ORG_BODY)


@pytest.mark.parametrize("host", ["mta-sts.none.example", "example.org", "mta-sts.example.orgx",
                                  "xmta-sts.example.org", "mta-sts.nobody.example", "127.0.0.1",
                                  "[::1]:443", "mta-sts"])
def test_another_host_than_the_sni_is_misdirected(connection, host):
    response = connection.ask(host)
    assert response.status == 421
    assert b"STSv1" not in response.body


def test_another_host_is_misdirected_on_every_path_and_method(connection):
    assert connection.ask("mta-sts.none.example", "/").status == 421
    assert connection.ask("mta-sts.none.example", method="DELETE").status == 421
    assert connection.ask("mta-sts.none.example", method="HEAD").status == 421
    assert connection.ask().body == ORG_BODY


def test_absolute_form(connection):
    for target in (f"https://{HOST}{POLICY}", f"HTTPS://{HOST.upper()}.:443{POLICY}?x",
                   f"http://{HOST}{POLICY}"):
        response = connection.ask(path=target)
        assert (response.status, response.body) == (200, ORG_BODY), target


def test_absolute_form_with_another_host_is_misdirected(connection):
    response = connection.ask(path=f"https://mta-sts.none.example{POLICY}")
    assert response.status == 421
    # RFC 9112 section 3.2.2: beside an absolute target, Host counts for nothing
    response = connection.ask("mta-sts.none.example", f"https://{HOST}{POLICY}")
    assert (response.status, response.body) == (200, ORG_BODY)
    assert connection.ask(path=f"https://{HOST}").status == 403


# --- what else is asked for

PATHS = ["/", "/index.html", "/.well-known", "/.well-known/", "/.well-known/mta-sts.txt/",
         "/.well-known/mta-sts.tx", "/.well-known/mta-sts.txtx", "//.well-known/mta-sts.txt",
         "/.WELL-KNOWN/mta-sts.txt", "/x/../.well-known/mta-sts.txt",
         "/.well-known/acme-challenge/token", "/%00", "/?/.well-known/mta-sts.txt"]


@pytest.mark.parametrize("path", PATHS)
def test_another_path_gets_a_page_that_links_to_policy_and_domain(connection, path):
    response = connection.ask(path=path)
    assert response.status == 403
    assert re.fullmatch(r"text/html(; ?charset=utf-8)?", response.headers["content-type"])
    page = response.body.decode()
    assert f'href="https://{HOST}{POLICY}"' in page
    assert re.search(r'href="https://example\.org/?"', page)
    assert "MTA-STS" in page
    assert len(page) < 2048
    assert connection.ask(path=path, method="HEAD").status == 403
    assert connection.ask().status == 200


def test_the_page_of_an_alias_links_to_the_alias(server):
    with tls(server, "mta-sts.alias2.example") as connection:
        page = connection.ask("mta-sts.alias2.example", "/").body
    assert b'"https://alias2.example"' in page
    assert b"example.org" not in page


def test_the_page_repeats_nothing_that_the_client_sent(connection):
    response = connection.ask(path="/SECRETWORD?SECRETWORD", headers=["User-Agent: SECRETWORD"])
    assert b"SECRETWORD" not in response.head + response.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "GETX",
                                    "BREW", "PRI"])
def test_another_method_is_told_which_are_allowed(connection, method):
    response = connection.ask(method=method)
    assert response.status == 405
    assert {name.strip() for name in response.headers["allow"].split(",")} == {"GET", "HEAD"}
    assert b"STSv1" not in response.body
    assert connection.ask().status == 200, "without a body the connection goes on"


# --- what is no request

def no_host(version):
    return request(host=None, version=version)


BAD = {
    "no_host": no_host("HTTP/1.1"),
    "two_hosts": request(headers=[f"Host: {HOST}"]),
    "two_hosts_in_1_0": request(version="HTTP/1.0", headers=["Host: mta-sts.none.example"]),
    "empty_host": request(host=""),
    "host_with_blank": request(host=f"{HOST} x"),
    "host_with_userinfo": request(host=f"x@{HOST}"),
    "host_with_bad_port": request(host=f"{HOST}:x"),
    "blank_before_colon": request(headers=["X : y"]),
    "continued_line": request(headers=["X: y", " z"]),
    "bare_lf": request().replace(b"\r\n", b"\n"),
    "bare_cr": request(headers=["X: a\rb"]),
    "nul_in_header": request(headers=["X: a\0b"]),
    "nul_in_target": request(path=POLICY + "\0"),
    "high_byte_in_target": request(path=POLICY + "?\xe9"),
    "fragment_in_target": request(path=POLICY + "#x"),
    "no_version": b"GET /.well-known/mta-sts.txt\r\n\r\n",
    "http_2": request(version="HTTP/2.0"),
    "http_2_preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http_0_9": request(version="HTTP/0.9"),
    "lower_case_version": request(version="http/1.1"),
    "two_blanks": request(method="GET "),
    "tab": request().replace(b"GET ", b"GET\t"),
    "relative_path": request(path="well-known"),
    "star_with_get": request(path="*"),
    "bad_escape": request(path=POLICY + "%zz"),
    "header_without_colon": request(headers=["nonsense"]),
    "two_lengths": request(headers=["Content-Length: 1", "Content-Length: 2"]),
    "length_and_encoding": request(headers=["Content-Length: 1", "Transfer-Encoding: chunked"]),
    "no_number_as_length": request(headers=["Content-Length: +1"]),
    "garbage": b"\x00\x01\x02\x03\r\n\r\n",
    "ftp_target": request(path="ftp://example.org/"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_malformed_is_a_bad_request_and_the_end(connection, name):
    connection.send(BAD[name] + request())
    response = connection.response()
    assert response.status == 400
    assert response.closes
    assert b"STSv1" not in response.body
    assert connection.rest() == b""


def test_a_long_request_line_is_414_and_the_end(connection):
    connection.send(request(path=POLICY + "?" + "q" * 4000))
    assert connection.response().status == 414
    assert connection.rest() == b""


def test_a_long_request_line_without_an_end_is_414(connection):
    connection.send(b"GET /" + b"x" * 20000)
    assert connection.response().status == 414
    assert connection.rest() == b""


@pytest.mark.parametrize("headers", [["X: " + "y" * 9000], [f"X{n}: y" for n in range(1000)],
                                     ["X: " + "y" * 100] * 100], ids=["long", "many", "both"])
def test_large_headers_are_431_and_the_end(connection, headers):
    connection.send(request(headers=headers))
    assert connection.response().status == 431
    assert connection.rest() == b""


def test_headers_just_below_the_limits_are_served(connection):
    assert connection.ask(headers=["X: " + "y" * 7900]).body == ORG_BODY
    assert connection.ask(headers=[f"X{n}: y" for n in range(60)]).body == ORG_BODY


def test_half_a_request_is_408_after_five_seconds(server):
    with tls(server) as connection:
        before = time.monotonic()
        connection.send(request()[:-2])
        response = connection.response()
        waited = time.monotonic() - before
        assert response.status == 408
        assert response.closes
        assert connection.rest() == b""
    assert 4 < waited < 8


# --- all of that over every kind of handshake

WAYS = list(itertools.product(KINDS, ["1.2", "1.3"], ["127.0.0.1:0", "[::1]:0"]))
ALL_WAYS = pytest.mark.parametrize("kind, version, family", WAYS)


def by_way(server, kind, version, family):
    """A new connection, and the host that it is for."""
    host = f"mta-sts.{KINDS[kind]}"
    return host, tls(server, host, server.address("https", family), version=version)


@ALL_WAYS
def test_every_answer_that_keeps_the_connection_on_every_way(server, kind, version, family):
    host, connection = by_way(server, kind, version, family)
    with connection:
        answers = [
            (200, {}), (200, {"method": "HEAD"}), (200, {"path": POLICY + "?x=y"}),
            (200, {"host": f"{host.upper()}.:8443"}), (200, {"path": f"https://{host}{POLICY}"}),
            (421, {"host": "mta-sts.none.example"}), (403, {"path": "/"}), (403, {"path": "/", "method": "HEAD"}),
            (405, {"method": "POST"}), (200, {}),
        ]
        for status, asked in answers:
            response = connection.ask(**{"host": host, **asked})
            assert (response.status, response.closes) == (status, False), asked
            assert (response.body == ORG_BODY) == (status == 200 and asked.get("method") != "HEAD")


@ALL_WAYS
def test_every_answer_that_ends_the_connection_on_every_way(server, kind, version, family):
    host = f"mta-sts.{KINDS[kind]}"
    answers = [
        (200, request(host, headers=["Connection: close"])), (200, request(None, version="HTTP/1.0")),
        (200, request(host, headers=["Content-Length: 5"]) + b"hello"),
        (405, request(host, method="POST", headers=["Transfer-Encoding: chunked"]) + b"0\r\n\r\n"),
        (400, request(None)), (400, request(host, headers=[f"Host: {host}"])), (400, b"\0\r\n\r\n"),
        (414, request(host, path=POLICY + "?" + "q" * 4000)), (431, request(host, headers=["X: " + "y" * 9000])),
    ]
    for status, sent in answers:
        with by_way(server, kind, version, family)[1] as connection:
            connection.send(sent)
            response = connection.response()
            assert (response.status, response.closes) == (status, True), sent[:200]
            assert (response.body == ORG_BODY) == (status == 200)
            assert connection.rest() == b""


def test_half_a_request_is_408_on_every_way(server):
    def status(way):
        with by_way(server, *way)[1] as connection:
            connection.send(request()[:-2])
            response = connection.response()
            assert response.closes and connection.rest() == b""
            return response.status

    with concurrent.futures.ThreadPoolExecutor(len(WAYS)) as pool:
        assert list(pool.map(status, WAYS)) == [408] * len(WAYS)


# --- one connection, many requests

def test_a_connection_is_kept_for_many_requests(connection):
    for _ in range(100):
        response = connection.ask()
        assert (response.status, response.body, response.closes) == (200, ORG_BODY, False)


def test_after_a_thousand_requests_others_have_their_turn(connection):
    connection.send(request() * 1100)
    answers = [connection.response() for _ in range(1000)]
    assert [answer.closes for answer in answers] == [False] * 999 + [True]
    assert connection.rest() == b""


def test_requests_in_one_segment_are_answered_in_order(connection):
    connection.send(request(method="HEAD") + request() + request(path="/") + request(method="POST")
                    + request("mta-sts.none.example") + request(headers=["Connection: close"]))
    assert [connection.response("HEAD").status] + [connection.response().status for _ in range(5)] \
        == [200, 200, 403, 405, 421, 200]
    assert connection.rest() == b""


def test_fifty_pipelined_requests_for_a_large_policy(server):
    host = "mta-sts.big.example"
    with tls(server, host) as connection:
        connection.send(request(host) * 50)
        for _ in range(50):
            assert connection.response().body == BODIES["big.example"]


def test_a_request_byte_by_byte(connection):
    data = request()
    connection.send(*(data[i:i + 1] for i in range(len(data))))
    assert connection.response().body == ORG_BODY


def test_pipelined_requests_split_anywhere(connection):
    data = request() + request(method="HEAD") + request(path="/")
    for cut in range(1, len(data), 17):
        connection.send(data[:cut], data[cut:])
        assert [connection.response().status, connection.response("HEAD").status,
                connection.response().status] == [200, 200, 403]


def test_an_empty_line_before_a_request_is_skipped(connection):
    connection.send(b"\r\n" + request())
    assert connection.response().status == 200


@pytest.mark.parametrize("header", ["Connection: close", "connection: Keep-Alive, CLOSE"])
def test_close_is_obeyed_and_said(connection, header):
    connection.send(request(headers=[header]) + request())
    response = connection.response()
    assert (response.body, response.closes) == (ORG_BODY, True)
    assert connection.rest() == b""


def test_idle_connections_end_after_two_seconds(connection):
    connection.ask()
    before = time.monotonic()
    assert connection.rest() == b""
    assert 1 < time.monotonic() - before < 4


# --- HTTP/1.0

def test_http_1_0_needs_no_host_and_ends(connection):
    connection.send(request(host=None, version="HTTP/1.0") + request())
    response = connection.response()
    assert (response.status, response.body) == (200, ORG_BODY)
    assert connection.rest() == b""


def test_http_1_0_with_another_host_is_misdirected(connection):
    assert connection.ask("mta-sts.none.example", version="HTTP/1.0").status == 421


def test_higher_minor_versions_are_answered_as_1_1(connection):
    assert connection.ask(version="HTTP/1.2").status == 200
    assert connection.ask().status == 200


# --- bodies

@pytest.mark.parametrize("headers, sent", [
    (["Content-Length: 5"], b"hello"),
    (["Content-Length: 5"], b""),
    (["Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\n\r\n"),
    (["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n"),
    (["Content-Length: 99999999999999999999"], b"x"),
], ids=["length", "unsent", "chunked", "gzip", "endless"])
@pytest.mark.parametrize("method, status", [("GET", 200), ("POST", 405)])
def test_a_body_is_answered_then_closed(connection, headers, sent, method, status):
    # the request behind the body is no request: the body was never read
    connection.send(request(method=method, headers=headers) + sent + request())
    response = connection.response()
    assert (response.status, response.closes) == (status, True)
    assert connection.rest() == b""


def test_a_body_of_length_zero_is_none(connection):
    assert connection.ask(headers=["Content-Length: 0"]).status == 200
    assert connection.ask(method="POST", headers=["Content-Length: 0"]).status == 405
    assert connection.ask().body == ORG_BODY


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("head", [
    request("mta-sts.big.example", headers=["Content-Length: 400000"]),
    request("mta-sts.big.example", method="POST", headers=["Transfer-Encoding: chunked"]),
    b"no request\r\n\r\n",
], ids=["get", "post", "garbage"])
def test_no_answer_is_lost_to_a_reset(server, head, version):
    # With unread bytes in its buffer a plain close() would send a reset, and that can overtake
    # the answer. The client here writes it all before it reads.
    with tls(server, "mta-sts.big.example", version=version) as connection:
        connection.send(head, *[b"x" * 16000] * 25)
        response = connection.response()
        assert response.status in (200, 405, 400)
        if response.status == 200:
            assert response.body == BODIES["big.example"]
        assert connection.rest() == b""


def test_the_end_of_a_connection_is_said_in_tls(server):
    # Connection.rest fails on an end without close_notify
    for version in ("1.2", "1.3"):
        with tls(server, version=version) as connection:
            connection.ask(headers=["Connection: close"])
            assert connection.rest() == b""
