"""A name server that passes questions on to another, and does what TRICKS says for some names.

Arguments: ADDRESS, the other's ADDRESS, TRICKS (a JSON file: names to tricks). Prints "ready".
"""

import asyncio
import json
import random
import struct
import sys

HEADER = 12
AAAA, TXT, MX = 28, 16, 15
SERVFAIL, REFUSED = 2, 5
TRUNCATED = 0x0200


def question(message):
    """The name, in lower case, the type, and the question's bytes."""
    labels, at = [], HEADER
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1").lower())
        at += 1 + message[at]
    return ".".join(labels), struct.unpack_from("!H", message, at + 1)[0], message[HEADER:at + 5]


def encoded(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def reply(asked, flags=0, records=b"", count=0, asking=None):
    """An answer to what was asked: with these flags, or a code in their place."""
    head = asked[:2] + struct.pack("!HHHHH", 0x8180 | flags, 1, count, 0, 0)
    return head + (asking or question(asked)[2]) + records


def record(owner, kind, data):
    return owner + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


async def servfail(asked, kind, forward):
    return reply(asked, SERVFAIL)


async def refused(asked, kind, forward):
    return reply(asked, REFUSED)


async def silent(asked, kind, forward):
    return None


async def no_aaaa(asked, kind, forward):
    return reply(asked, SERVFAIL) if kind == AAAA else await forward(asked)


async def wrong_id(asked, kind, forward):
    answer = await forward(asked)
    return bytes([answer[0] ^ 0x55, answer[1] ^ 0xaa]) + answer[2:]


async def wrong_question(asked, kind, forward):
    text = b"v=STSv1; id=1;"
    return reply(asked, records=record(encoded("other.example"), TXT, bytes([len(text)]) + text), count=1,
                 asking=encoded("other.example") + struct.pack("!HH", TXT, 1))


async def other_name(asked, kind, forward):
    text = b"v=STSv1; id=1;"
    return reply(asked, records=record(encoded("other.example"), TXT, bytes([len(text)]) + text), count=1)


async def garbage(asked, kind, forward):
    return asked[:2] + random.Random(1).randbytes(60)


async def truncated(asked, kind, forward):
    return reply(asked, TRUNCATED)


async def upper_mx(asked, kind, forward):
    if kind != MX:
        return await forward(asked)
    return reply(asked, records=record(b"\xc0\x0c", MX, b"\0\x0a" + encoded("MX.EXAMPLE.NET")), count=1)


TRICKS = {"servfail": servfail, "refused": refused, "silent": silent, "no-aaaa": no_aaaa, "wrong-id": wrong_id,
          "wrong-question": wrong_question, "other-name": other_name, "garbage": garbage, "truncated": truncated,
          "truncated-alone": truncated, "upper-mx": upper_mx}


class Asked(asyncio.DatagramProtocol):
    """One question to the other name server."""

    def __init__(self):
        self.answer = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, address):
        if not self.answer.done():
            self.answer.set_result(data)


class Server(asyncio.DatagramProtocol):
    def __init__(self, other, tricks):
        self._other = other
        self._tricks = tricks
        self._tasks = set()

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, address):
        task = asyncio.get_running_loop().create_task(self._answer(data, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, asked, address):
        name, kind, _ = question(asked)
        trick = self._tricks.get(name)
        answer = await (TRICKS[trick](asked, kind, self._forward) if trick else self._forward(asked))
        if answer is not None:
            self._transport.sendto(answer, address)

    async def _forward(self, asked):
        transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            Asked, remote_addr=(self._other, 53))
        try:
            transport.sendto(asked)
            return await protocol.answer
        finally:
            transport.close()

    async def over_tcp(self, reader, writer):
        """Every trick is one of UDP; but who has no TCP closes."""
        try:
            while True:
                length = await reader.readexactly(2)
                asked = await reader.readexactly(int.from_bytes(length, "big"))
                if self._tricks.get(question(asked)[0]) == "truncated-alone":
                    break
                other_reader, other_writer = await asyncio.open_connection(self._other, 53)
                other_writer.write(length + asked)
                answer = await other_reader.readexactly(int.from_bytes(await other_reader.readexactly(2), "big"))
                other_writer.close()
                writer.write(len(answer).to_bytes(2, "big") + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


async def main():
    address, other, tricks = sys.argv[1:]
    with open(tricks) as file:
        server = Server(other, json.load(file))
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: server, local_addr=(address, 53))
    await asyncio.start_server(server.over_tcp, address, 53)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
