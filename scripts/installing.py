"""How an environment is made: venv, pip with hashes, byte code, stamp; one run at a time, each stage with its seconds.

Only a folder that these scripts began is ever emptied: it holds their stamp or their lock.
Everything is told on standard error, pip's own output included: standard output belongs to the command that follows.
"""

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from typing import IO, Iterator

import interpreters
from environment import LOCK, ROOT, STAMP, UNFINISHED, Environment, elsewhere
from interpreters import Trouble, say

WAIT_SECONDS = 0.5
LITTLE_SPACE = 300e6

# What pip writes, in the order in which it decides; the last lines often say less than the first.
PIP_FAILURES = (
    (
        ("DO NOT MATCH THE HASHES",),
        "A download is not what was pinned: it arrived broken, or it was changed on its way or at its source.\n"
        "Try again after `{python} -m pip cache purge`. If it stays, do not go around the check.",
    ),
    (
        ("No space left", "not enough space", "Disk quota exceeded"),
        "The disk is full. Some 3 GB are needed; TFGRAD_VENV names a folder on another disk for the environment.",
    ),
    (
        ("Failed to establish a new connection", "name resolution", "getaddrinfo failed", "NewConnectionError",
         "ConnectTimeout", "Read timed out", "ProxyError", "Max retries exceeded", "SSLError",
         "CERTIFICATE_VERIFY_FAILED", "Network is unreachable", "Connection refused", "Connection aborted"),
        "The package index could not be reached. Check the network; behind a proxy set HTTPS_PROXY; with an index of\n"
        "your own set PIP_INDEX_URL (and PIP_CERT for its certificate). Then run the same command again.",
    ),
    (
        ("No matching distribution", "Could not find a version", "from versions:"),
        "The package index in use does not offer one of the pinned packages for this Python and system.\n"
        "{settings}Check that the network and the index are the right ones, then run the same command again.",
    ),
)  # fmt: skip


def make(environment: Environment) -> None:
    """Make the environment, or wait for another run that is at it; raises Trouble if it can't be made."""
    _check_venv_module()
    _leave_it(environment)
    _begin(environment)
    with _lock(environment) as lock:
        if environment.is_ready():
            return
        started = time.monotonic()
        tensorflow, version = environment.pythons.tensorflow, interpreters.dotted(sys.version_info[:2])
        say(f"making {environment.folder} with Python {version} and TensorFlow {tensorflow}: once, some minutes, 2 GB")
        try:
            _empty(environment)
            _stages(environment, lock)
        except KeyboardInterrupt:
            say("stopped before the environment was complete; the next run makes it anew")
            raise SystemExit(130) from None
        except OSError as error:
            raise _unwritable(environment, error) from None
        say(f"the environment is ready after {time.monotonic() - started:.0f} s")


def _check_venv_module() -> None:
    try:
        import venv
        from ensurepip import bootstrap

        del venv, bootstrap
    except ImportError as error:
        version = interpreters.dotted(sys.version_info[:2])
        raise Trouble(
            f"this Python ({sys.executable}) can't make virtual environments: {error}.\n"
            f"On Debian and Ubuntu it is a package of its own: apt install python3-venv (or python{version}-venv).\n"
            "Elsewhere install a Python from python.org. Then run the same command again."
        ) from None


def _leave_it(environment: Environment) -> None:
    """Go on with the Python that the environment was made with, if this is the environment's own."""
    if os.path.realpath(sys.prefix) != os.path.realpath(environment.folder):
        return
    base = getattr(sys, "_base_executable", sys.executable)
    if os.name == "nt" or os.path.realpath(os.path.dirname(base)).startswith(os.path.realpath(environment.folder)):
        raise Trouble(
            f"{environment.folder} is out of date and can't be made anew by its own Python.\n"
            f"Use the Python outside of it: run `deactivate` first, or type `py {sys.argv[0]}` on Windows."
        )
    interpreters.replace_process([base, *sys.argv])


def _begin(environment: Environment) -> None:
    """Make sure that the folder is there and that it is ours."""
    try:
        os.makedirs(environment.folder, exist_ok=True)
        entries = os.listdir(environment.folder)
    except OSError as error:
        raise _unwritable(environment, error) from None
    if entries and STAMP not in entries and LOCK not in entries:
        raise Trouble(
            f"{environment.folder} is there already and was not made by these scripts, so it is left as it is.\n"
            "Move or delete it and run this again, or set TFGRAD_VENV to a folder that does not exist yet."
        )


def _unwritable(environment: Environment, error: OSError) -> Trouble:
    if error.errno == errno.ENOSPC:
        return Trouble("the disk is full. Some 3 GB are needed; TFGRAD_VENV names a folder on another disk.")
    at = f" ({error.filename})" if error.filename and error.filename != environment.folder else ""
    in_use = "\nIf a program is running from it, close that first." if os.name == "nt" else ""
    return Trouble(f"can't make {environment.folder}: {error.strerror}{at}.{in_use}\n{elsewhere(environment)}")


@contextlib.contextmanager
def _lock(environment: Environment) -> "Iterator[IO[str]]":
    """Wait until no other run is making this environment; the system frees the lock of a run that died."""
    try:
        file = open(os.path.join(environment.folder, LOCK), "a")  # noqa: SIM115
    except OSError as error:
        raise _unwritable(environment, error) from None
    with file:
        started = time.monotonic()
        told = False
        while not _take(file):
            if not told:
                say(f"another run is making {environment.folder}; waiting for it (Ctrl-C stops waiting)")
                told = True
            time.sleep(WAIT_SECONDS)
        if told:
            say(f"waited {time.monotonic() - started:.0f} s")
        yield file


def _take(file: "IO[str]") -> bool:
    """Whether the lock is ours now."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # A file system without locks (some network ones) must not keep anybody from installing.
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def _empty(environment: Environment) -> None:
    """Take everything out but stamp and lock; the stamp says "unfinished" before the first file goes."""
    _write_stamp(environment, UNFINISHED)
    for entry in list(os.scandir(environment.folder)):
        if entry.name in (STAMP, LOCK):
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def _stages(environment: Environment, lock: "IO[str]") -> None:
    with _stage("1/3 virtual environment"):
        code, said = _run([sys.executable, "-I", "-m", "venv", environment.folder], lock)
    if code:
        raise Trouble(f"Python's venv could not make {environment.folder} (exit code {code}).\n{said}".rstrip())
    with _stage("2/3 packages, each checked by its hash", ticks=False):
        install_packages(environment, lock)
    with _stage("3/3 byte code"):
        # The exit code says only that some packages ship files for other Pythons.
        _run([*_inside(environment), "compileall", "-qq", "-j", "0", environment.packages], lock)
    _write_stamp(environment, environment.wanted())


def install_packages(environment: Environment, lock: "IO[str]") -> None:
    """Have pip install the requirements; raises Trouble that says what its failure means."""
    pip = ["pip", "install", "--no-input", "--disable-pip-version-check", "--no-user", "--no-compile"]
    pinned = ["--only-binary", ":all:", "--require-hashes", "-r", os.path.join(ROOT, environment.requirements)]
    code, said = _run([*_inside(environment), *pip, *pinned], lock)
    if code:
        raise Trouble(_pip_failed(environment, code, said))


def _inside(environment: Environment) -> "list[str]":
    """Start of a command in the environment, heedless of PYTHONPATH (pip would take what is there for installed)."""
    return [environment.python, "-I", "-u", "-m"]


def _write_stamp(environment: Environment, text: str) -> None:
    """All of it or nothing, even if the power goes."""
    unready = environment.stamp + ".new"
    with open(unready, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(unready, environment.stamp)


def _run(command: "list[str]", lock: "IO[str]") -> "tuple[int, str]":
    """The exit code of a program, and its standard error, which is shown as it comes, like its standard output.

    A child holds the lock too: if this process is killed, the next run waits for what the child still writes.
    """
    sys.stderr.flush()
    kept = {} if os.name == "nt" else {"pass_fds": (lock.fileno(),)}
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), stderr=subprocess.PIPE, **kept
    )  # type: ignore[call-overload]
    said: list[bytes] = []
    reader = threading.Thread(target=_pass_on, args=(child.stderr, said), daemon=True)
    reader.start()
    try:
        code: int = child.wait()
    except KeyboardInterrupt:
        _end(child)
        raise
    reader.join()
    return code, b"".join(said).decode("utf-8", "replace")


def _pass_on(source: "IO[bytes]", said: "list[bytes]") -> None:
    for line in source:
        said.append(line)
        os.write(sys.stderr.fileno(), line)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Wait for a child that got the same Ctrl-C; not for ever."""
    try:
        child.wait(timeout=5)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        child.kill()
        child.wait()


def _pip_failed(environment: Environment, code: int, said: str) -> str:
    """What pip's output means, in plain words."""
    head = f"pip could not install the requirements (exit code {code}); its own lines are above.\n"
    if shutil.disk_usage(environment.folder).free < LITTLE_SPACE:
        said = "No space left"
    settings = [name for name in ("PIP_NO_INDEX", "PIP_INDEX_URL", "PIP_FIND_LINKS") if os.environ.get(name)]
    told = f"Set in this shell: {', '.join(settings)}.\n" if settings else ""
    for words, meaning in PIP_FAILURES:
        if any(word in said for word in words):
            return head + meaning.format(python=environment.python, settings=told)
    return head + "Run the same command again to begin anew."


@contextlib.contextmanager
def _stage(name: str, ticks: bool = True) -> "Iterator[None]":
    """Tell a stage and the seconds it took; on a terminal its line counts them meanwhile."""
    started = time.monotonic()
    done = threading.Event()
    terminal = sys.stderr.isatty()
    ticker = threading.Thread(target=_tick, args=(name, started, done), daemon=True)
    if terminal and ticks:
        ticker.start()
    else:
        say(f"  {name} ...")
    completed = False
    try:
        yield
        completed = True
    finally:
        done.set()
        if ticker.is_alive():
            ticker.join()
            print(file=sys.stderr, flush=True)
        elif completed:
            say(f"  {name}: {time.monotonic() - started:.0f} s")


def _tick(name: str, started: float, done: threading.Event) -> None:
    ended = False
    while not ended:
        print(f"\rtfgrad:   {name} ... {time.monotonic() - started:.0f} s", end="", file=sys.stderr, flush=True)
        ended = done.wait(1)
