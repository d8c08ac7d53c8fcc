"""What a script is, finds, prints, and how it ends: as `python SCRIPT` has it, in processes of their own.

TensorFlow is not needed for any of this, so that each takes a fraction of a second.
"""

from __future__ import annotations

import os
import py_compile
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import spawned

FACTS = (
    "import sys\nprint(__name__, __file__, __package__, __spec__, __doc__, list(globals()))\n"
    "print(sys.argv, sys.path[0], sys.modules['__main__'].__dict__ is globals())\n"
)
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals, forks and links of POSIX")
GROUPS = pytest.mark.skipif(sys.version_info < (3, 11), reason="groups of exceptions came with Python 3.11")
ENDS = (
    "import atexit\natexit.register(lambda: print('handler'))\n"
    "class A:\n    def __del__(self):\n        print('gone')\n"
)

SCRIPTS: dict[str, str] = {
    "nothing at all": "",
    "what it is": FACTS,
    "annotations": "x: int = 3\nprint(__annotations__)",
    "a future of its own": "from __future__ import annotations\ndef f(x: nope): pass\nprint(f.__annotations__)",
    "a byte order mark": "\ufeffprint(1)\n",
    "ends of lines": "x = 1\r\nprint(x)\r\n1/0\r\n",
    "an indentation": "def f():\nprint(1)",
    "a syntax": "print('a')\nprint 'b'\n",
    "an error of several lines": "x = [1,\n 2,\n 1/0]\n",
    "a chain of errors": "try:\n    1/0\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e",
    "words": "import sys\nprint('b')\nsys.exit('words')",
    "a large code": "import sys\nsys.exit(300)",
    "a negative code": "import sys\nsys.exit(-1)",
    "True": "import sys\nsys.exit(True)",
    "a float": "import sys\nsys.exit(1.5)",
    "the class": "raise SystemExit",
    "a hook": "import sys\n"
    "sys.excepthook = lambda *a: print('hook', a[0], a[1], a[2].tb_frame.f_code.co_filename)\n1/0",
    "a hook that fails": "import sys\ndef hook(*a): 1/0\nsys.excepthook = hook\nraise ValueError('x')",
    "a hook that exits": "import sys\ndef hook(*a): sys.exit(5)\nsys.excepthook = hook\nraise ValueError('x')",
    "the last error": "import atexit, sys\natexit.register(lambda: print(sys.last_type, sys.last_value))\n1/0",
    "a handler that fails": "import atexit\n@atexit.register\ndef f(): 1/0\nprint('x')",
    "a handler that exits": "import atexit, sys\n@atexit.register\ndef f(): sys.exit(4)\nprint('x')",
    "objects at the end": ENDS + "a = A()\n",
    "objects after an error": ENDS + "a = A()\n1/0",
    "an error in a finalizer": "class A:\n    def __del__(self): 1/0\nA()\n",
    "stacks": "import logging, traceback\ndef f(): traceback.print_stack()\nf()\nlogging.warning('x', stack_info=True)",
    "a deep error": "def f(n):\n    return f(n + 1) if n < 50 else 1 / 0\nf(0)",
    "logging of an error": "import logging\ntry:\n    1/0\nexcept ZeroDivisionError:\n    logging.exception('x')",
    "pickled classes": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)",
    "arguments": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--json')\nprint(p.parse_args())",
    "no input": "input()",
    "an import that fails": "print(1)\nimport no_such_module",
    "much output": "print('x' * 3_000_000)",
    "faults": "import faulthandler\nfaulthandler.enable()\nprint(faulthandler.is_enabled())",
    "lines traced": "import sys\nseen = []\ndef t(f, e, a):\n    if f.f_code.co_filename == __file__:\n"
    "        seen.append((e, f.f_lineno))\n    return t\n"
    "sys.settrace(t)\n(lambda: 3)()\nsys.settrace(None)\nprint(seen)",
    "streams replaced": "import io, sys\nsys.stdout = io.StringIO()\nprint('x')",
    "an output closed": "import sys\nprint(1)\nsys.stdout.close()",
    "streams that are none": "import sys\nsys.stdout = sys.stderr = None\n",
    "files not closed": "f = open('data', 'w')\nf.write('x')\nclass A:\n    def __del__(self):\n"
    "        print('at the end')\na = A()\n1/0",
    "itself removed": "import os\nos.remove(__file__)\n1/0",
    "its folder removed": "import os, shutil\nshutil.rmtree(os.getcwd())\nprint(1)\n1/0",
    "its folder renamed": "import os\nos.rename(os.getcwd(), os.getcwd() + 'x')\nos.rename(os.getcwd(), "
    "os.path.dirname(__file__))\nprint(1)\n1/0",
    "an error in a thread": "import threading\nt = threading.Thread(target=lambda: 1/0, name='T')\nt.start()\nt.join()",
    "an exit in a thread": "import sys, threading\n"
    "t = threading.Thread(target=lambda: sys.exit(3))\nt.start()\nt.join()",
    "a thread that goes on": "import sys, threading, time\ndef f():\n    time.sleep(0.3)\n    print('thread')\n"
    "threading.Thread(target=f).start()\nprint('main')\nsys.exit('words')",
    "a thread that never ends": "import threading, time\nthreading.Thread(target=time.sleep, args=[100], daemon=True)"
    ".start()\nprint(1)",
    "idle threads of a pool": "from concurrent.futures import ThreadPoolExecutor\np = ThreadPoolExecutor(2)\n"
    "print(p.submit(lambda: 3).result())",
    "a hard exit": "import os, sys\nsys.stdout.write('lost')\nos._exit(5)",
    "a hard exit of a thread": "import os, threading, time\nthreading.Thread(target=lambda: os._exit(6)).start()\n"
    "time.sleep(20)",
    "the doctor itself": "import subprocess, sys\nopen('inner.py', 'w').write('print(5)')\n"
    "r = subprocess.run([sys.executable, '-m', 'tfgrad', 'doctor', 'inner.py'], capture_output=True)\n"
    "print(r.stdout, r.returncode)",
    "warnings": "import warnings\nwarnings.simplefilter('always')\nfor _ in range(2):\n    warnings.warn('x')\n"
    "warnings.simplefilter('error')\nwarnings.warn('y')",
    "help of its own": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--json')\n"
    "p.parse_args(['--help'])",
    "another process": "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', "
    "'import sys; print(sys.argv, \"tfgrad\" in sys.modules); sys.exit(3)'], capture_output=True))",
    "processes spawned": "import multiprocessing\ndef f(x): return x * x\nif __name__ == '__main__':\n"
    "    with multiprocessing.get_context('spawn').Pool(2) as p:\n        print(p.map(f, [1, 2]))",
    "a process spawned that exits": "import multiprocessing, sys\ndef f():\n    print('child')\n    sys.exit(4)\n"
    "if __name__ == '__main__':\n    p = multiprocessing.get_context('spawn').Process(target=f)\n    p.start()\n"
    "    p.join()\n    print(p.exitcode)",
    "a pool of processes": "from concurrent.futures import ProcessPoolExecutor\ndef f(x): return x * x\n"
    "if __name__ == '__main__':\n    with ProcessPoolExecutor(2) as p:\n        print(list(p.map(f, [1, 2])))",
}
POSIX_SCRIPTS: dict[str, str] = {
    "Ctrl-C": ENDS + "import os, signal, time\na = A()\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)",
    "Ctrl-C of its own": "import os, signal, time\nsignal.signal(signal.SIGINT, lambda *a: print('own'))\n"
    "os.kill(os.getpid(), signal.SIGINT)\ntime.sleep(0.1)",
    "an end of its own": "import os, signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *a: sys.exit(9))\n"
    "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(5)",
    "a pipe that nobody reads": "import os\nr, w = os.pipe()\nos.close(r)\nos.dup2(w, 1)\nprint('x')",
    "an output that is a closed file": "import os\nos.close(1)\nprint(1)",
    "a fork": "import os, sys\nif os.fork() == 0:\n    print('child')\n    sys.exit(3)\n"
    "print(os.waitstatus_to_exitcode(os.wait()[1]))",
    "a fork that fails": "import os\nif os.fork() == 0:\n    1/0\nprint(os.waitstatus_to_exitcode(os.wait()[1]))",
    "a fork that leaves hard": "import os\nif os.fork() == 0:\n    os._exit(7)\n"
    "print(os.waitstatus_to_exitcode(os.wait()[1]))",
    "processes forked": "import multiprocessing\ndef f(x): return x * x\nif __name__ == '__main__':\n"
    "    with multiprocessing.get_context('fork').Pool(2) as p:\n        print(p.map(f, [1, 2]))",
    "a process forked that exits": "import multiprocessing, sys\ndef f():\n    print('child')\n    sys.exit(4)\n"
    "p = multiprocessing.get_context('fork').Process(target=f)\np.start()\np.join()\nprint(p.exitcode)",
}


def same(files: spawned.Files, folder: Path, *words: str, **how: object) -> spawned.Ended:
    """Both runs agree in all but the report."""
    plain, done = spawned.both(files, words or ("script.py",), folder, **how)  # type: ignore[arg-type]
    assert done.own == plain.own
    assert done.report.startswith(spawned.MARK)
    assert done.report.count(spawned.MARK) == 1
    return done


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_does_and_ends_as_without_the_doctor(name: str, tmp_path: Path) -> None:
    same({"script.py": SCRIPTS[name]}, tmp_path, "script.py", "-x", "--json", "a")


@POSIX
@pytest.mark.parametrize("name", POSIX_SCRIPTS)
def test_a_script_with_signals_and_forks_does_and_ends_as_without_the_doctor(name: str, tmp_path: Path) -> None:
    same({"script.py": POSIX_SCRIPTS[name]}, tmp_path)


@GROUPS
def test_a_group_of_errors_is_shown_as_without_the_doctor(tmp_path: Path) -> None:
    same({"script.py": "raise ExceptionGroup('g', [ValueError(1), KeyError(2)])"}, tmp_path)


def test_bytes_of_standard_input_arrive(tmp_path: Path) -> None:
    done = same({"script.py": "import sys\nprint(sys.stdin.buffer.read())"}, tmp_path, stdin=b"\xff\x00\n")
    assert done.out == "b'\\xff\\x00\\n'\n"


def test_a_process_killed_from_outside_ends_by_that_signal_and_says_nothing(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("signals of POSIX")
    text = "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(5)"
    plain, done = spawned.both({"script.py": text}, ["script.py"], tmp_path)
    assert done == plain


def link(folder: Path) -> None:
    (folder / "b").mkdir()
    (folder / "b" / "link.py").symlink_to(folder / "a" / "script.py")


def archive(folder: Path) -> None:
    with zipfile.ZipFile(folder / "app.pyz", "w") as made:
        made.writestr("__main__.py", FACTS + "1/0")
        made.writestr("beside.py", "")


def compiled(folder: Path) -> None:
    py_compile.compile(str(folder / "script.py"), cfile=str(folder / "script.pyc"))


@POSIX
def test_a_link_finds_what_lies_beside_its_target(tmp_path: Path) -> None:
    same({"a/script.py": FACTS + "import beside", "a/beside.py": ""}, tmp_path, "b/link.py", prepare=link)


@pytest.mark.parametrize("name", ["./script.py", "../here/script.py", "skr\u00efpt mit leer.py", "./-x.py"])
def test_a_script_is_named_as_it_was_typed(name: str, tmp_path: Path) -> None:
    same({Path(name).name: FACTS + "1/0"}, tmp_path, name, "x")


def test_a_script_whose_name_begins_with_a_dash_comes_after_two(tmp_path: Path) -> None:
    (tmp_path / "-x.py").write_text("import sys\nprint(sys.argv)", encoding="utf-8")
    assert spawned.run([*spawned.DOCTOR, "--", "-x.py", "--", "y"], tmp_path).out == "['-x.py', '--', 'y']\n"


@pytest.mark.parametrize(
    ("name", "prepare"),
    [("app", lambda folder: None), ("app.pyz", archive), ("script.pyc", compiled)],
    ids=["folder", "archive", "compiled"],
)
def test_other_things_that_python_runs_are_run(name: str, prepare: Callable[[Path], None], tmp_path: Path) -> None:
    files = {"app/__main__.py": FACTS + "import beside\n1/0", "app/beside.py": "", "script.py": FACTS}
    same(files, tmp_path, name, "x", prepare=prepare)


MODULES = {
    "p/__init__.py": "import sys\nprint(sys.argv)",
    "p/__main__.py": FACTS,
    "p/q/__init__.py": "",
    "p/q/r.py": FACTS + "1/0",
    "broken/__init__.py": "1/0",
    "again.py": "import again\nprint(__name__)",
    "wrong.py": "def f(:",
}


@pytest.mark.parametrize("module", ["p", "p.q.r", "again", "broken", "wrong"])
def test_a_module_is_run_as_python_runs_it(module: str, tmp_path: Path) -> None:
    same(MODULES, tmp_path, "-m", module, "-x")


@pytest.mark.parametrize(
    "flags",
    [["-I"], ["-O"], ["-OO"], ["-u"], ["-E"], ["-W", "error"], ["-X", "dev"], ["-X", "dev", "-W", "error"], ["-B"]],
    ids=" ".join,
)
def test_options_of_python_hold(flags: list[str], tmp_path: Path) -> None:
    text = "'''words'''\nimport sys\nprint(__debug__, __doc__, sys.flags, sys.warnoptions)\nassert 0"
    plain, done = spawned.both({"script.py": text}, ["script.py"], tmp_path, flags=flags)
    if "No module named tfgrad" in done.err:
        pytest.skip("tfgrad is found by PYTHONPATH here, which -I and -E ignore")
    assert done.own == plain.own


def test_a_search_path_holds(tmp_path: Path) -> None:
    same(
        {"script.py": "import beside\nprint(beside.X)", "l/beside.py": "X = 1"},
        tmp_path,
        PYTHONPATH=f"l{os.pathsep}{spawned.ROOT}",
    )


@pytest.mark.parametrize("name", ["random", "argparse", "json", "signal", "dataclasses", "types2"])
def test_a_module_beside_the_script_is_found_before_one_of_pythons(name: str, tmp_path: Path) -> None:
    same({"script.py": f"import {name}\nprint({name}.X)", f"{name}.py": "X = 3"}, tmp_path)
    same({"s/script.py": f"import {name}\nprint({name}.X)", f"s/{name}/__init__.py": "X = 3"}, tmp_path, "s/script.py")
