"""Work in the window's thread takes turns with whatever else has waited."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from vibedesk.state.relay import Relay


class Ear(QObject):
    """Notes the events that are posted to it."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self._heard = heard

    def event(self, event: QEvent) -> bool:
        self._heard.append("posted")
        return True


def turn_until(heard: list[str], count: int) -> None:
    for _ in range(1000):
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)
        if len(heard) >= count:
            return


def test_what_came_due_meanwhile_comes_before_the_next_piece(qapp: QApplication) -> None:
    heard: list[str] = []
    ear, relay = Ear(heard), Relay()

    def first() -> None:
        heard.append("first")
        QTimer.singleShot(0, lambda: heard.append("timer"))
        QCoreApplication.postEvent(ear, QEvent(QEvent.Type.User))

    relay.want(first)
    relay.want(lambda: heard.append("second"))
    turn_until(heard, 4)
    assert heard[0] == "first"
    assert set(heard[1:3]) == {"timer", "posted"}
    assert heard[3] == "second"


def test_wanted_twice_is_done_once(qapp: QApplication) -> None:
    heard: list[str] = []
    relay = Relay()

    class Worker:
        def work(self) -> None:
            heard.append("work")

    worker = Worker()
    relay.want(worker.work)
    relay.want(worker.work)
    relay.want(lambda: heard.append("last"))
    turn_until(heard, 2)
    assert heard == ["work", "last"]


def test_work_that_wants_itself_again_goes_to_the_end(qapp: QApplication) -> None:
    heard: list[str] = []
    relay = Relay()

    def again() -> None:
        heard.append("again")
        if len(heard) < 3:
            relay.want(again)

    relay.want(again)
    relay.want(lambda: heard.append("other"))
    turn_until(heard, 3)
    assert heard == ["again", "other", "again"]


def test_a_loop_of_qt_inside_a_piece_does_not_hold_the_next_up(qapp: QApplication) -> None:
    heard: list[str] = []
    relay, inner = Relay(), QEventLoop()

    def first() -> None:
        heard.append("first")
        inner.exec()
        heard.append("end of first")

    def second() -> None:
        heard.append("second")
        inner.quit()

    relay.want(first)
    relay.want(second)
    turn_until(heard, 3)
    assert heard == ["first", "second", "end of first"]


def test_a_failure_does_not_hold_the_next_up(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    relay = Relay()
    failures: list[str] = []
    monkeypatch.setattr("sys.excepthook", lambda kind, exc, trace: failures.append(str(exc)))

    def broken() -> None:
        raise ValueError("broken")

    relay.want(broken)
    relay.want(lambda: heard.append("second"))
    turn_until(heard, 1)
    assert heard == ["second"]
    assert failures == ["broken"]
