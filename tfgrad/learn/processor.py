"""What this machine's processor can do, and which of it TensorFlow's build uses, for the demo of the CPU features."""

from __future__ import annotations

import ctypes
import platform
import re
import subprocess
import sys
from pathlib import Path

_ASKED = ("SSE", "SSE2", "SSE3", "SSE4.1", "SSE4.2", "AVX", "AVX2", "AVX512F", "FMA", "NEON")


def has() -> list[str]:
    """The vector instructions of this CPU, among those that TensorFlow's message speaks of."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return ["NEON"]
    words = _flags()
    spelled = {"SSE3": ("pni", "sse3"), "SSE4.1": ("sse4_1", "sse4.1"), "SSE4.2": ("sse4_2", "sse4.2")}
    spelled["AVX"] = ("avx", "avx1.0")
    return [name for name in _ASKED if words.intersection(spelled.get(name, (name.lower(),)))]


def _flags() -> set[str]:
    """The CPU's own words for its features, in lower case; empty where they can't be read."""
    if sys.platform == "win32":
        # Source: IsProcessorFeaturePresent in the Windows SDK, winnt.h.
        numbers = {"sse": 6, "sse2": 10, "pni": 13, "sse4_1": 37, "sse4_2": 38, "avx": 39, "avx2": 40, "avx512f": 41}
        return {name for name, n in numbers.items() if ctypes.windll.kernel32.IsProcessorFeaturePresent(n)}
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.features", "machdep.cpu.leaf7_features"]
        return set(subprocess.run(asked, capture_output=True, text=True).stdout.lower().split())
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return set(found.group(1).lower().split()) if found else set()


def asks_for(name: str) -> bool:
    """Whether an instruction set is one of those that `has` looks for."""
    return name in _ASKED


def unused(messages: str) -> list[str] | None:
    """The instructions that TensorFlow's own line says it was not compiled for; None where it printed no such line."""
    found = re.search(r"To enable the following instructions: (.*?),? in other operations", messages)
    return found.group(1).split() if found else None


def spoken(messages: str, about: str) -> str:
    """TensorFlow's own sentences about something, without the log's prefix."""
    lines = messages.splitlines()
    for i, line in enumerate(lines):
        if about in line:
            sentence = line.partition("] ")[2]
            following = lines[i + 1 : i + 2]
            more = [part for part in following if not re.match(r"[IWEF]?\d{4}|\d{4}-|WARNING", part)]
            return " ".join([sentence, *more])
    return "nothing about it"
