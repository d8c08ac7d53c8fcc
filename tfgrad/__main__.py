"""`python -m tfgrad`."""

import sys

# Python has put the current folder first: a random.py there is somebody's program, not what we mean by `random`.
_first = [] if getattr(sys.flags, "safe_path", sys.flags.isolated) else sys.path[:1]
sys.path[: len(_first)] = []
from tfgrad.cli import main  # noqa: E402

sys.path[:0] = _first

if __name__ == "__main__":
    sys.exit(main())
