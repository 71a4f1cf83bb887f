/*
 * A main for a fuzz harness where there is no fuzzer: gives it each file named
 * on the command line, and each file in the folders named there, once.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *path)
{
    perror(path);
    exit(1);
}

/* Exactly the file's bytes in a buffer of just that size, so that a sanitizer sees its end. */
static void replay_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size > 0 ? size : 1);
    FILE    *file = fopen(path, "rb");

    if (data == NULL || file == NULL)
        fail(path);
    if (fread(data, 1, size, file) != size) {
        fprintf(stderr, "%s: changed while it was read\n", path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static size_t replay(const char *path);

static size_t replay_folder(const char *path)
{
    struct dirent **entries;
    int             count = scandir(path, &entries, NULL, alphasort);
    size_t          done = 0;

    if (count < 0)
        fail(path);
    for (int i = 0; i < count; i++) {
        char inner[4096];
        if (entries[i]->d_name[0] != '.') {
            if ((size_t)snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name) >=
                sizeof inner) {
                fprintf(stderr, "%s: path too long\n", path);
                exit(1);
            }
            done += replay(inner);
        }
        free(entries[i]);
    }
    free(entries);
    return done;
}

/* How many inputs path stands for. */
static size_t replay(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        fail(path);
    if (S_ISDIR(status.st_mode))
        return replay_folder(path);
    replay_file(path, (size_t)status.st_size);
    return 1;
}

/* No input at all is a mistake of the caller, not a success. */
int main(int argc, char **argv)
{
    size_t done = 0;

    for (int i = 1; i < argc; i++)
        done += replay(argv[i]);
    printf("%zu inputs replayed\n", done);
    return done > 0 ? 0 : 1;
}
