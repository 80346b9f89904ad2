"""The asyncio loop that Qt turns: qasync's, with asyncio's own ready list, timers and selector under it.

qasync makes a Qt timer for every `call_soon` and `call_later` and a socket notifier for every wait, and each costs more
than what it waits for. Here Qt watches one descriptor (the selector's own) and one timer; when either fires, asyncio
runs turns of its loop as it always does, for at most a slice of a frame and alternating with what draws. Order,
cancellation, exceptions and `call_soon_threadsafe` are therefore asyncio's. Starting, stopping and the executor stay
qasync's.
"""

from __future__ import annotations

import math
import selectors
import sys
from asyncio import AbstractEventLoop, BaseEventLoop, Handle, SelectorEventLoop, TimerHandle
from collections.abc import Callable
from contextvars import Context
from typing import Any

from PySide6.QtCore import QCoreApplication, QSocketNotifier, Qt, QTimer
from qasync import QEventLoop  # after PySide6: it takes the first binding it finds

from vibedesk.state.relay import relay

SLICE_S = 0.002
"""How long ready callbacks may follow one another before Qt gets its turn, in seconds."""
_LONGEST_MS = 2**31 - 1


def new_loop(app: QCoreApplication) -> AbstractEventLoop:
    """The loop for the window's thread: this one where the selector's descriptor can be watched, else qasync's own."""
    made: AbstractEventLoop = QtLoop(app) if sys.platform.startswith("linux") else QEventLoop(app)
    return made


class _Polled(selectors.DefaultSelector):  # type: ignore[misc, unused-ignore]
    """Never waits: waiting is Qt's work."""

    found = False
    """Whether something was there the last time."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        self.found = bool(ready)
        return ready


class QtLoop(QEventLoop):  # type: ignore[misc]
    """One descriptor, one timer, and asyncio's own turn of the loop."""

    def __init__(self, app: QCoreApplication) -> None:
        self._turning = False
        self._wanted_inside = False
        self._fatal: BaseException | None = None
        self._alarm_at = math.inf
        """When the timer fires, on the loop's clock; inf = not at all."""
        super().__init__(app)
        self._selector: _Polled = _moved(self._selector)
        self._alarm = QTimer()
        self._alarm.setSingleShot(True)
        self._alarm.setTimerType(Qt.TimerType.PreciseTimer)
        self._alarm.timeout.connect(self._alarmed)
        self._notifier = QSocketNotifier(self._selector.fileno(), QSocketNotifier.Type.Read)
        self._notifier.setEnabled(False)
        self._notifier.activated.connect(self._want_turn)

    # What asyncio is asked for. qasync answers each with an object of Qt's: put back to asyncio's own.

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        handle = BaseEventLoop.call_soon(self, callback, *args, context=context)
        if not self._turning:
            self._want_turn()
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        return BaseEventLoop.call_later(self, delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        handle = BaseEventLoop.call_at(self, when, callback, *args, context=context)
        if when < self._alarm_at and not self._turning:
            self._set_alarm(when)
        return handle

    call_soon_threadsafe = SelectorEventLoop.call_soon_threadsafe
    _add_callback = SelectorEventLoop._add_callback  # type: ignore[attr-defined]
    _add_reader = SelectorEventLoop._add_reader  # type: ignore[attr-defined]
    _remove_reader = SelectorEventLoop._remove_reader  # type: ignore[attr-defined]
    _add_writer = SelectorEventLoop._add_writer  # type: ignore[attr-defined]
    _remove_writer = SelectorEventLoop._remove_writer  # type: ignore[attr-defined]

    # Running

    def run_forever(self) -> int:
        """Until `stop`. An exit or interrupt raised in a callback ends the loop and is raised here, as in asyncio."""
        before = sys.get_asyncgen_hooks()
        # As asyncio does and qasync does not: a generator that was left lying is closed in the loop, not in the middle
        # of whatever runs when it is collected.
        sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)
        try:
            result: int = super().run_forever()
        finally:
            sys.set_asyncgen_hooks(*before)
        fatal, self._fatal = self._fatal, None
        if fatal is not None:
            raise fatal
        return result

    def close(self) -> None:
        """Releases everything; the loop cannot be run again."""
        self._alarm.stop()
        self._notifier.setEnabled(False)
        super().close()

    def _before_run_forever(self) -> None:
        super()._before_run_forever()
        self._notifier.setEnabled(True)
        self._want_turn()

    def _after_run_forever(self) -> None:
        self._notifier.setEnabled(False)
        self._alarm.stop()
        self._alarm_at = math.inf
        super()._after_run_forever()

    def _alarmed(self) -> None:
        self._alarm_at = math.inf
        self._want_turn()

    def _want_turn(self) -> None:
        relay().want(self._turn)

    def _turn(self) -> None:
        """What is ready now, and what that makes ready, within one slice."""
        if self._turning:
            # A callback runs a loop of Qt's own. To asyncio it is a callback that has not ended; the descriptor
            # stays readable meanwhile, and would keep the processor busy.
            self._notifier.setEnabled(False)
            self._wanted_inside = True
            return
        if not self.is_running():
            return
        self._turning = True
        until = self.time() + SLICE_S
        try:
            self._run_once()
            while self.is_running() and self.time() < until:
                # Whoever woke up and reads on is often answered at once: the bytes are there. Qt would need another
                # round to say so.
                waited = not self._ready
                self._run_once()
                if waited and not (self._selector.found or self._ready):
                    break
        except (SystemExit, KeyboardInterrupt) as exc:
            self._fatal = exc
            self.stop()
        finally:
            self._turning = False
        self._await_next()

    def _await_next(self) -> None:
        if self._wanted_inside:
            self._wanted_inside = False
            self._notifier.setEnabled(self.is_running())
        if self._ready:
            self._want_turn()
        elif self._scheduled and self._scheduled[0]._when < self._alarm_at:
            self._set_alarm(self._scheduled[0]._when)

    def _set_alarm(self, when: float) -> None:
        self._alarm_at = when
        # Rounded up: a timer that fires too early finds nothing to do and has to be set once more.
        self._alarm.start(min(math.ceil(max(0.0, when - self.time()) * 1000), _LONGEST_MS))


def _moved(old: selectors.BaseSelector) -> _Polled:
    """What was registered so far, in a selector of asyncio's."""
    new = _Polled()
    for key in list(old.get_map().values()):
        old.unregister(key.fileobj)
        new.register(key.fileobj, key.events, key.data)
    old.close()
    return new
