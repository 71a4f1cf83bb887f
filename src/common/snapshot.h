/*
 * snapshot: a file of records that is whole or refused.
 *
 * It begins with a line that names the format, and ends in a SipHash-128 of everything before it:
 * a torn file, a changed one and one of another format are recognised, and none of their records
 * is used. The key of that hash is published, because it guards against accidents; against other
 * users, the file's directory does. What the records mean is the business of config.
 *
 * The descriptor is the caller's: a memfd, or a file of state_dir.
 */
#ifndef COMMON_SNAPSHOT_H
#define COMMON_SNAPSHOT_H

#include "common/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct snapshot_record {
    uint32_t    kind;
    uint64_t    number;
    const char *name; /* name_len bytes, and a NUL behind them when read */
    size_t      name_len;
    const char *content; /* likewise */
    size_t      content_len;
};

enum { SNAPSHOT_BUFFER = 64 * 1024 };

/* Writes. Errors are kept until the end. */
struct snapshot_writer {
    int         fd;
    int         error; /* errno of the first write that failed, or 0 */
    struct hash hash;
    size_t      used;
    char        buffer[SNAPSHOT_BUFFER];
};

/* fd is empty. */
void snapshot_begin(struct snapshot_writer *writer, int fd);
void snapshot_put(struct snapshot_writer *writer, const struct snapshot_record *record);
/* 0, or -1 with errno when anything could not be written: the file holds no snapshot then. */
int snapshot_end(struct snapshot_writer *writer);

/* Reads. Holds the whole file. */
struct snapshot {
    char  *bytes;
    size_t end; /* of the records */
    size_t at;  /* the next record */
};

/* Reads the file from its start. 0, or -1 with the reason in *why, which lasts. */
int snapshot_open(struct snapshot *snapshot, int fd, const char **why);
/* The next record, which points into the snapshot. False at the end, and where no record is: then
   the end is not reached; *record stays as it was. */
bool snapshot_next(struct snapshot *snapshot, struct snapshot_record *record);
bool snapshot_at_end(const struct snapshot *snapshot);
void snapshot_close(struct snapshot *snapshot);

#endif
