"""Run the tests: `python3 scripts/test.py [pytest arguments]`, the whole suite without any.

Makes `.venv` first if it is missing or its requirements have changed. Paths count from the current folder or from the
repository. `--tensorflow 2.16` takes the oldest TensorFlow that is supported, in an environment of its own.
"""

import argparse
import os
import tempfile

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
    kept_out = [] if os.access(environment.ROOT, os.W_OK) else write_elsewhere()
    interpreters.replace_process([python, "-m", "pytest", *kept_out, *arguments])


def write_elsewhere() -> "list[str]":
    """Arguments for a read-only repository: a cache that can't be written to warns, and warnings are errors."""
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(tempfile.gettempdir(), "tfgrad-hypothesis"))
    return ["-p", "no:cacheprovider"]


def from_here(argument: str) -> str:
    """A path as it is to be read in the repository's folder; whatever is no path below another current folder stays."""
    path = argument.split("::")[0]
    is_ours = os.path.abspath(path).startswith(os.path.join(environment.ROOT, ""))
    if not is_ours or os.path.exists(os.path.join(environment.ROOT, path)) or not os.path.exists(path):
        return argument
    return os.path.relpath(path, environment.ROOT) + argument[len(path) :]


if __name__ == "__main__":
    environment.main(run)
