/* Prints what this build of pjproject holds, as a Python module: read by the gateway, so that it never guesses. */

#include <pjsua-lib/pjsua.h>
#include <stdio.h>

int main(void)
{
    printf("\"\"\"How this pjsua2 was built. Written by script/build-pjsua2 out of the compiler's own values.\"\"\"\n\n");
    printf("PJ_VERSION = \"%s\"\n", pj_get_version());
    printf("MAX_CALLS = %d\n", PJSUA_MAX_CALLS);
    printf("MAX_ACCOUNTS = %d\n", PJSUA_MAX_ACC);
    printf("MAX_SOCKETS = %d\n", PJ_IOQUEUE_MAX_HANDLES);
    return 0;
}
