"""Settling: what became of a running action is written, or kept until it can be written; never forgotten."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, replace
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any

import msgspec

from handrail.engine import record
from handrail.engine.budgets.holds import release_holds, settle_holds
from handrail.engine.deliveries.planning import plan_outcome
from handrail.engine.door import thaw_any
from handrail.engine.effects import Road, Write
from handrail.engine.loops import failed
from handrail.engine.texts import reason_of
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, NotFound, OutcomeUnrecorded
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.action import Action

LARGEST_OUTPUT = 1_048_576
"""Characters of one output that are kept; of a longer one its beginning, marked so."""
KINDS = {State.DONE: Kind.DONE, State.FAILED: Kind.FAILED}
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=repr).encode


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended. ``nothing_done`` is True only when the tool provably had no effect.

    It is ``proven`` where the tool ran in the rail's own process: an agent's word gives no money back.
    """

    action: Action
    token: str
    state: State
    output: str | None
    error: str | None
    nothing_done: bool
    milliseconds: float
    salt: str
    proven: bool = True


def output_text(output: object) -> str:
    """An output as JSON text that can be read again; what JSON can't hold is kept as its ``repr``."""
    try:
        text = _encode(output).decode()
        # the encoder writes Decimal("NaN"), raw text and endless digits as they are: no JSON, or nobody's
        thaw_any(text)
    except Exception:  # noqa: BLE001 - whatever is wrong with an output, what became of the action is known
        text = _encode({"repr": _shown(output)}).decode()
    if len(text) <= LARGEST_OUTPUT:
        return text
    return _encode({"cut": text[:LARGEST_OUTPUT], "characters": len(text)}).decode()


def _shown(output: object) -> str:
    try:
        return repr(output).encode("utf-8", "backslashreplace").decode()
    except Exception as error:  # noqa: BLE001 - as above: a repr is foreign code
        return f"[{type(output).__name__} without a text: {type(error).__name__}]"


def must_be_over(tool: str, output: object) -> None:
    """Refuse an output that is work still to be done: it would run outside the rail, told as done already.

    Raises:
        TypeError: it is a coroutine, another awaitable or a generator, such as a decorator makes of one.
    """
    if isinstance(output, CoroutineType | GeneratorType):
        output.close()
    elif not isinstance(output, Awaitable | AsyncGeneratorType):
        return
    raise TypeError(
        f"{tool} returned a {type(output).__name__}, whose body would run outside the rail: make what is put "
        "behind the rail an 'async def' itself, and return a list instead of yielding"
    )


def settle(engine: Engine, outcome: Outcome, output: object = None) -> Road:
    """Write the outcome.

    Raises:
        OutcomeUnrecorded: it can't be written now. It is kept, and nothing is claimed before it is written.
    """
    try:
        yield Write(Commit.SETTLE, lambda tx: write(engine, tx, outcome))
    except Exception as error:
        # not of the store alone: whatever went wrong, what became of the action must not be lost
        engine.unrecorded.append(outcome)
        engine.stir()
        raise OutcomeUnrecorded(outcome.action.id, output) from error
    engine.stir()


def write(engine: Engine, tx: Transaction, outcome: Outcome) -> bool:
    """The outcome's transaction: state, holds, output and entry. False when it was settled before."""
    at = tx.now()
    action = outcome.action
    attempt = tx.actions.finish(action.id, outcome.token, outcome.state, at, outcome.error)
    if attempt is None:
        return False
    if outcome.nothing_done and outcome.proven:
        release_holds(engine, tx, action.id, attempt)
    else:
        held = action if action.attempt == attempt else replace(action, attempt=attempt)
        settle_holds(engine, tx, held, None, at)
    body: dict[str, Any] = {"execution_time_ms": outcome.milliseconds, "attempt": attempt}
    if outcome.output is not None:
        tx.actions.set_output(action.id, outcome.output)
        body |= engine.recorder.output(thaw_any(outcome.output), bytes.fromhex(outcome.salt))
    if outcome.error is not None:
        body |= {"error": outcome.error, "nothing_done": outcome.nothing_done}
        failed(engine, tx, action.session, action.tool, outcome.error, at)
    tx.journal.append([record.about(action, KINDS[outcome.state], at, **body)])
    plan_outcome(tx, action, at)
    return True


def flush(engine: Engine) -> None:
    """Write every outcome that could not be written before.

    Raises:
        StoreError: it still can't be; what is left stays kept.
    """
    for outcome in tuple(engine.unrecorded):
        engine.store.write(Commit.SETTLE, lambda tx, outcome=outcome: write(engine, tx, outcome))  # type: ignore[misc]
        # two threads may write the same one: the second changes nothing, and finds it gone from the list
        with suppress(ValueError):
            engine.unrecorded.remove(outcome)


def resolve(
    engine: Engine, action_id: str, state: State, person: str, reason: str, *, nothing_done: bool = False
) -> None:
    """A person's word settles an action whose effect nobody knew.

    ``nothing_done`` goes with failed only: what was set aside for it is given back.

    Raises:
        NotFound: there is no such action, or it is not unknown.
        BadArguments: the reason can't be stored, or what is done is said to have done nothing.
    """
    reason_of(reason, "the reason")
    if nothing_done and state is not State.FAILED:
        raise BadArguments("nothing_done goes with failed only: what is done has done something")

    def work(tx: Transaction) -> None:
        at = tx.now()
        action = tx.actions.get(action_id)
        if action is None or not tx.actions.move(action_id, State.UNKNOWN, state, at, reason):
            raise NotFound(f"there is no action {action_id} whose outcome is unknown")
        if nothing_done:
            release_holds(engine, tx, action_id, action.attempt)
        else:
            settle_holds(engine, tx, action, None, at)
        body = {"state": state, "person": person, "reason": reason, "nothing_done": nothing_done}
        tx.journal.append([record.about(action, Kind.SETTLED, at, **body)])
        plan_outcome(tx, action, at)

    engine.store.write(Commit.RESOLVE, work)
    engine.stir()
