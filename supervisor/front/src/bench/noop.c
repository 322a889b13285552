/* The function that does nothing: it answers with its event. */
#include "keylane.h"

KEYLANE_FUNCTION(context, event, length, response) {
    (void)context;
    return keylane_result(response, event, length);
}
