/*
 * testconf: mta-stsd -t. Reads the configuration, opens and judges every
 * certificate it names, as the server would, and binds nothing.
 */
#ifndef SERVER_TESTCONF_H
#define SERVER_TESTCONF_H

#include <stdbool.h>

/* Prints findings to standard output as "FILE:LINE: error|warning: text" (config_finding), then one
   summary line.
   A certificate's finding stands at the place of its domain; config_only: no certificate is opened.
   Returns the exit status: 0, or 1 with any error. */
int testconf_run(const char *path, bool config_only);

#endif
