"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LIBRARIES = ("tensorflow", "keras", "numpy", "jax", "torch", "autograd")


def installed(library: str) -> bool:
    """Whether this Python finds a library."""
    return find_spec(library) is not None


def described() -> dict[str, Any]:
    """The processor, the cores that this process may use, the versions, and how busy the machine is."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in LIBRARIES if installed(name)},
        "load": [round(x, 2) for x in os.getloadavg()] if hasattr(os, "getloadavg") else [],
    }


def line(machine: dict[str, Any]) -> str:
    """The same in words."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    load = f"; load {machine['load'][0]}" if machine["load"] else ""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}\n{versions}{load}"
    )


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for text in cpuinfo.read_text().splitlines():
            if text.startswith(("model name", "Hardware")):
                return text.partition(":")[2].strip()
    return platform.processor() or platform.machine()
