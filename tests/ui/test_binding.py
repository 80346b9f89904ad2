"""That the Qt binding installed is one the program can live with."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal


class Bell(QObject):
    rang = Signal(bool)


def test_emitting_a_signal_takes_no_reference_of_true_away(qapp: object) -> None:
    """PySide6 6.12.0 on Python 3.11 takes one each time, until the interpreter aborts."""
    bell = Bell()
    bell.rang.connect(lambda _: None)
    before = sys.getrefcount(True)
    for _ in range(100):
        bell.rang.emit(True)
    assert sys.getrefcount(True) > before - 50


def test_a_call_that_returns_nothing_takes_no_reference_of_none_away(qapp: object) -> None:
    bell = Bell()
    before = sys.getrefcount(None)
    for _ in range(100):
        bell.setObjectName("bell")
    assert sys.getrefcount(None) > before - 50
