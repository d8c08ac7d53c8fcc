"""One visit of the doctor: the program runs under `diagnose`, ends as it would, and then the report is given.

The report comes when everything of the program is over: its threads joined, its exit handlers run. So it is the
first exit handler to be registered, and the last to run; it changes the exit code only from 0 to 1.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from tfgrad.doctor import tracebacks
from tfgrad.doctor.importing import AfterImport
from tfgrad.doctor.program import NotRunnable, Program

Report = Callable[[Any, int], None]


class Visit:
    """A program under the doctor.

    Args:
        program: what to run.
        report: called at the very end with the Diagnosis (None where TensorFlow was never imported) and the exit code.
    """

    def __init__(self, program: Program, report: Report) -> None:
        self.program = program
        self.diagnosis: Any = None
        self.failed = False
        self.interrupted = False
        self.code = 0
        self._report = report
        self._watching = contextlib.ExitStack()
        self._after = AfterImport("tensorflow", self._begin)
        self._process = os.getpid()
        self._is_over = False

    def run(self) -> NoReturn:
        """Runs the program and leaves the process as it would have.

        Raises:
            NotRunnable: there is nothing to run.
            SystemExit: always, with the program's exit code.
        """
        self.program.check()
        atexit.register(self._end)
        end_plain = tracebacks.begin()
        self._watching.callback(end_plain)
        self._hear_hard_exit()
        self._after.install()
        try:
            self.program.run()
        except NotRunnable:
            atexit.unregister(self._end)
            self._close()
            raise
        except SystemExit as stop:
            self.code = _exit_code(stop.code)
            self.failed = self.code != 0
            raise
        except BaseException as error:  # noqa: BLE001 - it is shown as Python shows it, and ends the program
            self._show(error)
        raise SystemExit(self.code)

    def _begin(self) -> None:
        """TensorFlow is there: begin to watch."""
        from tfgrad.see.diagnosis import diagnose

        if os.getpid() == self._process:
            watched = diagnose(on_none="ignore", on_nonfinite="ignore", _adds_notes=False)
            self.diagnosis = self._watching.enter_context(watched)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=self._close)

    def _show(self, error: BaseException) -> None:
        """Shows an error that nobody caught, with the program's own frames only."""
        self.code, self.failed = 1, True
        self.interrupted = isinstance(error, KeyboardInterrupt)
        tracebacks.clean(error)
        try:
            sys.excepthook(type(error), error, error.__traceback__)
        except Exception:  # noqa: BLE001 - a hook of the program's that fails; Python then shows the error itself
            sys.__excepthook__(type(error), error, error.__traceback__)

    def _hear_hard_exit(self) -> None:
        """`os._exit` runs no exit handlers: the report is given before."""
        leave = os._exit

        def exit_after_report(status: int) -> None:
            if os.getpid() == self._process and not self._is_over:
                self.code = status
                self._finish()  # what the program did not flush is lost, as it would have been
                leave(self.code)
            leave(status)

        os._exit = exit_after_report  # type: ignore[assignment]
        self._watching.callback(setattr, os, "_exit", leave)

    def _close(self) -> None:
        """Watches no more; everything of TensorFlow and Python is as it was."""
        self._is_over = True
        self._after.remove()
        self._watching.close()

    def _end(self) -> None:
        """The program is over: report, and leave with its exit code, or 1 where that is 0 and there are problems."""
        if os.getpid() != self._process or self._is_over:
            return
        before = self.code
        _flush()
        self._finish()
        if self.interrupted and hasattr(signal, "SIGINT") and os.name == "posix":
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(self._process, signal.SIGINT)
        if self.code != before:
            _flush()
            os._exit(self.code)

    def _finish(self) -> None:
        self._close()
        if self.diagnosis is not None:
            self.diagnosis.failed = self.failed
            if self.code == 0 and self.diagnosis.problems:
                self.code = 1
        self._report(self.diagnosis, self.code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        # The program may have closed or replaced its streams.
        with contextlib.suppress(Exception):
            stream.flush()


def _exit_code(code: Any) -> int:
    return 0 if code is None else code if isinstance(code, int) else 1
