"""The API keys as the screen sees them: their rows, what a change came to, and where they are kept. Never a secret."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.catalog import clean_key, hint_of, origin_of
from vibedesk.engine.errors import EngineError, Misconfigured, UnknownProvider
from vibedesk.engine.pasted import PastedKey, read_pasted
from vibedesk.engine.types import ApiKey, Limits, Provider, Secret
from vibedesk.state.check import CheckRun, Checks, unsaved_key
from vibedesk.state.check_all import CheckAll
from vibedesk.state.deletions import UNDO_S, Deletions
from vibedesk.state.door import Door
from vibedesk.state.finds import Finds
from vibedesk.state.key_rows import LOCAL, KeyRow, KeyRows, models_in_use
from vibedesk.state.local_servers import LocalServers
from vibedesk.state.matrix import Matrix
from vibedesk.state.notices import Notices
from vibedesk.state.rows import RowsModel
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.vault import VaultError, VaultState
from vibedesk.wording import words_for

if TYPE_CHECKING:
    pass

__all__ = ["LOCAL", "NEW", "KeyRow", "Saved", "Vault"]

NEW = ""
"""The id under which a key is checked before it is kept."""


class Saved(Struct, frozen=True, kw_only=True):
    """What became of keys that were added: where they are kept, and how many models they open."""

    keys: tuple[ApiKey, ...]
    where: str
    models: int


class Vault(QObject):
    """`changed` when rows or the vault's state did, `keys_changed` when keys did.

    `saved(Saved)` or `refused(sentence)` after what was to be kept or replaced. Its parts: `checks` and `check_all`;
    `door`, whose `unlocked`, `refused` (here `unlock_refused`) and `created` are told here too; `servers`,
    `finds`, `matrix`.
    """

    changed = Signal()
    keys_changed = Signal()
    saved = Signal(object)
    refused = Signal(str)
    unlocked = Signal()
    unlock_refused = Signal(str)
    created = Signal(str)

    def __init__(
        self,
        desk: Desk,
        tasks: Tasks,
        notices: Notices,
        parent: QObject | None = None,
        *,
        passphrase_is_given: bool = False,
    ) -> None:
        super().__init__(parent)
        self._desk, self._tasks, self._notices = desk, tasks, notices
        self.rows = RowsModel(self, text=lambda row: f"{row.label} {row.chip}")
        self.checks = Checks(desk, tasks, self)
        self.check_round = CheckAll(self.checks, self.check, self)
        self.door = Door(desk, tasks, self, passphrase_is_given=passphrase_is_given)
        self.servers = LocalServers(desk, tasks, self)
        self.finds = Finds(desk, tasks, self)
        self.matrix = Matrix(desk, tasks, self.all_keys, self)
        self.loaded = False
        self._keys: tuple[ApiKey, ...] = ()
        self._spent: dict[str, Decimal] = {}
        self._writing, self._looking = asyncio.Lock(), asyncio.Lock()
        self._made = KeyRows(desk, self.checks, self.servers, self.provider)
        self._deletions = Deletions(desk, tasks, self._deleted)
        self._connect()

    def _connect(self) -> None:
        self.checks.changed.connect(lambda _: self._show())
        self.check_round.changed.connect(self.changed)
        self.check_round.ended.connect(self._tell_round)
        self.servers.changed.connect(self._show)
        self.finds.changed.connect(self.changed)
        self.door.changed.connect(self.changed)
        self.door.unlocked.connect(self.unlocked)
        self.door.refused.connect(self.unlock_refused)
        self.door.created.connect(self.created)

    # What there is

    @property
    def state(self) -> VaultState | None:
        """How the place is that keeps the secrets; None before the first look."""
        return self.door.state

    def all_keys(self) -> tuple[ApiKey, ...]:
        """All keys, those that are being deleted left out."""
        return tuple(key for key in self._keys if key.id not in self._deletions)

    def provider(self, provider_id: str) -> Provider | None:
        """The provider (or gateway) of this id, None for one the catalog does not know."""
        if provider_id in self._desk.catalog.gateways:
            return self._desk.catalog.gateways[provider_id]
        try:
            return self._desk.catalog.provider(provider_id)
        except UnknownProvider:
            return None

    def providers(self) -> tuple[Provider, ...]:
        """Whose keys can be added, in the catalog's order."""
        catalog = self._desk.catalog
        asked = [one for one in catalog.providers.values() if not (one.simulated or one.keyless)]
        return (*asked, *catalog.gateways.values())

    def importable(self) -> tuple[ApiKey, ...]:
        """Keys of the environment, of files and of other programs, which could be kept in the vault too."""
        return self.finds.beyond(self.all_keys())

    def row(self, row_id: str) -> KeyRow | None:
        """The line of this id, as it is now."""
        number = self.rows.row_of(row_id)
        return self.rows.value(number) if number >= 0 else None

    def siblings(self, key_id: str) -> tuple[ApiKey, ...]:
        """The keys of the vault for the same provider, in the order they are tried; the key itself among them."""
        key = self._key(key_id)
        if key is None or key.source != "vault":
            return ()
        return tuple(one for one in self.all_keys() if (one.source, one.provider) == ("vault", key.provider))

    def scopes(self, provider_id: str) -> tuple[str, ...]:
        """The accounts that were named for keys of this provider."""
        return tuple(
            sorted({key.scope for key in self.all_keys() if key.provider == provider_id and key.scope})
        )

    def read(self, pasted: str) -> tuple[PastedKey, ...]:
        """What keys are in a pasted text (see `engine.pasted`)."""
        return read_pasted(pasted, self._desk.catalog)

    def hint(self, secret: Secret) -> str:
        """What may be shown of a secret."""
        return hint_of(secret.reveal())

    def kept_already(self, provider_id: str, secret: Secret) -> ApiKey | None:
        """A key of the vault that ends alike. The secrets themselves are not compared: that would open the keychain."""
        hint = hint_of(secret.reveal())
        same = (
            key
            for key in self.all_keys()
            if (key.provider, key.hint, key.source) == (provider_id, hint, "vault")
        )
        return next(same, None)

    def why_not(self, pasted: str) -> str:
        """Why there is no key in a pasted text, in a sentence."""
        try:
            clean_key(pasted)
        except Misconfigured as error:
            return error.detail
        return "There is no key in this."

    # What is asked of it

    def load(self) -> None:
        """Looks again at everything; `changed` follows."""
        self._tasks.start(self._load(), name="load the keys")

    def try_out(
        self, provider: Provider, secret: Secret, *, answer: bool = False, insist: bool = False
    ) -> None:
        """Checks a key before it is kept, as the check of the id `NEW`. `answer` costs a little."""
        self._desk.remember_secret(secret)
        key = unsaved_key(provider, hint_of(secret.reveal()))
        self.checks.start(key, provider, secret=secret, answer=answer, insist=insist)

    def check(self, key_id: str, *, answer: bool = False) -> None:
        """Checks a kept key; an unknown one is left alone. `answer` asks for one real answer, which costs a little."""
        key = self._key(key_id)
        provider = self.provider(key.provider) if key else None
        if key is None or provider is None:
            return
        self.checks.start(key, provider, answer=answer, done=lambda _: self.load())

    def check_all(self) -> None:
        """Checks every enabled key, without asking for an answer that costs."""
        self.check_round.start(
            [key.id for key in self.all_keys() if key.enabled and self.provider(key.provider)]
        )

    def add(self, entries: Sequence[tuple[str, Secret, str]]) -> None:
        """Keeps (provider, secret, label) each; `saved` follows, or `refused` and nothing is half kept."""
        self._start("keep keys", self._add, tuple(entries), self.checks.run_of(NEW))

    def import_keys(self, key_ids: Iterable[str]) -> None:
        """Keeps keys that lie about in the vault; they stay where they are, too."""
        chosen = [key for key in self.importable() if key.id in set(key_ids)]
        self._start("import keys", self._import, chosen)

    def replace(self, key_id: str, secret: Secret) -> None:
        """Another secret for a kept key: `saved` follows, or `refused` and the old one stands."""
        self._start("replace a key", self._replace, key_id, secret, self.checks.run_of(NEW))

    def rename(self, key_id: str, label: str) -> None:
        if label.strip():
            self._write("rename a key", self._desk.vault.rename, key_id, label.strip())

    def set_enabled(self, key_id: str, enabled: bool) -> None:
        self._write("switch a key", self._desk.vault.set_enabled, key_id, enabled)

    def set_terms(self, key_id: str, limits: Limits, scope: str, note: str) -> None:
        """What the person allows the key, whose account it shares, and what they noted."""

        def keep() -> None:
            self._desk.keys.set_terms(key_id, limits=limits, scope=scope.strip(), note=note.strip())

        self._write("set the terms of a key", keep)

    def move(self, key_id: str, place: int) -> None:
        """To this place, from 0, among the keys of its provider: the order in which they are tried."""
        family = [key.id for key in self.siblings(key_id)]
        if key_id not in family or family.index(key_id) == max(0, min(place, len(family) - 1)):
            return
        order = [key.id for key in self._keys if key.source == "vault" and key.id != key_id]
        family.remove(key_id)
        after = family[min(max(0, place), len(family)) - 1] if place > 0 else ""
        position = order.index(after) + 1 if after else order.index(family[0])
        self._write("move a key", self._desk.vault.move, key_id, position)

    def move_by(self, key_id: str, step: int) -> None:
        """One place up (-1) or down (1) among the keys of its provider; at the end nothing happens."""
        family = [key.id for key in self.siblings(key_id)]
        if key_id in family and 0 <= family.index(key_id) + step < len(family):
            self.move(key_id, family.index(key_id) + step)

    def delete(self, key_id: str) -> None:
        """Takes the key off the list and out of use now, and for good when `UNDO_S` seconds are over."""
        key = self._key(key_id)
        if key is None or key.source != "vault" or key_id in self._deletions:
            return
        self._deletions.begin(key)
        self._show()
        self._notices.add(
            f"“{key.label}” was deleted.",
            action_label="Undo",
            action=lambda: self.keep_after_all(key_id),
            seconds=UNDO_S,
        )

    def keep_after_all(self, key_id: str) -> None:
        """Undoes a deletion that is still waiting."""
        if key_id in self._deletions:
            self._start("undo a deletion", self._restore, key_id)

    def with_secret(self, key_id: str, use: Callable[[Secret], object]) -> None:
        """Fetches a secret and hands it to `use`, to nobody else."""
        self._start("read a key", self._with_secret, key_id, use)

    async def finish(self) -> None:
        """Deletes what waits for its undo to pass: called on quitting."""
        self.door.stop()
        for sentence in await self._deletions.finish():
            self._notices.add(sentence, "bad")

    # How it is done

    def _start(
        self, name: str, work: Callable[..., Coroutine[Any, Any, None]], *args: Any
    ) -> asyncio.Task[None]:
        return self._tasks.start(self._guarded(work, args), name=name)

    def _write(self, name: str, act: Callable[..., object], *args: object) -> None:
        """Has it written to the end, whoever leaves meanwhile: no keychain is asked for it."""
        self._tasks.start(self._guarded(self._do, (act, *args)), name=name, to_the_end=True)

    async def _guarded(self, work: Callable[..., Coroutine[Any, Any, None]], args: tuple[Any, ...]) -> None:
        try:
            await work(*args)
        except VaultError as error:
            await self._load()
            self.refused.emit(str(error) or error.state.reason)
        except KeyError:
            await self._load()
            self.refused.emit("This key is no longer kept.")
        except EngineError as error:
            words = words_for(error)
            self.refused.emit(f"{words.sentence} {words.fix}".strip())
        except (DatabaseProblem, OSError) as problem:
            with suppress(DatabaseProblem, OSError):  # what can still be read is shown
                await self._load()
            self.refused.emit(_in_words(problem))

    async def _load(self) -> None:
        if self._tasks.closed:
            return
        month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        async with self._looking:  # who began to look earlier has not seen more
            before = self._keys
            self._keys = await asyncio.to_thread(self._desk.keys.all)
            self._spent = await asyncio.to_thread(self._desk.ledger.spent_by_key, month)
            changed = before != self._keys
        self._show()  # a keychain that hangs keeps nobody from seeing the labels
        if not self._tasks.closed:
            await self.door.look()
        self.loaded = True
        self.checks.forget_older(self._keys)
        self._show()
        if changed:
            self.keys_changed.emit()

    async def _do(self, act: Callable[..., object], *args: object) -> None:
        async with self._writing:  # in the order they were made
            await asyncio.to_thread(act, *args)
        await self._load()

    async def _add(self, entries: Sequence[tuple[str, Secret, str]], run: CheckRun | None) -> None:
        await self.door.open_up()
        kept: list[ApiKey] = []
        for provider_id, secret, label in entries:
            origin = self._origin(provider_id)
            kept.append(await asyncio.to_thread(self._keep, provider_id, secret, label, origin))
        if len(kept) == 1:
            await self._note_check(kept[0].id, run)
        await self._load()
        self._tell_saved(kept)

    async def _note_check(self, key_id: str, run: CheckRun | None) -> None:
        """What was found before the key was kept holds for the key that is kept."""
        if run is not None and run.verdict:
            now, passport = run.at or datetime.now(UTC), dict(run.passport) or None
            await asyncio.to_thread(self._desk.keys.note_check, key_id, run.verdict, now, passport)

    def _tell_saved(self, kept: Sequence[ApiKey]) -> None:
        models = sum(len(models_in_use(self._desk, provider)) for provider in {key.provider for key in kept})
        code = self._desk.vault.recovery_code_once()
        if code:
            self.created.emit(code)
        where = self.state.where if self.state else ""
        self.saved.emit(Saved(keys=tuple(kept), where=where, models=models))

    def _origin(self, provider_id: str) -> str:
        """The one place a key of this provider may go to, as the address stands now."""
        if provider_id in self._desk.catalog.gateways:
            return origin_of(self._desk.settings.get("gateway.base_url"))
        return origin_of(self._desk.catalog.provider(provider_id).base_url)

    def _keep(self, provider_id: str, secret: Secret, label: str, origin: str) -> ApiKey:
        return self._desk.vault.add(provider_id, secret, label=label, origin=origin)

    async def _import(self, chosen: Sequence[ApiKey]) -> None:
        entries = [(key.provider, await self.finds.secret(key), key.label) for key in chosen]
        await self._add(entries, None)

    async def _replace(self, key_id: str, secret: Secret, run: CheckRun | None) -> None:
        key = self._key(key_id)
        provider = self.provider(key.provider) if key else None
        if key is None or provider is None:
            raise KeyError(key_id)
        await self.door.open_up()
        origin = self._origin(provider.id)
        self.checks.stop(key_id)
        replaced = await asyncio.to_thread(self._desk.vault.replace, key_id, secret, origin)
        self.checks.forget(key_id)
        await self._note_check(key_id, run)
        await self._load()
        self._tell_saved([replaced])

    async def _deleted(self, key_id: str, refused: str) -> None:
        if not refused:
            self.checks.forget(key_id)
        await self._load()
        if refused:
            self.refused.emit(refused)

    async def _restore(self, key_id: str) -> None:
        await self._deletions.undo(key_id)
        await self._load()

    async def _with_secret(self, key_id: str, use: Callable[[Secret], object]) -> None:
        key = self._key(key_id)
        if key is not None:
            await self.door.open_up()
            use(await self._desk.secret_of(key))

    def _tell_round(self, checked: int, ready: int) -> None:
        rest = checked - ready
        words = f"{checked} keys checked: {ready} ready" if checked != 1 else f"1 key checked: {ready} ready"
        self._notices.add(words + (f", {rest} not." if rest else "."), "warn" if rest else "ok", seconds=6)

    def _key(self, key_id: str) -> ApiKey | None:
        return next((key for key in self._keys if key.id == key_id), None)

    def _show(self) -> None:
        self.rows.set_rows(self._made.rows(self.all_keys(), self._spent))
        self.changed.emit()


def _in_words(problem: DatabaseProblem | OSError) -> str:
    if isinstance(problem, OSError):
        return f"A file could not be written: {problem.strerror or problem}."
    return str(problem)
