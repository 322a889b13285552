/* Native functions in C, for the suites: a step of a mixed workflow, and one that misbehaves. */

#include "keylane.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* {"value": N, "by": [...]}: adds one to the value, and itself to the list. */
KEYLANE_FUNCTION(context, event, length, response) {
    const char *value = strstr(event, "\"value\":");
    const char *by = strstr(event, "\"by\":[");
    const char *end = by ? strchr(by, ']') : NULL;
    char *text = (char *)malloc(length + 200);
    int written;
    if (!value || !end || !text)
        return keylane_error(response, "NotAStep", "the event has no value, or no list");
    by += strlen("\"by\":[");
    written = sprintf(text, "{\"value\":%ld,\"by\":[%.*s,\"c %s\"]}",
                      strtol(value + 8, NULL, 10) + 1, (int)(end - by), by, context->function_name);
    return keylane_result_owned(response, text, (size_t)written);
}

static int is(const char *event, const char *what) {
    size_t length = strlen(what);
    return strncmp(event + 1, what, length) == 0 && event[length + 1] == '"';
}

static void *wait_for_ever(void *nothing) {
    for (;;)
        pause();
    return nothing;
}

/* Works for two seconds; with a heartbeat every quarter of one if its event says `true`. */
KEYLANE_FUNCTION_NAMED(working, context, event, length, response) {
    int quarters;
    (void)length;
    for (quarters = 0; quarters < 8; quarters++) {
        usleep(250000);
        if (event[0] == 't')
            keylane_heartbeat(context);
    }
    return keylane_result(response, "\"done\"", 6);
}

/* Does what its event says; every other event answers "fine". */
KEYLANE_FUNCTION_NAMED(culprit, context, event, length, response) {
    (void)context;
    (void)length;
    if (is(event, "error"))
        return keylane_error(response, "NoSuchTrade", "trade 7 is not there");
    if (is(event, "reserved"))
        return keylane_error(response, "Lambda.Unknown", "not yours");
    if (is(event, "no json"))
        return keylane_result(response, "{'a': 1}", 8);
    if (is(event, "abort"))
        abort();
    if (is(event, "exit"))
        exit(3);
    if (is(event, "segfault"))
        *(volatile int *)16 = 1;
    if (is(event, "divide")) {
        volatile int ten = 10, zero = 0;
        return keylane_result(response, "0", (size_t)(ten / zero));
    }
    if (is(event, "illegal"))
        __builtin_trap();
    if (is(event, "spin"))
        for (;;)
            __asm__ volatile("" ::: "memory");
    if (is(event, "block")) {
        int ends[2];
        char byte;
        if (pipe(ends) == 0 && read(ends[0], &byte, 1) == 1)
            return 0;
    }
    if (is(event, "double free")) {
        char *volatile twice = (char *)malloc(10);
        free(twice);
        free(twice);
    }
    if (is(event, "stray thread")) {
        pthread_t thread;
        pthread_create(&thread, NULL, wait_for_ever, NULL);
    }
    return keylane_result(response, "\"fine\"", 6);
}
