"""Run the demos: `python3 scripts/demos.py [NAME ...]`, with the arguments of `python -m tfgrad demos`.

Makes `.venv` first if it is missing or its requirements have changed.
"""

import sys

import environment
import interpreters


def run() -> int:
    """Go on as `python -m tfgrad demos` inside the environment."""
    python = environment.ready()
    # Without -P a `tfgrad` or a `random.py` in the current folder would be taken for the real one; Python 3.11 has it.
    safe = ["-P"] if sys.version_info >= (3, 11) else []
    interpreters.replace_process([python, *safe, "-m", "tfgrad", "demos", *sys.argv[1:]])


if __name__ == "__main__":
    environment.main(run)
