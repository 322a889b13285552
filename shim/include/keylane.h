/*
 * Native functions for Keylane, in C and C++.
 *
 *     #include "keylane.h"
 *
 *     KEYLANE_FUNCTION(context, event, length, response) {
 *         return keylane_result(response, event, length);
 *     }
 *
 *     gcc -shared -fPIC -O2 -I shim/include -o libecho.so echo.c
 *
 * A function is called with one event, JSON in UTF-8, and answers with a result, JSON in UTF-8, or
 * with an error. It is called again and again in one process, one call at a time, always on the
 * same thread. Whatever it does to its process, it does to itself alone.
 *
 * Who owns what
 *   context   the caller's; valid until the function returns.
 *   event     the caller's; `length` bytes and a NUL after them. The function may change them in
 *             place, must not free them, and must not use them after it has returned.
 *   response  the caller's, with no text in it yet. Each text that the function puts there is the
 *             caller's from the return on: it calls `release`, or free(3) where that is null, on
 *             the same thread, once, also for a text that it has no use for. So a text must come
 *             from malloc(3), or bring its own release (keylane_keep for bytes that stay: constants,
 *             static buffers, the event).
 *
 * Errors
 *   Return anything but 0 for an error. Its name is what Retry and Catch of the workflow compare.
 *   Names that begin with `States.`, `Lambda.` or `Keylane.` are the platform's and are refused.
 *   In C++ an exception that leaves the function becomes an error under the name of its class, with
 *   what() as its message. abort(), a crash and exit() end the process; the workflow gets the error
 *   Lambda.Unknown, which says how.
 *
 * Threads, static data and constructors
 *   The shared object is loaded once, then the process is forked for each worker: constructors run
 *   before the fork, and what they leave in memory every worker has a copy of. They must leave no
 *   thread behind; a call may start threads.
 *
 * Versions
 *   The object exports `keylane_abi`, a number that including this header puts there. Structures only
 *   grow, at their ends: `context->size` says how far the caller's goes.
 */
#ifndef KEYLANE_H
#define KEYLANE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __cplusplus
#include <cxxabi.h>
#include <exception>
#include <typeinfo>
extern "C" {
#endif

/* The version of this interface. */
#define KEYLANE_ABI 1u

/* What a function returns. */
#define KEYLANE_RESULT 0
#define KEYLANE_ERROR 1

#define KEYLANE_EXPORT __attribute__((visibility("default"), used))

/* What a function learns about its call. */
typedef struct keylane_context {
    uint32_t abi;              /* the version that the caller speaks */
    uint32_t size;             /* bytes of this structure as the caller knows it */
    const char *function_name; /* its name in the project, with a NUL at its end */
    uint64_t deadline_ns;      /* when the call is given up, on CLOCK_MONOTONIC; 0: nobody says */
    uint64_t response_limit;   /* bytes that the result may have */
    uint32_t *heartbeat;       /* for keylane_heartbeat; null: nobody listens */
} keylane_context;

/*
 * Tells that this call still works, for a state with HeartbeatSeconds: any thread may, as often as it
 * likes, for the price of one addition. It puts off neither TimeoutSeconds nor the function's timeout.
 */
static inline void keylane_heartbeat(const keylane_context *context) {
    if (context->size >= offsetof(keylane_context, heartbeat) + sizeof(context->heartbeat) &&
        context->heartbeat != NULL)
        __atomic_fetch_add(context->heartbeat, 1u, __ATOMIC_RELAXED);
}

/* Bytes that a function hands over. */
typedef struct keylane_text {
    char *data;                                 /* null: no bytes at all */
    size_t length;
    void (*release)(void *data, size_t length); /* null: free(data) */
} keylane_text;

/* What a function answers. */
typedef struct keylane_response {
    keylane_text result;        /* JSON; without one, the result is null */
    keylane_text error_name;
    keylane_text error_message;
    keylane_text error_trace;   /* one place a line */
} keylane_response;

typedef int (*keylane_handler)(const keylane_context *context, char *event, size_t length,
                               keylane_response *response);

/* The version that this object was built for. Weak: every file that includes this has one. */
extern __attribute__((visibility("default"), weak)) const uint32_t keylane_abi;
const uint32_t keylane_abi = KEYLANE_ABI;

/* A release for bytes that stay where they are. */
static inline void keylane_keep(void *data, size_t length) {
    (void)data;
    (void)length;
}

/* Puts a copy of `length` bytes into `text`. Returns 0, or -1 where there is no memory. */
static inline int keylane_copy(keylane_text *text, const char *data, size_t length) {
    char *copy = (char *)malloc(length ? length : 1);
    if (copy == NULL)
        return -1;
    memcpy(copy, data, length);
    text->data = copy;
    text->length = length;
    text->release = NULL;
    return 0;
}

/* Puts a constant into `text`: its bytes must stay and are not copied. */
static inline void keylane_constant(keylane_text *text, const char *constant) {
    text->data = (char *)constant;
    text->length = strlen(constant);
    text->release = keylane_keep;
}

/* Fails with a copy of a name and a message: `return keylane_error(response, "NoTrade", text);` */
static inline int keylane_error(keylane_response *response, const char *name,
                                const char *message) {
    if (keylane_copy(&response->error_name, name, strlen(name)) != 0 ||
        keylane_copy(&response->error_message, message, strlen(message)) != 0)
        keylane_constant(&response->error_message, "the function ran out of memory");
    return KEYLANE_ERROR;
}

/* Answers with a copy of `length` bytes of JSON: `return keylane_result(response, json, length);` */
static inline int keylane_result(keylane_response *response, const char *json, size_t length) {
    if (keylane_copy(&response->result, json, length) == 0)
        return KEYLANE_RESULT;
    keylane_constant(&response->error_name, "OutOfMemory");
    keylane_constant(&response->error_message, "the function ran out of memory");
    return KEYLANE_ERROR;
}

/* Answers with a text that malloc(3) made: the caller frees it. */
static inline int keylane_result_owned(keylane_response *response, char *json, size_t length) {
    response->result.data = json;
    response->result.length = length;
    response->result.release = NULL;
    return KEYLANE_RESULT;
}

#ifdef CLOCK_MONOTONIC /* not under -std=c99 and the like, which hide POSIX */
/* Nanoseconds until the call is given up: 0 if that is past, UINT64_MAX if nobody says when. */
static inline uint64_t keylane_remaining_ns(const keylane_context *context) {
    struct timespec now;
    uint64_t passed;
    if (context->deadline_ns == 0 || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return UINT64_MAX;
    passed = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return passed < context->deadline_ns ? context->deadline_ns - passed : 0;
}
#endif

/*
 * Begins the function that a project calls where it names only the shared object; the words in the
 * parentheses become the names of its parameters. KEYLANE_FUNCTION_NAMED gives it another name,
 * which the project writes as `handler = "libfile.so:name"`; an object may hold several.
 */
#define KEYLANE_FUNCTION(context, event, length, response) \
    KEYLANE_FUNCTION_NAMED(keylane_function, context, event, length, response)

#ifndef __cplusplus

#define KEYLANE_FUNCTION_NAMED(name, context, event, length, response)                            \
    KEYLANE_EXPORT int name(const keylane_context *context, char *event, size_t length,           \
                            keylane_response *response);                                          \
    int name(const keylane_context *context, char *event, size_t length,                          \
             keylane_response *response)

#else

} /* extern "C" */

/* Calls a function and makes an error of what it throws. */
static inline int keylane_caught(keylane_handler function, const keylane_context *context,
                                 char *event, size_t length, keylane_response *response) {
    try {
        return function(context, event, length, response);
    } catch (const std::exception &error) {
        int status = 0;
        char *name = abi::__cxa_demangle(typeid(error).name(), NULL, NULL, &status);
        keylane_error(response, name ? name : typeid(error).name(), error.what());
        free(name);
        return KEYLANE_ERROR;
    } catch (abi::__forced_unwind &) {
        throw; /* a thread that is being cancelled must go on ending */
    } catch (...) {
        const std::type_info *type = abi::__cxa_current_exception_type();
        int status = 0;
        char *name = type ? abi::__cxa_demangle(type->name(), NULL, NULL, &status) : NULL;
        keylane_error(response, name ? name : "UnknownException",
                      "the function threw a value that is no std::exception");
        free(name);
        return KEYLANE_ERROR;
    }
}

#define KEYLANE_FUNCTION_NAMED(name, context, event, length, response)                            \
    static int keylane_body_of_##name(const keylane_context *context, char *event, size_t length, \
                                      keylane_response *response);                                \
    extern "C" KEYLANE_EXPORT int name(const keylane_context *c, char *e, size_t l,               \
                                       keylane_response *r) {                                     \
        return keylane_caught(keylane_body_of_##name, c, e, l, r);                                \
    }                                                                                             \
    static int keylane_body_of_##name(const keylane_context *context, char *event, size_t length, \
                                      keylane_response *response)

#endif /* __cplusplus */

#endif /* KEYLANE_H */
