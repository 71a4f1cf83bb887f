/*
 * versions: which libraries the program computes with, for -V. What is linked in gets a security
 * update when the program is built again, what is shared gets it from the system.
 */
#ifndef SERVER_VERSIONS_H
#define SERVER_VERSIONS_H

#include <stdio.h>

/* "mbedTLS 3.6.6" */
const char *versions_mbedtls(void);

/* Prints a line "linked in: ..." and a line "shared: ...", each with the names and versions of the
   libraries of that kind; a kind without a library has no line. */
void versions_print(FILE *stream);

#endif
