"""Runs the comparison: see `run`."""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
from botocore.config import Config

import cases
import differences
import validator_cases

HERE = pathlib.Path(__file__).resolve().parent
# Characters of a case that is recorded; a longer one is compared only.
LONGEST = 16_000
ROLE = "arn:aws:iam::123456789012:role/any"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def server(functions):
    """moto's server on the loopback interface; its address. Ended by its process id."""
    port = free_port()
    environment = {**os.environ, "MOTO_PORT": str(port)}
    command = [sys.executable, str(HERE / "server.py"), str(port), str(functions)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        settings = {
            "stepfunctions": {"execute_state_machine": True},
            "lambda": {"use_docker": False},
        }
        request = urllib.request.Request(
            address + "/moto-api/config",
            json.dumps(settings).encode(),
            {"Content-Type": "application/json"},
        )
        for _ in range(120):
            if process.poll() is not None:
                sys.exit("the oracle's server ended before it began")
            try:
                urllib.request.urlopen(request, timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        else:
            sys.exit("the oracle's server does not answer")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def moto_client(address):
    return boto3.client(
        "stepfunctions",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"max_attempts": 0}, parameter_validation=False),
    )


def ask_moto(address, numbered):
    """What moto makes of a case."""
    number, (_, definition, number_of_input) = numbered
    client = moto_client(address)
    name = f"case{number}"
    try:
        made = client.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=ROLE
        )
    except Exception as error:  # The reason is the server's, whatever its class.
        return {"refused": str(error)[:300]}
    given = json.dumps(cases.INPUTS[number_of_input])
    started = client.start_execution(
        stateMachineArn=made["stateMachineArn"], name=f"e{number}", input=given
    )
    until = time.monotonic() + 60
    while time.monotonic() < until:
        told = client.describe_execution(executionArn=started["executionArn"])
        if told["status"] != "RUNNING":
            break
        time.sleep(0.05)
    else:
        return {"refused": "it still runs after a minute"}
    if told["status"] == "SUCCEEDED":
        # moto leaves out an output that is null, and the quotes of one that is a string.
        output = told.get("output", "null")
        try:
            return {"output": json.loads(output), "error": None}
        except json.JSONDecodeError:
            return {"output": output, "error": None}
    error = told.get("error")
    if told["status"] == "TIMED_OUT":
        error = "States.Timeout"
    return {"output": None, "error": error or "", "cause": told.get("cause") or ""}


def ask_history(address, numbered):
    """The events of moto's run of a definition: type, and the event that led to it."""
    number, definition = numbered
    client = moto_client(address)
    made = client.create_state_machine(
        name=f"history{number}", definition=json.dumps(definition), roleArn=ROLE
    )
    given = json.dumps(cases.INPUTS[0])
    arn = client.start_execution(
        stateMachineArn=made["stateMachineArn"], name=f"h{number}", input=given
    )["executionArn"]
    until = time.monotonic() + 60
    while client.describe_execution(executionArn=arn)["status"] == "RUNNING":
        if time.monotonic() > until:
            sys.exit(f"moto does not end {json.dumps(definition)}")
        time.sleep(0.05)
    told = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return [[event["type"], event["previousEventId"]] for event in told]


def record_histories(address, path):
    asked = list(cases.histories())
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda case: ask_history(address, case), enumerate(asked)))
    recorded = [{"definition": d, "theirs": events} for d, events in zip(asked, told)]
    record(path, ({"recorded_with": "moto 5.2.5", "input": cases.INPUTS[0]}, recorded))


def ask_ours(answer, asked):
    lines = "".join(json.dumps(case) + "\n" for case in asked)
    told = subprocess.run([answer], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in told.stdout.splitlines()]


def ask_asl_validator(node, definitions):
    """Whether asl-validator refuses each; None if it is not installed."""
    if not (node / "node_modules/asl-validator").is_dir():
        return None
    lines = "".join(json.dumps(definition) + "\n" for definition in definitions)
    told = subprocess.run(
        ["node", HERE / "asl_validator.js", node], input=lines, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in told.stdout.splitlines()]


def ask_statelint(definitions):
    from statelint.config import Config as StatelintConfig
    from statelint.linter import Linter

    config = StatelintConfig([], False, False)
    return [bool(Linter.validate(json.dumps(definition), config)) for definition in definitions]


def same(ours, theirs):
    if "refused" in ours or "refused" in theirs:
        return "refused" in ours and "refused" in theirs
    # Python takes 1 for True and 1.0; so does not the text.
    text = json.dumps(ours["output"], sort_keys=True) == json.dumps(theirs["output"], sort_keys=True)
    return text and ours["error"] == theirs["error"]


def compare_runs(arguments, functions):
    """The recording of moto's answers, and the number of differences without a reason."""
    asked = list(cases.all_cases(arguments.generated, arguments.seed))
    given = [{"definition": d, "input": cases.INPUTS[n]} for _, d, n in asked]
    ours = ask_ours(arguments.answer, given)
    begun = time.monotonic()
    with server(functions) as address, concurrent.futures.ThreadPoolExecutor(6) as pool:
        theirs = list(pool.map(lambda case: ask_moto(address, case), enumerate(asked)))
    print(f"moto answered {len(asked)} definitions in {time.monotonic() - begun:.0f} s")
    families, reasons, unexplained, recorded = {}, {}, 0, []
    for (family, definition, number), our, their in zip(asked, ours, theirs):
        counts = families.setdefault(family, [0, 0, 0])
        case = {"definition": definition, "input": number, "theirs": their}
        if same(our, their):
            counts[0] += 1
            recorded.append(case)
            continue
        reason = differences.of_run(definition, our, their)
        if reason is None:
            counts[2] += 1
            unexplained += 1
            print(f"UNEXPLAINED {family}: {json.dumps(definition)}\n  ours   {our}\n  theirs {their}")
            continue
        counts[1] += 1
        reasons[reason] = reasons.get(reason, 0) + 1
        recorded.append({**case, "difference": reason, "ours": our})
    print(f"{'definitions':14}{'agree':>8}{'explained':>11}{'unexplained':>13}")
    for family, counts in families.items():
        print(f"{family:14}{counts[0]:8}{counts[1]:11}{counts[2]:13}")
    for reason, count in sorted(reasons.items()):
        print(f"  {count:4} {reason}: {differences.RUNS[reason]}")
    for case in recorded:
        # Causes are for people, and each words them as it likes.
        for side in ("theirs", "ours"):
            case.get(side, {}).pop("cause", None)
    recorded = [case for case in recorded if len(json.dumps(case)) <= LONGEST]
    told = sorted({case["difference"] for case in recorded if "difference" in case})
    told = {key: differences.RUNS[key] for key in told}
    head = {"recorded_with": "moto 5.2.5", "differences": told, "inputs": cases.INPUTS}
    return (head, recorded), unexplained


def compare_checks(arguments):
    """The recording of the validators' answers, and the differences without a reason."""
    asked = list(validator_cases.all_cases())
    definitions = [definition for definition, _ in asked]
    given = [{"definition": definition, "input": {}} for definition in definitions]
    ours = ["refused" in answer for answer in ask_ours(arguments.answer, given)]
    lint = ask_statelint(definitions)
    asl = ask_asl_validator(arguments.node, definitions)
    if asl is None:
        print("asl-validator is not installed: statelint alone is asked")
    agree, reasons, unexplained, recorded = 0, {}, 0, []
    for place, (definition, broken) in enumerate(asked):
        case = {"definition": definition, "statelint": lint[place]}
        case["asl_validator"] = bool(asl and asl[place])
        theirs = case["statelint"] or case["asl_validator"]
        if ours[place] == theirs:
            agree += 1
            recorded.append(case)
            continue
        reason = differences.of_check(definition, ours[place], case, broken)
        if reason is None:
            unexplained += 1
            print(f"UNEXPLAINED check: {json.dumps(definition)}\n  ours refuses: {ours[place]}, {case}")
            continue
        reasons[reason] = reasons.get(reason, 0) + 1
        recorded.append({**case, "difference": reason})
    print(f"checks: {agree} agree, {sum(reasons.values())} explained, {unexplained} unexplained")
    for reason, count in sorted(reasons.items()):
        print(f"  {count:4} {reason}: {differences.CHECKS[reason]}")
    told = {key: differences.CHECKS[key] for key in sorted(reasons)}
    head = {
        "recorded_with": ["statelint 3.1.0 (PyPI)", "asl-validator 4.0.0 (npm)"],
        "differences": told,
    }
    return (head, recorded), (unexplained if asl is not None else 0)


def record(path, recording):
    """One case a line, so that a diff shows which changed."""
    head, recorded = recording
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    lines = ",\n".join(json.dumps(case, **compact) for case in recorded)
    head = json.dumps(head, ensure_ascii=False, indent=1)[:-2]
    path.write_text(f'{head},\n "cases": [\n{lines}\n]}}\n')
    print(f"{path.name}: {len(recorded)} cases")


def main():
    parser = argparse.ArgumentParser(description="compares Keylane's interpreter with others")
    parser.add_argument("--answer", required=True)
    parser.add_argument("--node", type=pathlib.Path, required=True)
    parser.add_argument("--recordings", type=pathlib.Path, required=True)
    parser.add_argument("--generated", type=int, default=200, help="definitions made at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--record-histories", action="store_true", help="only write moto's histories"
    )
    parser.add_argument("--record", action="store_true", help="write what the unit tests read")
    arguments = parser.parse_args()
    functions = arguments.recordings / "functions.json"
    if arguments.record or arguments.record_histories:
        with server(functions) as address:
            record_histories(address, arguments.recordings / "histories.json")
    if arguments.record_histories:
        return
    checks, unexplained_checks = compare_checks(arguments)
    runs, unexplained_runs = compare_runs(arguments, functions)
    if unexplained_checks or unexplained_runs:
        sys.exit(1)
    if arguments.record:
        record(arguments.recordings / "moto.json", runs)
        record(arguments.recordings / "validators.json", checks)


if __name__ == "__main__":
    main()
