/* How Textback builds pjproject: many short calls, no sound device, no video. */

#define PJ_HAS_IPV6                     1

/* Room. One call more than the largest sip.max_calls is needed, to tell it that we are busy. */
#define PJSUA_MAX_CALLS                 512
#define PJSUA_MAX_ACC                   64
#define PJSUA_MAX_PLAYERS               512
#define PJSUA_MAX_RECORDERS             512
#define PJSUA_MAX_CONF_PORTS            2048
#define PJ_IOQUEUE_MAX_HANDLES          4096
#define PJ_IOQUEUE_EPOLL                1
#define PJSIP_MAX_TSX_COUNT             8191
#define PJSIP_MAX_DIALOG_COUNT          4095

/* Every CANCEL keeps its transaction, its answer and the dialog for 32 s (RFC 3261, timer J): at 200 calls/s that is what
 * the memory goes to, so these start small and grow where a message needs more. */
#define PJSIP_POOL_LEN_TDATA            1024
#define PJSIP_POOL_INC_TDATA            1024
#define PJSIP_POOL_LEN_DIALOG           1536
#define PJSIP_POOL_INC_DIALOG           1024
#define PJSIP_POOL_LEN_UA               512
#define PJSIP_POOL_INC_UA               512

/* A longer message is cut, and a cut INVITE is refused: Identity, History-Info and a mobile network's SDP together pass 4000. */
#define PJSIP_MAX_PKT_LEN               12000

/* A burst must wait in the kernel, not be lost. */
#define PJSIP_UDP_SO_RCVBUF_SIZE        4194304
#define PJSIP_UDP_SO_SNDBUF_SIZE        4194304

/* A burst of connections waits in the kernel too. One that cannot be accepted for want of descriptors is tried again for ever:
 * after 50 failures, which take a millisecond, the listener would be deaf until the next start. */
#define PJSIP_TCP_TRANSPORT_BACKLOG     128
#define PJ_ACTIVESOCK_MAX_CONSECUTIVE_ACCEPT_ERROR 0x7FFFFFFF

/* No 100 Trying: a caller who has it sends the INVITE no more, and the next gateway never sees it. The 180, or a final response,
 * follows sooner than the 200 ms that RFC 3261 §17.2.1 allows without. */
#define PJSUA_DISABLE_AUTO_SEND_100     1

/* No devices here: media goes to files and to other calls. */
#define PJMEDIA_HAS_VIDEO               0
#define PJMEDIA_AUDIO_DEV_HAS_ALSA      0
#define PJMEDIA_AUDIO_DEV_HAS_PORTAUDIO 0
#define PJMEDIA_RESAMPLE_IMP            PJMEDIA_RESAMPLE_LIBSAMPLERATE
