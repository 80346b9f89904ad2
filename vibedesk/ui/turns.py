"""Editing, copying, stepping through versions of what was said: one turn at a time."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QWidget

from vibedesk.state.attached import Attached, images_of, message_of
from vibedesk.state.draft import taken_up
from vibedesk.state.playground import Playground
from vibedesk.state.story import Exchange
from vibedesk.ui.attachments import Attachments
from vibedesk.ui.lane import LaneView
from vibedesk.ui.lane_sheets import SystemSheet
from vibedesk.ui.theme import Theme


class EditSheet(SystemSheet):
    """A question to write anew, with what went along with it; Ctrl+Enter asks, as in the composer."""

    def __init__(self, host: QWidget, theme: Theme, exchange: Exchange, playground: Playground) -> None:
        turn = exchange.turn
        words, self._going = taken_up(turn.text, turn.images)
        super().__init__(
            host,
            theme,
            words,
            "Asked anew in every lane that shows it. The question as it was, and all that followed, is kept.",
            lambda text: playground.edit(turn.id, message_of(text, self._going), images_of(self._going)),
        )
        self.heading.setText(self.tr("Edit the question"))
        self.save.setText(self.tr("Ask"))
        self.words.setPlaceholderText("")
        self.words.setAccessibleName(self.tr("Question"))
        self.words.moveCursor(QTextCursor.MoveOperation.End)
        self.words.installEventFilter(self)
        self.along = Attachments(theme)
        self.along.removed.connect(self._take_out)
        self.along.show_all(self._going)
        self.body.addWidget(self.along)

    def _take_out(self, one: Attached) -> None:
        self._going.remove(one)
        self.along.show_all(self._going)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and watched is self.words:
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._save()
                return True
        return super().eventFilter(watched, event)


class Turns:
    """Does with a turn what its bar was asked to."""

    def __init__(self, host: QWidget, playground: Playground, theme: Theme) -> None:
        self._host, self._playground, self._theme = host, playground, theme

    def act(self, view: LaneView, kind: str, turn_id: str, action: str) -> None:
        """`kind` is "said" or "answer"."""
        exchange = view.lane.story.exchange(turn_id)
        if exchange is None:
            return
        match action:
            case "earlier" | "later":
                step = -1 if action == "earlier" else 1
                self._step(view, kind, turn_id, view.version_from(kind, turn_id, step))
            case "copy":
                answer = exchange.answer
                said = exchange.turn.text if kind == "said" else answer.text if answer else ""
                QGuiApplication.clipboard().setText(said)
            case "plain" if exchange.answer is not None:
                QGuiApplication.clipboard().setText(view.plain(exchange.answer.text))
            case "edit":
                EditSheet(self._host, self._theme, exchange, self._playground).open()
            case "again":
                self._playground.regenerate(self._place(view))
            case "continue":
                self._playground.continue_answer(self._place(view))
            case "remove":
                self._playground.remove_turn(turn_id)

    def edit_last(self, view: LaneView) -> None:
        """The last question of a lane, to be asked anew."""
        if view.lane.exchanges:
            self.act(view, "said", view.lane.exchanges[-1].turn.id, "edit")

    def _step(self, view: LaneView, kind: str, turn_id: str, version: int) -> None:
        if kind == "said":
            self._playground.show_version(turn_id, version)
        else:
            self._playground.choose_answer(self._place(view), turn_id, version)

    def _place(self, view: LaneView) -> int:
        return self._playground.lanes.index(view.lane)
