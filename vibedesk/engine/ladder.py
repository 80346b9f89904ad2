"""The climb: from a state and what happened to the next state and what is to be done. Pure, and the only place that
decides: the live ask, the explanation and the tests all run it.

No clock, no chance, no network: every event brings its time and its luck.
"""

from __future__ import annotations

from msgspec.structs import replace

from vibedesk.engine import errors
from vibedesk.engine.blame import blamed, called_back, ended, praised
from vibedesk.engine.climb import (
    Begun,
    Climb,
    Completed,
    Due,
    Failed,
    Finish,
    Happening,
    Left,
    Moment,
    Remember,
    Resume,
    Sleep,
    State,
    Woke,
)
from vibedesk.engine.errors import EngineError
from vibedesk.engine.onward import (
    SOON_S,
    Decision,
    after_pause,
    alone_after,
    changed,
    finished,
    late,
    onward,
    pause_of,
    sent_to,
    slept,
    with_climb,
    worth_waiting,
)
from vibedesk.engine.policy import DROPS_CAP, HINT_CAP_S, Rule, hint_of, refuses_the_value, rule_of
from vibedesk.engine.reach import sharing, spent_by
from vibedesk.engine.standing import own_limit_of, standing_of, worn, worn_out
from vibedesk.engine.world import target_of

RESUMES = 2
"""How often the rest of one answer is asked for."""


def decide(state: State, event: Happening) -> Decision:
    """The last effect is one `Send`, one `Sleep` or the `Finish`; after `Left` there is none."""
    match event:
        case Begun():
            return onward(state, event, None)
        case Woke():
            return _woken(state, event)
        case Failed():
            return _failed(state, event)
        case Completed():
            state = ended(state, event.use)
            return replace(state, world=praised(state, event)), (Finish("complete"),)
        case Left():
            state = ended(state, event.use)
            return (replace(state, world=called_back(state)) if state.climb.position >= 0 else state), ()


# A failure


def _failed(state: State, event: Failed) -> Decision:
    error, climb = event.error, state.climb
    rule = rule_of(error, fallback_on_policy=climb.terms.fallback_on_policy)
    state = ended(state, event.use)
    state = State(blamed(state, event, rule), _noted(state.climb, event, rule))
    if _can_drop(state.climb, event):
        return _without_parameter(state, event)
    if event.shown and state.climb.terms.on_cut != "restart":
        return _resumed(state, event, rule)
    if event.shown:
        state = with_climb(state, cut=_break(state.climb, event))
    return _next(state, event, rule)


def _noted(climb: Climb, event: Failed, rule: Rule) -> Climb:
    deployment = climb.rungs[climb.position].deployment
    refused = {**dict(climb.refused), climb.position: event.error}
    unreached, reached = climb.unreached, climb.reached
    if rule.unreached:
        unreached |= frozenset() if deployment.provider.local else {deployment.provider.id}
    elif not isinstance(event.error, errors.NotAsked):
        reached = True
    return replace(climb, refused=tuple(refused.items()), unreached=unreached, reached=reached, probes=False)


def _can_drop(climb: Climb, event: Failed) -> bool:
    parameter = event.parameter
    known = climb.dropped
    if event.spoke:  # what is shown is not taken back for it
        return False
    return bool(parameter) and parameter not in known and len(known) < DROPS_CAP and not late(climb, event)


def _without_parameter(state: State, event: Failed) -> Decision:
    """The same once more without what was refused; it does not count as a try of its own. What was refused for its
    value alone is sent again the next time."""
    climb = state.climb
    position, dropped = climb.position, (*climb.dropped, event.parameter)
    tries = changed(climb.tries, position, climb.tries[position] - 1)
    state = with_climb(state, dropped=dropped, tries=tries)
    state, send = sent_to(
        state, event, Due(position, f"again without {event.parameter}", resume=climb.resume)
    )
    if refuses_the_value(event.error):
        return state, (send,)
    return state, (Remember(position, event.parameter), send)


def _resumed(state: State, event: Failed, rule: Rule) -> Decision:
    """Some of the answer stands: its rest, of the same model alone, or nothing more."""
    climb = state.climb
    state = with_climb(state, cut=_break(climb, event))
    keeps = climb.terms.on_cut == "keep" or not event.resumable or climb.resumes >= RESUMES
    refused_way = climb.resume == "prefill" and event.error.kind in ("bad_request", "unsupported")
    if keeps or (rule.stop and not refused_way) or late(climb, event) or worn_out(climb, climb.position):
        return finished(state, event)
    way: Resume = "overlap" if refused_way or climb.resume == "overlap" else event.resumable
    state = with_climb(state, resumes=climb.resumes + 1)
    due = Due(climb.position, f"continued after {_break(climb, event).kind}", resume=way)
    pause = 0.0 if event.error.kind in ("cut", "timed_out", "unsupported") else pause_of(state, event)
    return after_pause(state, event, due, pause)


def _break(climb: Climb, event: Failed) -> EngineError:
    """What broke off the words that stand there."""
    return event.error if event.spoke or climb.cut is None else climb.cut


def _next(state: State, event: Failed, rule: Rule) -> Decision:
    """The same again, somebody else, or the end."""
    climb, position = state.climb, state.climb.position
    if rule.stop or late(climb, event):
        return finished(state, event)
    others = _somebody_else(state, event, rule)
    if not _again(state, event, rule, others=others):
        spends = not rule.cools or rule.cools == "account" or climb.tries[position] > rule.again
        state = with_climb(state, spent=climb.spent | (spent_by(state, rule) if spends else frozenset()))
        return onward(state, event, event.error)
    at_once = rule.at_once and climb.tries[position] == 1
    due = Due(position, f"again after {event.error.kind}", resume=climb.resume)
    return after_pause(state, event, due, 0.0 if at_once else pause_of(state, event))


def _again(state: State, event: Failed, rule: Rule, *, others: bool) -> bool:
    """Whether the same is worth another request, now or after its pause."""
    climb, position = state.climb, state.climb.position
    tries = climb.tries[position]
    most = rule.again - (1 if others and rule.patient else 0)
    if tries > most or worn_out(climb, position):
        return False
    if others and (rule.cools or event.shown):
        return False
    if others and worn(state.world, target_of(climb.rungs[position].deployment), event.now):
        return False
    if event.error.facts.get("scope") == "day" and hint_of(event.error) is None:
        return False
    pause = 0.0 if rule.at_once and tries == 1 else pause_of(state, event)
    return pause <= HINT_CAP_S and event.elapsed_s + pause < climb.total_s


def _somebody_else(state: State, event: Failed, rule: Rule) -> bool:
    """Another rung that this failure does not touch could be asked at once."""
    climb = state.climb
    gone = climb.spent | spent_by(state, rule)
    if rule.cools:
        gone |= sharing(state, rule)
    for position in range(climb.position + 1, len(climb.rungs)):
        if position not in gone and standing_of(state, position, event.now).hurdle in ("", "own_limit"):
            return True
    return False


def _woken(state: State, event: Moment) -> Decision:
    due = state.climb.due
    if due is None:
        return onward(state, event, None)
    if not due.checked:
        state, send = sent_to(state, event, due)
        return state, (send,)
    now = max(event.now, state.climb.floor)
    standing = own_limit_of(state, due.position, now)
    if standing.hurdle == "":
        state, send = sent_to(state, event, due)
        return state, (send,)
    alone = alone_after(state, due.position, now)
    if worth_waiting(state.climb, event, standing, now, own=not alone) and standing.error is not None:
        seconds = max((standing.until or now) - now, SOON_S)
        return slept(state, event, due, seconds), (Sleep(seconds, standing.error, told=True),)
    state = with_climb(state, position=due.position, due=None, spent=state.climb.spent | {due.position})
    return onward(state, event, standing.error)
