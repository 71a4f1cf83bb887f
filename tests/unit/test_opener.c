/*
 * opener: what a worker gets to read, and everything that it must not: nothing
 * but regular files, reached by the configuration's own patterns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "child.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/certopen.h"
#include "server/opener.h"

#define HOST  "mta-sts.example.org"
#define TOKEN "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"

static char           folder[] = "/tmp/test_opener.XXXXXX";
static struct config *config;

static void fail_on(void *context, enum config_severity severity, const char *file, unsigned line,
                    const char *text)
{
    (void)context;
    if (severity == CONFIG_ERROR)
        print_error("%s:%u: %s\n", file, line, text);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(name, 0644), 0);
}

/* The tests run in a folder of their own, and every path is relative to it but those in the
   configuration. */
static int make_folder(void **state)
{
    const uint8_t key[HASH_KEY_SIZE] = { 0 };
    char          text[1000];

    (void)state;
    if (!mkdtemp(folder) || chdir(folder) != 0 || mkdir("acme", 0755) != 0)
        return -1;
    snprintf(text, sizeof(text),
             "[server]\nlisten = 127.0.0.1:8443\nacme_dir = %s/acme\n"
             "[defaults]\nmode = testing\nmx = mail.example.org\n"
             "[example.org]\ncertificate = %s/%%h.pem\nkey = %s/%%d.key\n"
             "[example.net]\ncertificate = %s/both.pem\n"
             "[*]\ncertificate = %s/any-%%d.pem\n",
             folder, folder, folder, folder, folder);
    write_file("mta-stsd.ini", text);
    config = config_load("mta-stsd.ini", key, fail_on, NULL);
    return config ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    config_free(config);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    return system("find . -mindepth 1 -not -name mta-stsd.ini -not -name acme -delete");
}

static void assert_holds(int fd, const char *text)
{
    char    bytes[100];
    ssize_t len = read(fd, bytes, sizeof(bytes));

    assert_int_equal(len, strlen(text));
    assert_memory_equal(bytes, text, (size_t)len);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* Asks as a worker does; returns the answer's error. */
static int ask_bytes(enum message_kind kind, const char *name, size_t len, enum message_step step,
                     int fds[2])
{
    struct message request, answer;
    size_t         count;

    message_init(&request, kind, 77);
    assert_true(message_set_name(&request, name, len));
    fds[0] = fds[1] = -1;
    opener_answer(config, &request, &answer, fds, &count);
    assert_int_equal(answer.kind, MESSAGE_ANSWER);
    assert_int_equal(answer.number, 77);
    assert_int_equal(answer.name_len, 0);
    assert_int_equal(answer.step, step);
    assert_int_equal(answer.error == 0, count > 0);
    assert_int_equal(answer.error != 0, step != MESSAGE_STEP_NONE);
    return answer.error;
}

static int ask(enum message_kind kind, const char *name, enum message_step step, int fds[2])
{
    return ask_bytes(kind, name, strlen(name), step, fds);
}

static void a_certificate_and_its_key_are_opened(void **state)
{
    int fds[2];

    (void)state;
    write_file(HOST ".pem", "certificate");
    write_file("example.org.key", "key");
    assert_int_equal(chmod("example.org.key", 0600), 0);
    assert_int_equal(ask(MESSAGE_CERTIFICATE, HOST, MESSAGE_STEP_NONE, fds), 0);
    assert_holds(fds[0], "certificate");
    assert_holds(fds[1], "key");
    close(fds[0]);
    close(fds[1]);
}

static void without_a_key_of_its_own_one_file_is_opened(void **state)
{
    struct message request, answer;
    int            fds[2];
    size_t         count;

    (void)state;
    write_file("both.pem", "both");
    message_init(&request, MESSAGE_CERTIFICATE, 1);
    assert_true(message_set_name(&request, "mta-sts.example.net", 19));
    opener_answer(config, &request, &answer, fds, &count);
    assert_int_equal(answer.error, 0);
    assert_int_equal(count, 1);
    assert_holds(fds[0], "both");
    close(fds[0]);
}

static void links_to_a_certificate_are_followed(void **state)
{
    int fds[2];

    (void)state;
    write_file("archive1.pem", "certificate");
    write_file("archive1.key", "key");
    assert_int_equal(symlink("archive1.pem", HOST ".pem"), 0);
    assert_int_equal(symlink("archive1.key", "example.org.key"), 0);
    assert_int_equal(ask(MESSAGE_CERTIFICATE, HOST, MESSAGE_STEP_NONE, fds), 0);
    assert_holds(fds[0], "certificate");
    close(fds[0]);
    close(fds[1]);
}

static void the_answer_says_which_file_failed_and_why(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(ask(MESSAGE_CERTIFICATE, HOST, MESSAGE_STEP_CERTIFICATE, fds), ENOENT);
    write_file(HOST ".pem", "certificate");
    assert_int_equal(ask(MESSAGE_CERTIFICATE, HOST, MESSAGE_STEP_KEY, fds), ENOENT);
    assert_int_equal(mkdir("example.org.key", 0755), 0);
    assert_int_equal(ask(MESSAGE_CERTIFICATE, HOST, MESSAGE_STEP_KEY, fds), EINVAL);
}

static void nothing_but_a_regular_file_is_opened_and_nothing_blocks(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(mkfifo(HOST ".pem", 0644), 0);
    assert_int_equal(ask(MESSAGE_CERTIFICATE, HOST, MESSAGE_STEP_CERTIFICATE, fds), EINVAL);
    assert_int_equal(unlink(HOST ".pem"), 0);
    assert_int_equal(symlink("/dev/zero", HOST ".pem"), 0);
    assert_int_equal(ask(MESSAGE_CERTIFICATE, HOST, MESSAGE_STEP_CERTIFICATE, fds), EINVAL);
    assert_int_equal(mkfifo("acme/" TOKEN, 0644), 0);
    assert_int_equal(ask(MESSAGE_TOKEN, TOKEN, MESSAGE_STEP_TOKEN, fds), EINVAL);
}

static void whatever_a_worker_asks_for_only_known_names_are_opened(void **state)
{
    static const char *const names[] = {
        "mta-sts.example.org.",
        "MTA-STS.example.org",
        "example.org",
        "mta-sts.",
        "..",
        "/",
        "../mta-sts.example.org",
        "mta-sts.a/b.example",
        "mta-sts.%d.example",
        "mta-sts.example",
        " mta-sts.example.org",
        "mta-sts.example.org\n",
        "mta-sts.ex\xc3\xa4mple.org",
    };
    int fds[2];

    (void)state;
    write_file(HOST ".pem", "certificate");
    write_file("example.org.key", "key");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(ask(MESSAGE_CERTIFICATE, names[i], MESSAGE_STEP_NAME, fds), ENOENT);
    assert_int_equal(ask(MESSAGE_UP, "", MESSAGE_STEP_NAME, fds), EINVAL);
    assert_int_equal(ask(MESSAGE_GO, HOST, MESSAGE_STEP_NAME, fds), EINVAL);
}

static void any_domain_leads_to_a_file_of_its_own_name(void **state)
{
    struct message request, answer;
    int            fds[2];
    size_t         count;

    (void)state;
    write_file("any-other.example.pem", "any");
    message_init(&request, MESSAGE_CERTIFICATE, 1);
    assert_true(message_set_name(&request, "mta-sts.other.example", 21));
    opener_answer(config, &request, &answer, fds, &count);
    assert_int_equal(answer.error, 0);
    assert_holds(fds[0], "any");
    close(fds[0]);
}

static void the_failed_file_is_named_with_its_path(void **state)
{
    struct config_match match;
    enum certopen_file  failed;
    char                path[CONFIG_PATH_MAX + 1], expected[100];
    int                 fds[2];

    (void)state;
    assert_true(config_find_host(config, HOST, strlen(HOST), &match));
    assert_int_equal(certopen(match.policy, match.domain, match.domain_len, fds, &failed), -1);
    assert_int_equal(failed, CERTOPEN_CERTIFICATE);
    certopen_path(match.policy, failed, match.domain, match.domain_len, path);
    snprintf(expected, sizeof(expected), "%s/" HOST ".pem", folder);
    assert_string_equal(path, expected);
    write_file(HOST ".pem", "certificate");
    assert_int_equal(certopen(match.policy, match.domain, match.domain_len, fds, &failed), -1);
    assert_int_equal(failed, CERTOPEN_KEY);
    assert_int_equal(fds[0], -1);
    certopen_path(match.policy, failed, match.domain, match.domain_len, path);
    snprintf(expected, sizeof(expected), "%s/example.org.key", folder);
    assert_string_equal(path, expected);
}

static void a_token_file_is_opened(void **state)
{
    int fds[2];

    (void)state;
    write_file("acme/" TOKEN, TOKEN ".thumbprint\n");
    assert_int_equal(ask(MESSAGE_TOKEN, TOKEN, MESSAGE_STEP_NONE, fds), 0);
    assert_holds(fds[0], TOKEN ".thumbprint\n");
    close(fds[0]);
    assert_int_equal(ask(MESSAGE_TOKEN, "absent", MESSAGE_STEP_TOKEN, fds), ENOENT);
}

static void a_token_file_that_may_be_somebodys_secret_is_refused(void **state)
{
    char large[OPENER_TOKEN_FILE_MAX + 2];
    int  fds[2];

    (void)state;
    write_file("secret", "secret");
    assert_int_equal(symlink("../secret", "acme/soft"), 0);
    assert_int_equal(ask(MESSAGE_TOKEN, "soft", MESSAGE_STEP_TOKEN, fds), ELOOP);
    assert_int_equal(link("secret", "acme/hard"), 0);
    assert_int_equal(ask(MESSAGE_TOKEN, "hard", MESSAGE_STEP_TOKEN, fds), EMLINK);
    write_file("acme/private", "private");
    assert_int_equal(chmod("acme/private", 0640), 0);
    assert_int_equal(ask(MESSAGE_TOKEN, "private", MESSAGE_STEP_TOKEN, fds), EACCES);
    memset(large, 'x', sizeof(large));
    large[sizeof(large) - 1] = '\0';
    write_file("acme/large", large);
    assert_int_equal(ask(MESSAGE_TOKEN, "large", MESSAGE_STEP_TOKEN, fds), EFBIG);
    assert_int_equal(truncate("acme/large", OPENER_TOKEN_FILE_MAX), 0);
    assert_int_equal(ask(MESSAGE_TOKEN, "large", MESSAGE_STEP_NONE, fds), 0);
    close(fds[0]);
    assert_int_equal(mkdir("acme/folder", 0755), 0);
    assert_int_equal(ask(MESSAGE_TOKEN, "folder", MESSAGE_STEP_TOKEN, fds), EINVAL);
}

/* --- Links below the webroot. The same through openat2 and through the walk without it. */

static struct config_server webroot = { .acme_dir = "webroot",
                                        .acme_below = CONFIG_ACME_BELOW_WEBROOT };

static void check_token(const char *token, int error)
{
    int lowest = dup(STDERR_FILENO), fd, next;

    close(lowest);
    errno = 0;
    fd = opener_token(&webroot, token, strlen(token));
    CHECK((fd >= 0) == (error == 0) && (fd >= 0 || errno == error));
    if (fd >= 0)
        close(fd);
    next = dup(STDERR_FILENO);
    CHECK(next == lowest); /* no directory stays open */
    close(next);
}

static void check_links(void)
{
    CHECK(mkdir("private", 0700) == 0 && mkdir("private/acme-challenge", 0755) == 0);
    write_file("private/acme-challenge/token", "secret");
    CHECK(mkdir("webroot", 0755) == 0);
    check_token("token", ENOENT);
    CHECK(symlink("../private", "webroot/.well-known") == 0);
    check_token("token", ELOOP);
    CHECK(unlink("webroot/.well-known") == 0);
    write_file("webroot/.well-known", "a file");
    check_token("token", ENOTDIR);
    CHECK(unlink("webroot/.well-known") == 0 && mkdir("webroot/.well-known", 0755) == 0);
    CHECK(symlink("../../private/acme-challenge", "webroot/" CONFIG_ACME_BELOW_WEBROOT) == 0);
    check_token("token", ELOOP);
    CHECK(unlink("webroot/" CONFIG_ACME_BELOW_WEBROOT) == 0);
    CHECK(symlink("/proc/self", "webroot/" CONFIG_ACME_BELOW_WEBROOT) == 0);
    check_token("maps", ELOOP);
    CHECK(unlink("webroot/" CONFIG_ACME_BELOW_WEBROOT) == 0);
    CHECK(mkdir("webroot/" CONFIG_ACME_BELOW_WEBROOT, 0755) == 0);
    check_token("token", ENOENT);
    write_file("webroot/" CONFIG_ACME_BELOW_WEBROOT "/token", "token");
    check_token("token", 0);
    CHECK(symlink("token", "webroot/" CONFIG_ACME_BELOW_WEBROOT "/link") == 0);
    check_token("link", ELOOP);
    CHECK(rename("webroot", "moved") == 0 && symlink("moved", "webroot") == 0);
    check_token("token", 0);
}

static void check_links_without_openat2(void)
{
    child_refuse(SYS_openat2, ENOSYS, -1);
    check_links();
}

static void check_links_with_openat2_forbidden(void)
{
    child_refuse(SYS_openat2, EPERM, -1);
    check_links();
}

static void links_are_followed_to_the_webroot_and_not_below(void **state)
{
    (void)state;
    assert_child_passes(check_links);
}

static void without_openat2_links_are_not_followed_either(void **state)
{
    (void)state;
    assert_child_passes(check_links_without_openat2);
    clean(NULL);
    assert_child_passes(check_links_with_openat2_forbidden);
}

static void assert_judged(const char *expected)
{
    char text[OPENER_TEXT_MAX] = "";

    assert_int_equal(opener_judge_acme(&webroot, text), expected == NULL);
    if (expected != NULL)
        assert_string_equal(text, expected);
}

static void what_keeps_tokens_from_being_found_is_told(void **state)
{
    struct config_server none = { .acme_dir = NULL };

    (void)state;
    assert_true(opener_judge_acme(&none, NULL));
    assert_judged("acme_webroot = webroot: No such file or directory");
    assert_int_equal(mkdir("webroot", 0755), 0);
    assert_judged(NULL); /* an ACME client makes the rest */
    assert_int_equal(symlink("/proc", "webroot/.well-known"), 0);
    assert_judged("webroot/.well-known is a symbolic link, and links below acme_webroot are not "
                  "followed: set acme_dir to the directory that the link leads to");
    assert_int_equal(unlink("webroot/.well-known"), 0);
    assert_int_equal(mkdir("webroot/.well-known", 0755), 0);
    assert_judged(NULL);
    assert_int_equal(symlink("..", "webroot/.well-known/acme-challenge"), 0);
    assert_judged("webroot/.well-known/acme-challenge is a symbolic link, and links below "
                  "acme_webroot are not followed: set acme_dir to the directory that the link "
                  "leads to");
    webroot.acme_below = "";
    assert_judged(NULL);
    assert_int_equal(system("rm -r webroot && touch webroot"), 0);
    assert_judged("acme_dir = webroot: Not a directory");
    webroot.acme_below = CONFIG_ACME_BELOW_WEBROOT;
}

static void the_token_folder_may_come_and_go(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(rmdir("acme"), 0);
    assert_int_equal(ask(MESSAGE_TOKEN, TOKEN, MESSAGE_STEP_TOKEN, fds), ENOENT);
    assert_int_equal(mkdir("acme", 0755), 0);
    write_file("acme/" TOKEN, "x");
    assert_int_equal(ask(MESSAGE_TOKEN, TOKEN, MESSAGE_STEP_NONE, fds), 0);
    close(fds[0]);
}

static void only_base64url_is_a_token(void **state)
{
    char token[OPENER_TOKEN_MAX + 1];
    int  fds[2];

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char text[3] = { 'a', (char)byte, 'b' };
        bool good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                    (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';

        assert_int_equal(opener_token_valid(text, 3), good);
        if (!good)
            assert_int_equal(ask_bytes(MESSAGE_TOKEN, text, 3, MESSAGE_STEP_TOKEN, fds), EINVAL);
    }
    memset(token, 'a', sizeof(token));
    assert_true(opener_token_valid(token, OPENER_TOKEN_MAX));
    assert_false(opener_token_valid(token, OPENER_TOKEN_MAX + 1));
    assert_false(opener_token_valid(token, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_certificate_and_its_key_are_opened, clean),
        cmocka_unit_test_teardown(without_a_key_of_its_own_one_file_is_opened, clean),
        cmocka_unit_test_teardown(links_to_a_certificate_are_followed, clean),
        cmocka_unit_test_teardown(the_answer_says_which_file_failed_and_why, clean),
        cmocka_unit_test_teardown(nothing_but_a_regular_file_is_opened_and_nothing_blocks, clean),
        cmocka_unit_test_teardown(whatever_a_worker_asks_for_only_known_names_are_opened, clean),
        cmocka_unit_test_teardown(any_domain_leads_to_a_file_of_its_own_name, clean),
        cmocka_unit_test_teardown(the_failed_file_is_named_with_its_path, clean),
        cmocka_unit_test_teardown(a_token_file_is_opened, clean),
        cmocka_unit_test_teardown(a_token_file_that_may_be_somebodys_secret_is_refused, clean),
        cmocka_unit_test_teardown(links_are_followed_to_the_webroot_and_not_below, clean),
        cmocka_unit_test_teardown(without_openat2_links_are_not_followed_either, clean),
        cmocka_unit_test_teardown(what_keeps_tokens_from_being_found_is_told, clean),
        cmocka_unit_test_teardown(the_token_folder_may_come_and_go, clean),
        cmocka_unit_test_teardown(only_base64url_is_a_token, clean),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
