/*
 * visit_internal: what the parts of visit share. visit.c has the queues and ends what has come to
 * its end, visit_wait.c waits until something happens, visit_trip.c connects and decides what comes
 * next, visit_talk.c speaks SMTP as far as STARTTLS, visit_transfer.c has libcurl do TLS and HTTP
 * over what was connected, visit_redirect.c reads --connect-to.
 *
 * The sockets are connected here, and libcurl takes them over, since its own SMTP waits for the
 * answer to a QUIT with everything else at a stand. A trip is one visit: one connection, and a
 * second one where there is something to find out. Nothing calls whoever asked but visits_step.
 */
#ifndef TOOL_VISIT_INTERNAL_H
#define TOOL_VISIT_INTERNAL_H

#include "tool/visit.h"

#include <curl/curl.h>
#include <stdint.h>

struct region;

enum {
    VISIT_HEADER_MAX = 128 * 1024, /* bytes of a response's header, with all that is like one */
    VISIT_LINE_MAX = 2048,         /* bytes of a line of SMTP; RFC 5321 section 4.5.3.1.5 has 512 */
    VISIT_LINES_MAX = 128          /* of one reply */
};

/* What a connection is for. */
enum visit_aim {
    VISIT_AIM_REAL,  /* the visit itself */
    VISIT_AIM_CHAIN, /* the certificates of a server that is not trusted */
    VISIT_AIM_OLD,   /* does it speak what is older than TLS 1.2? */
    VISIT_AIM_TLS12  /* does it speak TLS 1.2? */
};

enum visit_stage { VISIT_CONNECTING, VISIT_TALKING, VISIT_TRANSFER, VISIT_OVER };

struct trip {
    struct trip         *next;
    struct visits       *visits;
    struct visit_server *server;
    const char          *host, *address; /* behind it */
    unsigned             port;
    bool                 smtp, probe_tls12, untried;
    visit_done          *done;
    void                *context;

    enum visit_aim   aim;
    enum visit_stage stage;
    int64_t          started, connect_by, end_by;
    int              fd;      /* until libcurl has it; -1: none */
    int              also;    /* the same socket, while libcurl has it; -1: none */
    short            revents; /* what has come at it */

    enum { TALK_GREETING, TALK_EHLO, TALK_STARTTLS } talk; /* which reply is waited for */
    unsigned lines;                                        /* of that reply so far */
    bool     starttls;                                     /* is offered */
    size_t   heard;
    char     line[VISIT_LINE_MAX];

    CURL              *easy;   /* of this connection */
    CURL              *answer; /* of the real one, while there is a second */
    struct curl_slist *to;
    char               error[CURL_ERROR_SIZE];
    char              *body;
    size_t             body_size;
    size_t             header_len;
    bool               no_memory; /* for the body */
    struct visit       visit;
};

struct redirect {
    const char *from, *to; /* to: "" is the host itself */
    size_t      from_len, to_len;
    unsigned    from_port, to_port; /* 0: any, the same */
};

struct visits {
    CURLM               *multi;
    struct region       *region; /* of the options */
    const char          *ca;
    struct redirect     *redirects;
    size_t               redirects_count;
    unsigned             timeout; /* seconds */
    struct visit_server *servers; /* see visit.c */
    struct trip         *trips;   /* that have begun */
    size_t               open, open_max;
    struct pollfd       *polls; /* what is waited for beside libcurl's own, in both its forms */
    struct curl_waitfd  *waits;
    size_t               room;
    bool                 no_memory;
};

/* visit_redirect.c: HOST1:PORT1:HOST2:PORT2, which the redirect goes on pointing into. */
bool visit_read_redirect(const char *text, struct redirect *redirect);

/* visit_trip.c: begins a trip that is new; goes on when something has come at its socket; ends it
   where its time is over. */
void visit_begin(struct trip *trip);
void visit_ready(struct trip *trip);
void visit_check_time(struct trip *trip, int64_t now);

/* One connection of the trip has come to this, with a text where it is not VISIT_OK. */
void visit_came_to(struct trip *trip, enum visit_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* visit_talk.c: begins to speak, goes on, or says goodbye. */
void visit_talk(struct trip *trip);
void visit_hear(struct trip *trip);

/* visit_transfer.c: gives the connection to libcurl; takes in how that ended; takes what there is of
   an answer; gives libcurl's part back. */
void visit_transfer(struct trip *trip);
void visit_transferred(struct trip *trip, CURLcode code);
void visit_read_response(struct trip *trip);
void visit_end_transfer(struct trip *trip);

#endif
