#include "server/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* LeakSanitizer attaches to its own process at exit, which must stay traceable for that. */
#ifdef __SANITIZE_ADDRESS__
static const bool hide = false;
#else
static const bool hide = true;
#endif

static const uint64_t id_max = UINT32_MAX - 1; /* (uid_t)-1 means "unchanged" to setresuid */

__attribute__((format(printf, 2, 3))) static int fail(char *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, PRIVILEGES_ERROR_MAX, format, arguments);
    va_end(arguments);
    return -1;
}

/* The three sets of this process, one bit a capability. */
struct capabilities {
    uint64_t effective, permitted, inheritable;
};

/* capget(2) and capset(2) by hand: libcap would be a dependency for two calls. */
static int capabilities_get(struct capabilities *capabilities)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct   data[_LINUX_CAPABILITY_U32S_3];

    memset(data, 0xff, sizeof(data)); /* what is not told is not taken for given up */
    if (syscall(SYS_capget, &header, data) != 0)
        return -1;
    capabilities->effective = data[0].effective | (uint64_t)data[1].effective << 32;
    capabilities->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    capabilities->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

static int capabilities_clear(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct   none[_LINUX_CAPABILITY_U32S_3];

    memset(none, 0, sizeof(none));
    return (int)syscall(SYS_capset, &header, none);
}

static bool parse_id(const char *text, size_t len, uint32_t *id)
{
    uint64_t value = 0;

    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
        if (value > id_max)
            return false;
    }
    *id = (uint32_t)value;
    return true;
}

/* "number" or "number:number". Without a group: the user's own, or else the one of the same
   number. */
static bool find_number(const char *user, struct privileges *privileges)
{
    const char          *colon = strchr(user, ':');
    size_t               len = colon != NULL ? (size_t)(colon - user) : strlen(user);
    const struct passwd *entry;

    if (!parse_id(user, len, &privileges->uid))
        return false;
    if (colon != NULL)
        return parse_id(colon + 1, strlen(colon + 1), &privileges->gid);
    entry = getpwuid(privileges->uid);
    privileges->gid = entry != NULL ? entry->pw_gid : (gid_t)privileges->uid;
    return true;
}

static bool find_name(const char *user, struct privileges *privileges)
{
    const struct passwd *entry = getpwnam(user);

    if (entry == NULL)
        return false;
    privileges->uid = entry->pw_uid;
    privileges->gid = entry->pw_gid;
    return true;
}

int privileges_find_user(const char *user, struct privileges *privileges, char *error)
{
    if (user == NULL) {
        if (!find_name("mta-sts", privileges) && !find_name("nobody", privileges))
            return fail(error, "neither user 'mta-sts' nor 'nobody' exists: create mta-sts "
                               "(useradd --system mta-sts) or set user = NUMBER:NUMBER");
    } else if (!find_number(user, privileges) && !find_name(user, privileges)) {
        if (user[strspn(user, "0123456789:")] == '\0' || strchr(user, ':') != NULL)
            return fail(error, "'%.60s' is no user: write a NAME, a NUMBER or NUMBER:NUMBER", user);
        return fail(error,
                    "user '%.60s' does not exist: create it (useradd --system %.60s) "
                    "or set another user",
                    user, user);
    }
    if (privileges->uid == 0)
        return fail(error,
                    "user '%.60s' is root, which workers must not be: set another user, "
                    "or leave it out",
                    user != NULL ? user : "mta-sts");
    return 0;
}

static int check_capabilities(char *error)
{
    static const struct {
        int         number;
        const char *name;
    } needed[] = { { CAP_SETUID, "SETUID" },
                   { CAP_SETGID, "SETGID" },
                   { CAP_SYS_CHROOT, "SYS_CHROOT" } };
    struct capabilities have;

    if (capabilities_get(&have) != 0)
        return fail(error, "cannot read this process's capabilities: %s", strerror(errno));
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if ((have.effective >> needed[i].number & 1) == 0)
            return fail(error,
                        "root without CAP_%s cannot give up its privileges: allow it "
                        "(systemd: CapabilityBoundingSet=, docker: --cap-add=%s), "
                        "or start as another user",
                        needed[i].name, needed[i].name);
    }
    return 0;
}

/* A removed folder: it stays a root as long as a process is in it, and nothing can ever be
   made in it, not even by its owner. */
static int make_empty_root(void)
{
    static const char *const parents[] = { "/run", "/tmp", "/dev/shm", "/var/tmp" };

    for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
        char path[64];
        int  fd;

        snprintf(path, sizeof(path), "%s/mta-stsd.XXXXXX", parents[i]);
        if (mkdtemp(path) == NULL)
            continue;
        fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (rmdir(path) == 0 && fd >= 0)
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return -1;
}

int privileges_prepare(const char *user, struct privileges *privileges, char *error)
{
    *privileges = (struct privileges){ .uid = geteuid(), .gid = getegid(), .empty_fd = -1 };
    if (geteuid() != 0)
        return 0;
    privileges->drop = true;
    if (privileges_find_user(user, privileges, error) != 0 || check_capabilities(error) != 0)
        return -1;
    privileges->empty_fd = make_empty_root();
    if (privileges->empty_fd < 0)
        return fail(error,
                    "no empty folder can be made in /run, /tmp, /dev/shm or /var/tmp (%s): "
                    "make one of them writable (docker: --tmpfs /run), "
                    "or start as another user",
                    strerror(errno));
    return 0;
}

void privileges_fini(struct privileges *privileges)
{
    if (privileges->empty_fd >= 0)
        close(privileges->empty_fd);
    privileges->empty_fd = -1;
}

/* What a later exec could give back. Needs CAP_SETPCAP, which a container may not have. */
static int drop_bounding_set(void)
{
    for (unsigned long capability = 0; capability < 64; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
            continue;
        return errno == EINVAL || errno == EPERM ? 0 : -1; /* EINVAL: beyond the last one */
    }
    return 0;
}

static int enter_empty_root(int fd, char *error)
{
    if (fchdir(fd) != 0 || chroot(".") != 0 || chdir("/") != 0)
        return fail(error, "cannot enter the empty root: %s", strerror(errno));
    close(fd);
    return 0;
}

static int become_user(uid_t uid, gid_t gid, char *error)
{
    if (setgroups(0, NULL) != 0)
        return fail(error, "cannot give up the supplementary groups: %s", strerror(errno));
    if (setresgid(gid, gid, gid) != 0)
        return fail(error, "cannot become group %lu: %s", (unsigned long)gid, strerror(errno));
    if (setresuid(uid, uid, uid) != 0)
        return fail(error, "cannot become user %lu: %s", (unsigned long)uid, strerror(errno));
    return 0;
}

static int give_up_capabilities(char *error)
{
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 || capabilities_clear() != 0)
        return fail(error, "cannot give up the capabilities: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(error, "cannot refuse new privileges: %s", strerror(errno));
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0)
        return fail(error, "cannot reset the keeping of capabilities: %s", strerror(errno));
    return 0;
}

/* Believes none of the calls before. */
static int verify(const struct privileges *privileges, char *error)
{
    struct capabilities have;
    uid_t               uid[3];
    gid_t               gid[3];

    if (setuid(0) == 0)
        return fail(error, "the way back to root is still open");
    if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0)
        return fail(error, "cannot read the user and group: %s", strerror(errno));
    for (size_t i = 0; i < 3; i++) {
        if (uid[i] != privileges->uid || gid[i] != privileges->gid)
            return fail(error, "the user or group is not what was set");
    }
    if (capabilities_get(&have) != 0)
        return fail(error, "cannot read the capabilities: %s", strerror(errno));
    if ((have.effective | have.permitted | have.inheritable) != 0)
        return fail(error, "some capabilities are left");
    return 0;
}

int privileges_drop(const struct privileges *privileges, char *error)
{
    if (privileges->drop && enter_empty_root(privileges->empty_fd, error) != 0)
        return -1;
    if (drop_bounding_set() != 0)
        return fail(error, "cannot drop the capability bounding set: %s", strerror(errno));
    if (privileges->drop && become_user(privileges->uid, privileges->gid, error) != 0)
        return -1;
    if (give_up_capabilities(error) != 0)
        return -1;
    return verify(privileges, error);
}

void privileges_hide_memory(void)
{
    /* A change of user has left the kernel's own choice behind, so it is set either way. */
    prctl(PR_SET_DUMPABLE, hide ? 0 : 1, 0, 0, 0);
    if (hide)
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}
