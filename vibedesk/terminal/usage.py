"""`vibedesk usage`: what was asked, and the exact sums of what it cost."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from vibedesk.amounts import count, spent
from vibedesk.desk import Desk
from vibedesk.store.ledger import ModelSum, Sums
from vibedesk.terminal.arguments import WordsOff
from vibedesk.terminal.events import decimal_text
from vibedesk.terminal.output import Output

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def usage(options: argparse.Namespace, output: Output, desk: Desk) -> int:
    sums = desk.ledger.sums(since_of(options.since, datetime.now(UTC)))
    if output.as_json:
        output.json(
            {
                **_sums_object(sums),
                "cached": sums.cached,
                "by_model": [_model_object(one) for one in sums.by_model],
            }
        )
        return 0
    rows = [_row(one.model, one) for one in sums.by_model] + [_row("all", sums)]
    output.table(["MODEL", "REQUESTS", "ATTEMPTS", "IN", "OUT", "COST"], rows, right=(1, 2, 3, 4, 5))
    if sums.cached:
        output.note(f"{count(sums.cached)} of them were answered from a cache, at no cost")
    if sums.unpriced:
        output.note(f"{count(sums.unpriced)} requests have no known cost; + marks sums without them")
    return 0


def since_of(text: str | None, now: datetime) -> datetime | None:
    """`30m`, `24h`, `7d`, `2w` before now, or a date in local time. Raises WordsOff."""
    if text is None:
        return None
    if found := re.fullmatch(r"(\d{1,5})([mhdw])", text.strip().lower()):
        return now - int(found[1]) * _UNITS[found[2]]
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise WordsOff("--since takes 30m, 24h, 7d, 2w or a date as 2026-11-01") from None


def _row(name: str, sums: Sums | ModelSum) -> list[str]:
    counts = (sums.requests, sums.attempts, sums.input_tokens, sums.output_tokens)
    return [name, *map(count, counts), spent(sums.cost_usd, sums.unpriced)]


def _sums_object(sums: Sums | ModelSum) -> dict[str, Any]:
    return {
        "requests": sums.requests,
        "attempts": sums.attempts,
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "cost_usd": decimal_text(sums.cost_usd),
        "unpriced": sums.unpriced,
    }


def _model_object(one: ModelSum) -> dict[str, Any]:
    return {"model": one.model, **_sums_object(one)}
