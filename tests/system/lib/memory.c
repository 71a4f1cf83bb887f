/*
 * Preloaded into the server: makes its allocations fail, each once, and knows how many blocks each
 * of its processes holds. The page that this happens in is mapped before main, so that a worker in
 * its empty root still has it. lib/memory.py is its other side.
 *
 * Unless every single one is to fail, an allocation is known by its last calls: a handshake may
 * make thousands, nearly all of them in the loops of big numbers. It passes on to the next malloc,
 * so that it works in front of AddressSanitizer's, too.
 *
 * glibc leaves ENOMEM in errno after an allocation that succeeded with mmap where brk had failed. It can do so here
 * after every one.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PATHS = 1 << 14,
    PROCESSES_MAX = 4096,
    CALLS = 8,  /* that an allocation is known by */
    FRAMES = 16 /* kept of the one that fails, to be told */
};

struct process {
    int64_t pid;
    int64_t blocks; /* that it holds */
};

struct page {
    int64_t        to_go;  /* allocations that count, up to the one that fails; 0: none does */
    int64_t        every;  /* each of them counts, not only those by calls that have not yet */
    int64_t        failed; /* pid of the process that got no memory, or 0 */
    int64_t        process_count;
    int64_t        mislead;        /* errno is ENOMEM after an allocation that succeeded */
    uint64_t       frames[FRAMES]; /* of the one that failed: addresses in its process */
    struct process processes[PROCESSES_MAX];
    uint64_t       paths[PATHS]; /* that have failed: a hash table */
};

static struct page    *page;
static struct process *self;

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void *(*next_aligned)(size_t, size_t);
static void (*next_free)(void *);

static void find_next(void)
{
    *(void **)&next_malloc = dlsym(RTLD_NEXT, "malloc");
    *(void **)&next_calloc = dlsym(RTLD_NEXT, "calloc");
    *(void **)&next_realloc = dlsym(RTLD_NEXT, "realloc");
    *(void **)&next_aligned = dlsym(RTLD_NEXT, "aligned_alloc");
    *(void **)&next_free = dlsym(RTLD_NEXT, "free");
}

static void enter_process(void)
{
    int64_t blocks = self != NULL ? self->blocks : 0; /* what it has from its parent */
    int64_t at = __atomic_fetch_add(&page->process_count, 1, __ATOMIC_SEQ_CST);

    if (at >= PROCESSES_MAX)
        abort();
    self = &page->processes[at];
    self->blocks = blocks;
    self->pid = getpid();
}

__attribute__((constructor)) static void map_page(void)
{
    const char *path = getenv("TEST_MEMORY");
    int         fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void       *memory = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    void *frame;

    backtrace(&frame, 1); /* which loads a library the first time */
    if (memory == MAP_FAILED || pthread_atfork(NULL, NULL, enter_process) != 0)
        abort();
    close(fd);
    page = memory;
    enter_process();
}

/* The low bits of the addresses are the same in all processes, wherever things were loaded. */
static uint64_t hash_of(void *const *frames, int count)
{
    uint64_t hash = 14695981039346656037U; /* FNV-1a */

    for (int i = 0; i < count; i++)
        hash = (hash ^ ((uintptr_t)frames[i] & 0xfff)) * 1099511628211U;
    return hash;
}

/* Whether no allocation by these calls has failed yet; asked once. */
static bool is_new(void)
{
    void    *frames[CALLS];
    uint64_t path = hash_of(frames, backtrace(frames, CALLS));
    size_t   at = path % PATHS;

    while (page->paths[at] != 0 && page->paths[at] != path)
        at = (at + 1) % PATHS;
    if (page->paths[at] == path)
        return false;
    page->paths[at] = path;
    return true;
}

/* Called for each allocation before it is made. */
static bool fails(void)
{
    void *frames[FRAMES];
    int   count;

    if (next_malloc == NULL)
        find_next();
    if (page == NULL || page->to_go <= 0 || (!page->every && !is_new()))
        return false;
    if (__atomic_sub_fetch(&page->to_go, 1, __ATOMIC_SEQ_CST) != 0)
        return false;
    count = backtrace(frames, FRAMES);
    for (int i = 0; i < FRAMES; i++)
        page->frames[i] = i < count ? (uintptr_t)frames[i] : 0;
    page->failed = self->pid;
    errno = ENOMEM;
    return true;
}

static void *count(void *block, int more)
{
    if (self != NULL && block != NULL)
        self->blocks += more;
    if (page != NULL && page->mislead && more >= 0)
        errno = ENOMEM;
    return block;
}

void *malloc(size_t size)
{
    return fails() ? NULL : count(next_malloc(size), 1);
}

void *calloc(size_t number, size_t size)
{
    return fails() ? NULL : count(next_calloc(number, size), 1);
}

void *realloc(void *block, size_t size)
{
    return fails() ? NULL : count(next_realloc(block, size), block == NULL);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : count(next_aligned(alignment, size), 1);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    *block = aligned_alloc(alignment, size);
    return *block != NULL ? 0 : ENOMEM;
}

void free(void *block)
{
    if (next_free == NULL)
        find_next();
    count(block, -1);
    next_free(block);
}
