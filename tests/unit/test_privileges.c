/*
 * privileges: who a worker becomes, and that nothing is left of who it was. What
 * only root can do is skipped, visibly, for everybody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "server/privileges.h"

#ifdef __SANITIZE_ADDRESS__
static const int dumpable_when_hidden = 1; /* for LeakSanitizer */
#else
static const int dumpable_when_hidden = 0;
#endif

#ifdef SYS_mkdir
static const int mkdir_number = SYS_mkdir;
#else
static const int mkdir_number = SYS_mkdirat;
#endif

enum { SOMEBODY = 54321 }; /* in no passwd */

static char error[PRIVILEGES_ERROR_MAX];

static void as_root(void (*body)(void))
{
    if (geteuid() != 0)
        skip();
    assert_child_passes(body);
}

/* --- Capabilities, of this process */

static void capabilities_get(struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

    memset(data, 0xff, _LINUX_CAPABILITY_U32S_3 * sizeof(data[0]));
    CHECK(syscall(SYS_capget, &header, data) == 0);
}

static void capabilities_set(const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

    CHECK(syscall(SYS_capset, &header, data) == 0);
}

static void lose_capability(int number)
{
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    capabilities_get(data);
    data[0].effective &= ~(1U << number);
    capabilities_set(data);
}

static void check_no_capability(void)
{
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    capabilities_get(data);
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        CHECK((data[i].effective | data[i].permitted | data[i].inheritable) == 0);
    for (unsigned long number = 0; number < 32; number++)
        CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0) == 0);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CHECK(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0);
}

static void check_identity(uid_t uid, gid_t gid)
{
    uid_t uids[3];
    gid_t gids[3];

    CHECK(getresuid(&uids[0], &uids[1], &uids[2]) == 0);
    CHECK(getresgid(&gids[0], &gids[1], &gids[2]) == 0);
    for (size_t i = 0; i < 3; i++)
        CHECK(uids[i] == uid && gids[i] == gid);
}

/* --- Who it is to be */

static struct privileges prepared(const char *user)
{
    struct privileges privileges;

    if (privileges_prepare(user, &privileges, error) != 0)
        fprintf(stderr, "%s: %s\n", user != NULL ? user : "(default)", error);
    privileges_fini(&privileges);
    return privileges;
}

static void check_users(void)
{
    const struct passwd *entry;
    struct privileges    found = prepared("12345:23456");
    char                 number[16];

    CHECK(found.drop && found.uid == 12345 && found.gid == 23456);
    found = prepared("54321");
    CHECK(found.uid == SOMEBODY && found.gid == SOMEBODY);
    CHECK((entry = getpwnam("nobody")) != NULL);
    snprintf(number, sizeof(number), "%lu", (unsigned long)entry->pw_uid);
    found = prepared("nobody");
    CHECK(found.uid == entry->pw_uid && found.gid == entry->pw_gid);
    found = prepared(number);
    CHECK(found.uid == entry->pw_uid && found.gid == entry->pw_gid);
    /* Debian's games: user 5, group 60; any user whose group has another number would do. */
    CHECK((entry = getpwuid(5)) == NULL || prepared("5").gid == entry->pw_gid);
    found = prepared(NULL);
    entry = getpwnam("mta-sts");
    CHECK(found.uid == (entry != NULL ? entry : getpwnam("nobody"))->pw_uid);
}

static void check_refused(const char *user, const char *text)
{
    struct privileges privileges;

    CHECK(privileges_prepare(user, &privileges, error) == -1);
    CHECK(privileges.empty_fd == -1);
    if (strstr(error, text) == NULL)
        fprintf(stderr, "%s\n", error);
}

static void check_unusable_users(void)
{
    check_refused("nobody-like-this", "user 'nobody-like-this' does not exist: create it "
                                      "(useradd --system nobody-like-this) or set another user");
    check_refused("root", "is root");
    check_refused("0", "is root");
    check_refused("0:1", "is root");
    check_refused("4294967295", "is no user"); /* (uid_t)-1 would mean "stay as you are" */
    check_refused("18446744073709551617", "is no user");
    check_refused("12:", "is no user");
    check_refused(":12", "is no user");
    check_refused("12:games", "is no user");
    check_refused("", "is no user");
}

static void a_user_is_a_name_or_numbers(void **state)
{
    (void)state;
    as_root(check_users);
}

static void a_user_that_cannot_be_is_an_error_with_a_remedy(void **state)
{
    (void)state;
    as_root(check_unusable_users);
}

/* --- What is missing */

static void without_setuid(void)
{
    lose_capability(CAP_SETUID);
    check_refused("54321", "CAP_SETUID");
}

static void without_setgid(void)
{
    lose_capability(CAP_SETGID);
    check_refused("54321", "CAP_SETGID");
}

static void without_chroot(void)
{
    lose_capability(CAP_SYS_CHROOT);
    check_refused("54321", "--cap-add=SYS_CHROOT");
}

static void a_missing_capability_is_named(void **state)
{
    (void)state;
    as_root(without_setuid);
    as_root(without_setgid);
    as_root(without_chroot);
}

/* Every folder the empty root could be made in refuses it. */
static void without_a_writable_folder(void)
{
    child_refuse(mkdir_number, EROFS, -1);
    check_refused("54321", "no empty folder can be made");
    CHECK(strstr(error, strerror(EROFS)) != NULL && strstr(error, "--tmpfs") != NULL);
}

static void nowhere_to_make_the_empty_root_is_told(void **state)
{
    (void)state;
    as_root(without_a_writable_folder);
}

/* --- Dropping */

static void check_dropped_from_root(void)
{
    struct privileges privileges;
    char              link[64], target[256] = "";

    CHECK(privileges_prepare("54321:54322", &privileges, error) == 0);
    CHECK(fcntl(privileges.empty_fd, F_GETFD) == FD_CLOEXEC);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", privileges.empty_fd);
    CHECK(readlink(link, target, sizeof(target) - 1) > 0);
    CHECK(strstr(target, " (deleted)") != NULL);
    if (privileges_drop(&privileges, error) != 0)
        fprintf(stderr, "%s\n", error);
    check_identity(54321, 54322);
    CHECK(getgroups(0, NULL) == 0);
    check_no_capability();
    CHECK(fcntl(privileges.empty_fd, F_GETFD) == -1);
    for (unsigned long number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
        CHECK(prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 0);
}

static void check_the_root_is_empty(void)
{
    struct privileges privileges;

    CHECK(privileges_prepare("54321", &privileges, error) == 0);
    CHECK(privileges_drop(&privileges, error) == 0);
    CHECK(open("/proc/self/status", O_RDONLY) == -1);
    CHECK(open("/etc/passwd", O_RDONLY) == -1);
    CHECK(open("../../../../etc/passwd", O_RDONLY) == -1);
    CHECK(open("/new", O_CREAT | O_WRONLY, 0600) == -1);
    CHECK(mkdir("/new", 0700) == -1);
    CHECK(chroot("/") == -1);
}

static void check_no_way_back(void)
{
    struct privileges privileges;

    CHECK(privileges_prepare("54321", &privileges, error) == 0);
    CHECK(privileges_drop(&privileges, error) == 0);
    CHECK(setuid(0) == -1 && seteuid(0) == -1 && setgid(0) == -1);
    CHECK(setresuid(0, 0, 0) == -1 && setgroups(0, NULL) == -1);
}

static void root_becomes_somebody_without_anything(void **state)
{
    (void)state;
    as_root(check_dropped_from_root);
}

static void nothing_can_be_opened_or_made_in_the_empty_root(void **state)
{
    (void)state;
    as_root(check_the_root_is_empty);
}

static void there_is_no_way_back(void **state)
{
    (void)state;
    as_root(check_no_way_back);
}

/* A call that does nothing but says that it did must not pass. */
static void with_a_setresuid_that_lies(void)
{
    struct privileges privileges;

    CHECK(privileges_prepare("54321", &privileges, error) == 0);
    child_refuse(SYS_setresuid, 0, -1);
    CHECK(privileges_drop(&privileges, error) == -1);
    CHECK(error[0] != '\0');
}

static void a_call_that_fails(void)
{
    struct privileges privileges;

    CHECK(privileges_prepare("54321", &privileges, error) == 0);
    child_refuse(SYS_setgroups, EPERM, -1);
    CHECK(privileges_drop(&privileges, error) == -1);
    CHECK(strstr(error, "supplementary groups") != NULL);
}

static void a_step_that_fails_or_only_seems_to_work_is_noticed(void **state)
{
    (void)state;
    as_root(with_a_setresuid_that_lies);
    as_root(a_call_that_fails);
}

/* --- Not started as root */

static void become_somebody(void)
{
    if (geteuid() == 0)
        CHECK(setgroups(0, NULL) == 0 && setresgid(SOMEBODY, SOMEBODY, SOMEBODY) == 0 &&
              setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
}

static void check_dropped_from_somebody(void)
{
    struct privileges privileges;

    become_somebody();
    CHECK(privileges_prepare("nobody-like-this", &privileges, error) == 0); /* ignored */
    CHECK(!privileges.drop && privileges.empty_fd == -1);
    if (privileges_drop(&privileges, error) != 0)
        fprintf(stderr, "%s\n", error);
    check_no_capability();
}

/* As systemd's AmbientCapabilities=CAP_NET_BIND_SERVICE leaves it. */
static void with_an_ambient_capability(void)
{
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
    become_somebody();
    memset(data, 0, sizeof(data));
    data[0].permitted = data[0].effective = data[0].inheritable = 1U << CAP_NET_BIND_SERVICE;
    capabilities_set(data);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == 0);
    check_dropped_from_somebody();
}

static void somebody_stays_himself_and_gives_up_what_he_has(void **state)
{
    (void)state;
    assert_child_passes(check_dropped_from_somebody);
}

static void an_ambient_capability_goes_too(void **state)
{
    (void)state;
    as_root(with_an_ambient_capability);
}

static void check_hidden(void)
{
    struct rlimit core;

    privileges_hide_memory();
    CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == dumpable_when_hidden);
    CHECK(getrlimit(RLIMIT_CORE, &core) == 0);
    CHECK(dumpable_when_hidden || (core.rlim_cur == 0 && core.rlim_max == 0));
}

static void memory_is_not_for_others(void **state)
{
    (void)state;
    assert_child_passes(check_hidden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_is_a_name_or_numbers),
        cmocka_unit_test(a_user_that_cannot_be_is_an_error_with_a_remedy),
        cmocka_unit_test(a_missing_capability_is_named),
        cmocka_unit_test(nowhere_to_make_the_empty_root_is_told),
        cmocka_unit_test(root_becomes_somebody_without_anything),
        cmocka_unit_test(nothing_can_be_opened_or_made_in_the_empty_root),
        cmocka_unit_test(there_is_no_way_back),
        cmocka_unit_test(a_step_that_fails_or_only_seems_to_work_is_noticed),
        cmocka_unit_test(somebody_stays_himself_and_gives_up_what_he_has),
        cmocka_unit_test(an_ambient_capability_goes_too),
        cmocka_unit_test(memory_is_not_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
