#include "common/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Another version of the format has another first line; another byte order, another hash. */
static const char format[] = "mta-stsd snapshot 1\n";

enum { FORMAT_LEN = sizeof format - 1 };

static const uint8_t hash_key[HASH_KEY_SIZE] = "mta-stsd snapsho";

static void write_out(struct snapshot_writer *writer, const char *bytes, size_t len)
{
    while (len > 0 && writer->error == 0) {
        ssize_t done = write(writer->fd, bytes, len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            writer->error = errno;
            return;
        }
        bytes += done;
        len -= (size_t)done;
    }
}

static void flush_buffer(struct snapshot_writer *writer)
{
    write_out(writer, writer->buffer, writer->used);
    writer->used = 0;
}

static void put_bytes(struct snapshot_writer *writer, const char *bytes, size_t len)
{
    hash_128_update(&writer->hash, bytes, len);
    if (len > sizeof writer->buffer - writer->used)
        flush_buffer(writer);
    if (len > sizeof writer->buffer) {
        write_out(writer, bytes, len);
    } else if (len > 0) {
        memcpy(writer->buffer + writer->used, bytes, len);
        writer->used += len;
    }
}

void snapshot_begin(struct snapshot_writer *writer, int fd)
{
    writer->fd = fd;
    writer->error = 0;
    writer->used = 0;
    hash_128_init(&writer->hash, hash_key);
    put_bytes(writer, format, FORMAT_LEN);
}

/* Four numbers, the name, a NUL, the content, a NUL. */
void snapshot_put(struct snapshot_writer *writer, const struct snapshot_record *record)
{
    uint64_t head[4] = { record->kind, record->number, record->name_len, record->content_len };

    put_bytes(writer, (const char *)head, sizeof head);
    put_bytes(writer, record->name, record->name_len);
    put_bytes(writer, "", 1);
    put_bytes(writer, record->content, record->content_len);
    put_bytes(writer, "", 1);
}

int snapshot_end(struct snapshot_writer *writer)
{
    uint8_t digest[HASH_128_SIZE];

    flush_buffer(writer);
    hash_128_final(&writer->hash, digest);
    write_out(writer, (const char *)digest, sizeof digest);
    errno = writer->error;
    return writer->error == 0 ? 0 : -1;
}

/* Not mapped: a file that shrinks under a mapping kills the process. */
static char *read_whole(int fd, size_t size)
{
    char  *bytes = malloc(size);
    size_t have = 0;

    while (bytes != NULL && have < size) {
        ssize_t got = pread(fd, bytes + have, size - have, (off_t)have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            free(bytes);
            errno = got == 0 ? EIO : errno;
            return NULL;
        }
        have += (size_t)got;
    }
    return bytes;
}

static const char *judge(const char *bytes, size_t size)
{
    struct hash hash;
    uint8_t     digest[HASH_128_SIZE];

    if (memcmp(bytes, format, FORMAT_LEN) != 0)
        return "it is no snapshot of this version of mta-stsd";
    hash_128_init(&hash, hash_key);
    hash_128_update(&hash, bytes, size - sizeof digest);
    hash_128_final(&hash, digest);
    if (memcmp(bytes + size - sizeof digest, digest, sizeof digest) != 0)
        return "it is not whole: its checksum is wrong";
    return NULL;
}

int snapshot_open(struct snapshot *snapshot, int fd, const char **why)
{
    struct stat status;

    memset(snapshot, 0, sizeof *snapshot);
    if (fstat(fd, &status) != 0) {
        *why = strerror(errno);
        return -1;
    }
    if (status.st_size < FORMAT_LEN + HASH_128_SIZE) {
        *why = "it is too short for a snapshot";
        return -1;
    }
    snapshot->bytes = read_whole(fd, (size_t)status.st_size);
    if (snapshot->bytes == NULL) {
        *why = strerror(errno);
        return -1;
    }
    *why = judge(snapshot->bytes, (size_t)status.st_size);
    if (*why != NULL) {
        snapshot_close(snapshot);
        return -1;
    }
    snapshot->at = FORMAT_LEN;
    snapshot->end = (size_t)status.st_size - HASH_128_SIZE;
    return 0;
}

/* len bytes and a NUL. NULL when they are not there. */
static const char *take_bytes(struct snapshot *snapshot, size_t *at, uint64_t len)
{
    const char *bytes = snapshot->bytes + *at;

    if (snapshot->end - *at <= len || bytes[len] != '\0')
        return NULL;
    *at += len + 1;
    return bytes;
}

bool snapshot_next(struct snapshot *snapshot, struct snapshot_record *record)
{
    uint64_t    head[4];
    size_t      at = snapshot->at;
    const char *name;
    const char *content;

    if (snapshot->end - at < sizeof head)
        return false;
    memcpy(head, snapshot->bytes + at, sizeof head);
    at += sizeof head;
    name = take_bytes(snapshot, &at, head[2]);
    content = name != NULL ? take_bytes(snapshot, &at, head[3]) : NULL;
    if (content == NULL || head[0] > UINT32_MAX)
        return false;
    *record = (struct snapshot_record){
        (uint32_t)head[0], head[1], name, head[2], content, head[3]
    };
    snapshot->at = at;
    return true;
}

bool snapshot_at_end(const struct snapshot *snapshot)
{
    return snapshot->at == snapshot->end;
}

void snapshot_close(struct snapshot *snapshot)
{
    free(snapshot->bytes);
    memset(snapshot, 0, sizeof *snapshot);
}
