/*
 * report_html: the sums of TLS reports as one page of HTML that needs nothing else.
 *
 * What needs attention comes first, then each domain under each policy type with its timeline,
 * failures and senders. There is no script in it, and nothing that a browser would fetch. What
 * strangers wrote is escaped. The page is bounded: of what is cut, it says how much there is.
 */
#ifndef TOOL_REPORT_HTML_H
#define TOOL_REPORT_HTML_H

#include "tool/report_sums.h"

#include <stdio.h>

/* Writes the whole page. What strangers wrote is escaped. False: it could not be written, or there
   was no memory; errno says which. The caller flushes and closes. */
bool report_html(const struct report_sums *sums, FILE *out);

/* Writes the page to a file: a new one beside it takes its place when it is whole, so that half a
   page never does. False: that failed, and errno says why; what was there stays. */
bool report_html_file(const struct report_sums *sums, const char *path);

#endif
