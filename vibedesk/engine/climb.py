"""The nouns of deciding: where an ask stands on its route, what can happen to it, what is then to be done. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from vibedesk.engine.allowance import Use
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Rung, Terms
from vibedesk.engine.world import World

Resume = Literal["", "prefill", "overlap"]
"""How the rest of a broken answer is asked for; "" = it is not, a whole answer is."""


class Due(Struct, frozen=True):
    """Who is asked once the wait is over. `checked`: whether they may is looked at again."""

    position: int
    rule: str
    checked: bool = False
    resume: Resume = ""


class Climb(Struct, frozen=True, kw_only=True):
    """One ask. `tokens` is what it may cost, (in, out); positions are places in `rungs`."""

    rungs: tuple[Rung, ...]
    terms: Terms = Terms()
    total_s: float = 900.0
    tokens: tuple[int, int] = (0, 0)
    position: int = -1
    tries: tuple[int, ...] = ()
    spent: frozenset[int] = frozenset()
    """Rungs that are of no more use to this ask."""
    refused: tuple[tuple[int, EngineError], ...] = ()
    attempts: int = 0
    dropped: tuple[str, ...] = ()
    floor: float = 0.0
    """The time it is at least: what was waited for is over."""
    own_waited_s: float = 0.0
    holds: int = 0
    """The number of its reservation, 0 = none."""
    probes: bool = False
    """The request under way is the one that a half-open breaker lets through."""
    due: Due | None = None
    cut: EngineError | None = None
    """What broke the answer off, once some of it was shown."""
    resume: Resume = ""
    resumes: int = 0
    unreached: frozenset[str] = frozenset()
    """Providers no connection to came about."""
    reached: bool = False


class State(Struct, frozen=True):
    """`world` is shared by all asks, `climb` is this one's."""

    world: World
    climb: Climb


def climb_of(rungs: Sequence[Rung], *, total_s: float = 900.0, tokens: tuple[int, int] = (0, 0)) -> Climb:
    """At the foot of the route."""
    rungs = tuple(rungs)
    terms = rungs[0].terms if rungs else Terms()
    return Climb(rungs=rungs, terms=terms, total_s=total_s, tokens=tokens, tries=(0,) * len(rungs))


# What happens


class Moment(Struct, frozen=True, kw_only=True):
    """`now` since 1970 and `elapsed_s` since the user asked are seconds; `luck`, 0 to 1, spreads waits."""

    now: float
    elapsed_s: float
    luck: float = 0.5


class Begun(Moment, frozen=True, kw_only=True):
    """The user asks."""


class Woke(Moment, frozen=True, kw_only=True):
    """The wait is over."""


class Failed(Moment, frozen=True, kw_only=True):
    """`shown`: some of the answer stands on the screen. `parameter`: what was refused and can be left out, "" if
    nothing. `use`: what it cost, None = nobody answered. `spoke`: some of what is shown is this request's.
    `resumable`: how what was shown could be continued, "" = it could not."""

    error: EngineError
    shown: bool = False
    parameter: str = ""
    use: Use | None = None
    spoke: bool = False
    resumable: Resume = ""


class Completed(Moment, frozen=True, kw_only=True):
    """The answer came to its end."""

    use: Use | None = None


class Left(Moment, frozen=True, kw_only=True):
    """The user stopped it."""

    use: Use | None = None


Happening = Begun | Woke | Failed | Completed | Left


# What is to be done


class Send(Struct, frozen=True):
    """A request to the rung at `position`. `resume` set = for the rest of what was shown."""

    position: int
    rule: str
    dropped: tuple[str, ...] = ()
    resume: Resume = ""


class Sleep(Struct, frozen=True):
    """Nothing for so long, and why; then `Woke`. `told`: the user has been told of this wait already."""

    seconds: float
    error: EngineError
    told: bool = False


class Fall(Struct, frozen=True):
    """The rung at `left` is left for the one at `next`."""

    error: EngineError
    left: int
    next: int


class Remember(Struct, frozen=True):
    """This rung's model refuses this parameter."""

    position: int
    parameter: str


class Finish(Struct, frozen=True):
    """The end."""

    outcome: Literal["complete", "cut", "failed"]
    error: EngineError | None = None


Effect = Send | Sleep | Fall | Remember | Finish
