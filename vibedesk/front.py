"""The way to the first frame: the window is painted before anything that it does not show is imported or opened."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimerEvent
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QWidget

import vibedesk.imports  # noqa: F401  before the others: it makes them cheaper
from vibedesk import __version__
from vibedesk.state.notices import Notices
from vibedesk.store.glance import Glance
from vibedesk.store.paths import Paths, resources
from vibedesk.ui.stage import Stage
from vibedesk.ui.theme import STYLE, Theme
from vibedesk.ui.widgets import TopBar, bare
from vibedesk.ui.window import Page, Window

if TYPE_CHECKING:
    from vibedesk.ui.welcome import WelcomePage

LONGEST_WAIT_MS = 1_000
"""A window that is not painted by then (minimised, covered) is not waited for."""

PAGES = (
    ("welcome", "Welcome", "chat"),
    ("playground", "Playground", "chat"),
    ("keys", "Keys", "key"),
    ("models", "Models", "cube"),
    ("routes", "Routes", "path"),
    ("usage", "Usage", "chart-bar"),
    ("settings", "Settings", "gear"),
)


def main(argv: list[str]) -> int:
    """Opens the window and stays until it is closed. 0 = closed by the person, 130 = interrupted."""
    try:
        app = QApplication.instance()
        if app is None:
            app = QApplication([*(argv or ["vibedesk"]), *STYLE])
            app.setProperty("styled", True)
        assert isinstance(app, QApplication)
        name_application(app)
        front = Front(app, Paths.find(os.environ))
        front.paint()
        show_icon(app)
        gc.enable()
        return _turn(app, front)
    except KeyboardInterrupt:
        return 130


def _turn(app: QApplication, front: Front) -> int:
    """Everything from the second frame on, in the loop. The rest is imported in a thread: the window stays alive."""
    import asyncio
    from importlib import import_module

    from vibedesk.loop import new_loop

    async def go_on() -> int:
        rest = await asyncio.to_thread(import_module, "vibedesk.app")
        status: int = await rest.run(app, os.environ, Path.cwd(), front)
        return status

    with asyncio.Runner(loop_factory=lambda: new_loop(app)) as runner:
        return runner.run(go_on())


def name_application(app: QApplication) -> None:
    """Says to the desktop who this is."""
    app.setApplicationName("VibeDesk")
    app.setApplicationDisplayName("VibeDesk")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("vibedesk")
    app.setQuitOnLastWindowClosed(False)  # the loop must outlive the window for everything to be closed


def show_icon(app: QApplication) -> None:
    """Gives the windows theirs; drawing the SVG is not for the first frame."""
    icon = resources() / "icons" / "vibedesk.svg"
    if icon.is_file():
        app.setWindowIcon(QIcon(str(icon)))


class Front(QObject):
    """The real window, in the right theme, with what its first page shows before there is a desk.

    `closed` once the person has closed it; `makers` builds the pages, and is filled by whoever has a desk.
    """

    def __init__(self, app: QApplication, paths: Paths) -> None:
        super().__init__()
        self._app = app
        self.glance = Glance(paths)
        self.notices = Notices(self)
        self.theme = Theme(resources(), self)
        self.theme.apply(app, self.glance.shown.theme)
        self.makers: dict[str, Callable[[], QWidget]] = {}
        self.window = Window(self._pages(), self.theme, self.notices, self.glance)
        self.window.closing.connect(self._close)
        self.closed = False
        self.page = self.glance.page()
        self.stage: Stage | None = None
        self.welcome: WelcomePage | None = None
        self._painted = self._late = False
        self.window.hold(self.page or "playground", self._first_page())

    def paint(self) -> None:
        """Shows the window and returns when it is painted. Not to be called in a running loop."""
        self.window.installEventFilter(self)
        self.window.show()
        waiting = self.startTimer(LONGEST_WAIT_MS)
        while not (self._painted or self._late or self.closed):
            self._app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        self.killTimer(waiting)
        self.window.removeEventFilter(self)
        if self.stage is not None:
            self.stage.composer.ring(self.stage.composer.words.hasFocus())

    def fill(self, page: str) -> None:
        """Puts the page itself in the place of what was shown of it, with all that was typed and pressed meanwhile."""
        self.window.release("playground" if self.page == "playground" else page)
        if self.stage is not None:
            self.stage.composer.release()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._painted = True
        return False

    def timerEvent(self, event: QTimerEvent) -> None:
        self._late = True

    def _close(self) -> None:
        self.closed = True

    def _pages(self) -> tuple[Page, ...]:
        return tuple(
            Page(
                id=id,
                title=title,
                icon=icon,
                make=lambda id=id: self.makers[id](),  # type: ignore[misc]
                rail="playground" if id == "welcome" else "",
                below=id == "settings",
            )
            for id, title, icon in PAGES
        )

    def _first_page(self) -> QWidget:
        match self.page:
            case "playground":
                self.stage = Stage(self.theme)
                self.stage.count(self.glance.shown.lanes, self.glance.shown.lanes)
                self.stage.composer.set_enter_sends(self.glance.shown.enter_sends)
                self.stage.composer.hold()
                self.stage.composer.ring(True)  # it has the keyboard when it is shown: not polished twice
                return self.stage
            case "welcome":
                from vibedesk.ui.welcome import WelcomePage

                self.welcome = WelcomePage(self.theme)
                return self.welcome
            case _:
                return _nothing_yet()


def _nothing_yet() -> QWidget:
    """The bar that every page has."""
    from PySide6.QtWidgets import QVBoxLayout

    page = QWidget()
    column = bare(QVBoxLayout(page))
    column.addWidget(TopBar())
    column.addStretch(1)
    return page
