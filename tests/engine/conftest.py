"""What the engine's tests are given: an `Http` that closes its sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from vibedesk.engine.http import Http


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    opened = Http(user_agent="VibeDesk/test")
    yield opened
    await opened.close()
