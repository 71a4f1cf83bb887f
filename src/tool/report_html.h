/*
 * report_html: the sums of TLS reports as one page of HTML that needs nothing else.
 */
#ifndef TOOL_REPORT_HTML_H
#define TOOL_REPORT_HTML_H

#include "tool/report_sums.h"

#include <stdio.h>

/* Writes the whole page. What strangers wrote is escaped. False: it could not be written, or there
   was no memory; errno says which. The caller flushes and closes. */
bool report_html(const struct report_sums *sums, FILE *out);

#endif
