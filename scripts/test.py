"""Run the tests: `python3 scripts/test.py [pytest arguments]`, the whole suite without any.

Makes `.venv` first if it is missing or its requirements have changed. Paths count from the current folder or from the
repository. `--tensorflow 2.16` takes the oldest TensorFlow that is supported, in an environment of its own.
"""

import argparse
import os

import environment
import interpreters


def run() -> int:
    """Go on as pytest inside the environment, in the repository's folder."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--tensorflow", choices=sorted(environment.ENVIRONMENTS), default=environment.DEFAULT)
    known, arguments = parser.parse_known_args()
    python = environment.ready(known.tensorflow)
    arguments = [from_here(argument) for argument in arguments]
    os.chdir(environment.ROOT)
    interpreters.replace_process([python, "-m", "pytest", *arguments])


def from_here(argument: str) -> str:
    """A path as it is to be read in the repository's folder; whatever is no path below another current folder stays."""
    path = argument.split("::")[0]
    is_ours = os.path.abspath(path).startswith(os.path.join(environment.ROOT, ""))
    if not is_ours or os.path.exists(os.path.join(environment.ROOT, path)) or not os.path.exists(path):
        return argument
    return os.path.relpath(path, environment.ROOT) + argument[len(path) :]


if __name__ == "__main__":
    environment.main(run)
