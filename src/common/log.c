#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { PROCESS_MAX = 31, QUOTE_TAIL = 5 /* ..." and a NUL */ };

/* How a line leaves without ever blocking. */
enum way {
    WAY_WRITE, /* a description of our own with O_NONBLOCK, or a file, which blocks for no reader */
    WAY_SEND,  /* a socket can be asked for each call */
    WAY_POLL   /* a description that others share: asked first */
};

static enum way      way = WAY_WRITE;
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
    int              copied;

    /* After su, the terminal is another user's. Under /dev/tty the controlling one can be opened even so. */
    if (fd < 0 && tcgetsid(STDERR_FILENO) >= 0)
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

void log_init(const char *process)
{
    struct stat status;

    log_set_process(process);
    dropped = 0;
    untold = 0;
    torn = false;
    way = WAY_WRITE;
    if (fstat(STDERR_FILENO, &status) != 0)
        return;
    if (S_ISSOCK(status.st_mode)) {
        way = WAY_SEND;
    } else if (!S_ISREG(status.st_mode) && !reopen_stderr()) {
        way = WAY_POLL;
        if (is_readable_terminal(STDERR_FILENO))
            log_fatal("standard error is a terminal that cannot be opened for writing alone: "
                      "redirect it (2>FILE, or 2>&1 | cat)");
    }
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

/* Writes the start of a line, up to where its own fields begin. */
static size_t begin(char *line, size_t size, const char *level)
{
    struct timespec now;
    struct tm       utc;
    size_t          len;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    len = strftime(line, size, "\ntime=%Y-%m-%dT%H:%M:%S", &utc);
    len += (size_t)snprintf(line + len, size - len, ".%03ldZ", now.tv_nsec / 1000000);
    if (level != NULL)
        len += (size_t)snprintf(line + len, size - len, " level=%s", level);
    len += (size_t)snprintf(line + len, size - len, " from=%s ", process_name);
    if (untold > 0 && untold_of != getpid())
        untold = 0;
    if (untold > 0)
        len += (size_t)snprintf(line + len, size - len, "dropped=%lu ", untold);
    return len;
}

static bool is_bare(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._:/@+[]*", c) != NULL);
}

/* The bytes of c inside double quotes, into out; returns how many. */
static size_t escape(char out[4], unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    if (c == '"' || c == '\\') {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    if (c >= 0x20 && c <= 0x7e) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = 'x';
    out[2] = hex[c >> 4];
    out[3] = hex[c & 15];
    return 4;
}

static size_t quote(char *out, size_t size, const char *value, size_t len)
{
    size_t at = 1;
    size_t cut = 1; /* where "..." still fits */

    out[0] = '"';
    for (size_t i = 0; i < len; i++) {
        char   piece[4];
        size_t count = escape(piece, (unsigned char)value[i]);

        if (at + count + 2 > size) {
            memcpy(out + cut, "...\"", QUOTE_TAIL);
            return cut + QUOTE_TAIL - 1;
        }
        memcpy(out + at, piece, count);
        at += count;
        if (at + QUOTE_TAIL <= size)
            cut = at;
    }
    out[at] = '"';
    out[at + 1] = '\0';
    return at + 1;
}

size_t log_quote(char *out, size_t size, const char *value, size_t len)
{
    size_t bare = 0;

    while (bare < len && is_bare((unsigned char)value[bare]))
        bare++;
    if (len == 0 || bare < len)
        return quote(out, size, value, len);
    if (len < size) {
        memcpy(out, value, len);
    } else {
        len = size - 1;
        memcpy(out, value, len - 3);
        memcpy(out + len - 3, "...", 3);
    }
    out[len] = '\0';
    return len;
}

static void put_message(const char *level, int error, const char *format, va_list arguments)
{
    char   text[LOG_LINE_MAX]; /* more than a line takes, so that what is cut here is marked */
    char   line[LOG_LINE_MAX + 2];
    size_t len;
    int    text_len = vsnprintf(text, sizeof text, format, arguments);

    if (text_len < 0)
        text_len = snprintf(text, sizeof text, "%s", format);
    if (error != 0 && (size_t)text_len < sizeof text)
        text_len += snprintf(text + text_len, sizeof text - (size_t)text_len, ": %s",
                             strerror(error));
    if ((size_t)text_len >= sizeof text)
        text_len = sizeof text - 1;
    len = begin(line, sizeof line, level);
    memcpy(line + len, "msg=", 4);
    len += 4;
    len += quote(line + len, sizeof line - 1 - len, text, (size_t)text_len);
    line[len++] = '\n';
    put(line, len);
}

void log_fields(const char *fields)
{
    char   line[LOG_LINE_MAX + 2];
    size_t len = begin(line, sizeof line, NULL);
    size_t room = LOG_LINE_MAX - len; /* of 1 + LOG_LINE_MAX, the last is the line feed's */
    size_t fields_len = strlen(fields);

    if (fields_len > room) {
        memcpy(line + len, fields, room - 3);
        memcpy(line + len + room - 3, "...", 3);
        fields_len = room;
    } else {
        memcpy(line + len, fields, fields_len);
    }
    len += fields_len;
    line[len++] = '\n';
    put(line, len);
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
    PUT_MESSAGE("info", false);
}

void log_warn(const char *format, ...)
{
    PUT_MESSAGE("warning", true);
}

void log_warnx(const char *format, ...)
{
    PUT_MESSAGE("warning", false);
}

void log_error(const char *format, ...)
{
    PUT_MESSAGE("error", true);
}

void log_errorx(const char *format, ...)
{
    PUT_MESSAGE("error", false);
}

void log_fatal(const char *format, ...)
{
    PUT_MESSAGE("error", true);
    exit(1);
}

void log_fatalx(const char *format, ...)
{
    PUT_MESSAGE("error", false);
    exit(1);
}

unsigned long log_dropped(void)
{
    return dropped;
}
