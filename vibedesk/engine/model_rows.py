"""The rows of models.toml as `Model` values, and the rules that say what a model takes, listed there or not.

A row is one line, in this small language (US dollars per million tokens):

    "id" = { name, window, output, cost = "2/10 cached 0.1 write 2.5", long = "272000: 4/15 cached 0.2",
             then = "2026-12-01: 4/20", can = "VRTJ", src = "g", until = "2026-11-30", gone = true, use = "other-id",
             note, like = "id of the row it copies" }

`until` is the day it is switched off: retiring before, retired from that day on. `gone` = retired, day unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import msgspec
from msgspec import Struct

from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.types import Model, Price, Provider, Traits

CAPABILITIES = {"V": "vision", "R": "reasoning", "T": "tools", "J": "json"}

_COST = re.compile(r"([\d.]+)/([\d.]+)(?: cached ([\d.]+))?(?: write ([\d.]+))?")
_ROW_FIELDS = {
    "name",
    "window",
    "output",
    "cost",
    "long",
    "then",
    "can",
    "src",
    "until",
    "gone",
    "use",
    "note",
    "like",
}
_SNAPSHOT = re.compile(r"-(?:20\d{6}|20\d\d-\d\d-\d\d|latest)$")
_PLAIN = Traits()

State = Literal["current", "retiring", "retired"]


class TraitRule(Struct, frozen=True):
    """One `[[traits]]` table: for ids of this provider or dialect that begin as `match` says, these fields hold."""

    provider: str
    dialect: str
    match: re.Pattern[str]
    fields: dict[str, Any]

    def fits(self, provider: Provider, id: str) -> bool:
        return (
            self.provider in ("", provider.id)
            and self.dialect in ("", provider.dialect)
            and self.match.match(id) is not None
        )


def trait_rules(tables: Sequence[Mapping[str, Any]]) -> tuple[TraitRule, ...]:
    """The `[[traits]]` tables in their order. Raises `Misconfigured` naming the rule."""
    return tuple(_rule(number, table) for number, table in enumerate(tables, 1))


def traits_of(rules: Sequence[TraitRule], provider: Provider, id: str) -> Traits:
    """What this model takes: every rule that fits is applied from top to bottom, a later one overrides."""
    fields: dict[str, Any] = {}
    for rule in rules:
        if rule.fits(provider, id):
            fields |= rule.fields
    return Traits(**fields) if fields else _PLAIN


def model_rows(
    provider: Provider,
    rows: Mapping[str, Any],
    sources: Mapping[str, str],
    rules: Sequence[TraitRule],
    today: date,
) -> dict[str, Model]:
    """The rows of one provider by their ids. Raises `Misconfigured` naming the row and the field."""
    models = {}
    for id, row in rows.items():
        whole = _copied(id, row, rows[row["like"]]) if "like" in row else row
        models[id] = _model(provider, id, whole, sources, rules, today)
    return models


def snapshot_base(id: str) -> str:
    """The id without its date or `-latest` at the end; the id itself where there is none."""
    return _SNAPSHOT.sub("", id)


def differing(traits: Traits) -> dict[str, Any]:
    """The fields of these traits that are not what `Traits()` says."""
    return {
        name: value
        for name in traits.__struct_fields__
        if (value := getattr(traits, name)) != getattr(_PLAIN, name)
    }


def _model(
    provider: Provider,
    id: str,
    row: Mapping[str, Any],
    sources: Mapping[str, str],
    rules: Sequence[TraitRule],
    today: date,
) -> Model:
    where = f'[models.{provider.id}] "{id}"'
    if unknown := row.keys() - _ROW_FIELDS:
        raise Misconfigured(
            f"{where}: {min(unknown)} is not a field of a model", table=where, field=min(unknown)
        )
    until = _day(where, row["until"]) if "until" in row else None
    return Model(
        provider=provider.id,
        id=id,
        name=row["name"],
        state=_state(until, bool(row.get("gone")), today),
        retires=until,
        replacement=row.get("use"),
        context_window=row.get("window"),
        max_output=row.get("output"),
        price=_price(where, row, sources) if "cost" in row else None,
        capabilities=frozenset(CAPABILITIES[letter] for letter in row.get("can", "")),
        traits=traits_of(rules, provider, id),
        note=row.get("note", ""),
    )


def _state(until: date | None, gone: bool, today: date) -> State:
    if gone or (until is not None and until <= today):
        return "retired"
    return "retiring" if until is not None else "current"


def _price(where: str, row: Mapping[str, Any], sources: Mapping[str, str]) -> Price:
    source = sources[row.get("src", "gl")]
    fields: dict[str, Any] = _amounts(where, row["cost"])
    if "long" in row:
        threshold, _, amounts = row["long"].partition(": ")
        long = _amounts(where, amounts)
        fields["threshold"] = int(threshold)
        fields |= {f"long_{name}": long.get(name) for name in ("input", "output", "cached")}
    if "then" in row:
        starts, _, amounts = row["then"].partition(": ")
        later: dict[str, Any] = _amounts(where, amounts)
        fields |= {"starts": _day(where, starts), "then": Price(**later, source=source)}
    return Price(**fields, source=source)


def _amounts(where: str, text: str) -> dict[str, Decimal]:
    found = _COST.fullmatch(text)
    if found is None:
        sentence = f"{where}: “{text}” is not a cost: write “in/out cached x write y”"
        raise Misconfigured(sentence, table=where, field="cost")
    try:
        amounts = [Decimal(part) if part else None for part in found.groups()]
    except InvalidOperation as exc:
        raise Misconfigured(f"{where}: “{text}” is not a cost", table=where, field="cost") from exc
    named = zip(("input", "output", "cached", "cache_write"), amounts, strict=True)
    return {name: amount for name, amount in named if amount is not None}


def _day(where: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise Misconfigured(
            f"{where}: “{text}” is not a day: write 2026-11-30", table=where, field="until"
        ) from exc


def _copied(id: str, row: Mapping[str, Any], original: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a snapshot: `GPT-5 (2025-08-07)`."""
    dated = id[len(snapshot_base(id)) + 1 :]
    return {**original, "name": f"{original['name']} ({dated})", **row}


def _rule(number: int, table: Mapping[str, Any]) -> TraitRule:
    where = f"[[traits]] number {number}"
    fields = {
        name: value
        for name, value in table.items()
        if name not in ("provider", "dialect", "match", "asked_as")
    }
    if "asked_as" in table:  # `dialect` says which models the rule is for
        fields["dialect"] = table["asked_as"]
    try:
        msgspec.convert(fields, Traits, strict=False)
        pattern = re.compile(table.get("match", ""))
    except (msgspec.ValidationError, re.error) as exc:
        raise Misconfigured(f"{where}: {exc}", table=where) from exc
    if unknown := fields.keys() - set(Traits.__struct_fields__):
        raise Misconfigured(f"{where}: {min(unknown)} is not a trait", table=where, field=min(unknown))
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    if "temperature_max" in fields:
        fields["temperature_max"] = float(fields["temperature_max"])
    return TraitRule(table.get("provider", ""), table.get("dialect", ""), pattern, fields)
