/*
 * log: the messages of the running server, one line a write, to standard error.
 *
 * A line is logfmt: time=... level=... from=PROCESS msg="...". After log_set_json
 * it is a JSON object with the same members. Every value that a peer sent is quoted,
 * so no byte of it can end the line or look like another field. A server must not
 * stand still because its log is not read: when a write would block, the line is
 * dropped and counted, and the next line that gets through carries the count.
 *
 * Where standard error is the journal's, each line begins with its priority, as
 * sd-daemon(3) defines it: <3> error, <4> warning, <6> everything else.
 *
 * log_warn and log_fatal append the text of errno; the x variants do not.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum {
    LOG_LINE_MAX = 4000, /* bytes with the line feed; below PIPE_BUF, so that lines never mix.
                            A longer message ends in "..." */
    LOG_VALUE_MAX = 300  /* bytes of a field's value with its quotes and a NUL; a longer one ends in
                            "..." */
};

/* Once, before the first line and before any fork. Reads JOURNAL_STREAM. Takes standard error for
   non-blocking writes without changing the flags of the terminal or pipe that
   others share with us: puts a description of its own in place of descriptor 2 where
   it can. That is for writing alone; a terminal for which it fails, and which could be read, is
   fatal. Standard error is open (streams_open). SIGPIPE is the caller's to ignore. */
void log_init(const char *process);

/* The format of the lines from here on, in this process and in those that it forks: JSON, or text,
   which it is after log_init. */
void log_set_json(bool on);

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

/* Its value is len bytes, which a peer may have chosen; or value is NULL, and it is the number. */
struct log_field {
    const char *name;
    const char *value;
    size_t      len;
    long long   number;
};

/*
 * A line about one event, such as a fetch. Text: "time=... from=... EVENT NAME=VALUE ...", without
 * a level. JSON: the level is "info", msg is the event, and each field is a member. No name is
 * time, level, from, dropped or msg. A field that does not fit in the line is left out.
 */
void log_fields(const char *event, const struct log_field *fields, size_t count);

/* Lines dropped since log_init because standard error would have blocked. */
unsigned long log_dropped(void);

#endif
