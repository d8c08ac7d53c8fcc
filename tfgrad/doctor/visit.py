"""One visit of the doctor: the program runs under `diagnose`, ends as it would, and then the report is given.

The report comes when everything of the program is over: its threads joined, its exit handlers run. So it is the
first exit handler to be registered, and the last to run. The exit code is made 1 where it is 0 and there are problems
when the threads are joined, so that Python itself ends the process and nothing that is still to be written is lost.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from typing import Any, NoReturn

from tfgrad.doctor import remarks, tracebacks
from tfgrad.doctor.importing import AfterImport
from tfgrad.doctor.leaving import hear_hard_exits, join_threads, show
from tfgrad.doctor.program import NotRunnable, Program
from tfgrad.doctor.report import Reporter

_INTERRUPTED = 130


class Visit:
    """A program under the doctor.

    Args:
        program: what to run.
        report: called at the very end with the Diagnosis (None where nothing was watched), the exit code (None where
            another program takes over), and a remark that may be empty.
    """

    def __init__(self, program: Program, report: Reporter) -> None:
        self.program = program
        self.diagnosis: Any = None
        self.failed = False
        self.code: int | None = 0
        self.remark = ""
        self._report = report
        self._watching = contextlib.ExitStack()
        self._hooks = contextlib.ExitStack()
        self._after = AfterImport("tensorflow", self._begin)
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._is_over = False

    def run(self) -> NoReturn:
        """Runs the program and leaves the process as it would have.

        Raises:
            NotRunnable: there is nothing to run.
            SystemExit: with the program's exit code.
            KeyboardInterrupt: it was stopped by that, which is shown already.
        """
        self.program.check()
        atexit.register(self._end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave_child_alone)
        self._hooks.callback(tracebacks.begin())
        self._hooks.callback(hear_hard_exits(self._hard_exit))
        self._after.install()
        error = self._outcome()
        if isinstance(error, SystemExit) and _exit_code(error.code):
            self.code, self.failed = _exit_code(error.code), True
            raise error
        if error is not None and not isinstance(error, SystemExit):
            self._failed(error)
        raise SystemExit(self._verdict())

    def _outcome(self) -> BaseException | None:
        """What the program raised; nothing is being handled any more when it is shown."""
        try:
            self.program.run()
        except NotRunnable:
            atexit.unregister(self._end)
            self._close()
            raise
        except BaseException as error:  # noqa: BLE001 - it is shown as Python shows it, and ends the program
            return error
        return None

    def _begin(self) -> None:
        """TensorFlow is there: begin to watch."""
        if os.getpid() != self._process or not hasattr(sys.modules["tensorflow"], "GradientTape"):
            return
        try:
            from tfgrad import _tensorflow
            from tfgrad.see.diagnosing.diagnosis import diagnose

            files = tracebacks.our_files(is_script=not self.program.is_module)
            self._hooks.callback(_tensorflow.leave_out(files))
            # A frame of ours that TensorFlow keeps would stand where it keeps the last one of its own.
            _tensorflow.hide_frames()
            self._hooks.callback(_tensorflow.show_frames)
            watched = diagnose(on_none="ignore", on_nonfinite="ignore", _adds_notes=False)
            self.diagnosis = self._watching.enter_context(watched)
        # Whatever is wrong with this TensorFlow or with us, the program goes on without being watched.
        except Exception as error:  # noqa: BLE001
            self.remark = f"Nothing was watched: {type(error).__name__}: {error}"

    def _failed(self, error: BaseException) -> None:
        """Shows an error that nobody caught, with the program's own frames only."""
        self.code, self.failed = 1, True
        tracebacks.clean(error)
        self.remark = self.remark or remarks.on_failure(error, self.program.name, self.program.file)
        hook_exit = show(error)
        if hook_exit is not None:
            self.code = _exit_code(hook_exit.code)
            raise hook_exit
        if isinstance(error, KeyboardInterrupt):
            # Python ends itself by the signal; it would show the error once more.
            self.code = _INTERRUPTED
            sys.excepthook = lambda *_: None
            raise error

    def _verdict(self) -> int:
        """The exit code once all threads have ended; from then on nothing is watched."""
        if os.getpid() != self._process or self.code != 0:
            return self.code or 0
        join_threads()
        self._watching.close()
        if self._has_problems():
            self.code = 1
        return self.code

    def _has_problems(self) -> bool:
        if self.diagnosis is None:
            return False
        try:
            self.diagnosis.failed = self.failed
            return bool(self.diagnosis.problems)
        # The report will say what is wrong; the program keeps its exit code.
        except Exception:  # noqa: BLE001
            return False

    def _hard_exit(self, status: int | None) -> int | None:
        """Reports before the process ends without exit handlers; the code to leave with, None for another program."""
        if os.getpid() != self._process or self._is_over:
            return status
        self.code = status
        self._watching.close()
        if status is None:
            self.remark = self.remark or "The script put another program in its place (os.exec), which was not watched."
        elif status == 0 and self._has_problems():
            self.code = 1
        self._finish()  # what the program did not flush is lost, as it would have been
        return self.code

    def _leave_child_alone(self) -> None:
        self._lock = threading.Lock()
        self._close()
        self._report.close()

    def _close(self) -> None:
        """Watches no more; everything of TensorFlow and Python is as it was."""
        self._is_over = True
        self._after.remove()
        self._watching.close()
        self._hooks.close()

    def _end(self) -> None:
        """The program is over: report."""
        if os.getpid() == self._process and not self._is_over:
            _flush()
            self._finish()

    def _finish(self) -> None:
        with self._lock:
            if self._is_over:
                return
            self._close()
            if self.diagnosis is not None:
                self.diagnosis.failed = self.failed
            else:
                self.remark = self.remark or remarks.on_nothing(self._after.origin)
            try:
                self._report(self.diagnosis, self.code, self.remark)
            except KeyboardInterrupt:
                self._report.say("tfgrad doctor: the report was stopped")
            # The program's own end goes on.
            except Exception as error:  # noqa: BLE001
                self._report.say(f"tfgrad doctor: no report: {type(error).__name__}: {error}")
            self._report.close()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        # The program may have closed or replaced its streams.
        with contextlib.suppress(Exception):
            stream.flush()


def _exit_code(code: Any) -> int:
    return 0 if code is None else int(code) if isinstance(code, int) else 1
