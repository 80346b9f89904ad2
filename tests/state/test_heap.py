"""What Python looks through for garbage while answers stream."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from vibedesk.state.heap import Spared


class Loop:
    """Garbage only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def nothing_spared() -> Iterator[None]:
    """As in a program that has just started; the tests' own survivors are spared again afterwards."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.mark.usefixtures("nothing_spared")
def test_what_there_was_is_looked_through_again_afterwards() -> None:
    spared = Spared()
    old = Loop()
    gone = weakref.ref(old)
    spared.begin()
    assert gc.get_freeze_count()
    new = Loop()
    later = weakref.ref(new)
    del old, new
    gc.collect()
    assert later() is None
    assert gone() is not None
    spared.end()
    assert not gc.get_freeze_count()
    gc.collect()
    assert gone() is None


@pytest.mark.usefixtures("nothing_spared")
def test_what_somebody_else_spares_stays_spared() -> None:
    gc.freeze()
    count = gc.get_freeze_count()
    spared = Spared()
    spared.begin()
    spared.end()
    assert gc.get_freeze_count() >= count > 0
