#include "server/instance.h"

#include "common/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int instance_name(const char *config_path, char out[INSTANCE_NAME_LEN + 1])
{
    /* Not a secret: the name has to be the same in every process. */
    static const uint8_t key[HASH_KEY_SIZE] = "mta-stsd instanc";
    const char          *slash = strrchr(config_path, '/');
    const char          *file = slash != NULL ? slash + 1 : config_path;
    char                 directory[PATH_MAX] = ".";
    char                 whole[2 * PATH_MAX];
    char                *real;
    int                  len;

    if ((slash != NULL && (size_t)(slash - config_path) + 1 >= sizeof directory) ||
        strlen(file) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (slash != NULL) {
        memcpy(directory, config_path, (size_t)(slash - config_path) + 1);
        directory[slash - config_path + 1] = '\0';
    }
    real = realpath(directory, NULL);
    if (real == NULL)
        return -1;
    len = snprintf(whole, sizeof whole, "%s/%s", real, file);
    free(real);
    snprintf(out, INSTANCE_NAME_LEN + 1, "%016" PRIx64, hash_64(key, whole, (size_t)len));
    return 0;
}
