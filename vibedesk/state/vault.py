"""The API keys as the screen sees them: their rows, what a change came to, and where they are kept. Never a secret."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.catalog import clean_key, hint_of, origin_of
from vibedesk.engine.errors import EngineError, Misconfigured, UnknownProvider
from vibedesk.engine.pasted import PastedKey, read_pasted
from vibedesk.engine.types import ApiKey, Provider, Secret
from vibedesk.state.check import SHORT, CheckRun, Checks, role_of, unsaved_key
from vibedesk.state.notices import Notices
from vibedesk.state.rows import RowsModel
from vibedesk.state.tasks import Tasks
from vibedesk.store.vault import VaultError, VaultState
from vibedesk.wording import words_for

if TYPE_CHECKING:
    from vibedesk.engine.check import CheckResult

UNDO_S = 10.0
LOCAL = "local"
"""The id of the row that stands for servers on this machine."""
NEW = ""
"""The id under which a key is checked before it is kept."""


class KeyRow(Struct, frozen=True, kw_only=True):
    """A line of the keys page. `key` None = the line of local servers."""

    id: str
    key: ApiKey | None
    provider: Provider | None
    label: str
    hint: str
    source: str
    chip: str
    role: str
    spent: Decimal | None = None
    checking: bool = False


class Saved(Struct, frozen=True, kw_only=True):
    """What became of keys that were added: where they are kept, and how many models they open."""

    keys: tuple[ApiKey, ...]
    where: str
    models: int


class Vault(QObject):
    """`changed` when rows or the vault's state did, `keys_changed` when keys did.

    `saved(Saved)` or `refused(sentence)` after what was to be kept; `unlocked` or `unlock_refused(sentence)` after a
    passphrase; `created(recovery code)` once, when the encrypted file was made.
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
        self._passphrase_is_given = passphrase_is_given
        self._desk, self._tasks, self._notices = desk, tasks, notices
        self.rows = RowsModel(self, text=lambda row: f"{row.label} {row.chip}")
        self.checks = Checks(desk, tasks, self)
        self.state: VaultState | None = None
        self.loaded = False
        self._keys: tuple[ApiKey, ...] = ()
        self._spent: dict[str, Decimal] = {}
        self._doomed: dict[str, tuple[asyncio.Task[None], bool]] = {}
        """Keys that wait for their undo to pass, and whether they were in use."""
        self._local: dict[str, CheckResult] = {}
        self._local_asked = False
        self.checks.changed.connect(lambda _: self._show())

    # What there is

    def all_keys(self) -> tuple[ApiKey, ...]:
        """All keys, those that are being deleted left out."""
        return tuple(key for key in self._keys if key.id not in self._doomed)

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

    def local_providers(self) -> tuple[Provider, ...]:
        """Servers that may run on this machine."""
        return tuple(one for one in self._desk.catalog.providers.values() if one.local and not one.simulated)

    def local_found(self) -> dict[str, int]:
        """Local servers that answered when they were last looked for, and how many models each has."""
        return {name: result.models or 0 for name, result in self._local.items() if result.verdict == "ready"}

    @property
    def local_silence(self) -> str:
        """What to say when servers were looked for and none answered; "" before, or when one did."""
        if not self._local_asked or self.local_found():
            return ""
        looking = len(self._local) < len(self.local_providers())
        return "Looking…" if looking else "None answered. Start one and look again."

    def importable(self) -> tuple[ApiKey, ...]:
        """Keys of the environment and of files, which could be kept in the vault too."""
        kept = {(key.provider, key.hint) for key in self.all_keys() if key.source == "vault"}
        return tuple(
            key for key in self.all_keys() if key.source != "vault" and (key.provider, key.hint) not in kept
        )

    def row(self, row_id: str) -> KeyRow | None:
        """The line of this id, as it is now."""
        number = self.rows.row_of(row_id)
        return self.rows.value(number) if number >= 0 else None

    def read(self, pasted: str) -> tuple[PastedKey, ...]:
        """What keys are in a pasted text (see `engine.pasted`)."""
        return read_pasted(pasted, self._desk.catalog)

    def hint(self, secret: Secret) -> str:
        """What may be shown of a secret."""
        return hint_of(secret.reveal())

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

    def try_out(self, provider: Provider, secret: Secret) -> None:
        """Checks a key before it is kept, as the check of the id `NEW`."""
        self._desk.remember_secret(secret)
        self.checks.start(unsaved_key(provider, hint_of(secret.reveal())), provider, secret=secret)

    def check(self, key_id: str, *, answer: bool = True) -> None:
        """Checks a kept key; an unknown one is left alone."""
        key = self._key(key_id)
        provider = self.provider(key.provider) if key else None
        if key is None or provider is None:
            return
        self.checks.start(key, provider, answer=answer, done=lambda _: self.load())

    def check_all(self) -> None:
        """Checks every enabled key, without asking for an answer that costs."""
        for key in self.all_keys():
            if key.enabled:
                self.check(key.id, answer=False)

    def add(self, entries: Sequence[tuple[str, Secret, str]]) -> None:
        """Keeps (provider, secret, label) each; `saved` follows, or `refused` and nothing is half kept."""
        verdict = self._verdict_of_new()
        self._start("keep keys", self._add, tuple(entries), verdict)

    def import_keys(self, key_ids: Iterable[str]) -> None:
        """Keeps keys of the environment or of files in the vault."""
        chosen = [key for key in self.importable() if key.id in set(key_ids)]
        self._start("import keys", self._import, chosen)

    def replace(self, key_id: str, secret: Secret) -> None:
        """Another secret for a kept key; the old one stays when that fails."""
        self._start("replace a key", self._replace, key_id, secret)

    def rename(self, key_id: str, label: str) -> None:
        if label.strip():
            self._start("rename a key", self._do, self._desk.vault.rename, key_id, label.strip())

    def set_enabled(self, key_id: str, enabled: bool) -> None:
        self._start("switch a key", self._do, self._desk.vault.set_enabled, key_id, enabled)

    def move(self, key_id: str, position: int) -> None:
        """Keys of a provider are tried in their order."""
        self._start("move a key", self._do, self._desk.vault.move, key_id, position)

    def delete(self, key_id: str) -> None:
        """Takes the key off the list and out of use now, and for good when `UNDO_S` seconds are over."""
        key = self._key(key_id)
        if key is None or key.source != "vault" or key_id in self._doomed:
            return
        task = self._start(f"delete {key_id}", self._delete_later, key)
        self._doomed[key_id] = (task, key.enabled)
        self._show()
        self._notices.add(
            f"“{key.label}” was deleted.",
            action_label="Undo",
            action=lambda: self.keep_after_all(key_id),
            seconds=UNDO_S,
        )

    def keep_after_all(self, key_id: str) -> None:
        """Undoes a deletion that is still waiting."""
        doomed = self._doomed.pop(key_id, None)
        if doomed is not None:
            self._start("undo a deletion", self._restore, key_id, *doomed)
            self._show()

    def with_secret(self, key_id: str, use: Callable[[Secret], object]) -> None:
        """Fetches a secret and hands it to `use`, to nobody else."""
        self._start("read a key", self._with_secret, key_id, use)

    def unlock(self, word: str) -> None:
        """Opens the encrypted file by passphrase or recovery code: `unlocked`, or `unlock_refused(sentence)`."""
        self._tasks.start(self._unlock(word), name="unlock the vault")

    def create_file(self, passphrase: str) -> None:
        """Makes the encrypted file: `created(recovery code)` and `unlocked`, or `unlock_refused(sentence)`."""
        self._tasks.start(self._create_file(passphrase), name="make the encrypted file")

    def lock(self) -> None:
        """Forgets what opens the encrypted file."""
        self._start("lock the vault", self._do, self._desk.vault.lock)

    @property
    def needs_file(self) -> bool:
        """There is no place for secrets, and the encrypted file would be one."""
        return bool(self.state and self.state.kind != "ready" and self.state.offer_file)

    @property
    def can_ask(self) -> bool:
        """Whether a person must give the encrypted file's passphrase (a passphrase file answers without one)."""
        return not self._passphrase_is_given

    @property
    def is_locked(self) -> bool:
        return bool(self.state and self.state.kind == "locked")

    def look_for_local(self) -> None:
        """Asks the servers on this machine for their models. Nothing else is asked, and only when this is called."""
        self._local_asked = True
        self._local.clear()
        self._show()
        for provider in self.local_providers():
            key = ApiKey(id="", provider=provider.id, label="", hint="", source="", origin="")
            self._tasks.start(self._probe(key, provider), name=f"look for {provider.id}")

    async def finish(self) -> None:
        """Deletes what waits for its undo to pass: called on quitting."""
        for key_id, (task, _) in list(self._doomed.items()):
            task.cancel()
            try:
                await asyncio.to_thread(self._desk.vault.remove, key_id)
            except VaultError as error:
                self._notices.add(sentence_of(error), "bad")
        self._doomed.clear()

    # How it is done

    def _start(
        self, name: str, work: Callable[..., Coroutine[Any, Any, None]], *args: Any
    ) -> asyncio.Task[None]:
        return self._tasks.start(self._guarded(work, args), name=name)

    async def _guarded(self, work: Callable[..., Coroutine[Any, Any, None]], args: tuple[Any, ...]) -> None:
        try:
            await work(*args)
        except VaultError as error:
            await self._load()
            self.refused.emit(sentence_of(error))
        except KeyError:
            await self._load()
            self.refused.emit("This key is no longer kept.")
        except EngineError as error:
            words = words_for(error)
            self.refused.emit(f"{words.sentence} {words.fix}".strip())

    async def _load(self) -> None:
        month = datetime.now().astimezone().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        before = self._keys
        self._keys = await asyncio.to_thread(self._desk.keys.all)
        self._spent = await asyncio.to_thread(self._desk.ledger.spent_by_key, month)
        self.state = await asyncio.to_thread(self._desk.vault.state)
        self.loaded = True
        self._show()
        if before != self._keys:
            self.keys_changed.emit()

    async def _do(self, act: Callable[..., object], *args: object) -> None:
        await asyncio.to_thread(act, *args)
        await self._load()

    async def _add(self, entries: Sequence[tuple[str, Secret, str]], verdict: str) -> None:
        kept: list[ApiKey] = []
        for provider_id, secret, label in entries:
            origin = self._origin(provider_id)
            kept.append(await asyncio.to_thread(self._keep, provider_id, secret, label, origin))
        if verdict and len(kept) == 1:
            await asyncio.to_thread(self._desk.keys.note_check, kept[0].id, verdict, datetime.now(UTC))
        await self._load()
        models = sum(self._models_of(provider) for provider in {key.provider for key in kept})
        where = self.state.where if self.state else ""
        code = self._desk.vault.recovery_code_once()
        if code:
            self.created.emit(code)
        self.saved.emit(Saved(keys=tuple(kept), where=where, models=models))

    def _origin(self, provider_id: str) -> str:
        """The one place a key of this provider may go to, as the address stands now."""
        if provider_id in self._desk.catalog.gateways:
            return origin_of(self._desk.settings.get("gateway.base_url"))
        return origin_of(self._desk.catalog.provider(provider_id).base_url)

    def _keep(self, provider_id: str, secret: Secret, label: str, origin: str) -> ApiKey:
        return self._desk.vault.add(provider_id, secret, label=label, origin=origin)

    async def _unlock(self, word: str) -> None:
        try:
            await asyncio.to_thread(self._desk.vault.unlock, word)
        except VaultError as error:
            self.unlock_refused.emit(sentence_of(error))
            return
        await self._load()
        self.unlocked.emit()

    async def _create_file(self, passphrase: str) -> None:
        try:
            code = await asyncio.to_thread(self._desk.vault.create_file, passphrase)
        except VaultError as error:
            self.unlock_refused.emit(sentence_of(error))
            return
        await self._load()
        self.created.emit(code)
        self.unlocked.emit()

    async def _import(self, chosen: Sequence[ApiKey]) -> None:
        entries = []
        for key in chosen:
            secret = await self._desk.secret_of(key)
            entries.append((key.provider, secret, key.label))
        await self._add(entries, "")

    async def _replace(self, key_id: str, secret: Secret) -> None:
        key = self._key(key_id)
        provider = self.provider(key.provider) if key else None
        if key is None or provider is None:
            return
        origin = self._origin(provider.id)
        await asyncio.to_thread(self._desk.vault.replace, key_id, secret, origin)
        self.checks.forget(key_id)
        await self._load()
        self._notices.add(f"“{key.label}” has a new secret.", "ok", seconds=4)

    async def _delete_later(self, key: ApiKey) -> None:
        await self._do(self._desk.vault.set_enabled, key.id, False)
        await asyncio.sleep(UNDO_S)
        try:
            await asyncio.to_thread(self._desk.vault.remove, key.id)
        finally:
            self._doomed.pop(key.id, None)
        self.checks.forget(key.id)
        await self._load()

    async def _restore(self, key_id: str, task: asyncio.Task[None], was_enabled: bool) -> None:
        task.cancel()
        await asyncio.wait([task])
        await self._do(self._desk.vault.set_enabled, key_id, was_enabled)

    async def _with_secret(self, key_id: str, use: Callable[[Secret], object]) -> None:
        key = self._key(key_id)
        if key is not None:
            use(await self._desk.secret_of(key))

    async def _probe(self, key: ApiKey, provider: Provider) -> None:
        from vibedesk.engine.check import CheckResult, check

        async for step in check(key, None, provider, self._desk.catalog, self._desk.http):
            if isinstance(step, CheckResult):
                self._local[provider.id] = step
                if step.live:
                    await asyncio.to_thread(self._desk.keep_models, provider.id, step.live)
                self._show()

    def _verdict_of_new(self) -> str:
        run = self.checks.run_of(NEW)
        return run.verdict if run else ""

    def _models_of(self, provider_id: str) -> int:
        models = self._desk.catalog.models(provider_id)
        return sum(1 for model in models if model.state in ("current", "retiring"))

    def _key(self, key_id: str) -> ApiKey | None:
        return next((key for key in self._keys if key.id == key_id), None)

    # What the rows say

    def _show(self) -> None:
        catalog = self._desk.catalog
        order = {name: number for number, name in enumerate([*catalog.providers, *catalog.gateways])}
        keys = sorted(self.all_keys(), key=lambda key: order.get(key.provider, len(order)))
        self.rows.set_rows([*(self._row(key) for key in keys), self._local_row()])
        self.changed.emit()

    def _row(self, key: ApiKey) -> KeyRow:
        run = self.checks.run_of(key.id)
        checking = bool(run and run.running)
        chip, role = ("checking…", "accent") if checking else self._chip(key, run)
        return KeyRow(
            id=key.id,
            key=key,
            provider=self.provider(key.provider),
            label=key.label,
            hint=self._hint_of_row(key),
            source=key.source,
            chip=chip if key.enabled else "switched off",
            role=role if key.enabled else "neutral",
            spent=self._spent.get(key.id),
            checking=checking,
        )

    def _hint_of_row(self, key: ApiKey) -> str:
        if key.provider in self._desk.catalog.gateways:
            names = (self._desk.settings.get("gateway.name"), key.hint)
            return " · ".join(filter(None, names))
        return key.hint

    def _chip(self, key: ApiKey, run: CheckRun | None) -> tuple[str, str]:
        verdict = run.verdict if run and run.verdict else key.state
        word = SHORT.get(verdict, verdict)
        if verdict == "ready" and (models := (run.models if run else None) or self._models_of(key.provider)):
            word = f"ready · {models} model{'s' if models != 1 else ''}"
        return word, role_of(verdict)

    def _local_row(self) -> KeyRow:
        found = self.local_found()
        words = [
            f"{provider.name} · {found[provider.id]} models"
            for provider in self.local_providers()
            if provider.id in found
        ]
        silent = "none found" if self._local_asked else "not looked for"
        return KeyRow(
            id=LOCAL,
            key=None,
            provider=None,
            label="Local servers",
            hint="",
            source="loopback",
            chip=", ".join(words) or silent,
            role="ok" if words else "neutral",
        )


def sentence_of(error: VaultError) -> str:
    """What a vault's refusal means, in a sentence."""
    return str(error) or error.state.reason
