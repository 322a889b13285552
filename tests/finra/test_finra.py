"""The FINRA example in plain Python, against the oracle; and the oracle against itself.

    /usr/bin/python3.11 tests/finra/test_finra.py

Needs neither Keylane nor anything to be installed. What passing does not prove: anything about
Keylane. It says that the functions do what the oracle computes apart from them, and that the
oracle notices when they do not.
"""

import ast
import copy
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import loop  # noqa: E402
import oracle  # noqa: E402

HANDLERS = loop.load_all()

# What may go wrong in a function: the function, a piece of its source, what stands there instead.
# Each takes one violation, limit or sum away, and the oracle has to notice every one.
SABOTAGE = [
    ("lastpx", "price > high", "False"),
    ("lastpx", "price < low", "False"),
    ("lastpx", "price > high", "price > high * 2"),
    ("lastpx", "notional += amount", "pass"),
    ("lastpx", "farthest = max", "_ = max"),
    ("side", 'SIDES.get(trade["side"])', 'SIDES.get(trade["side"], "bought")'),
    ("side", 'if direction == "short" and', 'if direction == "short" and False and'),
    ("side", 'trade["quantity"] > held', "False"),
    ("side", "turnover[direction] += amount", "pass"),
    ("trddate", 'return "not a trading day"', "return None"),
    ("trddate", "OPENING <= executed.time() < CLOSING", "OPENING <= executed.time()"),
    ("trddate", "SETTLEMENT_DAYS = 3", "SETTLEMENT_DAYS = 2"),
    ("volume", "quantity <= 0", "False"),
    ("volume", "share > LIMIT", "False"),
    ("volume", "totals[account, day] = total", "pass"),
    ("instrument", "return total % 10 == 0", "return True"),
    ("instrument", 'trade["isin"] != isin', "False"),
    ("instrument", "price != price.quantize(CENT)", "False"),
    ("marketdata", '27: "not a trading day",', ""),
    ("marketdata", "fault is not None", "fault is not None and number != 41"),
    ("marketdata", '"seed", 1', '"seed", 2'),
    ("marginbalance", 'Decimal("0.25")', 'Decimal("0.24")'),
    ("marginbalance", 'held_back[violation["account"]] +=', 'held_back[violation["account"]] ='),
    ("marginbalance", '- Decimal(account["debit"])', ""),
]


class TheFunctions(unittest.TestCase):
    def test_put_out_what_the_oracle_expects(self):
        for checks in (5, 50, 200, 1000):
            with self.subTest(checks=checks):
                got = loop.run(HANDLERS, {"checks": checks})
                self.assertIsNone(oracle.first_difference(oracle.expect(checks), got))

    def test_put_out_what_the_oracle_expects_for_any_seed(self):
        for seed in (0, 2, 31, 977, 2**32 - 1):
            with self.subTest(seed=seed):
                got = loop.run(HANDLERS, {"checks": 100, "seed": seed})
                self.assertIsNone(oracle.first_difference(oracle.expect(100, seed), got))

    def test_break_every_rule_in_every_way_even_with_five_checks(self):
        rules = loop.run(HANDLERS, {"checks": 5})["rules"]
        found = {(rule, reason) for rule in rules for reason in rules[rule]["reasons"]}
        self.assertEqual(found, set(oracle.PLAN.values()))

    def test_give_the_same_when_everything_between_them_is_json(self):
        def over_json(handler):
            return lambda event, _: json.loads(
                json.dumps(handler(json.loads(json.dumps(event)), None))
            )

        plain = loop.run(HANDLERS, {"checks": 50})
        handlers = {name: over_json(handler) for name, handler in HANDLERS.items()}
        self.assertEqual(loop.run(handlers, {"checks": 50}), plain)

    def test_do_not_change_what_they_are_given(self):
        data = HANDLERS["marketdata"]({"checks": 25}, None)
        before = copy.deepcopy(data)
        reports = [HANDLERS[c["rule"]](data["slices"][c["slice"]], None) for c in data["checks"]]
        event = {"reports": reports, "portfolio": data["portfolio"]}
        given = copy.deepcopy(event)
        HANDLERS["marginbalance"](event, None)
        self.assertEqual(data, before)
        self.assertEqual(event, given)

    def test_give_the_same_slices_whatever_ran_before(self):
        few = HANDLERS["marketdata"]({"checks": 10}, None)["slices"]
        many = HANDLERS["marketdata"]({"checks": 200}, None)["slices"]
        self.assertEqual(many[:2], few)

    def test_keep_each_slice_between_five_and_twelve_kilobytes(self):
        for part in HANDLERS["marketdata"]({"checks": 1000}, None)["slices"]:
            self.assertTrue(5_000 <= len(json.dumps(part)) <= 12_288, part["number"])

    def test_refuse_a_number_of_checks_that_cannot_be_in_words_that_say_why(self):
        for checks in (0, -5, 4, 7, 1005, 50.0, True, "50", None):
            with self.subTest(checks=checks):
                with self.assertRaisesRegex(ValueError, "multiple of 5 from 5 to 1000, not "):
                    HANDLERS["marketdata"]({"checks": checks}, None)
        with self.assertRaisesRegex(ValueError, "not None"):
            HANDLERS["marketdata"]({}, None)
        with self.assertRaisesRegex(ValueError, "seed must be a whole number"):
            HANDLERS["marketdata"]({"checks": 5, "seed": -1}, None)

    def test_import_the_standard_library_and_not_each_other(self):
        for name in loop.FUNCTIONS:
            folder = loop.PROJECT / "functions" / name
            self.assertEqual([file.name for file in folder.glob("*.py")], [f"{name}.py"])
            for node in ast.walk(ast.parse((folder / f"{name}.py").read_text())):
                modules = []
                if isinstance(node, ast.Import):
                    modules = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    modules = [node.module]
                for module in modules:
                    self.assertIn(module.split(".")[0], sys.stdlib_module_names, name)


class TheOracle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.expected = oracle.expect(100)

    def test_notices_every_way_in_which_a_function_may_go_wrong(self):
        # Without sabotage there is nothing to notice; else each case below would pass for nothing.
        sound = loop.run(HANDLERS, {"checks": 100})
        self.assertIsNone(oracle.first_difference(self.expected, sound))
        for name, there, instead in SABOTAGE:
            with self.subTest(function=name, instead_of=there):

                def edit(source):
                    self.assertEqual(source.count(there), 1, "the sabotage missed its place")
                    return source.replace(there, instead)

                handlers = {**HANDLERS, name: loop.load(name, edit)}
                got = loop.run(handlers, {"checks": 100})
                self.assertIsNotNone(
                    oracle.first_difference(self.expected, got),
                    f"{name} with {instead!r} for {there!r} passes for sound",
                )

    def test_notices_a_violation_that_is_missing_or_too_many(self):
        for change in (lambda trades: trades.pop(4), lambda trades: trades.append("T00001")):
            got = copy.deepcopy(self.expected)
            change(got["rules"]["side"]["trades"])
            self.assertIn("['side']['trades']", oracle.first_difference(self.expected, got))

    def test_notices_a_number_where_text_should_be(self):
        got = copy.deepcopy(self.expected)
        got["notional"] = float(got["notional"])
        self.assertIn("['notional'] should be", oracle.first_difference(self.expected, got))

    def run_it(self, document):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            return subprocess.run(
                [sys.executable, "-B", HERE / "oracle.py", "--n", "100", "--result", file.name],
                capture_output=True,
                text=True,
            )

    def test_takes_an_output_and_a_report_with_an_output_of_either_form(self):
        for document in (
            self.expected,
            {"status": "succeeded", "output": self.expected},
            {"status": "succeeded", "output": json.dumps(self.expected)},
        ):
            ended = self.run_it(document)
            self.assertEqual(ended.returncode, 0, ended.stderr)

    def test_exits_with_one_and_one_line_that_names_the_first_difference(self):
        wrong = copy.deepcopy(self.expected)
        wrong["rules"]["lastpx"]["trades"][1] = "T00009"
        failed = {"status": "failed", "error": {"error": "ValueError"}, "output": None}
        for document, words in (
            (wrong, r"\['lastpx'\]\['trades'\]\[1\] should be 'T00008' but is 'T00009'"),
            (failed, "the report says failed"),
            ([], "should be"),
        ):
            ended = self.run_it(document)
            self.assertEqual(ended.returncode, 1)
            self.assertRegex(ended.stderr, words)
            self.assertEqual(ended.stderr.count("\n"), 1)


class TheProject(unittest.TestCase):
    def test_names_the_same_functions_in_the_workflow_and_in_keylane_toml(self):
        project = tomllib.loads((loop.PROJECT / "keylane.toml").read_text())
        workflow = (loop.PROJECT / project["workflow"]["definition"]).read_text()
        json.loads(workflow)
        called = set(re.findall(r'"Resource":\s*"(\w+)"', workflow))
        self.assertEqual(called, set(project["functions"]))
        self.assertEqual(called, set(loop.FUNCTIONS))
        for name, function in project["functions"].items():
            module, handler = function["handler"].split(".")
            self.assertIn(
                f"def {handler}(event, context):",
                (loop.PROJECT / function["path"] / f"{module}.py").read_text(),
            )
            for included in function.get("include", []):
                self.assertTrue((loop.PROJECT / included).is_file(), included)

    def test_carries_the_price_file_that_its_readme_describes(self):
        digest = hashlib.sha256(oracle.PRICES.read_bytes()).hexdigest()
        self.assertIn(digest, (oracle.PRICES.parent / "README.md").read_text())

    def test_has_an_input_that_the_workflow_accepts(self):
        event = json.loads((loop.PROJECT / "input.json").read_text())
        got = loop.run(HANDLERS, event)
        self.assertIsNone(
            oracle.first_difference(oracle.expect(event["checks"], event["seed"]), got)
        )


if __name__ == "__main__":
    unittest.main()
