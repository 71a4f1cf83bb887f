#include "tool/file_replace.h"
#include "tool/report_html.h"

static bool write_page(const void *context, FILE *out)
{
    return report_html(context, out);
}

bool report_html_file(const struct report_sums *sums, const char *path)
{
    return file_replace(path, write_page, sums);
}
