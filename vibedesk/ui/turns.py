"""Editing, copying, stepping through versions of what was said: one turn at a time."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from vibedesk.state.playground import Playground
from vibedesk.state.story import Exchange
from vibedesk.ui.lane import LaneView
from vibedesk.ui.lane_sheets import SystemSheet
from vibedesk.ui.theme import Theme


class EditSheet(SystemSheet):
    """A question to write anew; `keep(text)` when it is to be asked."""

    def __init__(self, host: QWidget, theme: Theme, exchange: Exchange, playground: Playground) -> None:
        turn = exchange.turn
        super().__init__(
            host,
            theme,
            turn.text,
            "Asked anew in every lane that shows it. The question as it was, and all that followed, is kept.",
            lambda text: playground.edit(turn.id, text, turn.images),
        )
        self.heading.setText(self.tr("Edit the question"))
        self.save.setText(self.tr("Ask"))
        self.words.setPlaceholderText("")
        self.words.setAccessibleName(self.tr("Question"))


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
