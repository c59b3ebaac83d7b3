/* What the SIP stack tells the agent beside pjsua's own callbacks; read by sip/stack/telling.py. */

#ifndef TEXTBACK_TELLING_H
#define TEXTBACK_TELLING_H

#include <pjsua-lib/pjsua.h>

enum textback_kind {
    TEXTBACK_IN_RINGING_CALL, /* an UPDATE or another INVITE */
    TEXTBACK_NOT_TAKEN,       /* a request of a method that nobody here takes, or of one that needs a call and is in none */
    TEXTBACK_UNREADABLE,      /* what is no SIP message that could be read; `why` says what is wrong with it */
};

/* Returns the status with which to refuse what is not taken; 0: leave it to pjsua. */
typedef int (*textback_listener)(int kind, const char *source, const char *why, const char *text, pj_size_t length);

int textback_tell(enum textback_kind kind, const pjsip_rx_data *rdata, const char *why);

#endif
