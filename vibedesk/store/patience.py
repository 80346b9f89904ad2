"""Calls that may never return, given a limited time: a stopped keychain daemon blocks its callers for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Job(Generic[T]):
    """One call: finished or given up, whichever comes first, never both."""

    def __init__(self, work: Callable[[], T], regret: Callable[[], Any]) -> None:
        self._work = work
        self._regret = regret
        self._ended = threading.Event()
        self._border = threading.Lock()
        self._given_up = False
        self._failure: BaseException | None = None
        self._value: T

    def run(self) -> None:
        try:
            self._value = self._work()
        except BaseException as failure:
            self._failure = failure  # handed on to the thread that waits, in `result`
        with self._border:
            self._ended.set()
            late = self._given_up
        if late and self._failure is None:
            self._regret()

    def result(self, seconds: float) -> T:
        self._ended.wait(seconds)
        with self._border:
            if not self._ended.is_set():
                self._given_up = True
                raise TimeoutError
        if self._failure is not None:
            raise self._failure
        return self._value


class Patience:
    """Runs one call at a time, each in a thread of its own that is left behind when it takes longer than `seconds`.

    While one that was left behind still hangs no further one is begun, so they never pile up.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._turn = threading.Semaphore()
        self._hanging = False

    def call(self, work: Callable[[], T], regret: Callable[[], Any] = lambda: None) -> T:
        """What `work` returns or raises; `TimeoutError` after `seconds`. Ends `work` well later on, `regret` is run."""
        began = time.monotonic()
        if not self._turn.acquire(timeout=min(self.seconds, 0.25) if self._hanging else self.seconds):
            raise TimeoutError
        job = _Job(work, regret)
        # Not of an executor's threads: the interpreter joins those at exit, and this one may never end.
        threading.Thread(target=self._run, args=(job,), name="keychain", daemon=True).start()
        try:
            return job.result(max(0.0, self.seconds - (time.monotonic() - began)))
        except TimeoutError:
            self._hanging = True
            raise

    def _run(self, job: _Job[Any]) -> None:
        try:
            job.run()
        finally:
            self._hanging = False
            self._turn.release()
