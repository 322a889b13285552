// Native functions in C++, for the suites: exceptions, inside and out of the function.

#include "keylane.h"

#include <stdexcept>
#include <string>
#include <vector>

namespace trades {
struct NoSuchTrade : std::runtime_error {
    using std::runtime_error::runtime_error;
};
} // namespace trades

static int deep(int depth) {
    std::vector<std::string> held(3, std::string(100, 'x'));
    if (depth == 0)
        throw trades::NoSuchTrade("trade 7 is not there");
    return deep(depth - 1) + static_cast<int>(held.size());
}

KEYLANE_FUNCTION(context, event, length, response) {
    (void)context;
    const std::string what(event, length);
    if (what == "\"caught\"") {
        try {
            deep(20);
        } catch (const trades::NoSuchTrade &error) {
            const std::string answer = "\"caught: " + std::string(error.what()) + "\"";
            return keylane_result(response, answer.data(), answer.size());
        }
    }
    if (what == "\"uncaught\"")
        deep(20);
    if (what == "\"standard\"")
        std::vector<int>().at(7);
    if (what == "\"number\"")
        throw 7;
    return keylane_result(response, "\"fine\"", 6);
}

// Without keylane.h's catching: the exception leaves the function.
extern "C" KEYLANE_EXPORT int escaping(const keylane_context *, char *event, size_t length,
                                       keylane_response *response) {
    if (std::string(event, length) == "\"throw\"")
        deep(3);
    return keylane_result(response, "\"fine\"", 6);
}
