"""One route as a form: model, parameters, fallbacks, what lint says of it, and the ladder it would take."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import get_args

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from vibedesk.engine.types import Effort, Parameters, Route
from vibedesk.state.catalog import CatalogState
from vibedesk.state.routes import Explanation, Lint, RoutesState, Try
from vibedesk.ui.ladder import clear
from vibedesk.ui.route_terms import RouteTerms
from vibedesk.ui.theme import Theme
from vibedesk.ui.what_if import Explained
from vibedesk.ui.widgets import Button, Chip, Choice, Elided, Field, Hairline, Label, Scroll, bare

Pick = Callable[[str, Callable[[list[str]], None]], None]


class RouteEditor(QFrame):
    """Edits a copy; nothing is written before Save. `closed` when the route on show is gone or given up."""

    closed = Signal()

    def __init__(
        self,
        routes: RoutesState,
        catalog: CatalogState,
        theme: Theme,
        pick: Pick,
        open_in_lane: Callable[[str], object],
    ) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._routes, self._catalog, self._theme, self._pick = routes, catalog, theme, pick
        self._open_in_lane = open_in_lane
        self._saved: Route | None = None
        self._sent: Route | None = None
        """What is being written, as it was when Save was pressed; None once another one is shown."""
        self._filling = False
        self.is_new = False
        self.edited = False
        """The form says something that is not saved."""
        self.fallbacks: list[str] = []
        self._make_fields()
        self._lay_out()
        self._timer = QTimer(self, singleShot=True, interval=150)
        self._timer.timeout.connect(self.relint)
        self._connect()

    def show_route(self, route: Route) -> None:
        """Shows a saved route; edits to another one that were not saved are offered back."""
        if self.edited and self._saved != route:
            self._give_up()
        self.is_new, self._saved = False, route
        self._fill(route)

    def show_new(self) -> None:
        """Shows an empty form."""
        if self.edited:
            self._give_up()
        self.is_new, self._saved = True, None
        self._fill(Route(name="", model=self._catalog.first_choice()))
        self.name.setFocus(Qt.FocusReason.TabFocusReason)

    def shown(self) -> Route | None:
        """The saved route on show, None while it is a new one."""
        return self._saved

    def route(self) -> Route:
        """The route as the form says now. Raises ValueError with what to mend."""
        route = Route(
            name=self.name.text().strip(),
            model=self.model.text().strip(),
            provider_override=self.through.chosen(),
            parameters=Parameters(
                max_tokens=_whole(self.max_tokens.text()),
                temperature=_fraction(self.temperature.text()),
                reasoning_effort=self.effort.chosen(),
            ),
            fallback_models=tuple(self.fallbacks),
            system=self.system.toPlainText().strip(),
        )
        return self.terms.put_into(route)

    def relint(self) -> None:
        """Asks again what is wrong with the route as it stands in the form."""
        self._timer.stop()
        self._judge()
        try:
            route = self.route()
        except ValueError as wrong:
            clear(self.remarks)
            self._remark("bad", str(wrong))
            return
        if is_model(route.model):
            self._routes.lint(route)
            return
        clear(self.remarks)
        if route.model:
            self._remark("bad", self.tr("A model is written PROVIDER/MODEL."))

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _show_lints(self, route: Route, lints: tuple[Lint, ...]) -> None:
        if route == self._now():
            clear(self.remarks)
            for lint in lints:
                self._remark("warn", lint.message)

    def _now(self) -> Route | None:
        try:
            return self.route()
        except ValueError:
            return None

    def _make_fields(self) -> None:
        self.title = Elided("", "title")
        self.name = Field("conversationalResponse", name=self.tr("Route name"))
        self.model = Field("provider/model", mono=True, name=self.tr("Model"))
        self.through = Choice([("Gateway, else direct", None), ("Direct", "direct")])
        self.through.setToolTip(
            self.tr("Through the gateway where one is set up, else direct; or as another provider's model")
        )
        self.through.setAccessibleName(self.tr("Through"))
        self.effort = Choice([("Model’s own", None), *((effort, effort) for effort in get_args(Effort))])
        self.effort.setAccessibleName(self.tr("Reasoning effort"))
        self.max_tokens = Field("model’s own", name=self.tr("Max tokens"))
        self.temperature = Field("model’s own", name=self.tr("Temperature"))
        self.system = QPlainTextEdit()
        self.system.setPlaceholderText(self.tr("None"))
        self.system.setAccessibleName(self.tr("System prompt"))
        self.system.setFixedHeight(76)
        self.system.setTabChangesFocus(True)
        self.terms = RouteTerms()
        self.ladder = bare(QVBoxLayout(), 4)
        self.remarks = bare(QVBoxLayout(), 6)
        self.rungs = Explained()
        self.save = Button(self.tr("Save"), "primary").on(self._save)
        self.explain = Button(self.tr("Explain")).on(self._explain)
        self.explain.setToolTip(self.tr("Whom it would ask now, without asking anybody"))
        self.test = Button(self.tr("Test")).on(self._test)
        self.test.setToolTip(self.tr("Sends one short request to the model and to each fallback"))
        self.use = Button(self.tr("Open lane")).on(self._use)
        self.delete = Button(self.tr("Delete"), "quiet").on(self._delete)

    def _lay_out(self) -> None:
        outer = bare(QVBoxLayout(self))
        self._scroll = scroll = Scroll(margins=(20, 16, 16, 16), spacing=12)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer.addWidget(scroll, 1)
        scroll.column.addWidget(self.title)
        scroll.column.addLayout(self._form())
        scroll.column.addWidget(self.terms)
        scroll.column.addLayout(self.remarks)
        looks = bare(QHBoxLayout(), 8)
        looks.addWidget(self.explain)
        looks.addWidget(self.test)
        looks.addStretch(1)
        scroll.column.addLayout(looks)
        scroll.column.addWidget(self.rungs)
        scroll.column.addStretch(1)
        outer.addWidget(Hairline())
        foot = bare(QHBoxLayout(), 8)
        foot.setContentsMargins(20, 10, 12, 10)
        for button in (self.save, self.use):
            foot.addWidget(button)
        foot.addStretch(1)
        foot.addWidget(self.delete)
        outer.addLayout(foot)

    def _form(self) -> QGridLayout:
        model = bare(QHBoxLayout(), 6)
        model.addWidget(self.model, 1)
        choose = Button("", icon=self._theme.icon("magnifying-glass", size=16)).named(
            self.tr("Choose a model")
        )
        model.addWidget(choose.on(lambda: self._pick(self.model.text(), self._chosen)))
        falls = bare(QVBoxLayout(), 4)
        falls.addLayout(self.ladder)
        falls.addWidget(Button(self.tr("Add a fallback…")).on(lambda: self._pick("", self._added)))
        form = bare(QGridLayout(), 8)
        form.setHorizontalSpacing(12)
        form.setColumnMinimumWidth(0, 76)
        form.setColumnStretch(1, 1)
        rows = (
            ("Name", self.name),
            ("Model", model),
            ("Then ask", falls),
            ("Through", self.through),
            ("Effort", self.effort),
            ("Max tokens", self.max_tokens),
            ("Temperature", self.temperature),
            ("System", self.system),
        )
        for line, (words, field) in enumerate(rows):
            label = Label(words, "small")
            label.setFixedHeight(28)
            form.addWidget(label, line, 0, Qt.AlignmentFlag.AlignTop)
            if isinstance(field, QWidget):
                field.setMinimumWidth(80)
                form.addWidget(field, line, 1)
            else:
                form.addLayout(field, line, 1)
        return form

    def _connect(self) -> None:
        for field in (self.name, self.model, self.max_tokens, self.temperature):
            field.textChanged.connect(lambda: self._changed())
        for choice in (self.through, self.effort):
            choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            choice.currentIndexChanged.connect(lambda: self._changed())
        self.system.textChanged.connect(self._changed)
        self.terms.changed.connect(self._changed)
        self.terms.forget.on(self._routes.forget_answers)
        self._routes.changed.connect(self._show_held)
        self._routes.saved.connect(self._was_saved)
        self._routes.refused.connect(self._was_refused)
        self._routes.explained.connect(self._show_explanation)
        self.rungs.wanted.connect(lambda faults: self._explain())
        self._routes.tried.connect(self._show_tries)
        self._routes.trying.connect(lambda running: self.test.setEnabled(not running))
        self._routes.linted.connect(self._show_lints)

    def _fill(self, route: Route, fallbacks: tuple[str, ...] | None = None) -> None:
        self._filling, self._sent = True, None
        self.title.setText(self._saved.name if self._saved else "New route")
        self._offer_providers(route.provider_override)
        self.name.setText(route.name)
        self.model.setText(route.model)
        self.model.setCursorPosition(0)
        self.through.choose(route.provider_override)
        self.effort.choose(route.parameters.reasoning_effort)
        most, temperature = route.parameters.max_tokens, route.parameters.temperature
        self.max_tokens.setText("" if most is None else str(most))
        self.temperature.setText("" if temperature is None else f"{temperature:g}")
        self.system.setPlainText(route.system)
        self.terms.fill(route)
        self.fallbacks = list(route.fallback_models if fallbacks is None else fallbacks)
        self._show_fallbacks()
        self.rungs.clear()
        self.delete.setText("Delete" if self._saved else "Cancel")
        self.use.setVisible(self._saved is not None)
        self._show_held()
        self._filling = False
        self.relint()

    def _offer_providers(self, chosen: str | None) -> None:
        while self.through.count() > 2:
            self.through.removeItem(2)
        names = {one.id: one.name for one in self._catalog.catalog.providers.values() if not one.simulated}
        if chosen and chosen not in {*names, "direct"}:
            names[chosen] = chosen
        for provider, name in names.items():
            self.through.addItem(name, provider)

    def _chosen(self, models: list[str]) -> None:
        self.model.setText(models[0])
        self.model.setCursorPosition(0)
        self._added(models[1:])

    def _added(self, models: list[str]) -> None:
        self.fallbacks += [one for one in models if one not in self.fallbacks]
        self._show_fallbacks()
        self._changed()

    def _show_fallbacks(self) -> None:
        clear(self.ladder)
        for number, model in enumerate(self.fallbacks, start=2):
            line = QWidget()
            row = bare(QHBoxLayout(line), 6)
            row.addWidget(Chip(str(number)))
            name = Elided(model, "mono", Qt.TextElideMode.ElideMiddle)
            row.addWidget(name)
            row.addStretch(1)
            remove = Button("", "quiet", self._theme.icon("x", size=14)).named(f"Remove {model}")
            row.addWidget(remove.on(partial(self._drop, model)))
            self.ladder.addWidget(line)

    def _drop(self, model: str) -> None:
        self.fallbacks.remove(model)
        self._show_fallbacks()
        self._changed()

    def _changed(self) -> None:
        if not self._filling:
            self._judge()
            self._timer.start()

    def _judge(self) -> None:
        """Whether there is something to save, and whether it can be saved."""
        route = self._now()
        before = self._saved or Route(name="", model=route.model if route else "")
        self.edited = route != before
        self.save.setEnabled(self.edited and route is not None and bool(route.name) and is_model(route.model))

    def _give_up(self) -> None:
        """Another route is shown: the edits are kept for as long as they can be brought back."""
        route = self._now()
        if route is None:
            return
        saved = self._saved

        def bring_back() -> None:
            self.is_new, self._saved = saved is None, saved
            self._fill(route)

        self.edited = False
        self._routes.tell_given_up(saved.name if saved else "", bring_back)

    def _save(self) -> None:
        self._sent = self.route()
        self._routes.save(self._sent, self._saved.name if self._saved else None)

    @property
    def saving(self) -> bool:
        """Whether what is on show is being written; the list may lack it meanwhile."""
        return self._sent is not None

    def _was_refused(self, words: str) -> None:
        self._sent = None
        self._remark("bad", words)

    def _was_saved(self, name: str) -> None:
        sent, self._sent = self._sent, None
        if sent is None or sent.name != name or (route := self._on_file(name)) is None:
            return
        if self._now() == sent:
            self.edited = False
            self.show_route(route)
        else:  # it was edited further meanwhile
            self.is_new, self._saved = False, route
            self.title.setText(name)
            self._judge()

    def _show_held(self) -> None:
        self.terms.show_held(self._routes.held.answers, self._routes.held.size)

    def _on_file(self, name: str) -> Route | None:
        row = self._routes.rows.row_of(name)
        route: Route | None = self._routes.rows.value(row).route if row >= 0 else None
        return route

    def _explain(self) -> None:
        route = self._now()
        if route is None:
            self.relint()
        else:
            self._routes.explain(route, self.rungs.what_if.faults)

    def _test(self) -> None:
        route = self._now()
        if route is None or not is_model(route.model):
            self.relint()
        else:
            self._routes.try_out(route)

    def _use(self) -> None:
        if self._saved is not None:
            self._open_in_lane(self._saved.name)

    def _delete(self) -> None:
        if self._saved is not None:
            self._routes.remove(self._saved.name)
        self.edited = self.is_new = False
        self._saved = None
        self.closed.emit()

    def _show_explanation(self, name: str, explanation: Explanation) -> None:
        if name == self.name.text().strip():
            self.rungs.show_explanation(explanation)
            self._scroll.show_from(self.explain)

    def _show_tries(self, name: str, tries: tuple[Try, ...]) -> None:
        if name == self.name.text().strip():
            self.rungs.show_tries(tries)
            self._scroll.show_from(self.explain)

    def _remark(self, role: str, words: str) -> None:
        line = QWidget()
        row = bare(QHBoxLayout(line), 8)
        row.addWidget(
            Chip("wrong" if role == "bad" else "remark", role, dot=True), 0, Qt.AlignmentFlag.AlignTop
        )
        row.addWidget(Label(words, "small", wrap=True), 1)
        self.remarks.addWidget(line)


def is_model(text: str) -> bool:
    """Whether this is written PROVIDER/MODEL."""
    provider, _, model = text.partition("/")
    return bool(provider and model)


def _whole(text: str) -> int | None:
    text = text.replace(",", "").replace(" ", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise ValueError("Max tokens is a whole number, 1 or more, or empty.")
    return int(text)


def _fraction(text: str) -> float | None:
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 2:
        raise ValueError("Temperature is a number from 0 to 2, or empty.")
    return number
