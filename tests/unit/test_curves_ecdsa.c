/*
 * curves_ecdsa: without fresh bytes its signatures are those of RFC 6979 and mbedTLS, byte for byte;
 * with them they are good all the same; and what it does not know goes to mbedTLS as it came. The
 * module is included, for its nonces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef CURVES_NETTLE
#include "server/curves_ecdsa.c" // NOLINT(bugprone-suspicious-include): its nonces are tested, too

#include "curves_both.h"

#include <mbedtls/hmac_drbg.h>
#include <mbedtls/pk.h>
#include <psa/crypto.h>

enum { USUAL_CASES = 250, DER_MAX = MBEDTLS_ECDSA_MAX_SIG_LEN(521), GENERATOR_FAILS = -77 };

#define N        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define N_LESS1  "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
#define N_MORE1  "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552"
#define NEGATIVE "-c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
#define MORE     "1ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552"
#define ONES     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static struct curves_state *const ecdsa = &curves_states[CURVES_ECDSA];
static mbedtls_ecdsa_context      key;

/* --- Keys and signatures */

static void use_key(mbedtls_ecp_group_id id, const char *d)
{
    uint64_t blinding = 1;

    mbedtls_ecdsa_free(&key);
    mbedtls_ecdsa_init(&key);
    assert_int_equal(mbedtls_ecp_group_load(&key.grp, id), 0);
    both_number(&key.d, d);
    if (mbedtls_ecp_check_privkey(&key.grp, &key.d) == 0)
        assert_int_equal(
            mbedtls_ecp_mul(&key.grp, &key.Q, &key.d, &key.grp.G, both_draw, &blinding), 0);
}

#define SAMPLE_KEY "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"

static int use_sample_key(void **state)
{
    (void)state;
    use_key(MBEDTLS_ECP_DP_SECP256R1, SAMPLE_KEY);
    return 0;
}

static int drop_key(void **state)
{
    (void)state;
    mbedtls_ecdsa_free(&key);
    return 0;
}

/* What is written, of at most size bytes; the byte behind must stay as it is. */
struct written {
    int     status;
    size_t  len;
    uint8_t der[DER_MAX + 1];
};

static struct written sign(bool is_on, mbedtls_md_type_t md, const uint8_t *hash, size_t hash_len,
                           size_t size, uint64_t fresh)
{
    struct written written;

    memset(&written, 0xa5, sizeof(written));
    written.len = 0;
    ecdsa->on = is_on;
    written.status = mbedtls_ecdsa_write_signature(&key, md, hash, hash_len, written.der, size,
                                                   &written.len, both_draw, &fresh);
    ecdsa->on = true;
    assert_int_equal(written.der[size], 0xa5);
    return written;
}

static void assert_same(const struct written *a, const struct written *b)
{
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->der, b->der, a->len);
}

/* Goes to mbedTLS, whose signatures are the same each time. */
static void assert_passes_through(mbedtls_md_type_t md, const uint8_t *hash, size_t hash_len)
{
    unsigned long  before = ecdsa->calls;
    struct written with = sign(true, md, hash, hash_len, DER_MAX, 1);
    struct written without = sign(false, md, hash, hash_len, DER_MAX, 2);

    assert_same(&with, &without);
    assert_true(ecdsa->calls == before);
}

/* Without fresh bytes, as mbedTLS's. False: we refuse the key, and it must refuse it, too. */
static bool sign_without_fresh_bytes(const uint8_t hash[LEN])
{
    struct written stock = sign(false, MBEDTLS_MD_SHA256, hash, LEN, DER_MAX, 1);
    uint8_t        key_bytes[LEN], signature[2 * LEN], der[DER_MAX];
    size_t         len;

    if (!curves_write_number(&key.d, key_bytes) ||
        !curves_ecdsa_sign(signature, key_bytes, hash, NULL, 0)) {
        assert_int_not_equal(stock.status, 0);
        return false;
    }
    assert_int_equal(stock.status, 0);
    assert_int_equal(
        mbedtls_ecdsa_raw_to_der(BITS, signature, sizeof(signature), der, sizeof(der), &len), 0);
    assert_int_equal(len, stock.len);
    assert_memory_equal(der, stock.der, len);
    return true;
}

static void bytes_of(uint8_t bytes[LEN], const char *text)
{
    mbedtls_mpi number;

    mbedtls_mpi_init(&number);
    both_number(&number, text);
    assert_int_equal(mbedtls_mpi_write_binary(&number, bytes, LEN), 0);
    mbedtls_mpi_free(&number);
}

/* --- RFC 6979 */

/* Appendix A.2.5, with SHA-256 */
static const struct {
    const char *hash, *r, *s;
} rfc6979[] = {
    { "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf",
      "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
      "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8" },
    { "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
      "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083" },
};

static void the_signatures_of_rfc_6979_come_out(void **state)
{
    uint8_t d[LEN], hash[LEN], expected[2 * LEN], signature[2 * LEN];

    (void)state;
    bytes_of(d, SAMPLE_KEY);
    for (size_t i = 0; i < COUNT(rfc6979); i++) {
        bytes_of(hash, rfc6979[i].hash);
        bytes_of(expected, rfc6979[i].r);
        bytes_of(expected + LEN, rfc6979[i].s);
        assert_true(curves_ecdsa_sign(signature, d, hash, NULL, 0));
        assert_memory_equal(signature, expected, sizeof(expected));
    }
}

static void every_edge_without_fresh_bytes_is_as_mbedtlss(void **state)
{
    static const char *const keys[] = { "1", "2", N_LESS1, "0", N, N_MORE1, ONES, "-1", MORE };
    static const char *const hashes[] = { "0", "1", N_LESS1, N, N_MORE1, ONES };
    uint8_t                  hash[LEN];

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        use_key(MBEDTLS_ECP_DP_SECP256R1, keys[i]);
        for (size_t j = 0; j < COUNT(hashes); j++) {
            bytes_of(hash, hashes[j]);
            assert_int_equal(sign_without_fresh_bytes(hash), i < 3);
        }
    }
}

static void random_signatures_without_fresh_bytes_are_mbedtlss(void **state)
{
    uint8_t hash[LEN], d[LEN];

    (void)state;
    for (size_t i = both_cases(USUAL_CASES); i > 0; i--) {
        both_bytes(d, LEN);
        both_bytes(hash, LEN);
        assert_int_equal(mbedtls_mpi_read_binary(&key.d, d, LEN), 0);
        sign_without_fresh_bytes(hash);
    }
}

/* mbedTLS's generator is that of the RFC as well, and goes on where a draw won't do. */
static void every_further_nonce_is_the_rfcs(void **state)
{
    uint8_t                   seed[2 * LEN + CURVES_FRESH_LEN], ours[LEN], theirs[LEN];
    struct nonce              nonce;
    mbedtls_hmac_drbg_context drbg;

    (void)state;
    for (size_t fresh_len = 0; fresh_len <= CURVES_FRESH_LEN; fresh_len++) {
        both_bytes(seed, sizeof(seed));
        seed[LEN] &= 0x7f; /* a hash below n */
        mbedtls_hmac_drbg_init(&drbg);
        assert_int_equal(mbedtls_hmac_drbg_seed_buf(&drbg,
                                                    mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
                                                    seed, 2 * LEN + fresh_len),
                         0);
        nonce_start(&nonce, seed, seed + LEN, seed + 2 * LEN, fresh_len);
        for (int i = 0; i < 4; i++) {
            draw(&nonce, LEN, ours);
            assert_int_equal(mbedtls_hmac_drbg_random(&drbg, theirs, LEN), 0);
            assert_memory_equal(ours, theirs, LEN);
        }
        mbedtls_hmac_drbg_free(&drbg);
    }
}

/* --- With fresh bytes */

static bool is_good(const struct written *written, const uint8_t hash[LEN])
{
    bool good;

    curves_states[CURVES_P256].on = false;
    good = mbedtls_ecdsa_read_signature(&key, hash, LEN, written->der, written->len) == 0;
    curves_states[CURVES_P256].on = true;
    return good;
}

static void a_signature_with_fresh_bytes_is_good_and_never_the_same(void **state)
{
    uint8_t hash[LEN];

    (void)state;
    for (size_t i = both_cases(USUAL_CASES) / 6; i > 0; i--) {
        unsigned long  before = ecdsa->calls;
        struct written one, other, again, without;

        both_bytes(hash, LEN);
        one = sign(true, MBEDTLS_MD_SHA256, hash, LEN, DER_MAX, i);
        other = sign(true, MBEDTLS_MD_SHA256, hash, LEN, DER_MAX, i + 1000000);
        again = sign(true, MBEDTLS_MD_SHA256, hash, LEN, DER_MAX, i);
        without = sign(false, MBEDTLS_MD_SHA256, hash, LEN, DER_MAX, i);
        assert_true(ecdsa->calls == before + 3);
        assert_same(&one, &again); /* nothing else that changes is in it */
        assert_true(is_good(&one, hash) && is_good(&other, hash));
        assert_memory_not_equal(one.der, other.der, LEN);
        assert_memory_not_equal(one.der, without.der, LEN);
        hash[31] ^= 1;
        assert_false(is_good(&one, hash));
    }
}

/* Of a generator that always gives the same: another hash has another nonce, so another r. */
static void a_generator_that_stands_still_betrays_nothing(void **state)
{
    uint8_t hash[LEN] = { 0 };
    uint8_t rs[2][2 * LEN];
    size_t  len;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct written written;

        hash[LEN - 1] = (uint8_t)i;
        written = sign(true, MBEDTLS_MD_SHA256, hash, LEN, DER_MAX, 7);
        assert_int_equal(
            mbedtls_ecdsa_der_to_raw(BITS, written.der, written.len, rs[i], sizeof(rs[i]), &len),
            0);
    }
    assert_memory_not_equal(rs[0], rs[1], LEN);
}

static int fail_to_draw(void *context, unsigned char *out, size_t len)
{
    (void)context;
    (void)len;
    out[0] ^= 1; /* and whatever was there else */
    return GENERATOR_FAILS;
}

static void a_generator_that_fails_makes_no_signature(void **state)
{
    uint8_t hash[LEN] = { 1 }, der[DER_MAX] = { 0 }, nothing[DER_MAX] = { 0 };
    size_t  len = 0;

    (void)state;
    assert_int_equal(mbedtls_ecdsa_write_signature(&key, MBEDTLS_MD_SHA256, hash, LEN, der,
                                                   sizeof(der), &len, fail_to_draw, NULL),
                     GENERATOR_FAILS);
    assert_memory_equal(der, nothing, sizeof(der));
    assert_int_equal(len, 0);
}

static void without_a_generator_it_is_as_mbedtls_has_it(void **state)
{
    unsigned long before = ecdsa->calls;
    uint8_t       hash[LEN] = { 1 }, der[DER_MAX];
    size_t        len = 0;
    int           with, without;

    (void)state;
    with = mbedtls_ecdsa_write_signature(&key, MBEDTLS_MD_SHA256, hash, LEN, der, sizeof(der), &len,
                                         NULL, NULL);
    ecdsa->on = false;
    without = mbedtls_ecdsa_write_signature(&key, MBEDTLS_MD_SHA256, hash, LEN, der, sizeof(der),
                                            &len, NULL, NULL);
    ecdsa->on = true;
    assert_int_equal(with, without);
    assert_true(ecdsa->calls == before);
}

/* --- Buffers */

static void a_buffer_that_is_too_small_is_refused_and_not_overrun(void **state)
{
    uint8_t        hash[LEN] = { 2 };
    struct written whole;

    (void)state;
    whole = sign(true, MBEDTLS_MD_SHA256, hash, LEN, DER_MAX, 3);
    assert_int_equal(whole.status, 0);
    for (size_t size = 0; size <= whole.len; size++) {
        struct written cut = sign(true, MBEDTLS_MD_SHA256, hash, LEN, size, 3);

        if (size == whole.len) {
            assert_same(&cut, &whole);
        } else if (cut.status != 0) {
            assert_int_equal(cut.status, MBEDTLS_ERR_ECP_BUFFER_TOO_SMALL);
        } else { /* mbedTLS's own, which may be a byte shorter */
            assert_true(cut.len <= size && is_good(&cut, hash));
        }
    }
}

/* --- What passes through */

static void other_hashes_are_mbedtlss(void **state)
{
    uint8_t hash[64];

    (void)state;
    both_bytes(hash, sizeof(hash));
    for (size_t len = 0; len <= sizeof(hash); len++)
        if (len != LEN)
            assert_passes_through(MBEDTLS_MD_SHA256, hash, len);
    assert_passes_through(MBEDTLS_MD_SHA384, hash, 48);
    assert_passes_through(MBEDTLS_MD_SHA512, hash, 64);
    assert_passes_through(MBEDTLS_MD_SHA512, hash, LEN);
    assert_passes_through(MBEDTLS_MD_NONE, hash, LEN);
}

static void other_curves_are_mbedtlss(void **state)
{
    static const mbedtls_ecp_group_id others[] = { MBEDTLS_ECP_DP_SECP384R1,
                                                   MBEDTLS_ECP_DP_SECP521R1,
                                                   MBEDTLS_ECP_DP_SECP256K1,
                                                   MBEDTLS_ECP_DP_BP256R1 };
    uint8_t                           hash[LEN];

    (void)state;
    both_bytes(hash, sizeof(hash));
    for (size_t i = 0; i < COUNT(others); i++) {
        use_key(others[i], SAMPLE_KEY);
        assert_passes_through(MBEDTLS_MD_SHA256, hash, LEN);
    }
}

static void keys_that_are_none_are_refused_as_by_mbedtls(void **state)
{
    static const char *const keys[] = { "0", N, N_MORE1, ONES, "-1", NEGATIVE, MORE };
    uint8_t                  hash[LEN];

    (void)state;
    both_bytes(hash, sizeof(hash));
    for (size_t i = 0; i < COUNT(keys); i++) {
        use_key(MBEDTLS_ECP_DP_SECP256R1, keys[i]);
        assert_int_not_equal(sign(true, MBEDTLS_MD_SHA256, hash, LEN, DER_MAX, 1).status, 0);
        assert_passes_through(MBEDTLS_MD_SHA256, hash, LEN);
    }
}

/* As a handshake asks: by way of pk, which alone knows what kind of key it has. */
static void an_rsa_key_is_mbedtlss(void **state)
{
    uint8_t            hash[LEN] = { 3 }, signature[256];
    unsigned long      before = ecdsa->calls;
    uint64_t           fresh = 1;
    mbedtls_pk_context pk;
    size_t             len;

    (void)state;
    mbedtls_pk_init(&pk);
    assert_int_equal(mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)), 0);
    assert_int_equal(mbedtls_rsa_gen_key(mbedtls_pk_rsa(pk), both_draw, &fresh, 1024, 65537), 0);
    assert_int_equal(mbedtls_pk_sign(&pk, MBEDTLS_MD_SHA256, hash, LEN, signature,
                                     sizeof(signature), &len, both_draw, &fresh),
                     0);
    assert_int_equal(mbedtls_pk_verify(&pk, MBEDTLS_MD_SHA256, hash, LEN, signature, len), 0);
    mbedtls_pk_free(&pk);
    assert_true(ecdsa->calls == before);
}

/* Whose key nobody sees but PSA. */
static void an_opaque_key_is_mbedtlss(void **state)
{
    uint8_t              hash[LEN] = { 4 }, rs[2 * LEN], der[DER_MAX], d[LEN];
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    unsigned long        before = ecdsa->calls;
    mbedtls_svc_key_id_t id;
    size_t               len;

    (void)state;
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    bytes_of(d, SAMPLE_KEY);
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    assert_int_equal(psa_import_key(&attributes, d, LEN, &id), PSA_SUCCESS);
    assert_int_equal(
        psa_sign_hash(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), hash, LEN, rs, sizeof(rs), &len),
        PSA_SUCCESS);
    assert_int_equal(mbedtls_ecdsa_raw_to_der(BITS, rs, len, der, sizeof(der), &len), 0);
    assert_int_equal(mbedtls_ecdsa_read_signature(&key, hash, LEN, der, len), 0);
    assert_int_equal(psa_destroy_key(id), PSA_SUCCESS);
    mbedtls_psa_crypto_free();
    assert_true(ecdsa->calls == before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signatures_of_rfc_6979_come_out),
        cmocka_unit_test(every_edge_without_fresh_bytes_is_as_mbedtlss),
        cmocka_unit_test_setup(random_signatures_without_fresh_bytes_are_mbedtlss, use_sample_key),
        cmocka_unit_test(every_further_nonce_is_the_rfcs),
        cmocka_unit_test_setup(a_signature_with_fresh_bytes_is_good_and_never_the_same,
                               use_sample_key),
        cmocka_unit_test_setup(a_generator_that_stands_still_betrays_nothing, use_sample_key),
        cmocka_unit_test_setup(a_generator_that_fails_makes_no_signature, use_sample_key),
        cmocka_unit_test_setup(without_a_generator_it_is_as_mbedtls_has_it, use_sample_key),
        cmocka_unit_test_setup(a_buffer_that_is_too_small_is_refused_and_not_overrun,
                               use_sample_key),
        cmocka_unit_test_setup(other_hashes_are_mbedtlss, use_sample_key),
        cmocka_unit_test(other_curves_are_mbedtlss),
        cmocka_unit_test(keys_that_are_none_are_refused_as_by_mbedtls),
        cmocka_unit_test(an_rsa_key_is_mbedtlss),
        cmocka_unit_test_setup(an_opaque_key_is_mbedtlss, use_sample_key),
    };

    return cmocka_run_group_tests(tests, both_start, drop_key);
}

#else
#include "curves_stock.h"
#endif
