"""What tests of models, routes and usage share: a real desk, keys in the environment, a provider of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.providers import Behaviour, OpenAI
from tests.sitting import ANTHROPIC_KEY, desk_in, home_at, until
from vibedesk.desk import Desk
from vibedesk.engine.types import Finished, request_of
from vibedesk.state.catalog import CatalogState
from vibedesk.state.notices import Notices
from vibedesk.state.routes import RoutesState
from vibedesk.state.tasks import Tasks
from vibedesk.state.usage import UsageState

LAB_KEY = "lab-" + "k" * 30
SONNET, LUNA, GONE = "anthropic/claude-sonnet-5-5", "openai/gpt-6-luna", "anthropic/claude-3-5-sonnet"
DEMO = "demo/quick"


class Scene(NamedTuple):
    """Anthropic and `lab`, which stands in providers.toml alone, have a key; the others have none."""

    desk: Desk
    tasks: Tasks
    notices: Notices
    catalog: CatalogState
    routes: RoutesState
    usage: UsageState
    lab: OpenAI

    async def rest(self) -> None:
        """Waits until nothing runs."""
        await until(lambda: not self.tasks.names())

    async def ask(self, model: str) -> Finished:
        """Asks for real, and writes it into the ledger."""
        answer = self.desk.router.ask(request_of("Hi"), self.desk.rungs(self.desk.route_for(model)))
        ended = [event async for event in answer.events()][-1]
        assert isinstance(ended, Finished)
        self.desk.ledger.record(ended, datetime.now(UTC))
        return ended


@asynccontextmanager
async def browsing(folder: Path, behaviour: Behaviour | None = None) -> AsyncIterator[Scene]:
    """Everything but the widgets, loaded."""
    async with OpenAI(behaviour, key=LAB_KEY, models=("gpt-4.1-mini", "house-blend-7b")) as lab:
        environ = home_at(folder) | {"ANTHROPIC_API_KEY": ANTHROPIC_KEY, "LAB_API_KEY": LAB_KEY}
        (folder / "config" / "providers.toml").write_text(
            f'[providers.lab]\nname = "The Lab"\ndialect = "openai-chat"\nbase_url = "{lab.base_url}"\n'
            'env = ["LAB_API_KEY"]\n',
            encoding="utf-8",
        )
        async with desk_in(folder, environ) as desk:
            tasks, notices = Tasks(), Notices()
            crashes: list[object] = []
            tasks.crashed.connect(lambda name, error: crashes.append((name, error)))
            scene = Scene(
                desk,
                tasks,
                notices,
                CatalogState(desk, tasks),
                RoutesState(desk, tasks, notices),
                UsageState(desk, tasks),
                lab,
            )
            scene.catalog.reload()
            await scene.rest()
            try:
                yield scene
            finally:
                await tasks.close()
            assert not crashes
