"""Where an ask stands on its route: which rung is due, why, and what a step of the policy moves it to."""

from __future__ import annotations

from collections.abc import Sequence

from vibedesk.engine.errors import EngineError
from vibedesk.engine.policy import Step
from vibedesk.engine.types import Event, FellBack, Rung, Waiting


class Ladder:
    """Stands on the first rung at the beginning. `tries` counts requests to the rung it stands on."""

    def __init__(self, rungs: Sequence[Rung]) -> None:
        self._rungs = tuple(rungs)
        self.position = 0
        self.tries = 0
        self.rule = "first choice"
        self.dropped: tuple[str, ...] = ()

    @property
    def rung(self) -> Rung:
        return self._rungs[self.position]

    @property
    def onward(self) -> int | None:
        """The next rung that can be asked, None where there is none."""
        later = range(self.position + 1, len(self._rungs))
        return next((place for place in later if self._rungs[place].obstacle is None), None)

    def take(self, step: Step, error: EngineError) -> list[Event]:
        """Moves, and says what there is to tell."""
        match step.move:
            case "again":
                self.rule = f"again after {error.kind}"
                return [Waiting(step.wait_s, error)] if step.wait_s else []
            case "drop":
                self.rule = f"again without {step.parameter}"
                self.dropped = (*self.dropped, step.parameter)
                self.tries -= 1
            case "next":
                return self._fall(error)
        return []

    def _fall(self, error: EngineError) -> list[Event]:
        """One step down for each rung left behind, those that could not be asked included."""
        landing = self.onward
        if landing is None:
            return []
        left = range(self.position, landing)
        errors = [error, *(self._rungs[place].obstacle or error for place in left[1:])]
        self.position, self.tries, self.dropped = landing, 0, ()
        self.rule = f"next after {error.kind}"
        return [
            FellBack(why, self._rungs[place].deployment, self._rungs[place + 1].deployment)
            for why, place in zip(errors, left, strict=True)
        ]
