"""From one rung to the next: who is asked, waited for or left out, and when there is nobody left. Pure."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from vibedesk.engine import errors
from vibedesk.engine.blame import sent
from vibedesk.engine.climb import Climb, Due, Effect, Failed, Fall, Finish, Moment, Send, Sleep, State
from vibedesk.engine.errors import EngineError
from vibedesk.engine.policy import ATTEMPTS_CAP, HINT_CAP_S, OWN_WAIT_S, pause_after
from vibedesk.engine.standing import Standing, own_limit_of, standing_of

Decision = tuple[State, tuple[Effect, ...]]

SOON_S = 1e-6


def onward(state: State, event: Moment, after: EngineError | None) -> Decision:
    """The next rung that can be asked; else the soonest; else one that may well fail; else the end."""
    climb = state.climb
    if after is not None and late(climb, event):
        return finished(state, event, after)
    now = max(event.now, climb.floor)
    below = range(climb.position + 1, len(climb.rungs))
    standings = {position: standing_of(state, position, now) for position in below}
    for position, standing in standings.items():
        if standing.hurdle == "":
            return _move(state, event, after, position, standings)
        if standing.hurdle == "own_limit" and worth_waiting(climb, event, standing, now, own=True):
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
        and worth_waiting(climb, event, standings[place], now)
    ]
    if waits:
        place = min(waits, key=lambda one: (standings[one].until or now, one))
        return _move(state, event, after, place, standings, wait=standings[place])
    shadowed = [place for place in unasked if standings[place].hurdle == "shadow"]
    for place in sorted(shadowed, key=lambda one: (standings[one].until or 0.0, one)):
        if own_limit_of(state, place, now).hurdle == "":
            return _move(state, event, after, place, standings)
    return finished(state, event, after or _first_hurdle(standings))


def _first_hurdle(standings: dict[int, Standing]) -> EngineError | None:
    """What to say where nobody could be asked: a limit that will pass, else the first rung's."""
    found = [standing for standing in standings.values() if standing.error is not None]
    passing = next((standing for standing in found if standing.hurdle == "own_limit"), None)
    chosen = passing or (found[0] if found else None)
    return chosen.error if chosen is not None else None


def worth_waiting(climb: Climb, event: Moment, standing: Standing, now: float, *, own: bool = False) -> bool:
    """Whether this hurdle is gone soon enough; `own` = somebody else could be asked instead."""
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
        state, send = sent_to(state, event, Due(position, rule))
        return state, (*falls, send)
    seconds = max(wait.until - max(event.now, climb.floor), SOON_S)
    checked = wait.hurdle == "own_limit"
    state = slept(state, event, Due(position, rule, checked=checked), seconds)
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


def alone_after(state: State, position: int, now: float) -> bool:
    """Whether nobody further down could be asked instead."""
    below = range(position + 1, len(state.climb.rungs))
    return not any(standing_of(state, place, now).hurdle == "" for place in below)


def after_pause(state: State, event: Moment, due: Due, pause: float) -> Decision:
    """The request, once its pause is over."""
    if not pause:
        state, send = sent_to(state, event, due)
        return state, (send,)
    error = dict(state.climb.refused)[due.position]
    return slept(state, event, due, pause), (Sleep(pause, error),)


def slept(state: State, event: Moment, due: Due, seconds: float) -> State:
    """The climb, waiting: what is due then, and that it will be later by so much."""
    climb = state.climb
    waited = climb.own_waited_s + (seconds if due.checked else 0.0)
    floor = max(event.now, climb.floor) + seconds
    return with_climb(state, due=due, own_waited_s=waited, floor=floor)


def sent_to(state: State, event: Moment, due: Due) -> tuple[State, Send]:
    """The climb, with a request under way, and the effect that sends it."""
    climb, position = state.climb, due.position
    dropped = climb.dropped if position == climb.position else ()
    state = with_climb(
        state,
        position=position,
        due=None,
        attempts=climb.attempts + 1,
        tries=changed(climb.tries, position, climb.tries[position] + 1),
        dropped=dropped,
        resume=due.resume,
    )
    return sent(state, position, event.now), Send(position, due.rule, dropped, due.resume)


def finished(state: State, event: Moment, error: EngineError | None = None) -> Decision:
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


def late(climb: Climb, event: Moment) -> bool:
    """No request of this ask may leave any more."""
    return climb.attempts >= ATTEMPTS_CAP or event.elapsed_s >= climb.total_s


def pause_of(state: State, event: Failed) -> float:
    """Seconds until the same may be asked again."""
    return pause_after(event.error, max(state.climb.tries[state.climb.position] - 1, 0), event.luck)


def with_climb(state: State, **changes: Any) -> State:
    """The state with another climb."""
    return replace(state, climb=replace(state.climb, **changes))


def changed(tries: tuple[int, ...], position: int, count: int) -> tuple[int, ...]:
    """One count replaced."""
    return (*tries[:position], count, *tries[position + 1 :])
