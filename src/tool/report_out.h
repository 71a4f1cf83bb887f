/*
 * report_out: how the sums of TLS reports are shown. What strangers wrote is escaped.
 */
#ifndef TOOL_REPORT_OUT_H
#define TOOL_REPORT_OUT_H

#include "tool/report_sums.h"

#include <stdio.h>

/* All give false where there was no memory. Whether all could be written, out knows. */

/* In plain words, for people. */
bool report_text(const struct report_sums *sums, FILE *out);

/* One object, for programs; docs/mta-sts.1 has its keys. */
bool report_json(const struct report_sums *sums, FILE *out);

/* RFC 4180: for each day the sums in a line, and each failure type in one. */
bool report_csv(const struct report_sums *sums, FILE *out);

#endif
