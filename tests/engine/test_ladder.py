"""Deciding, as pure functions: every row of the matrix, breakers, keys and scopes, own limits; no socket, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from vibedesk.engine import errors
from vibedesk.engine.allowance import Use, Uses
from vibedesk.engine.climb import (
    Begun,
    Completed,
    Effect,
    Failed,
    Fall,
    Finish,
    Left,
    Remember,
    Send,
    Sleep,
    State,
    Woke,
    climb_of,
)
from vibedesk.engine.errors import EngineError
from vibedesk.engine.ladder import decide
from vibedesk.engine.policy import (
    ATTEMPTS_CAP,
    HINT_CAP_S,
    NO_CREDIT_S,
    OWN_WAIT_S,
    backoff,
    hint_of,
    pause_after,
)
from vibedesk.engine.types import ApiKey, Deployment, Gateway, Limits, Model, Provider, Rung, Terms, Traits
from vibedesk.engine.world import World, fresh_network, heard, lasting, revived, target_of

NOON = 1_795_000_000.0


def rung(provider: str = "a", model: str = "m", key: str = "k1", **more: Any) -> Rung:
    """One way to answer. `scope`, `limits`: the key's; `window`, `prefill`: the model's; `local`: the provider's."""
    place = Provider(
        id=provider,
        name=provider,
        dialect="openai-chat",
        base_url=f"https://{provider}.test/v1",
        local=more.get("local", False),
    )
    known = ApiKey(
        id=f"{provider}-{key}",
        provider=provider,
        label=key,
        hint="…",
        source="vault",
        origin=f"https://{provider}.test",
        scope=more.get("scope", ""),
        limits=more.get("limits", Limits()),
    )
    asked = Model(
        provider=provider,
        id=model,
        name=model,
        context_window=more.get("window"),
        traits=Traits(prefill=more.get("prefill", False)),
    )
    return Rung(
        deployment=Deployment(provider=place, model=asked, key=known, via="direct"),
        reason="",
        obstacle=more.get("obstacle"),
        terms=more.get("terms", Terms()),
    )


class Ask:
    """One ask over a world that may be handed on. Time passes only where it is said, and while sleeping."""

    def __init__(
        self, rungs: Sequence[Rung], world: World | None = None, now: float = NOON, **more: Any
    ) -> None:
        self.state = State(world or World(), climb_of(rungs, **more))
        self.now, self.began = now, now
        self.sent: list[int] = []
        self.slept: list[float] = []
        self.falls: list[Fall] = []
        self.rules: list[str] = []
        self.effects = self.take(Begun(**self.moment()))

    @property
    def world(self) -> World:
        return self.state.world

    @property
    def end(self) -> Finish | None:
        last = self.effects[-1] if self.effects else None
        return last if isinstance(last, Finish) else None

    def moment(self) -> dict[str, float]:
        return {"now": self.now, "elapsed_s": self.now - self.began}

    def take(self, event: Any) -> tuple[Effect, ...]:
        self.state, self.effects = decide(self.state, event)
        self.falls += [one for one in self.effects if isinstance(one, Fall)]
        last = self.effects[-1] if self.effects else None
        if isinstance(last, Send):
            self.sent.append(last.position)
            self.rules.append(last.rule)
        if isinstance(last, Sleep):
            self.slept.append(last.seconds)
            self.now += last.seconds
            return self.take(Woke(**self.moment()))
        return self.effects

    def fail(self, error: EngineError, **more: Any) -> Ask:
        self.take(Failed(**self.moment(), error=error, **more))
        return self

    def done(self, use: Use | None = None) -> Ask:
        self.take(Completed(**self.moment(), use=use))
        return self

    def always(self, make: Any) -> Ask:
        """Fails the same way until the end."""
        while self.end is None:
            self.fail(make())
        return self


def ends(ask: Ask) -> tuple[list[int], str, str]:
    assert ask.end is not None
    return ask.sent, ask.end.outcome, ask.end.error.kind if ask.end.error else ""


KEYS = [rung("a", key="k1"), rung("a", key="k2"), rung("b")]
"""Two keys of one provider, of which nobody knows whether they share an account, and somebody else."""
APART = [rung("a", key="k1", scope="x"), rung("a", key="k2", scope="y"), rung("b")]

# kind of failure → what is asked where the first key always fails so, and everybody else answers
MATRIX: list[tuple[str, EngineError, list[int], list[int]]] = [
    ("deadline", errors.TimedOut(timer="total"), [0], [0]),
    ("auth", errors.InvalidKey(status=401), [0, 1], [0, 1]),
    ("leaked", errors.LeakedKey(status=403), [0, 1], [0, 1]),
    ("restricted", errors.Restricted(status=403), [0, 1], [0, 1]),
    ("billing", errors.NoCredit(status=402), [0, 2], [0, 1]),
    ("no free quota", errors.NoCredit(status=429, scope="model"), [0, 2], [0, 1]),
    ("spend limit", errors.SpendLimit(status=429), [0, 2], [0, 1]),
    ("rate limit", errors.RateLimited(status=429, retry_after_s=2.0), [0, 2], [0, 1]),
    ("ramp", errors.RateLimited(status=429, code="slow_down"), [0, 2], [0, 1]),
    ("overloaded", errors.Overloaded(status=529), [0, 0, 2], [0, 0, 2]),
    ("server", errors.ServerError(status=500), [0, 0, 2], [0, 0, 2]),
    ("refused", errors.ConnectionRefused(), [0, 0, 2], [0, 0, 2]),
    ("reset", errors.ConnectionLost(), [0, 0, 2], [0, 0, 2]),
    ("no name", errors.NameNotFound(), [0, 2], [0, 2]),
    ("no connection in time", errors.TimedOut(timer="connect"), [0, 2], [0, 2]),
    ("untrusted", errors.TlsUntrusted(), [0], [0]),
    ("no first token", errors.TimedOut(timer="first_token"), [0, 2], [0, 2]),
    ("stalled", errors.TimedOut(timer="idle"), [0, 2], [0, 2]),
    ("cut", errors.Cut(), [0, 0, 2], [0, 0, 2]),
    ("empty", errors.EmptyAnswer(), [0, 0, 2], [0, 0, 2]),
    ("policy", errors.ContentBlocked(status=400), [0], [0]),
    ("bad request", errors.BadRequest(status=400), [0], [0]),
    ("no such model", errors.ModelNotFound(status=404), [0, 2], [0, 2]),
    ("no such path", errors.NotThisApi(status=404), [0], [0]),
    ("a portal", errors.NotThisApi(status=200), [0, 2], [0, 2]),
    ("too large", errors.TooLarge(status=413), [0, 2], [0, 2]),
    ("too long a body", errors.AnswerTooLong(), [0], [0]),
    ("region", errors.RegionBlocked(status=403), [0, 2], [0, 2]),
    ("gateway upstream", errors.GatewayError(fault="upstream"), [0, 0, 2], [0, 0, 2]),
    ("guardrail", errors.GatewayError(fault="guardrail"), [0], [0]),
    ("vault locked", errors.SecretUnavailable(), [0, 1], [0, 1]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "shared", "apart"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX]
)
def test_every_row_of_the_matrix(error: EngineError, shared: list[int], apart: list[int]) -> None:
    for rungs, expected in ((KEYS, shared), (APART, apart)):
        ask = Ask(rungs)
        while ask.end is None:
            if ask.sent[-1] == 0:
                ask.fail(error)
            else:
                ask.done()
        assert ask.sent == expected
        assert ask.end.outcome == ("failed" if expected == [0] else "complete")


# alone on its route: how often it is asked
ALONE: list[tuple[EngineError, int]] = [
    (errors.Overloaded(), 3),
    (errors.ServerError(), 3),
    (errors.ConnectionLost(), 3),
    (errors.ConnectionRefused(), 3),
    (errors.NameNotFound(), 2),
    (errors.TimedOut(timer="connect"), 2),
    (errors.TimedOut(timer="first_token"), 1),
    (errors.TimedOut(timer="idle"), 1),
    (errors.Cut(), 2),
    (errors.EmptyAnswer(), 2),
    (errors.InvalidKey(), 1),
    (errors.NoCredit(), 1),
    (errors.RateLimited(retry_after_s=2.0), 3),
    (errors.RateLimited(), 3),
    (errors.RateLimited(retry_after_s=HINT_CAP_S + 1), 1),
    (errors.RateLimited(code="slow_down"), 3),
    (errors.Overloaded(retry_after_s=120.0), 1),
    (errors.ModelNotFound(), 1),
    (errors.BadRequest(), 1),
]


@pytest.mark.parametrize(("error", "count"), ALONE, ids=[f"{e.kind} {n}" for e, n in ALONE])
def test_alone_it_is_asked_so_often_and_never_waited_for_after_the_last_time(
    error: EngineError, count: int
) -> None:
    ask = Ask([rung()]).always(lambda: error)
    assert ends(ask) == ([0] * count, "failed", error.kind)
    assert len(ask.slept) < count or count == 1
    assert len(ask.slept) <= count - 1


def test_waits_follow_the_servers_word_and_grow_without_one() -> None:
    assert Ask([rung()]).always(lambda: errors.RateLimited(retry_after_s=7.0)).slept == pytest.approx(
        [7.0, 7.0]
    )
    assert Ask([rung()]).always(errors.ServerError).slept == pytest.approx([0.5, 1.0])
    ramp = Ask([rung()]).always(lambda: errors.RateLimited(code="slow_down")).slept
    assert 15 <= ramp[0] < 20 <= ramp[1] < 40


def test_a_wait_past_the_total_time_is_not_begun() -> None:
    assert ends(Ask([rung()], total_s=5.0).always(lambda: errors.RateLimited(retry_after_s=9.0)))[0] == [0]


@pytest.mark.parametrize("hint", [float("nan"), float("inf"), -3.0, 0.0, 1e9])
def test_nonsense_is_no_hint(hint: float) -> None:
    assert hint_of(errors.RateLimited(retry_after_s=hint)) is None
    assert 0 < pause_after(errors.RateLimited(retry_after_s=hint), 0, 0.5) <= 8


def test_the_pause_doubles_and_ends_at_eight_seconds() -> None:
    assert [backoff(n, None, 0.5) for n in range(6)] == pytest.approx([0.5, 1, 2, 4, 8, 8])
    assert backoff(3, None, 0.0) == pytest.approx(3.2)
    assert backoff(3, None, 1.0) == pytest.approx(4.8)


# Windows, policies, parameters


def test_an_overflow_tries_only_larger_windows() -> None:
    rungs = [rung("a", "small", window=8_000), rung("b", "same", window=8_000), rung("c", "unknown"), rung("d", "large", window=32_000)]  # fmt: skip # noqa: E501
    ask = Ask(rungs).fail(errors.ContextOverflow(window=8_000))
    assert ask.sent == [0, 3]
    assert ends(ask.fail(errors.ContextOverflow()))[1:] == ("failed", "context_overflow")


def test_a_refusal_by_policy_is_carried_on_only_where_the_route_says_so() -> None:
    terms = Terms(fallback_on_policy=True)
    rungs = [rung("a", terms=terms), rung("a", key="k2", terms=terms), rung("b", terms=terms)]
    assert Ask(rungs).fail(errors.ContentBlocked()).sent == [0, 2]


def test_a_refused_parameter_is_left_out_once_each_and_three_at_most() -> None:
    ask = Ask([rung(), rung("b")])
    for name in ("x", "y", "z"):
        ask.fail(errors.BadRequest(parameter=name), parameter=name)
    assert ask.sent == [0, 0, 0, 0]
    assert ask.rules[1:] == ["again without x", "again without y", "again without z"]
    assert ends(ask.fail(errors.BadRequest(parameter="w"), parameter="w"))[1] == "failed"
    again = Ask([rung()]).fail(errors.BadRequest(), parameter="x").fail(errors.BadRequest(), parameter="x")
    assert ends(again)[0] == [0, 0]


@pytest.mark.parametrize(
    ("refusal", "remembered"),
    [
        ("Unsupported parameter: 'x' is not supported with this model.", True),
        ("`x` must be less than or equal to `32768`", False),
        ("x must be between 0 and 1", False),
        ("x is too large: 40000. This model supports at most 16384 tokens", False),
        ("integer_above_max_value", False),
    ],
)
def test_a_parameter_refused_for_its_value_alone_is_sent_again_the_next_time(
    refusal: str, remembered: bool
) -> None:
    ask = Ask([rung()]).fail(errors.BadRequest(provider_message=refusal, parameter="x"), parameter="x")
    assert ask.sent == [0, 0]
    assert any(isinstance(effect, Remember) for effect in ask.effects) is remembered


@pytest.mark.parametrize("on_cut", ["keep", "continue", "restart"])
def test_for_a_refused_parameter_no_words_are_taken_back(on_cut: Any) -> None:
    ask = Ask([rung(terms=Terms(on_cut=on_cut))])
    ask.fail(errors.BadRequest(parameter="x"), parameter="x", shown=True, spoke=True, resumable="overlap")
    assert ends(ask)[:2] == ([0], "cut")


# Caps


@given(data=some.data(), count=some.integers(1, 8))
def test_no_ask_costs_more_than_twelve_requests_or_outlasts_its_time(
    data: some.DataObject, count: int
) -> None:
    kinds = [row[1] for row in MATRIX]
    terms = Terms(on_cut=data.draw(some.sampled_from(["keep", "continue", "restart"])))
    rungs = [rung(data.draw(some.sampled_from("abc")), data.draw(some.sampled_from("mn")), data.draw(some.sampled_from(["k1", "k2"])), terms=terms) for _ in range(count)]  # fmt: skip # noqa: E501
    ask = Ask(rungs, total_s=100.0)
    shown = False
    while ask.end is None:
        shown = shown or data.draw(some.booleans())
        error = data.draw(some.sampled_from(kinds))
        ask.fail(error, shown=shown, resumable="overlap" if shown else "")
    assert len(ask.sent) <= ATTEMPTS_CAP
    assert sum(ask.slept) <= 100.0
    assert ask.end.outcome == ("cut" if shown else "failed")


# Breakers


def outage(asks: int, every_s: float, rungs: Sequence[Rung], error: Any) -> tuple[int, World]:
    world, primary = World(), 0
    for turn in range(asks):
        ask = Ask(rungs, world, NOON + turn * every_s)
        while ask.end is None:
            ask.fail(error()) if ask.sent[-1] == 0 else ask.done()
        primary += ask.sent.count(0)
        world = ask.world
    return primary, world


@pytest.mark.parametrize("error", [errors.Overloaded, errors.ServerError, errors.ConnectionRefused, lambda: errors.TimedOut(timer="first_token"), errors.Cut])  # fmt: skip # noqa: E501
@pytest.mark.parametrize("every_s", [0.1, 1.0])
def test_fifteen_asks_cost_a_dead_primary_six_requests_at_most(error: Any, every_s: float) -> None:
    primary, world = outage(15, every_s, [rung("a"), rung("b")], error)
    assert primary <= 6
    assert world.breakers[target_of(rung("a").deployment)].opens >= 1


def test_one_probe_leaves_when_the_rest_is_over_and_closes_it_or_opens_it_for_longer() -> None:
    rungs = [rung("a"), rung("b")]
    _, world = outage(2, 0.1, rungs, errors.ServerError)
    probe = Ask(rungs, world, NOON + 10)
    other = Ask(rungs, probe.world, NOON + 10)
    assert (probe.sent, other.sent) == ([0], [1])
    assert Ask(rungs, probe.done().world, NOON + 11).sent == [0]
    worse = Ask(rungs, world, NOON + 10).fail(errors.ServerError())
    assert worse.sent == [0, 1]
    assert Ask(rungs, worse.world, NOON + 17).sent == [1]
    assert Ask(rungs, worse.world, NOON + 23).sent == [0]


def test_a_probe_that_was_stopped_lets_the_next_one_through() -> None:
    rungs = [rung("a"), rung("b")]
    _, world = outage(2, 0.1, rungs, errors.ServerError)
    probe = Ask(rungs, world, NOON + 10)
    probe.take(Left(**probe.moment()))
    assert Ask(rungs, probe.world, NOON + 10).sent == [0]


def test_who_is_stopped_while_it_waits_takes_no_probe_back_that_is_another_s() -> None:
    rungs = [rung("a"), rung("b")]
    _, world = outage(2, 0.1, rungs, errors.ServerError)
    alone = Ask([rung("a")], world, NOON + 10)
    refused = Failed(**alone.moment(), error=errors.RateLimited(retry_after_s=1.0))
    waiting, (*_, last) = decide(alone.state, refused)
    assert isinstance(last, Sleep)
    free = replace(waiting.world, cooled={})
    probe = Ask(rungs, free, NOON + 12)
    assert probe.sent == [0]
    gone, _ = decide(State(probe.world, waiting.climb), Left(**alone.moment()))
    assert Ask(rungs, gone.world, NOON + 12).sent == [1]


def test_who_is_alone_is_asked_though_it_rests() -> None:
    _, world = outage(2, 0.1, [rung("a"), rung("b")], errors.ServerError)
    assert Ask([rung("a")], world, NOON + 1).sent == [0]


def test_what_the_user_or_the_key_is_to_blame_for_opens_no_breaker() -> None:
    for error in (errors.BadRequest(), errors.InvalidKey(), errors.RateLimited(), errors.ContentBlocked(), errors.ContextOverflow()):  # fmt: skip # noqa: E501
        world = World()
        for _ in range(6):
            ask = Ask([rung("a"), rung("b")], world)
            while ask.end is None:
                ask.fail(error) if ask.sent[-1] == 0 else ask.done()
            world = ask.world
        assert target_of(rung("a").deployment) not in world.breakers


def test_another_network_closes_every_breaker_and_leaves_what_was_said_of_keys() -> None:
    _, world = outage(3, 0.1, [rung("a"), rung("b")], errors.ServerError)
    world = Ask([rung("a")], world).fail(errors.InvalidKey()).world
    fresh = fresh_network(world)
    assert fresh.breakers == {}
    assert fresh.dead == world.dead != {}


def test_what_lasts_says_nothing_of_requests_under_way() -> None:
    _, world = outage(2, 0.1, [rung("a"), rung("b")], errors.ServerError)
    probe = Ask([rung("a", limits=Limits(concurrent=1)), rung("b")], world, NOON + 10)
    assert Ask([rung("a"), rung("b")], lasting(probe.world), NOON + 10).sent == [0]
    assert lasting(probe.world).uses == {}


# Offline


def test_no_network_is_said_once_and_is_nobodys_fault() -> None:
    ask = Ask([rung("a"), rung("b"), rung("c")]).always(errors.NameNotFound)
    assert ends(ask)[1:] == ("failed", "offline")
    assert ask.world.breakers == {}
    alone = Ask([rung("a")]).always(lambda: errors.Unreachable(no_network=True))
    assert ends(alone)[2] == "offline"


def test_a_server_on_this_machine_that_does_not_run_says_nothing_of_the_network() -> None:
    ask = Ask([rung("a"), rung("b"), rung("home", local=True)])
    ask.fail(errors.NameNotFound()).fail(errors.NameNotFound()).always(errors.ConnectionRefused)
    assert ends(ask)[1:] == ("failed", "offline")


def test_one_provider_that_cannot_be_reached_is_not_the_network() -> None:
    assert ends(Ask([rung("a")]).always(errors.ConnectionRefused))[2] == "refused"
    ask = Ask([rung("a"), rung("b")])
    ask.fail(errors.NameNotFound()).fail(errors.InvalidKey())
    assert ends(ask)[2] == "invalid_key"


def test_without_a_network_each_is_tried_once_and_whoever_runs_on_this_machine_answers() -> None:
    ask = Ask([rung("a"), rung("b"), rung("home", local=True)])
    ask.fail(errors.Unreachable(no_network=True)).fail(errors.Unreachable(no_network=True))
    assert ask.sent == [0, 1, 2]
    assert ends(ask.done())[1] == "complete"


# Keys and scopes


def test_a_dead_key_is_passed_over_until_it_is_another_one() -> None:
    world = Ask([rung("a"), rung("b")]).fail(errors.InvalidKey()).world
    later = Ask([rung("a"), rung("b")], world)
    assert later.sent == [1]
    assert later.falls[0].error.kind == "invalid_key"
    assert later.falls[0].error.facts["remembered"]
    assert Ask([rung("a"), rung("b")], revived(world, "a-k1")).sent == [0]
    edited = rung("a")
    edited = replace(
        edited, deployment=replace(edited.deployment, key=replace(edited.deployment.key, hint="new"))
    )
    assert Ask([edited, rung("b")], world).sent == [0]


def test_a_dead_key_that_is_the_only_one_is_asked_all_the_same_and_lives_when_it_answers() -> None:
    world = Ask([rung("a")]).fail(errors.InvalidKey()).world
    ask = Ask([rung("a")], world)
    assert ask.sent == [0]
    assert ask.done().world.dead == {}


def test_a_model_that_a_key_may_not_use_stays_so_when_the_key_answers_elsewhere() -> None:
    rungs = [rung("a", "dear"), rung("a", "cheap")]
    world = Ask(rungs).fail(errors.Restricted(status=403)).done().world
    assert Ask(rungs, world).sent == [1]
    alone = Ask([rung("a", "dear")], world)
    assert alone.sent == [0]
    assert Ask(rungs, alone.done().world).sent == [0]


def test_an_account_without_credit_is_let_in_again_when_a_check_finds_its_key_good() -> None:
    world = Ask([rung("a"), rung("b")]).fail(errors.NoCredit()).world
    assert Ask([rung("a"), rung("b")], world).sent == [1]
    assert Ask([rung("a"), rung("b")], revived(world, "a-k1")).sent == [0]


def test_a_cooled_scope_is_passed_over_by_later_asks_until_it_is_warm() -> None:
    world = Ask([rung("a"), rung("b")]).fail(errors.RateLimited(retry_after_s=20.0)).world
    assert Ask(KEYS, world, NOON + 5).sent == [2]
    assert Ask([rung("a", "other"), rung("b")], world, NOON + 5).sent == [0]
    assert Ask(KEYS, world, NOON + 21).sent == [0]


def test_a_model_without_free_quota_is_left_aside_and_its_account_is_not() -> None:
    ask = Ask([rung("a"), rung("a", "other"), rung("b")]).fail(errors.NoCredit(status=429, scope="model"))
    assert ask.sent == [0, 1]
    later = Ask(KEYS, ask.world, NOON + 5)
    assert later.sent == [2]
    assert {fall.error.facts["scope"] for fall in later.falls} == {"model"}
    assert Ask([rung("a", "other"), rung("b")], ask.world, NOON + 5).sent == [0]
    assert Ask(KEYS, ask.world, NOON + NO_CREDIT_S + 1).sent == [0]
    assert Ask([rung("a"), rung("a", "other"), rung("b")]).fail(errors.NoCredit(status=429)).sent == [0, 2]


def test_who_is_cooled_and_alone_is_waited_for_with_a_countdown() -> None:
    world = Ask([rung("a"), rung("b")]).fail(errors.RateLimited(retry_after_s=20.0)).world
    ask = Ask([rung("a")], world, NOON + 5)
    assert (ask.sent, ask.slept) == ([0], pytest.approx([15.0]))


def test_a_gateway_that_refuses_for_the_rate_is_gone_round() -> None:
    front = Gateway(account="acc", name="gw", token=rung().deployment.key)  # type: ignore[arg-type]
    through = [replace(one, deployment=replace(one.deployment, via="gateway", gateway=front)) for one in (rung("a"), rung("b"))]  # fmt: skip # noqa: E501
    limited = errors.GatewayError(fault="rate_limit", retry_after_s=30.0)
    ask = Ask([*through, rung("c")]).fail(limited)
    assert ask.sent == [0, 2]
    assert Ask([through[1], rung("c")], ask.world, NOON + 5).sent == [1]
    token = Ask([*through, rung("c")]).fail(errors.GatewayError(fault="token"))
    assert token.sent == [0, 2]


def test_the_end_of_a_day_is_midnight_where_the_provider_is() -> None:
    limited = errors.RateLimited(scope="day", provider="google-ai-studio")
    world = Ask([rung("google-ai-studio"), rung("b")]).fail(limited).world
    [out] = world.cooled.values()
    assert out.until is not None
    assert (out.until - 8 * 3600) % 86_400 == 0 or (out.until - 7 * 3600) % 86_400 == 0
    assert 0 < out.until - NOON <= 86_400


def test_what_a_day_allows_is_not_asked_for_again_before_the_day_is_over() -> None:
    limited = errors.RateLimited(status=429, scope="day", provider="google-ai-studio")
    ask = Ask([rung("google-ai-studio")]).fail(limited)
    assert (ends(ask), ask.slept) == (([0], "failed", "rate_limited"), [])
    told = errors.RateLimited(status=429, scope="day", retry_after_s=8.0)
    assert Ask([rung()]).fail(told).slept == [8.0]


def test_an_organisation_named_by_headers_tells_keys_apart() -> None:
    world = World()
    for one, organisation in ((KEYS[0], "org-1"), (KEYS[1], "org-2")):
        world = heard(world, one.deployment, {"openai-organization": organisation}, NOON)
    assert Ask(KEYS, world).fail(errors.RateLimited(retry_after_s=20.0)).sent == [0, 1]


def test_counts_that_fall_together_are_one_account() -> None:
    world = heard(World(), KEYS[0].deployment, {"openai-organization": "org-1", "x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "50"}, NOON)  # fmt: skip # noqa: E501
    world = heard(world, KEYS[1].deployment, {"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "49"}, NOON + 1)  # fmt: skip # noqa: E501
    assert world.learned == {"a-k1": "org-1", "a-k2": "org-1"}


# Limits of the user's own


def test_a_full_minute_is_waited_for_with_a_countdown_and_called_the_users_own() -> None:
    limited = [rung("a", limits=Limits(requests_per_minute=1)), rung("b")]
    world = Ask(limited).done(Use(NOON, 10)).world
    ask = Ask(limited, world, NOON + 55)
    assert (ask.sent, ask.slept) == ([0], pytest.approx([5.0]))
    moved_on = Ask(limited, world, NOON + 20)
    assert (moved_on.sent, moved_on.slept) == ([1], [])
    assert moved_on.falls[0].error.kind == "own_limit"


def test_an_own_limit_is_never_overstepped_even_where_nobody_else_is_there() -> None:
    limited = [rung("a", limits=Limits(requests_per_day=1))]
    world = Ask(limited).done(Use(NOON, 10)).world
    assert ends(Ask(limited, world, NOON + 100)) == ([], "failed", "own_limit")


def test_reservations_count_so_that_two_at_once_do_not_overshoot() -> None:
    limited = [rung("a", limits=Limits(tokens_per_minute=1_500)), rung("b")]
    first = Ask(limited, tokens=(200, 800))
    second = Ask(limited, first.world, tokens=(200, 800))
    assert (first.sent, second.sent) == ([0], [1])
    settled = first.done(Use(NOON, 300)).world
    assert Ask(limited, settled, tokens=(200, 800)).sent == [0]


def test_what_was_never_answered_costs_no_allowance() -> None:
    limited = [rung("a", limits=Limits(requests_per_day=1)), rung("b")]
    ask = Ask(limited).fail(errors.ConnectionRefused(), use=None)
    assert ask.sent[:2] == [0, 0]
    stopped = Ask(limited)
    stopped.take(Left(**stopped.moment()))
    assert stopped.world.uses["a-k1"] == Uses()


def test_another_request_under_way_is_waited_for_and_then_somebody_else_is_asked() -> None:
    limited = [rung("a", limits=Limits(concurrent=1)), rung("b")]
    first = Ask(limited)
    second = Ask(limited, first.world)
    assert second.sent == [1]
    assert sum(second.slept) == pytest.approx(OWN_WAIT_S, abs=0.5)


# After the first words


def test_a_cut_is_kept_where_the_route_says_nothing_else() -> None:
    ask = Ask([rung("a"), rung("b")]).fail(errors.Cut(), shown=True, resumable="overlap")
    assert ends(ask) == ([0], "cut", "cut")


def test_a_cut_is_continued_by_the_same_model_alone() -> None:
    terms = Terms(on_cut="continue")
    ask = Ask([rung("a", terms=terms), rung("b", terms=terms)])
    ask.fail(errors.Cut(), shown=True, resumable="overlap")
    assert isinstance(ask.effects[-1], Send)
    assert (ask.sent, ask.effects[-1].resume) == ([0, 0], "overlap")
    ask.fail(errors.Cut(), shown=True, resumable="overlap").fail(
        errors.ServerError(), shown=True, resumable="overlap"
    )
    assert ends(ask) == ([0, 0, 0], "cut", "cut")


def test_a_prefill_that_is_refused_becomes_an_instruction() -> None:
    ask = Ask([rung("a", prefill=True, terms=Terms(on_cut="continue"))])
    ask.fail(errors.Cut(), shown=True, resumable="prefill")
    first = ask.effects[-1]
    ask.fail(errors.BadRequest(), shown=True, resumable="prefill")
    second = ask.effects[-1]
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    assert (first.resume, second.resume) == ("prefill", "overlap")


def test_an_answer_is_begun_anew_by_the_next_where_the_route_says_so() -> None:
    terms = Terms(on_cut="restart")
    ask = Ask([rung("a", terms=terms), rung("b", terms=terms)]).fail(errors.Cut(), shown=True)
    assert (ask.sent, [fall.error.kind for fall in ask.falls]) == ([0, 1], ["cut"])
    assert ends(ask.fail(errors.BadRequest(), shown=True))[1:] == ("cut", "cut")


def test_what_broke_last_is_told_where_its_words_stand() -> None:
    terms = Terms(on_cut="restart")
    rungs = [rung("a", terms=terms), rung("b", terms=terms)]
    silent = Ask(rungs).fail(errors.Cut(), shown=True, spoke=True)
    assert ends(silent.fail(errors.TimedOut(timer="first_token"), shown=True))[1:] == ("cut", "cut")
    spoke = Ask(rungs).fail(errors.Cut(), shown=True, spoke=True)
    assert ends(spoke.fail(errors.TimedOut(timer="idle"), shown=True, spoke=True))[1:] == ("cut", "timed_out")


@pytest.mark.parametrize("on_cut", ["continue", "restart"])
def test_a_refusal_after_the_first_words_is_not_walked_around(on_cut: Any) -> None:
    terms = Terms(on_cut=on_cut)
    ask = Ask([rung("a", terms=terms), rung("b", terms=terms)])
    assert ends(ask.fail(errors.ContentBlocked(), shown=True, resumable="overlap"))[:2] == ([0], "cut")
