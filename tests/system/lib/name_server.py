"""A DNS server on loopback that says what a test tells it."""

import ipaddress
import socket
import struct
import threading

TYPES = {1: "A", 15: "MX", 16: "TXT", 28: "AAAA"}
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
SILENT = object()  # in place of a list of records: no answer


class NameServer:
    """records: {(name, type): [text, ...]}. MX: "10 mail.example.org"; TXT: a string, or a tuple of strings.

    By UDP and TCP, whatever its size.

    A number in place of the list is an rcode. What is not there has no name, unless another type has.
    """

    def __init__(self, records=()):
        self.records = dict(records)
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._socket.bind(self._listener.getsockname())  # hardly anybody else uses UDP here
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=serve, daemon=True) for serve in (self._serve, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        wake = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        wake.sendto(b"", self._socket.getsockname())
        wake.close()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()
        self._socket.close()

    def _serve(self):
        while True:
            query, peer = self._socket.recvfrom(4096)
            if not query:
                return
            answer = self._answer(query)
            if answer is not None:
                self._socket.sendto(answer, peer)

    def _serve_tcp(self):
        """One after the other, each for as long as it asks."""
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as asked:
                while head := asked.read(2):
                    answer = self._answer(asked.read(*struct.unpack("!H", head)))
                    if answer is not None:
                        peer.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, query):
        name, end = _read_name(query, 12)
        kind = TYPES.get(struct.unpack_from("!H", query, end)[0])
        self.asked.append((name, kind))
        found = self.records.get((name, kind), [])
        if found is SILENT:
            return None
        code = found if isinstance(found, int) else NOERROR
        if found == [] and not any(known == name for known, _ in self.records):
            code = NXDOMAIN
        records = [] if isinstance(found, int) else [_rdata(kind, text) for text in found]
        head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(records), 0, 0)
        body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", _number(kind), 1, 60, len(data)) + data for data in records)
        return head + query[12:end + 4] + body


def _number(kind):
    return next(number for number, name in TYPES.items() if name == kind)


def _read_name(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 1


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def _rdata(kind, text):
    if kind == "MX":
        preference, host = text.split()
        return struct.pack("!H", int(preference)) + _name(host)
    if kind == "TXT":
        strings = [string.encode() for string in ((text,) if isinstance(text, str) else text)]
        return b"".join(bytes([len(string)]) + string for string in strings)
    return ipaddress.ip_address(text).packed
