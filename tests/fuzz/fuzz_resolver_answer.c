/*
 * resolver_read_answer on any bytes, the last of which says which records are wanted: it ends, what
 * it tells lies in memory of its own, and it tells of records, a failure or neither.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/region.h"
#include "tool/resolver_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_record(enum resolver_type type, const struct resolver_record *record)
{
    require(record->text[record->len] == '\0');
    require(type == RESOLVER_TXT || strlen(record->text) == record->len);
    require((type == RESOLVER_TXT) == (record->strings > 0));
    require(type == RESOLVER_MX || record->preference == 0);
}

/* The message has memory of its own, so that ASan sees where it ends. */
static void try_answer(const uint8_t *data, size_t len, enum resolver_type type)
{
    struct region         *region = region_new();
    uint8_t               *message = malloc(len > 0 ? len : 1);
    struct resolver_answer answer;

    require(region != NULL && message != NULL);
    memcpy(message, data, len);
    require(resolver_read_answer(message, (int)len, "alias.example", type, region, &answer));
    memset(message, 0, len); /* nothing points into it */
    require((answer.result == RESOLVER_OK) == (answer.count > 0));
    require((answer.result == RESOLVER_FAILED) == (answer.why != NULL));
    require(answer.result != RESOLVER_SILENT && answer.count <= RESOLVER_RECORDS_MAX);
    for (size_t i = 0; i < answer.count; i++)
        require_record(type, &answer.records[i]);
    free(message);
    region_free(region);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && size <= UINT16_MAX)
        try_answer(data, size - 1, (enum resolver_type)(data[size - 1] % 4));
    return 0;
}
