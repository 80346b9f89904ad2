"""Tests here run on Qt's loop (see tests/qt.py)."""

from tests.qt import _no_exception_is_lost, pytest_asyncio_loop_factories

__all__ = ["_no_exception_is_lost", "pytest_asyncio_loop_factories"]
