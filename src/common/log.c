#include "common/log.h"

#include "common/log_quote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    PROCESS_MAX = 31,
    FIELD_MIN = 32 /* bytes of a number, or of a value cut short, and of what surrounds the name */
};

/* How a line leaves without ever blocking. */
enum way {
    WAY_WRITE, /* a description of our own with O_NONBLOCK, or a file, which blocks for no reader */
    WAY_SEND,  /* a socket can be asked for each call */
    WAY_POLL   /* a description that others share: asked first */
};

static enum way      way = WAY_WRITE;
static bool          json;       /* the format of the lines from here on */
static bool          to_journal; /* each line begins with its priority */
static char          process_name[PROCESS_MAX + 1] = "-";
static unsigned long dropped;   /* since log_init */
static unsigned long untold;    /* of them, not yet told */
static pid_t         untold_of; /* a child of fork does not tell its parent's again */
static bool          torn;      /* the last line went out in part: end it first */

/*
 * A pipe or a terminal is often shared: with the shell, with other services. O_NONBLOCK
 * belongs to the description, not to the descriptor, so we open one of our own. It takes
 * the number 2, so that it survives whatever closes all the other descriptors. It is for
 * writing alone, so that no process that logs to a terminal can read what is typed there.
 */
static bool reopen_stderr(void)
{
    static const int flags = O_WRONLY | O_NONBLOCK | O_APPEND | O_CLOEXEC | O_NOCTTY;
    int              fd = open("/proc/self/fd/2", flags);
    pid_t            session = 0;
    int              copied;

    /* After su, the terminal is another user's. Under /dev/tty the controlling one can be opened even so. */
    if (fd < 0 && ioctl(STDERR_FILENO, TIOCGSID, &session) == 0)
        fd = open("/dev/tty", flags);
    if (fd < 0)
        return false;
    if (fd == STDERR_FILENO)
        return true;
    copied = dup2(fd, STDERR_FILENO);
    close(fd);
    return copied == STDERR_FILENO;
}

static bool is_readable_terminal(int fd)
{
    return isatty(fd) && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_WRONLY;
}

/* sd-daemon(3): JOURNAL_STREAM holds DEVICE:INODE of the journal's socket. Processes whose standard
   error is not the journal's inherit the variable too, so the numbers are compared. */
static bool is_journal(const struct stat *status)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char        numbers[48];

    snprintf(numbers, sizeof numbers, "%ju:%ju", (uintmax_t)status->st_dev,
             (uintmax_t)status->st_ino);
    return stream != NULL && strcmp(stream, numbers) == 0;
}

void log_init(const char *process)
{
    struct stat status;

    log_set_process(process);
    dropped = 0;
    untold = 0;
    torn = false;
    json = false;
    to_journal = false;
    way = WAY_WRITE;
    if (fstat(STDERR_FILENO, &status) != 0)
        return;
    to_journal = is_journal(&status);
    if (S_ISSOCK(status.st_mode)) {
        way = WAY_SEND;
    } else if (!S_ISREG(status.st_mode) && !reopen_stderr()) {
        way = WAY_POLL;
        if (is_readable_terminal(STDERR_FILENO))
            log_fatal("standard error is a terminal that cannot be opened for writing alone: "
                      "redirect it (2>FILE, or 2>&1 | cat)");
    }
}

void log_set_json(bool on)
{
    json = on;
}

void log_set_process(const char *process)
{
    snprintf(process_name, sizeof process_name, "%s", process);
}

/* Bytes written, or -1 with errno. */
static ssize_t put_once(const char *line, size_t len)
{
    struct pollfd writable = { .fd = STDERR_FILENO, .events = POLLOUT };

    switch (way) {
    case WAY_SEND:
        return send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    case WAY_POLL:
        if (poll(&writable, 1, 0) != 1) {
            errno = EAGAIN;
            return -1;
        }
        break;
    case WAY_WRITE:
        break;
    }
    return write(STDERR_FILENO, line, len);
}

/* line begins with a line feed, which goes out only behind a torn line. */
static void put(const char *line, size_t len)
{
    ssize_t done;

    if (!torn) {
        line++;
        len--;
    }
    do {
        done = put_once(line, len);
    } while (done < 0 && errno == EINTR);
    if (done == (ssize_t)len) {
        torn = false;
        untold = 0;
        return;
    }
    if (done > 0)
        torn = true; /* a terminal or a full disk takes parts */
    dropped++;
    untold++;
    untold_of = getpid();
}

/* --- A line --- */

/* syslog's numbers, which the journal reads from the start of a line. */
enum level { LEVEL_ERROR = 3, LEVEL_WARNING = 4, LEVEL_INFO = 6 };

static const char *const level_names[] = {
    [LEVEL_ERROR] = "error",
    [LEVEL_WARNING] = "warning",
    [LEVEL_INFO] = "info",
};

/* The first byte is a line feed for put(). */
struct line {
    size_t len;
    size_t end; /* fields end here at the latest: room is left for "}" and a line feed */
    char   bytes[1 + LOG_LINE_MAX + 1];
};

/* Only for text that is known to fit. */
__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    line->len += (size_t)vsnprintf(line->bytes + line->len, sizeof line->bytes - line->len, format,
                                   arguments);
    va_end(arguments);
}

/* A value in double quotes, cut where the line must end. */
static void add_quoted(struct line *line, const char *value, size_t len)
{
    char  *out = line->bytes + line->len;
    size_t size = line->end + 1 - line->len;

    line->len += json ? log_quote_json(out, size, value, len) : log_quote(out, size, value, len);
}

static void begin_text(struct line *line, const char *time, enum level level, bool event)
{
    add(line, "time=%s", time);
    if (!event)
        add(line, " level=%s", level_names[level]);
    add(line, " from=%s", process_name);
    if (untold > 0)
        add(line, " dropped=%lu", untold);
}

static void begin_json(struct line *line, const char *time, enum level level)
{
    add(line, "{\"time\":\"%s\",\"level\":\"%s\",\"from\":", time, level_names[level]);
    add_quoted(line, process_name, strlen(process_name));
    if (untold > 0)
        add(line, ",\"dropped\":%lu", untold);
}

/* Writes the start of a line, up to where its own fields begin. In text, an event has no level. */
static void begin(struct line *line, enum level level, bool event)
{
    struct timespec now;
    struct tm       utc;
    char            time[32];
    size_t          len;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    len = strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(time + len, sizeof time - len, ".%03ldZ", now.tv_nsec / 1000000);
    if (untold > 0 && untold_of != getpid())
        untold = 0;
    line->len = 0;
    line->end = 1 + LOG_LINE_MAX - (json ? 2 : 1);
    add(line, "\n");
    if (to_journal)
        add(line, "<%d>", (int)level);
    if (json)
        begin_json(line, time, level);
    else
        begin_text(line, time, level, event);
}

static void end(struct line *line)
{
    add(line, json ? "}\n" : "\n");
    put(line->bytes, line->len);
}

static void put_message(enum level level, int error, const char *format, va_list arguments)
{
    char        text[LOG_LINE_MAX]; /* more than a line takes, so that what is cut here is marked */
    struct line line;
    int         text_len = vsnprintf(text, sizeof text, format, arguments);

    if (text_len < 0)
        text_len = snprintf(text, sizeof text, "%s", format);
    if (error != 0 && (size_t)text_len < sizeof text)
        text_len += snprintf(text + text_len, sizeof text - (size_t)text_len, ": %s",
                             strerror(error));
    if ((size_t)text_len >= sizeof text)
        text_len = sizeof text - 1;
    begin(&line, level, false);
    add(&line, json ? ",\"msg\":" : " msg=");
    add_quoted(&line, text, (size_t)text_len);
    end(&line);
}

static void add_field(struct line *line, const struct log_field *field)
{
    char  *out;
    size_t size;

    add(line, json ? ",\"%s\":" : " %s=", field->name);
    out = line->bytes + line->len;
    size = line->end + 1 - line->len;
    if (size > LOG_VALUE_MAX)
        size = LOG_VALUE_MAX;
    if (field->value == NULL)
        add(line, "%lld", field->number);
    else if (json)
        line->len += log_quote_json(out, size, field->value, field->len);
    else
        line->len += log_quote_if_needed(out, size, field->value, field->len);
}

void log_fields(const char *event, const struct log_field *fields, size_t count)
{
    int         saved = errno;
    struct line line;

    begin(&line, LEVEL_INFO, true);
    add(&line, json ? ",\"msg\":\"%s\"" : " %s", event);
    for (size_t i = 0; i < count; i++)
        if (line.len + strlen(fields[i].name) + FIELD_MIN <= line.end)
            add_field(&line, &fields[i]);
    end(&line);
    errno = saved;
}

/* The body of each function below: errno goes in, and comes out as it was. */
#define PUT_MESSAGE(level, with_errno)                                   \
    do {                                                                 \
        int     saved = errno;                                           \
        va_list arguments;                                               \
        va_start(arguments, format);                                     \
        put_message(level, (with_errno) ? saved : 0, format, arguments); \
        va_end(arguments);                                               \
        errno = saved;                                                   \
    } while (0)

void log_info(const char *format, ...)
{
    PUT_MESSAGE(LEVEL_INFO, false);
}

void log_warn(const char *format, ...)
{
    PUT_MESSAGE(LEVEL_WARNING, true);
}

void log_warnx(const char *format, ...)
{
    PUT_MESSAGE(LEVEL_WARNING, false);
}

void log_error(const char *format, ...)
{
    PUT_MESSAGE(LEVEL_ERROR, true);
}

void log_errorx(const char *format, ...)
{
    PUT_MESSAGE(LEVEL_ERROR, false);
}

void log_fatal(const char *format, ...)
{
    PUT_MESSAGE(LEVEL_ERROR, true);
    exit(1);
}

void log_fatalx(const char *format, ...)
{
    PUT_MESSAGE(LEVEL_ERROR, false);
    exit(1);
}

unsigned long log_dropped(void)
{
    return dropped;
}
