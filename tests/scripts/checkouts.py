"""A small repository: the real scripts, requirements that are one wheel made here, stand-ins for what the scripts run.

The stand-ins `tfgrad` and `pytest` print where and how they were started, as JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[2] / "scripts"

STAND_IN = """
import json, os, sys
import kernels
if sys.argv[-1].startswith("exit="):
    sys.exit(int(sys.argv[-1][5:]))
print(json.dumps({"arguments": sys.argv[1:], "folder": os.getcwd(), "prefix": sys.prefix, "kernels": kernels.VERSION}))
"""


@dataclass(frozen=True)
class Checkout:
    """The small repository; `wheels` holds what its requirements can be installed from."""

    root: Path
    wheels: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def stamp(self) -> Path:
        return self.venv / "tfgrad-stamp.txt"

    def require(self, version: str, file: str = "requirements.txt", digest: str = "") -> None:
        """Pin `kernels`, the only requirement, to a version for which a wheel is made."""
        wheel = make_wheel(self.wheels, version)
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        (self.root / "scripts" / file).write_text(f"kernels=={version} --hash=sha256:{digest}\n", encoding="utf-8")

    def environment(self, **changes: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "TFGRAD_", "PYTHON"))}
        pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": str(self.wheels), "PIP_NO_INDEX": "1"}
        return {**kept, **pip, "PIP_RETRIES": "0", "NO_PROXY": "*", "PYTHONDONTWRITEBYTECODE": "1", **changes}

    def start(self, script: str, *arguments: str, folder: Path | None = None, **changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(self.root / "scripts" / script), *arguments],
            cwd=folder or self.root.parent,
            env=self.environment(**changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, script: str, *arguments: str, folder: Path | None = None, **changes: str) -> Done:
        return finish(self.start(script, *arguments, folder=folder, **changes))


@dataclass(frozen=True)
class Done:
    """A script that has ended."""

    code: int
    out: str
    told: str

    @property
    def started(self) -> dict[str, Any]:
        """What the stand-in says of how it was started; standard output holds nothing else."""
        assert self.code == 0, self.told
        found: dict[str, Any] = json.loads(self.out)
        return found


def finish(process: subprocess.Popen[str]) -> Done:
    out, told = process.communicate(timeout=300)
    return Done(process.returncode, out, told)


def make_wheel(folder: Path, version: str) -> Path:
    """A wheel of the package `kernels`, which knows its version."""
    path = folder / f"kernels-{version}-py3-none-any.whl"
    info = f"kernels-{version}.dist-info"
    files = {
        "kernels/__init__.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: kernels\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},\n"
        for name, text in files.items()
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return path


def make_checkout(folder: Path) -> Checkout:
    root, wheels = folder / "a clone of tfgrad", folder / "wheels"
    (root / "scripts").mkdir(parents=True)
    wheels.mkdir()
    for script in SCRIPTS.glob("*.py"):
        shutil.copy(script, root / "scripts")
    for name in ("tfgrad", "pytest"):
        (root / name).mkdir()
        (root / name / "__init__.py").touch()
        (root / name / "__main__.py").write_text(STAND_IN, encoding="utf-8")
    made = Checkout(root, wheels)
    made.require("1.0")
    return made
