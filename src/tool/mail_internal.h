/*
 * mail_internal: a mail before GMime sees it.
 */
#ifndef TOOL_MAIL_INTERNAL_H
#define TOOL_MAIL_INTERNAL_H

#include "tool/mail.h"

/* Whether headers and parts are within their bounds; if not, why says which is not. */
bool mail_scan(const char *bytes, size_t len, char *why);

#endif
