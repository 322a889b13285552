"""The definitions that are compared, with their inputs: written by hand for each feature, then made
at random from a fixed seed."""

import itertools
import random

ARN = "arn:aws:lambda:us-east-1:123456789012:function:"

INPUTS = [
    {
        "a": {"b": [1, 2, {"c": "x"}]},
        "n": 5,
        "s": "hi",
        "t": True,
        "z": None,
        "items": [{"k": 1, "v": "a"}, {"k": 2, "v": "b"}, {"k": 3}],
        "f": 1.5,
        "e": {},
        "when": "2024-01-01T00:00:00Z",
        "one": 1,
        "no": [],
    },
    [1, 2],
    "str",
]

PATHS = """
$ $.a $.a.b $.a.b[0] $.a.b[-1] $.a.b[*] $.items[*].v $.items[*].k $..k $..c $.items[0:2] $.items[1:]
$.items[:1] $.items[0,2].k $['a']['b'] $.none $.none.x $.z $.items[9] $.items[*].none $.a.* $.e
$.a.b[2].c $.z.x $.s.x $.items.k $.no $.no[*] $['n'] $.items[2].v $.items[0] $.f $.when
""".split() + [
    "$.items[?(@.k > 1)]",
    "$.items[?(@.k == 2)].v",
    "$.items[?(@.v == 'a')]",
    "$.items[?(@.k > 9)]",
    "$.items[?(@.k >= 2)].k",
    "$.items[?(@.v)]",
    "$.items[?(@.k != 2)].k",
]

PLACES = [
    "$", "$.r", "$.a.r", "$.a.b", "$.n", "$.new.deep.er", "$.items[0]", "$.items[1].k", None,
    "$.s.x", "$.e.x", "$.z.y", "$.items[9]", "$['r']", "$.a.b[2].d",
]  # fmt: skip

CALLS = [
    "States.Format('{} {}',$.n,$.s)", "States.Format('{}',$.a)", "States.Format('{}',$.t)",
    "States.Format('{}',$.z)", "States.Format('{}',$.f)", r"States.Format('a\{b\}')",
    "States.Format('plain')", "States.Format('{}',$.items)", "States.Format('{}',1)",
    "States.Format('{} {}',$.n)", "States.Format('{}',$.n,$.s)",
    "States.Array(1,2,'x')", "States.Array($.n)", "States.Array()", "States.Array($.a,null,true)",
    "States.ArrayPartition($.a.b,2)", "States.ArrayPartition($.no,2)",
    "States.ArrayPartition($.a.b,0)", "States.ArrayPartition($.a.b,9)",
    "States.ArrayContains($.a.b,2)", "States.ArrayContains($.a.b,9)",
    "States.ArrayContains($.items,$.items[1])", "States.ArrayContains($.no,1)",
    "States.ArrayRange(1,9,2)", "States.ArrayRange(1,9,3)", "States.ArrayRange(9,1,-4)",
    "States.ArrayRange(1,9,0)", "States.ArrayRange(5,5,1)",
    "States.ArrayGetItem($.a.b,1)", "States.ArrayGetItem($.a.b,9)", "States.ArrayGetItem($.s,0)",
    "States.ArrayLength($.items)", "States.ArrayLength($.no)", "States.ArrayLength($.s)",
    "States.ArrayUnique(States.Array(1,2,1,3))", "States.ArrayUnique($.no)",
    "States.ArrayUnique(States.Array('a','b','a'))",
    "States.Base64Encode('abc')", "States.Base64Decode('YWJj')", "States.Base64Encode($.s)",
    "States.Base64Encode('')", "States.Base64Decode('!!')",
    "States.Hash('abc','SHA-1')", "States.Hash('abc','MD5')", "States.Hash('abc','SHA-256')",
    "States.Hash('abc','SHA-384')", "States.Hash('abc','SHA-512')", "States.Hash('abc','NOPE')",
    "States.Hash($.s,'MD5')",
    "States.JsonMerge($.a,$.e,false)", "States.JsonMerge($.a,$.e,true)",
    "States.JsonMerge($.items[0],$.items[1],false)", "States.JsonMerge($.n,$.e,false)",
    "States.MathAdd($.n,3)", "States.MathAdd($.n,-8)", "States.MathAdd('a',1)",
    "States.MathAdd(0,0)",
    "States.StringSplit('a,b,c',',')", "States.StringSplit('a,b;c','.,;')",
    "States.StringSplit('abc',',')", "States.StringSplit($.s,'i')", "States.StringSplit('a--b','-')",
    "States.StringToJson('{\"a\": 1}')", "States.StringToJson('nope')", "States.StringToJson('[1,2]')",
    "States.StringToJson('7')", "States.JsonToString($.a)", "States.JsonToString($.n)",
    "States.JsonToString($.items)", "States.JsonToString('x')",
    "States.ArrayGetItem(States.Array(States.MathAdd(1,2),5),0)",
    "States.StringToJson(States.JsonToString($.items))", "States.ArrayLength(States.Array($.none))",
]  # fmt: skip

COMPARISONS = [
    ("StringEquals", "hi"), ("StringLessThan", "i"), ("StringGreaterThan", "a"),
    ("StringLessThanEquals", "hi"), ("StringGreaterThanEquals", "hj"),
    ("NumericEquals", 5), ("NumericGreaterThan", 4.5), ("NumericLessThanEquals", 5),
    ("NumericLessThan", 5), ("NumericGreaterThanEquals", 5),
    ("BooleanEquals", True), ("BooleanEquals", False),
    ("IsNull", True), ("IsNull", False), ("IsPresent", True), ("IsPresent", False),
    ("IsString", True), ("IsNumeric", True), ("IsBoolean", True), ("IsTimestamp", True),
    ("IsString", False), ("IsNumeric", False), ("IsBoolean", False), ("IsTimestamp", False),
    ("StringMatches", "h*"), ("StringMatches", "h\\*"),
    ("TimestampEquals", "2024-01-01T00:00:00Z"), ("TimestampLessThan", "2024-06-01T00:00:00Z"),
    ("TimestampGreaterThan", "2024-01-01T01:00:00+02:00"),
    ("TimestampLessThanEquals", "2024-01-01T00:00:00Z"),
    ("TimestampGreaterThanEquals", "2025-01-01T00:00:00Z"),
    ("StringEqualsPath", "$.s"), ("StringLessThanPath", "$.s"), ("StringGreaterThanPath", "$.s"),
    ("StringLessThanEqualsPath", "$.s"), ("StringGreaterThanEqualsPath", "$.s"),
    ("NumericEqualsPath", "$.n"), ("NumericLessThanPath", "$.f"), ("NumericGreaterThanPath", "$.f"),
    ("NumericLessThanEqualsPath", "$.n"), ("NumericGreaterThanEqualsPath", "$.n"),
    ("BooleanEqualsPath", "$.t"),
    ("TimestampEqualsPath", "$.when"), ("TimestampLessThanPath", "$.when"),
    ("TimestampGreaterThanPath", "$.when"), ("TimestampLessThanEqualsPath", "$.when"),
    ("TimestampGreaterThanEqualsPath", "$.when"),
]  # fmt: skip


def single(**state):
    state.setdefault("Type", "Pass")
    if state["Type"] not in ("Succeed", "Fail", "Choice"):
        state["End"] = True
    return {"StartAt": "S", "States": {"S": state}}


def machine(start, **states):
    return {"StartAt": start, "States": states}


def choice(rule, default=True):
    state = {"Type": "Choice", "Choices": [{**rule, "Next": "Y"}]}
    states = {"C": state, "Y": {"Type": "Pass", "Result": {"r": "yes"}, "End": True}}
    if default:
        state["Default"] = "N"
        states["N"] = {"Type": "Pass", "Result": {"r": "no"}, "End": True}
    return machine("C", **states)


def task(function, **fields):
    return {"Type": "Task", "Resource": ARN + function, **fields}


def caught(state, errors, place="$.err"):
    state = {**state, "Catch": [{"ErrorEquals": errors, "Next": "C"}], "End": True}
    if place != "absent":
        state["Catch"][0]["ResultPath"] = place
    return machine("S", S=state, C={"Type": "Pass", "End": True})


def data_flow():
    for path in PATHS:
        yield single(Parameters={"r.$": path})
        yield single(InputPath=path)
        yield single(OutputPath=path)
        yield single(Type="Succeed", InputPath=path)
    for place in PLACES:
        yield single(Result={"q": 1}, ResultPath=place)
        yield single(InputPath="$.a", ResultPath=place)
    for call in CALLS:
        yield single(Parameters={"r.$": call})
    yield single(Parameters={"a": [{"b.$": "$.n"}], "c": {"d.$": "$.s"}})
    yield single(Parameters={"x": 1}, Result={"y": 2})
    yield single(Parameters={"x.$": "$.n"}, ResultPath="$.out")
    yield single(Parameters={"n.$": "$$.State.Name", "e.$": "$$.Execution.Input.n"})
    yield single(InputPath=None)
    yield single(OutputPath=None)
    yield single(InputPath="$.a", OutputPath="$.b")
    yield single(InputPath="$$.Execution.Input.n")
    yield single(Parameters={"t.$": "$.t", "lit.": "$.t", "n": None, "deep": [[{"x.$": "$.e"}]]})
    yield single(Result=None)
    yield single(Result=[1, "two", {"three": 3}], ResultPath="$.r", OutputPath="$.r[1]")
    yield machine(
        "A",
        A={"Type": "Pass", "Parameters": {"r.$": "$.n"}, "ResultPath": "$.x", "Next": "B"},
        B={"Type": "Pass", "InputPath": "$.x", "OutputPath": "$.r", "End": True},
    )


def choices():
    variables = ["$.s", "$.n", "$.t", "$.z", "$.none", "$.f", "$.a", "$.when"]
    for variable, (name, operand) in itertools.product(variables, COMPARISONS):
        yield choice({"Variable": variable, name: operand})
    yes = {"Variable": "$.n", "NumericEquals": 5}
    no = {"Variable": "$.n", "NumericEquals": 6}
    for rule in [
        {"And": [yes, no]}, {"And": [yes, yes]}, {"Or": [no, yes]}, {"Or": [no, no]},
        {"Not": yes}, {"Not": no}, {"Not": {"And": [yes, {"Not": no}]}},
        {"Or": [{"And": [no, yes]}, {"Not": no}]},
        {"And": [{"Variable": "$.none", "IsPresent": True}, {"Variable": "$.none", "IsNull": True}]},
    ]:  # fmt: skip
        yield choice(rule)
    yield choice(no, default=False)
    yield choice({"Variable": "$$.Execution.Input.n", "NumericEquals": 5})
    yield choice({"Variable": "$.s", "StringMatches": "*i*"})
    yield choice({"Variable": "$.s", "StringMatches": "*x*"})


def fans():
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    failing = {"StartAt": "I", "States": {"I": {"Type": "Fail", "Error": "E", "Cause": "c"}}}
    doubled = {
        "StartAt": "I",
        "States": {"I": {"Type": "Pass", "Parameters": {"k.$": "$.k"}, "End": True}},
    }
    indexed = {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value.k", "n.$": "$.n"}
    for fields in [
        {"ItemsPath": "$.items"}, {"ItemsPath": "$.a.b"}, {"ItemsPath": "$.no"},
        {"ItemsPath": "$.items", "MaxConcurrency": 1}, {"ItemsPath": "$.items", "ResultPath": "$.r"},
        {"ItemsPath": "$.items", "ItemSelector": indexed},
        {"ItemsPath": "$.items", "Parameters": indexed},
        {"ItemsPath": "$.items[*].k"}, {"ItemsPath": "$.items[0:2]"},
        {"ItemsPath": "$.items", "ResultSelector": {"f.$": "$[0].k"}},
        {"ItemsPath": "$.items", "ResultSelector": {"all.$": "$[*].k"}},
        {"ItemsPath": "$.items", "OutputPath": "$[1]"}, {"ItemsPath": "$.a"}, {},
        {"InputPath": "$.a", "ItemsPath": "$.b"}, {"ItemsPath": "$.none"},
    ]:  # fmt: skip
        yield single(Type="Map", ItemProcessor=inner, **fields)
    yield single(Type="Map", Iterator=doubled, ItemsPath="$.items")
    yield single(Type="Map", ItemProcessor=doubled, ItemsPath="$.items", MaxConcurrency=2)
    yield single(Type="Map", ItemProcessor=failing, ItemsPath="$.items")
    yield single(Type="Map", ItemProcessor=failing, ItemsPath="$.no")
    yield single(Type="Map", ItemProcessor=failing, ItemsPath="$.items", ToleratedFailureCount=5)
    yield caught({"Type": "Map", "ItemProcessor": failing, "ItemsPath": "$.items"}, ["E"])
    nested = {
        "StartAt": "M",
        "States": {
            "M": {"Type": "Map", "ItemsPath": "$.row", "ItemProcessor": inner, "End": True}
        },
    }
    yield single(
        Type="Map", ItemsPath="$.items", ItemSelector={"row.$": "$.a.b"}, ItemProcessor=nested
    )

    def branch(name, **state):
        return {"StartAt": name, "States": {name: {"End": True, **state}}}

    one = branch("B1", Type="Pass", Result=1)
    two = branch("B2", Type="Pass", InputPath="$.n")
    bad = {"StartAt": "B3", "States": {"B3": {"Type": "Fail", "Error": "E", "Cause": "c"}}}
    for fields in [
        {}, {"ResultPath": "$.r"}, {"ResultPath": None}, {"InputPath": "$.a", "Branches": [one]},
        {"Parameters": {"n": 9}}, {"ResultSelector": {"all.$": "$"}}, {"OutputPath": "$[0]"},
    ]:  # fmt: skip
        yield single(Type="Parallel", **{"Branches": [one, two], **fields})
    yield single(Type="Parallel", Branches=[one, bad])
    for errors in [["E"], ["X"], ["States.ALL"], ["States.TaskFailed"], ["X", "E"]]:
        yield caught({"Type": "Parallel", "Branches": [one, bad]}, errors)
    for state in [
        {"Type": "Pass", "Parameters": {"x.$": "States.StringToJson('{')"}, "End": True},
        {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "B2"}]},
    ]:
        branches = [machine("B", B=state, B2={"Type": "Succeed"})]
        yield caught({"Type": "Parallel", "Branches": branches}, ["States.ALL"], None)
    inside = machine("P", P={"Type": "Parallel", "Branches": [one, two], "End": True})
    yield single(Type="Parallel", Branches=[inside, branch("B4", Type="Pass")])


def tasks():
    for name in ["echo", "seven", "words", "nothing", "list", "broken"]:
        yield single(**task(name))
        yield single(**task(name, ResultPath="$.r"))
        yield single(**task(name, Parameters={"x.$": "$.n"}))
        yield single(**task(name, ResultPath=None, OutputPath="$.s"))
    yield single(**task("list", ResultSelector={"k.$": "$[1].k", "lit": 1}))
    yield single(**task("echo", InputPath="$.a", ResultSelector={"b.$": "$.b"}, ResultPath="$.r"))
    yield single(**task("echo", ResultSelector={"b.$": "$.none"}))
    yield single(**task("echo", Parameters={"b.$": "$.none"}))
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
    # Not the whole answer: it also holds headers and a request's number.
    selector = {"p.$": "$.Payload", "c.$": "$.StatusCode"}
    for name in ["echo", "seven", "list"]:
        for payload in [{"Payload.$": "$.a"}, {"Payload": {"x": 1}}]:
            parameters = {"FunctionName": ARN + name, **payload}
            yield single(**invoke, Parameters=parameters, ResultSelector=selector)
    broken = {"FunctionName": ARN + "broken", "Payload": {"x": 1}}
    yield single(**invoke, Parameters=broken)
    yield single(Type="Fail", Error="E", Cause="c")
    yield single(Type="Fail", ErrorPath="$.s", CausePath="$.when")
    yield single(Type="Fail", ErrorPath="States.Format('E{}', $.n)", Cause="c")
    yield single(Type="Fail", Error="E")
    yield single(Type="Fail", ErrorPath="$.none")


def errors():
    for names in [
        ["Broken"], ["States.ALL"], ["States.TaskFailed"], ["Other"], ["Other", "Broken"],
        ["States.Timeout"], ["States.Runtime"],
    ]:  # fmt: skip
        for place in ["$.err", "absent", None, "$.s.x", "$.new.deep"]:
            if place == "$.err" or names in (["Broken"], ["States.ALL"]):
                yield caught(task("broken"), names, place)
    for state in [
        task("echo", Parameters={"x.$": "$.none"}),
        task("echo", Parameters={"x.$": "States.MathAdd('a', 1)"}),
        task("seven", ResultPath="$.s.x"),
        task("echo", ResultSelector={"x.$": "$.none"}),
        task("echo", InputPath="$.none"),
    ]:
        yield caught(state, ["States.ALL"], None)
    two = [
        {"ErrorEquals": ["Other"], "Next": "C"},
        {"ErrorEquals": ["Broken"], "Next": "D", "ResultPath": "$.e"},
    ]
    yield machine(
        "S",
        S=task("broken", Catch=two, End=True),
        C={"Type": "Pass", "Result": "other", "End": True},
        D={"Type": "Pass", "InputPath": "$.e", "End": True},
    )


def slow():
    """What takes real time in the oracle: a second or more each."""
    key = {"Parameters": {"id.$": "$$.Execution.Name"}, "ResultPath": "$.r", "OutputPath": "$.n"}
    for name, retry in [
        ("busy1", {"ErrorEquals": ["Busy"]}),
        ("busy1", {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}),
        ("busy1", {"ErrorEquals": ["States.TaskFailed"]}),
        ("busy1", {"ErrorEquals": ["Other"]}),
        ("busy1", {"ErrorEquals": ["Busy"], "MaxAttempts": 0}),
        ("busy2", {"ErrorEquals": ["Busy"], "BackoffRate": 1}),
        ("busy2", {"ErrorEquals": ["Busy"], "MaxAttempts": 1}),
        ("busy2", {"ErrorEquals": ["Busy"], "BackoffRate": 3, "MaxDelaySeconds": 2}),
        ("busy2", {"ErrorEquals": ["Busy"], "JitterStrategy": "FULL"}),
        ("broken", {"ErrorEquals": ["Broken"], "MaxAttempts": 2, "BackoffRate": 1.0}),
    ]:
        yield single(**task(name, Retry=[retry], **key))
    yield single(
        **task(
            "busy2",
            Retry=[
                {"ErrorEquals": ["Other"], "MaxAttempts": 5},
                {"ErrorEquals": ["Busy"], "MaxAttempts": 2, "BackoffRate": 1},
            ],
            **key,
        )
    )
    retried = task("broken", Retry=[{"ErrorEquals": ["Broken"], "MaxAttempts": 1}])
    yield caught(retried, ["Broken"])
    yield caught(retried, ["States.ALL"], "$")
    failing = {"StartAt": "I", "States": {"I": {"Type": "Fail", "Error": "E", "Cause": "c"}}}
    again = [{"ErrorEquals": ["E"], "MaxAttempts": 1}]
    yield caught({"Type": "Parallel", "Branches": [failing], "Retry": again}, ["E"])
    yield caught({"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": failing, "Retry": again}, ["E"])
    yield single(**task("slow", TimeoutSeconds=1))
    yield single(**task("slow", TimeoutSeconds=9, ResultPath=None, OutputPath="$.n"))
    yield single(**task("slow", TimeoutSecondsPath="$.one"))
    yield single(**task("slow", TimeoutSecondsPath="$.n", OutputPath="$.s"))
    yield single(**task("slow", TimeoutSecondsPath="$.none"))
    for names in [["States.Timeout"], ["States.ALL"], ["States.TaskFailed"], ["Broken"]]:
        yield caught(task("slow", TimeoutSeconds=1), names, None)
    yield {**single(**task("slow")), "TimeoutSeconds": 1}
    yield {**single(Type="Wait", Seconds=3), "TimeoutSeconds": 1}
    for fields in [
        {"Seconds": 1}, {"Seconds": 0}, {"SecondsPath": "$.one"}, {"SecondsPath": "$.s"},
        {"SecondsPath": "$.none"}, {"Timestamp": "2020-01-01T00:00:00Z"},
        {"TimestampPath": "$.when"}, {"TimestampPath": "$.s"}, {"TimestampPath": "$.none"},
        {"Seconds": 1, "InputPath": "$.a", "OutputPath": "$.b"},
    ]:  # fmt: skip
        yield single(Type="Wait", **fields)


def variables():
    uses = {"Type": "Pass", "Parameters": {"x.$": "$x", "y.$": "$y", "z.$": "$z.q"}, "End": True}
    sets = {"x": 1, "y.$": "$.n", "z": {"q.$": "$.s"}}
    for kind in [{"Type": "Pass"}, task("echo"), {"Type": "Wait", "Seconds": 0}]:
        yield machine("A", A={**kind, "Assign": sets, "Next": "B"}, B=uses)
    use = {"Type": "Pass", "Parameters": {"x.$": "$x"}, "End": True}
    yield machine(
        "A", A={"Type": "Pass", "Result": {"r": 1}, "Assign": {"x.$": "$"}, "Next": "B"}, B=use
    )
    yield machine("A", A={**task("seven"), "Assign": {"x.$": "$"}, "Next": "B"}, B=use)
    yield machine(
        "A", A={**task("seven"), "Assign": {"x.$": "$"}, "ResultPath": "$.q", "Next": "B"}, B=use
    )
    caught_state = {
        **task("broken"),
        "Catch": [{"ErrorEquals": ["Broken"], "Assign": {"x.$": "$.Error"}, "Next": "B"}],
        "End": True,
    }
    yield machine("A", A=caught_state, B=use)
    rule = {"Variable": "$.n", "NumericEquals": 5, "Assign": {"x": "rule"}, "Next": "B"}
    other = {"Variable": "$.n", "NumericEquals": 6, "Assign": {"x": "rule"}, "Next": "B"}
    for one in [rule, other]:
        state = {"Type": "Choice", "Choices": [one], "Default": "B", "Assign": {"x": "default"}}
        yield machine("A", A=state, B=use)
    yield single(Parameters={"x.$": "$never"})
    body = machine(
        "I",
        I={"Type": "Pass", "Assign": {"y.$": "States.MathAdd($x, 1)"}, "Next": "J"},
        J={"Type": "Pass", "Parameters": {"x.$": "$x", "y.$": "$y"}, "End": True},
    )
    after = {"Type": "Pass", "Parameters": {"x.$": "$x", "m.$": "$"}, "End": True}
    yield machine(
        "A",
        A={**task("echo"), "Assign": {"x": 1}, "Next": "M"},
        M={"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": body, "Next": "B"},
        B=after,
    )


class Maker:
    """Definitions at random: chains of states that shape the data, with fan-outs inside."""

    SCALARS = ["$.n", "$.s", "$.t", "$.f", "$.a.b[0]", "$.items[1]", "$.a.b", "$.e", "$.no", "$.when"]
    MANY = ["$.items[*].k", "$.items[0:2]", "$.items[1:].v", "$.a.b[*]"]

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = 0

    def name(self):
        self.names += 1
        return f"N{self.names}"

    def value(self):
        draw = self.random.randrange(8)
        if draw < 3:
            return self.random.choice(self.SCALARS)
        if draw == 3:
            return self.random.choice(self.MANY)
        call = self.random.choice(
            ["Array({0},{1})", "Format('{{}}-{{}}',{0},{1})", "JsonToString({0})", "Array({0})",
             "ArrayLength(States.Array({0},{1}))", "MathAdd($.n,{2})", "ArrayRange(0,{2},2)",
             "ArrayPartition($.a.b,{2})", "Base64Encode($.s)", "StringSplit($.when,'-')",
             "ArrayContains($.a.b,{2})", "ArrayGetItem($.a.b,1)", "JsonMerge($.a,$.e,false)",
             "ArrayUnique(States.Array($.n,{2},$.n))", "Hash($.s,'SHA-256')"]
        )  # fmt: skip
        pick = lambda: self.random.choice(self.SCALARS)  # noqa: E731
        return "States." + call.format(pick(), pick(), self.random.randrange(1, 7))

    def template(self, depth=2):
        members = {}
        for letter in self.random.sample("pqrst", self.random.randrange(1, 4)):
            draw = self.random.randrange(5)
            if draw == 0 and depth:
                members[letter] = self.template(depth - 1)
            elif draw == 1 and depth:
                members[letter] = [self.template(depth - 1), 1, None]
            elif draw == 2:
                members[letter] = self.random.choice([1, "x", True, None, [1, 2], "$.n"])
            else:
                members[letter + ".$"] = self.value()
        return members

    def rule(self, depth=2):
        draw = self.random.randrange(6)
        if depth and draw < 2:
            rules = [self.rule(depth - 1) for _ in range(self.random.randrange(1, 4))]
            return {self.random.choice(["And", "Or"]): rules}
        if depth and draw == 2:
            return {"Not": self.rule(depth - 1)}
        name, operand = self.random.choice(COMPARISONS)
        return {"Variable": self.random.choice(["$.n", "$.s", "$.t", "$.when", "$.f"]), name: operand}

    def state(self, depth):
        draw = self.random.randrange(9)
        if draw < 2:
            return {"Type": "Pass", "Parameters": self.template(), "ResultPath": "$." + self.name()}
        if draw == 2:
            place = self.random.choice(["$.n2", "$.a.new", "$.x.y"])
            return {"Type": "Pass", "Result": {"made": self.names}, "ResultPath": place}
        if draw < 6 or not depth:
            function = self.random.choice(["echo", "seven", "words", "list", "broken", "echo"])
            state = task(function, ResultPath="$." + self.name())
            if self.random.random() < 0.6:
                state["Parameters"] = self.template()
            if function == "list":
                state["ResultSelector"] = {"n.$": "$[0]", "all.$": "$"}
            return state
        if draw == 6:
            branches = [self.chain(depth - 1) for _ in range(self.random.randrange(1, 4))]
            return {"Type": "Parallel", "Branches": branches, "ResultPath": "$." + self.name()}
        if draw == 7:
            selector = {key + ".$": "$." + key for key in INPUTS[0]}
            selector["item.$"] = "$$.Map.Item.Value"
            state = {"Type": "Map", "ItemProcessor": self.chain(depth - 1), "ItemSelector": selector}
            items = self.random.choice(["$.items", "$.a.b", "$.no", "$.items[*].k"])
            return {**state, "ItemsPath": items, "ResultPath": "$." + self.name()}
        return {"Type": "Choice", "Choices": [self.rule()]}

    def chain(self, depth=2):
        """States one after the other. A Choice goes on with the next state or the one after it;
        what may fail has a catcher that goes on with the next."""
        states = [self.state(depth) for _ in range(self.random.randrange(1, 5))]
        states.append({"Type": "Pass"})
        states.append(self.random.choice([{"Type": "Succeed"}, {"Type": "Pass", "End": True}]))
        names = [self.name() for _ in states]
        for place, state in enumerate(states[:-1]):
            after = names[place + 1]
            if state["Type"] == "Choice":
                far = names[min(place + 2, len(names) - 1)]
                state["Choices"][0]["Next"] = far
                state["Default"] = after
                continue
            state["Next"] = after
            if state["Type"] in ("Task", "Parallel", "Map") and self.random.random() < 0.7:
                caught = self.random.choice(["Broken", "States.ALL", "States.TaskFailed", "Other"])
                catcher = {"ErrorEquals": [caught], "ResultPath": "$." + self.name(), "Next": after}
                state["Catch"] = [catcher]
        return {"StartAt": names[0], "States": dict(zip(names, states))}


def generated(count, seed):
    return [Maker(seed + number).chain() for number in range(count)]


def all_cases(count=200, seed=1):
    """(family, definition, number of the input) of every case."""
    for family in [data_flow, choices, fans, tasks, errors, slow, variables]:
        for definition in family():
            yield family.__name__, definition, 0
    for definition in [
        single(Result=1, ResultPath="$.x"), single(Parameters={"r.$": "$"}), single(InputPath="$[0]"),
        single(**task("echo")), single(**task("echo", Parameters={"r.$": "$"})),
    ]:  # fmt: skip
        for number in (1, 2):
            yield "other inputs", definition, number
    for definition in generated(count, seed):
        yield "generated", definition, 0


def histories():
    """What is compared event by event: one branch at a time, so that the order is decided."""
    passes = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    fails = {"StartAt": "I", "States": {"I": {"Type": "Fail", "Error": "E", "Cause": "c"}}}
    calls = machine("I", I=task("echo", Next="J"), J={"Type": "Succeed"})
    breaks = machine("I", I=task("broken", End=True))
    done = {"Type": "Succeed"}
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "C"}]
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    rule = {"Variable": "$.n", "NumericEquals": 5, "Next": "C"}
    key = {"Parameters": {"id.$": "$$.Execution.Name"}}
    one = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1}
    invoke = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": ARN + "echo", "Payload": {}},
    }
    yield single(Result=1)
    yield single(Type="Succeed")
    yield single(Type="Fail", Error="E", Cause="c")
    yield single(Type="Wait", Seconds=0)
    yield single(Type="Wait", Seconds=1)
    yield single(Parameters={"x.$": "$.none"})
    yield machine("A", A={"Type": "Pass", "Next": "B"}, B={"Type": "Wait", "Seconds": 0, "Next": "C"}, C=done)
    yield machine("A", A={"Type": "Choice", "Choices": [rule]}, C=done)
    yield machine("A", A={"Type": "Choice", "Choices": [{**rule, "NumericEquals": 6}], "Default": "D"}, C=done, D=done)
    yield machine("A", A={"Type": "Choice", "Choices": [{**rule, "NumericEquals": 6}]}, C=done)
    yield single(**task("echo"))
    yield single(**invoke)
    yield single(**{**invoke, "Parameters": {"FunctionName": ARN + "broken"}})
    yield machine("A", A=task("echo", Next="B"), B=task("seven", End=True))
    yield single(**task("broken"))
    yield machine("A", A=task("broken", Catch=catch, End=True), C=done)
    yield single(**task("busy1", Retry=retry, **key))
    yield single(**task("busy2", Retry=retry, **key))
    yield machine("A", A=task("busy2", Retry=retry, Catch=catch, End=True, **key), C=done)
    yield single(**task("slow", TimeoutSeconds=1))
    yield machine("A", A=task("slow", TimeoutSeconds=1, Catch=catch, End=True), C=done)
    yield single(**task("echo", ResultSelector={"x.$": "$.none"}))
    yield {**single(Type="Wait", Seconds=3), "TimeoutSeconds": 1}
    for inner in [passes, calls]:
        yield single(**one, ItemProcessor=inner)
        yield single(Type="Parallel", Branches=[inner])
    yield single(**{**one, "ItemsPath": "$.no"}, ItemProcessor=passes)
    for inner in [fails, breaks]:
        yield single(**one, ItemProcessor=inner)
        yield single(Type="Parallel", Branches=[inner])
        yield machine("A", A={**one, "ItemProcessor": inner, "Catch": catch, "End": True}, C=done)
        yield machine("A", A={"Type": "Parallel", "Branches": [inner], "Catch": catch, "End": True}, C=done)
        yield single(Type="Parallel", Branches=[inner], Retry=retry)
    yield single(**one, ItemProcessor=fails, Retry=retry)
    nested = machine("N", N={"Type": "Parallel", "Branches": [passes], "End": True})
    yield single(**one, ItemProcessor=nested)
    yield single(Type="Parallel", Branches=[machine("N", N={**one, "ItemProcessor": passes, "End": True})])
    yield single(Type="Parallel", Branches=[machine("N", N={"Type": "Parallel", "Branches": [fails], "End": True})])
