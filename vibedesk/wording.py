"""The sentences: every failure and every verdict in words a person can act on. The engine carries only the facts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from vibedesk.check_sentences import VERDICT_SENTENCES, sentences_of
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Provider

if TYPE_CHECKING:
    from vibedesk.engine.check import CheckResult


class Words(Struct, frozen=True):
    """One failure in words. `title` ≤ 6 words, `sentence` says what is true, `fix` what to do.

    `action` is the one button that helps: open_keys, add_key, use_another_model, retry, shorten, open_settings,
    open_billing or none.
    """

    title: str
    sentence: str
    fix: str
    action: str


# `{who}` is the provider's name, `{the_key}` the key's; the rest are facts of the error, with the words of `_UNKNOWN`
# where it does not carry one. A kind may have variants: "kind.value of its fact" (see `_VARIANT`).
_WORDS: Mapping[str, Words] = {
    "error": Words("Something went wrong", "The request to {who} failed.", "Try again.", "retry"),
    # nothing was sent
    "not_asked": Words("Not asked", "Nothing was sent to {who}.", "Check the model and its key.", "none"),
    "no_key": Words("No key yet", "There is no usable key for {who}.", "Add a key for {who}.", "add_key"),
    "unknown_provider": Words(
        "Unknown provider", "There is no provider named “{name}”.", "{suggestion_fix}", "use_another_model"
    ),
    "unknown_route": Words(
        "Unknown route", "There is no route named “{name}”.", "{suggestion_fix}", "open_settings"
    ),
    "retired_model": Words(
        "Model retired",
        "{who} has retired the model {model}.",
        "Use {replacement} instead.",
        "use_another_model",
    ),
    "wrong_origin": Words(
        "Key kept for another address",
        "{the_key} was entered for {origin}, so it was not sent to {host}.",
        "Enter the key again if it belongs to the new address.",
        "open_keys",
    ),
    "insecure_address": Words(
        "Address not encrypted",
        "The address of {who} is plain http to another machine ({host}), so nothing was sent.",
        "Use https, or set allow_http = true for this provider.",
        "open_settings",
    ),
    "unsupported": Words(
        "Model cannot take this",
        "The model {model} cannot take {part}.",
        "Leave it out, or use a model that can.",
        "use_another_model",
    ),
    "secret_unavailable": Words(
        "Key cannot be read",
        "{the_key} could not be read from where it is kept.",
        "Unlock the vault and try again.",
        "open_keys",
    ),
    "secret_unavailable.unavailable": Words(
        "Key cannot be read",
        "{the_key} could not be read from where it is kept.",
        "Try again when the vault answers: the key is still in it.",
        "open_keys",
    ),
    "secret_unavailable.absent": Words(
        "Key cannot be read",
        "{the_key} could not be read from where it is kept.",
        "Start the keychain that holds it, and try again.",
        "open_keys",
    ),
    "secret_unavailable.gone": Words(
        "Key is gone", "{the_key} is no longer where it was kept.", "Add the key again.", "open_keys"
    ),
    "misconfigured": Words(
        "A setting is off", "A setting or an address is off.", "Correct it and try again.", "open_settings"
    ),
    "misconfigured.gateway": Words(
        "No way through the gateway",
        "It cannot go through the gateway.",
        "Ask directly, or set the gateway up in the settings.",
        "open_settings",
    ),
    "misconfigured.proxy": Words(
        "The proxy is off",
        "The proxy could not be used.",
        "Check the proxy that the environment or the system names.",
        "open_settings",
    ),
    "own_limit": Words(
        "Your own limit reached",
        "The limit you set for {the_key} is reached: {own}.",
        "Wait, it is free again {when}; or raise the limit with the key.",
        "open_keys",
    ),
    "own_limit.monthly_usd": Words(
        "Your own budget is used up",
        "The budget you set for {the_key} this month is used up.",
        "Raise it with the key, or use another one.",
        "open_keys",
    ),
    "resting": Words(
        "Left alone for a while",
        "{who} failed several times in a row, so the model {model} is not asked for the moment.",
        "It is tried again {when}.",
        "retry",
    ),
    # nothing came back
    "offline": Words(
        "No network",
        "This machine is not connected: no provider could be reached.",
        "Check the connection and try again.",
        "retry",
    ),
    "unreachable": Words(
        "No connection", "{who} could not be reached.", "Check the connection and try again.", "retry"
    ),
    "dns_failed": Words(
        "Address not found",
        "The name {host} could not be found: this machine may be offline, or the base URL misspelt.",
        "Check the connection and the base URL.",
        "retry",
    ),
    "refused": Words(
        "Connection refused",
        "Nothing answered at {host}: the connection was refused.",
        "Check that the server is running and that the base URL names its port.",
        "retry",
    ),
    "tls_untrusted": Words(
        "Certificate not trusted",
        "The certificate of {host}, issued by {issuer}, is not trusted by this machine; the key was not sent.",
        "If a company proxy stands between, add its certificate to the system’s trusted ones.",
        "open_settings",
    ),
    "tls_untrusted.expired": Words(
        "Certificate expired",
        "The certificate of {host} expired on {until}; the key was not sent.",
        "Check this machine’s clock; if it is right, the server needs a new certificate.",
        "retry",
    ),
    "tls_untrusted.wrong_name": Words(
        "Certificate for another name",
        "The certificate that {host} shows is for {names}, not for {host}; the key was not sent.",
        "Check the host in the base URL; a network’s sign-in page can also answer like this.",
        "open_settings",
    ),
    "tls_untrusted.no_tls": Words(
        "No encryption there",
        "{host} speaks no TLS at this port, and the base URL says https; the key was not sent.",
        "Check the port in the base URL.",
        "open_settings",
    ),
    "tls_untrusted.hung_up": Words(
        "Hung up before the handshake",
        "{host} hung up before it showed a certificate; the key was not sent.",
        "Try another network, or turn the VPN off.",
        "retry",
    ),
    "connection_lost": Words(
        "Connection lost", "{host} closed the connection before the answer began.", "Try again.", "retry"
    ),
    "timed_out": Words("Timed out", "{who} did not answer in time.", "Try again.", "retry"),
    "timed_out.connect": Words(
        "Could not connect in time",
        "{host} did not accept a connection within {limit}.",
        "Check the network, a VPN or a firewall, and try again.",
        "retry",
    ),
    "timed_out.first_token": Words(
        "No first word in time",
        "{who} took the request but said nothing within {limit}.",
        "Try again, or use another model.",
        "retry",
    ),
    "timed_out.idle": Words(
        "The answer stalled", "{who} stopped in the middle of the answer for {limit}.", "Try again.", "retry"
    ),
    "timed_out.total": Words(
        "The answer took too long",
        "{who} had not finished after {limit}.",
        "Ask for less, or use a faster model.",
        "use_another_model",
    ),
    # it answered, with an error
    "provider_error": Words(
        "The provider refused",
        "{who} answered with an error{status}.",
        "Try again, or use another model.",
        "retry",
    ),
    "invalid_key": Words(
        "Key not accepted",
        "{who} does not accept {the_key}: it is wrong, expired or revoked.",
        "Check that it was copied whole, or add another.",
        "open_keys",
    ),
    "leaked_key": Words(
        "Key blocked as leaked",
        "{who} has blocked {the_key}, because it was found in public.",
        "Revoke it at {who} and add a new one.",
        "open_keys",
    ),
    "wrong_key_type": Words(
        "Wrong kind of key",
        "{the_key} is real, but not of the kind that may ask models of {who}.",
        "Create an ordinary API key at {who} and add it.",
        "open_keys",
    ),
    "restricted": Words(
        "Key lacks a permission",
        "{who} knows {the_key}, but it may not do this.",
        "Give it the permission at {who}, or use another key.",
        "open_keys",
    ),
    "wrong_organisation": Words(
        "Wrong organisation or project",
        "{the_key} does not fit the organisation, project or address list set at {who}.",
        "Check the key’s project and its allowed addresses at {who}.",
        "open_keys",
    ),
    "region_blocked": Words(
        "Not offered in this region",
        "{who} does not answer requests from this country or region.",
        "Use a provider that serves your region.",
        "use_another_model",
    ),
    "network_blocked": Words(
        "Blocked on the way",
        "A firewall, proxy or VPN answered instead of {who}; this says nothing about the key.",
        "Try another network, or turn the VPN off.",
        "retry",
    ),
    "no_credit": Words(
        "No credit left",
        "The account behind {the_key} has no credit at {who}.",
        "Add credit at {who}.",
        "open_billing",
    ),
    "spend_limit": Words(
        "Spending limit reached",
        "A spending limit set for {the_key} at {who} is reached.",
        "Raise the limit at {who}, or wait until it resets.",
        "open_billing",
    ),
    "rate_limited": Words(
        "Rate limit reached",
        "{who} asks to slow down: a rate limit is reached.",
        "Try again {when}.",
        "retry",
    ),
    "rate_limited.day": Words(
        "Daily limit reached",
        "{who} has given all it gives in a day.",
        "Try again {when}, or use another model.",
        "use_another_model",
    ),
    "overloaded": Words("Overloaded", "{who} is overloaded at the moment.", "Try again {when}.", "retry"),
    "server_error": Words(
        "Fault at the provider",
        "{who} failed with an error of its own{status}.",
        "Try again {when}.",
        "retry",
    ),
    "model_not_found": Words(
        "Model not available",
        "{who} does not offer the model {model} to this key.",
        "Choose a model from its list.",
        "use_another_model",
    ),
    "context_overflow": Words(
        "Too long for the model",
        "The conversation is longer than the model {model} can read{window}.",
        "Shorten it, or use a model with a larger window.",
        "shorten",
    ),
    "too_large": Words(
        "Request too large",
        "{who} does not take a request of this size.",
        "Send fewer or smaller images.",
        "shorten",
    ),
    "content_blocked": Words(
        "Refused by policy",
        "{who} refused this request or its answer by its content policy.",
        "Change the words, or use another model.",
        "use_another_model",
    ),
    "bad_request": Words(
        "Request not accepted",
        "{who} did not accept the request{parameter}.",
        "Change the parameters, or use another model.",
        "use_another_model",
    ),
    "gateway_error": Words(
        "Fault at the gateway",
        "The AI gateway answered with an error of its own{code}.",
        "Try again, or ask directly.",
        "retry",
    ),
    "gateway_error.gateway": Words(
        "Gateway not found",
        "There is no AI gateway of this name in this account{code}.",
        "Check the account id and the gateway’s name.",
        "open_settings",
    ),
    "gateway_error.token": Words(
        "Gateway token not accepted",
        "The AI gateway does not accept its token{code}; this says nothing about the provider’s key.",
        "Enter the gateway’s token again, or ask directly.",
        "open_settings",
    ),
    "gateway_error.slug": Words(
        "Gateway lacks this provider",
        "The AI gateway has no path to {who}{code}.",
        "Check the account id in the settings, or ask {who} directly.",
        "open_settings",
    ),
    "gateway_error.rate_limit": Words(
        "Gateway’s rate limit reached",
        "The AI gateway’s own rate limit is reached{code}, not {who}’s.",
        "Try again {when}, or raise the limit of the gateway.",
        "retry",
    ),
    "gateway_error.upstream": Words(
        "Gateway got no answer",
        "The AI gateway got no answer from {who}{code}.",
        "Try again, or ask directly.",
        "retry",
    ),
    "gateway_error.guardrail": Words(
        "Blocked by the gateway",
        "A guardrail of the AI gateway blocked the request or its answer{code}.",
        "Change the words, or the gateway’s guardrails.",
        "open_settings",
    ),
    "gateway_error.credit": Words(
        "Gateway has no credit",
        "The AI gateway’s account has no credit for this model{code}.",
        "Add credit at the gateway, or use your own key.",
        "open_billing",
    ),
    "gateway_error.spend_limit": Words(
        "Gateway’s spending limit reached",
        "A spending limit set at the AI gateway is reached{code}.",
        "Raise it at the gateway, or ask directly.",
        "open_billing",
    ),
    "gateway_error.alias": Words(
        "Gateway lacks the stored key",
        "The AI gateway has no stored key of that name{code}.",
        "Check the provider keys kept at the gateway.",
        "open_settings",
    ),
    "gateway_error.provider_key": Words(
        "Gateway lacks the provider’s key",
        "The AI gateway has no key of {who} stored, and none was sent{code}.",
        "Store the key of {who} at the gateway, or add it here.",
        "open_settings",
    ),
    # what came back is not this API
    "garbled": Words(
        "Not understood", "What came back is not an answer of {who}.", "Check the base URL.", "open_settings"
    ),
    "not_this_api": Words(
        "Not the provider’s API",
        "The address of {who} {answered}, not as its API does.",
        "Check the base URL; a sign-in page of the network can also answer like this.",
        "open_settings",
    ),
    "malformed": Words(
        "Answer not understood",
        "{who} sent something that its API does not promise.",
        "Check the provider’s dialect, or try again.",
        "retry",
    ),
    # an answer had begun, or claimed to have ended
    "interrupted": Words("Interrupted", "The answer of {who} was interrupted.", "Try again.", "retry"),
    "cut": Words(
        "The answer was cut",
        "The connection ended before {who} had finished; the text so far is kept.",
        "Ask again for the whole answer.",
        "retry",
    ),
    "empty_answer": Words(
        "Nothing was said",
        "{who} ended its answer without a word.",
        "Try again, allow more tokens, or use another model.",
        "retry",
    ),
    "answer_too_long": Words(
        "More than can be read",
        "{who} sent a line or a body over the size that is read; the text so far is kept.",
        "Ask for less.",
        "shorten",
    ),
}

_VARIANT = {
    "timed_out": "timer",
    "tls_untrusted": "fault",
    "own_limit": "limit",
    "rate_limited": "scope",
    "gateway_error": "fault",
    "misconfigured": "setting",
    "secret_unavailable": "state",
}

_GROQ_OR_GROK = "groq is the company Groq with its open models, grok is xAI’s Grok."


def words_for(error: EngineError, *, provider_name: str = "") -> Words:
    """The words for a failure. `provider_name` is the provider's display name; without it its id is used."""
    value = str(error.facts.get(_VARIANT.get(error.kind, ""), ""))
    words = _WORDS.get(f"{error.kind}.{value}") or _WORDS.get(error.kind) or _WORDS["error"]
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
    return known | {
        "who": provider_name or error.provider or "the provider",
        "the_key": f"the key {error.key}" if error.key else "the key",
        "name": facts.get("name") or error.provider or error.detail or "—",
        "status": f" (status {error.status})" if (error.status or 0) >= 400 else "",
        "code": f" ({error.code})" if error.code else "",
        "part": _PARTS.get(facts.get("part", ""), "a part of this request"),
        "when": when(error.retry_after_s),
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


# Numbers

_SMALLEST = Decimal("0.0001")


def money(usd: Decimal | None, estimated: bool = False) -> str:
    """US dollars: "$0.0042", "$12.30", "<$0.0001"; "—" when unknown, "≈" before an estimate; a true zero is "$0"."""
    if usd is None:
        return "—"
    about = "≈" if estimated else ""
    if usd == 0:
        return f"{about}$0"
    if abs(usd) < _SMALLEST:
        return f"{about}<${_SMALLEST}"
    places = Decimal("0.01") if abs(usd) >= 1 else Decimal("0.001") if estimated else _SMALLEST
    rounded = usd.quantize(places, ROUND_HALF_UP) or usd.quantize(_SMALLEST, ROUND_HALF_UP)
    return f"{about}${rounded:,}"


def spent(usd: Decimal, unpriced: int) -> str:
    """A sum of what is known, beside `unpriced` requests of unknown cost: "$0.42+", "—" when nothing is known."""
    if not unpriced:
        return money(usd)
    return f"{money(usd)}+" if usd else "—"


def duration(s: float | None) -> str:
    """Seconds in words: "412 ms", "1.8 s", "2 min 5 s"."""
    if s is None:
        return "—"
    if s < 0.9995:
        return f"{s * 1000:.0f} ms"
    if s < 99.95:
        return f"{s:.1f} s"
    minutes, seconds = divmod(round(s), 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def speed(v: float | None) -> str:
    """Tokens per second: "71.2 tok/s", "1,904 tok/s"."""
    if v is None:
        return "—"
    return f"{v:,.0f} tok/s" if v >= 999.5 else f"{v:.1f} tok/s"


def count(n: int | None) -> str:
    """A whole number: "1,950"."""
    return "—" if n is None else f"{n:,}"
