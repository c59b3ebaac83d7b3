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

/* A burst must wait in the kernel, not be lost. */
#define PJSIP_UDP_SO_RCVBUF_SIZE        4194304
#define PJSIP_UDP_SO_SNDBUF_SIZE        4194304

/* No devices here: media goes to files and to other calls. */
#define PJMEDIA_HAS_VIDEO               0
#define PJMEDIA_AUDIO_DEV_HAS_ALSA      0
#define PJMEDIA_AUDIO_DEV_HAS_PORTAUDIO 0
#define PJMEDIA_RESAMPLE_IMP            PJMEDIA_RESAMPLE_LIBSAMPLERATE
