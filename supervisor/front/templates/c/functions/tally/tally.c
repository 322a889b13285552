/* Counts words.
 *
 * Event: a JSON array of words, as words.c makes it. Result: how many there are, and how often each.
 */
#include "keylane.h"
#include <stdio.h>

struct word {
    const char *text; /* in the event */
    int length;
};

static int compare(const void *left, const void *right) {
    const struct word *a = left, *b = right;
    int least = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->text, b->text, (size_t)least);
    return order ? order : a->length - b->length;
}

KEYLANE_FUNCTION(context, event, length, response) {
    (void)context;
    struct word *words = malloc((length / 2 + 1) * sizeof *words);
    /* A word of the event becomes itself, a colon, a comma and at most twenty digits. */
    size_t room = 24 * length + 64, used = 0, count = 0;
    char *result = malloc(room);
    if (words == NULL || result == NULL) {
        free(words);
        free(result);
        return keylane_error(response, "OutOfMemory", "no room for the words");
    }
    for (char *at = event, *end; (at = strchr(at, '"')) != NULL; at = end + 1) {
        end = strchr(at + 1, '"');
        if (end == NULL)
            break;
        words[count].text = at + 1;
        words[count++].length = (int)(end - at - 1);
    }
    qsort(words, count, sizeof *words, compare);
    used += (size_t)snprintf(result, room, "{\"words\":%zu,\"counts\":{", count);
    for (size_t first = 0, next; first < count; first = next) {
        for (next = first; next < count && compare(&words[first], &words[next]) == 0;)
            next++;
        used += (size_t)snprintf(result + used, room - used, "%s\"%.*s\":%zu", first ? "," : "",
                                 words[first].length, words[first].text, next - first);
    }
    used += (size_t)snprintf(result + used, room - used, "}}");
    free(words);
    return keylane_result_owned(response, result, used);
}
