#include "server/memlimit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* The number in a file; UINT64_MAX: none, or "max". */
static uint64_t read_number(const char *path)
{
    FILE    *file = fopen(path, "re");
    char     text[32], *end = text;
    uint64_t number = UINT64_MAX;

    if (file == NULL)
        return UINT64_MAX;
    if (fgets(text, sizeof(text), file) != NULL)
        number = strtoull(text, &end, 10);
    fclose(file);
    return end != text ? number : UINT64_MAX;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Of the group and of every one above it, which limits it, too. group is cut on the way. */
static uint64_t group_limit(const char *root, const char *mount, char *group)
{
    static const char *const files[] = { "memory.max", "memory.high", "memory.limit_in_bytes" };
    uint64_t                 limit = UINT64_MAX;
    char                     path[PATH_MAX];

    for (;;) {
        char *slash = strrchr(group, '/');

        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
            int len = snprintf(path, sizeof(path), "%s/sys/fs/cgroup%s%s/%s", root, mount, group,
                               files[i]);

            if (len > 0 && (size_t)len < sizeof(path))
                limit = least(limit, read_number(path));
        }
        if (slash == NULL)
            return limit;
        *slash = '\0';
    }
}

/* Lines of /proc/self/cgroup: "0::/GROUP" in version 2, "NUMBER:CONTROLLER,...:/GROUP" in version 1. */
static uint64_t groups_limit(const char *root)
{
    char     path[PATH_MAX], line[PATH_MAX];
    uint64_t limit = UINT64_MAX;
    FILE    *file;

    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    file = fopen(path, "re");
    if (file == NULL)
        return UINT64_MAX;
    while (fgets(line, sizeof(line), file) != NULL) {
        char *controllers = strchr(line, ':');
        char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;

        if (group == NULL)
            continue;
        *group++ = '\0';
        group[strcspn(group, "\n")] = '\0';
        if (strcmp(controllers, ":") == 0)
            limit = least(limit, group_limit(root, "", group));
        else if (strstr(controllers, "memory") != NULL)
            limit = least(limit, group_limit(root, "/memory", group));
    }
    fclose(file);
    return limit;
}

uint64_t memlimit_total(const char *root)
{
    struct sysinfo info;
    uint64_t       physical = UINT64_MAX;

    if (sysinfo(&info) == 0)
        physical = (uint64_t)info.totalram * info.mem_unit;
    return least(physical, groups_limit(root));
}

uint64_t memlimit_address_space(void)
{
    struct rlimit limit;
    uint64_t      used;

    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    used = read_number("/proc/self/statm"); /* pages; the first number is the address space */
    if (used == UINT64_MAX)
        return limit.rlim_cur / 2;
    used *= (uint64_t)sysconf(_SC_PAGESIZE);
    return used < limit.rlim_cur ? limit.rlim_cur - used : 0;
}
