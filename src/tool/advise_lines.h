/*
 * advise_lines: what is to be pasted: lines of the configuration and of a zone.
 */
#ifndef TOOL_ADVISE_LINES_H
#define TOOL_ADVISE_LINES_H

#include "common/config.h"
#include "tool/advise_step.h"
#include "tool/check_facts.h"

/* All of these print to standard output, and give false where there was no memory. */

/* The section's header and its mode and max_age. config is one that was loaded with places. */
bool advise_lines_change(const struct config *config, const struct check_facts *facts,
                         const struct advice *advice);

/* A whole section for a domain that has none: its mx lines are the MX records. */
bool advise_lines_section(const struct check_facts *facts, const struct advice *advice);

/* The line of the section that says where reports go, as an example. */
bool advise_lines_rua(const struct config *config, const struct check_facts *facts);

/* The record _mta-sts of the configured policy, as it is, or with the change of the advice. */
bool advise_lines_record(const struct check_facts *facts, const struct advice *advice);

/* The record _smtp._tls; nothing where no rua is configured. */
bool advise_lines_reports(const struct check_facts *facts);

/* "2 weeks", "1 day", "about 365 days" */
enum { ADVISE_AGE_TEXT = 32 };
const char *advise_age_text(uint32_t max_age, char out[ADVISE_AGE_TEXT]);

#endif
