#include "tool/printable.h"
#include "tool/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What a terminal obeys, breaks a line at, draws nothing for, or draws other text the wrong way
   round for (Unicode's Cc, Zl, Zp, and of Cf what there is of writing's direction and joining). */
static bool is_harmful(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0x00, 0x1f },       /* C0 */
        { 0x7f, 0x9f },       /* DEL, C1 */
        { 0xad, 0xad },       /* soft hyphen */
        { 0x61c, 0x61c },     /* Arabic letter mark */
        { 0x180b, 0x180f },   /* Mongolian variants and vowel separator */
        { 0x200b, 0x200f },   /* zero width, left-to-right and right-to-left marks */
        { 0x2028, 0x202e },   /* line and paragraph separators, embeddings and overrides */
        { 0x2060, 0x206f },   /* word joiner, isolates and what is deprecated */
        { 0xfe00, 0xfe0f },   /* variants */
        { 0xfeff, 0xfeff },   /* byte order mark */
        { 0xfff0, 0xffff },   /* interlinear annotation, no characters */
        { 0xe0000, 0xe0fff }, /* tags, variants */
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    }
    return false;
}

/* Plain ASCII, which nearly all is, goes out in one piece. */
static size_t plain(const char *text, size_t len)
{
    size_t count = 0;

    while (count < len && text[count] >= ' ' && text[count] < 0x7f && text[count] != '\\')
        count++;
    return count;
}

/* The one character at the start that is not plain. Gives how many bytes it has. */
static size_t put_character(const char *text, size_t len, FILE *out)
{
    uint32_t code = 0;
    size_t   size = utf8_read(text, len, &code);

    if (size > 0 && !is_harmful(code)) {
        if (*text == '\\')
            fputc('\\', out);
        fwrite(text, 1, size, out);
        return size;
    }
    size += size == 0;
    for (size_t i = 0; i < size; i++)
        fprintf(out, "\\x%02x", (unsigned char)text[i]);
    return size;
}

void printable_put_bytes(const char *text, size_t len, FILE *out)
{
    while (len > 0) {
        size_t size = plain(text, len);

        if (size > 0)
            fwrite(text, 1, size, out);
        else
            size = put_character(text, len, out);
        text += size;
        len -= size;
    }
}

void printable_put(const char *text, FILE *out)
{
    printable_put_bytes(text, strlen(text), out);
}
