/*
 * report_read_internal: report_read goes from paths to bytes, report_read_bytes from bytes to reports.
 */
#ifndef TOOL_REPORT_READ_INTERNAL_H
#define TOOL_REPORT_READ_INTERNAL_H

#include "tool/report_read.h"

/* Tells that something of what is being read is refused, and why, which may quote a stranger. */
void report_refuse(struct report_reader *reader, const char *why);

/* All of a file that is no mbox. */
void report_read_bytes(struct report_reader *reader, char *bytes, size_t len);

/* A mail of an mbox, as mbox's visit. context is the reader. */
bool report_read_mail_of_mbox(void *context, const char *bytes, size_t len);

#endif
