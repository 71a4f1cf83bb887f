/*
 * progress: a bar on a terminal, for what takes long. On anything else than a terminal, nothing.
 */
#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
    bool   shown; /* standard error is a terminal, and there is enough to do */
    bool   drawn; /* there is a bar on it now */
    size_t told;  /* done, as the bar has it */
    size_t done, total;
};

void progress_begin(struct progress *progress, size_t total);
void progress_draw(struct progress *progress);
void progress_clear(struct progress *progress); /* before anything else is printed */

#endif
