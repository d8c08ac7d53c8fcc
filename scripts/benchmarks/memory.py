"""The most memory that this process has had, in MB, since `begin`."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def begin() -> float:
    """What the process has now. Where only the peak so far can be asked for (macOS), it is that one."""
    if sys.platform == "win32":
        return _windows()[0]
    if not _STATUS.exists():
        return peak()
    try:
        _CLEAR.write_text("5")
    except OSError:
        return peak()
    return _linux("VmRSS")


def peak() -> float:
    """The most it has had."""
    if sys.platform == "win32":
        return _windows()[1]
    if _STATUS.exists():
        return _linux("VmHWM")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _linux(name: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def _windows() -> tuple[float, float]:
    """Now, and at most. Source: PROCESS_MEMORY_COUNTERS in the Windows SDK, psapi.h."""
    sizes = ["PeakWorkingSetSize", "WorkingSetSize", *(f"other{i}" for i in range(6))]

    class Counters(ctypes.Structure):
        _fields_ = [
            ("cb", ctypes.c_uint32),
            ("PageFaultCount", ctypes.c_uint32),
            *((name, ctypes.c_size_t) for name in sizes),
        ]

    counters = Counters(cb=ctypes.sizeof(Counters))
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    kernel.K32GetProcessMemoryInfo.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32]
    kernel.K32GetProcessMemoryInfo(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb)
    return counters.WorkingSetSize / 2**20, counters.PeakWorkingSetSize / 2**20
