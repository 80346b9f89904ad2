"""Adding a key: paste anything, see whose it is, watch it being checked, say where it is kept."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from vibedesk.amounts import at_most
from vibedesk.engine.types import Provider
from vibedesk.state import wizard as state
from vibedesk.state.check import CheckRun
from vibedesk.state.vault import KeyRow, Vault
from vibedesk.ui.announce import announce
from vibedesk.ui.check import Stages
from vibedesk.ui.key_list import Choosable, KeyList
from vibedesk.ui.outcome import OutcomeCard, fix_of, opener
from vibedesk.ui.provider_line import ProviderLine
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.unlock import PassphraseSheet
from vibedesk.ui.vault_words import place_words
from vibedesk.ui.widgets import Button, Field, KeyField, Label, bare

SETTLE_MS = 400
"""How long typing must rest before a key is looked at. What is pasted is looked at in the next turn of the loop."""
LINK_PAD = 3
"""Pixels left of a link's words, which stand in line with the text above."""
PASTED = 8
"""That many characters at once were not typed."""


class Wizard(Sheet):
    """`first_message(provider id)` when the person wants to try it at once. `replacing` gives a kept key a new secret.

    Where it stands is in `step` (`state.wizard`); this shows it.
    """

    first_message = Signal(str)

    def __init__(
        self,
        host: QWidget,
        theme: Theme,
        vault: Vault,
        *,
        provider: Provider | None = None,
        replacing: KeyRow | None = None,
        pasted: str = "",
    ) -> None:
        title = f"Replace “{replacing.label}”" if replacing else "Add a key"
        super().__init__(host, theme, title=title, width=640)
        self._vault, self._theme = vault, theme
        self.step = state.Wizard(vault, provider=provider, replacing=replacing, parent=self)
        self._length = 0
        self._phase = self._suggested = ""
        self._listed: object = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(lambda: self.step.paste(self.field.pasted()))
        self._build()
        self.field.textChanged.connect(self._text_changed)
        self.line.picked.connect(self._choose)
        self.step.changed.connect(self._show)
        self.finished.connect(lambda _: self._forget())
        self._show()
        if pasted:
            self.field.setText(pasted)

    def open(self) -> None:
        super().open()
        self.field.setFocus()

    # What it is made of

    def _build(self) -> None:
        intro = "Paste a key, an export line or a whole .env. Nothing is saved before you say so."
        if self.step.replacing is not None:
            intro = "Paste the new key. The old one stays until the new one is saved."
        self.intro = Label(intro, "muted", wrap=True)
        self.body.addWidget(self.intro)
        self.body.addSpacing(8)
        wanted = self.step.provider
        self.field = KeyField(wanted.key_placeholder if wanted else "")
        self.line = ProviderLine(self._vault)
        self.steps = Label("", "muted", wrap=True)
        self.link = Button("", "link").on(self._open_link)
        self.stages = Stages(self._theme)
        self.ask = self._ask_row()
        self.keys = KeyList()
        self.keys.changed.connect(self._show_buttons)
        self.outcome = OutcomeCard()
        self.done_text = Label("", wrap=True)
        self.below = self._label_row()
        flush = bare(QHBoxLayout())
        flush.addSpacing(-LINK_PAD)
        flush.addWidget(self.link)
        flush.addStretch(1)
        above: tuple[QWidget, ...] = (self.field, self.line, self.steps)
        below: tuple[QWidget, ...] = (self.stages, self.ask, self.keys)
        for widget in above:
            self.body.addWidget(widget)
        self.body.addLayout(flush)
        for widget in below:
            self.body.addWidget(widget)
        self.body.addSpacing(4)
        for widget in (self.outcome, self.done_text, self.below):
            self.body.addWidget(widget)
        self._build_footer()

    def _ask_row(self) -> QWidget:
        """One real answer, which costs a little, on request only."""
        line = QWidget()
        line.setFixedHeight(38)
        row: QHBoxLayout = bare(QHBoxLayout(line), 8)
        row.setContentsMargins(10, 0, 0, 0)
        self.ask_text = Label("", "muted")
        self.ask_button = Button(self.tr("Ask for one answer"), "link").on(
            lambda: self.step.check(answer=True)
        )
        row.addWidget(self.ask_text, 1)
        row.addWidget(self.ask_button)
        return line

    def _label_row(self) -> QWidget:
        below = QWidget()
        grid: QGridLayout = bare(QGridLayout(below))
        grid.setContentsMargins(0, 8, 0, 4)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        self.label = Field("work, personal, …", name=self.tr("Label"))
        self.kept_in = Field(name=self.tr("Kept in"))
        self.kept_in.setReadOnly(True)
        for column, (title, field) in enumerate((("Label", self.label), ("Kept in", self.kept_in))):
            caption = Label(title, "small")
            caption.setBuddy(field)
            grid.addWidget(caption, 0, column)
            grid.addWidget(field, 1, column)
            grid.setColumnStretch(column, 1)
        return below

    def _build_footer(self) -> None:
        self.another = Button(self.tr("Add another"), "quiet").on(self._again)
        self.stop = Button(self.tr("Stop"), "quiet").on(self.step.stop)
        self.skip = Button(self.tr("Skip the check"), "quiet").on(self.step.skip)
        self.cancel = Button(self.tr("Cancel")).on(self.reject)
        self.save = Button(self.tr("Save key"), "primary").on(self._go)
        self.save.setDefault(True)
        self.footer.addStretch(1)
        for button in (self.another, self.stop, self.skip, self.cancel, self.save):
            self.footer.addWidget(button)

    # What it shows

    def _text_changed(self, text: str) -> None:
        self.step.touch()
        grew, self._length = len(text) - self._length, len(text)
        self._timer.start(0 if grew >= PASTED or not text else SETTLE_MS)

    def _show(self) -> None:
        phase = self.step.phase
        entering, self._phase = phase != self._phase, phase
        if phase == "saved":
            if entering:
                self._show_saved()
            return
        self._show_key(phase)
        self._show_outcome(phase)
        self._show_place()
        self._show_buttons()
        if self.isVisible():
            QTimer.singleShot(0, self, self.place)  # wrapped words know their height only now

    def _show_key(self, phase: str) -> None:
        step, run, provider = self.step, self.step.run, self.step.provider
        self.line.show_step(step)
        self.stages.setVisible(run is not None and phase not in ("several", "unreadable"))
        self.stages.show_run(run)
        asking = phase == "good" and run is not None and all(line.id != "answer" for line in run.lines)
        estimate = self._vault.checks.estimate(provider) if provider and asking else None
        self.ask.setVisible(asking and bool(provider and provider.id not in ("cloudflare-ai-gateway",)))
        price = at_most(estimate.usd) if estimate else "an unknown sum"
        price = "nothing" if estimate and not estimate.usd else price
        self.ask_text.setText(f"One real answer would prove the rest. It costs {price}.")
        getting = not step.found and provider is not None
        self.steps.setVisible(getting and bool(provider and provider.key_steps))
        self.link.setVisible(getting and bool(provider and provider.key_url))
        if provider is not None:
            self.steps.setText(provider.key_steps)
            self.link.setText(opener(provider)[0] if provider.key_url else "")
        self.keys.setVisible(phase == "several" or (phase == "saving" and len(step.found) > 1))
        if phase == "several" and self._listed is not step.found:
            self._list_keys()
        self.below.setVisible(bool(len(step.found) == 1 and provider and step.replacing is None))
        if len(step.found) == 1 and provider is not None and self.label.text() in ("", self._suggested):
            self._suggested = step.found[0].name or provider.name
            self.label.setText(self._suggested)

    def _list_keys(self) -> None:
        found = self._listed = self.step.found
        self.keys.show_keys(
            [
                Choosable(
                    id=str(number),
                    provider=self._vault.provider(key.providers[0]) if key.providers else None,
                    name=key.name,
                    hint=self._vault.hint(key.secret),
                )
                for number, key in enumerate(found)
            ]
        )

    def _show_outcome(self, phase: str) -> None:
        step, run, provider = self.step, self.step.run, self.step.provider
        if step.problem:
            kept = "Nothing was changed, and what you pasted is still here." if step.found else ""
            self.outcome.say(step.problem, kept)
        elif phase == "stranger" and provider is not None and step.looks_like is not None:
            other = step.looks_like
            words = f"This has the shape of a key of {other.name}, not of {provider.name}."
            use = ("", None) if step.replacing else (f"Use it for {other.name}", lambda: self._use(other.id))
            self.outcome.say(words, f"Nothing was sent to {provider.name} yet.", "warn", *use)
        elif provider and run and not run.running and run.verdict != "ready" and phase != "skipped":
            self.outcome.say(run.message, run.fix, run.role, *self._fix(run, provider))
        else:
            self.outcome.say("")

    def _fix(self, run: CheckRun, provider: Provider) -> tuple[str, Callable[[], object] | None]:
        other = self._vault.provider(run.suggestion) if run.verdict == "wrong_provider" else None
        if other is not None and self.step.replacing is None:
            return f"Use it for {other.name}", lambda: self._use(run.suggestion)
        return fix_of(run.verdict, run.nuance, provider, ask=lambda: self.step.check(answer=True))

    def _show_place(self) -> None:
        vault_state, door = self._vault.state, self._vault.door
        if vault_state is None or vault_state.kind == "ready":
            self.kept_in.setText(vault_state.where if vault_state else "…")
        elif door.needs_file and door.can_ask:
            self.kept_in.setText(self.tr("Encrypted file, new"))
        elif vault_state.is_file:
            self.kept_in.setText("Encrypted file, to be unlocked" if door.is_locked else "Encrypted file")
        else:
            self.kept_in.setText(place_words(self._vault).chip)
        self.kept_in.setToolTip(place_words(self._vault).sentence)

    def _show_buttons(self) -> None:
        phase, several = self.step.phase, self.step.phase == "several"
        if phase == "saved":
            return
        self.another.hide()
        self.stop.setVisible(phase == "checking")
        self.skip.setVisible(phase in ("guess", "stranger", "checking", "failed"))
        self.skip.setText("Save anyway" if phase == "failed" else "Skip the check")
        keep = "Replace" if self.step.replacing else "Save key"
        count = len(self.keys.chosen())
        words = {"guess": "Check", "stranger": "Check anyway", "failed": "Check again", "saving": "Saving…"}
        some = f"Save {count} keys" if count != 1 else "Save 1 key"
        self.save.setText(some if several else words.get(phase, keep))
        able = phase in ("guess", "stranger", "failed", "good", "skipped") or (several and count > 0)
        self.save.setEnabled(able)
        self.field.setReadOnly(phase == "saving")

    def _show_saved(self) -> None:
        saved, replaced = self.step.saved, self.step.replacing is not None
        assert saved is not None
        self._forget()
        count = len(saved.keys)
        title = "Key replaced" if replaced else "Key saved" if count == 1 else f"{count} keys saved"
        self.heading.setText(title)
        for widget in (
            self.intro,
            self.field,
            self.stages,
            self.ask,
            self.keys,
            self.below,
            self.steps,
            self.link,
        ):
            widget.hide()
        self.outcome.say("")
        self.line.setVisible(count == 1)
        self.line.show_step(self.step)
        self.line.how.setText(f"“{saved.keys[0].label}” {saved.keys[0].hint}")
        where = f"Kept in {saved.where} and read back from there."
        self.done_text.setText(f"{where} {saved.models} models unlocked.")
        self.done_text.show()
        self.another.setVisible(not replaced)
        for button in (self.stop, self.skip):
            button.hide()
        self.cancel.setText(self.tr("Done"))
        self.save.setText(self.tr("Send a first message"))
        self.save.setEnabled(True)
        self.save.setFocus()
        announce(self, f"{title}. {self.done_text.text()}")

    # What is asked of it

    def _choose(self, provider: Provider) -> None:
        self.step.choose(provider)
        self.field.setPlaceholderText(provider.key_placeholder)
        self.field.setFocus()

    def _use(self, provider_id: str) -> None:
        provider = self._vault.provider(provider_id)
        if provider is not None:
            self.step.choose(provider)
            self.step.check()

    def _open_link(self) -> None:
        if self.step.provider is not None:
            opener(self.step.provider)[1]()

    def _go(self) -> None:
        if not self.save.isEnabled():
            return
        match self.step.phase:
            case "saved":
                self._send_first()
            case "guess" | "stranger" | "failed":
                self.step.check()
            case _ if self._vault.door.wants_words:
                sheet = PassphraseSheet(self.host(), self._theme, self._vault)
                sheet.accepted.connect(self._keep)
                sheet.open()
            case _:
                self._keep()

    def _keep(self) -> None:
        self.step.keep(self.label.text(), [int(number) for number in self.keys.chosen()])

    def _send_first(self) -> None:
        saved = self.step.saved
        self.accept()
        if saved is not None:
            self.first_message.emit(saved.keys[0].provider)

    def _again(self) -> None:
        self.reject()
        again = Wizard(self.host(), self._theme, self._vault)
        again.first_message.connect(self.first_message)
        again.open()

    def _forget(self) -> None:
        """Drops the key from the screen; the field keeps no way to read it back."""
        self._timer.stop()
        self.step.forget()
        self.field.blockSignals(True)
        self.field.clear()
        self.field.blockSignals(False)
