"""The climb: from a state and what happened to the next state and what is to be done. Pure, and the only place that
decides: the live ask, the explanation and the tests all run it.

No clock, no chance, no network: every event brings its time and its luck.
"""

from __future__ import annotations

from msgspec.structs import replace

from vibedesk.engine import errors
from vibedesk.engine.blame import blamed, called_back, ended, praised, sent
from vibedesk.engine.climb import (
    Begun,
    Climb,
    Completed,
    Due,
    Effect,
    Failed,
    Fall,
    Finish,
    Happening,
    Left,
    Moment,
    Remember,
    Resume,
    Send,
    Sleep,
    State,
    Woke,
)
from vibedesk.engine.errors import EngineError
from vibedesk.engine.policy import ATTEMPTS_CAP, DROPS_CAP, HINT_CAP_S, OWN_WAIT_S, Rule, pause_after, rule_of
from vibedesk.engine.standing import Standing, own_limit_of, standing_of, worn, worn_out
from vibedesk.engine.types import Deployment
from vibedesk.engine.world import account_of, host_of, target_of

Decision = tuple[State, tuple[Effect, ...]]

RESUMES = 2
"""How often the rest of one answer is asked for."""
_SOON_S = 1e-6


def decide(state: State, event: Happening) -> Decision:
    """The last effect is one `Send`, one `Sleep` or the `Finish`; after `Left` there is none."""
    match event:
        case Begun():
            return _onward(state, event, None)
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
    if event.shown and state.climb.cut is None:
        state = _with(state, cut=error)
    return _next(state, event, rule)


def _noted(climb: Climb, event: Failed, rule: Rule) -> Climb:
    deployment = climb.rungs[climb.position].deployment
    refused = {**dict(climb.refused), climb.position: event.error}
    unreached, reached = climb.unreached, climb.reached
    if rule.unreached and not deployment.provider.local:
        unreached |= {deployment.provider.id}
    elif not isinstance(event.error, errors.NotAsked):
        reached = True
    return replace(climb, refused=tuple(refused.items()), unreached=unreached, reached=reached)


def _can_drop(climb: Climb, event: Failed) -> bool:
    parameter = event.parameter
    known = climb.dropped
    return bool(parameter) and parameter not in known and len(known) < DROPS_CAP and not _late(climb, event)


def _without_parameter(state: State, event: Failed) -> Decision:
    """The same once more without what was refused; it does not count as a try of its own."""
    climb = state.climb
    position, dropped = climb.position, (*climb.dropped, event.parameter)
    tries = _changed(climb.tries, position, climb.tries[position] - 1)
    state = _with(state, dropped=dropped, tries=tries)
    state, send = _sent(state, event, Due(position, f"again without {event.parameter}", resume=climb.resume))
    return state, (Remember(position, event.parameter), send)


def _resumed(state: State, event: Failed, rule: Rule) -> Decision:
    """Some of the answer stands: its rest, of the same model alone, or nothing more."""
    climb = state.climb
    state = _with(state, cut=climb.cut or event.error)
    keeps = climb.terms.on_cut == "keep" or not event.resumable or climb.resumes >= RESUMES
    refused_way = climb.resume == "prefill" and event.error.kind in ("bad_request", "unsupported")
    if keeps or (rule.stop and not refused_way) or _late(climb, event) or worn_out(climb, climb.position):
        return _finish(state, event)
    deployment = climb.rungs[climb.position].deployment
    way: Resume = "prefill" if deployment.model.traits.prefill and not refused_way else "overlap"
    if climb.resume == "overlap":
        way = "overlap"
    state = _with(state, resumes=climb.resumes + 1)
    due = Due(climb.position, f"continued after {_cause(state, event).kind}", resume=way)
    pause = 0.0 if event.error.kind in ("cut", "timed_out", "unsupported") else _pause(state, event)
    return _after(state, event, due, pause)


def _cause(state: State, event: Failed) -> EngineError:
    return state.climb.cut or event.error


def _next(state: State, event: Failed, rule: Rule) -> Decision:
    """The same again, somebody else, or the end."""
    climb, position = state.climb, state.climb.position
    if rule.stop or _late(climb, event):
        return _finish(state, event)
    others = _somebody_else(state, event, rule)
    if not _again(state, event, rule, others=others):
        spends = not rule.cools or rule.cools == "account" or climb.tries[position] > rule.again
        state = _with(state, spent=climb.spent | (_spent(state, rule) if spends else frozenset()))
        if event.error.facts.get("no_network"):
            state = _with(state, spent=state.climb.spent | _remote(state.climb))
        return _onward(state, event, event.error)
    at_once = rule.at_once and climb.tries[position] == 1
    due = Due(position, f"again after {event.error.kind}", resume=climb.resume)
    return _after(state, event, due, 0.0 if at_once else _pause(state, event))


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
    if others and event.error.facts.get("no_network"):
        return False
    pause = 0.0 if rule.at_once and tries == 1 else _pause(state, event)
    return pause <= HINT_CAP_S and event.elapsed_s + pause < climb.total_s


def _somebody_else(state: State, event: Failed, rule: Rule) -> bool:
    """Another rung that this failure does not touch could be asked at once."""
    climb = state.climb
    gone = climb.spent | _spent(state, rule)
    if rule.cools:
        gone |= _sharing(state, rule)
    for position in range(climb.position + 1, len(climb.rungs)):
        if position not in gone and standing_of(state, position, event.now).hurdle in ("", "own_limit"):
            return True
    return False


def _sharing(state: State, rule: Rule) -> frozenset[int]:
    """Rungs that wait with this one: the world has cooled what they share."""
    climb = state.climb
    mine = climb.rungs[climb.position].deployment
    if mine.key is None or rule.cools == "front":
        return frozenset()
    account = account_of(state.world, mine.key)
    return frozenset(
        position
        for position, rung in enumerate(climb.rungs)
        if (key := rung.deployment.key) is not None
        and account_of(state.world, key) == account
        and (rule.cools == "account" or rung.deployment.model.id == mine.model.id)
    )


def _spent(state: State, rule: Rule) -> frozenset[int]:
    """The rungs that are of no use any more after a failure of this kind."""
    climb, position = state.climb, state.climb.position
    mine = climb.rungs[position].deployment
    why = dict(climb.refused).get(position)

    def alike(one: Deployment) -> bool:
        match rule.spent:
            case "key":
                return one.key is not None and mine.key is not None and one.key.id == mine.key.id
            case "target":
                return target_of(one) == target_of(mine)
            case "host":
                return host_of(one) == host_of(mine)
            case "provider":
                return one.provider.id == mine.provider.id
            case "window":
                return not _larger(one, mine, why)
            case "front":
                return one.via == "gateway" and mine.via == "gateway"
        return False

    others = (place for place, rung in enumerate(climb.rungs) if alike(rung.deployment))
    return frozenset({position, *others})


def _larger(one: Deployment, mine: Deployment, error: EngineError | None) -> bool:
    """Its window is known to be larger than the one that was too small."""
    told = error.facts.get("window") if error is not None else None
    small = max(mine.model.context_window or 0, told if isinstance(told, int) else 0)
    return one.model.context_window is not None and one.model.context_window > small


def _remote(climb: Climb) -> frozenset[int]:
    """Everybody who is not on this machine: there is no network to ask them over."""
    return frozenset(n for n, rung in enumerate(climb.rungs) if not rung.deployment.provider.local)


# The next rung


def _onward(state: State, event: Moment, after: EngineError | None) -> Decision:
    """The next rung that can be asked; else the soonest; else one that may well fail; else the end."""
    climb = state.climb
    if after is not None and _late(climb, event):
        return _finish(state, event, after)
    now = max(event.now, climb.floor)
    below = range(climb.position + 1, len(climb.rungs))
    standings = {position: standing_of(state, position, now) for position in below}
    for position, standing in standings.items():
        if standing.hurdle == "":
            return _move(state, event, after, position, standings)
        if standing.hurdle == "own_limit" and _worth_waiting(climb, event, standing, now, own=True):
            return _move(state, event, after, position, standings, wait=standing)
    return _last_resort(state, event, after, now)


def _last_resort(state: State, event: Moment, after: EngineError | None, now: float) -> Decision:
    """Nobody further down is ready. Never "nobody is available" while somebody has not been asked."""
    climb = state.climb
    everybody = range(len(climb.rungs))
    standings = {position: standing_of(state, position, now) for position in everybody}
    unasked = [place for place in everybody if not climb.tries[place]]
    resting = [place for place in unasked if standings[place].hurdle == "rest"]
    if resting:
        soonest = min(resting, key=lambda place: (standings[place].until or now, place))
        return _move(state, event, after, soonest, standings)
    waits = [
        place
        for place in everybody
        if standings[place].hurdle in ("shadow", "own_limit")
        and _worth_waiting(climb, event, standings[place], now)
    ]
    if waits:
        place = min(waits, key=lambda one: (standings[one].until or now, one))
        return _move(state, event, after, place, standings, wait=standings[place])
    shadowed = [place for place in unasked if standings[place].hurdle == "shadow"]
    for place in sorted(shadowed, key=lambda one: (standings[one].until or 0.0, one)):
        if own_limit_of(state, place, now).hurdle == "":
            return _move(state, event, after, place, standings)
    return _finish(state, event, after or _first_hurdle(standings))


def _first_hurdle(standings: dict[int, Standing]) -> EngineError | None:
    """What to say where nobody could be asked: a limit that will pass, else the first rung's."""
    found = [standing for standing in standings.values() if standing.error is not None]
    passing = next((standing for standing in found if standing.hurdle == "own_limit"), None)
    chosen = passing or (found[0] if found else None)
    return chosen.error if chosen is not None else None


def _worth_waiting(climb: Climb, event: Moment, standing: Standing, now: float, *, own: bool = False) -> bool:
    if standing.until is None:
        return False
    wait = standing.until - now
    most = OWN_WAIT_S - climb.own_waited_s if own else HINT_CAP_S
    return wait <= most and event.elapsed_s + wait < climb.total_s


def _move(
    state: State,
    event: Moment,
    after: EngineError | None,
    position: int,
    standings: dict[int, Standing],
    *,
    wait: Standing | None = None,
) -> Decision:
    """Steps to that rung: sends, or waits for it first."""
    climb = state.climb
    falls = _falls(climb, after, position, standings)
    rule = _rule(climb, after, position, falls)
    if wait is None or wait.until is None or wait.error is None:
        state, send = _sent(state, event, Due(position, rule))
        return state, (*falls, send)
    seconds = max(wait.until - max(event.now, climb.floor), _SOON_S)
    checked = wait.hurdle == "own_limit"
    state = _slept(state, event, Due(position, rule, checked=checked), seconds)
    return state, (*falls, Sleep(seconds, wait.error))


def _rule(climb: Climb, after: EngineError | None, position: int, falls: tuple[Fall, ...]) -> str:
    if after is not None and position == climb.position:
        return f"again after {after.kind}"
    if after is not None:
        return f"next after {after.kind}"
    return f"next after {falls[-1].error.kind}" if falls else "first choice"


def _falls(
    climb: Climb, after: EngineError | None, position: int, standings: dict[int, Standing]
) -> tuple[Fall, ...]:
    """One step down for each rung left behind, those that could not be asked included."""
    here = climb.position
    if position == here:
        return ()
    if here >= 0 and position < here:
        return (Fall(after or errors.EngineError(), here, position),)
    told = dict(climb.refused)
    falls = []
    for place in range(max(here, 0), position):
        standing = standings.get(place)
        why = after if place == here else (standing.error if standing else None) or told.get(place) or after
        falls.append(Fall(why or errors.EngineError(), place, place + 1))
    return tuple(falls)


# Sending and waiting


def _woken(state: State, event: Moment) -> Decision:
    due = state.climb.due
    if due is None:
        return _onward(state, event, None)
    if not due.checked:
        state, send = _sent(state, event, due)
        return state, (send,)
    now = max(event.now, state.climb.floor)
    standing = own_limit_of(state, due.position, now)
    if standing.hurdle == "":
        state, send = _sent(state, event, due)
        return state, (send,)
    alone = standing_after(state, due.position, now)
    if _worth_waiting(state.climb, event, standing, now, own=not alone) and standing.error is not None:
        seconds = max((standing.until or now) - now, _SOON_S)
        return _slept(state, event, due, seconds), (Sleep(seconds, standing.error, told=True),)
    state = _with(state, position=due.position, due=None, spent=state.climb.spent | {due.position})
    return _onward(state, event, standing.error)


def standing_after(state: State, position: int, now: float) -> bool:
    """Whether nobody further down could be asked instead."""
    below = range(position + 1, len(state.climb.rungs))
    return not any(standing_of(state, place, now).hurdle == "" for place in below)


def _after(state: State, event: Moment, due: Due, pause: float) -> Decision:
    """The request, once its pause is over."""
    if not pause:
        state, send = _sent(state, event, due)
        return state, (send,)
    error = dict(state.climb.refused)[due.position]
    return _slept(state, event, due, pause), (Sleep(pause, error),)


def _slept(state: State, event: Moment, due: Due, seconds: float) -> State:
    climb = state.climb
    waited = climb.own_waited_s + (seconds if due.checked else 0.0)
    floor = max(event.now, climb.floor) + seconds
    return _with(state, due=due, own_waited_s=waited, floor=floor)


def _sent(state: State, event: Moment, due: Due) -> tuple[State, Send]:
    climb, position = state.climb, due.position
    dropped = climb.dropped if position == climb.position else ()
    state = _with(
        state,
        position=position,
        due=None,
        attempts=climb.attempts + 1,
        tries=_changed(climb.tries, position, climb.tries[position] + 1),
        dropped=dropped,
        resume=due.resume,
    )
    return sent(state, position, event.now), Send(position, due.rule, dropped, due.resume)


def _finish(state: State, event: Moment, error: EngineError | None = None) -> Decision:
    """The end: what had begun and broke is cut, whatever broke it; the text kept is true, and not whole."""
    climb = state.climb
    shown = isinstance(event, Failed) and event.shown
    if climb.cut is not None and shown:
        return state, (Finish("cut", climb.cut),)
    error = error or (event.error if isinstance(event, Failed) else None)
    no_network = error is not None and error.facts.get("no_network")
    if error is not None and not climb.reached and (no_network or len(climb.unreached) > 1):
        error = errors.Offline("nobody could be reached", provider=error.provider, key=error.key)
    return state, (Finish("failed", error),)


def _late(climb: Climb, event: Moment) -> bool:
    return climb.attempts >= ATTEMPTS_CAP or event.elapsed_s >= climb.total_s


def _pause(state: State, event: Failed) -> float:
    return pause_after(event.error, max(state.climb.tries[state.climb.position] - 1, 0), event.luck)


def _with(state: State, **changes: object) -> State:
    return replace(state, climb=replace(state.climb, **changes))


def _changed(tries: tuple[int, ...], position: int, count: int) -> tuple[int, ...]:
    return (*tries[:position], count, *tries[position + 1 :])
