#!/usr/bin/python3
"""Holds who may include whom under src/ (docs/architecture.md). Prints each #include that breaks a rule."""

import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"

# The folders of src/, and those of ours that each may include from.
FOLDERS = {
    "common": {"common"},
    "wire": {"wire"},
    "server": {"server", "common", "wire"},
    "tool": {"tool", "common", "wire"},
}

# The server's spine, from the top: a module includes only what stands in a line below its own. What stands beside the
# spine includes none of it.
SPINE = [
    ["main"],
    ["master"],
    ["generation"],
    ["keeper"],
    ["crew"],
    ["worker"],
    ["acceptor"],
    ["conn", "readiness"],
    ["answers", "tls"],
    ["certs", "acme"],
    ["broker"],
]
DEPTH = {f"server/{name}": depth for depth, names in enumerate(SPINE) for name in names}

# The libraries, by how their headers are spelled, and the only modules that know them.
MBEDTLS = {"common/certpair", "common/certificate", "common/certfile", "common/mbedtls_compat", "server/tls",
           "server/curves", "server/versions", "tool/chain"}
LIBRARIES = [
    (r"mbedtls/|psa/|tf-psa-crypto/", MBEDTLS),
    (r"ev\.h$", {"server/worker", "server/acceptor", "server/conn", "server/readiness", "server/broker",
               "server/versions"}),
    (r"nettle/|gmp\.h$|sodium\.h$", {"server/curves", "server/versions"}),
    (r"jansson\.h$", {"tool/dns", "tool/check", "tool/tlsrpt", "tool/report"}),
    (r"gmime/", {"tool/mail"}),
    (r"zlib\.h$", {"tool/unpack"}),
    (r"idn2\.h$", {"tool/typed"}),
    (r"ares\.h$", {"tool/resolver", "tool/outside"}),
    (r"curl/", {"tool/visit", "tool/outside"}),
    (r"ini\.h$", {"common/ini_reader"}),
]


def module_of(name):
    """conn_states is a part of conn, as is every file that is named after another."""
    whole = name.split("_")[0]
    return whole if (SRC / f"{whole}.c").exists() else name


def broken_rule(module, header):
    """Why this module may not include this header; None if it may."""
    for spelling, users in LIBRARIES:
        if re.match(spelling, header):
            return None if module in users else f"only {', '.join(sorted(users))} may"
    other = module_of(header.removesuffix(".h"))
    folder, other_folder = (name.split("/")[0] for name in (module, other))
    if other_folder not in FOLDERS or module == other:
        return None
    if other_folder not in FOLDERS[folder]:
        return f"{folder}/ includes nothing of {other_folder}/"
    if other in DEPTH:
        if module not in DEPTH and folder == "server":
            return "it stands beside the spine"
        if DEPTH.get(module, -1) >= DEPTH[other]:
            return "the spine includes downward only"
    return None


def main():
    broken = 0
    for path in sorted(SRC.glob("*/*.[ch]")):
        module = module_of(str(path.relative_to(SRC).with_suffix("")))
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            why = include and broken_rule(module, include[1])
            if why:
                print(f"src/{path.relative_to(SRC)}:{number}: {module} includes {include[1]}: {why}")
                broken += 1
    return 1 if broken else 0


sys.exit(main())
