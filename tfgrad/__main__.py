"""`python -m tfgrad`."""

import sys

from tfgrad.cli import main

if __name__ == "__main__":
    sys.exit(main())
