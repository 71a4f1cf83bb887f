"""What mta-sts-query does, for many domains at a time: postfix-mta-sts-resolver's own STSResolver, one for each
(what goes wrong with an answer ends other questions of the same one).

Reads domains, one a line; prints a line for each: the domain, a tab, and what became of it.
"""

import asyncio
import sys

from postfix_mta_sts_resolver.resolver import STSResolver

AT_A_TIME = 16  # few enough that nobody waits for this machine


async def main():
    turn = asyncio.Semaphore(AT_A_TIME)

    async def ask(domain):
        async with turn:
            result, _ = await STSResolver(loop=asyncio.get_running_loop()).resolve(domain)
            print(domain, result.name, sep="\t")

    await asyncio.gather(*map(ask, sys.stdin.read().split()))


asyncio.run(main())
