#!/usr/bin/python3.11
"""What `keylane` says, and does, on hosts that lack something: one boot for each host.

Nothing may be replaced in silence: `doctor` names what is missing, what stands in and what is lost;
`run` says what stands in, or refuses with one line. Needs a built keylane, as tests/rig/run does.
"""

import concurrent.futures
import json
import pathlib
import subprocess
import tempfile
import unittest

RIG = pathlib.Path(__file__).resolve().parent / "run"
HOSTS = {
    "complete": [],
    "no keys": ["--no-pku"],
    "no landlock": ["--no-landlock"],
    "no namespaces": ["--no-userns"],
    "no cgroups": ["--no-cgroup"],
    "6.1": ["--kernel", "6.1"],
}
ASKED = {
    "doctor": ["doctor", "--json"],
    "human": ["doctor"],
    "auto": ["run", "/share"],
    "process": ["run", "/share", "--isolation", "process"],
    "mpk": ["run", "/share", "--isolation", "mpk"],
}
# Runs in the guest: asks everything and prints the answers as one JSON document.
GUEST = """
import json, subprocess, sys
def ask(words):
    ran = subprocess.run(["keylane", *words], capture_output=True, text=True)
    return {"status": ran.returncode, "out": ran.stdout, "err": ran.stderr}
print(json.dumps({name: ask(words) for name, words in json.loads(sys.argv[1]).items()}))
"""
PROJECT = {
    "keylane.toml": '[workflow]\nname = "t"\ndefinition = "w.json"\n\n'
                    '[functions.f]\nruntime = "python3.11"\npath = "f"\nhandler = "f.handler"\n',
    "w.json": '{"StartAt": "F", "States": {"F": {"Type": "Task", "Resource": "f", "End": true}}}',
    "f/f.py": "def handler(event, context):\n    return 'it ran'\n",
}
ANSWERS = {}


def answers(host, project):
    ran = subprocess.run(
        [RIG, "--user", "tester", "--share", project, *HOSTS[host], "--", "python3.11", "-c", GUEST, json.dumps(ASKED)],
        capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RuntimeError(f"the rig {host!r} ended with {ran.returncode}: {ran.stderr}")
    return json.loads(ran.stdout)


def setUpModule():
    with tempfile.TemporaryDirectory() as folder:
        for path, text in PROJECT.items():
            at = pathlib.Path(folder, path)
            at.parent.mkdir(exist_ok=True)
            at.write_text(text)
        # A machine has one host thread: two of them at a time.
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            given = pool.map(answers, HOSTS, [folder] * len(HOSTS))
            ANSWERS.update(zip(HOSTS, given))


class Host(unittest.TestCase):
    def doctor(self, host, status=0):
        said = ANSWERS[host]["doctor"]
        self.assertEqual(said["status"], status, said)
        return json.loads(said["out"])

    def point(self, host, name, status=0):
        """What doctor says about one point."""
        found = [check for check in self.doctor(host, status)["checks"] if check["name"] == name]
        self.assertEqual(len(found), 1, f"{name} is not looked at on {host}")
        return found[0]

    def assert_differs(self, host, name, status=0):
        """The point is told as worse than on a complete host, in both forms."""
        here, there = self.point(host, name, status), self.point("complete", name)
        self.assertNotEqual((here["standing"], here["found"]), (there["standing"], there["found"]))
        lines = ANSWERS[host]["human"]["out"].splitlines()
        self.assertTrue(any(line.startswith(here["standing"]) and name in line for line in lines), lines)
        return here

    def assert_ran(self, host, asked):
        said = ANSWERS[host][asked]
        self.assertEqual(said["status"], 0, said)
        self.assertEqual(said["out"], '"it ran"\n')
        return said["err"]

    def assert_refused(self, host, asked, *words):
        """Exit code 3, nothing run, and one line that has these words and blames the host."""
        said = ANSWERS[host][asked]
        self.assertEqual(said["status"], 3, said)
        self.assertEqual(said["out"], "", "something ran")
        first = said["err"].splitlines()[0]
        for word in ("keylane: run ", "fault of the host", *words):
            self.assertIn(word, first, said["err"])
        blamed = [line for line in said["err"].splitlines() if "fault of" in line]
        self.assertEqual(blamed, [first], "it is told more than once")
        self.assertIn("what to do: ", said["err"])


class Complete(Host):
    def test_a_host_that_lacks_nothing_is_told_so(self):
        for name in ("kernel", "Landlock", "seccomp", "namespaces", "protection keys", "domains"):
            self.assertEqual(self.point("complete", name)["standing"], "ok", name)
        self.assertTrue(self.doctor("complete")["isolation"]["process"]["fit"])
        self.assert_ran("complete", "process")

    def test_what_is_substituted_anywhere_says_what_is_lost(self):
        for host in HOSTS:
            said = json.loads(ANSWERS[host]["doctor"]["out"])
            for check in said["checks"]:
                if check["standing"] == "substituted":
                    self.assertIn("lost:", check["instead"], (host, check))
                if check["standing"] == "missing" and check["needed"]:
                    self.assertTrue(check["advice"], (host, check))

    def test_mpk_is_refused_on_every_host_and_nothing_stands_in(self):
        for host in HOSTS:
            self.assertFalse(json.loads(ANSWERS[host]["doctor"]["out"])["isolation"]["mpk"]["fit"])
            self.assert_refused(host, "mpk", "mpk")

    def test_auto_says_once_which_isolation_it_took_and_why(self):
        for host in HOSTS:
            if host != "no landlock":
                words = [line for line in self.assert_ran(host, "auto").splitlines() if "isolation process, because" in line]
                self.assertEqual(len(words), 1, (host, words))


class Keys(Host):
    def test_a_processor_without_keys_is_told_and_needed_by_mpk_alone(self):
        point = self.assert_differs("no keys", "protection keys")
        self.assertEqual(point["standing"], "missing")
        self.assertFalse(point["needed"])
        self.assert_ran("no keys", "process")

    def test_a_trial_of_domains_is_told_where_it_works_and_where_it_does_not(self):
        self.assertIn("15 in a process", self.point("complete", "domains")["found"])
        for host in ("no keys", "6.1"):
            point = self.assert_differs(host, "domains")
            self.assertEqual(point["standing"], "missing")
            self.assertFalse(point["needed"])
        self.assertIn("no protection keys", self.point("no keys", "domains")["found"])
        reasons = self.doctor("6.1")["isolation"]["mpk"]["reasons"]
        self.assertTrue(any("a trial of domains failed" in reason for reason in reasons), reasons)

    def test_mpk_is_refused_for_the_want_of_keys_where_there_are_none(self):
        self.assert_refused("no keys", "mpk", "no protection keys")
        self.assertNotIn("no protection keys", ANSWERS["complete"]["mpk"]["err"])


class Landlock(Host):
    def test_a_kernel_without_landlock_is_unfit_and_says_how_to_get_it(self):
        point = self.assert_differs("no landlock", "Landlock", status=3)
        self.assertEqual(point["standing"], "missing")
        self.assertTrue(point["needed"])
        self.assertIn("lsm=landlock", point["advice"])
        verdict = self.doctor("no landlock", status=3)["isolation"]["process"]
        self.assertFalse(verdict["fit"])
        self.assertTrue(any("Landlock" in reason for reason in verdict["reasons"]), verdict)
        self.assertEqual(ANSWERS["no landlock"]["human"]["status"], 3)

    def test_nothing_runs_without_landlock(self):
        self.assert_refused("no landlock", "process", "Landlock")
        said = ANSWERS["no landlock"]["auto"]
        self.assertEqual((said["status"], said["out"]), (3, ""), said)
        self.assertEqual(sum("no Landlock" in line for line in said["err"].splitlines()), 1, said)


class Namespaces(Host):
    def test_a_host_that_refuses_namespaces_is_fit_and_says_what_is_lost(self):
        point = self.assert_differs("no namespaces", "namespaces")
        self.assertEqual(point["standing"], "substituted")
        self.assertFalse(point["needed"])
        self.assertIn("user namespaces", point["advice"])
        self.assertTrue(self.doctor("no namespaces")["isolation"]["process"]["fit"])

    def test_a_run_says_that_namespaces_are_missing_and_what_stands_in(self):
        words = self.assert_ran("no namespaces", "process")
        told = [line for line in words.splitlines() if "user namespaces" in line]
        self.assertEqual(len(told), 1, words)
        self.assertIn("Landlock and the filter", words)
        self.assertNotIn("user namespaces", self.assert_ran("complete", "process"))


class Cgroups(Host):
    def test_a_host_without_cgroups_is_fit_and_says_what_is_lost(self):
        point = self.assert_differs("no cgroups", "cgroups")
        self.assertEqual(point["standing"], "substituted")
        self.assertFalse(point["needed"])
        self.assert_ran("no cgroups", "process")


class OlderKernel(Host):
    def test_landlocks_missing_scopes_are_told(self):
        point = self.assert_differs("6.1", "Landlock")
        self.assertEqual(point["standing"], "substituted")
        self.assertIn("ABI 2", point["found"])
        self.assert_ran("6.1", "process")

    def test_mpk_is_refused_for_the_kernel_though_the_processor_has_keys(self):
        self.assertEqual(self.point("6.1", "protection keys")["standing"], "ok")
        self.assert_refused("6.1", "mpk", "older than 6.12")


if __name__ == "__main__":
    unittest.main()
