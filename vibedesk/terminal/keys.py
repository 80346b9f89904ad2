"""`vibedesk keys`: listed, added, checked, removed. A secret comes in on standard input and never goes out."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from vibedesk.amounts import at_most, count, duration
from vibedesk.desk import Desk
from vibedesk.engine.catalog import clean_key, hint_of, origin_of, read_pasted
from vibedesk.engine.errors import EngineError, Misconfigured
from vibedesk.engine.to_the_end import end_all
from vibedesk.engine.types import ApiKey, Provider, Secret
from vibedesk.engine.verdicts import is_stale
from vibedesk.terminal.arguments import WordsOff
from vibedesk.terminal.events import key_object
from vibedesk.terminal.output import Output
from vibedesk.terminal.sentences import Sentences
from vibedesk.terminal.unlock import unlock_for
from vibedesk.wording import verdict_words

if TYPE_CHECKING:
    from vibedesk.engine.check import CheckResult

_WHY_NOT_ARGV = (
    "a key is never typed as an argument, because other programs and the shell’s history can read it: "
    "give it on standard input, or leave it out and type it when asked"
)
_INPUT_CAP = 64 * 1024

STATE_STYLES = {"ready": "ok", "untested": "dim", "disabled": "dim", "invalid": "bad", "revoked": "bad"}


def list_keys(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    keys = desk.keys.all()
    if output.as_json:
        output.json([key_object(key) for key in keys])
    elif not keys:
        output.line("No keys yet. Add one: vibedesk keys add PROVIDER")
    else:
        rows = [
            [key.id, key.provider, key.label, key.hint, key.source, _state(key), _checked(key)]
            for key in keys
        ]
        columns = ["ID", "PROVIDER", "LABEL", "HINT", "SOURCE", "STATE", "CHECKED"]
        output.table(columns, rows, styles={5: STATE_STYLES})
    return 0


def add(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """Reads one key from standard input and keeps it for the provider's address, unchecked."""
    if options.surplus or desk.catalog.has_known_prefix(options.provider) or len(options.provider) > 40:
        raise WordsOff(_WHY_NOT_ARGV)
    provider = desk.catalog.provider(options.provider)
    if provider.simulated:
        raise WordsOff(f"{provider.name} needs no key")
    secret = _typed_secret(provider, desk)
    desk.remember_secret(secret)
    _warn_of_other_shape(secret, provider, output, desk)
    _warn_of_twin(secret, provider, output, desk)
    label = (options.label or provider.name).strip()
    key = desk.vault.add(provider.id, secret, label=label, origin=_origin(provider, desk))
    if code := desk.vault.recovery_code_once():
        output.note(f"Recovery code of the new vault, shown this once: {code}", "bold")
        output.note("It opens the vault without the passphrase: write it down and keep it elsewhere.")
    if output.as_json:
        output.json(key_object(key))
    else:
        output.line(f"Kept in {desk.vault.state().where}: {key.provider}  {key.name}  ({key.id})")
        output.note(f"Is it good? vibedesk keys check {key.id}")
    return 0


def check_keys(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """Checks each key against its provider; 0 when all are ready."""
    keys = _wanted(options.ids, desk)
    if not keys and not output.as_json:
        output.line("No keys yet. Add one: vibedesk keys add PROVIDER")
    unlock_for(desk, keys)
    if options.answer or options.capabilities:
        _tell_the_cost(keys, options, output, desk)
    return asyncio.run(_check_all(keys, options, output, desk))


def remove(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """Forgets a key of the vault, in the keychain and in the database."""
    [key] = _wanted([options.id], desk, one=True)
    if key.source != "vault":
        raise Misconfigured(f"{key.name} is not in the vault: it stands in {_place(key)}; remove it there.")
    desk.vault.remove(key.id)
    if output.as_json:
        output.json({"id": key.id, "removed": True})
    else:
        output.line(f"Removed {key.provider}  {key.name}")
    return 0


# Adding


def _typed_secret(provider: Provider, desk: Desk) -> Secret:
    """The one key in what was typed or piped. Raises `Misconfigured`, which never repeats it."""
    if sys.stdin.isatty():
        try:
            text = getpass.getpass(f"API key for {provider.name} (not shown): ")
        except EOFError:
            print(file=sys.stderr)
            raise Misconfigured("No key was given.") from None
    else:
        text = sys.stdin.buffer.read(_INPUT_CAP).decode("utf-8", "replace")
    if len(text.strip().splitlines()) <= 1:
        return Secret(clean_key(text))
    found = read_pasted(text, desk.catalog)
    own = [key for key in found if provider.id in key.providers] or list(found)
    if len(own) != 1:
        raise Misconfigured(f"There are {len(own)} keys for {provider.name} in this: give one at a time.")
    return own[0].secret


def _warn_of_other_shape(secret: Secret, provider: Provider, output: Output, desk: Desk) -> None:
    shapes = desk.catalog.recognise(secret.reveal())
    if shapes and provider.id not in shapes and desk.catalog.has_known_prefix(secret.reveal()):
        other = desk.catalog.provider(shapes[0]).name
        output.note(
            f"vibedesk: this looks like a key of {other}, not of {provider.name}; it is kept as you said.",
            "warn",
        )


def _warn_of_twin(secret: Secret, provider: Provider, output: Output, desk: Desk) -> None:
    """By its ending alone, as the window does: the secrets that are kept are not read for it."""
    hint, kept = hint_of(secret.reveal()), desk.vault.keys()
    twin = next((key for key in kept if (key.provider, key.hint) == (provider.id, hint)), None)
    if twin is not None:
        output.note(
            f"vibedesk: this ends like “{twin.label}”, which is kept already. Should it be one too many: "
            f"vibedesk keys remove {twin.id}",
            "warn",
        )


def _origin(provider: Provider, desk: Desk) -> str:
    """The only address the key may go to. The gateway's token goes where the settings say the gateway is."""
    if provider.id in desk.catalog.providers:
        return origin_of(provider.base_url)
    return origin_of(desk.settings.get("gateway.base_url"))


# Checking


def _tell_the_cost(keys: Sequence[ApiKey], options: argparse.Namespace, output: Output, desk: Desk) -> None:
    """Before anything is asked: what it can cost at most, as far as prices are known."""
    from vibedesk.engine.check import most_of_check

    catalog, known, unknown = desk.catalog, Decimal(0), 0
    for key in keys:
        if key.provider not in catalog.providers:
            continue
        provider = catalog.providers[key.provider]
        cost = most_of_check(catalog, provider, capabilities=options.capabilities, on=date.today())
        known += cost.usd if cost else 0
        unknown += cost is None
    more = f", and what {unknown} without a known price cost" if unknown else ""
    words = f"cost {at_most(known)}{more}" if known or unknown else "cost nothing"
    output.note(f"The real answers {words}.", "dim")


async def _check_all(keys: Sequence[ApiKey], options: argparse.Namespace, output: Output, desk: Desk) -> int:
    tasks = [asyncio.create_task(_check(key, options, desk)) for key in keys]
    wide = [max((len(text) for text in column), default=0) for column in _columns(keys)]
    good = True
    try:
        for key, task in zip(keys, tasks, strict=True):
            found = await task
            good = good and found["verdict"] == "ready"
            if output.as_json:
                output.json(found)
            else:
                _show(key, found, output, wide)
    finally:
        await end_all(tasks)
        await desk.close()
    return 0 if good else 1


def _columns(keys: Sequence[ApiKey]) -> tuple[list[str], list[str]]:
    return [key.provider for key in keys], [key.name for key in keys]


async def _check(key: ApiKey, options: argparse.Namespace, desk: Desk) -> dict[str, Any]:
    """The check of one key as JSON; what it found is kept beside the key, and what it cost in the ledger."""
    try:
        result = await _result(key, options, desk)
    except EngineError as error:  # the secret cannot be had, or the provider is gone from the files
        return _unchecked(key, error, desk)
    now = result.at or datetime.now(UTC)
    if key.id:
        note = partial(desk.keys.note_check, hint=key.hint)
        await asyncio.to_thread(note, key.id, result.verdict, now, result.passport or None)
    for answer in result.answers:
        await asyncio.to_thread(desk.ledger.record, answer, now)
    if result.live:
        await asyncio.to_thread(desk.keep_models, key.provider, result.live)
    return _result_object(key, result, desk)


async def _result(key: ApiKey, options: argparse.Namespace, desk: Desk) -> CheckResult:
    from vibedesk.engine.check import CheckResult, check

    provider = desk.catalog.provider(key.provider)
    secret = await desk.secret_of(key) if key.id else None
    result = None
    probes = check(
        key,
        secret,
        provider,
        desk.catalog,
        desk.http,
        answer=options.answer,
        capabilities=options.capabilities,
        insist=options.anyway,
        gateway=desk.gateway() if provider.id not in desk.catalog.providers else None,
    )
    async with aclosing(probes) as events:
        async for event in events:
            if isinstance(event, CheckResult):
                result = event
    assert result is not None
    return result


def _result_object(key: ApiKey, result: CheckResult, desk: Desk) -> dict[str, Any]:
    clean = Sentences(desk).clean
    message, fix = verdict_words(result, desk.catalog.provider(key.provider))
    spent = result.spent_usd
    return {
        "id": key.id or None,
        "provider": key.provider,
        "verdict": result.verdict,
        "nuance": result.nuance or None,
        "stage": result.stage,
        "message": clean(message),
        "fix": clean(fix) or None,
        "http_status": result.http_status,
        "took_s": round(result.took_s, 4),
        "models": result.models,
        "stages": [
            {
                "name": stage.name,
                "verdict": stage.verdict,
                "took_s": round(stage.took_s, 4),
                "detail": clean(stage.detail),
                "evidence": {name: clean(fact) for name, fact in stage.evidence.items()},
            }
            for stage in result.stages
        ],
        "passport": {name: clean(words) for name, words in result.passport.items()},
        "capabilities": result.capabilities,
        "spent_usd": None if spent is None else f"{spent:f}",
        "at": f"{result.at:%Y-%m-%dT%H:%M:%SZ}" if result.at else None,
        "provider_message": (result.error and Sentences(desk).provider_message(result.error)) or None,
    }


def _unchecked(key: ApiKey, error: EngineError, desk: Desk) -> dict[str, Any]:
    facts = dict.fromkeys(("nuance", "http_status", "models", "spent_usd", "at", "provider_message"))
    told = {
        "verdict": "unknown",
        "stage": "shape",
        "message": Sentences(desk).of(error),
        "fix": None,
        "took_s": 0.0,
    }
    none: dict[str, Any] = {"stages": [], "passport": {}, "capabilities": {}}
    return {"id": key.id or None, "provider": key.provider, **told, **facts, **none}


def _show(key: ApiKey, found: dict[str, Any], output: Output, wide: Sequence[int]) -> None:
    good = found["verdict"] == "ready"
    where = "" if good else f" at {found['stage']}"
    verdict = output.styled(found["verdict"], "ok" if good else "bad")
    models = (
        f"  {count(found['models'])} model{'' if found['models'] == 1 else 's'}" if found["models"] else ""
    )
    start = f"{key.provider:<{wide[0]}}  {key.name:<{wide[1]}}"
    output.line(f"{start}  {verdict}{where}{models}  {duration(found['took_s'])}")
    if not good or found["nuance"]:
        output.line(f"  {found['message']} {found['fix'] or ''}".rstrip())
    if found["provider_message"]:
        output.line(output.styled(f"  “{found['provider_message']}”", "dim"))
    able = [f"{CAPABILITY_WORDS[name][can]}" for name, can in found["capabilities"].items()]
    known = [f"{name}: {words}" for name, words in found["passport"].items()]
    if told := [*able, *known]:
        output.line(output.styled("  " + " · ".join(told), "dim"))
    output.out.flush()


CAPABILITY_WORDS = {
    "stream": ("does not stream", "streams"),
    "vision": ("sees no images", "sees images"),
    "json": ("no clean JSON", "answers in JSON"),
}


# Naming keys


def _wanted(ids: Sequence[str], desk: Desk, *, one: bool = False) -> list[ApiKey]:
    """The keys that are meant: by id, by label or name, or all of a provider. Without a word all of them."""
    keys = [key for key in desk.keys.all() if key.enabled or ids]
    chosen: dict[str, ApiKey] = {}
    for word in ids:
        found = _named(word, keys, desk)
        if not found:
            raise WordsOff("there is no such key; vibedesk keys list shows their ids")
        if one and len(found) > 1:
            raise WordsOff(f"several keys are called “{word}”; give the id of one")
        chosen |= {key.id: key for key in found}
    return list(chosen.values()) if ids else keys


def _named(word: str, keys: Sequence[ApiKey], desk: Desk) -> list[ApiKey]:
    exact = [key for key in keys if word == key.id]
    called = exact or [key for key in keys if word in (key.label, key.name, key.provider)]
    provider = desk.catalog.providers.get(word)
    if not called and provider is not None and provider.keyless:
        return [_no_key(provider)]
    return called


def _no_key(provider: Provider) -> ApiKey:
    """Stands for no key, where the provider needs none."""
    origin = origin_of(provider.base_url)
    return ApiKey(id="", provider=provider.id, label="no key", hint="", source="", origin=origin)


def _state(key: ApiKey) -> str:
    return key.state if key.enabled else "disabled"


def _checked(key: ApiKey) -> str:
    """How long ago, and that a verdict that old may not hold any more."""
    if key.checked is None:
        return ""
    now = datetime.now(UTC)
    hours = int((now - key.checked).total_seconds() // 3600)
    ago = f"{hours // 24} d ago" if hours >= 48 else f"{hours} h ago" if hours > 0 else "just now"
    return f"{ago}: check again" if is_stale(key.checked, now) else ago


def _place(key: ApiKey) -> str:
    return "the environment" if key.source == "environment" else key.source
