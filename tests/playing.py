"""What tests of the playground share: a real desk, a file vault with one key, a provider on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from tests.providers import Behaviour, OpenAI
from tests.sitting import GROQ_KEY, desk_in, home_at, until
from vibedesk.desk import Desk
from vibedesk.engine.catalog import origin_of
from vibedesk.engine.types import Secret
from vibedesk.state.history import History
from vibedesk.state.notices import Notices
from vibedesk.state.playground import Playground
from vibedesk.state.tasks import Tasks
from vibedesk.state.vault import Vault
from vibedesk.store.history import StoredAnswer

GOOD = "groq/openai/gpt-oss-120b"
THINKING, LONG, REFUSING, CUT = "groq/think", "groq/long", "groq/fail-429", "groq/cut-reset"


class Scene(NamedTuple):
    desk: Desk
    tasks: Tasks
    notices: Notices
    playground: Playground
    history: History
    groq: OpenAI

    async def ask(self, text: str = "Hi") -> None:
        """Asks all linked lanes and waits until the last has ended and everything is written down."""
        before = self.playground.turns
        self.playground.ask(text)
        await until(lambda: self.playground.turns > before)
        await self.rest()

    async def rest(self) -> None:
        """Waits until nothing runs."""
        await until(lambda: not self.tasks.names() and not self.playground.running)

    async def vault(self) -> Vault:
        """The vault as the screen knows it, its keys read."""
        vault = Vault(self.desk, self.tasks, self.notices, passphrase_is_given=True)
        vault.load()
        await self.rest()
        return vault

    def answer(self, lane: int = 0) -> StoredAnswer:
        answer = self.playground.lanes[lane].exchanges[-1].answer
        assert answer is not None
        return answer


@asynccontextmanager
async def playing(
    folder: Path, models: Sequence[str] = (GOOD,), behaviour: Behaviour | None = None
) -> AsyncIterator[Scene]:
    """A playground whose lanes ask `models`."""
    async with OpenAI(behaviour, key=GROQ_KEY, flavour="groq") as groq:
        environ = home_at(folder, {"groq": groq.base_url})
        async with desk_in(folder, environ) as desk:
            origin = origin_of(groq.base_url)
            if not desk.keys.usable(desk.catalog.provider("groq")):
                await asyncio.to_thread(desk.vault.add, "groq", Secret(GROQ_KEY), label="fast", origin=origin)
            desk.settings.set("lanes.last", list(models))
            tasks, notices = Tasks(), Notices()
            crashes: list[object] = []
            tasks.crashed.connect(lambda name, error: crashes.append((name, error)))
            playground = Playground(desk, tasks, notices)
            try:
                yield Scene(desk, tasks, notices, playground, History(desk, tasks, notices), groq)
            finally:
                await tasks.close()
            assert not crashes
