"""The whole program, on a real window system: every test here is marked `display`."""

from pathlib import Path

import pytest

from tests.qt import _no_exception_is_lost, pytest_asyncio_loop_factories

__all__ = ["_no_exception_is_lost", "pytest_asyncio_loop_factories"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.display)
