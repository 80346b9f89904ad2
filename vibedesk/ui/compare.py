"""What the playground's bar and palette offer to compare lanes: blind votes, tables, differences, sets, exports."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from vibedesk.state.comparing import Comparing
from vibedesk.state.export import FORMATS, Format, file_name
from vibedesk.state.exporting import Exporter
from vibedesk.state.lane_sets import LaneSets
from vibedesk.state.ranking import Ranking
from vibedesk.state.run import run_of
from vibedesk.store.votes import BOTH_BAD, TIE
from vibedesk.ui.blind import BlindLane, VoteBar
from vibedesk.ui.lane_sets import SaveSetSheet, add_sets
from vibedesk.ui.lens import Answered, LensSheet
from vibedesk.ui.ranking import RankingSheet
from vibedesk.ui.run_table import RunSheet
from vibedesk.ui.strip import Together
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button

if TYPE_CHECKING:
    from vibedesk.ui.playground import PlaygroundPage

VOTE_KEYS = {**{str(place + 1): place for place in range(8)}, "=": TIE, "0": BOTH_BAD}


class Comparison(QObject):
    """Belongs to a `PlaygroundPage`: its buttons, its vote bar, its actions."""

    def __init__(self, page: PlaygroundPage, theme: Theme) -> None:
        super().__init__(page)
        self._page, self._theme, self._playground = page, theme, page.playground
        playground = self._playground
        self.contest = playground.contest
        self.sets = LaneSets(playground.desk, playground.tasks, playground.notices, playground, self)
        self.ranking = Ranking(playground.desk, playground.tasks, self)
        self._exporter = Exporter(playground.desk, playground.tasks, playground.notices)
        self._comparing = Comparing(playground.tasks)
        self.together = Together(page.area)
        self.blind, self.more = page.stage.blind, page.stage.more
        self.blind.on(self.toggle_blind)
        self.blind.setToolTip(self.tr("Compare without knowing who answers (Ctrl+B)"))
        self.more.on(self.open_menu)
        self.others = Button("", "link").on(playground.bring_back)
        self.others.setToolTip(self.tr("They are kept with this conversation and not asked."))
        self.bar = VoteBar()
        self.bar.hide()
        self._keys = [self._vote_key(key, choice) for key, choice in VOTE_KEYS.items()]
        self.actions: dict[str, QAction] = {}
        self._connect()

    def _connect(self) -> None:
        self.contest.changed.connect(self.show_stage)
        self._playground.turn_asked.connect(self._question_shown)
        self.contest.voted.connect(self.ranking.refresh)
        self.bar.voted.connect(self.contest.vote)
        self.bar.revealed.connect(self.contest.reveal)
        self.bar.ranking_wanted.connect(self.show_ranking)
        self.bar.tagged.connect(lambda tag: setattr(self.contest, "tag", tag))

    def add_actions(self, add: Callable[[str, Callable[[], object], str], QAction]) -> None:
        """Names everything for palette and keyboard."""
        tr = self.tr
        for id, title, run, keys in (
            ("blind", tr("Compare blind"), self.toggle_blind, "Ctrl+B"),
            ("left", tr("Move lane left"), partial(self._move, -1), "Alt+Shift+Left"),
            ("right", tr("Move lane right"), partial(self._move, 1), "Alt+Shift+Right"),
            ("alone", tr("One lane alone"), self.toggle_alone, "Ctrl+Shift+M"),
            ("all", tr("Back to all lanes"), self.show_all, "Esc"),
            ("fit", tr("Fit all lanes"), self._fit, "Ctrl+Shift+0"),
            ("together", tr("Scroll lanes together"), self._scroll_together, "Ctrl+Shift+Y"),
            ("continue", tr("Continue with this lane"), self._promote, ""),
            ("others", tr("Show the other lanes again"), self._playground.bring_back, ""),
            ("table", tr("Table of this run"), self.show_table, "Ctrl+Shift+T"),
            ("lens", tr("Differences"), self.show_lens, "Ctrl+D"),
            ("repeat", tr("Ask the last question several times"), self.show_table, ""),
            ("ranking", tr("Ranking"), self.show_ranking, ""),
            ("sets", tr("Sets of lanes"), self.open_menu, ""),
            ("save", tr("Save these lanes as a set"), self.save_set, ""),
        ):
            self.actions[id] = add(title, run, keys)
        for id in ("fit", "together"):
            self.actions[id].setCheckable(True)
        for form, name in FORMATS.items():
            self.actions[form] = add(tr("Export as") + f" {name}", partial(self.export, form), "")
        self.show_state()

    # What is shown

    def show_state(self) -> None:
        """Which actions lead somewhere now."""
        lanes, hidden = len(self._playground.lanes), self.contest.hidden
        asked = bool(self._playground.turns)
        several = lanes > 1 and not hidden
        for id, enabled in (
            ("left", several), ("right", several), ("alone", lanes > 1), ("continue", several),
            ("all", self._page.area.alone is not None and not self._playground.running),
            ("others", bool(self._playground.aside) and not hidden), ("table", asked and not hidden),
            ("repeat", asked and not hidden), ("lens", several and asked), ("save", not hidden),
            *((form, bool(self._playground.conversation) and not hidden) for form in FORMATS),
        ):  # fmt: skip
            if id in self.actions:
                self.actions[id].setEnabled(bool(enabled))
        aside = len(self._playground.aside)
        self.others.setText(self.tr("Show") + f" {aside} " + self.tr("more") if aside else "")
        self.others.setVisible(bool(aside) and not hidden)
        self.blind.setVisible(lanes > 1 or self.contest.on)
        self.blind.setEnabled(not self._playground.running or self.contest.on)

    def show_stage(self) -> None:
        """The bar under the lanes, and which of them may be seen."""
        contest, stage = self.contest, self.contest.stage
        focus = QApplication.focusWidget()
        was_here = focus is not None and (self.bar.isAncestorOf(focus) or self._page.area.isAncestorOf(focus))
        was_here = was_here or focus is self.bar
        self.blind.setChecked(contest.on)
        self.bar.setVisible(contest.on)
        for key in self._keys:
            key.setEnabled(stage == "voting")
        self._page.show_lanes()
        self._page.praise()
        match stage:
            case "ready" | "asked":
                self.bar.show_waiting(stage == "asked")
            case "voting":
                self.bar.show_voting(contest.contestants())
                if not self._page.composer.text() and self._page.isVisible():
                    self.bar.setFocus(Qt.FocusReason.OtherFocusReason)
            case "revealed" if contest.result is not None:
                self.bar.show_result(contest.result)
        if was_here and stage != "voting":
            self._page.composer.setFocus()
        self.show_state()

    def _question_shown(self) -> None:
        if self.contest.hidden:
            self._page.show_lanes()

    def blind_lanes(self) -> list[BlindLane]:
        """New columns for the contestants: an old one could tell by its place in the tree which lane it was."""
        found = []
        for one in self.contest.contestants():
            lane = BlindLane(self._theme)
            lane.show_contestant(one, waiting=self.contest.stage == "asked")
            lane.link_clicked.connect(self._page.show_link)
            found.append(lane)
        return found

    # What is done

    def toggle_blind(self) -> None:
        """Begins, or ends it and shows everything."""
        if self.contest.on:
            self.contest.end()
        elif not self.contest.begin():
            self._page.notice.emit(
                self.tr("A blind comparison takes two linked lanes with a model, at rest.")
            )
            self.blind.setChecked(False)

    def toggle_alone(self) -> None:
        """The current lane over the whole width, or all again."""
        area = self._page.area
        columns = area.columns
        alone = columns[min(self._page.current, len(columns) - 1)] if area.alone is None else None
        area.show_alone(alone)
        self.show_state()

    def show_all(self) -> None:
        self._page.area.show_alone(None)
        self.show_state()

    def _fit(self) -> None:
        self._page.area.fit(not self._page.area.fitted)
        self.actions["fit"].setChecked(self._page.area.fitted)

    def _scroll_together(self) -> None:
        self.together.on = not self.together.on
        self.actions["together"].setChecked(self.together.on)

    def _move(self, by: int) -> None:
        self._page.move_lane(self._page.current, self._page.current + by)

    def _promote(self) -> None:
        self._playground.promote(self._page.current)

    def show_table(self) -> None:
        """The last question over all lanes."""
        playground = self._playground
        if playground.turns and not self.contest.hidden:
            read = lambda turn: run_of(playground.lanes, turn)  # noqa: E731
            RunSheet(self._page, self._theme, playground.turns, read, playground.repeat).open()

    def show_lens(self) -> None:
        """The last answers, side by side."""
        answers = [
            Answered(letter="ABCDEFGH"[place], name=lane.spec.model or lane.spec.route, text=lane.text)
            for place, lane in enumerate(self._playground.lanes)
            if lane.text
        ]
        if len(answers) < 2 or self.contest.hidden:
            self._page.notice.emit(self.tr("There are not two answers to compare."))
            return
        sheet = LensSheet(self._page, self._theme, answers, self._comparing.words, self._comparing.points)
        sheet.finished.connect(lambda _: self._comparing.forget())
        sheet.open()

    def show_ranking(self) -> None:
        RankingSheet(self._page, self._theme, self.ranking).open()

    def save_set(self) -> None:
        """Asks for a name."""
        lanes = [lane.spec for lane in self._playground.lanes]
        taken = tuple(one.name for one in self.sets.saved)
        SaveSetSheet(self._page, self._theme, lanes, taken, self.sets.save).open()

    def export(self, form: Format) -> None:
        """Asks where to, and writes it there."""
        conversation = self._playground.conversation
        dialog = QFileDialog(self._page, self.tr("Export the conversation"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"{FORMATS[form]} (*.{form})")
        dialog.setDefaultSuffix(form)
        dialog.selectFile(file_name(self._playground.title, form))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda file: self._exporter.export(conversation, form, Path(file)))
        dialog.open()

    # The menu

    def open_menu(self) -> None:
        menu = self.menu()
        corner = QPoint(self.more.width() - menu.sizeHint().width(), self.more.height() + 4)
        menu.popup(self.more.mapToGlobal(corner))

    def menu(self) -> QMenu:
        """Everything there is to compare with; the sets as they were last read."""
        menu = QMenu(self._page)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        if not self.contest.hidden:
            add_sets(menu, self.sets, self.save_set)
            menu.addSeparator()
        for group in (("alone", "fit", "together"), ("table", "lens", "ranking")):
            for id in group:
                menu.addAction(self.actions[id])
            menu.addSeparator()
        exports = menu.addMenu(self.tr("Export as"))
        exports.setEnabled(not self.contest.hidden and bool(self._playground.conversation))
        for form, name in FORMATS.items():
            exports.addAction(name, partial(self.export, form))
        self.sets.refresh()
        return menu

    def _vote_key(self, key: str, choice: int) -> QShortcut:
        shortcut = QShortcut(QKeySequence(key), self._page)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(lambda: self.contest.vote(choice))
        shortcut.setEnabled(False)
        return shortcut
