"""Modules of Python's that we have imported, and that a file beside the program has the name of.

`import signal` in a script finds the signal.py beside it, unless a module of that name is there already.
"""

from __future__ import annotations

import os
import sys

# Loaded before a program's folder is in the search path. Source: `python -c "import sys; print(*sys.modules)"`.
_ALWAYS = {"__main__", "_collections_abc", "_sitebuiltins", "abc", "codecs", "encodings", "genericpath", "io", "ntpath"}
_ALWAYS |= {"os", "posixpath", "site", "sitecustomize", "stat", "tfgrad", "usercustomize", "zipimport"}


def forget_shadowed(folder: str) -> None:
    """Forgets modules that Python alone would not have loaded, where the folder has one of that name."""
    try:
        beside = {os.path.splitext(name)[0] for name in os.listdir(folder or os.curdir)}
    except OSError:
        return
    names = {name.partition(".")[0] for name in sys.modules} & beside
    for name in names - _ALWAYS - set(sys.builtin_module_names):
        if not _is_in(folder, name) and _is_there(folder, name):
            for known in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
                del sys.modules[known]


def _is_in(folder: str, name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    origin = getattr(spec, "origin", None) or ""
    return os.path.dirname(os.path.realpath(origin)) in (folder, os.path.join(folder, name))


def _is_there(folder: str, name: str) -> bool:
    return os.path.isfile(os.path.join(folder, f"{name}.py")) or os.path.isfile(
        os.path.join(folder, name, "__init__.py")
    )
