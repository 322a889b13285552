/* Splits a text into words.
 *
 * Event: a JSON string. Result: a JSON array of its words in lower case, [] without any.
 */
#include "keylane.h"
#include <ctype.h>

/* Letters and digits of ASCII, and every byte of a longer character. */
static int belongs(unsigned char c) {
    return isalnum(c) || c >= 0x80;
}

KEYLANE_FUNCTION(context, event, length, response) {
    (void)context;
    if (length < 2 || event[0] != '"')
        /* The workflow sees the name: Retry and Catch compare it. */
        return keylane_error(response, "NoText", "the event is no text");
    /* Each byte of the event becomes at most four of the result: a letter, two quotes, a comma. */
    char *result = malloc(4 * length + 3);
    if (result == NULL)
        return keylane_error(response, "OutOfMemory", "no room for the result");
    size_t used = 0;
    int within = 0;
    result[used++] = '[';
    for (size_t at = 1; at + 1 < length; at++) {
        unsigned char c = (unsigned char)event[at];
        if (c == '\\') {
            /* An escape separates words: \n, or \u and four digits. */
            at += event[at + 1] == 'u' ? 5 : 1;
            c = ' ';
        }
        if (belongs(c)) {
            if (!within) {
                if (used > 1)
                    result[used++] = ',';
                result[used++] = '"';
            }
            result[used++] = (char)tolower(c);
        } else if (within) {
            result[used++] = '"';
        }
        within = belongs(c);
    }
    if (within)
        result[used++] = '"';
    result[used++] = ']';
    return keylane_result_owned(response, result, used);
}
