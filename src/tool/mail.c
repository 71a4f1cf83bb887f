#include "tool/mail_internal.h"
#include "tool/unpack.h"

#include <gmime/gmime.h>
#include <stdio.h>
#include <string.h>

/* --- GMime's affairs */

/* What GMime and GLib find odd in a mail is not for the terminal. */
static void say_nothing(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer data)
{
    (void)domain;
    (void)level;
    (void)text;
    (void)data;
}

void mail_start(void)
{
    g_log_set_default_handler(say_nothing, NULL);
    g_mime_init();
}

void mail_end(void)
{
    g_mime_shutdown();
}

static bool is_labelled_report(GMimeObject *object)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    const char *of = type != NULL ? g_mime_content_type_get_parameter(type, "report-type") : NULL;

    return of != NULL && g_ascii_strcasecmp(of, "tlsrpt") == 0;
}

/* Looks at a part and those in it, for one that says that it is a report, be it the mail or one that
   was forwarded. False: more than depth are in each other. */
static bool look(GMimeObject *object, unsigned depth, bool *says_report)
{
    GMimeMessage *message = NULL;

    if (object == NULL || depth == 0)
        return object == NULL;
    *says_report = *says_report || is_labelled_report(object);
    if (GMIME_IS_MESSAGE_PART(object))
        message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    if (message != NULL)
        return look(g_mime_message_get_mime_part(message), depth - 1, says_report);
    if (!GMIME_IS_MULTIPART(object))
        return true;
    for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); i++) {
        if (!look(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth - 1, says_report))
            return false;
    }
    return true;
}

/* NULL: it could not be parsed, or is not to be, and why says why. */
static GMimeMessage *parse(const char *bytes, size_t len, bool *says_report, char *why)
{
    GMimeStream  *stream = g_mime_stream_mem_new_with_buffer(bytes, len);
    GMimeParser  *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

    g_object_unref(parser);
    g_object_unref(stream);
    if (message == NULL) {
        snprintf(why, MAIL_WHY_MAX, "no mail");
    } else if (!look(g_mime_message_get_mime_part(message), MAIL_DEPTH_MAX, says_report)) {
        snprintf(why, MAIL_WHY_MAX, "a mail of over %d parts in each other", MAIL_DEPTH_MAX);
        g_object_unref(message);
        message = NULL;
    }
    return message;
}

/* The part's bytes without their transfer encoding; the caller's to unref. */
static GByteArray *decoded(GMimePart *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    GByteArray       *bytes = g_byte_array_new();
    GMimeStream      *stream = g_mime_stream_mem_new_with_byte_array(bytes);

    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    if (content != NULL)
        g_mime_data_wrapper_write_to_stream(content, stream);
    g_object_unref(stream);
    return bytes;
}

/* --- What the mail says itself */

/* The word behind a label in the subject, such as in "Report Domain: example.org Submitter: ..."
   (RFC 8460 section 5.3), without <>; the caller's to g_free. */
static char *subject_word(const char *subject, const char *label)
{
    const char *at = subject != NULL ? strcasestr(subject, label) : NULL;
    size_t      len;

    if (at == NULL)
        return NULL;
    at += strlen(label);
    at += strspn(at, " \t<");
    len = strcspn(at, " \t<>");
    return len > 0 && len <= TLSRPT_TEXT_MAX ? g_strndup(at, len) : NULL;
}

/* The field, or what the subject says. */
static char *told(GMimeMessage *message, const char *field, const char *label)
{
    const char *value = g_mime_object_get_header(GMIME_OBJECT(message), field);

    if (value != NULL && *value != '\0' && strlen(value) <= TLSRPT_TEXT_MAX)
        return g_strstrip(g_strdup(value));
    return subject_word(g_mime_message_get_subject(message), label);
}

/* --- Parts */

static enum mail_label label_of(GMimeObject *part)
{
    GMimeContentType *type = g_mime_object_get_content_type(part);

    if (g_mime_content_type_is_type(type, "application", "tlsrpt+gzip"))
        return MAIL_LABEL_GZIP;
    if (g_mime_content_type_is_type(type, "application", "tlsrpt+json"))
        return MAIL_LABEL_JSON;
    return MAIL_LABEL_NONE;
}

static bool begins_as_json(const char *bytes, size_t len)
{
    size_t at = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    while (at < len && (bytes[at] == ' ' || (bytes[at] >= '\t' && bytes[at] <= '\r')))
        at++;
    return at < len && bytes[at] == '{';
}

struct walk {
    bool (*visit)(void *context, const struct mail_part *part, const struct report_origin *origin);
    void                *context;
    struct report_origin origin;
    bool                *says_report;
};

/* False: it is to end. */
static bool show(struct walk *walk, GMimeObject *object)
{
    static char      nothing[1];
    GByteArray      *bytes = decoded(GMIME_PART(object));
    struct mail_part part = { .bytes = bytes->len > 0 ? (char *)bytes->data : nothing,
                              .len = bytes->len,
                              .label = label_of(object) };
    bool             on = true;

    *walk->says_report = *walk->says_report || part.label != MAIL_LABEL_NONE;
    if (part.label != MAIL_LABEL_NONE || unpack_is_gzip(part.bytes, part.len) ||
        begins_as_json(part.bytes, part.len))
        on = walk->visit(walk->context, &part, &walk->origin);
    g_byte_array_unref(bytes);
    return on;
}

static void show_all(struct walk *walk, GMimeMessage *message)
{
    GMimePartIter *iter = g_mime_part_iter_new(GMIME_OBJECT(message));
    bool           on = true;

    while (on && g_mime_part_iter_is_valid(iter)) {
        GMimeObject *object = g_mime_part_iter_get_current(iter);

        if (GMIME_IS_PART(object))
            on = show(walk, object);
        g_mime_part_iter_next(iter);
    }
    g_mime_part_iter_free(iter);
}

bool mail_each(const char *bytes, size_t len,
               bool (*visit)(void *context, const struct mail_part *part,
                             const struct report_origin *origin),
               void *context, bool *says_report, char *why)
{
    struct walk   walk = { .visit = visit, .context = context, .says_report = says_report };
    GMimeMessage *message;
    char         *submitter, *domain;

    *says_report = false;
    if (!mail_scan(bytes, len, why))
        return false;
    message = parse(bytes, len, says_report, why);
    if (message == NULL)
        return false;
    if (g_mime_object_get_header(GMIME_OBJECT(message), "TLS-Report-Domain") != NULL)
        *says_report = true;
    walk.origin.submitter = submitter = told(message, "TLS-Report-Submitter", "Submitter:");
    walk.origin.domain = domain = told(message, "TLS-Report-Domain", "Report Domain:");
    show_all(&walk, message);
    g_free(submitter);
    g_free(domain);
    g_object_unref(message);
    return true;
}
