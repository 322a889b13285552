"""Definitions for the validators: valid ones, and one for each of many mistakes."""

import cases

LAMBDA = cases.ARN + "echo"
LONG = "x" * 81


def single(**state):
    return cases.single(**state)


def task(**fields):
    return single(**{"Type": "Task", "Resource": LAMBDA, **fields})


def rule(wanted=None, **state):
    wanted = {"Variable": "$.a", "IsNull": True, "Next": "E"} if wanted is None else wanted
    choice = {"Type": "Choice", "Choices": [wanted], "Default": "E", **state}
    return cases.machine("C", C=choice, E={"Type": "Succeed"})


def compare(name, operand, variable="$.a"):
    return rule({"Variable": variable, name: operand, "Next": "E"})


def good():
    for fields in [
        {"TimeoutSeconds": 5}, {"TimeoutSeconds": 5, "HeartbeatSeconds": 4},
        {"TimeoutSecondsPath": "$.t"}, {"HeartbeatSecondsPath": "$.h", "TimeoutSeconds": 9},
        {"Parameters": {"a.$": "$.b", "c": [1]}}, {"ResultSelector": {"a.$": "$.b"}},
        {"ResultPath": None}, {"InputPath": None, "OutputPath": None},
        {"InputPath": "$$.Execution.Input"}, {"Retry": [{"ErrorEquals": ["States.ALL"]}]},
        {"Retry": [{"ErrorEquals": ["A"], "IntervalSeconds": 1, "MaxAttempts": 0,
                    "BackoffRate": 1.5, "MaxDelaySeconds": 10, "JitterStrategy": "FULL"}]},
        {"Comment": "c"}, {"Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/x"}},
    ]:  # fmt: skip
        yield task(**fields)
    for fields in [
        {"Seconds": 1}, {"SecondsPath": "$.s"}, {"Timestamp": "2024-01-01T00:00:00Z"},
        {"TimestampPath": "$.t"},
    ]:  # fmt: skip
        yield single(Type="Wait", **fields)
    yield single(Type="Succeed")
    for fields in [{}, {"Error": "a", "Cause": "b"}, {"ErrorPath": "$.a", "CausePath": "$.b"}]:
        yield single(Type="Fail", **fields)
    yield single(Type="Pass", Result=[1])
    yield rule({"And": [{"Variable": "$.a", "IsNull": True}], "Next": "E"})
    yield rule({"Not": {"Variable": "$.a", "IsPresent": False}, "Next": "E"})
    for name, operand in cases.COMPARISONS:
        yield compare(name, operand)
    yield {**single(), "Version": "1.0", "TimeoutSeconds": 60, "Comment": "c"}
    for family in [cases.data_flow, cases.fans, cases.tasks, cases.errors, cases.variables]:
        yield from family()
    yield from cases.generated(100, 5000)


def broken():
    for fields in [
        {"TimeoutSeconds": 0}, {"TimeoutSeconds": 1.5}, {"TimeoutSeconds": "5"},
        {"TimeoutSeconds": 5, "TimeoutSecondsPath": "$.t"},
        {"TimeoutSeconds": 5, "HeartbeatSeconds": 6}, {"InputPath": 3}, {"InputPath": "x"},
        {"ResultPath": "$.a[*]"}, {"OutputPath": "x.y"}, {"Retry": {}}, {"Retry": [{}]},
        {"Retry": [{"ErrorEquals": []}]}, {"Retry": [{"ErrorEquals": ["States.ALL", "E"]}]},
        {"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]},
        {"Retry": [{"ErrorEquals": ["E"], "BackoffRate": 0.5}]},
        {"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 0}]},
        {"Retry": [{"ErrorEquals": ["E"], "MaxAttempts": -1}]},
        {"Retry": [{"ErrorEquals": ["E"], "JitterStrategy": "HALF"}]},
        {"Catch": [{"ErrorEquals": ["E"]}]}, {"Catch": [{"ErrorEquals": ["E"], "Next": "None"}]},
        {"Catch": [{"Next": "S"}]}, {"Resource": 7}, {"Branches": []}, {"Choices": []},
        {"Seconds": 3}, {"Foo": 1}, {"Parameters": {"a.$": 5}}, {"Parameters": {"a.$": "x"}},
        {"ResultSelector": {"a.$": "nope"}}, {"Next": "S"}, {"Comment": 5},
    ]:  # fmt: skip
        yield task(**fields)
    for state in [
        {"Type": "Task", "Resource": LAMBDA, "Next": "X"}, {"Type": "Task", "Resource": LAMBDA, "End": "yes"},
        {"Type": "Task", "End": True}, {"End": True}, {"Type": 5, "End": True},
        {"Type": "Nope", "End": True}, {"Type": "Succeed", "Next": "S"},
        {"Type": "Succeed", "End": True}, {"Type": "Fail", "Next": "S"},
    ]:  # fmt: skip
        yield {"StartAt": "S", "States": {"S": state}}
    for fields in [
        {}, {"Seconds": 1, "SecondsPath": "$.s"}, {"Seconds": "1"}, {"Seconds": -1},
        {"Timestamp": "soon"},
    ]:  # fmt: skip
        yield single(Type="Wait", **fields)
    yield single(Type="Pass", Retry=[])
    yield single(Type="Fail", Error=5)
    yield single(Type="Fail", Error="a", ErrorPath="$.a")
    yield single(Type="Parallel")
    yield single(Type="Parallel", Branches=[])
    yield single(Type="Parallel", Branches=[{"StartAt": "A"}])
    yield single(Type="Parallel", Branches=[{"StartAt": "A", "States": {"B": {"Type": "Succeed"}}}])
    ends = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    for fields in [
        {}, {"ItemProcessor": {}}, {"MaxConcurrency": -1, "ItemProcessor": ends},
        {"ItemProcessor": {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "S"}}}},
        {"ToleratedFailurePercentage": 101, "ItemProcessor": ends},
        {"ItemsPath": 3, "ItemProcessor": ends},
    ]:  # fmt: skip
        yield single(Type="Map", **fields)
    for name, operand in [
        ("StringEqual", "x"), ("StringEquals", 5), ("NumericEquals", "5"), ("BooleanEquals", "t"),
        ("IsNull", "x"), ("TimestampEquals", "x"), ("StringEqualsPath", "x"),
    ]:  # fmt: skip
        yield compare(name, operand)
    yield compare("IsNull", True, variable="a")
    isnull = {"Variable": "$.a", "IsNull": True}
    for wanted in [
        {"IsNull": True, "Next": "E"}, {"Variable": "$.a", "Next": "E"}, isnull,
        {**isnull, "IsString": True, "Next": "E"}, {"And": [], "Next": "E"},
        {"Not": {**isnull, "Next": "E"}, "Next": "E"}, {**isnull, "Next": "Q"},
        {"Not": [], "Next": "E"},
    ]:  # fmt: skip
        yield rule(wanted)
    yield rule(End=True)
    yield rule(Default="Q")
    one = {"A": {"Type": "Pass", "End": True}}
    for definition in [
        {}, {"StartAt": "A"}, {"States": one}, {"StartAt": "A", "States": {}},
        {"StartAt": "B", "States": one}, {"StartAt": "A", "States": {"A": {"Type": "Pass"}}},
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}},
        {"StartAt": "A", "X": 1, "States": one}, {"StartAt": "A", "Version": "2", "States": one},
        {"StartAt": "A", "Version": 1, "States": one},
        {"StartAt": "A", "TimeoutSeconds": 0, "States": one}, {"StartAt": 5, "States": one},
        {"StartAt": "A", "States": {**one, LONG: {"Type": "Pass", "End": True}}},
        {"StartAt": "A", "States": {**one, "B": {"Type": "Pass", "End": True}}},
        {"StartAt": "A", "States": {"A": {"Type": "Parallel", "End": True,
                                          "Branches": [{"StartAt": "A", "States": one}]}}},
        {"StartAt": "A", "States": []},
    ]:  # fmt: skip
        yield definition


def all_cases():
    """Every definition, and whether it is one of the broken."""
    for definition in good():
        yield definition, False
    for definition in broken():
        yield definition, True
