#include "common/certscan.h"

#include "common/certpair.h"
#include "common/hash.h"
#include "common/hostname.h"
#include "common/memory.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES_MAX = 64 };

/* Exit statuses of a process that proves pairs. */
enum { SHARE_PROVED, SHARE_NO_MEMORY, SHARE_NO_MBEDTLS };

struct domain {
    const char          *name;
    const struct policy *policy;
    uint8_t              files[HASH_128_SIZE]; /* equal: its pair is in the same files */
};

/* What is found of a domain, in memory that the processes share. */
struct verdict {
    int64_t  not_after;
    uint64_t text; /* where it begins in the texts of its process */
    int32_t  error;
    uint8_t  outcome, failed, text_count, process;
};

struct process {
    pid_t  pid;
    int    fd; /* of its texts: a file in memory */
    char  *texts;
    size_t size;
};

struct scan {
    time_t          now;
    struct domain  *domains; /* in the order of the configuration */
    struct verdict *verdicts;
    size_t          count, verdicts_size;
    uint32_t       *order; /* of the domains whose files can be opened, those with the same files
                              together: groups */
    size_t          order_count;
    struct process  processes[PROCESSES_MAX];
    unsigned        process_count;
};

/* --- Which domains share their files --- */

static void add_file(struct hash *hash, int fd)
{
    struct stat status = { 0 };
    bool        known = fd >= 0 && fstat(fd, &status) == 0;
    uint64_t    words[] = { known,
                            status.st_dev,
                            status.st_ino,
                            (uint64_t)status.st_size,
                            (uint64_t)status.st_mtim.tv_sec,
                            (uint64_t)status.st_mtim.tv_nsec,
                            (uint64_t)status.st_ctim.tv_sec,
                            (uint64_t)status.st_ctim.tv_nsec };

    hash_128_update(hash, words, sizeof(words));
}

static void close_both(const int fds[2])
{
    close(fds[0]);
    if (fds[1] >= 0)
        close(fds[1]);
}

static bool add_domain(void *context, const char *name, const struct policy *policy)
{
    static const uint8_t key[HASH_KEY_SIZE];
    struct scan         *scan = context;
    struct domain       *domain = &scan->domains[scan->count];
    struct verdict      *verdict = &scan->verdicts[scan->count];
    enum certopen_file   failed;
    struct hash          hash;
    int                  fds[2];

    domain->name = name;
    domain->policy = policy;
    if (certopen(policy, name, strlen(name), fds, &failed) == 0) {
        hash_128_init(&hash, key);
        add_file(&hash, fds[0]);
        add_file(&hash, fds[1]);
        hash_128_final(&hash, domain->files);
        close_both(fds);
        scan->order[scan->order_count++] = (uint32_t)scan->count;
    } else {
        verdict->outcome = CERTSCAN_UNOPENED;
        verdict->failed = (uint8_t)failed;
        verdict->error = errno;
    }
    scan->count++;
    return true;
}

static int by_files(const void *a, const void *b, void *context)
{
    const struct scan *scan = context;
    uint32_t           first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    int order = memcmp(scan->domains[first].files, scan->domains[second].files, HASH_128_SIZE);

    return order != 0 ? order : first < second ? -1 : first > second;
}

/* Behind the last domain that has the files of the one at begin: indices in order. */
static size_t end_of_group(const struct scan *scan, size_t begin)
{
    const uint8_t *files = scan->domains[scan->order[begin]].files;
    size_t         end = begin + 1;

    while (end < scan->order_count &&
           memcmp(files, scan->domains[scan->order[end]].files, HASH_128_SIZE) == 0)
        end++;
    return end;
}

/* --- A process that proves the pairs of its share of the groups --- */

struct share {
    struct scan *scan;
    unsigned     process;
    FILE        *texts;
    uint64_t     texts_len;
};

static void add_text(struct share *share, const char *text)
{
    size_t size = strlen(text) + 1;

    if (fwrite(text, 1, size, share->texts) != size)
        _exit(SHARE_NO_MEMORY);
    share->texts_len += size;
}

/* What holds for each domain of a group whose names fit the pair. */
static struct verdict judge_pair(struct share *share, const struct certpair *pair,
                                 const struct domain *domain)
{
    time_t         now = share->scan->now;
    unsigned       findings = certpair_findings(pair, now);
    struct verdict verdict = { .outcome = CERTSCAN_SERVED,
                               .not_after = certpair_not_after(pair),
                               .text = share->texts_len,
                               .process = (uint8_t)share->process };
    char           text[CERTPAIR_ERROR_MAX], path[CONFIG_PATH_MAX + 1];

    certopen_path(domain->policy, CERTOPEN_CERTIFICATE, domain->name, strlen(domain->name), path);
    for (unsigned bit = 1; bit <= findings; bit <<= 1) {
        if (!(findings & bit))
            continue;
        certpair_explain(pair, (enum certpair_finding)bit, now, path, text, sizeof(text));
        add_text(share, text);
        verdict.text_count++;
    }
    return verdict;
}

static struct verdict refuse(struct share *share, const char *why, int error)
{
    struct verdict verdict = { .outcome = CERTSCAN_REFUSED,
                               .error = error == ENOMEM || error == EIO ? error : 0,
                               .text = share->texts_len,
                               .text_count = 1,
                               .process = (uint8_t)share->process };

    add_text(share, why);
    return verdict;
}

/* Reads the pair of a group: NULL, and the verdict of all of its domains, when it cannot be served
   to any. */
static struct certpair *read_pair(struct share *share, const struct domain *domain,
                                  struct verdict *verdict)
{
    char               why[CERTPAIR_ERROR_MAX];
    enum certopen_file failed;
    int                fds[2];
    struct certpair   *pair;
    unsigned long      failures;

    if (certopen(domain->policy, domain->name, strlen(domain->name), fds, &failed) != 0) {
        *verdict = (struct verdict){ .outcome = CERTSCAN_UNOPENED,
                                     .failed = (uint8_t)failed,
                                     .error = errno };
        return NULL;
    }
    failures = memory_failures();
    errno = 0;
    pair = certpair_read(fds[0], fds[1], why);
    *verdict = pair != NULL ? judge_pair(share, pair, domain)
                            : refuse(share, why, memory_failures() != failures ? ENOMEM : errno);
    close_both(fds);
    return pair;
}

static void prove_group(struct share *share, size_t begin, size_t end)
{
    struct scan     *scan = share->scan;
    struct verdict   verdict;
    struct certpair *pair = read_pair(share, &scan->domains[scan->order[begin]], &verdict);
    char             host[HOSTNAME_MAX + 1], why[CERTPAIR_ERROR_MAX];

    for (size_t i = begin; i < end; i++) {
        uint32_t domain = scan->order[i];

        snprintf(host, sizeof(host), HOSTNAME_POLICY_PREFIX "%s", scan->domains[domain].name);
        if (pair != NULL && certpair_prove(pair, host, why) != 0)
            scan->verdicts[domain] = refuse(share, why, 0);
        else
            scan->verdicts[domain] = verdict;
    }
    certpair_unref(pair);
}

static _Noreturn void prove_share(struct scan *scan, unsigned process)
{
    struct share share = { .scan = scan, .process = process };
    unsigned     group = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    share.texts = fdopen(scan->processes[process].fd, "w");
    if (share.texts == NULL)
        _exit(SHARE_NO_MEMORY);
    if (certpair_init() != 0)
        _exit(SHARE_NO_MBEDTLS);
    for (size_t begin = 0, end; begin < scan->order_count; begin = end) {
        end = end_of_group(scan, begin);
        if (group++ % scan->process_count == process)
            prove_group(&share, begin, end);
    }
    _exit(fflush(share.texts) == 0 ? SHARE_PROVED : SHARE_NO_MEMORY);
}

/* --- The processes --- */

static unsigned fitting_processes(const struct scan *scan)
{
    cpu_set_t cpus;
    int       most = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    int       groups = 0;

    if (most > PROCESSES_MAX)
        most = PROCESSES_MAX;
    for (size_t at = 0; at < scan->order_count && groups < most; at = end_of_group(scan, at))
        groups++;
    return (unsigned)groups;
}

static int start(struct scan *scan, unsigned index)
{
    struct process *process = &scan->processes[index];

    process->fd = memfd_create("certscan", MFD_CLOEXEC);
    if (process->fd < 0)
        return -1;
    process->pid = fork();
    if (process->pid == 0)
        prove_share(scan, index);
    return process->pid < 0 ? -1 : 0;
}

/* Why the process has not proved its share, or NULL. */
static const char *wait_for(const struct process *process)
{
    int status;

    while (waitpid(process->pid, &status, 0) < 0)
        if (errno != EINTR)
            return strerror(errno);
    if (!WIFEXITED(status))
        return "a process that checks certificates was killed";
    if (WEXITSTATUS(status) == SHARE_NO_MBEDTLS)
        return "mbedTLS cannot start: out of memory, or no random numbers";
    return WEXITSTATUS(status) == SHARE_PROVED ? NULL : "out of memory";
}

/* Its texts, as far as there are any. */
static int map_texts(struct process *process)
{
    struct stat status;

    if (fstat(process->fd, &status) != 0)
        return -1;
    if (status.st_size == 0)
        return 0;
    process->size = (size_t)status.st_size;
    process->texts = mmap(NULL, process->size, PROT_READ, MAP_PRIVATE, process->fd, 0);
    return process->texts == MAP_FAILED ? -1 : 0;
}

static const char *prove(struct scan *scan)
{
    unsigned    started = 0;
    const char *why = NULL;

    scan->process_count = fitting_processes(scan);
    while (started < scan->process_count && start(scan, started) == 0)
        started++;
    if (started < scan->process_count)
        why = strerror(errno);
    for (unsigned i = 0; i < started; i++) {
        const char *other;

        if (why != NULL)
            kill(scan->processes[i].pid, SIGKILL);
        other = wait_for(&scan->processes[i]);
        if (why == NULL)
            why = other;
        if (why == NULL && map_texts(&scan->processes[i]) != 0)
            why = strerror(errno);
    }
    return why;
}

/* --- The whole --- */

static bool init(struct scan *scan, size_t count)
{
    void *shared;

    scan->verdicts_size = (count + 1) * sizeof(*scan->verdicts); /* never 0 */
    shared = mmap(NULL, scan->verdicts_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                  0);
    if (shared != MAP_FAILED)
        scan->verdicts = shared;
    scan->domains = calloc(count + 1, sizeof(*scan->domains));
    scan->order = calloc(count + 1, sizeof(*scan->order));
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        scan->processes[i].fd = -1;
    return scan->verdicts != NULL && scan->domains != NULL && scan->order != NULL;
}

static void fini(struct scan *scan)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        if (scan->processes[i].fd >= 0)
            close(scan->processes[i].fd);
        if (scan->processes[i].texts != NULL && scan->processes[i].texts != MAP_FAILED)
            munmap(scan->processes[i].texts, scan->processes[i].size);
    }
    if (scan->verdicts != NULL)
        munmap(scan->verdicts, scan->verdicts_size);
    free(scan->domains);
    free(scan->order);
}

static void visit_all(const struct scan *scan, certscan_visit *visit, void *context)
{
    char path[CONFIG_PATH_MAX + 1];

    for (size_t i = 0; i < scan->count; i++) {
        const struct domain   *domain = &scan->domains[i];
        const struct verdict  *verdict = &scan->verdicts[i];
        const char            *texts = scan->processes[verdict->process].texts;
        struct certscan_result result = { .outcome = (enum certscan_outcome)verdict->outcome,
                                          .failed = (enum certopen_file)verdict->failed,
                                          .error = verdict->error,
                                          .not_after = (time_t)verdict->not_after,
                                          .path = path,
                                          .text = texts != NULL ? texts + verdict->text : NULL,
                                          .text_count = verdict->text_count };

        certopen_path(domain->policy, result.failed, domain->name, strlen(domain->name), path);
        visit(context, domain->name, domain->policy, &result);
    }
}

const char *certscan(const struct config *config, time_t now, certscan_visit *visit, void *context)
{
    struct scan scan = { .now = now };
    const char *why = "out of memory";

    if (init(&scan, config_domain_count(config))) {
        config_each_domain(config, add_domain, &scan);
        qsort_r(scan.order, scan.order_count, sizeof(*scan.order), by_files, &scan);
        why = prove(&scan);
        if (why == NULL)
            visit_all(&scan, visit, context);
    }
    fini(&scan);
    return why;
}
