"""Which Python the scripts run on: whether this one is fit for TensorFlow, which other one is, and how to go on there.

Nothing is installed here. Syntax and library calls are those of Python 3.6, so that an old Python gets a message
instead of a SyntaxError. Run as a script, it prints what it knows about the Python that runs it, as JSON.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import sysconfig
from typing import NamedTuple, NoReturn

PROBE_SECONDS = 30
# Source: file names and tags of the wheels of tensorflow 2.16.2 and 2.21.0 on PyPI.
OLDEST_GLIBC = {"2.16": (2, 17), "2.21": (2, 27)}
LINUX_MACHINES = ("x86_64", "aarch64")


class Trouble(Exception):
    """What keeps a script from going on; its text says what was found, what is needed and what to try."""


class Pythons(NamedTuple):
    """The Pythons that have wheels of one TensorFlow: versions from oldest to newest."""

    tensorflow: str
    oldest: "tuple[int, int]"
    newest: "tuple[int, int]"

    def versions(self) -> "list[tuple[int, int]]":
        """All of them, the newest first."""
        return [(3, minor) for minor in range(self.newest[1], self.oldest[1] - 1, -1)]


class Facts(NamedTuple):
    """What decides whether an interpreter will do; `libc` is "glibc 2.36", "musl", or "" outside Linux."""

    executable: str
    version: "tuple[int, int]"
    implementation: str
    bits: int
    free_threaded: bool
    system: str
    machine: str
    libc: str


class Misfit(NamedTuple):
    """Why an interpreter will not do, and what to do about it."""

    reason: str
    advice: str


def this_python() -> Facts:
    """The facts of the Python that runs this."""
    windows = sys.platform == "win32"
    return Facts(
        executable=sys.executable,
        version=(sys.version_info[0], sys.version_info[1]),
        implementation=sys.implementation.name,
        bits=struct.calcsize("P") * 8,
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        system=sys.platform,
        # On Windows the interpreter's own kind counts: an x86-64 Python runs on an ARM machine too.
        machine=sysconfig.get_platform().split("-")[-1] if windows else os.uname()[4],
        libc=_libc(),
    )


def _libc() -> str:
    if not sys.platform.startswith("linux"):
        return ""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "musl"
    except (ValueError, OSError):
        return "musl"


def misfit(facts: Facts, pythons: Pythons) -> "Misfit | None":
    """What is wrong with an interpreter for this TensorFlow; None if it will do."""
    return _wrong_system(facts, pythons) or _wrong_build(facts, pythons)


def _wrong_system(facts: Facts, pythons: Pythons) -> "Misfit | None":
    """What another Python on the same system would not mend."""
    tensorflow = "TensorFlow " + pythons.tensorflow
    if facts.libc == "musl":
        return Misfit(
            f"{tensorflow} has no wheels for musl libc (Alpine Linux)",
            "Use a system with glibc, such as Debian, Ubuntu or Fedora (Docker: python:3.13-slim instead of -alpine).",
        )
    oldest = OLDEST_GLIBC.get(pythons.tensorflow)
    if oldest and facts.libc.startswith("glibc ") and _numbers(facts.libc.split()[1]) < oldest:
        needed = ".".join(map(str, oldest))
        return Misfit(f"{tensorflow} needs glibc {needed} or newer, this is {facts.libc}", "Use a newer Linux.")
    if facts.system.startswith("linux") and facts.bits == 64 and facts.machine not in LINUX_MACHINES:
        return Misfit(
            f"{tensorflow} has no wheels for Linux on {facts.machine}",
            "Use a machine with an x86-64 or a 64 bit ARM processor.",
        )
    if facts.system == "darwin" and facts.machine == "x86_64":
        return Misfit(
            f"{tensorflow} has no wheels for Macs with an Intel processor",
            "On Apple silicon this is an Intel Python under Rosetta: install an arm64 one (from python.org, or "
            "/opt/homebrew).\nOn an Intel Mac use a Linux machine or container.",
        )
    return None


def _wrong_build(facts: Facts, pythons: Pythons) -> "Misfit | None":
    """What another Python on the same system would mend."""
    tensorflow = "TensorFlow " + pythons.tensorflow
    oldest, newest = dotted(pythons.oldest), dotted(pythons.newest)
    advice = (
        f"Install a 64 bit Python {oldest} to {newest} beside it, from python.org or with the package manager:\n"
        f"  Debian, Ubuntu  apt install python{newest} python{newest}-venv (or the version that your release has)\n"
        f"  macOS           brew install python@{newest}\n"
        f"  Windows         winget install Python.Python.{newest}\n"
        "Then run the same command again; the new one is found."
    )
    if facts.implementation != "cpython":
        return Misfit(f"{tensorflow} has wheels for CPython only, this is {facts.implementation}", advice)
    if not pythons.oldest <= facts.version <= pythons.newest:
        return Misfit(
            f"{tensorflow} has wheels for Python {oldest} to {newest}, this is {dotted(facts.version)}", advice
        )
    if facts.free_threaded:
        return Misfit(f"{tensorflow} has no wheels for the free-threaded build of Python", advice)
    if facts.bits != 64:
        return Misfit(f"{tensorflow} has no wheels for a {facts.bits} bit Python", advice)
    if facts.system == "win32" and facts.machine == "arm64":
        return Misfit(
            f"{tensorflow} has no wheels for an ARM Python on Windows",
            advice.replace("64 bit", "64 bit (x86-64)", 1),
        )
    return None


def settle(pythons: Pythons) -> None:
    """Come back if this Python will do; else go on with one that does, from the start, or raise Trouble."""
    facts = this_python()
    wrong = misfit(facts, pythons)
    if wrong is None:
        return
    found, tried = find(pythons)
    if found is None:
        names = ", ".join("python" + dotted(version) for version in pythons.versions())
        others = "".join(f"\nAlso found: {line}." for line in tried)
        raise Trouble(
            f"{wrong.reason} ({facts.executable}).{others}\nNo other Python that fits is here (looked for {names}).\n"
            f"{wrong.advice}"
        )
    say(f"{wrong.reason}; going on with {found.executable} ({dotted(found.version)})")
    replace_process([found.executable, *sys.argv])


def find(pythons: Pythons) -> "tuple[Facts | None, list[str]]":
    """The newest Python on this machine that will do, and a line about each that was looked at and will not."""
    tried: list[str] = []
    for version in pythons.versions():
        for command in _commands(version):
            facts = probe(command)
            wrong = facts and misfit(facts, pythons)
            if facts and not wrong:
                return facts, tried
            if facts and wrong:
                tried.append(f"{facts.executable}; {wrong.reason}")
    return None, tried


def _commands(version: "tuple[int, int]") -> "list[list[str]]":
    """What may start this version: every match on PATH, as the first may be a stand-in that finds nothing (pyenv)."""
    name = "python" + dotted(version)
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    matches = [shutil.which(name, path=folder) for folder in folders if folder]
    commands = [[match] for match in matches if match]
    launcher = shutil.which("py") if os.name == "nt" else None
    return [[launcher, "-" + dotted(version)], *commands] if launcher else commands


def probe(command: "list[str]") -> "Facts | None":
    """The facts of the interpreter that a command starts; None if it starts none."""
    try:
        done = subprocess.run(
            [*command, "-I", os.path.abspath(__file__)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            timeout=PROBE_SECONDS,
        )
        told = json.loads(done.stdout.decode("utf-8"))
        return Facts(**dict(told, version=tuple(told["version"])))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError, KeyError):
        return None


def replace_process(command: "list[str]") -> NoReturn:
    """Go on as another program, with its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execv(command[0], command)
    sys.exit(run_to_the_end(command))


def run_to_the_end(command: "list[str]") -> int:
    """The exit code of a program that has the terminal: a Ctrl-C is its own business, and it is waited for.

    Windows' own exec gives the prompt back at once and loses the exit code, so it is not used there.
    """
    child = subprocess.Popen(command)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def dotted(version: "tuple[int, ...]") -> str:
    """(3, 11) as 3.11."""
    return ".".join(map(str, version))


def _numbers(text: str) -> "tuple[int, ...]":
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def say(text: str) -> None:
    """One line about what the script does, on standard error: standard output belongs to the command that follows."""
    print("tfgrad: " + text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    print(json.dumps(this_python()._asdict()))
