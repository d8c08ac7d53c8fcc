"""All that must hold before a commit: `python3 scripts/check.py` = format, lint, types, tests.

`--fix` formats and mends what can be mended by itself; `--no-tests` leaves the tests out; what else is given goes to
pytest. Every step runs, also after one that failed; the exit code is 1 if any did.
"""

import argparse
import os
import subprocess
import tempfile
import time
import xml.etree.ElementTree

import environment


def run() -> int:
    """Run every step; 1 if one failed."""
    parser = argparse.ArgumentParser(description="Format, lint, types and tests.", epilog="The rest goes to pytest.")
    parser.add_argument("--fix", action="store_true", help="format, and mend what ruff can mend")
    parser.add_argument("--no-tests", action="store_true", help="leave the tests out")
    options, rest = parser.parse_known_args()
    python = environment.ready()
    steps = {
        "format": ["ruff", "format", "."] if options.fix else ["ruff", "format", "--check", "."],
        "lint": ["ruff", "check", "--fix", "."] if options.fix else ["ruff", "check", "."],
        "types": ["mypy"],
    }
    results = {name: step(name, [python, "-m", *command]) for name, command in steps.items()}
    folders: dict[str, float] = {}
    if not options.no_tests:
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "tests.xml")
            # xunit1 is the family that names each test's file.
            command = ["pytest", "--junitxml", report, "-o", "junit_family=xunit1", *rest]
            results["tests"] = step("tests", [python, "-m", *command])
            folders = seconds_by_folder(report)
    for name, seconds in folders.items():
        print(f"    {seconds:6.1f} s  {name}")
    for name, (code, seconds) in results.items():
        print(f"{'ok    ' if code == 0 else 'FAILED'}  {seconds:6.1f} s  {name}")
    return 1 if any(code for code, _ in results.values()) else 0


def step(name: str, command: "list[str]") -> "tuple[int, float]":
    """The exit code of a step and the seconds it took."""
    print(f"--- {name}", flush=True)
    started = time.monotonic()
    code = subprocess.run(command, cwd=environment.ROOT).returncode
    return code, time.monotonic() - started


def seconds_by_folder(report: str) -> "dict[str, float]":
    """The seconds that the tests of each folder took, from pytest's JUnit report; empty if there is none."""
    if not os.path.exists(report):
        return {}
    seconds: dict[str, float] = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        folder = os.path.dirname(case.get("file", "")) or "."
        seconds[folder] = seconds.get(folder, 0.0) + float(case.get("time", 0))
    return dict(sorted(seconds.items()))


if __name__ == "__main__":
    environment.main(run)
