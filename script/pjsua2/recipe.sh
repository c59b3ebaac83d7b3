# shellcheck shell=bash disable=SC2153
# How pjproject's source becomes a wheel: all that would make another wheel, and nothing else, since it is part of the cache's key.
# Sourced by build-pjsua2, which gives HERE, WORK, LOG, PYTHON, and `step`, `failed`, `make_venv` and `keep`.

compile() { # VERSION
    local jobs
    jobs=$(nproc)
    cd "$WORK/pj" || return 1
    { cp "$HERE/pjsua2/config_site.h" pjlib/include/pj/config_site.h && sed -i 's/bdimad_dev\.o//' pjmedia/build/Makefile; } 2>>"$LOG" ||
        { failed "pjproject's source cannot be prepared"; return 1; }
    mend_source 2>>"$LOG" || { failed "pjproject $1 is not the one that is known here: its accept(), its search for RTP ports, how it reads messages or its incoming calls look otherwise"; return 1; }
    step "configuring pjproject $1"
    CFLAGS="-fPIC -O2 -DNDEBUG" ./configure --disable-shared --disable-sound --disable-video --enable-epoll \
        --with-external-srtp --with-external-gsm --with-external-speex --disable-speex-aec --disable-ilbc-codec \
        --disable-g7221-codec --disable-libwebrtc --disable-libyuv --disable-libwebrtc-aec3 --disable-resample \
        --enable-libsamplerate >>"$LOG" 2>&1 || { failed "configure failed"; return 1; }
    step "compiling the libraries (a minute or two)"
    { make dep && make -j"$jobs" lib; } >>"$LOG" 2>&1 || { failed "the libraries did not compile"; return 1; }
    step "writing the Python binding (about a minute)"
    make -C pjsip-apps/src/swig/python PYTHON_EXE="$PYTHON" pjsua2_wrap.cpp >>"$LOG" 2>&1 || { failed "swig failed"; return 1; }
}

mend_source() { # what no setting can change
    local accept=pjlib/src/pj/ioqueue_common_abs.c media=pjsip/src/pjsua-lib/pjsua_media.c
    local reading=pjsip/src/pjsip/sip_transport.c call=pjsip/src/pjsua-lib/pjsua_call.c
    # One connection a turn: a flood of them must not keep the loop from calls, nor from closing them.
    sed -i '/^PJ_DEF(pj_status_t) pj_ioqueue_accept(/,/^}/s/^#if PJ_IOQUEUE_FAST_TRACK$/#if 0/' $accept
    # Each account looks for free RTP ports on its own: after 100 that others have it would refuse the call.
    sed -i 's/RTP_RETRY = 100$/RTP_RETRY = 1000/' $media
    # Who sent what cannot be read, telling.c has to know: what the stack drops it drops without that.
    sed -i -e '/^PJ_DEF(pj_ssize_t) pjsip_tpmgr_receive_packet(/,/^}/s/ \*tr = rdata->/ *tr = (textback_received = rdata)->/' \
        -e 's/^PJ_DEF(pj_ssize_t) pjsip_tpmgr_receive_packet(/pjsip_rx_data *textback_received;\n\n&/' $reading
    # The 100 that is not sent is not kept either; and what its sending would have done is done: a CANCEL finds the call before the 180.
    sed -i '/^#if !PJSUA_DISABLE_AUTO_SEND_100$/,/^#endif$/s/^#endif$/#else\n        pjsip_tx_data_dec_ref(response);\n        inv->state = PJSIP_INV_STATE_INCOMING;\n#endif/' $call
    # An INVITE for which it lacks something is busy: 500 says to a trunk that we are broken.
    sed -i '/^pj_bool_t pjsua_call_on_incoming(/,/^}/s/PJSIP_SC_INTERNAL_SERVER_ERROR/PJSIP_SC_BUSY_HERE/' $call
    [ "$(grep -c '^#if 0$' $accept)" = 1 ] && grep -q 'RTP_RETRY = 1000$' $media && [ "$(grep -c textback_received $reading)" = 2 ] &&
        [ "$(grep -c '^        inv->state = PJSIP_INV_STATE_INCOMING;$' $call)" = 1 ] && grep -q '^    int sip_err_code = PJSIP_SC_BUSY_HERE;$' $call
}

make_wheel() { # VERSION
    local python=$WORK/venv/bin/python flags
    make_venv || return 1
    cd "$WORK/pj/pjsip-apps/src/swig/python" || return 1
    { cp "$HERE"/pjsua2/{ringing.c,telling.c,telling.h} . && "$python" "$HERE/pjsua2/name_wheel.py" setup.py; } 2>>"$LOG" ||
        { failed "pjproject's setup.py is not the one that is known here"; return 1; }
    read -r -d '' -a flags < <(make --no-print-directory -f helper.mak cflags && printf '\0')
    { gcc "${flags[@]}" "$HERE/pjsua2/capacity.c" -o "$WORK/capacity" && "$WORK/capacity" >pjsua2_build.py; } >>"$LOG" 2>&1 ||
        { failed "the build's own limits could not be read"; return 1; }
    step "compiling the Python binding (about two minutes)"
    PJDIR="$WORK/pj" CFLAGS="-g0" LDFLAGS="-s" "$python" setup.py -q bdist_wheel --dist-dir "$WORK/dist" >>"$LOG" 2>&1 ||
        { failed "the Python binding of pjproject $1 did not compile"; return 1; }
    cd "$HERE" || return 1
    keep "$(find "$WORK/dist" -name '*.whl')"
}
