/* A call that only rings needs no media, and pjsua refuses many a call over its media, by itself: 488 for encryption or
 * codecs that it lacks, 400 or 415 for a body that it cannot read, 500 where no socket is left for RTP. So a new INVITE's body
 * is taken off before pjsua sees it. The text of the message, which the application gets, keeps it. (A call that is answered
 * needs its offer: whoever makes this answer calls has to leave theirs.)
 *
 * Compiled into the Python binding of pjsua2; sip/stack/ringing.py calls the one function that others see. */

#include "telling.h"

static pj_bool_t on_rx_request(pjsip_rx_data *rdata);

static pjsip_module ringing = {
    .name = { "mod-textback-ringing", 20 },
    .id = -1,
    /* After the transactions, which know a message that is repeated; before the dialogs. */
    .priority = PJSIP_MOD_PRIORITY_UA_PROXY_LAYER - 1,
    .on_rx_request = &on_rx_request,
};

static pj_bool_t is_method(const pjsip_rx_data *rdata, const char *name)
{
    return pj_strcmp2(&rdata->msg_info.msg->line.req.method.name, name) == 0;
}

static pjsip_dialog *dialog_of(const pjsip_rx_data *rdata)
{
    return pjsip_ua_find_dialog(&rdata->msg_info.cid->id, &rdata->msg_info.to->tag, &rdata->msg_info.from->tag, PJ_FALSE);
}

static pjsip_inv_session *call_of(pjsip_dialog *dialog)
{
    pjsip_inv_session *call = dialog ? pjsip_dlg_get_inv_session(dialog) : NULL;
    return call && call->role == PJSIP_ROLE_UAS ? call : NULL;
}

static pj_bool_t respond(pjsip_rx_data *rdata, int status)
{
    return pjsip_endpt_respond(pjsua_get_pjsip_endpt(), NULL, rdata, status, NULL, NULL, NULL, NULL) == PJ_SUCCESS;
}

/* Who calls may change while it rings (RFC 4916): the agent is told. Another offer for a call that rings has to wait (RFC 3261
 * §14, RFC 3311 §5.2). pjsua says 500, which some peers take for the end of the call; and it knows of no first offer. What is
 * older than the request before is left to the dialog, which refuses it. To another INVITE for a call that is over pjsua says nothing
 * at all while its dialog lingers. */
static pj_bool_t on_rx_in_call(pjsip_rx_data *rdata)
{
    pj_bool_t is_invite = is_method(rdata, "INVITE"), is_update = is_method(rdata, "UPDATE");
    pj_bool_t is_offer = is_invite || (is_update && rdata->msg_info.msg->body);
    pjsip_dialog *dialog = is_invite || is_update ? dialog_of(rdata) : NULL;
    pjsip_inv_session *call = call_of(dialog);

    if (is_invite && call && call->state == PJSIP_INV_STATE_DISCONNECTED)
        return respond(rdata, PJSIP_SC_CALL_TSX_DOES_NOT_EXIST);
    if (!call || call->state >= PJSIP_INV_STATE_CONNECTING || rdata->msg_info.cseq->cseq <= dialog->remote.cseq)
        return PJ_FALSE;
    textback_tell(TEXTBACK_IN_RINGING_CALL, rdata, "");
    if (!is_offer)
        return PJ_FALSE;
    dialog->remote.cseq = rdata->msg_info.cseq->cseq;
    return respond(rdata, PJSIP_SC_REQUEST_PENDING);
}

static pj_bool_t on_rx_request(pjsip_rx_data *rdata)
{
    if (rdata->msg_info.to->tag.slen > 0)
        return on_rx_in_call(rdata);
    if (is_method(rdata, "INVITE"))
        rdata->msg_info.msg->body = NULL;
    return PJ_FALSE;
}

/* Once after the stack was initialised. 0: done. */
__attribute__((visibility("default"))) int textback_only_ring(void)
{
    return pjsip_endpt_register_module(pjsua_get_pjsip_endpt(), &ringing);
}
