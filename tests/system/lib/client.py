"""Clients that see every byte: HTTP over a plain socket or Python's TLS, in whatever pieces a test wants."""

import datetime
import email.utils
import re
import socket
import ssl

from lib.server import HOST

POLICY = "/.well-known/mta-sts.txt"
TIMEOUT = 20  # seconds in which any answer must come


def request(host=HOST, path=POLICY, method="GET", version="HTTP/1.1", headers=()):
    """The bytes of a request; host=None: no Host."""
    lines = [f"{method} {path} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1")


class Response:
    """A whole response. What holds for every one of them is asserted here."""

    def __init__(self, head, body):
        self.head = head
        self.body = body
        status_line, *fields = head.decode("ascii").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) ([A-Za-z -]+)", status_line)
        assert match, f"status line {status_line!r}"
        self.status, self.reason = int(match[1]), match[2]
        self.headers = {}
        for field in fields:
            match = re.fullmatch(r"([A-Za-z-]+): (\S(?:.*\S)?)", field)
            assert match, f"header {field!r}"
            assert match[1].lower() not in self.headers, f"{match[1]} twice"
            self.headers[match[1].lower()] = match[2]
        self._check()

    def _check(self):
        assert self.headers["x-content-type-options"] == "nosniff"
        assert "content-length" in self.headers
        assert "server" not in self.headers
        assert "location" not in self.headers and not 300 <= self.status < 400, "a redirect"
        date = self.headers["date"]
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", date)
        age = datetime.datetime.now(datetime.timezone.utc) - email.utils.parsedate_to_datetime(date)
        # A week's tolerance is for tests that move the server's clock.
        assert abs(age.total_seconds()) < 7 * 86400

    @property
    def closes(self):
        return self.headers.get("connection", "").lower() == "close"


class Connection:
    """Bytes out, bytes in. A reset, or a TLS end without close_notify, is an exception."""

    def __init__(self, stream):
        self.stream = stream
        self.stream.settimeout(TIMEOUT)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()

    def send(self, *pieces):
        """Each piece on its own way: TCP_NODELAY is set."""
        for piece in pieces:
            self.stream.sendall(piece)

    def _more(self):
        piece = self.stream.recv(65536)
        self.buffer += piece
        return bool(piece)

    def _take(self, count):
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def response(self, method="GET"):
        """The next response. Those to HEAD have no body, whatever their Content-Length."""
        while b"\r\n\r\n" not in self.buffer:
            assert self._more(), f"the end instead of a response, behind {self.buffer!r}"
        head = self._take(self.buffer.index(b"\r\n\r\n") + 4)[:-4]
        length = int(re.search(rb"(?im)^content-length: (\d+)\r?$", head + b"\r\n")[1])
        if method == "HEAD":
            return Response(head, b"")
        while len(self.buffer) < length:
            assert self._more(), f"the end after {len(self.buffer)} of {length} bytes"
        return Response(head, self._take(length))

    def ask(self, host=HOST, path=POLICY, method="GET", **more):
        """One request (arguments are request's), its response."""
        self.send(request(host, path, method, **more))
        return self.response(method)

    def rest(self):
        """All bytes to the peer's end."""
        while self._more():
            pass
        return self._take(len(self.buffer))


def connect(address):
    stream = socket.create_connection(address, TIMEOUT)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def plain(address):
    return Connection(connect(address))


VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(site, version=None, alpn=None, verify=True, ciphers=None):
    """version: "1.2" or "1.3" alone; verify=False: any certificate will do."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # Python's default hides an end without close_notify
    if verify:
        made.load_verify_locations(cafile=site.ca)
    else:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if version:
        made.minimum_version = made.maximum_version = VERSIONS[version]
    if alpn:
        made.set_alpn_protocols(alpn)
    if ciphers:
        made.set_ciphers(ciphers)
    return made


def tls(server, sni=HOST, address=None, **options):
    """A connection whose handshake is over; options are context's."""
    stream = connect(address or server.https)
    try:
        wrapped = context(server.site, **options).wrap_socket(
            stream, server_hostname=sni, suppress_ragged_eofs=False)
    except BaseException:
        stream.close()
        raise
    return Connection(wrapped)


def fetch(server, host=HOST, address=None, **options):
    """One fetch as a sender does it: gives the response, with the leaf's DER as .certificate."""
    with tls(server, host, address, **options) as connection:
        response = connection.ask(host, headers=["Connection: close"])
        assert connection.rest() == b"", "bytes behind the response"
        response.certificate = connection.stream.getpeercert(binary_form=True)
        return response


def refused_alert(server, host=HOST, **options):
    """The name of the alert that ends a handshake, as OpenSSL says it."""
    try:
        tls(server, host, **options).close()
    except ssl.SSLError as error:
        return error.reason
    raise AssertionError(f"{host} was served")


class ShapedStream:
    """TLS over a stream of its own, whose first flight leaves in the shape that a test gives it.

    shape turns the bytes of the hello, as OpenSSL made them, into a list of pieces.
    """

    def __init__(self, server, shape, sni=HOST, **options):
        self._stream = connect(server.https)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context(server.site, **options).wrap_bio(
            self._in, self._out, server_hostname=sni)
        self._shape = shape
        self._call(self._tls.do_handshake)

    def _flush(self):
        data = self._out.read()
        if data:
            for piece in self._shape(data) if self._shape else [data]:
                self._stream.sendall(piece)
            self._shape = None

    def _call(self, function, *arguments):
        while True:
            try:
                result = function(*arguments)
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                data = self._stream.recv(65536)
                if data:
                    self._in.write(data)
                else:
                    self._in.write_eof()

    def sendall(self, data):
        self._call(self._tls.write, data)

    def recv(self, size):
        try:
            return self._call(self._tls.read, size)
        except ssl.SSLZeroReturnError:
            return b""

    def settimeout(self, seconds):
        self._stream.settimeout(seconds)

    def close(self):
        self._stream.close()


def shaped(server, shape, **options):
    return Connection(ShapedStream(server, shape, **options))
