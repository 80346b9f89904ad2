"""A window with one page over a real desk, for tests that press what a person presses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from PySide6.QtWidgets import QApplication, QWidget

from tests.providers import Anthropic, OpenAI
from tests.sitting import ANTHROPIC_KEY, GROQ_KEY, desk_in, home_at, until
from vibedesk.desk import Desk
from vibedesk.engine.types import Secret
from vibedesk.state.notices import Notices
from vibedesk.state.settings import Settings
from vibedesk.state.tasks import Tasks
from vibedesk.state.vault import Saved, Vault
from vibedesk.store.glance import Glance
from vibedesk.store.paths import resources
from vibedesk.ui.clipboard import SecretClipboard
from vibedesk.ui.theme import Theme
from vibedesk.ui.window import Page, Window

W = TypeVar("W", bound=QWidget)


class Scene:
    """What a page is made of, and the window it stands in once `show` was called."""

    def __init__(self, desk: Desk, anthropic: Anthropic, groq: OpenAI, *, passphrase_is_given: bool) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self.desk, self.anthropic, self.groq = desk, anthropic, groq
        self.tasks, self.notices = Tasks(), Notices()
        self.vault = Vault(desk, self.tasks, self.notices, passphrase_is_given=passphrase_is_given)
        self.settings, self.clipboard = Settings(desk), SecretClipboard()
        self.theme = Theme(resources())
        self.theme.apply(app, "light")
        self.window: Window | None = None
        self.saved: list[Saved] = []
        self.vault.saved.connect(self.saved.append)

    def show(self, make: Callable[[], W]) -> W:
        """The page in a window of its own."""
        self.window = Window(
            [Page(id="page", title="Page", icon="key", make=make)],
            self.theme,
            self.notices,
            Glance(self.desk.paths),
        )
        page = self.window.show_page("page")
        self.window.resize(1200, 760)
        self.window.show()
        return page  # type: ignore[return-value]

    async def add(self, provider: str, key: str, label: str) -> str:
        """Keeps a key and waits until it is kept; its id."""
        before = len(self.saved)
        self.vault.add([(provider, Secret(key), label)])
        await until(lambda: len(self.saved) > before)
        return self.saved[-1].keys[0].id


@asynccontextmanager
async def scene_in(folder: Path, *, passphrase_is_given: bool = True) -> AsyncIterator[Scene]:
    """A desk with Anthropic and Groq on loopback and one key in the environment; everything is closed at the end."""
    async with Anthropic(key=ANTHROPIC_KEY) as anthropic, OpenAI(key=GROQ_KEY) as groq:
        environ = home_at(folder, {"anthropic": anthropic.base_url, "groq": groq.base_url})
        environ["CEREBRAS_API_KEY"] = "csk-" + "z" * 48
        if not passphrase_is_given:
            del environ["VIBEDESK_PASSPHRASE_FILE"]
        async with desk_in(folder, environ) as desk:
            scene = Scene(desk, anthropic, groq, passphrase_is_given=passphrase_is_given)
            scene.vault.load()
            await until(lambda: scene.vault.loaded)
            yield scene
            if scene.window is not None:
                scene.window.close()
            await scene.tasks.close()
            await scene.vault.finish()
