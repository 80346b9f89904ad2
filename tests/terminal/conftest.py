"""The program in a folder of its own, and providers on loopback for it to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.providers import Anthropic, Behaviour, Gemini, Loopback, OpenAI
from tests.terminal.program import KEY, Program


@pytest.fixture
def vibedesk(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
async def lab(vibedesk: Program) -> AsyncIterator[OpenAI]:
    """One OpenAI-compatible provider, `lab`, its key in the environment."""
    async with OpenAI(key=KEY) as server:
        vibedesk.provide(lab=server)
        yield server


@pytest.fixture
async def three(vibedesk: Program) -> AsyncIterator[dict[str, Loopback]]:
    """One provider a dialect, slow enough to see that they answer at the same time."""
    slow = Behaviour(tokens_per_s=60.0)
    async with AsyncExitStack() as stack:
        servers: dict[str, Loopback] = {
            "a": OpenAI(slow, key=KEY),
            "b": Anthropic(slow, key=KEY),
            "c": Gemini(slow, key=KEY),
        }
        for server in servers.values():
            await stack.enter_async_context(server)
        vibedesk.provide(**servers)
        yield servers
