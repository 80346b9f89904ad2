"""`vibedesk models`: what there is to ask, what it costs, and whether there is a key for it."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from vibedesk.amounts import count
from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Model
from vibedesk.terminal.events import decimal_text, model_object
from vibedesk.terminal.output import Output
from vibedesk.terminal.sentences import Sentences
from vibedesk.terminal.unlock import unlock_for

_STYLES = {"retiring": "warn", "retired": "bad", "unlisted": "dim"}


def models(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    """Lists the models; with --refresh the providers are asked for their own lists first."""
    if options.provider is not None:
        desk.catalog.provider(options.provider)
    status = _refresh(options.provider, output, desk) if options.refresh else 0
    found = desk.catalog.models(options.provider)
    usable = {provider: desk.can_ask(provider) for provider in desk.catalog.providers}
    if output.as_json:
        output.json(
            [model_object(model, usable=usable[model.provider] and not _gone(model)) for model in found]
        )
    else:
        _show(found, usable, output)
    return status


def _show(found: Sequence[Model], usable: dict[str, bool], output: Output) -> None:
    if not found:
        output.line("No models known here. Ask the provider for its list: vibedesk models --refresh")
        return
    rows = [
        [
            model.full_id,
            model.state,
            count(model.context_window),
            count(model.max_output),
            f"${decimal_text(model.price.input)}" if model.price else "—",
            f"${decimal_text(model.price.output)}" if model.price else "—",
            f"use {model.replacement}"
            if _gone(model) and model.replacement
            else ""
            if usable[model.provider]
            else "no key",
        ]
        for model in found
    ]
    head = ["MODEL", "STATE", "WINDOW", "OUTPUT", "IN/1M", "OUT/1M", ""]
    output.table(head, rows, right=(2, 3, 4, 5), styles={1: _STYLES, 6: {"no key": "dim"}})


def _gone(model: Model) -> bool:
    return model.state == "retired" and not model.listed_live


def _refresh(provider: str | None, output: Output, desk: Desk) -> int:
    """Asks one provider, or all there is a key for. Local servers that do not run are no failure unless named."""
    if provider is None:
        asked = [
            id for id, known in desk.catalog.providers.items() if desk.can_ask(id) and not known.simulated
        ]
    else:
        asked = [provider]
    unlock_for(desk, [key for id in asked for key in desk.keys.usable(desk.catalog.provider(id))[:1]])
    failed = asyncio.run(_refresh_all(asked, desk))
    status = 0
    for id, error in failed:
        if provider is None and desk.catalog.provider(id).local and error.kind == "refused":
            continue
        output.error(f"{desk.catalog.provider(id).name}: {Sentences(desk).of(error)}")
        status = 1
    return status


async def _refresh_all(providers: Sequence[str], desk: Desk) -> list[tuple[str, EngineError]]:
    async def refreshed(provider: str) -> EngineError | None:
        try:
            await desk.refresh_models(provider)
        except EngineError as error:
            return error
        return None

    try:
        errors = await asyncio.gather(*(refreshed(provider) for provider in providers))
    finally:
        await desk.http.close()
    return [(provider, error) for provider, error in zip(providers, errors, strict=True) if error is not None]
