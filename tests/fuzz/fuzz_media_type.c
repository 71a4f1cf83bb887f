/*
 * media_type_read on any bytes: what it gives lies within them; blanks around a value and a ";"
 * behind it change nothing; and a value without a flaw has none when it is printed anew.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire/media_type.h"

enum { ALL_FLAWS = 2 * MEDIA_TYPE_CHARSET_TWICE - 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_inside(struct txt_slice slice, const char *bytes, size_t len)
{
    if (slice.len > 0)
        require(slice.at >= bytes && slice.at + slice.len <= bytes + len);
}

/* In a buffer of just that size, between a front and a back. */
static struct media_type read_between(const char *front, const char *value, size_t len,
                                      const char *back, char **copy)
{
    size_t            front_len = strlen(front), all = front_len + len + strlen(back);
    struct media_type media_type;

    *copy = malloc(all > 0 ? all : 1);
    require(*copy != NULL);
    memcpy(*copy, front, front_len);
    memcpy(*copy + front_len, value, len);
    memcpy(*copy + front_len + len, back, strlen(back));
    memset(&media_type, len % 2 ? 0xff : 0x5a, sizeof media_type);
    media_type_read(*copy, all, &media_type);
    require_inside(media_type.type, *copy, all);
    require_inside(media_type.charset, *copy, all);
    require((media_type.flaws & ~(unsigned)ALL_FLAWS) == 0);
    return media_type;
}

static void require_same_slice(struct txt_slice a, struct txt_slice b)
{
    require(a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0));
}

static void require_same_between(const struct media_type *media_type, const char *front,
                                 const char *value, size_t len, const char *back)
{
    char             *copy;
    struct media_type other = read_between(front, value, len, back, &copy);

    require(other.flaws == media_type->flaws);
    require_same_slice(other.type, media_type->type);
    require_same_slice(other.charset, media_type->charset);
    free(copy);
}

static void require_good(const struct media_type *media_type)
{
    require(media_type->type.len == strlen("text/plain"));
    require(memcmp(media_type->type.at, "text/plain", media_type->type.len) == 0);
    if (media_type->charset.len > 0)
        require_same_between(media_type, "text/plain;charset=", media_type->charset.at,
                             media_type->charset.len, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char             *copy;
    const char       *value = (const char *)data;
    struct media_type media_type = read_between("", value, size, "", &copy);
    unsigned          flaws = media_type.flaws;

    require((flaws & MEDIA_TYPE_OTHER) == 0 || (flaws & MEDIA_TYPE_CASE) == 0);
    require(media_type.type.len > 0 || flaws == MEDIA_TYPE_BAD);
    if (media_type.type.len > 0) {
        bool is_plain = media_type.type.len == strlen("text/plain") &&
                        strncasecmp(media_type.type.at, "text/plain", media_type.type.len) == 0;

        require(is_plain == ((flaws & MEDIA_TYPE_OTHER) == 0));
    }
    if (flaws == 0)
        require_good(&media_type);
    require_same_between(&media_type, " \t", value, size, "\t ");
    if ((flaws & MEDIA_TYPE_BAD) == 0)
        require_same_between(&media_type, "", value, size, " ;; ");
    free(copy);
    return 0;
}
