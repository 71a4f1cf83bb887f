#!/usr/bin/python3
"""Whether the tests of curves would notice: each mutant is src/ with a bug in it, and a test has to fail for it.

Most of these are bugs that somebody made. In a folder of its own below build/mutants a mutant is compiled as make
compiles, and its test is run, which passes without it. What is no longer there to be changed is a failure as well. The
last line is the sum: "N passed, N failed, N skipped".
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build/mutants"
SECONDS = 120  # for compiling, and for the test
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "CURVES_TIMES"}  # as in make check

MULTIPLY, NUMBERS, MEMORY, SHA256, ECDSA, EXP_MOD, SELFTEST, START = (
    f"src/server/{name}.c" for name in ("curves_multiply", "curves_numbers", "curves_memory", "curves_sha256",
                                        "curves_ecdsa", "curves_exp_mod", "curves_selftest", "curves"))

SECRETS = "build/secrets/curves"  # under valgrind
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", f"--suppressions={ROOT}/tests/secrets/curves.supp"]


@dataclasses.dataclass
class Mutant:
    bug: str
    file: str
    old: str    # once in the file
    new: str
    test: str   # tests/unit/test_curves{test}.c, or SECRETS

    @property
    def program(self):
        return SECRETS if self.test == SECRETS else f"build/unit/test_curves{self.test}"


MUTANTS = [
    # --- Products
    Mutant("a small-order u makes an all-zero secret", MULTIPLY,
           "return !is_zero(product);", "return true;", "_x25519"),
    Mutant("a scalar that is not clamped is clamped", MULTIPLY,
           "if (!is_clamped(scalar) || ", "if (", "_x25519"),
    Mutant("the top bit of a u above 2^255 is dropped", MULTIPLY,
           " || (u[LEN - 1] & 0x80) != 0)", ")", "_x25519"),
    Mutant("a Z that is not 1 is taken for 1", MULTIPLY,
           " || mbedtls_mpi_cmp_int(&P->Z, 1) != 0)", ")", "_p256"),
    Mutant("infinity is taken for a point", MULTIPLY,
           "mbedtls_mpi_cmp_int(&P->Z, 1) != 0", "mbedtls_mpi_cmp_int(&P->Z, 1) > 0", "_p256"),
    Mutant("a point that is off the curve is multiplied", MULTIPLY,
           "        done = set_point(&point, point_bytes);\n", "        set_point(&point, point_bytes);\n", "_p256"),
    Mutant("a scalar's range is not looked at", MULTIPLY,
           "    done = curves_set_scalar(&scalar, scalar_bytes);\n",
           "    done = true;\n    curves_set_scalar(&scalar, scalar_bytes);\n", "_p256"),
    Mutant("the sign of a number is dropped", NUMBERS,
           "return number->s > 0 && ", "return ", "_p256"),
    Mutant("the sign of a u is dropped", MULTIPLY,
           "return number->s > 0 && mbedtls_mpi_write_binary_le", "return mbedtls_mpi_write_binary_le", "_x25519"),
    Mutant("a scalar that was drawn again is taken", NUMBERS,
           "    return draws.taken;", "    return true;", "_p256"),
    Mutant("no generator is as good as one", MULTIPLY,
           "if (f_rng != NULL && multiply(&result, grp, R, m, P))", "if (multiply(&result, grp, R, m, P))",
           "_multiply"),
    Mutant("no generator is as good as one, in slices", MULTIPLY,
           "if (f_rng != NULL && rs_ctx == NULL && ", "if (rs_ctx == NULL && ", "_multiply"),
    Mutant("work in slices is done at once", MULTIPLY,
           "if (f_rng != NULL && rs_ctx == NULL && ", "if (f_rng != NULL && ", "_multiply"),
    Mutant("every other curve is X25519", MULTIPLY,
           "    if (grp->id != MBEDTLS_ECP_DP_SECP256R1 && grp->id != MBEDTLS_ECP_DP_CURVE25519)\n"
           "        return false;\n", "", "_multiply"),
    Mutant("what is off is computed", MULTIPLY,
           "if (!curves_states[part].on || ", "if (", "_multiply"),
    Mutant("memory that fails is not told", MULTIPLY,
           "        if (*result == 0)\n            *result = mbedtls_mpi_read_binary(&R->Y, point + LEN, LEN);\n",
           "        *result = mbedtls_mpi_read_binary(&R->Y, point + LEN, LEN);\n", "_multiply"),
    Mutant("where memory fails, half of a product is left", MULTIPLY,
           "    if (done && *result != 0)\n        mbedtls_ecp_point_free(R); /* no half of a product */\n", "", "_multiply"),
    Mutant("the product's Z is left as it was", MULTIPLY,
           "            *result = mbedtls_mpi_read_binary(&R->Y, point + LEN, LEN);\n        if (*result == 0)\n"
           "            *result = mbedtls_mpi_lset(&R->Z, 1);\n",
           "            *result = mbedtls_mpi_read_binary(&R->Y, point + LEN, LEN);\n", "_p256"),
    Mutant("a y stays where there is none", MULTIPLY,
           "        mbedtls_mpi_free(&R->Y); /* there is none */\n", "", "_x25519"),
    Mutant("any key is any certificate's", MULTIPLY,
           "    is = is && memcmp(product, point, sizeof(point)) == 0;\n", "", "_pair"),
    Mutant("a key's claimed point is not compared with the certificate's", MULTIPLY,
           "              mbedtls_ecp_point_cmp(&pub->Q, &prv->Q) == 0 &&\n", "", "_pair"),

    # --- Signatures
    Mutant("a generator that fails is not looked at: the nonce has what was on the stack", ECDSA,
           "    *result = f_rng(p_rng, fresh, sizeof(fresh));\n", "    *result = 0;\n    f_rng(p_rng, fresh, sizeof(fresh));\n",
           "_ecdsa"),
    Mutant("the nonce is the generator's alone", ECDSA,
           "    mix(nonce, 0, len, seed);\n    mix(nonce, 1, len, seed);\n",
           "    memcpy(nonce->K, fresh_len > 0 ? fresh : seed, sizeof(nonce->K));\n", "_ecdsa"),
    Mutant("the fresh bytes are left out", ECDSA,
           "size_t  len = PAIR + fresh_len;", "size_t  len = PAIR;", "_ecdsa"),
    Mutant("a hash above n is not reduced", ECDSA,
           "bool     subtract = memcmp(hash, order, LEN) >= 0;", "bool     subtract = false;", "_ecdsa"),
    Mutant("a draw that won't do is drawn again as it was", ECDSA,
           "    if (nonce->drawn)\n        mix(nonce, 0, 0, NULL);\n", "", "_ecdsa"),
    Mutant("a key's range is not looked at", ECDSA,
           "    done = curves_set_scalar(&scalar, key);\n", "    done = true;\n    curves_set_scalar(&scalar, key);\n",
           "_ecdsa"),
    Mutant("a hash of no length, or of another, is read as 32 bytes", ECDSA,
           "        hlen == LEN && ", "        ", "_ecdsa"),
    Mutant("another hash's name is not looked at", ECDSA,
           " && md_alg == MBEDTLS_MD_SHA256 &&\n", " &&\n", "_ecdsa"),
    Mutant("every key is one of P-256", ECDSA,
           "ctx->grp.id == MBEDTLS_ECP_DP_SECP256R1 && ", "", "_ecdsa"),
    Mutant("no generator is as good as one, for a signature", ECDSA,
           " && f_rng != NULL &&\n", " &&\n", "_ecdsa"),
    Mutant("the size of the buffer is not looked at", ECDSA,
           "sig, sig_size, slen) == 0);", "sig, 139, slen) == 0);", "_ecdsa"),

    # --- Powers
    Mutant("an even modulus is taken", EXP_MOD, " && (N->p[0] & 1) != 0 &&", " &&", "_exp_mod"),
    Mutant("a negative exponent is taken", EXP_MOD, "mbedtls_mpi_cmp_int(E, 0) > 0", "E->n > 0", "_exp_mod"),
    Mutant("a negative base is taken", EXP_MOD, " && A->s > 0 && ", " && ", "_exp_mod"),
    Mutant("a modulus with an empty word on top is taken", EXP_MOD, " && N->p[N->n - 1] != 0", "", "_exp_mod"),
    Mutant("a long base is cut", EXP_MOD,
           "        memcpy(base, A->p, A->n * sizeof(*base));",
           "        memcpy(base, A->p, (A->n < N->n ? A->n : N->n) * sizeof(*base));", "_exp_mod"),
    Mutant("memory that fails for a power is not told", EXP_MOD,
           "    if (base == NULL)\n        return MBEDTLS_ERR_MPI_ALLOC_FAILED;\n",
           "    if (base == NULL)\n        return 0;\n", "_exp_mod"),

    # --- Hashes
    Mutant("the second word of a length is lost", SHA256,
           "    ctx->total[1] = (uint32_t)(new_total >> 32);\n", "", "_sha256"),
    Mutant("a length that just fits gets a block more", SHA256,
           "held < BLOCK - LENGTH", "held < BLOCK - LENGTH - 1", "_sha256"),
    Mutant("a length that does not fit any more is put into the block", SHA256,
           "held < BLOCK - LENGTH", "held <= BLOCK - LENGTH", "_sha256"),
    Mutant("SHA-224 writes eight words", SHA256, "ctx->is224 ? 7 : 8", "8", "_sha256"),
    Mutant("a context keeps what was hashed", SHA256,
           "    mbedtls_sha256_free(ctx); /* as mbedTLS's own does */\n", "", "_sha256"),
    Mutant("the stack below a hash is left", SHA256, "    wipe_stack();\n", "", "_sha256"),
    Mutant("a full block waits for the next byte", SHA256,
           "held + len >= BLOCK && held > 0", "held + len > BLOCK && held > 0", "_sha256"),

    # --- What is left in memory
    Mutant("the memory of Nettle is not wiped", MEMORY, "    explicit_bzero(block, used);\n", "", "_memory"),
    Mutant("the stack is not wiped", MEMORY, "    wipe_stack();\n", "", "_memory"),
    Mutant("the memory of Nettle is never given back", MEMORY, "    used = 0;\n", "", "_memory"),
    Mutant("a product's scalar is left", MULTIPLY,
           "multiply_p256(point, scalar, point);\n\n    explicit_bzero(scalar, sizeof(scalar));\n",
           "multiply_p256(point, scalar, point);\n\n", "_memory"),
    Mutant("a product is left", MULTIPLY, "    explicit_bzero(point, sizeof(point));\n", "", "_memory"),
    Mutant("an X25519 scalar is left", MULTIPLY,
           "multiply_x25519(product, scalar, u);\n\n    explicit_bzero(scalar, sizeof(scalar));\n",
           "multiply_x25519(product, scalar, u);\n\n", "_memory"),
    Mutant("an X25519 product is left", MULTIPLY, "    explicit_bzero(product, sizeof(product));\n", "", "_memory"),
    Mutant("a signature's key is left", ECDSA, "    explicit_bzero(key, sizeof(key));\n", "", "_memory"),
    Mutant("what the nonce was made from is left", ECDSA, "    explicit_bzero(&nonce, sizeof(nonce));\n", "", "_memory"),
    Mutant("the stack below a power is left", EXP_MOD, "    curves_memory_wipe(); /* the stack */\n", "", "_memory"),
    Mutant("what does not fit is written behind the block", MEMORY,
           "if (rounded <= BLOCK_SIZE - used)", "if (true)", "_memory"),
    Mutant("what did not fit is not told", MEMORY, "    exceeded = true;\n", "", "_memory"),

    # --- What time and memory tell
    Mutant("the end of a product's zeros is told", MULTIPLY,
           "        bits |= product[i];\n", "        if ((bits |= product[i]) != 0)\n            return false;\n", SECRETS),
    Mutant("a scalar is compared with n from the top", NUMBERS,
           "    ecc_scalar_random(scalar, &draws, draw);\n",
           "    mpz_t     number;\n    mp_limb_t limbs[LIMBS];\n\n    curves_limbs_from_bytes(limbs, bytes);\n"
           "    draws.taken = ecc_scalar_set(scalar, mpz_roinit_n(number, limbs, LIMBS));\n    (void)draw;\n", SECRETS),
    Mutant("a product's upper zeros are left out", NUMBERS,
           "    for (size_t i = 0; i < LEN; i++)\n        bytes[LEN - 1 - i] =",
           "    memset(bytes, 0, LEN);\n    for (size_t i = 0; i < LEN && limbs[i / sizeof(*limbs)] != 0; i++)\n"
           "        bytes[LEN - 1 - i] =", SECRETS),
    Mutant("what the nonce comes from is looked at", ECDSA,
           "    nonce->drawn = true;\n", "    nonce->drawn = true;\n    if (nonce->K[0] == 0xff)\n        next_value(nonce);\n",
           SECRETS),
    Mutant("the length of an exponent is told", EXP_MOD,
           "(mp_bitcnt_t)E->n * 8 * sizeof(mp_limb_t);", "mbedtls_mpi_bitlen(E);", SECRETS),
    Mutant("whether a power has zeros on top is told", EXP_MOD,
           "        X->s = 1;\n", "        X->s = 1;\n        if (power[n - 1] == 0)\n            X->p[0] = power[0];\n",
           SECRETS),

    # --- The start
    Mutant("any public key on P-256 will do", SELFTEST,
           "           memcmp(public, nist_public, sizeof(public)) == 0 &&\n", "", "_wrong"),
    Mutant("any secret on P-256 will do", SELFTEST,
           " &&\n           memcmp(shared, nist_shared, sizeof(shared)) == 0;", ";", "_wrong"),
    Mutant("any X25519 product will do", SELFTEST,
           " &&\n           memcmp(product, known, sizeof(product)) == 0;", ";", "_wrong"),
    Mutant("any hash will do", SELFTEST,
           "return well && memcmp(hash, known, sizeof(hash)) == 0;", "return well;", "_wrong"),
    Mutant("any signature will do", SELFTEST,
           "return len == sizeof(hedged_signature) && ", "return len > 0 || ", "_wrong"),
    Mutant("a wrong answer is believed", START, "    if (!selftests[part]())\n",
           "    selftests[part]();\n    if (false)\n", ""),
    Mutant("what is not reached is believed", START, "    if (state->calls == 0)\n", "    if (false)\n", ""),
    Mutant("too much memory does not matter", START, "    if (curves_memory_exceeded())\n", "    if (false)\n", ""),
    Mutant("an older Nettle is used", START, "    if (!is_nettle_recent())\n", "    if (false)\n", ""),
    Mutant("what does not hold is on", START,
           "curves_states[i].on = curves_states[i].trouble == NULL;", "curves_states[i].on = true;", ""),
]


def make(folder, program):
    """Why there is no such program, or None. What make knows of mbedTLS stays as it is."""
    known = ["mbedtls/cflags", "mbedtls/libs", "mbedtls/wraps", "flags/compile", "flags/link"]
    done = subprocess.run(["make", "-s", "-j1", *(f"--old-file=build/{name}" for name in known), program],
                          cwd=folder, env={**ENVIRONMENT, "MAKEFLAGS": ""},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
    return None if done.returncode == 0 else done.stdout.decode(errors="backslashreplace")


def passes(folder, program):
    command = [*(VALGRIND if program == SECRETS else []), folder / program]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=ENVIRONMENT, timeout=SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def grow(mutant, folder):
    """All that the test is made of, with objects that need not be made again, and the bug. Why not, or None."""
    for part in ("src", "tests/unit", "tests/secrets", "build/src/server", "build/tests/unit", "build/mbedtls",
                 "build/flags", "build/secrets/src/server", "build/secrets/tests"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy2(ROOT / "Makefile", folder)
    (folder / "build/deps").symlink_to(ROOT / "build/deps")  # where there is one, the flags name it
    path = folder / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        return f"{mutant.file} has this {text.count(mutant.old)} times:\n{mutant.old}"
    path.write_text(text.replace(mutant.old, mutant.new))
    return make(folder, mutant.program)


def complaint(mutant, number):
    """What is wrong with the tests; nothing if they notice the bug."""
    folder = FOLDER / str(number)
    try:
        why = grow(mutant, folder)
        if why is None and passes(folder, mutant.program):
            why = f"{mutant.program} does not notice"
        return why
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    broken = [f"{program} fails without any mutant" for program in sorted({mutant.program for mutant in MUTANTS})
              if not passes(ROOT, program)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = list(pool.map(complaint, MUTANTS, range(len(MUTANTS))))
    broken += [f"{mutant.bug}: {why}" for mutant, why in zip(MUTANTS, complaints) if why]
    for why in broken:
        print(f"--- {why}")
    print(f"{complaints.count(None)} passed, {len(broken)} failed, 0 skipped")
    return 1 if broken else 0


sys.exit(main())
