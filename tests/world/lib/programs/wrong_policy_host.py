"""Policy hosts of all kinds, good at nothing but what TABLE says of each: an HTTPS server that sends what it is told.

Argument: TABLE, a JSON file:
    listeners: [{address, tls: "" or "1.1" or "1.3" or "none"}]
    hosts: {name: {certificate, key, answer, other_answer, delay, pause}}, answers as text in Latin-1
    second: the address where other_answer counts
The certificate is chosen by SNI, the answer by the Host field. Prints "ready".
"""

import asyncio
import json
import ssl
import sys

VERSIONS = {"": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3), "1.3": (ssl.TLSVersion.TLSv1_3,) * 2,
            "1.1": (ssl.TLSVersion.TLSv1,  ssl.TLSVersion.TLSv1_1)}


def context(version, pair=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version, made.maximum_version = VERSIONS[version]
    if version == "1.1":
        made.set_ciphers("ALL:@SECLEVEL=0")
    if pair:
        made.load_cert_chain(pair["certificate"], pair["key"])
    return made


class PolicyHosts:
    def __init__(self, table):
        self._hosts = table["hosts"]
        self._second = table["second"]

    def context(self, version):
        """A context that becomes another's as soon as the name is known."""
        by_name = {name: context(version, host) for name, host in self._hosts.items()}

        def choose(connection, name, _):
            if name not in by_name:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = by_name[name]

        chosen = context(version)
        chosen.sni_callback = choose
        return chosen

    async def serve(self, reader, writer):
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client has gone
        writer.close()

    async def _answer(self, reader, writer):
        if not writer.get_extra_info("ssl_object"):
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")  # as any does that is greeted by TLS
            return
        request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        name = next(line for line in request.split("\r\n") if line.startswith("host:"))[5:].strip()
        host = self._hosts[name]
        second = host["other_answer"] and writer.get_extra_info("sockname")[0] == self._second
        answer = host["other_answer" if second else "answer"].encode("latin-1")
        gone = asyncio.ensure_future(reader.read())
        await asyncio.wait([gone], timeout=host["delay"])
        for part in [answer] if not host["pause"] else [answer[at:at + 1] for at in range(len(answer))]:
            if gone.done():
                return
            writer.write(part)
            await writer.drain()
            if host["pause"]:
                await asyncio.wait([gone], timeout=host["pause"])


async def main():
    with open(sys.argv[1]) as file:
        table = json.load(file)
    hosts = PolicyHosts(table)
    contexts = {version: hosts.context(version) for version in VERSIONS}
    contexts["none"] = None
    for listener in table["listeners"]:
        await asyncio.start_server(hosts.serve, listener["address"], 443, ssl=contexts[listener["tls"]], limit=1 << 20)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
