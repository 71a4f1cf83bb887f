/*
 * log: what the programs say while they run, one line a write, to standard error.
 *
 * A line is logfmt: time=... level=... from=PROCESS msg="...". Whatever a
 * stranger sent passes through log_quote, so no byte of it can end the line or
 * look like another field. A server must not stand still because nobody reads
 * its log: when a write would block, the line is dropped and counted, and the
 * count is told with the next line that gets through.
 *
 * log_warn and log_fatal append the text of errno; the x variants do not.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stddef.h>

enum {
    LOG_LINE_MAX = 4000 /* bytes with the line feed; below PIPE_BUF, so that lines never mix.
                           A longer line ends in "..." */
};

/* Once, before the first line and before any fork. Takes standard error for
   non-blocking writes without changing the flags of the terminal or pipe that
   others share with us: puts a description of its own in place of descriptor 2 where
   it can. That is for writing alone; a terminal for which it fails, and which could be read, is
   fatal. Standard error is open (streams_open). SIGPIPE is the caller's to ignore. */
void log_init(const char *process);

/* The name behind from= from here on, such as "worker.3"; at most 31 bytes, copied. */
void log_set_process(const char *process);

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_errorx(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For start-up and broken invariants, never for something a client sent: logs as an error,
   exits 1. */
_Noreturn void log_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void log_fatalx(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line of fields that the caller composed, with every value that a stranger
   chose already through log_quote: "time=... from=... " and then fields. */
void log_fields(const char *fields);

/*
 * Writes the len bytes at value as a logfmt value into out (always
 * NUL-terminated): bare when every byte is one of A-Z a-z 0-9 and -._:/@+[]*,
 * else in double quotes, with \" and \\ escaped and bytes outside 0x20 to 0x7e
 * as \xHH. An empty value is "". What does not fit is cut at a whole escape and
 * ends in "...". size is at least 8. Returns the bytes written without the NUL.
 */
size_t log_quote(char *out, size_t size, const char *value, size_t len);

/* Lines dropped since log_init because standard error would have blocked. */
unsigned long log_dropped(void);

#endif
