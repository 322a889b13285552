"""Tests of this project: `python3 -m unittest`, in this folder.

The first class calls the functions as plain Python. The second runs the whole workflow in its
sandboxes: with the program that the variable KEYLANE names, or the `keylane` in PATH.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEYLANE = os.environ.get("KEYLANE") or shutil.which("keylane")


def function(name):
    """The handler of functions/NAME/NAME.py."""
    file = HERE / "functions" / name / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


class Functions(unittest.TestCase):
    def test_words_are_split_at_everything_else(self):
        self.assertEqual(function("words")({"text": "Red fish, blue-fish."}, None), ["red", "fish", "blue", "fish"])

    def test_each_word_is_counted(self):
        self.assertEqual(function("tally")(["a", "b", "a"], None), {"words": 3, "counts": {"a": 2, "b": 1}})


@unittest.skipUnless(KEYLANE, "keylane is not in PATH; name it: KEYLANE=/path/to/keylane python3 -m unittest")
class Workflow(unittest.TestCase):
    def run_with(self, value):
        command = [KEYLANE, "run", str(HERE), "--quiet", "--input", json.dumps(value)]
        return subprocess.run(command, capture_output=True, text=True)

    def test_a_text_becomes_its_counts(self):
        done = self.run_with({"text": "a b a"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), {"words": 3, "counts": {"a": 2, "b": 1}})

    def test_an_input_without_a_text_fails_in_words(self):
        done = self.run_with({})
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn('function "words"', done.stderr)


if __name__ == "__main__":
    unittest.main()
