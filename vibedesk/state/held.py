"""Whether an answer follows the JSON schema that was asked for. Runs in a thread; nothing is fetched for it."""

from __future__ import annotations

import json

from vibedesk.engine.dialects.schema import read_schema
from vibedesk.engine.errors import Misconfigured

LONGEST_FAULT = 200


def fault_of(schema_text: str, answer: str) -> str:
    """Why the answer does not follow the schema, in a sentence; "" when it does."""
    try:
        given = json.loads(answer)
    except RecursionError:
        return "It is nested too deeply."
    except ValueError as exc:
        where = f" (line {exc.lineno}, column {exc.colno})" if isinstance(exc, json.JSONDecodeError) else ""
        return f"It is not JSON{where}."
    try:
        validator = _validator(read_schema(schema_text))
        found = next(iter(validator.iter_errors(given)), None)
    except (ValueError, Misconfigured) as exc:
        return _short(f"The schema itself is off: {exc}")
    if found is None:
        return ""
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in found.instance_path)
    return _short(f"{place.lstrip('.') or 'The answer'}: {found.message}")


def schema_fault(schema_text: str) -> str:
    """Why this text is no JSON schema that answers can be held to; "" when it is one."""
    try:
        _validator(read_schema(schema_text))
    except (ValueError, Misconfigured) as exc:
        return _short(str(exc))
    return ""


def _validator(schema: dict[str, object]):  # type: ignore[no-untyped-def]
    """References lead inside the schema only, and its patterns take linear time whatever they say.

    Raises ValueError for a schema that is none.
    """
    from jsonschema_rs import RegexOptions, validator_for

    return validator_for(schema, offline=True, pattern_options=RegexOptions())


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_FAULT else flat[: LONGEST_FAULT - 1] + "…"
