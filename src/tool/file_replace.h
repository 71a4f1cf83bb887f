/*
 * file_replace: a file is written whole or not at all: beside, synced, and renamed over the old one.
 */
#ifndef TOOL_FILE_REPLACE_H
#define TOOL_FILE_REPLACE_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Has write write the file of that path. Its permissions stay; a link stays, and what it leads to is
 * replaced; to a device or a pipe is written as it is. False, with errno: it was not written, or not
 * whole; then the old one is still there.
 */
bool file_replace(const char *path, bool (*write)(const void *context, FILE *out),
                  const void *context);

#endif
