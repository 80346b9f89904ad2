"""The ledger: every request and every attempt, with its tokens, cost, time and outcome. Money is exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine.allowance import Use
from vibedesk.engine.types import Attempt, Cost, Finished, Usage
from vibedesk.store.database import Database, packed, stamp
from vibedesk.store.history import new_id

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class LedgerRow(Struct, frozen=True, kw_only=True):
    """One request. Tokens and cost are those of all its attempts together; None = nobody said."""

    at: datetime
    request_id: str
    deployment: str
    model: str
    via: str
    key: str
    outcome: str
    kind: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    took_s: float
    ttft_s: float | None
    attempts: int
    conversation_id: str | None = None
    cached: bool = False
    """Given from a cache, ours or the gateway's: it cost nothing."""


class ModelSum(Struct, frozen=True, kw_only=True):
    """What one deployment (PROVIDER/MODEL) did: `requests` it answered last, and all its attempts."""

    model: str
    requests: int
    attempts: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    unpriced: int


class Sums(Struct, frozen=True, kw_only=True):
    """`cost_usd` is the exact sum of what is known; `unpriced` counts the requests that cost something unknown."""

    requests: int
    attempts: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    unpriced: int
    cached: int = 0
    """Requests that a cache answered."""
    by_model: tuple[ModelSum, ...] = ()


class Ledger:
    """The ledger in `database`. `since` counts from that moment on, None = from the beginning."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, finished: Finished, at: datetime, *, conversation_id: str | None = None) -> str:
        """Writes one request with its attempts; the id it was given."""
        request_id = new_id()
        row = _row_of(finished, at, request_id, conversation_id)
        with self._database.transaction():
            self._database.execute(
                """INSERT INTO ledger (request_id, at, deployment, model, via, key, outcome, kind,
                input_tokens,
                    output_tokens, cost_usd, unpriced, took_s, ttft_s, attempts, conversation_id,
                    cached)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    row.request_id,
                    stamp(at),
                    row.deployment,
                    row.model,
                    row.via,
                    row.key,
                    row.outcome,
                    row.kind,
                    row.input_tokens,
                    row.output_tokens,
                    _money(row.cost_usd),
                    _unpriced(finished),
                    row.took_s,
                    row.ttft_s,
                    row.attempts,
                    row.conversation_id,
                    row.cached,
                ),
            )
            for position, attempt in enumerate(_with_totals(finished)):
                self._record_attempt(request_id, position, attempt)
        return request_id

    def rows(self, since: datetime | None = None, limit: int = 500) -> tuple[LedgerRow, ...]:
        """Latest first."""
        rows = self._database.execute(
            """SELECT at, request_id, deployment, model, via, key, outcome, kind, input_tokens, output_tokens,
                cost_usd, took_s, ttft_s, attempts, conversation_id, cached
            FROM ledger WHERE at >= ? ORDER BY at DESC, rowid DESC LIMIT ?""",
            (stamp(since or _LONG_AGO), limit),
        )
        return tuple(_row_from(row) for row in rows)

    def sums(self, since: datetime | None = None) -> Sums:
        """Everything together, and by model, the dearest first."""
        start = stamp(since or _LONG_AGO)
        requests = self._database.execute(
            """SELECT deployment, attempts, input_tokens, output_tokens, cost_usd, unpriced, cached FROM ledger
            WHERE at >= ?""",
            (start,),
        )
        attempts = self._database.execute(
            """SELECT a.deployment, 1, a.input_tokens, a.output_tokens, a.cost_usd, a.unpriced
            FROM ledger_attempts a JOIN ledger USING (request_id) WHERE at >= ?""",
            (start,),
        )
        total = _add_up("", len(requests), requests)
        return Sums(
            requests=total.requests,
            attempts=total.attempts,
            input_tokens=total.input_tokens,
            output_tokens=total.output_tokens,
            cost_usd=total.cost_usd,
            unpriced=total.unpriced,
            cached=sum(row[6] for row in requests),
            by_model=_by_model(requests, attempts),
        )

    def spent_by_key(self, since: datetime | None = None) -> dict[str, Decimal]:
        """Dollars by the id of the key that paid, over all attempts; keys without a known cost are left out."""
        rows = self._database.execute(
            """SELECT key_id, a.cost_usd FROM ledger_attempts a JOIN ledger USING (request_id)
            WHERE at >= ? AND key_id != '' AND a.cost_usd IS NOT NULL""",
            (stamp(since or _LONG_AGO),),
        )
        spent: dict[str, list[Decimal]] = {}
        for key_id, usd in rows:
            spent.setdefault(key_id, []).append(Decimal(usd))
        return {key_id: exact_sum(amounts) for key_id, amounts in spent.items()}

    def uses_by_key(self, key_ids: Sequence[str], since: datetime) -> dict[str, list[Use]]:
        """What these keys were used for, attempt by attempt; those nobody answered, or put off with 429, left out.
        Where the provider counted no tokens, our guess stands for them."""
        places = ", ".join("?" * len(key_ids))
        rows = self._database.execute(
            f"""SELECT key_id, at, COALESCE(a.input_tokens, json_extract(a.attempt, '$.guess.input_tokens')),
                COALESCE(a.output_tokens, json_extract(a.attempt, '$.guess.output_tokens')), a.cost_usd
            FROM ledger_attempts a JOIN ledger USING (request_id)
            WHERE at >= ? AND status IS NOT NULL AND status != 429 AND key_id IN ({places}) ORDER BY at""",
            (stamp(since), *key_ids),
        )
        uses: dict[str, list[Use]] = {}
        for key_id, at, taken, given, usd in rows:
            moment = datetime.fromisoformat(at).timestamp()
            use = Use(moment, (taken or 0) + (given or 0), Decimal(usd or 0))
            uses.setdefault(key_id, []).append(use)
        return uses

    def _record_attempt(self, request_id: str, position: int, attempt: Attempt) -> None:
        usage, cost = attempt.usage, attempt.cost
        self._database.execute(
            """INSERT INTO ledger_attempts (request_id, position, deployment, key_id, via, status, outcome,
            kind,
                input_tokens, output_tokens, cost_usd, unpriced, attempt)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                request_id,
                position,
                attempt.deployment,
                attempt.key_id,
                attempt.via,
                attempt.status,
                attempt.outcome,
                attempt.kind,
                usage.input_tokens if usage else None,
                usage.output_tokens if usage else None,
                _money(cost.usd if cost else None),
                _answered(attempt) and cost is None,
                packed(attempt),
            ),
        )


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum without rounding (Python's own context rounds at 28 digits)."""
    with localcontext() as context:
        context.prec = 200
        return sum(amounts, Decimal())


def _with_totals(finished: Finished) -> tuple[Attempt, ...]:
    """The attempts; where none of them says what it took, the last one took what the whole answer did."""
    if not finished.attempts:
        return ()
    *before, last = finished.attempts
    if not any(attempt.usage for attempt in finished.attempts):
        last = replace(last, usage=finished.usage)
    if not any(attempt.cost for attempt in finished.attempts):
        last = replace(last, cost=finished.cost)
    return (*before, last)


def _row_of(finished: Finished, at: datetime, request_id: str, conversation_id: str | None) -> LedgerRow:
    last = finished.attempts[-1] if finished.attempts else None
    usages, costs = _usages(finished), _costs(finished)
    return LedgerRow(
        at=at,
        request_id=request_id,
        deployment=finished.deployment,
        model=finished.model,
        via=last.via if last else "",
        key=last.key if last else "",
        outcome=finished.outcome,
        kind=finished.error.kind if finished.error else "",
        input_tokens=sum(usage.input_tokens for usage in usages) if usages else None,
        output_tokens=sum(usage.output_tokens for usage in usages) if usages else None,
        cost_usd=exact_sum(cost.usd for cost in costs) if costs else None,
        took_s=finished.took_s,
        ttft_s=finished.ttft_s,
        attempts=len(finished.attempts),
        conversation_id=conversation_id,
        cached=finished.cached,
    )


def _usages(finished: Finished) -> list[Usage]:
    """Of all attempts that reported any: an attempt that failed after some tokens is paid for too."""
    if finished.cache is not None and finished.cache.spared:
        return [Usage(input_tokens=0, output_tokens=0)]  # what is shown was paid for the first time
    reported = [attempt.usage for attempt in finished.attempts if attempt.usage]
    return reported or ([finished.usage] if finished.usage else [])


def _costs(finished: Finished) -> list[Cost]:
    known = [attempt.cost for attempt in finished.attempts if attempt.cost]
    return known or ([finished.cost] if finished.cost else [])


def _unpriced(finished: Finished) -> bool:
    if any(attempt.cost for attempt in finished.attempts):
        return any(_answered(attempt) and attempt.cost is None for attempt in finished.attempts)
    answered = finished.usage is not None or finished.ttft_s is not None
    return finished.cost is None and (answered or any(map(_answered, finished.attempts)))


def _answered(attempt: Attempt) -> bool:
    """Whether it got far enough to cost something."""
    return attempt.usage is not None or attempt.first_token_s is not None


def _row_from(row: tuple[Any, ...]) -> LedgerRow:
    values = dict(zip(LedgerRow.__struct_fields__, row, strict=True))
    values["at"] = datetime.fromisoformat(values["at"])
    values["cached"] = bool(values["cached"])
    values["cost_usd"] = None if values["cost_usd"] is None else Decimal(values["cost_usd"])
    return LedgerRow(**values)


def _by_model(
    requests: Iterable[tuple[Any, ...]], attempts: Iterable[tuple[Any, ...]]
) -> tuple[ModelSum, ...]:
    answered: dict[str, int] = {}
    tried: dict[str, list[tuple[Any, ...]]] = {}
    for row in attempts:
        tried.setdefault(row[0], []).append(row)
    for row in requests:
        answered[row[0]] = answered.get(row[0], 0) + 1
        tried.setdefault(row[0], []).extend([row] if row[1] == 0 else [])
    sums = [_add_up(model, answered.get(model, 0), rows) for model, rows in tried.items() if model]
    return tuple(sorted(sums, key=lambda one: (-one.cost_usd, -one.requests, one.model)))


def _add_up(model: str, requests: int, rows: Iterable[tuple[Any, ...]]) -> ModelSum:
    """Rows are (deployment, attempts, input tokens, output tokens, cost as text, unpriced)."""
    rows = list(rows)
    return ModelSum(
        model=model,
        requests=requests,
        attempts=sum(row[1] for row in rows),
        input_tokens=sum(row[2] or 0 for row in rows),
        output_tokens=sum(row[3] or 0 for row in rows),
        cost_usd=exact_sum(Decimal(row[4]) for row in rows if row[4] is not None),
        unpriced=sum(row[5] for row in rows),
    )


def _money(usd: Decimal | None) -> str | None:
    return None if usd is None else str(usd)
