"""What a receipt says of an answer: one chip for the whole, a chip an attempt, and the facts under the table."""

from __future__ import annotations

from vibedesk.amounts import duration
from vibedesk.engine.types import Attempt
from vibedesk.state.words import moment
from vibedesk.store.history import StoredAnswer
from vibedesk.ui import harmless
from vibedesk.ui.figures import price_of

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_PASSING = ("rate_limited", "overloaded")
_GATEWAY = "gateway "
"""How the notes begin that a gateway's own headers gave."""


def outcome_of(attempt: Attempt) -> tuple[str, str]:
    """What became of an attempt, in a few words and a role."""
    if attempt.outcome == "complete":
        reason = attempt.finish_reason or "stop"
        return f"complete · {reason.replace('_', ' ')}", "ok" if reason == "stop" else "warn"
    if attempt.outcome == "stopped":
        return "stopped", "neutral"
    words = (attempt.kind or attempt.outcome).replace("_", " ")
    text = f"{attempt.status} · {words}" if attempt.status and attempt.status >= 400 else words
    return text, "warn" if attempt.kind in _PASSING or attempt.outcome == "cut" else "bad"


def verdict(answer: StoredAnswer) -> tuple[str, str]:
    """The whole answer in one chip."""
    if answer.cache is not None and answer.cache.spared:
        shared = answer.cache.verdict == "shared"
        return "asked once for several lanes" if shared else "given from the cache", "accent"
    if answer.outcome == "complete" and _step(answer):
        return "the gateway fell back by itself", "warn"
    asked = len({attempt.deployment + attempt.key for attempt in answer.attempts})
    if answer.outcome == "complete" and asked > 1:
        place = _ORDINALS[asked - 1] if asked <= len(_ORDINALS) else f"{asked}th"
        return f"answered by the {place} choice", "warn"
    words = {"complete": ("answered", "ok"), "cut": ("cut", "warn"), "stopped": ("stopped", "neutral")}
    if answer.outcome == "failed" and asked > 1:
        return "all failed", "bad"
    if answer.outcome == "failed" and asked and answer.attempts[-1].kind == "gateway_error":
        return "failed at the gateway", "bad"
    return words.get(
        answer.outcome or "", ("failed", "bad") if answer.outcome else ("still answering", "accent")
    )


def facts_of(answer: StoredAnswer) -> list[tuple[str, str]]:
    """Why it went where it went: name and sentence, only what is known."""
    attempts = answer.attempts
    last = attempts[-1] if attempts else None
    notes = dict.fromkeys(note for attempt in attempts for note in attempt.notes)
    others = [note for note in notes if not note.startswith(_GATEWAY)]
    facts = [
        ("Rule", _rules(attempts)),
        ("Through", _through(last)),
        ("Cache", _cache(answer)),
        ("Gateway", _gateway(last)),
        ("Model", _model(answer)),
        ("Price", _price(answer)),
        ("Notes", "; ".join(others)),
        ("Said", last.message if last and last.outcome != "complete" else ""),
        ("Request id", last.request_id if last else ""),
    ]
    return [(name, harmless.one_line(text, 400)) for name, text in facts if text]


def _through(last: Attempt | None) -> str:
    if last is None or not last.why_via:
        return ""
    return last.why_via if last.why_via.startswith(last.via) else f"{last.via}: {last.why_via}"


def _rules(attempts: tuple[Attempt, ...]) -> str:
    rules = [attempt.rule.replace("_", " ") for attempt in attempts if attempt.rule]
    return " → ".join(rules)


def _cache(answer: StoredAnswer) -> str:
    """Our own verdict, and the gateway's beside it."""
    return " · ".join(words for words in (_ours(answer), _theirs(answer)) if words)


def _ours(answer: StoredAnswer) -> str:
    use = answer.cache
    if use is None:
        return "not asked: this route does not cache" if answer.attempts else ""
    if use.spared:
        kept = f", kept {moment(use.kept_at)}" if use.kept_at and use.verdict == "hit" else ""
        saved = [price_of(use.saved) if use.saved else "", duration(use.saved_s) if use.saved_s else ""]
        spared = " and ".join(words for words in saved if words)
        how = "given again" if use.verdict == "hit" else "the same was being asked already"
        return f"{how}{kept}{f'; saved {spared}' if spared else ''}"
    words = {
        "kept": "not there yet; kept for the next time",
        "passed_by": "passed by, because another answer was wanted; this one is kept",
    }
    return words.get(use.verdict, f"not kept: {use.why}" if use.why else "not kept")


def _theirs(answer: StoredAnswer) -> str:
    status = next((_note(attempt, "cache") for attempt in reversed(answer.attempts)), "")
    words = {"hit": "the gateway had it", "miss": "the gateway did not have it"}
    return words.get(status.lower(), f"gateway: {status.lower()}" if status else "")


def _gateway(last: Attempt | None) -> str:
    """What the gateway says it did: its log's id, and whether it asked somebody else by itself."""
    if last is None:
        return ""
    step, model, provider = (_note(last, name) for name in ("step", "model", "provider"))
    moved = f"fell back by itself, to its choice {int(step) + 1}" if step.isdigit() and int(step) else ""
    who = f"asked {'/'.join(part for part in (provider, model) if part)}" if model or provider else ""
    log = f"log {_note(last, 'log')}" if _note(last, "log") else ""
    return " · ".join(words for words in (moved, who, log) if words)


def _step(answer: StoredAnswer) -> bool:
    step = _note(answer.attempts[-1], "step") if answer.attempts else ""
    return step.isdigit() and int(step) > 0


def _note(attempt: Attempt, name: str) -> str:
    start = f"{_GATEWAY}{name} "
    return next((note.removeprefix(start) for note in attempt.notes if note.startswith(start)), "")


def _model(answer: StoredAnswer) -> str:
    """Only where the provider says another one answered than was asked."""
    name = answer.attempts[-1].deployment if answer.attempts else answer.deployment
    return answer.model if answer.model and name and not name.endswith(answer.model) else ""


def _price(answer: StoredAnswer) -> str:
    if answer.cache is not None and answer.cache.spared:
        return ""
    return answer.cost.source if answer.cost else "not known" if answer.usage else ""
