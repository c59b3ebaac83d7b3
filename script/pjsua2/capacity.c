/* Prints what this build of pjproject holds, as a Python module: read by the gateway, so that it never guesses. */

#include <pjsua-lib/pjsua.h>
#include <openssl/opensslv.h>
#include <stdio.h>

int main(void)
{
    puts("\"\"\"How this pjsua2 was built. Written by script/build-pjsua2 out of the compiler's own values.\"\"\"\n");
    printf("MAX_CALLS = %d\n", PJSUA_MAX_CALLS);
    printf("MAX_ACCOUNTS = %d\n", PJSUA_MAX_ACC);
    printf("MAX_SOCKETS = %d\n", PJ_IOQUEUE_MAX_HANDLES);
    printf("TLS = \"%s\"\n", PJSIP_HAS_TLS_TRANSPORT ? OPENSSL_VERSION_TEXT : "");
    return 0;
}
