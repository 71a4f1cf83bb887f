#include "tool/printable.h"
#include "tool/report_read_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void report_refuse(struct report_reader *reader, const char *why)
{
    reader->refused++;
    fputs("mta-sts: ", stderr);
    printable_put(reader->path, stderr);
    if (reader->mail > 0)
        fprintf(stderr, ": mail %zu", reader->mail);
    fputs(": ", stderr);
    printable_put(why, stderr);
    fputc('\n', stderr);
}

/* --- From a descriptor to bytes */

/* Reads on at the buffer's end. 1: there is more; 0: that was all; -1: it went wrong, and is told. */
static int read_on(struct report_reader *reader, int fd)
{
    struct buffer *file = &reader->file;
    ssize_t        got;

    if (!buffer_grow(file)) {
        reader->out_of_memory = true;
        return -1;
    }
    do
        got = read(fd, file->bytes + file->len, file->size - file->len);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        report_refuse(reader, strerror(errno));
        return -1;
    }
    file->len += (size_t)got;
    return got > 0;
}

static void read_mbox(struct report_reader *reader, int fd)
{
    struct mbox     *mbox = &reader->mbox;
    enum mbox_result result = MBOX_ON;
    int              more = 1;

    for (; more > 0 && result == MBOX_ON; more = result == MBOX_ON ? read_on(reader, fd) : 0) {
        result = mbox_feed(mbox, reader->file.bytes, reader->file.len);
        reader->file.len = 0;
    }
    if (result == MBOX_ON)
        result = mbox_end(mbox);
    if (result == MBOX_NO_MEMORY)
        reader->out_of_memory = true;
}

static void read_fd(struct report_reader *reader, int fd)
{
    struct buffer *file = &reader->file;
    char           why[60];
    int            more;

    file->len = 0;
    while ((more = read_on(reader, fd)) > 0) {
        if (mbox_is(file->bytes, file->len)) {
            read_mbox(reader, fd);
            return;
        }
        if (file->len > REPORT_FILE_MAX) {
            snprintf(why, sizeof(why), "over %d bytes", REPORT_FILE_MAX);
            report_refuse(reader, why);
            return;
        }
    }
    if (more == 0)
        report_read_bytes(reader, file->bytes, file->len);
}

static void read_from(struct report_reader *reader, const char *path, int fd)
{
    reader->path = path;
    reader->mail = 0;
    reader->mbox = (struct mbox){ .visit = report_read_mail_of_mbox, .context = reader };
    read_fd(reader, fd);
    mbox_fini(&reader->mbox);
}

static void read_file(struct report_reader *reader, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    reader->path = path;
    reader->mail = 0;
    if (fd < 0) {
        report_refuse(reader, strerror(errno));
        return;
    }
    read_from(reader, path, fd);
    close(fd);
}

/* --- From a path to files */

static bool has_folder(const char *path, const char *name)
{
    char        inner[4096];
    struct stat status;

    return (size_t)snprintf(inner, sizeof(inner), "%s/%s", path, name) < sizeof(inner) &&
           stat(inner, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Marks a Maildir, for what is in it. */
static void enter(FTSENT *folder)
{
    folder->fts_number = has_folder(folder->fts_path, "cur") && has_folder(folder->fts_path, "new");
}

static bool is_passed_over(const FTSENT *entry)
{
    if (entry->fts_level == 0)
        return false;
    if (entry->fts_name[0] == '.')
        return true;
    return entry->fts_parent->fts_number != 0 && strcmp(entry->fts_name, "cur") != 0 &&
           strcmp(entry->fts_name, "new") != 0;
}

/* What is said by errno alone. */
static void refuse_path(struct report_reader *reader, const char *path)
{
    if (errno == ENOMEM) {
        reader->out_of_memory = true;
        return;
    }
    reader->path = path;
    reader->mail = 0;
    report_refuse(reader, strerror(errno));
}

/* Links to files are followed; those to folders are not, for they may lead round in a circle. */
static void take_link(struct report_reader *reader, const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        refuse_path(reader, path);
    else if (S_ISREG(status.st_mode))
        read_file(reader, path);
}

static void take_entry(struct report_reader *reader, FTSENT *entry)
{
    switch (entry->fts_info) {
    case FTS_D:
        enter(entry);
        break;
    case FTS_F:
        read_file(reader, entry->fts_path);
        break;
    case FTS_DEFAULT: /* a pipe, for example: not to wait for unless it was named */
        if (entry->fts_level == 0)
            read_file(reader, entry->fts_path);
        break;
    case FTS_SL:
        take_link(reader, entry->fts_path);
        break;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
    case FTS_SLNONE:
        reader->path = entry->fts_path;
        reader->mail = 0;
        report_refuse(reader, strerror(entry->fts_errno != 0 ? entry->fts_errno : ENOENT));
        break;
    default:
        break;
    }
}

/* The same order each time: of reports that contradict each other, the first one counts. */
static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void walk(struct report_reader *reader, const char *path)
{
    char *const paths[] = { (char *)(uintptr_t)path, NULL };
    FTS        *tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    FTSENT     *entry = NULL;

    if (tree == NULL) {
        refuse_path(reader, path);
        return;
    }
    while (!reader->out_of_memory && (entry = fts_read(tree)) != NULL) {
        if (is_passed_over(entry))
            fts_set(tree, entry, FTS_SKIP);
        else
            take_entry(reader, entry);
    }
    if (entry == NULL && errno != 0)
        refuse_path(reader, path);
    fts_close(tree);
}

void report_read(struct report_reader *reader, const char *path)
{
    if (reader->out_of_memory)
        return;
    if (strcmp(path, "-") == 0)
        read_from(reader, "standard input", STDIN_FILENO);
    else
        walk(reader, path);
}

void report_reader_fini(struct report_reader *reader)
{
    mbox_fini(&reader->mbox);
    buffer_fini(&reader->file);
    buffer_fini(&reader->unpacked);
    buffer_fini(&reader->part);
}
