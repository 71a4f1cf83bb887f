"""ClientHellos made by hand, and what comes back for them, byte for byte."""

import os
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519

from lib.client import connect
from lib.server import HOST

ILLEGAL_PARAMETER, PROTOCOL_VERSION, UNRECOGNIZED_NAME = 47, 70, 112  # RFC 8446 section 6

X25519, P256, X25519MLKEM768 = 0x001D, 0x0017, 0x11EC
HELLO_RETRY_REQUEST = bytes.fromhex(  # RFC 8446 section 4.1.3: the random that says it is one
    "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def vector(width, content):
    return len(content).to_bytes(width, "big") + content


def extension(number, content):
    return struct.pack(">H", number) + vector(2, content)


def server_name(*names):
    """RFC 6066 section 3, with as many host names as asked for."""
    return extension(0, vector(2, b"".join(b"\0" + vector(2, n.encode()) for n in names)))


def x25519_share():
    key = x25519.X25519PrivateKey.generate().public_key()
    return X25519, key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def client_hello(name=HOST, *, legacy=0x0303, versions=(0x0304, 0x0303), shares=None,
                 groups=(X25519, P256), suites=(0x1301, 0xC02B, 0xC02F), first=b"", last=b""):
    """A whole handshake message. first and last are extensions around the usual ones.

    name=None: no server_name. shares: list of (group, bytes); default is an X25519 one.
    """
    extensions = first
    if name is not None:
        extensions += server_name(name)
    extensions += extension(10, vector(2, struct.pack(f">{len(groups)}H", *groups)))
    extensions += extension(11, b"\1\0")
    extensions += extension(13, vector(2, bytes.fromhex("0403050308040401")))
    if versions:
        extensions += extension(43, vector(1, struct.pack(f">{len(versions)}H", *versions)))
        shares = [x25519_share()] if shares is None else shares
        extensions += extension(51, vector(2, b"".join(
            struct.pack(">H", group) + vector(2, share) for group, share in shares)))
    extensions += last
    body = (struct.pack(">H", legacy) + os.urandom(32) + vector(1, os.urandom(32))
            + vector(2, struct.pack(f">{len(suites)}H", *suites)) + b"\1\0"
            + vector(2, extensions))
    return b"\1" + vector(3, body)


def records(message, *sizes, version=0x0301):
    """The message in TLS records: of the given sizes, and one more for what is left."""
    out = b""
    for size in [*sizes, 16384, 16384, 16384, 16384]:
        if message:
            piece, message = message[:size], message[size:]
            out += struct.pack(">BH", 22, version) + vector(2, piece)
    assert not message
    return out


def resplit(*sizes):
    """A shape for client.shaped: the hello of one record, in records of these sizes and what is left."""
    return lambda record: [records(record[5:], *sizes)]


def every_byte(data):
    """A shape for client.shaped: a segment for each byte."""
    return [data[i:i + 1] for i in range(len(data))]


def answer(address, *pieces, half_close=False):
    """All that the server says to these bytes, to its end. A reset is an exception."""
    with connect(address) as stream:
        for piece in pieces:
            stream.sendall(piece)
        if half_close:
            stream.shutdown(1)
        said = b""
        while piece := stream.recv(65536):
            said += piece
        return said


def alert(said):
    """(level, description) of bytes that must be one plain alert record and nothing else."""
    assert len(said) == 7 and said[:2] == b"\x15\x03" and said[3:5] == b"\0\2", said.hex()
    return said[5], said[6]


def refused(address, *pieces):
    """The description of the fatal alert that these bytes earn."""
    level, description = alert(answer(address, *pieces))
    assert level == 2
    return description


class ServerHello:
    """The first handshake message of a server: what it chose."""

    def __init__(self, address, data):
        with connect(address) as stream:
            stream.sendall(data)
            self.said = b""
            while len(self.said) < 5 or len(self.said) < 5 + self._length():
                piece = stream.recv(65536)
                assert piece, f"the end behind {self.said.hex()}"
                self.said += piece
        assert self.said[0] == 22 and self.said[5] == 2, self.said.hex()
        self.random = self.said[11:43]
        at = 44 + self.said[43]
        self.suite = int.from_bytes(self.said[at:at + 2], "big")
        self.extensions = {}
        at += 5  # suite, compression, length of the extensions
        end = 5 + self._length()
        while at < end:
            number, length = struct.unpack(">HH", self.said[at:at + 4])
            self.extensions[number] = self.said[at + 4:at + 4 + length]
            at += 4 + length

    def _length(self):
        return int.from_bytes(self.said[3:5], "big")

    @property
    def is_retry(self):
        return self.random == HELLO_RETRY_REQUEST

    @property
    def group(self):
        """Of the key share that it chose, or wants."""
        return int.from_bytes(self.extensions[51][:2], "big")
