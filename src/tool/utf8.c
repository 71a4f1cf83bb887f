#include "tool/utf8.h"

/* The length that the first byte announces; 0: it is no first byte. */
static size_t announced(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_read(const char *bytes, size_t len, uint32_t *code)
{
    static const uint32_t shortest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    static const uint8_t  share[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 }; /* of the first byte */
    size_t                count = len > 0 ? announced((uint8_t)bytes[0]) : 0;
    uint32_t              number;

    if (count == 0 || count > len)
        return 0;
    number = (uint8_t)bytes[0] & share[count];
    for (size_t i = 1; i < count; i++) {
        if (((uint8_t)bytes[i] & 0xc0) != 0x80)
            return 0;
        number = number << 6 | ((uint8_t)bytes[i] & 0x3f);
    }
    if (number < shortest[count] || number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff))
        return 0;
    *code = number;
    return count;
}
