"""The window's program behind its first frame: opens everything, waits until it is closed, closes everything."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QFileSystemWatcher,
    QMessageLogContext,
    QObject,
    QTimer,
    QtMsgType,
    QUrl,
    qInstallMessageHandler,
)
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QWidget

from vibedesk import log
from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError
from vibedesk.failure_sentences import Words
from vibedesk.front import Front
from vibedesk.state.catalog import CatalogState
from vibedesk.state.history import History
from vibedesk.state.loading import loaded
from vibedesk.state.playground import Playground
from vibedesk.state.routes import RoutesState
from vibedesk.state.settings import Settings
from vibedesk.state.tasks import Tasks
from vibedesk.state.usage import UsageState
from vibedesk.state.vault import Vault
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.paths import Paths
from vibedesk.store.vault import VaultError
from vibedesk.ui.clipboard import SecretClipboard
from vibedesk.ui.hands import Hands
from vibedesk.ui.sheet import Overlay
from vibedesk.wording import start_words

if TYPE_CHECKING:
    from vibedesk.store.glance import FrontPage
    from vibedesk.ui.playground import PlaygroundPage
    from vibedesk.ui.vault import KeysPage

LOOK_AGAIN_MS = 2_000
"""How often the user's files are looked at: three `stat` calls."""


async def run(app: QApplication, environ: Mapping[str, str], cwd: Path, front: Front | None = None) -> int:
    """One sitting: from the first window (`front`, where it is painted already) to the last file closed."""
    front = front or Front(app, Paths.find(environ))
    if not front.closed:
        front.window.show()
    loop = asyncio.get_running_loop()
    over, interrupted = asyncio.Event(), asyncio.Event()
    _listen(loop, lambda: (interrupted.set(), over.set(), front.window.close()))
    app.lastWindowClosed.connect(over.set)
    front.window.closing.connect(over.set)
    if front.closed:
        over.set()
    opened = await _open(front, environ, cwd, over)
    if opened is not None:
        await _sit(
            app, opened, front, over, passphrase_is_given=bool(environ.get("VIBEDESK_PASSPHRASE_FILE"))
        )
    front.window.hide()
    return 130 if interrupted.is_set() else 0


async def _sit(
    app: QApplication, desk: Desk, front: Front, over: asyncio.Event, *, passphrase_is_given: bool
) -> None:
    logged = log.set_up(desk.paths, live_secrets=desk.live_secrets)
    before = qInstallMessageHandler(_log_qt)
    asyncio.get_running_loop().set_exception_handler(log.note_loop_failure)
    sitting = Sitting(app, desk, passphrase_is_given=passphrase_is_given, front=front)
    try:
        await sitting.begin()
        await over.wait()
    finally:
        await sitting.end()
        qInstallMessageHandler(before)
        logged.close()


async def _open(front: Front, environ: Mapping[str, str], cwd: Path, over: asyncio.Event) -> Desk | None:
    """The desk; where it cannot be opened the window says why until it can. None = the window was closed first."""
    while not over.is_set():
        try:
            desk = await asyncio.to_thread(_open_desk, environ, cwd, front.page)
        except (OSError, DatabaseProblem, VaultError, EngineError) as problem:
            await _tell_trouble(front, start_words(problem))
        else:
            if not over.is_set():
                return desk
            await desk.close()
    return None


def _open_desk(environ: Mapping[str, str], cwd: Path, page: str) -> Desk:
    """In a thread, with what the first page needs: importing it would hold the window up."""
    desk = Desk.open(environ, cwd=cwd)
    if page == "playground":
        import_module("vibedesk.ui.playground")
    return desk


async def _tell_trouble(front: Front, words: Words) -> None:
    """Until the person wants to try again, or closes the window."""
    from vibedesk.ui.trouble import TroublePage

    again = asyncio.Event()
    front.window.closing.connect(again.set)
    page = TroublePage(words.sentence, words.fix)
    page.again.connect(again.set)
    page.quit_wanted.connect(front.window.close)
    with front.window.in_front(page):
        await again.wait()


_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
}


def _log_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Qt's own words go where ours go, and pass the same redaction."""
    logging.getLogger("qt").log(_LEVELS.get(kind, logging.ERROR), "%s", message)


def _listen(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
    """Ctrl+C and a polite kill close the window the same way as a person does."""
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


class Sitting(QObject):
    """Everything above the desk, built once: states, theme, pages, window."""

    def __init__(
        self, app: QApplication, desk: Desk, *, passphrase_is_given: bool = False, front: Front | None = None
    ) -> None:
        super().__init__()
        self._app, self._desk = app, desk
        self._front = front or Front(app, desk.paths)
        self.theme, self.window, self.notices = self._front.theme, self._front.window, self._front.notices
        self.tasks = Tasks(self)
        self.settings = Settings(desk, self)
        self.vault = Vault(desk, self.tasks, self.notices, self, passphrase_is_given=passphrase_is_given)
        self.catalog = CatalogState(desk, self.tasks, self)
        self.playground = Playground(desk, self.tasks, self.notices, self)
        self.history = History(desk, self.tasks, self.notices, self)
        self.routes = RoutesState(desk, self.tasks, self.notices, self)
        self.usage = UsageState(desk, self.tasks, self)
        self.clipboard = SecretClipboard(self)
        self._front.makers = self._makers()
        self._told: tuple[str, ...] = ()
        self.network_is_watched = False
        self._look = QTimer(self, interval=LOOK_AGAIN_MS)
        self._look.timeout.connect(lambda: self.tasks.start(self._reread(), name="look at the files again"))
        self._connect()

    async def begin(self) -> None:
        """Fills the window, then loads what it shows."""
        first = await asyncio.to_thread(self._is_first_start)
        self._front.fill("welcome" if first else "playground")
        self.window.show()
        self.vault.load()
        self.vault.door.watch()
        self._watch_hands()
        self._watch_calls()
        self.catalog.reload()
        self._tell_problems(self._desk.problems)
        self._look.start()

    async def end(self) -> None:
        """Nothing is left running, open or on the clipboard."""
        self._look.stop()
        self.window.hide()
        self.clipboard.clear()
        await self.tasks.close()
        await self.vault.finish()
        await self.history.finish()
        page = await asyncio.to_thread(self._next_page)
        await self._desk.close()
        if page:
            await asyncio.to_thread(self._front.glance.keep_page, page)

    def _next_page(self) -> FrontPage:
        try:
            return "welcome" if self._is_first_start() else "playground"
        except DatabaseProblem:
            return ""

    def _watch_calls(self) -> None:
        """A second start brings this window to the front (security facts D4)."""
        call = self._desk.paths.call
        if call.exists():
            self._calls = QFileSystemWatcher([str(call)], self)
            self._calls.fileChanged.connect(lambda _: self.window.come_forward())

    def _watch_hands(self) -> None:
        """Keys and mouse, as they reach the window: an idle vault locks itself."""
        handle = self.window.windowHandle()
        if handle is not None:
            self._hands = Hands(handle, self.vault.door.touched)

    async def _watch_network(self) -> None:
        """Another network: whoever could not be reached over the one before is asked again. Before somebody was asked
        nobody rests, and Qt's network, which takes 5 MB, is left out."""
        if self.network_is_watched or not self._desk.has_asked:
            return
        self.network_is_watched = True
        await loaded("PySide6.QtNetwork")
        from PySide6.QtNetwork import QNetworkInformation

        if QNetworkInformation.loadDefaultBackend():
            network = QNetworkInformation.instance()
            network.reachabilityChanged.connect(self._network_changed)
            network.transportMediumChanged.connect(self._network_changed)

    def _network_changed(self) -> None:
        self._desk.network_changed()

    def _is_first_start(self) -> bool:
        return not self._desk.vault.keys() and not self._desk.history.list(limit=1)

    # The pages, each imported when it is first shown

    def _makers(self) -> dict[str, Callable[[], QWidget]]:
        return {
            "welcome": self._make_welcome,
            "playground": self._make_playground,
            "keys": self._make_keys,
            "models": self._make_models,
            "routes": self._make_routes,
            "usage": self._make_usage,
            "settings": self._make_settings,
        }

    def _make_welcome(self) -> QWidget:
        from vibedesk.ui.welcome import WelcomePage

        page = self._front.welcome or WelcomePage(self.theme)
        page.key_wanted.connect(self.add_key)
        page.pasted.connect(lambda text: self._keys_page().add_key(pasted=text))
        page.import_wanted.connect(lambda: self._keys_page().import_keys())
        page.begin_wanted.connect(lambda: self.window.show_page("playground"))
        page.demo_wanted.connect(lambda: self.try_provider("demo"))
        page.local_wanted.connect(self.try_provider)
        page.take(self.vault)
        return page

    def _make_playground(self) -> QWidget:
        from vibedesk.ui.playground import PlaygroundPage

        page = PlaygroundPage(
            self.playground,
            self.history,
            self.theme,
            pick_model=self.pick_for_lane,
            stage=self._front.stage,
        )
        page.acted.connect(self.help_lane)
        page.notice.connect(self.notices.add)
        self.settings.changed.connect(
            lambda _: page.composer.set_enter_sends(self.settings.get("composer.enter_sends"))
        )
        return page

    def _make_keys(self) -> QWidget:
        from vibedesk.ui.vault import KeysPage

        page = KeysPage(self.vault, self.theme, self.notices, self.clipboard)
        page.first_message.connect(self.try_provider)
        return page

    def _make_models(self) -> QWidget:
        from vibedesk.ui.catalog import ModelsPage

        page = ModelsPage(self.catalog, self.theme)
        page.asked.connect(self.try_model)
        page.add_key.connect(self.add_key)
        return page

    def _make_routes(self) -> QWidget:
        from vibedesk.ui.routes import RoutesPage

        return RoutesPage(self.routes, self.catalog, self.theme, self.pick_models, self.try_route)

    def _make_usage(self) -> QWidget:
        from vibedesk.ui.usage import UsagePage

        page = UsagePage(self.usage, self.theme)
        page.ask.connect(lambda: self.window.show_page("playground"))
        return page

    def _make_settings(self) -> QWidget:
        from vibedesk.ui.settings import SettingsPage

        return SettingsPage(self.settings, self.vault, self.theme)

    def _playground_page(self) -> PlaygroundPage:
        page: PlaygroundPage = self.window.page("playground")  # type: ignore[assignment]
        return page

    def _keys_page(self) -> KeysPage:
        page: KeysPage = self.window.page("keys")  # type: ignore[assignment]
        return page

    # Ways from one page to another

    def add_key(self, provider_id: str = "") -> None:
        """Opens the key wizard, for a provider where one is named."""
        self._keys_page().add_key(self.vault.provider(provider_id) if provider_id else None)

    def try_provider(self, provider_id: str) -> None:
        """A lane with this provider's preferred model, in front."""
        model = self._desk.catalog.preferred(provider_id) or next(
            iter(self._desk.catalog.models(provider_id)), None
        )
        if model is None:
            self.window.show_page("models")
        else:
            self.try_model(model.full_id)

    def try_model(self, full_id: str) -> None:
        """This model in the first lane that has none, else in one more."""
        self._open_lane(lambda lane: self.playground.set_model(lane, full_id))

    def try_route(self, name: str) -> None:
        """This route in the first lane that has no model, else in one more."""
        self._open_lane(lambda lane: self.playground.set_route(lane, name))

    def pick_models(self, current: str, take: Callable[[list[str]], None], *, routes: bool = False) -> None:
        """The model picker over the window; `take` gets what was picked, with `routes` also `route:NAME`."""
        from vibedesk.ui.picker import ModelPicker

        picker = ModelPicker(
            self.catalog, self.theme, current=current, routes=self.routes if routes else None
        )
        over = Overlay(self.window, self.theme, picker)
        picker.picked.connect(lambda ids: (over.accept(), take(list(ids))))
        picker.add_key.connect(lambda provider: (over.accept(), self.add_key(provider)))
        picker.cancelled.connect(over.reject)
        over.open()

    def pick_for_lane(self, lane: int) -> None:
        """The picker for one lane; each further model or route that was marked gets a lane of its own, and so does the
        first where there is no such lane yet."""
        lanes = self.playground.lanes
        spec = lanes[min(lane, len(lanes) - 1)].spec

        def take(ids: list[str]) -> None:
            for place, picked in enumerate(ids):
                number = self.playground.add_lane() if place or lane >= len(self.playground.lanes) else lane
                if number >= 0:
                    self._fill_lane(number, picked)
                    self._playground_page().show_lane(number)

        self.pick_models(f"route:{spec.route}" if spec.route else spec.model, take, routes=True)

    def _fill_lane(self, lane: int, picked: str) -> None:
        kind, _, name = picked.partition(":")
        if kind == "route":
            self.playground.set_route(lane, name)
        else:
            self.playground.set_model(lane, picked)

    def help_lane(self, action: str, lane: int) -> None:
        """What an error card offers and a lane cannot do itself."""
        provider = self.playground.lanes[lane].provider
        match action:
            case "open_keys":
                self.window.show_page("keys")
                self._keys_page().show_key(self.playground.lanes[lane].last_key)
            case "add_key":
                self.add_key(provider.id if provider else "")
            case "open_settings":
                self.window.show_page("settings")
            case "open_billing" if provider is not None:
                QDesktopServices.openUrl(QUrl(provider.key_url))
            case "use_another_model":
                self.pick_for_lane(lane)

    def toggle_history(self) -> None:
        """The list of conversations beside the playground."""
        if self.window.current_page() != "playground":  # else the composer would be given the focus
            self.window.show_page("playground")
        self._playground_page().toggle_history()

    def _open_lane(self, fill: Callable[[int], object]) -> None:
        lanes = self.playground.lanes
        untouched = len(lanes) == 1 and not self.playground.turns
        empty = next(
            (place for place, lane in enumerate(lanes) if not (lane.spec.model or lane.spec.route)), None
        )
        number = 0 if untouched else self.playground.add_lane() if empty is None else empty
        if number >= 0:
            fill(number)
        self.window.show_page("playground")

    # What is told

    def _connect(self) -> None:
        self.tasks.crashed.connect(self._tell_crash)
        self.settings.changed.connect(self._setting_changed)
        self.settings.refused.connect(lambda sentence: self.notices.add(sentence, "bad"))
        self.vault.keys_changed.connect(self.catalog.reload)
        self.vault.keys_changed.connect(self.playground.plan)
        self.vault.keys_changed.connect(self.routes.reload)
        self.playground.all_finished.connect(self._usage_grew)
        self.history.removed.connect(self.playground.leave_removed)
        self.history.returned.connect(self.playground.take_back)
        self.history.salvaged.connect(self._look_at_what_came_back)
        self.vault.created.connect(self._show_recovery_code)
        self.vault.refused.connect(self._tell_refusal)
        self.window.history_toggled.connect(self.toggle_history)
        self.window.add_action("Add a key", self.add_key)
        self.window.add_action("Check all keys", self.vault.check_all)
        for word, mode in (
            ("Light theme", "light"),
            ("Dark theme", "dark"),
            ("Theme of the desktop", "system"),
        ):
            self.window.add_action(word, lambda mode=mode: self.settings.set("appearance.theme", mode))  # type: ignore[misc]

    def _show_recovery_code(self, code: str) -> None:
        from vibedesk.ui.unlock import RecoverySheet

        RecoverySheet(self.window, self.theme, code, self.clipboard).open()

    def _tell_refusal(self, sentence: str) -> None:
        if not self.window.has_sheet():  # an open wizard says it where it happened
            self.notices.add(sentence, "bad")

    def _setting_changed(self, key: str) -> None:
        if key in ("", "appearance.theme"):
            self.theme.apply(self._app, self.settings.get("appearance.theme"))
        if key == "keys.folders" or key.startswith("gateway."):
            self.tasks.start(self._reread(), name="look at the keys again")

    def _usage_grew(self) -> None:
        if self.window.current_page() == "usage":
            self.usage.reload()

    async def _reread(self) -> None:
        """What was edited outside, or in the settings, reaches every page."""
        before = await asyncio.to_thread(self._seen)
        settings_edited = self._desk.settings.changed()
        problems = await asyncio.to_thread(self._desk.reload)
        await self._watch_network()
        self._tell_problems(problems)
        if settings_edited:
            self.settings.reread()
        if before != await asyncio.to_thread(self._seen):
            self.vault.load()
            self.catalog.reload()
            self.routes.reload()

    def _seen(self) -> tuple[object, ...]:
        desk = self._desk
        return (desk.catalog, desk.environment.keys(), desk.keys.gateway(), desk.routes.routes())

    def _tell_problems(self, problems: tuple[str, ...]) -> None:
        for problem in problems:
            if problem in self._told:
                continue
            if problem == self._desk.database.problem:
                bring_back = self.tr("Bring it back")
                salvage = self.history.salvage
                self.notices.add(problem, "warn", action_label=bring_back, action=salvage, seconds=0)
            else:
                self.notices.add(problem, "warn", seconds=20)
        self._told = tuple(problems)

    def _look_at_what_came_back(self) -> None:
        self.vault.load()
        if self.window.current_page() == "welcome":
            self.window.show_page("playground")

    def _tell_crash(self, name: str, error: object) -> None:
        self.notices.add(f"Something went wrong inside ({name}). The log has the details.", "bad")
