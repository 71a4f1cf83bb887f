#!/usr/bin/python3
"""Prints the answers in src/server/curves_selftest.c that no standard has, worked out by schoolbook arithmetic."""

import hashlib
import hmac
import random

# P-256 (SEC 2 section 2.4.2)
P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(scalar, point):
    product = None
    for bit in f"{scalar:b}":
        product = add(product, product)
        if bit == "1":
            product = add(product, point)
    return product


def nonce(key, digest, fresh):
    """RFC 6979 section 3.2, with fresh bytes behind the hash (3.6)."""
    def mac(k, data):
        return hmac.new(k, data, hashlib.sha256).digest()

    seed = key.to_bytes(32, "big") + (int.from_bytes(digest, "big") % N).to_bytes(32, "big") + fresh
    k, v = bytes(32), b"\1" * 32
    for tag in b"\0", b"\1":
        k = mac(k, v + tag + seed)
        v = mac(k, v)
    v = mac(k, v)
    assert 0 < int.from_bytes(v, "big") < N
    return int.from_bytes(v, "big")


def sign(key, message, fresh=b""):
    digest = hashlib.sha256(message).digest()
    k = nonce(key, digest, fresh)
    r = multiply(k, G)[0] % N
    return r, pow(k, -1, N) * (int.from_bytes(digest, "big") + r * key) % N


def der(*numbers):
    body = b"".join(bytes([2, len(raw)]) + raw
                    for raw in (number.to_bytes(number.bit_length() // 8 + 1, "big") for number in numbers))
    return bytes([0x30, len(body)]) + body


def is_prime(number):
    """Miller-Rabin, to the bases up to 40."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in range(2, 41):
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def prime(source):
    while True:
        number = source.getrandbits(256) | 3 << 254 | 1
        if number % 65537 != 1 and is_prime(number):
            return number


KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721  # RFC 6979 appendix A.2.5
assert sign(KEY, b"sample") == (0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
                                0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8)
print("hedged signature", der(*sign(KEY, b"sample", b"\1" * 32)).hex())

draws = random.Random(20261124)
q, p = sorted((prime(draws), prime(draws)))
number = (int.from_bytes(hashlib.sha512(b"sample").digest(), "big") >> 1) % (p * q)
print(f"RSA p      {p:064x}\nRSA q      {q:064x}\nRSA number {number:0128x}\n"
      f"RSA answer {pow(number, pow(65537, -1, (p - 1) * (q - 1)), p * q):0128x}")
