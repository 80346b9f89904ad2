"""Adding or replacing a key, step by step: what was pasted, whose it is, what its check says, whether it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QObject, Signal

from vibedesk.engine.pasted import PastedKey
from vibedesk.engine.types import ApiKey, Provider, Secret
from vibedesk.state.check import CheckRun
from vibedesk.state.vault import NEW, KeyRow, Saved, Vault

GOOD = {"ready", "rate_limited", "no_credit", "spend_limit", "restricted", "unknown"}
"""Verdicts after which keeping the key makes sense."""

Phase = Literal[
    "empty", "unreadable", "several", "unknown", "guess", "stranger",
    "checking", "failed", "good", "skipped", "saving", "saved",
]  # fmt: skip


class Wizard(QObject):
    """`changed` at every step. A key that can only be one provider's is checked as soon as it is read; a guess, and one
    that looks like another provider's, when a person says so: no key is shown to somebody else's server.

    `provider` is whose key it is taken for, None = not known. `problem` says why nothing was kept, or what was pasted
    is no key; "" = nothing is wrong. `saved` is what became of it.
    """

    changed = Signal()

    def __init__(
        self,
        vault: Vault,
        *,
        provider: Provider | None = None,
        replacing: KeyRow | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._vault, self.replacing = vault, replacing
        self._wanted = replacing.provider if replacing else provider
        self._pasted = ""
        self._skipped = self._saving = False
        self.provider: Provider | None = self._wanted
        self.found: tuple[PastedKey, ...] = ()
        self.problem = ""
        self.saved: Saved | None = None
        vault.checks.changed.connect(self._check_changed)
        vault.saved.connect(self._keep_saved)
        vault.refused.connect(self._refused)
        vault.door.changed.connect(self.changed)

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        if self.saved is not None:
            return "saved"
        if self._saving:
            return "saving"
        if not self.found:
            return "unreadable" if self._pasted.strip() else "empty"
        if len(self.found) > 1:
            return "several"
        if self.provider is None:
            return "unknown"
        if self._skipped:
            return "skipped"
        run = self.run
        if run is None:
            return "stranger" if self.looks_like else "guess"
        return "checking" if run.running else "good" if run.verdict in GOOD else "failed"

    @property
    def run(self) -> CheckRun | None:
        """The check of what was pasted, under way or ended."""
        return self._vault.checks.run_of(NEW)

    @property
    def guesses(self) -> tuple[Provider, ...]:
        """Whose shape the one key has, the likeliest first."""
        if len(self.found) != 1:
            return ()
        known = (self._vault.provider(name) for name in self.found[0].providers)
        return tuple(provider for provider in known if provider is not None)

    @property
    def looks_like(self) -> Provider | None:
        """Whose key it looks like, where that is not the one it is taken for."""
        guesses = self.guesses
        return guesses[0] if guesses and self.provider is not None and self.provider not in guesses else None

    @property
    def twin(self) -> ApiKey | None:
        """A key that is kept already and ends alike."""
        if len(self.found) != 1 or self.provider is None or self.replacing is not None:
            return None
        return self._vault.kept_already(self.provider.id, self.found[0].secret)

    # What is asked of it

    def paste(self, text: str) -> None:
        """This is what stands in the field now."""
        self.touch()
        self._pasted = text
        self.found = self._vault.read(text) if text.strip() else ()
        if len(self.found) > 1 and self.replacing is not None:
            self.found = self._fitting()
        self.problem = self._vault.why_not(text) if text.strip() and not self.found else ""
        guesses = self.guesses
        if self._wanted is None:
            self.provider = guesses[0] if guesses else None
        if len(guesses) == 1 and self.provider == guesses[0]:
            self.check()
        else:
            self.changed.emit()

    def touch(self) -> None:
        """The text is being changed: what was found out about it before holds no longer."""
        self._skipped = False
        self.problem = ""
        self._vault.checks.forget(NEW)

    def choose(self, provider: Provider) -> None:
        """It is this one's key. Where none was pasted yet, this one's is waited for."""
        self._vault.checks.forget(NEW)
        self.provider, self._skipped = provider, False
        if not self.found:
            self._wanted = provider
        self.changed.emit()

    def check(self, *, answer: bool = False) -> None:
        """Asks the provider. A key that looks like another's is sent, for a person who calls this has seen it said."""
        if self.provider is not None and len(self.found) == 1:
            self._skipped = False
            insist = self.looks_like is not None
            self._vault.try_out(self.provider, self.found[0].secret, answer=answer, insist=insist)
            self.changed.emit()

    def stop(self) -> None:
        """Ends the check at once."""
        self._vault.checks.forget(NEW)
        self.changed.emit()

    def skip(self) -> None:
        """Keeps it unchecked, or in spite of what the check says."""
        if self.run is not None and self.run.running:
            self._vault.checks.forget(NEW)
        self._skipped = True
        self.changed.emit()

    def keep(self, label: str, chosen: Sequence[int] = ()) -> None:
        """Keeps the key under this label, or those of the several that were `chosen`, each under its own name."""
        if self._saving or self.saved is not None or not self.found:
            return
        self._saving, self.problem = True, ""
        self.changed.emit()
        if self.replacing is not None:
            self._vault.replace(self.replacing.id, self.found[0].secret)
        elif len(self.found) == 1 and self.provider is not None:
            self._vault.add([(self.provider.id, self.found[0].secret, label.strip() or self.provider.name)])
        else:
            self._vault.add([entry for number in chosen if (entry := self._entry(self.found[number]))])

    def forget(self) -> None:
        """Drops the key from memory; called when the sheet closes."""
        self._vault.checks.forget(NEW)
        self.found, self._pasted = (), ""

    # How it is done

    def _fitting(self) -> tuple[PastedKey, ...]:
        """Of several, where one secret is wanted: the first of the right provider."""
        fits = [one for one in self.found if self.provider and self.provider.id in one.providers]
        return tuple(fits[:1]) or self.found[:1]

    def _entry(self, key: PastedKey) -> tuple[str, Secret, str] | None:
        provider = self._vault.provider(key.providers[0]) if key.providers else None
        return (provider.id, key.secret, key.name or provider.name) if provider else None

    def _check_changed(self, key_id: str) -> None:
        if key_id == NEW and not self._saving:
            self.changed.emit()

    def _keep_saved(self, saved: Saved) -> None:
        if self._saving:
            self._saving = False
            self.saved = saved
            self.forget()
            self.changed.emit()

    def _refused(self, sentence: str) -> None:
        if self._saving:
            self._saving = False
            self.problem = sentence
            self.changed.emit()
