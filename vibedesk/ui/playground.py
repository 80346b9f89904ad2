"""The playground page: a bar, the lanes side by side, one composer under them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace
from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Image
from vibedesk.state.estimate import taken_of
from vibedesk.state.finding import Found
from vibedesk.state.history import History
from vibedesk.state.lane import Lane
from vibedesk.state.lanes import MOST_LANES
from vibedesk.state.metrics import best_of_many
from vibedesk.state.playground import Playground
from vibedesk.state.routes import Explanation
from vibedesk.state.run import repeats_of
from vibedesk.store.history import StoredTurn
from vibedesk.ui.blind import BlindLane
from vibedesk.ui.compare import Comparison
from vibedesk.ui.drawer import Drawer
from vibedesk.ui.find_bar import FindBar
from vibedesk.ui.history import HistoryPanel
from vibedesk.ui.lane import LaneView
from vibedesk.ui.lane_head import LETTERS
from vibedesk.ui.lane_sheets import LinkSheet, SystemSheet
from vibedesk.ui.receipt import Receipt, unasked
from vibedesk.ui.stage import Stage
from vibedesk.ui.strip import Grip
from vibedesk.ui.theme import Theme
from vibedesk.ui.turns import Turns
from vibedesk.ui.what_if import ExplainSheet
from vibedesk.ui.widgets import bare
from vibedesk.wording import words_for

ESTIMATE_MS = 150


class PlaygroundPage(QWidget):
    """Shows a `Playground`. `pick_model(lane index)` is the window's: it opens the picker and calls `set_model`, on a
    new lane where none has this index yet.

    `acted(action, lane index)` for what error cards offer and this page cannot do: open_keys, add_key, open_billing, ….
    """

    acted = Signal(str, int)
    notice = Signal(str)

    def __init__(
        self,
        playground: Playground,
        history: History,
        theme: Theme,
        *,
        pick_model: Callable[[int], object],
        stage: Stage | None = None,
    ) -> None:
        super().__init__()
        self.playground, self._history, self._theme = playground, history, theme
        self._pick_model = pick_model
        self.current = 0
        self.views: list[LaneView] = []
        self._turns = Turns(self, playground, theme)
        self.stage = stage or Stage(theme)
        self.composer, self.title = self.stage.composer, self.stage.title
        self.composer.set_draft(playground.draft)
        self.add_button = self.stage.add_button
        self.panel = HistoryPanel(history, theme)
        self.lanes_chip, self.linked_chip = self.stage.lanes_chip, self.stage.linked_chip
        self.area = self.stage.area
        self._grip = Grip(self.area, self.move_lane)
        self.comparison = Comparison(self, theme)
        self.find_bar = FindBar(theme, self._texts, self._reveal, self._unmark)
        self._find_when_open = ""
        self._estimate = QTimer(self)
        self._estimate.setSingleShot(True)
        self._estimate.setInterval(ESTIMATE_MS)
        self._estimate.timeout.connect(self._show_estimate)
        self._lay_out()
        self._connect()
        self._add_actions()
        self.setFocusProxy(self.composer)
        self._lanes_changed()
        self._title_changed(playground.title)

    # Layout

    def _lay_out(self) -> None:
        self.add_button.on(self._add_lane)
        self.stage.bar.left.addWidget(self.comparison.others)
        self.stage.put_above_composer(self.comparison.bar)
        self._drawer = Drawer(bare(QHBoxLayout(self)), self.panel, self.stage)
        self.stage.put_under_bar(self.find_bar)
        self.stage.show()  # a stack hides what is taken from it

    def _connect(self) -> None:
        playground = self.playground
        playground.lanes_changed.connect(self._lanes_changed)
        playground.title_changed.connect(self._title_changed)
        playground.turn_asked.connect(self._count_turns)
        playground.running_changed.connect(self._running_changed)
        playground.all_finished.connect(self.praise)
        playground.all_finished.connect(self.comparison.show_state)
        playground.planned.connect(self._show_obstacle)
        playground.conversation_saved.connect(lambda _: self._history.refresh())
        playground.conversation_opened.connect(self._opened)
        self.composer.sent.connect(self._send)
        self.composer.stopped.connect(playground.stop_all)
        self.composer.changed.connect(self._estimate.start)
        self.composer.recalled.connect(self._recall)
        self.composer.system_wanted.connect(self._system_for_all)
        self.composer.prompts_wanted.connect(self.choose_prompt)
        for asking in (playground.draft, playground.prompts, playground.presets):
            asking.refused.connect(self.notice)
        self.title.renamed.connect(playground.set_title)
        self.panel.opened.connect(playground.open_conversation)
        self.panel.found.connect(self._find_after_opening)
        self.panel.new_wanted.connect(playground.new_conversation)
        self._history.listed.connect(lambda: self.panel.mark(playground.conversation))

    def _add_actions(self) -> None:
        add = self._action
        add(self.tr("New conversation"), self.playground.new_conversation, "Ctrl+N")
        named = [
            add(self.tr("Add lane"), self._add_lane, "Ctrl+T"),
            add(self.tr("Close lane"), lambda: self.playground.close_lane(self.current), "Ctrl+W"),
            add(self.tr("Choose model"), lambda: self._pick_model(self.current), "Ctrl+L"),
            add(self.tr("Regenerate"), lambda: self.playground.regenerate(self.current), "Ctrl+R"),
        ]
        self._stop = add(self.tr("Stop all"), self.playground.stop_all, "Esc")
        self._stop.setEnabled(False)
        named += [
            add(self.tr("System prompt"), self._system_for_all, ""),
            add(self.tr("Parameters"), lambda: self._parameters_for(self.current), ""),
            add(self.tr("Show the receipt"), lambda: self.show_receipt(self.current), ""),
            add(self.tr("Edit the last question"), self._edit_last, ""),
            add(self.tr("Continue the answer"), lambda: self.playground.continue_answer(self.current), ""),
        ]
        self._naming = named
        """What shows who is who, or changes it."""
        self.comparison.add_actions(add)
        add(self.tr("Find in this conversation"), self.find_bar.open, "Ctrl+F")
        add(self.tr("Find in all conversations"), self.find_everywhere, "Ctrl+Shift+F")
        add(self.tr("Attach files"), self.composer.choose_files, "")
        add(self.tr("Prompts"), self.choose_prompt, "Ctrl+P")
        for place in range(MOST_LANES):
            go = add(
                self.tr("Go to lane") + f" {LETTERS[place]}", partial(self._go_to, place), f"Ctrl+{place + 1}"
            )
            go.setVisible(place < len(self.playground.lanes))
        self._lane_actions = self.actions()[-MOST_LANES:]

    def _action(self, text: str, run: Callable[[], object], keys: str) -> QAction:
        action = QAction(text, self)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda: run())
        self.addAction(action)
        return action

    # Lanes

    def _lanes_changed(self) -> None:
        """Shows the lanes there are, keeping the views of those that stayed."""
        self.show_lanes()
        self._count_turns()
        self._show_obstacle()
        self.comparison.show_state()

    def show_lanes(self) -> None:
        """The lanes, or, while nobody may know who is who, columns that do not know it either."""
        hidden = self.playground.contest.hidden
        old = {view.lane: view for view in self.views}
        self.views = []
        for place, lane in enumerate(() if hidden else self.playground.lanes):
            self.views.append(old.pop(lane) if lane in old else self._view(place))
        gone = [*old.values(), *(one for one in self.area.columns if isinstance(one, BlindLane))]
        self.area.put(self.comparison.blind_lanes() if hidden else self.views)
        for column in gone:
            column.hide()
            column.setParent(None)
            column.deleteLater()
        for place, view in enumerate(self.views):
            view.set_place(place)
        self.current = max(0, min(self.current, len(self.area.columns) - 1))
        self._mark_current()
        self.add_button.setVisible(not hidden)
        for action in self._naming:
            action.setEnabled(not hidden)

    def move_lane(self, place: int, to: int) -> None:
        """Changes the order; the lane that moves stays the current one."""
        to = max(0, min(len(self.views) - 1, to))
        self.playground.move_lane(place, to)
        if self.views:
            self._touch(self.views[to])

    def _view(self, place: int) -> LaneView:
        view = LaneView(self.playground.lanes[place], place, self._theme)
        view.acted.connect(lambda action: self._act(action, view))
        view.touched.connect(lambda: self._touch(view))
        view.receipt_wanted.connect(lambda: self.show_receipt(self.views.index(view)))
        view.model_wanted.connect(lambda: self._choose(view))
        view.menu_wanted.connect(lambda: self._menu(view))
        view.link_clicked.connect(self.show_link)
        view.turn_acted.connect(partial(self._turns.act, view))
        self._grip.hold(view.head, view)
        self._grip.hold(view.head.letter, view)
        self.comparison.together.watch(view.transcript)
        return view

    def show_link(self, address: str) -> None:
        """Where a link leads, before it is followed."""
        LinkSheet(self, self._theme, address).open()

    def _touch(self, view: LaneView) -> None:
        if view in self.views:
            self.current = self.views.index(view)
            self._mark_current()

    def _mark_current(self) -> None:
        several = len(self.views) > 1
        for place, view in enumerate(self.views):
            view.head.set_several(several)
            view.set_current(several and place == self.current)

    def show_lane(self, place: int) -> None:
        """Makes the lane the current one, and brings it in sight."""
        self._touch(self.views[place])
        self.area.ensureWidgetVisible(self.views[place], 0, 0)

    def _go_to(self, place: int) -> None:
        if place < len(self.views):
            self.show_lane(place)
            self.views[place].focus()

    def _choose(self, view: LaneView) -> None:
        self._touch(view)
        self._pick_model(self.current)

    def _add_lane(self) -> None:
        """One more, of the model that is picked; none where nothing is."""
        if len(self.playground.lanes) < MOST_LANES:
            self._pick_model(len(self.playground.lanes))

    # The bar

    def _count_turns(self) -> None:
        lanes, turns = len(self.playground.lanes), self.playground.turns
        self.stage.count(lanes, len(self.playground.targets()), turns)
        self.add_button.setEnabled(lanes < MOST_LANES)
        self.composer.set_enter_sends(bool(self.playground.setting("composer.enter_sends")))
        for place, action in enumerate(getattr(self, "_lane_actions", [])):
            action.setVisible(place < lanes)

    def _title_changed(self, title: str) -> None:
        self.title.show_title(title)

    def _opened(self) -> None:
        self._count_turns()
        self.praise()
        self.panel.mark(self.playground.conversation)
        self.playground.plan()
        self.composer.setFocus()
        words, self._find_when_open = self._find_when_open, ""
        self.find_bar.open(words) if words else self.find_bar.hide()

    def toggle_history(self) -> None:
        """Slides the list of conversations in or out."""
        self.panel.setVisible(self.panel.isHidden())
        if not self.panel.isHidden():
            self._history.refresh()
            self.panel.search.setFocus()
        else:
            self.composer.setFocus()

    # Asking

    def _send(self, text: str, images: tuple[Image, ...], without: frozenset[str]) -> None:
        self.playground.ask(text, images, without)

    def _recall(self) -> None:
        turn = self.playground.last_turn()
        if turn is not None:
            self._take_up(turn)

    def _take_up(self, turn: StoredTurn) -> None:
        self.composer.set_text(self.playground.draft.take_up(turn.text, turn.images))

    def choose_prompt(self) -> None:
        """The prompt library; what is chosen stands in the composer."""
        from vibedesk.ui.prompts import PromptsSheet

        PromptsSheet(
            self, self._theme, self.playground.prompts, self.composer.insert, self.composer.text()
        ).open()

    def _running_changed(self, running: bool) -> None:
        self.composer.set_running(running)
        self._stop.setEnabled(running)
        self.comparison.show_state()
        if running:
            for view in self.views:
                view.praise(set())

    def praise(self) -> None:
        """Once all have ended: who was best at what."""
        best = best_of_many(
            [repeats_of(lane.exchanges[-1]) if lane.exchanges else [] for lane in self.playground.lanes]
        )
        for place, view in enumerate(self.views):
            view.praise(best.get(place, set()))

    def _show_obstacle(self) -> None:
        found = self.playground.obstacle()
        if isinstance(found, EngineError):
            words = words_for(found, provider_name=self.playground.lanes[0].provider_name(found.provider))
            found = words.sentence
            if self.playground.contest.hidden:
                found = self.tr("A lane cannot be asked now. Leave the blind comparison to see why.")
        self.composer.set_obstacle(found)
        self._estimate.start()

    def _show_estimate(self) -> None:
        playground, composer = self.playground, self.composer
        shown = not playground.contest.hidden
        blind = {
            lane.spec.id: f"{LETTERS[playground.lanes.index(lane)]} {lane.spec.model.partition('/')[2] * shown}"
            for lane in playground.blind()
        }
        composer.show_blind(blind, len(playground.targets()))
        tokens = playground.draft.tokens
        found = playground.estimates(composer.text(), tokens, composer.left_out)
        composer.show_estimates(
            found if shown else [replace(one, name="", usd=None, over=False) for one in found]
        )

    # A lane's menu

    def _menu(self, view: LaneView) -> None:
        self._touch(view)
        menu = self.lane_menu(self.current)
        menu.popup(view.head.menu.mapToGlobal(QPoint(0, view.head.menu.height() + 4)))

    def lane_menu(self, place: int) -> QMenu:
        """Everything that can be done with a lane."""
        view, playground = self.views[place], self.playground
        lane = view.lane
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Choose model…"), lambda: self._pick_model(place))
        menu.addAction(self.tr("System prompt…"), lambda: self._system_for(place))
        menu.addAction(self.tr("Parameters…"), lambda: self._parameters_for(place))
        self._add_ways(menu.addMenu(self.tr("Through")), place)
        menu.addSeparator()
        self._enabled(menu, self.tr("Stop"), lambda: playground.stop(place), lane.running)
        self._enabled(menu, self.tr("Regenerate"), lambda: playground.regenerate(place), bool(lane.exchanges))
        self._enabled(menu, self.tr("Continue"), lambda: playground.continue_answer(place), lane.can_continue)
        edit = partial(self._turns.edit_last, view)
        self._enabled(menu, self.tr("Edit the question…"), edit, bool(lane.exchanges) and not lane.running)
        self._enabled(
            menu, self.tr("Copy answer as Markdown"), lambda: _copy(view.copy_text()), bool(lane.text)
        )
        plain = self.tr("Copy answer as plain text")
        self._enabled(menu, plain, lambda: _copy(view.plain(view.copy_text())), bool(lane.text))
        self._enabled(menu, self.tr("Receipt…"), lambda: self.show_receipt(place), bool(lane.exchanges))
        menu.addSeparator()
        link = self.tr("Unlink") if lane.spec.linked else self.tr("Link")
        menu.addAction(link, lambda: playground.configure(place, linked=not lane.spec.linked))
        self._enabled(
            menu, self.tr("Duplicate"), lambda: playground.duplicate_lane(place), len(self.views) < MOST_LANES
        )
        self._add_places(menu, place)
        self._enabled(menu, self.tr("Close lane"), lambda: playground.close_lane(place), len(self.views) > 1)
        return menu

    def _add_places(self, menu: QMenu, place: int) -> None:
        several, last = len(self.views) > 1, len(self.views) - 1
        self._enabled(menu, self.tr("Move left"), lambda: self.move_lane(place, place - 1), place > 0)
        self._enabled(menu, self.tr("Move right"), lambda: self.move_lane(place, place + 1), place < last)
        self._enabled(menu, self.tr("This lane alone"), self.comparison.toggle_alone, several)
        self._enabled(
            menu, self.tr("Continue with this one"), lambda: self.playground.promote(place), several
        )

    def _add_ways(self, menu: QMenu, place: int) -> None:
        ways = (("", self.tr("As set up")), ("gateway", self.tr("Gateway")), ("direct", self.tr("Direct")))
        for way, text in ways:
            action = menu.addAction(text, partial(self.playground.configure, place, via=way))
            action.setCheckable(True)
            action.setChecked(self.playground.lanes[place].spec.via == way)

    def _enabled(self, menu: QMenu, text: str, run: Callable[[], object], enabled: bool) -> None:
        menu.addAction(text, run).setEnabled(enabled)

    def _system_for(self, place: int) -> None:
        lane = self.playground.lanes[place]
        where = self.tr("For this lane, from the next question on.")
        keep = partial(self._keep_system, place)
        SystemSheet(self, self._theme, lane.spec.system, where, keep).open()

    def _keep_system(self, place: int, system: str) -> None:
        self.playground.configure(place, system=system)

    def _system_for_all(self) -> None:
        systems = {lane.spec.system for lane in self.playground.targets()}
        where = self.tr("For all linked lanes, from the next question on.")
        text = systems.pop() if len(systems) == 1 else ""
        SystemSheet(self, self._theme, text, where, self.playground.set_system).open()

    def _parameters_for(self, place: int) -> None:
        from vibedesk.ui.parameters import ParametersSheet

        lane = self.playground.lanes[place]
        keep = partial(self._keep_parameters, place)
        ParametersSheet(
            self,
            self._theme,
            lane.spec.parameters,
            taken_of(lane),
            lane.model.name if lane.model else "",
            self.playground.presets,
            keep,
        ).open()

    def _keep_parameters(self, place: int, parameters: object) -> None:
        self.playground.configure(place, parameters=parameters)

    # Finding

    def find_everywhere(self) -> None:
        """The list of conversations, with the keyboard where words to look for are typed."""
        if self.panel.isHidden():
            self.toggle_history()
        self.panel.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.panel.search.selectAll()

    def _texts(self) -> list[list[str]]:
        """What can be searched: nothing of lanes that are hidden."""
        return [view.texts() if view.isVisible() else [] for view in self.views]

    def _find_after_opening(self, words: str) -> None:
        self._find_when_open = words

    def _reveal(self, place: Found, words: str) -> None:
        if place.lane < len(self.views):
            view = self.views[place.lane]
            self._unmark(but=view)
            self.area.ensureWidgetVisible(view)
            if not view.transcript.reveal(place.entry, words, place.nth):
                view.transcript.unmark()

    def _unmark(self, but: LaneView | None = None) -> None:
        for view in self.views:
            if view is not but:
                view.transcript.unmark()

    def _edit_last(self) -> None:
        self._turns.edit_last(self.views[self.current])

    def show_receipt(self, place: int) -> None:
        """How the lane's latest answer was reached."""
        lane = self.playground.lanes[place]
        answer = lane.exchanges[-1].answer if lane.exchanges else None
        if answer is not None:
            left = unasked(answer.not_needed, lane.planned)
            explain = partial(self.show_explanation, lane)
            curl = self.playground.curl(place)
            Receipt(self, self._theme, answer, not_needed=left, curl=curl, explain=explain).open()

    def show_explanation(self, lane: Lane) -> None:
        """Where the lane's next question would go, without asking."""
        if lane not in self.playground.lanes:
            return
        place = self.playground.lanes.index(lane)
        sheet = ExplainSheet(
            self, self._theme, f"route {lane.spec.route}" if lane.spec.route else lane.spec.model
        )

        def show(id: str, explanation: Explanation) -> None:
            if id == lane.spec.id:
                sheet.explained.show_explanation(explanation)

        link = self.playground.explained.connect(show)
        sheet.finished.connect(lambda: self.playground.explained.disconnect(link))
        sheet.explained.wanted.connect(lambda faults: self.playground.explain(place, faults))
        self.playground.explain(place)
        sheet.open()

    def _act(self, action: str, view: LaneView) -> None:
        place = self.views.index(view)
        match action:
            case "retry":
                self.playground.regenerate(place)
            case "continue":
                self.playground.continue_answer(place)
            case "use_another_model":
                self._choose(view)
            case "shorten":
                self._take_up(view.lane.exchanges[-1].turn)
            case _:
                self.acted.emit(action, place)

    # Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._count_turns()
        self.playground.plan()
        if not self.playground.presets.loaded:
            self.playground.presets.load()


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
