/*
 * certpair, certfile and pem: which pairs are proved, what is told about them, and that
 * nothing half written is taken. The certificates are pki/make.sh's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/certpair.h"

#define PKI  "tests/unit/pki/"
#define HOST "mta-sts.example.org"
enum { DAY = 86400, ALL_MAX = 2 * CERTPAIR_FILE_MAX };

static char error[CERTPAIR_ERROR_MAX];

static size_t append_file(char *bytes, size_t len, const char *name)
{
    char    path[128];
    int     fd;
    ssize_t got;

    snprintf(path, sizeof(path), PKI "%s", name);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    got = read(fd, bytes + len, ALL_MAX - len);
    assert_true(got > 0);
    close(fd);
    return len + (size_t)got;
}

static int fd_of_bytes(const char *bytes, size_t len)
{
    int fd = memfd_create("certpair", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(fchmod(fd, 0600), 0);
    return fd;
}

/* A file that holds the named ones, blank-separated, one after the other. */
static int fd_of(const char *names)
{
    static char all[ALL_MAX];
    char        list[256];
    size_t      len = 0;
    char       *rest;

    snprintf(list, sizeof(list), "%s", names);
    for (char *name = strtok_r(list, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
        len = append_file(all, len, name);
    return fd_of_bytes(all, len);
}

/* keys NULL: in the certificates' file. */
static struct certpair *load_for(const char *host, const char *certificates, const char *keys)
{
    int              certificate_fd = fd_of(certificates), key_fd = keys ? fd_of(keys) : -1;
    struct certpair *pair;

    error[0] = '\0';
    pair = certpair_load(certificate_fd, key_fd, host, error);
    assert_true((pair == NULL) == (error[0] != '\0'));
    close(certificate_fd);
    if (key_fd >= 0)
        close(key_fd);
    return pair;
}

static struct certpair *load(const char *certificates, const char *keys)
{
    struct certpair *pair = load_for(HOST, certificates, keys);

    if (!pair)
        print_error("%s\n", error);
    assert_non_null(pair);
    return pair;
}

static void assert_refused_for(const char *host, const char *certificates, const char *keys,
                               const char *why)
{
    struct certpair *pair = load_for(host, certificates, keys);

    assert_null(pair);
    if (!strstr(error, why))
        fail_msg("\"%s\" does not say \"%s\"", error, why);
}

static void assert_refused(const char *certificates, const char *keys, const char *why)
{
    assert_refused_for(HOST, certificates, keys, why);
}

static void assert_taken(const char *certificates, const char *keys, const char *kind,
                         unsigned findings)
{
    struct certpair *pair = load(certificates, keys);

    assert_string_equal(certpair_kind(pair), kind);
    assert_int_equal(certpair_findings(pair, certpair_not_after(pair) - 365 * DAY), findings);
    certpair_unref(pair);
}

static void pairs_of_each_kind_are_taken(void **state)
{
    (void)state;
    assert_taken("leaf.pem intermediate.pem", "leaf.key", "ECDSA P-256", 0);
    assert_taken("leaf.pem intermediate.pem root.pem", "leaf.key", "ECDSA P-256", 0);
    assert_taken("p384.pem", "p384.key", "ECDSA P-384", 0);
    assert_taken("p521.pem", "p521.key", "ECDSA P-521", 0);
    assert_taken("rsa2048.pem", "rsa2048.key", "RSA 2048", 0);
    assert_taken("plain.pem", "plain.key", "ECDSA P-256", 0);
    assert_taken("selfca.pem", "selfca.key", "ECDSA P-256", 0);
}

static void the_key_may_be_in_the_certificates_file(void **state)
{
    (void)state;
    assert_taken("leaf.key leaf.pem intermediate.pem", NULL, "ECDSA P-256", 0);
    assert_taken("leaf.pem intermediate.pem sec1.key", NULL, "ECDSA P-256", 0);
    assert_refused("leaf.pem", NULL, "holds no private key, and the configuration names no other");
    assert_refused("leaf.pem leaf.key other.key", NULL, "second key");
}

static void what_else_is_in_a_file_is_let_be(void **state)
{
    (void)state;
    assert_taken("text.pem", "leaf.key", "ECDSA P-256", 0);
    assert_taken("leaf.pem other.key intermediate.pem", "sec1.key", "ECDSA P-256", 0);
    assert_taken("leaf.pem intermediate.pem", "other.pem leaf.key", "ECDSA P-256", 0);
}

static void a_certificate_that_does_not_cover_the_host_is_refused(void **state)
{
    (void)state;
    assert_refused("other.pem", "other.key", "does not cover " HOST ", only mta-sts.example.net");
    assert_refused("deep.pem", "deep.key", "only *.org, *.sub.example.org");
    assert_refused("nosan.pem", "nosan.key", "no subjectAltName");
    assert_refused("ip.pem", "ip.key", "does not cover " HOST);
    assert_refused("other.pem leaf.pem", "other.key", "that is number 2");
    assert_refused_for("www.sub.sub.example.org", "wildcard.pem", "wildcard.key", "does not cover");
    assert_taken("wildcard.pem", "wildcard.key", "ECDSA P-256", 0);
    assert_taken("upper.pem", "upper.key", "ECDSA P-256", 0);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    (void)state;
    assert_refused("leaf.pem intermediate.pem", "other.key", "the key is not the certificate's");
    assert_refused("leaf.pem intermediate.pem", "rsa2048.key", "the key is not the certificate's");
    assert_refused("intermediate.pem leaf.pem", "leaf.key", "begin with another certificate?");
    assert_refused("leaf.pem", "mixed.key", "the key is not the certificate's");
}

static void a_kind_that_cannot_be_served_is_refused_by_its_name(void **state)
{
    (void)state;
    assert_refused("ed25519.pem", "ed25519.key", "Ed25519 can't be served");
    assert_refused("ed448.pem", "ed448.key", "Ed448 can't be served");
    assert_refused("dsa.pem", "dsa.key", "DSA can't be served");
    assert_refused("leaf.pem", "ed25519.key", "key file: Ed25519 can't be served");
    assert_refused("leaf.pem", "dsa.key", "key file: DSA can't be served");
    assert_refused("k256.pem", "k256.key", "a curve that senders don't know");
    assert_refused("rsa512.pem", "rsa512.key", "too short");
}

static void a_certificate_for_another_use_is_refused(void **state)
{
    (void)state;
    assert_refused("client.pem", "client.key", "does not allow serverAuth");
    assert_refused("encipher.pem", "encipher.key", "does not allow digitalSignature");
}

static void files_that_are_no_pem_pair_are_refused_by_what_they_are(void **state)
{
    (void)state;
    assert_refused("leaf.der", "leaf.key", "certificate file: is DER or PKCS #12: PEM is expected");
    assert_refused("leaf.pem", "leaf.der", "key file: is DER");
    assert_refused("leaf.pem", "encrypted.key", "key file: the key is encrypted");
    assert_refused("leaf.pem", "encrypted-sec1.key", "key file: the key is encrypted");
    assert_refused("trusted.pem", "leaf.key", "CERTIFICATE or PRIVATE KEY is expected");
    assert_refused("leaf.key", "leaf.key", "certificate file: holds no certificate");
    assert_refused("leaf.pem", "leaf.pem", "key file: holds no private key");
    assert_refused("", "leaf.key", "certificate file: is empty");
    assert_refused("leaf.pem", "", "key file: is empty");
}

static void assert_bytes_refused(const char *bytes, size_t len, const char *why)
{
    int              fd = fd_of_bytes(bytes, len);
    struct certpair *pair = certpair_load(fd, -1, HOST, error);

    assert_null(pair);
    if (!strstr(error, why))
        fail_msg("\"%s\" does not say \"%s\"", error, why);
    close(fd);
}

/* Whatever the reason: here a folder, which has a size and no bytes. */
static void a_file_that_cannot_be_read_is_refused(void **state)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY);

    (void)state;
    assert_true(fd >= 0);
    assert_null(certpair_load(fd, -1, HOST, error));
    assert_string_equal(error, "certificate file: can't be read: Is a directory");
    close(fd);
}

static void a_file_over_the_limit_is_refused(void **state)
{
    static char all[ALL_MAX];
    size_t      len = append_file(all, append_file(all, 0, "leaf.key"), "leaf.pem");
    int         fd;

    (void)state;
    memset(all + len, '\n', ALL_MAX - len);
    assert_bytes_refused(all, CERTPAIR_FILE_MAX + 1, "has more than 131072 bytes");
    fd = fd_of_bytes(all, CERTPAIR_FILE_MAX);
    certpair_unref(certpair_load(fd, -1, HOST, error));
    close(fd);
}

/* Cut where a block ends, it is a whole file that holds less; anywhere else, it is refused. */
static void a_file_cut_anywhere_inside_a_block_is_refused(void **state)
{
    static char all[ALL_MAX];
    size_t      key = append_file(all, 0, "sec1.key"), leaf = append_file(all, key, "leaf.pem");
    size_t      len = append_file(all, leaf, "intermediate.pem");

    (void)state;
    for (size_t cut = 0; cut <= len; cut++) {
        int              fd = fd_of_bytes(all, cut);
        struct certpair *pair = certpair_load(fd, -1, HOST, error);
        bool lone = cut == leaf || cut == leaf - 1, whole = cut == len || cut == len - 1;

        if ((pair != NULL) != (lone || whole))
            fail_msg("cut after %zu of %zu bytes: %s", cut, len, pair ? "taken" : error);
        if (pair)
            assert_int_equal(certpair_findings(pair, certpair_not_after(pair) - 365 * DAY),
                             lone ? CERTPAIR_NO_INTERMEDIATE : 0);
        certpair_unref(pair);
        close(fd);
    }
}

/* As a file system leaves it after a crash, or a writer that reserves first. */
static void a_file_with_a_hole_is_refused(void **state)
{
    static char all[ALL_MAX];
    size_t      len = append_file(all, append_file(all, 0, "leaf.key"), "leaf.pem");

    (void)state;
    memset(all + len / 2, 0, len - len / 2);
    assert_bytes_refused(all, len, "NUL bytes");
}

static void damage_inside_a_block_is_refused(void **state)
{
    static char all[ALL_MAX];
    size_t      leaf = append_file(all, 0, "leaf.key"), len = append_file(all, leaf, "leaf.pem");
    size_t      whole = append_file(all, len, "intermediate.pem");

    (void)state;
    all[len + 200] = '!';
    assert_bytes_refused(all, whole, "can't be read");
    memcpy(all + len + 28 + 2 * 65, "-----END", 8); /* the third line of base64 */
    assert_bytes_refused(all, whole, "is broken");
    all[len] = ' '; /* an indented BEGIN, as YAML makes them */
    assert_bytes_refused(all, whole, "no whole BEGIN or END line");
}

static void windows_line_ends_and_no_last_line_feed_are_fine(void **state)
{
    static char      all[ALL_MAX], crlf[ALL_MAX];
    size_t           len = append_file(all, append_file(all, 0, "leaf.key"), "leaf.pem"), out = 0;
    int              fd;
    struct certpair *pair;

    (void)state;
    for (size_t i = 0; i < len - 1; i++) {
        if (all[i] == '\n')
            crlf[out++] = '\r';
        crlf[out++] = all[i];
    }
    fd = fd_of_bytes(crlf, out);
    pair = certpair_load(fd, -1, HOST, error);
    assert_non_null(pair);
    certpair_unref(pair);
    close(fd);
}

static void the_descriptors_offset_is_neither_used_nor_moved(void **state)
{
    int              fd = fd_of("leaf.key leaf.pem");
    struct certpair *pair;

    (void)state;
    lseek(fd, 100, SEEK_SET);
    pair = certpair_load(fd, -1, HOST, error);
    assert_non_null(pair);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 100);
    certpair_unref(pair);
    close(fd);
}

static void assert_explained(const struct certpair *pair, time_t now, unsigned finding,
                             const char *text)
{
    char told[CERTPAIR_ERROR_MAX];

    assert_int_equal(certpair_findings(pair, now) & ~(unsigned)CERTPAIR_NO_INTERMEDIATE, finding);
    certpair_explain(pair, (enum certpair_finding)finding, now, "cert.pem", told, sizeof(told));
    assert_string_equal(told, text);
}

static void time_is_told(void **state)
{
    struct certpair *pair = load("leaf.pem", "leaf.key");
    time_t           end = certpair_not_after(pair);
    time_t           start = end - (time_t)36500 * DAY;

    (void)state;
    assert_explained(pair, end + 3 * DAY, CERTPAIR_EXPIRED, "the certificate expired 3 days ago");
    assert_explained(pair, end + 1, CERTPAIR_EXPIRED, "the certificate expired 1 second ago");
    assert_explained(pair, end, CERTPAIR_EXPIRES_SOON, "the certificate expires in 0 seconds");
    assert_explained(pair, end - 7199, CERTPAIR_EXPIRES_SOON, "the certificate expires in 1 hour");
    assert_explained(pair, end - 13 * DAY, CERTPAIR_EXPIRES_SOON,
                     "the certificate expires in 13 days");
    assert_int_equal(certpair_findings(pair, end - 14 * DAY), CERTPAIR_NO_INTERMEDIATE);
    assert_int_equal(certpair_findings(pair, start), CERTPAIR_NO_INTERMEDIATE);
    assert_explained(pair, start - 120, CERTPAIR_NOT_YET_VALID,
                     "the certificate is not valid for another 2 minutes: is the clock right?");
    certpair_unref(pair);
}

static void chains_that_senders_may_not_follow_are_told(void **state)
{
    struct certpair *pair;
    char             told[CERTPAIR_ERROR_MAX];

    (void)state;
    assert_taken("leaf.pem", "leaf.key", "ECDSA P-256", CERTPAIR_NO_INTERMEDIATE);
    assert_taken("leaf.pem root.pem", "leaf.key", "ECDSA P-256", CERTPAIR_OUT_OF_ORDER);
    assert_taken("leaf.pem leaf.pem", "leaf.key", "ECDSA P-256", CERTPAIR_OUT_OF_ORDER);
    pair = load("leaf.pem intermediate.pem other.pem", "leaf.key");
    certpair_explain(pair, CERTPAIR_OUT_OF_ORDER, 0, "/live/cert.pem", told, sizeof(told));
    assert_non_null(strstr(told, "certificate 3 of the file did not sign the one before it"));
    certpair_explain(pair, CERTPAIR_NO_INTERMEDIATE, 0, "/live/cert.pem", told, sizeof(told));
    assert_non_null(strstr(told, "did you mean fullchain.pem?"));
    certpair_explain(pair, CERTPAIR_NO_INTERMEDIATE, 0, "/fullchain/cert.pem", told, sizeof(told));
    assert_non_null(strstr(told, "did you mean fullchain.pem?"));
    certpair_explain(pair, CERTPAIR_NO_INTERMEDIATE, 0, "/live/fullchain.pem", told, sizeof(told));
    assert_string_equal(
        told, "the certificate file holds the leaf without its intermediate, though its name is "
              "fullchain.pem: append the CA's intermediate certificate, or issue it again");
    certpair_unref(pair);
}

static void weak_and_readable_keys_are_told(void **state)
{
    int certificate_fd = fd_of("leaf.pem intermediate.pem"), key_fd = fd_of("leaf.key");
    struct certpair *pair;
    char             told[CERTPAIR_ERROR_MAX];

    (void)state;
    assert_int_equal(fchmod(key_fd, 0644), 0);
    pair = certpair_load(certificate_fd, key_fd, HOST, error);
    assert_non_null(pair);
    assert_int_equal(certpair_findings(pair, certpair_not_after(pair) - 365 * DAY),
                     CERTPAIR_KEY_READABLE);
    certpair_explain(pair, CERTPAIR_KEY_READABLE, 0, "/live/cert.pem", told, sizeof(told));
    assert_string_equal(told, "everyone on this machine can read the key");
    certpair_unref(pair);
    assert_int_equal(fchmod(key_fd, 0640), 0);
    assert_int_equal(fchmod(certificate_fd, 0644), 0);
    pair = certpair_load(certificate_fd, key_fd, HOST, error);
    assert_int_equal(certpair_findings(pair, certpair_not_after(pair) - 365 * DAY), 0);
    certpair_unref(pair);
    close(certificate_fd);
    close(key_fd);
    assert_taken("rsa1024.pem", "rsa1024.key", "RSA 1024", CERTPAIR_WEAK_KEY);
}

static void a_reference_keeps_the_pair(void **state)
{
    struct certpair *pair = load("leaf.pem", "leaf.key");

    (void)state;
    assert_ptr_equal(certpair_ref(pair), pair);
    certpair_unref(pair);
    assert_non_null(certpair_chain(pair));
    assert_non_null(certpair_key(pair));
    assert_string_equal(certpair_kind(pair), "ECDSA P-256");
    certpair_unref(pair);
    certpair_unref(NULL);
}

static int start(void **state)
{
    (void)state;
    return certpair_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_of_each_kind_are_taken),
        cmocka_unit_test(the_key_may_be_in_the_certificates_file),
        cmocka_unit_test(what_else_is_in_a_file_is_let_be),
        cmocka_unit_test(a_certificate_that_does_not_cover_the_host_is_refused),
        cmocka_unit_test(a_key_of_another_certificate_is_refused),
        cmocka_unit_test(a_kind_that_cannot_be_served_is_refused_by_its_name),
        cmocka_unit_test(a_certificate_for_another_use_is_refused),
        cmocka_unit_test(files_that_are_no_pem_pair_are_refused_by_what_they_are),
        cmocka_unit_test(a_file_that_cannot_be_read_is_refused),
        cmocka_unit_test(a_file_over_the_limit_is_refused),
        cmocka_unit_test(a_file_cut_anywhere_inside_a_block_is_refused),
        cmocka_unit_test(a_file_with_a_hole_is_refused),
        cmocka_unit_test(damage_inside_a_block_is_refused),
        cmocka_unit_test(windows_line_ends_and_no_last_line_feed_are_fine),
        cmocka_unit_test(the_descriptors_offset_is_neither_used_nor_moved),
        cmocka_unit_test(time_is_told),
        cmocka_unit_test(chains_that_senders_may_not_follow_are_told),
        cmocka_unit_test(weak_and_readable_keys_are_told),
        cmocka_unit_test(a_reference_keeps_the_pair),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
