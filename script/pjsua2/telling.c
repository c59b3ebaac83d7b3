/* Whatever asks for something that is not done here is refused: pjsua says 200 to a MESSAGE and throws the text away, and says nothing
 * at all to a method that it does not know. And what cannot be read, which the stack drops without a word, is told.
 *
 * Compiled into the Python binding of pjsua2; sip/stack/telling.py calls the two functions that others see. */

#include "telling.h"

extern pjsip_rx_data *textback_received; /* what the stack reads now; put there by recipe.sh */

static const char *const TAKEN[] = { "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK", "UPDATE" };
static const char *const ONLY_IN_CALLS[] = { "BYE", "PRACK", "UPDATE" };

static textback_listener listener;

static pj_bool_t on_rx_request(pjsip_rx_data *rdata);

static pjsip_module telling = {
    .name = { "mod-textback-telling", 20 },
    .id = -1,
    .priority = PJSIP_MOD_PRIORITY_UA_PROXY_LAYER - 1,
    .on_rx_request = &on_rx_request,
};

int textback_tell(enum textback_kind kind, const pjsip_rx_data *rdata, const char *why)
{
    char source[PJ_INET6_ADDRSTRLEN + 10];

    if (!listener)
        return 0;
    pj_sockaddr_print(&rdata->pkt_info.src_addr, source, sizeof(source), 3);
    return listener(kind, source, why, rdata->msg_info.msg_buf, rdata->msg_info.len);
}

static pj_bool_t is_among(const pj_str_t *name, const char *const *names, unsigned count)
{
    while (count > 0)
        if (pj_strcmp2(name, names[--count]) == 0)
            return PJ_TRUE;
    return PJ_FALSE;
}

static const pjsip_hdr *allowed(void)
{
    return pjsip_endpt_get_capability(pjsua_get_pjsip_endpt(), PJSIP_H_ALLOW, NULL);
}

static pj_bool_t on_rx_request(pjsip_rx_data *rdata)
{
    const pj_str_t *method = &rdata->msg_info.msg->line.req.method.name;
    pj_bool_t is_in_none = rdata->msg_info.to->tag.slen == 0 && is_among(method, ONLY_IN_CALLS, PJ_ARRAY_SIZE(ONLY_IN_CALLS));
    const pjsip_hdr *allow = allowed();
    pjsip_hdr headers;
    int status;

    if (is_among(method, TAKEN, PJ_ARRAY_SIZE(TAKEN)) && !is_in_none)
        return PJ_FALSE;
    status = textback_tell(TEXTBACK_NOT_TAKEN, rdata, "");
    if (status == 0)
        return PJ_FALSE;
    pj_list_init(&headers);
    if (status == PJSIP_SC_METHOD_NOT_ALLOWED && allow)
        pj_list_push_back(&headers, pjsip_hdr_clone(rdata->tp_info.pool, allow));
    /* Without a transaction: a flood of these must not take the room of calls. */
    pjsip_endpt_respond_stateless(pjsua_get_pjsip_endpt(), rdata, status, NULL, &headers, NULL);
    return PJ_TRUE;
}

static void on_dropped(pjsip_tp_dropped_data *dropped)
{
    const pjsip_parser_err_report *fault;
    char why[PJ_ERR_MSG_SIZE];

    if (dropped->status == PJ_EIGNORED || !dropped->data)
        return; /* a keep-alive, or a connection that has ended */
    fault = textback_received->msg_info.parse_err.next;
    if (fault != &textback_received->msg_info.parse_err)
        pj_ansi_snprintf(why, sizeof(why), "%.*s cannot be read", (int)fault->hname.slen, fault->hname.ptr);
    else
        pj_strerror(dropped->status, why, sizeof(why));
    textback_tell(TEXTBACK_UNREADABLE, textback_received, why);
}

/* What Allow promises, in the answer to OPTIONS too. */
static void allow_what_is_taken(void)
{
    pjsip_allow_hdr *allow = (pjsip_allow_hdr *)allowed();
    unsigned at, kept = 0;

    for (at = 0; allow && at < allow->count; ++at)
        if (is_among(&allow->values[at], TAKEN, PJ_ARRAY_SIZE(TAKEN)))
            allow->values[kept++] = allow->values[at];
    if (allow)
        allow->count = kept;
}

/* Only while the listener is told of what cannot be read: sends this text where that came from. 0: it is on its way. */
__attribute__((visibility("default"))) int textback_respond(const char *text, pj_size_t length)
{
    pjsip_transport *transport = textback_received->tp_info.transport;
    pjsip_tpselector there = { .type = PJSIP_TPSELECTOR_TRANSPORT, .u.transport = transport };
    pj_status_t status = pjsip_tpmgr_send_raw(pjsip_endpt_get_tpmgr(pjsua_get_pjsip_endpt()), transport->key.type, &there, NULL,
                                              text, length, &textback_received->pkt_info.src_addr,
                                              textback_received->pkt_info.src_addr_len, NULL, NULL);
    return status == PJ_EPENDING ? PJ_SUCCESS : status;
}

/* Once after the stack was initialised. 0: done. */
__attribute__((visibility("default"))) int textback_listen(textback_listener heard)
{
    pj_status_t status;

    listener = heard;
    allow_what_is_taken();
    status = pjsip_endpt_register_module(pjsua_get_pjsip_endpt(), &telling);
    if (status == PJ_SUCCESS)
        status = pjsip_tpmgr_set_drop_data_cb(pjsip_endpt_get_tpmgr(pjsua_get_pjsip_endpt()), &on_dropped);
    return status;
}
