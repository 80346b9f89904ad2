"""The window: a rail on the left, one page beside it, notices above it, every action by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from PySide6.QtCore import QByteArray, QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from vibedesk.state.notices import Notice, Notices
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Toast, bare, set_state

if TYPE_CHECKING:
    from vibedesk.ui.sheet import Sheet

RAIL = 56


class Page(NamedTuple):
    """One place; `make` builds it the first time it is shown.

    `rail`: the page whose icon stands for it, "" = its own. `below`: at the bottom of the rail.
    """

    id: str
    title: str
    icon: str
    make: Callable[[], QWidget]
    below: bool = False
    rail: str = ""


class Remembered(Protocol):
    """Where the window's size and place are kept between two runs."""

    def window_geometry(self) -> bytes: ...
    def keep_window_geometry(self, geometry: bytes) -> None: ...


class Rail(QFrame):
    """The icons on the left. `picked(page id)`; `history_toggled` for the conversation list."""

    picked = Signal(str)
    history_toggled = Signal()

    def __init__(self, pages: Sequence[Page], theme: Theme) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setFixedWidth(RAIL)
        self._buttons: dict[str, QPushButton] = {}
        column = bare(QVBoxLayout(self), 4)
        column.setContentsMargins(0, 12, 0, 12)
        self.history = _rail_button("Conversations", "sidebar", theme)
        self.history.clicked.connect(self.history_toggled)
        column.addWidget(self.history, 0, Qt.AlignmentFlag.AlignHCenter)
        for page in [page for page in pages if not page.below and not page.rail]:
            column.addWidget(self._button(page, theme), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        for page in [page for page in pages if page.below]:
            column.addWidget(self._button(page, theme), 0, Qt.AlignmentFlag.AlignHCenter)

    def mark(self, page_id: str) -> None:
        """Shows which page is open."""
        for number, button in self._buttons.items():
            button.setChecked(number == page_id)

    def _button(self, page: Page, theme: Theme) -> QPushButton:
        button = _rail_button(page.title, page.icon, theme)
        button.setCheckable(True)
        button.clicked.connect(lambda: self.picked.emit(page.id))
        self._buttons[page.id] = button
        return button


def _rail_button(name: str, icon: str, theme: Theme) -> QPushButton:
    button = QPushButton()
    button.setObjectName("railButton")
    button.setIcon(theme.icon(icon, size=20))
    button.setIconSize(QSize(20, 20))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setToolTip(name)
    button.setAccessibleName(name)
    return button


class Window(QMainWindow):
    """`page_shown(id)` after a page is in front. Actions go through `add_action`, so that the palette has them all."""

    page_shown = Signal(str)
    history_toggled = Signal()
    closing = Signal()

    def __init__(self, pages: Sequence[Page], theme: Theme, notices: Notices, remembered: Remembered) -> None:
        super().__init__()
        self.setWindowTitle(self.tr("VibeDesk"))
        self.setMinimumSize(360, 280)
        self._pages = {page.id: page for page in pages}
        self._built: dict[str, QWidget] = {}
        self._theme, self._remembered = theme, remembered
        self._held = self._wanted = ""
        self.rail = Rail(pages, theme)
        self.stack = QStackedWidget()
        middle = QWidget()
        row = bare(QHBoxLayout(middle))
        row.addWidget(self.rail)
        row.addWidget(self.stack, 1)
        self.setCentralWidget(middle)
        self._toasts = Toasts(self.stack, notices, theme)
        self.rail.picked.connect(self.show_page)
        self.rail.history_toggled.connect(self.history_toggled)
        self._add_own_actions()
        self._restore()

    def come_forward(self) -> None:
        """In front of the others, though it was minimised."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def show_page(self, page_id: str) -> QWidget:
        """Brings a page to the front, building it on its first visit; not before `release` while one is held."""
        self.rail.mark(self._pages[page_id].rail or page_id)
        if self._held:
            self._wanted = page_id
            return self.stack.currentWidget()
        page = self.page(page_id)
        self.stack.setCurrentWidget(page)
        page.setFocus(Qt.FocusReason.OtherFocusReason)
        self.page_shown.emit(page_id)
        return page

    def page(self, page_id: str) -> QWidget:
        """The page, built if it was not yet."""
        if page_id not in self._built:
            widget = self._pages[page_id].make()
            if widget.focusProxy() is None:
                widget.setFocusPolicy(
                    Qt.FocusPolicy.ClickFocus
                )  # else the first rail button would take the focus
            self._built[page_id] = widget
            self.stack.addWidget(widget)
        return self._built[page_id]

    def hold(self, page_id: str, widget: QWidget) -> None:
        """Shows `widget` where the page will be. Until `release` no page is built: the last one asked for waits."""
        self._held = page_id
        self.stack.addWidget(widget)
        self.stack.setCurrentWidget(widget)
        self.rail.mark(self._pages[page_id].rail or page_id)
        widget.setFocus(Qt.FocusReason.OtherFocusReason)

    @contextmanager
    def in_front(self, widget: QWidget) -> Iterator[None]:
        """Shows `widget` instead of what is held, and nothing else can be gone to meanwhile."""
        held = self.stack.currentWidget()
        self.rail.setEnabled(False)
        self.stack.addWidget(widget)
        self.stack.setCurrentWidget(widget)
        widget.setFocus(Qt.FocusReason.OtherFocusReason)
        try:
            yield
        finally:
            self.rail.setEnabled(True)
            if held is not None:
                self.stack.setCurrentWidget(held)
                held.setFocus(Qt.FocusReason.OtherFocusReason)
            self.stack.removeWidget(widget)
            widget.deleteLater()

    def release(self, page_id: str) -> None:
        """Shows the page itself, or the one asked for meanwhile, in one paint: nothing is seen of the change."""
        held: QWidget | None = self.stack.currentWidget()
        focused: QWidget | None = self.focusWidget()
        self.setUpdatesEnabled(False)
        try:
            self._held = ""
            page = self.page(page_id)  # what is held may become part of it, whatever is shown
            self.show_page(self._wanted or page_id)
            if focused is not None and not self._wanted and page.isAncestorOf(focused):
                focused.setFocus(Qt.FocusReason.OtherFocusReason)
            if held and held.parent() is self.stack and held not in self._built.values():
                self.stack.removeWidget(held)
                held.deleteLater()
        finally:
            self.setUpdatesEnabled(True)

    def current_page(self) -> str:
        """Id of the page in front, "" before the first."""
        front = self.stack.currentWidget()
        return next((page_id for page_id, widget in self._built.items() if widget is front), "")

    def add_action(self, title: str, run: Callable[[], object], *shortcuts: str) -> QAction:
        """An action of the whole window: in the palette by its title, on the keyboard by its shortcuts."""
        action = QAction(title, self)
        action.setShortcuts([QKeySequence(keys) for keys in shortcuts])
        action.triggered.connect(lambda: run())
        self.addAction(action)
        return action

    def all_actions(self) -> list[QAction]:
        """What can be done now: the page in front first, then the window."""
        front = self.stack.currentWidget()
        own = [action for action in self.actions() if action.text()]
        theirs = [one for one in front.actions() if one.text() and one.isVisible()]
        return theirs + own

    def open_palette(self) -> None:
        """The command palette, once."""
        from vibedesk.ui.palette import Palette

        if not self.has_sheet():
            Palette(self, self._theme, self.all_actions()).open()

    def open_cheatsheet(self) -> None:
        """All shortcuts on a sheet."""
        from vibedesk.ui.palette import Cheatsheet

        if not self.has_sheet():
            Cheatsheet(self, self._theme, self.all_actions()).open()

    def open_sheets(self) -> list[Sheet]:
        """The sheets that lie over the page now, lowest first."""
        from vibedesk.ui.sheet import Sheet

        return [sheet for sheet in self.findChildren(Sheet) if sheet.isVisible()]

    def has_sheet(self) -> bool:
        """Whether a sheet lies over the page."""
        return bool(self.open_sheets())

    def _add_own_actions(self) -> None:
        for page in [page for page in self._pages.values() if not page.rail]:
            keys = ("Ctrl+,",) if page.id == "settings" else ()
            self.add_action(f"Open {page.title}", lambda page=page: self.show_page(page.id), *keys)  # type: ignore[misc]
        self.add_action(self.tr("Show conversations"), self.history_toggled.emit)
        self.add_action(self.tr("Find a command"), self.open_palette, "Ctrl+K")
        self.add_action(self.tr("Keyboard shortcuts"), self.open_cheatsheet, "F1", "Ctrl+/")
        self.add_action("Quit", self.close, "Ctrl+Q")

    def _restore(self) -> None:
        kept = self._remembered.window_geometry()
        if not (kept and self.restoreGeometry(QByteArray(kept))):
            self.resize(1280, 800)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._remembered.keep_window_geometry(bytes(self.saveGeometry().data()))
        self.closing.emit()
        super().closeEvent(event)


FREE = {"composerBar": 44, "voteBar": 44, "saveRoute": 20}
"""What no toast covers, and how many pixels above it they end: over the lanes' footers, over a row of buttons."""
MOVES = {QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide}


class Toasts(QObject):
    """Notices as toasts, stacked over the bottom of the page in front."""

    def __init__(self, pages: QStackedWidget, notices: Notices, theme: Theme) -> None:
        super().__init__(pages)
        self._host: QWidget = pages.parentWidget() or pages
        self._pages, self._notices, self._theme = pages, notices, theme
        self._shown: dict[int, Toast] = {}
        pages.installEventFilter(self)
        pages.currentChanged.connect(lambda _: self._place())
        notices.added.connect(self._add)
        notices.removed.connect(self._remove)
        for notice in notices.current():
            self._add(notice)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in MOVES:
            self._place()
        return super().eventFilter(watched, event)

    def _add(self, notice: Notice) -> None:
        toast = Toast(notice, self._theme.icon("x", size=14))
        toast.setParent(self._host)
        set_state(toast, "role", notice.role)
        toast.acted.connect(self._notices.act)
        toast.dismissed.connect(self._notices.dismiss)
        self._shown[notice.id] = toast
        toast.show()
        self._place()

    def _remove(self, number: int) -> None:
        toast = self._shown.pop(number, None)
        if toast is not None:
            toast.hide()
            toast.deleteLater()
            self._place()

    def _bottom(self) -> int:
        """Where the lowest toast ends."""
        bottom = self._host.height() - 16
        for name, space in FREE.items():
            for free in self._pages.findChildren(QWidget, name):
                free.installEventFilter(self)  # once, however often
                if free.isVisible():
                    bottom = min(bottom, free.mapTo(self._host, QPoint(0, 0)).y() - space)
        return bottom

    def _place(self) -> None:
        if not self._shown:
            return
        bottom = self._bottom()
        for toast in reversed(list(self._shown.values())):
            width = min(toast.sizeHint().width(), self._host.width() - RAIL - 32)
            height = max(
                toast.heightForWidth(width),
                toast.sizeHint().height() if toast.heightForWidth(width) < 0 else 0,
            )
            left = RAIL + (self._host.width() - RAIL - width) // 2
            toast.setGeometry(left, bottom - height, width, height)
            toast.raise_()
            bottom -= height + 8
