"""Every failure and every verdict in words a person can act on: the sentences, filled in with the engine's facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vibedesk.amounts import count
from vibedesk.check_sentences import VERDICT_SENTENCES, sentences_of
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Provider
from vibedesk.failure_sentences import Words, template_for

if TYPE_CHECKING:
    from vibedesk.engine.check import CheckResult


_GROQ_OR_GROK = "groq is the company Groq with its open models, grok is xAI’s Grok."


def words_for(error: EngineError, *, provider_name: str = "") -> Words:
    """The words for a failure. `provider_name` is the provider's display name; without it its id is used."""
    words = template_for(error)
    facts = _facts_of(error, provider_name)
    sentence, fix = _filled(words.sentence, facts), _filled(words.fix, facts)
    if error.kind in _DETAIL_IS_SENTENCE and error.detail:
        sentence = _sentence(error.detail)
        fix = _sentence(str(error.facts["fix"])) if error.facts.get("fix") else fix
    if error.kind in ("model_not_found", "retired_model"):
        fix += _mixed_up(error)
    return Words(words.title, sentence, fix, words.action)


def start_words(problem: Exception) -> Words:
    """Why the program could not start: a folder, the database (which says itself what helps), a setting."""
    if isinstance(problem, EngineError):
        return words_for(problem)
    if isinstance(problem, OSError):
        reason = (problem.strerror or type(problem).__name__).lower()
        sentence = f"{problem.filename or 'A file'} cannot be used: {reason}."
        fix = "Make the folder writable for yourself, or set VIBEDESK_HOME to another one, and try again."
        return Words("Could not start", sentence, fix, "retry")
    return Words("Could not start", str(problem), "", "retry")


_DETAIL_IS_SENTENCE = frozenset({"misconfigured", "secret_unavailable"})
"""Kinds whose facts are told best by whoever found them: their `detail` is a whole sentence."""


def _facts_of(error: EngineError, provider_name: str) -> dict[str, str]:
    facts = {name: str(value) for name, value in error.facts.items() if value not in (None, "")}
    known = _UNKNOWN | facts
    of_the_day = error.kind == "rate_limited" and facts.get("scope") == "day"
    return known | {
        "who": provider_name or error.provider or "the provider",
        "the_key": f"the key {error.key}" if error.key else "the key",
        "name": facts.get("name") or error.provider or error.detail or "—",
        "status": f" (status {error.status})" if (error.status or 0) >= 400 else "",
        "code": f" ({error.code})" if error.code else "",
        "part": _PARTS.get(facts.get("part", ""), "a part of this request"),
        "when": "tomorrow" if of_the_day and error.retry_after_s is None else when(error.retry_after_s),
        "own": _OWN_LIMITS.get(facts.get("limit", ""), "no more may be asked with it now"),
        "limit": f"{float(facts['limit_s']):g} s" if "limit_s" in facts else "the time allowed",
        "window": f" ({count(error.facts['window'])} tokens)" if error.facts.get("window") else "",
        "parameter": f": it refuses “{facts['parameter']}”" if "parameter" in facts else "",
        "answered": _answered(facts),
        "suggestion_fix": _suggestion(facts),
    }


_UNKNOWN = {
    "host": "the server",
    "issuer": "an unknown issuer",
    "model": "asked for",
    "replacement": "a current model",
    "origin": "another address",
    "names": "another name",
    "since": "a later day",
    "until": "an earlier day",
    "reason": "the handshake failed",
    "target": "another address",
    "suggestion": "another address",
    "title": "no title",
}


_OWN_LIMITS = {
    "requests_per_minute": "its requests in a minute are used up",
    "requests_per_day": "its requests of today are used up",
    "tokens_per_minute": "its tokens in a minute are used up",
    "tokens_per_day": "its tokens of today are used up",
    "concurrent": "as many requests as you allow are under way",
    "monthly_usd": "its dollars of this month are used up",
}

_PARTS = {
    "json_schema": "a JSON schema to follow",
    "image": "images",
    "text": "a request without words",
    "prefill": "an answer that was begun for it",
}


def _answered(facts: Mapping[str, str]) -> str:
    """How something that is not the API answered. The redirect's `host` is where it points to."""
    if "redirect" in facts:
        return f"answered with a redirect to {facts.get('host', 'elsewhere')}"
    if "title" in facts:
        return f"answered with a web page (“{facts['title']}”)"
    return (
        f"answered with {facts['content_type']}"
        if "content_type" in facts
        else "answered with something else"
    )


def _suggestion(facts: Mapping[str, str]) -> str:
    suggestion = facts.get("suggestion")
    if suggestion in ("groq", "grok"):
        return f"Did you mean {suggestion}? {_GROQ_OR_GROK}"
    return f"Did you mean {suggestion}?" if suggestion else "See the list of those there are."


def _mixed_up(error: EngineError) -> str:
    """Groq asked for a Grok model: the names are one letter apart."""
    if error.provider == "groq" and "grok" in str(error.facts.get("model", "")).lower():
        return f" {_GROQ_OR_GROK[:1].upper()}{_GROQ_OR_GROK[1:]}"
    return ""


def _filled(template: str, facts: Mapping[str, str]) -> str:
    """A name at the beginning keeps its own first letter: xAI, llama.cpp, https://…"""
    text = template.format_map(facts)
    first = next(
        (facts[name] for name in ("who", "base_url", "host") if template.startswith(f"{{{name}}}")), ""
    )
    named = first[:1] if first and first not in ("the provider", _UNKNOWN["host"]) else ""
    return named + _sentence(text)[1:] if named else _sentence(text)


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "…")) else f"{text}."


def when(seconds: float | None) -> str:
    """When to try again: "in 12 s", "in 4 min", "later" where nobody said."""
    if seconds is None:
        return "later"
    if seconds < 1:
        return "now"
    if seconds < 120:
        return f"in {seconds:.0f} s"
    return f"in {seconds / 60:.0f} min" if seconds < 7200 else f"in {seconds / 3600:.0f} h"


# What the check of a key found


def verdict_words(result: CheckResult, provider: Provider) -> tuple[str, str]:
    """What a check found and what to do about it (empty where there is nothing to do)."""
    error = result.error
    told = sentences_of(result, provider)
    if (
        told is None
        and error is not None
        and error.kind in _TOLD_BY_ERROR
        and result.verdict != "wrong_provider"
    ):
        words = words_for(error, provider_name=provider.name)
        return words.sentence, words.fix
    message, fix = told or VERDICT_SENTENCES.get(result.verdict, VERDICT_SENTENCES["unknown"])
    facts = _facts_of(error or EngineError(), provider.name) | {
        "base_url": provider.base_url,
        "key_url": provider.key_url or provider.name,
        "unsent": "",
    }
    facts |= {name: fact for name, fact in _of_the_check(result, provider).items() if fact}
    if result.verdict == "wrong_provider" and error is not None and error.detail:
        message = f"{_braceless(error.detail)}, not of {{who}}; it was not sent."
    return _filled(message, facts), _filled(fix, facts) if fix else ""


def _of_the_check(result: CheckResult, provider: Provider) -> dict[str, str]:
    """Facts that the stages hold where the error does not."""
    facts = result.error.facts if result.error else {}
    evidence = {name: fact for stage in result.stages for name, fact in stage.evidence.items()}
    known = provider.base_url.partition("//")[2].partition("/")[0]
    sent = any(stage.name == "key" and stage.verdict in ("ok", "failed") for stage in result.stages)
    return {
        "unsent": "" if sent or provider.keyless else "; the key was not sent",
        "host": "" if facts.get("host") else known,
        "model": str(facts.get("model") or evidence.get("model", "")),
        "code": result.error.code if result.error else "",
    }


def _braceless(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


_TOLD_BY_ERROR = frozenset(
    {"gateway_error", "misconfigured", "secret_unavailable", "wrong_origin", "insecure_address"}
)
"""Failures of a check that no verdict tells as well as the failure itself."""
