#include "tool/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 30, WORTH_IT = 2 };

void progress_begin(struct progress *progress, size_t total)
{
    *progress = (struct progress){ .shown = total >= WORTH_IT && isatty(STDERR_FILENO),
                                   .total = total };
}

void progress_draw(struct progress *progress)
{
    size_t filled;
    char   bar[WIDTH + 1];

    if (!progress->shown || (progress->drawn && progress->done == progress->told))
        return;
    filled = progress->done * WIDTH / progress->total;
    for (size_t i = 0; i < WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %zu of %zu", bar, progress->done, progress->total);
    progress->told = progress->done;
    progress->drawn = true;
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}
