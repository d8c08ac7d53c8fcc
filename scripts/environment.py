"""The environment in which tfgrad runs here: `.venv`, made from the pinned requirements when it is missing or stale.

What it was made from stands in a stamp that is written last, so a half-made one is noticed and made anew.
If the stamp is right nothing else is looked at: a second start costs a few milliseconds.
TFGRAD_VENV names another folder than `.venv`, for a repository that can't be written to.
Syntax of Python 3.6, like the scripts that import it.
"""

import hashlib
import os
import sys
from typing import Callable, NamedTuple, NoReturn

import interpreters
from interpreters import Pythons, Trouble

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEFAULT = "2.21"
STAMP = "tfgrad-stamp.txt"
LOCK = "tfgrad-lock"
UNFINISHED = "unfinished\n"
EXIT_NO_ENVIRONMENT = 3
EXIT_INTERRUPTED = 130


class Environment(NamedTuple):
    """A virtual environment: the file it is made from, the Pythons it can be made with, and its folder's ending."""

    requirements: str
    pythons: Pythons
    ending: str = ""

    @property
    def folder(self) -> str:
        """Where it is or will be."""
        chosen = os.environ.get("TFGRAD_VENV")
        return (os.path.abspath(chosen) if chosen else os.path.join(ROOT, ".venv")) + self.ending

    @property
    def python(self) -> str:
        """Its interpreter."""
        return os.path.join(self.folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))

    @property
    def packages(self) -> str:
        """Its site-packages, for the version of Python that runs this."""
        version = "python" + interpreters.dotted(sys.version_info[:2])
        inside = ("Lib", "site-packages") if os.name == "nt" else ("lib", version, "site-packages")
        return os.path.join(self.folder, *inside)

    @property
    def stamp(self) -> str:
        """The file that says what it was made from."""
        return os.path.join(self.folder, STAMP)

    def wanted(self) -> str:
        """What the stamp must say."""
        with open(os.path.join(ROOT, self.requirements), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        return f"python {interpreters.dotted(sys.version_info[:2])}\n{self.requirements} sha256 {digest}\n"

    def is_ready(self) -> bool:
        """Whether it was made to the end, from today's requirements, for this Python, and its interpreter is there."""
        return read(self.stamp) == self.wanted() and os.path.exists(self.python)


ENVIRONMENTS = {
    DEFAULT: Environment("scripts/requirements.txt", Pythons("2.21", (3, 10), (3, 13))),
    "2.16": Environment("scripts/requirements-tf216.txt", Pythons("2.16", (3, 10), (3, 12)), ending="-tf216"),
}


def main(run: "Callable[[], int]") -> NoReturn:
    """Run a script; what it can't do becomes a message and an exit code."""
    try:
        code = run()
    except Trouble as trouble:
        interpreters.say(str(trouble))
        code = EXIT_NO_ENVIRONMENT
    except KeyboardInterrupt:
        interpreters.say("stopped")
        code = EXIT_INTERRUPTED
    sys.exit(code)


def ready(tensorflow: str = DEFAULT) -> str:
    """The interpreter of an environment that is there and complete; made now if need be."""
    environment = ENVIRONMENTS[tensorflow]
    if not environment.is_ready():
        interpreters.settle(environment.pythons)
        # Only here: what it imports need not be paid for by every start.
        import installing

        installing.make(environment)
    reach_the_repository(environment)
    return environment.python


def reach_the_repository(environment: Environment) -> None:
    """Put the repository on the environment's path; written only if it says something else, as after a move."""
    inside = environment.folder.startswith(os.path.join(ROOT, ""))
    line = (os.path.relpath(ROOT, environment.packages) if inside else ROOT) + "\n"
    path = os.path.join(environment.packages, "tfgrad-repository.pth")
    # Source: site.addpackage reads UTF-8 since Python 3.13, the locale's encoding before.
    encoding = "utf-8" if sys.version_info >= (3, 13) else None
    if read(path, encoding) == line:
        return
    try:
        with open(path, "w", encoding=encoding) as file:
            file.write(line)
    except OSError as error:
        raise Trouble(f"can't write {path}: {error.strerror}.\n{elsewhere(environment)}") from None


def elsewhere(environment: Environment) -> str:
    """The advice for a folder that can't be written to."""
    return (
        "Set TFGRAD_VENV to a folder that can be written to, and run this again; the environment is made there:\n"
        f"  TFGRAD_VENV=~/tfgrad-venv python3 {sys.argv[0]}    (Windows: set TFGRAD_VENV=%USERPROFILE%\\tfgrad-venv)"
        + (f"\nThe ending {environment.ending} is added to it." if environment.ending else "")
    )


def read(path: str, encoding: "str | None" = "utf-8") -> str:
    """The text of a file, "" if there is none or it is no text."""
    try:
        with open(path, encoding=encoding) as file:
            return file.read()
    except (OSError, ValueError):
        return ""
