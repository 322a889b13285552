"""The differences that have a reason. Each rule recognises one kind by the definition and by both
answers, as narrowly as it can; what no rule recognises fails the comparison."""

import json
import re

RUNS = {
    "definite": "the path is definite, so it selects one value; moto wraps it in a list",
    "star": "a path that may select several values yields a list; moto unwraps a list of one",
    "none": "a filter that nothing passes selects an empty list in the service; moto fails",
    "place": "the documented error is States.ResultPathMatchFailure; moto answers with a Python exception",
    "grows": "a ResultPath past an array's end does not fit, as documented; moto lengthens the array",
    "null": "a null in the way of a ResultPath is replaced; moto drops the result",
    "intrinsic": "the documented error is States.IntrinsicFailure; moto answers with a Python exception",
    "lenient": "the arguments do not fit the function's documentation; moto takes them",
    "argument": "null is an argument like any other; moto drops it",
    "step": "ArrayRange counts down where its step is negative, as documented; moto refuses the step",
    "braces": "escaped braces are literal, as documented; moto raises a Python exception",
    "offset": "a timestamp may have an offset, as RFC 3339 says; moto reads only those that end in Z",
    "missing": "a rule on a path that selects nothing fails in the service; moto takes null for it",
    "choice": "the documented error is States.NoChoiceMatched; moto answers with a Python exception",
    "items": "the service answers States.Runtime to items that are no array; moto uses an error of JSONata",
    "tolerated": "moto ignores ToleratedFailureCount in an inline Map",
    "path": "a template's path that selects nothing is States.Runtime, which nothing catches, in every "
    "state; moto calls it so in a Pass, and `Exception`, which can be caught, in a Task",
    "limit": "moto holds state data to the service's 256 KiB, Keylane to `payload` (16 MiB)",
    "crash": "moto raises a Python exception: it fails on Assign, and on its own error names inside a "
    "Parallel or Map",
}

CHECKS = {
    "filters": "statelint knows neither filters nor negative indices in paths",
    "unequal": "asl-validator cannot read `!=` in a filter",
    "assign": "statelint knows no variables",
    "items": "asl-validator wants a reference path in ItemsPath; statelint, moto and the service take any",
    "arguments": "asl-validator looks at the kinds of literal arguments; here they fail when they run",
    "more": "neither validator looks at this, the language's specification forbids it",
    "unreachable": "an unreachable state is a warning here",
}


def unwrapped(value):
    """The value with every list of one replaced by its element."""
    if isinstance(value, list):
        return unwrapped(value[0]) if len(value) == 1 else [unwrapped(element) for element in value]
    if isinstance(value, dict):
        return {key: unwrapped(member) for key, member in value.items()}
    return value


def of_run(definition, ours, theirs):
    """The reason why two answers differ, or None."""
    if "refused" in ours or "refused" in theirs:
        return None
    text = json.dumps(definition)
    ours_error, theirs_error = ours["error"], theirs["error"]
    cause = theirs.get("cause", "")
    python = re.match(r"^[A-Za-z]+(Error|Exception)\(", cause)
    if "Custom Error Names" in cause or "'NoneType' object is not callable" in cause:
        return "limit" if "DataLimitExceeded" in cause else "crash"
    if ours_error is None and theirs_error is None:
        if unwrapped(ours["output"]) == unwrapped(theirs["output"]):
            if re.search(r"\.\*|\[\*\]|\.\.", text):
                return "star"
            if re.search(r"\[-?\d+\]", text):
                return "definite"
        if '"ResultPath": "$.z.y"' in text:
            return "null"
        if "null" in text and "States.Array(" in text:
            return "argument"
        return None
    if ours_error is None:
        if "?(" in text and theirs_error == "States.Runtime" and re.search("No results|could not be found", cause):
            return "none"
        if python and "\\\\{" in text:
            return "braces"
        if python and "ArrayRange" in text and "non negative" in cause:
            return "step"
        if python and "datetime" in cause and re.search(r"[+-]\d\d:\d\d\"", text):
            return "offset"
        if "ToleratedFailure" in text:
            return "tolerated"
        return None
    if theirs_error is None:
        selects_nothing = "selects nothing" in ours.get("cause", "")
        if ours_error == "States.ResultPathMatchFailure":
            return "grows" if re.search(r'"ResultPath": "[^"]*\[\d+\]"', text) else None
        if ours_error == "States.IntrinsicFailure":
            return "lenient" if re.search(r"Format\(|Base64Decode\(", text) else None
        if ours_error == "States.Runtime" and selects_nothing:
            if '"Choice"' in text and '"Variable": "$.none"' in text:
                return "missing"
            if "wanted for" in ours["cause"] and '"Task"' in text:
                return "path"
        return None
    if ours_error == "States.ResultPathMatchFailure" and python:
        return "place"
    if ours_error == "States.IntrinsicFailure" and python:
        return "intrinsic"
    if ours_error == "States.NoChoiceMatched" and "No branching option" in cause:
        return "choice"
    if theirs_error == "States.QueryEvaluationError" and ours_error == "States.Runtime":
        return "items"
    if theirs_error == "Exception" and ours_error == "States.Runtime" and "JSONPath" in cause:
        return "path"
    return None


MORE = [
    '"HeartbeatSeconds": 6',
    '["States.ALL", "E"]',
    '{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals"',
    '"Branches": []',
    '"Version": "2"',
]


def of_check(definition, refused, theirs, broken):
    """The reason why ours refuses a definition and both validators accept it, or the reverse."""
    text = json.dumps(definition)
    if refused:
        return "more" if broken and any(part in text for part in MORE) else None
    if broken:
        return "unreachable" if '"B": {"Type": "Pass", "End": true}' in text else None
    if theirs["asl_validator"] and not theirs["statelint"]:
        if "!=" in text:
            return "unequal"
        if re.search(r'"ItemsPath": "[^"]*[*:]', text):
            return "items"
        return "arguments" if "MathAdd('a'" in text else None
    if theirs["asl_validator"]:
        if "!=" in text:
            return "unequal"
        return "unreachable" if '"B2": {"Type": "Succeed"}' in text else None
    if "?(" in text or "[-" in text:
        return "filters"
    return "assign" if "Assign" in text or '"$never"' in text else None
