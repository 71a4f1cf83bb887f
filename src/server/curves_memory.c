/*
 * Memory for GMP and Nettle. A GMP that gets none ends the process, so it never asks malloc: what
 * one operation takes is cut from a block that is always there, one piece after the other, and all
 * of it is free again when the operation is over. How much that is depends on sizes alone; a start
 * sees it (curves_memory_exceeded).
 */
#ifdef CURVES_NETTLE
#include "server/curves_internal.h"

#include <gmp.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SIZE = 64 * 1024, /* bytes; pages that are never reached cost nothing */
    STACK_SIZE = 8 * 1024   /* bytes that Nettle and GMP may have used of it */
};

static alignas(max_align_t) uint8_t block[BLOCK_SIZE];
static size_t used;
static bool   exceeded;

static bool is_ours(const void *piece)
{
    return (uintptr_t)piece - (uintptr_t)block < BLOCK_SIZE;
}

static void *take(size_t size)
{
    size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    void  *piece;

    if (rounded <= BLOCK_SIZE - used) {
        piece = block + used;
        used += rounded;
        return piece;
    }
    exceeded = true;
    piece = malloc(size);
    if (piece == NULL)
        abort();
    return piece;
}

static void give_back(void *piece, size_t size)
{
    if (is_ours(piece))
        return; /* with all the others */
    explicit_bzero(piece, size);
    free(piece);
}

static void *take_another(void *piece, size_t size, size_t new_size)
{
    void *another = take(new_size);

    memcpy(another, piece, size < new_size ? size : new_size);
    give_back(piece, size);
    return another;
}

void curves_memory_start(void)
{
    mp_set_memory_functions(take, take_another, give_back);
}

bool curves_memory_exceeded(void)
{
    return exceeded;
}

/* The program is linked with -z now: else the dynamic linker puts registers on the stack, afterwards. */
__attribute__((noinline)) static void wipe_stack(void)
{
    uint8_t scrap[STACK_SIZE];

    explicit_bzero(scrap, sizeof(scrap));
}

void curves_memory_wipe(void)
{
    explicit_bzero(block, used);
    used = 0;
    wipe_stack();
}

#endif
