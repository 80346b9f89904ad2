"""All API keys there are, from the vault, the environment and files, in the order they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from vibedesk.engine.errors import Misconfigured, SecretUnavailable
from vibedesk.engine.provider_blocks import is_loopback, origin_of
from vibedesk.engine.types import ApiKey, Attempt, Gateway, Limits, Provider, Secret
from vibedesk.engine.verdicts import verdict_told
from vibedesk.store.database import Database, stamp
from vibedesk.store.environment import GATEWAY, Environment
from vibedesk.store.place import VaultError
from vibedesk.store.settings import Settings
from vibedesk.store.vault import Vault


class Keys:
    """Precedence: vault by position, then environment, then files. `environment` may be exchanged for a newer look."""

    def __init__(
        self, vault: Vault, environment: Environment, settings: Settings, database: Database
    ) -> None:
        self.vault = vault
        self.environment = environment
        self._settings = settings
        self._database = database

    def all(self) -> tuple[ApiKey, ...]:
        """Every key with what is remembered of it: last verdict, when it was checked and used."""
        notes = {id: row for id, *row in self._database.execute(_NOTES)}
        terms = {id: row for id, *row in self._database.execute(_TERMS)}
        return tuple(
            _with_terms(_with_notes(key, *notes.get(key.id, ())), *terms.get(key.id, ()))
            for key in (*self.vault.keys(), *self.environment.keys())
        )

    def usable(self, provider: Provider) -> tuple[ApiKey, ...]:
        """The enabled keys of this provider in the order they are tried, those bound to another origin included."""
        return tuple(key for key in self.all() if key.provider == provider.id and key.enabled)

    def secret(self, key: ApiKey) -> Secret:
        """The secret. Raises `SecretUnavailable`: fact `state` is the vault's ("locked", …) or "gone"."""
        try:
            return self.vault.secret(key) if key.source == "vault" else self.environment.secret(key)
        except VaultError as problem:
            state = problem.state
            raise SecretUnavailable(
                state.reason, provider=key.provider, key=key.name, state=state.kind, where=state.where
            ) from problem
        except KeyError as problem:
            raise SecretUnavailable(
                f"{key.label} is no longer in {_named(key.source)}.",
                provider=key.provider,
                key=key.name,
                state="gone",
                where=key.source,
            ) from problem

    def gateway(self) -> Gateway | None:
        """The AI gateway, where account, name and token are all there: of the settings, else of the environment.

        A token goes to the origin it was stored for and nowhere else, so one that does not fit the settings'
        base URL counts as none.
        """
        account, name = (
            self._settings.get("gateway.account").strip(),
            self._settings.get("gateway.name").strip(),
        )
        stored = self._settings.get("gateway.stored_keys")
        if not account or not name:
            found = self.environment.gateway()
            return replace(found, stored_keys=stored) if found else None
        base_url = self._settings.get("gateway.base_url").strip().rstrip("/")
        token = self._gateway_token(base_url)
        if token is None:
            return None
        return Gateway(account=account, name=name, token=token, base_url=base_url, stored_keys=stored)

    def note_use(self, key_id: str, at: datetime) -> None:
        """Remembers when the key was last sent."""
        self._database.execute(
            """INSERT INTO key_notes (key_id, last_used) VALUES (?, ?)
            ON CONFLICT (key_id) DO UPDATE SET last_used = excluded.last_used""",
            (key_id, stamp(at)),
        )

    def note_attempts(self, attempts: Sequence[Attempt], at: datetime) -> None:
        """Remembers that their keys were sent, and what the provider said of each: its last word counts.

        Not of a key that has other characters by now.
        """
        names = {key.id: key.name for key in self.all()}
        told: dict[str, str] = {}
        for attempt in attempts:
            if attempt.key_id:
                known = verdict_told(attempt) if names.get(attempt.key_id) == attempt.key else ""
                told[attempt.key_id] = known or told.get(attempt.key_id, "")
        for key_id, verdict in told.items():
            self.note_use(key_id, at)
            if verdict:
                self.note_check(key_id, verdict, at)

    def note_check(
        self,
        key_id: str,
        verdict: str,
        at: datetime,
        passport: Mapping[str, str] | None = None,
        *,
        hint: str = "",
    ) -> None:
        """Remembers what the last check said (see `engine.check.VERDICTS`), and what it learnt; None = as it was.

        With the `hint` of what was checked: not of a key that has other characters by now.
        """
        with self._database.transaction():
            now = self._database.execute("SELECT hint FROM keys WHERE id = ?", (key_id,))
            if hint and now and now[0][0] != hint:
                return
            self._database.execute(
                """INSERT INTO key_notes (key_id, state, checked) VALUES (?, ?, ?)
                ON CONFLICT (key_id) DO UPDATE SET state = excluded.state, checked = excluded.checked""",
                (key_id, verdict, stamp(at)),
            )
            if passport is not None:
                self._database.execute(
                    "UPDATE key_notes SET passport = ? WHERE key_id = ?",
                    (msgspec.json.encode(dict(passport)).decode(), key_id),
                )

    def set_terms(
        self, key_id: str, *, limits: Limits | None = None, scope: str | None = None, note: str | None = None
    ) -> None:
        """What the user says of a key; None = as it was."""
        written = None if limits is None else msgspec.json.encode(limits).decode()
        self._database.execute(
            """INSERT INTO key_terms (key_id, limits, scope, note)
            VALUES (?1, coalesce(?2, '{}'), coalesce(?3, ''), coalesce(?4, ''))
            ON CONFLICT (key_id) DO UPDATE SET limits = coalesce(?2, limits), scope = coalesce(?3, scope),
            note = coalesce(?4, note)""",
            (key_id, written, scope, note),
        )

    def _gateway_token(self, base_url: str) -> ApiKey | None:
        try:
            origin = origin_of(base_url)
        except Misconfigured:
            return None
        if origin.startswith("http:") and not is_loopback(base_url):
            return None
        keys = (*self.vault.keys(), *self.environment.keys())
        fits = (key for key in keys if key.provider == GATEWAY and key.enabled and key.origin == origin)
        return next(fits, None)


_NOTES = "SELECT key_id, state, checked, last_used, passport FROM key_notes"
_TERMS = "SELECT key_id, limits, scope, note FROM key_terms"


def _with_notes(
    key: ApiKey,
    state: str = "untested",
    checked: str | None = None,
    last_used: str | None = None,
    passport: str = "{}",
) -> ApiKey:
    return replace(
        key,
        state=state,
        checked=_time(checked),
        last_used=_time(last_used),
        passport=msgspec.json.decode(passport, type=dict[str, str]),
    )


def _with_terms(key: ApiKey, limits: str = "{}", scope: str = "", note: str = "") -> ApiKey:
    return replace(
        key,
        limits=msgspec.json.decode(limits, type=Limits),
        scope=scope,
        note=note or key.note,
    )


def _time(stamp: str | None) -> datetime | None:
    return datetime.fromisoformat(stamp) if stamp else None


def _named(source: str) -> str:
    return "the environment" if source == "environment" else source
