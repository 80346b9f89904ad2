"""JSON as providers send it: NaN, 1e999, lone surrogates and broken UTF-8 included; and numbers that can be trusted."""

from __future__ import annotations

import json
import math
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

_fast = msgspec.json.Decoder()
_MOST_TOKENS = 10**12


class Unreadable(ValueError):
    """It is not JSON, not even loosely, or nested too deep to be honest."""


def loads(data: bytes) -> Any:
    """Any JSON value. Raises Unreadable."""
    try:
        return _fast.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return loosely(data)


def loosely(data: bytes) -> Any:
    """The slow way, which takes what strict readers refuse. Raises Unreadable."""
    try:
        return json.loads(data.decode("utf-8", "replace"), parse_int=_whole)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(str(exc)) from exc


def _whole(digits: str) -> float:
    # Python refuses to read thousands of digits, and the rest of the document with them.
    return int(digits) if len(digits) < 400 else math.inf


def count(value: object) -> int | None:
    """A number of tokens: whole, from 0 to 10¹². Everything else (NaN, -1, 1e999, "12", true) is None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not (math.isfinite(value) and value.is_integer()):
        return None
    return int(value) if 0 <= value <= _MOST_TOKENS else None


def dollars(value: object) -> Decimal | None:
    """An amount of money from a JSON number or string: finite and not negative, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def obj(value: object) -> dict[str, Any]:
    """The value when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[dict[str, Any]]:
    """The JSON objects of a list; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """The value when it is a string, else ""."""
    return value if isinstance(value, str) else ""
