"""All providers and models known: what they are, can do and cost, and whose key a string of characters may be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal

import msgspec

from vibedesk.engine import fuzzy
from vibedesk.engine.errors import Misconfigured, UnknownProvider
from vibedesk.engine.model_rows import TraitRule, differing, model_rows, snapshot_base, trait_rules, traits_of
from vibedesk.engine.pasted import PastedKey, clean_key, hint_of, read_pasted
from vibedesk.engine.provider_blocks import Block, bundled_block, origin_of, own_block
from vibedesk.engine.types import Model, Price, Provider

__all__ = ["Catalog", "PastedKey", "clean_key", "hint_of", "origin_of", "read_pasted"]

_NO_PREFERENCE = 1000


class Catalog:
    """Immutable: a refreshed list of models makes a new catalog (`with_live`)."""

    def __init__(
        self,
        blocks: Mapping[str, Block],
        gateways: Mapping[str, Block],
        rows: Mapping[str, Mapping[str, Model]],
        rules: Sequence[TraitRule],
        *,
        live: Mapping[str, Mapping[str, Model]] | None = None,
        warnings: tuple[str, ...] = (),
        origins: Mapping[str, str] | None = None,
    ) -> None:
        self._blocks, self._gateways, self._rules, self._live = blocks, gateways, rules, live or {}
        self._bundled_rows = rows
        self._rows = {**rows, **self._live}
        self.providers: Mapping[str, Provider] = {id: block.provider for id, block in blocks.items()}
        self.gateways: Mapping[str, Provider] = {id: block.provider for id, block in gateways.items()}
        """AI gateways, whose tokens are keys too."""
        self.warnings = warnings
        """One sentence each: what the user's providers.toml asks for that is not done."""
        self.variable_origins: Mapping[str, str] = origins or {}
        """Variable name → the only origin its key may go to, for the variables of the bundled providers."""
        self._shapes = [
            (id, block.provider.key_pattern, _beginnings(block.provider.key_pattern))
            for id, block in (*blocks.items(), *gateways.items())
            if block.provider.key_pattern
        ]

    @classmethod
    def read(
        cls,
        providers_toml: Mapping[str, Any],
        models_toml: Mapping[str, Any],
        user_toml: Mapping[str, Any] | None = None,
        *,
        today: date | None = None,
    ) -> Catalog:
        """From parsed TOML documents. Raises `Misconfigured` naming table and field.

        `today` decides which models are retiring or retired (the day this is called, unless given).
        """
        bundled = _blocks("providers", providers_toml)
        gateways = _blocks("gateways", providers_toml)
        blocks, warnings = _with_own(bundled, gateways, user_toml or {})
        rules = trait_rules(models_toml.get("traits", ()))
        sources, tables = models_toml.get("sources", {}), models_toml.get("models", {})
        day = today or date.today()
        rows = {
            id: model_rows(block.provider, tables.get(id, {}), sources, rules, day)
            for id, block in blocks.items()
        }
        origins = _origins({**bundled, **gateways})
        return cls(blocks, gateways, rows, rules, warnings=warnings, origins=origins)

    def provider(self, id: str) -> Provider:
        """A provider, or the gateway, by its id. Raises `UnknownProvider` (facts `suggestion` and `suggestions`)."""
        block = self._blocks.get(id) or self._gateways.get(id)
        if block is not None:
            return block.provider
        near = self._near(id)
        sentence = f"“{id}” is not a provider." + (f" Did you mean {' or '.join(near)}?" if near else "")
        raise UnknownProvider(sentence, provider=id, suggestion=near[0] if near else "", suggestions=near)

    def model(self, full_id: str) -> Model:
        """The model PROVIDER/ID, where only the first segment is the provider. One that nobody has described is
        "unlisted", with the traits of its kind and, for a dated snapshot, the facts of the model it is a snapshot of.
        Raises `UnknownProvider`, `Misconfigured`.
        """
        first, _, id = full_id.partition("/")
        provider = self.provider(first)
        if not id or first not in self._blocks:
            raise Misconfigured(
                "A model is written PROVIDER/MODEL, for example openai/gpt-6-luna.", field="model"
            )
        known = self._rows[first].get(id)
        return known or self._unlisted(provider, id)

    def models(self, provider: str | None = None) -> tuple[Model, ...]:
        """The models of one provider or of all, the bundled ones first. Raises `UnknownProvider`."""
        if provider is not None:
            return tuple(self._rows.get(self.provider(provider).id, {}).values())
        return tuple(model for rows in self._rows.values() for model in rows.values())

    def with_live(self, provider: str, live: Sequence[Model]) -> Catalog:
        """A catalog that knows what the provider's own list says: it wins where it says something."""
        owner = self.provider(provider)
        rows = dict(self._bundled_rows.get(provider, {}))
        for model in live:
            known = rows.get(model.id) or self._unlisted(owner, model.id)
            rows[model.id] = _merged(known, msgspec.structs.replace(model, provider=provider))
        return Catalog(
            self._blocks,
            self._gateways,
            self._bundled_rows,
            self._rules,
            live={**self._live, provider: rows},
            warnings=self.warnings,
            origins=self.variable_origins,
        )

    def recognise(self, secret: str) -> tuple[str, ...]:
        """Whose key this may be by its shape, best guess first; () = nobody's that we know."""
        prefix = self._longest_prefix(secret)
        whole = [
            (id, beginnings)
            for id, pattern, beginnings in self._shapes
            if re.fullmatch(pattern, secret, re.ASCII)
        ]
        if not prefix:
            return tuple(id for id, beginnings in whole if "" in beginnings)
        sure = [id for id, beginnings in whole if prefix in beginnings]
        maybe = [id for id, _, beginnings in self._shapes if prefix in beginnings]
        return tuple(dict.fromkeys((*sure, *maybe)))

    def has_known_prefix(self, secret: str) -> bool:
        """Whether the key begins with what only one kind of key, or few, begin with."""
        return bool(self._longest_prefix(secret))

    def provider_of_variable(self, name: str) -> str | None:
        """The provider (or gateway) whose key stands in this environment variable; `…_BYOK` names count too."""
        plain = name.upper().removesuffix("_BYOK")
        everyone = (*self._blocks.items(), *self._gateways.items())
        return next((id for id, block in everyone if plain in block.provider.env), None)

    def preferred(self, provider: str) -> Model | None:
        """The model to offer first: the first preference that the provider lists, or, before its list was ever read,
        the first that is not known to be gone; without preferences the first model its list names."""
        rows = self._rows.get(provider, {})
        usable = [model for model in rows.values() if model.state != "retired"]
        if provider in self._live:
            usable = [model for model in usable if model.listed_live]
        by_id = {model.id: model for model in usable}
        wished = (by_id[id] for id in self.provider(provider).preferences if id in by_id)
        return next(wished, usable[0] if usable and provider in self._live else None)

    def search(self, query: str) -> tuple[Model, ...]:
        """Models whose name, id or provider has all the characters typed, in order: the best fit first, retired ones
        last. Words may stand in any order; nothing typed = every model. What fits by chance only is left out where
        something fits well."""
        models = self.models()
        if not query.strip():
            return tuple(sorted(models, key=lambda model: model.state == "retired"))
        fits = [
            fuzzy.score(query, (model.name, model.id, model.full_id, self._name_of(model)))
            for model in models
        ]
        least = max(fits, default=0) // 2
        ranked = sorted(
            (model.state == "retired", -fit, self._preference(model), position)
            for position, (model, fit) in enumerate(zip(models, fits, strict=True))
            if fit and fit >= least
        )
        return tuple(models[position] for *_, position in ranked)

    def _name_of(self, model: Model) -> str:
        return self.providers[model.provider].name

    def _unlisted(self, provider: Provider, id: str) -> Model:
        traits = traits_of(self._rules, provider, id)
        base = self._bundled_rows[provider.id].get(snapshot_base(id))
        if base is None:
            name, note = id.rpartition("/")[2], self._known_elsewhere(id)
            return Model(provider=provider.id, id=id, name=name, state="unlisted", traits=traits, note=note)
        state = "unlisted" if base.state == "current" else base.state
        return msgspec.structs.replace(base, id=id, state=state, traits=traits, listed_live=False)

    def _known_elsewhere(self, id: str) -> str:
        other = next((rows[id] for rows in self._rows.values() if id in rows), None)
        return f"Known as {other.full_id}, from {self.providers[other.provider].name}." if other else ""

    def _longest_prefix(self, secret: str) -> str:
        starts = {start for _, _, beginnings in self._shapes for start in beginnings if len(start) >= 3}
        return max((start for start in starts if secret.startswith(start)), key=len, default="")

    def _preference(self, model: Model) -> int:
        wished = self.providers[model.provider].preferences
        return wished.index(model.id) if model.id in wished else _NO_PREFERENCE + (model.state != "current")

    def _near(self, id: str) -> tuple[str, ...]:
        wanted = id.casefold()
        words = {
            word: known
            for known, block in self._blocks.items()
            for word in (*block.also, block.provider.name.casefold())
        }
        if wanted in words:
            return (words[wanted],)
        close = difflib.get_close_matches(wanted, [*self._blocks, *words], n=3, cutoff=0.6)
        return tuple(dict.fromkeys(words.get(word, word) for word in close))


def _blocks(kind: str, document: Mapping[str, Any]) -> dict[str, Block]:
    tables = document.get(kind, {})
    return {id: bundled_block(f"{kind}.{id}", id, fields) for id, fields in tables.items()}


def _with_own(
    bundled: Mapping[str, Block], gateways: Mapping[str, Block], user_toml: Mapping[str, Any]
) -> tuple[dict[str, Block], tuple[str, ...]]:
    blocks, warnings = dict(bundled), []
    for table in user_toml:
        if table != "providers":
            raise Misconfigured(f"[{table}] is not a table of this file: write [providers.NAME]", table=table)
    own = user_toml.get("providers", {})
    if not isinstance(own, Mapping):
        raise Misconfigured("providers is not a table: write [providers.NAME]", table="providers")
    origins = _origins({**bundled, **gateways})
    for id, fields in own.items():
        if id in gateways:
            raise Misconfigured(
                f"[providers.{id}] is the gateway: set it up in Settings", table=f"providers.{id}"
            )
        block = own_block(id, fields, bundled.get(id))
        blocks[id], foreign = _without_foreign_variables(block, origins)
        if "env" in fields:
            warnings += [_foreign_sentence(id, name, origins[name.upper()]) for name in foreign]
    return blocks, tuple(warnings)


def _foreign_sentence(id: str, name: str, origin: str) -> str:
    return (
        f"[providers.{id}] env: {name} is a key for {origin} and is sent nowhere else: use another variable"
    )


def _without_foreign_variables(block: Block, origins: Mapping[str, str]) -> tuple[Block, tuple[str, ...]]:
    """The cheapest theft is a changed base URL and a key lying about in the environment: it finds no key here."""
    provider = block.provider
    here = origin_of(provider.base_url)
    foreign = tuple(name for name in provider.env if origins.get(name.upper(), here) != here)
    env = tuple(name for name in provider.env if name not in foreign)
    return Block(msgspec.structs.replace(provider, env=env), block.also), foreign


def _origins(blocks: Mapping[str, Block]) -> dict[str, str]:
    return {
        name.upper(): origin_of(block.provider.base_url)
        for block in blocks.values()
        for name in block.provider.env
    }


def _merged(known: Model, live: Model) -> Model:
    """What the provider's own list says, and for the rest what was known. A listed model is not retired."""
    state: Literal["current", "retiring"] = (
        "retiring" if "retiring" in (known.state, live.state) else "current"
    )
    described = known.state != "unlisted"
    return Model(
        provider=known.provider,
        id=known.id,
        name=known.name if described else live.name or known.name,
        state=state,
        retires=live.retires or (known.retires if state == "retiring" else None),
        replacement=live.replacement or (known.replacement if state == "retiring" else None),
        context_window=live.context_window or known.context_window,
        max_output=live.max_output or known.max_output,
        price=_merged_price(known.price, live.price),
        capabilities=known.capabilities | live.capabilities,
        traits=msgspec.structs.replace(known.traits, **differing(live.traits)),
        note=live.note or (known.note if described else ""),
        listed_live=True,
    )


def _merged_price(known: Price | None, live: Price | None) -> Price | None:
    """The list's price; but where it only repeats the known one, that one: it has the tiers and the cached price."""
    if known is None or live is None:
        return live or known
    return known if (known.input, known.output) == (live.input, live.output) else live


def _beginnings(pattern: str) -> tuple[str, ...]:
    """The literal text each top-level alternative of a key pattern begins with: `sk-ant-`, `AQ.`, or "" for none."""
    return tuple(_literal_start(alternative) for alternative in _alternatives(pattern))


def _alternatives(pattern: str) -> Iterable[str]:
    depth, part = 0, ""
    for character in pattern:
        depth += (character in "([") - (character in ")]")
        if character == "|" and not depth:
            yield part
            part = ""
        else:
            part += character
    yield part


def _literal_start(alternative: str) -> str:
    found = re.match(r"(?:[A-Za-z0-9_-](?![{?*+])|\\[.-](?![{?*+]))*", alternative)
    return found[0].replace("\\", "") if found else ""
