/*
 * memory: whether an allocation has failed within a call to mbedTLS.
 *
 * mbedTLS does not always report it: some of its functions turn the failure into another error, or go on. errno does
 * not show it either, since glibc leaves ENOMEM there after a malloc that succeeded with mmap where brk had failed. So
 * this module puts a calloc of its own, which counts its failures, in front of the C library's: mbedTLS takes all its
 * memory from calloc. The definition in the program has precedence over the one in a shared library, and so it serves
 * a static mbedTLS and a shared one.
 */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

/* Calls to calloc in this process that returned NULL. An allocation has failed in between when two answers differ. */
unsigned long memory_failures(void);

#endif
