"""The sentences: every failure and every verdict has one of its own, filled in with its facts."""

from __future__ import annotations

import pytest

from vibedesk.engine import errors
from vibedesk.engine.check import VERDICTS, CheckResult
from vibedesk.engine.errors import (
    BadRequest,
    ConnectionRefused,
    Cut,
    EmptyAnswer,
    EngineError,
    GatewayError,
    InvalidKey,
    KeyBoundElsewhere,
    Misconfigured,
    ModelNotFound,
    NameNotFound,
    NoKey,
    NotThisApi,
    OwnLimit,
    RateLimited,
    RetiredModel,
    TimedOut,
    TlsUntrusted,
    UnknownProvider,
)
from vibedesk.engine.types import Limits, Provider
from vibedesk.failure_sentences import Words
from vibedesk.wording import verdict_words, words_for

ACTIONS = {
    "open_keys",
    "add_key",
    "use_another_model",
    "retry",
    "shorten",
    "open_settings",
    "open_billing",
    "none",
}
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EngineError)]
LAB = Provider(
    id="lab",
    name="Lab server",
    dialect="openai-chat",
    base_url="http://127.0.0.1:9/v1",
    key_url="https://lab.test/keys",
)


def result(verdict: str, error: EngineError | None = None) -> CheckResult:
    return CheckResult(
        key_id="k",
        provider="lab",
        verdict=verdict,
        stage="key",
        error=error,
        http_status=None,
        took_s=0.1,
        models=None,
        stages=(),
        live=(),
        limits={},
    )


def said(words: Words) -> str:
    return f"{words.sentence} {words.fix}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_kind_of_failure_has_whole_sentences_without_any_fact(kind: type[EngineError]) -> None:
    words = words_for(kind())
    assert 1 <= len(words.title.split()) <= 6
    assert words.sentence[0].isupper()
    assert words.sentence.endswith(".")
    assert words.fix.endswith((".", "?"))
    assert words.action in ACTIONS
    assert "None" not in said(words)
    assert "  " not in said(words)
    assert "!" not in said(words) + words.title


def test_every_leaf_of_the_error_tree_has_a_sentence_of_its_own() -> None:
    leaves = [kind for kind in KINDS if not kind.__subclasses__()]
    sentences = [words_for(kind()).sentence for kind in leaves]
    assert len(set(sentences)) == len(leaves)


def test_five_failures_are_five_different_true_sentences() -> None:
    failures: list[EngineError] = [
        InvalidKey(key="work …a1b2", status=401),
        NameNotFound(host="api.lab.test"),
        NotThisApi(title="Sign in", status=200),
        Cut(),
        EmptyAnswer(),
    ]
    sentences = [words_for(failure, provider_name="Lab server").sentence for failure in failures]
    assert len(set(sentences)) == 5
    assert "work …a1b2" in sentences[0]
    assert "api.lab.test" in sentences[1]
    assert "Sign in" in sentences[2]
    assert "before Lab server had finished" in sentences[3]
    assert "without a word" in sentences[4]


@pytest.mark.parametrize("timer", ["connect", "first_token", "idle", "total"])
def test_each_timer_says_what_it_waited_for(timer: str) -> None:
    others = {"connect", "first_token", "idle", "total"} - {timer}
    own = words_for(TimedOut(timer=timer, host="h", limit_s=60)).sentence
    assert own not in {words_for(TimedOut(timer=other, host="h", limit_s=60)).sentence for other in others}
    assert "60 s" in own


@pytest.mark.parametrize(
    "fault",
    ["gateway", "token", "slug", "rate_limit", "upstream", "guardrail", "credit", "provider_key"],
)
def test_each_fault_of_the_gateway_has_its_own_sentence_with_its_code(fault: str) -> None:
    words = words_for(GatewayError(fault=fault, code="2009"))
    assert words.sentence != words_for(GatewayError(code="2009")).sentence
    assert "gateway" in words.sentence
    assert "2009" in words.sentence


@pytest.mark.parametrize("fault", ["expired", "wrong_name", "no_tls", "hung_up"])
def test_each_fault_of_a_certificate_has_its_own_sentence(fault: str) -> None:
    own = words_for(TlsUntrusted(host="h", fault=fault, names="other.test", until="2026-01-01"))
    assert own.sentence != words_for(TlsUntrusted(host="h")).sentence
    assert own.sentence.endswith("the key was not sent.")


def test_a_rate_limit_says_when_to_try_again() -> None:
    assert "in 12 s" in words_for(RateLimited(retry_after_s=12.0)).fix
    assert "later" in words_for(RateLimited()).fix
    assert "day" in words_for(RateLimited(scope="day")).sentence


def test_a_days_limit_of_which_no_end_is_known_ends_tomorrow() -> None:
    assert words_for(RateLimited(scope="day")).fix == "Try again tomorrow, or use another model."


def test_grok_and_groq_are_told_apart() -> None:
    for meant in ("groq", "grok"):
        fix = words_for(UnknownProvider(provider="grogk", suggestion=meant)).fix
        assert f"Did you mean {meant}?" in fix
        assert "xAI" in fix
    assert "xAI" in words_for(ModelNotFound(provider="groq", model="grok-4.7")).fix
    assert "xAI" not in words_for(ModelNotFound(provider="groq", model="llama")).fix


def test_a_name_near_another_is_suggested() -> None:
    assert words_for(UnknownProvider(provider="opnai", suggestion="openai")).fix == "Did you mean openai?"


def test_facts_reach_the_sentence() -> None:
    assert "Groq" in words_for(NoKey(provider="groq"), provider_name="Groq").sentence
    assert "new-one" in words_for(RetiredModel(model="old", replacement="new-one")).fix
    assert "“top_p”" in words_for(BadRequest(parameter="top_p")).sentence
    assert "Corp CA" in words_for(TlsUntrusted(host="h", issuer="Corp CA")).sentence
    assert "https://a.test" in words_for(KeyBoundElsewhere(origin="https://a.test", host="b.test")).sentence
    assert (
        words_for(Misconfigured("the base URL holds a password")).sentence == "The base URL holds a password."
    )
    assert "127.0.0.1" in words_for(ConnectionRefused(host="127.0.0.1")).sentence


def test_a_redirect_is_not_called_a_web_page() -> None:
    assert (
        "redirect to elsewhere.test" in words_for(NotThisApi(redirect=True, host="elsewhere.test")).sentence
    )


def test_facts_with_braces_are_only_text() -> None:
    assert "{evil.__class__}" in words_for(NameNotFound(host="{evil.__class__}")).sentence


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_a_message_and_all_but_ready_a_fix(verdict: str) -> None:
    message, fix = verdict_words(result(verdict), LAB)
    assert message.endswith(".")
    assert "{" not in message + fix
    assert bool(fix) == (verdict != "ready")


def test_no_two_verdicts_read_the_same() -> None:
    messages = [verdict_words(result(verdict), LAB)[0] for verdict in VERDICTS]
    assert len(set(messages)) == len(VERDICTS)


def test_a_refused_check_names_host_and_port() -> None:
    message, _ = verdict_words(result("refused"), LAB)
    assert "127.0.0.1:9" in message


@pytest.mark.parametrize("limit", Limits.__struct_fields__)
def test_the_users_own_limit_is_never_called_the_providers(limit: str) -> None:
    words = words_for(OwnLimit(limit=limit, retry_after_s=12.0, key="work …a1b2"), provider_name="Lab server")
    assert "you set for the key work …a1b2" in words.sentence
    assert "Lab server" not in said(words)
    assert words.action == "open_keys"
