/* notify: what a service manager hears, and that it need not listen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child.h"

#include <fcntl.h>
#include <sys/un.h>
#include <time.h>

#include "server/notify.h"

/* A service manager's socket at that path, or with that abstract name. */
static int manager(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    CHECK(bind(fd, (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))) == 0);
    CHECK(setenv("NOTIFY_SOCKET", name, 1) == 0);
    return fd;
}

static const char *heard(int fd)
{
    static char text[1024];
    ssize_t     len = recv(fd, text, sizeof(text) - 1, 0);

    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void check_said(int fd)
{
    unsigned long long usec;
    struct timespec    now;

    CHECK(getenv("NOTIFY_SOCKET") == NULL);
    CHECK(notify_fd() >= 0 && fcntl(notify_fd(), F_GETFD) == FD_CLOEXEC);
    notify_ready("serving 3 domains");
    CHECK(strcmp(heard(fd), "READY=1\nSTATUS=serving 3 domains") == 0);
    notify_reloading();
    clock_gettime(CLOCK_MONOTONIC, &now);
    CHECK(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%llu", &usec) == 1);
    CHECK(usec / 1000000 + 1 >= (unsigned long long)now.tv_sec);
    CHECK(usec / 1000000 <= (unsigned long long)now.tv_sec);
    notify_stopping();
    CHECK(strcmp(heard(fd), "STOPPING=1") == 0);
}

static void by_path(void)
{
    char folder[] = "/tmp/test_notify.XXXXXX";
    char path[64];
    int  fd;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/notify", folder);
    fd = manager(path);
    notify_init();
    check_said(fd);
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
}

static void by_abstract_name(void)
{
    char name[64];
    int  fd;

    snprintf(name, sizeof(name), "@test_notify.%ld", (long)getpid());
    fd = manager(name);
    notify_init();
    check_said(fd);
}

static void say_everything(void)
{
    notify_init();
    notify_ready("serving");
    notify_reloading();
    notify_stopping();
}

static void with_nobody(void)
{
    CHECK(unsetenv("NOTIFY_SOCKET") == 0);
    say_everything();
    CHECK(notify_fd() == -1);
}

static void with_a_manager_that_has_gone(void)
{
    char name[64];

    snprintf(name, sizeof(name), "@test_notify.%ld", (long)getpid());
    close(manager(name));
    say_everything();
}

/* A full queue must not hold the master up. */
static void with_a_manager_that_does_not_read(void)
{
    char name[64];

    snprintf(name, sizeof(name), "@test_notify.%ld", (long)getpid());
    manager(name);
    notify_init();
    alarm(10);
    for (int i = 0; i < 2000; i++)
        notify_ready("serving");
}

static void with_a_name_that_is_none(void)
{
    CHECK(setenv("NOTIFY_SOCKET", "vsock:2:1234", 1) == 0);
    say_everything();
    CHECK(notify_fd() == -1 && getenv("NOTIFY_SOCKET") == NULL);
}

static void with_names_that_are_too_short_or_too_long(void)
{
    char longest[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    for (const char *const *name = (const char *const[]){ "", "/", "@", longest, NULL };
         *name != NULL; name++) {
        CHECK(setenv("NOTIFY_SOCKET", *name, 1) == 0);
        notify_init();
        CHECK(notify_fd() == -1 && getenv("NOTIFY_SOCKET") == NULL);
    }
}

static void a_manager_hears_each_state(void **state)
{
    (void)state;
    assert_child_passes(by_path);
    assert_child_passes(by_abstract_name);
}

static void without_a_manager_nothing_is_said(void **state)
{
    (void)state;
    assert_child_passes(with_nobody);
}

/* The child goes on to its end, and its log tells about it. */
static void assert_logs(void (*body)(void), const char *text)
{
    char said[CHILD_SAID_MAX];

    assert_int_equal(child_run(body, said), 0);
    assert_non_null(strstr(said, text));
}

static void a_manager_that_does_not_listen_is_worth_a_line(void **state)
{
    (void)state;
    assert_logs(with_a_manager_that_has_gone, "cannot notify the service manager");
    assert_logs(with_a_name_that_is_none, "NOTIFY_SOCKET=vsock:2:1234");
    assert_logs(with_names_that_are_too_short_or_too_long, "NOTIFY_SOCKET=/xxx");
}

static void a_manager_that_does_not_read_holds_nothing_up(void **state)
{
    (void)state;
    assert_logs(with_a_manager_that_does_not_read, "cannot notify the service manager");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manager_hears_each_state),
        cmocka_unit_test(without_a_manager_nothing_is_said),
        cmocka_unit_test(a_manager_that_does_not_listen_is_worth_a_line),
        cmocka_unit_test(a_manager_that_does_not_read_holds_nothing_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
