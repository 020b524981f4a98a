"""What goes over the wire, as our words: actions with exact numbers, a run's arguments byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from handrail.engine.door import freeze, thaw, thaw_any
from handrail.words.action import Action
from handrail.words.errors import BadArguments, StoreError
from handrail.words.level import Rung
from handrail.words.lifecycle import State
from handrail.words.money import to_nano
from handrail.words.verdict import Ask, Decision, Measure, Outcome, Step, Verdict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
encode = msgspec.json.Encoder(decimal_format="number").encode


class _Run(msgspec.Struct):
    token: str
    args: msgspec.Raw
    lease_until: str | int | None = None


class _More(msgspec.Struct):
    told: str | None = None
    run: _Run | None = None


class _Payload(msgspec.Struct):
    output: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Run:
    """Leave to run an action, once: with these arguments, and the token with which its end is reported."""

    token: str
    payload: bytes
    lease: int
    """Milliseconds after which the server takes it for lost when it hears nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An action as the server has it, its sentence for the agent, and leave to run it, if it was given."""

    action: Action
    told: str | None = None
    run: Run | None = None


def answer_of(body: bytes) -> Answer:
    """The answer to a proposal, a start or a question.

    Raises:
        StoreError: it is none that this version can read.
    """
    try:
        action = _action(thaw_any(body))
        more = _more.decode(body)
        return Answer(action, more.told, _run(more.run, action))
    except (msgspec.MsgspecError, BadArguments, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise StoreError(
            f"the server's answer can't be read ({type(error).__name__}: {error}); "
            "are server and library of the same version?"
        ) from error


def output_of(body: bytes) -> str:
    """The JSON text of what an action gave when it ran."""
    return bytes(_payload.decode(body).output).decode()


def lease_of(action: Action, until: object) -> int:
    """How many milliseconds a lease lasts, on the server's own clock."""
    end, begun = _time(until), action.started_at
    return LEASE if end is None or begun is None or end <= begun else end - begun


LEASE = 60_000
"""Milliseconds that a lease is taken to last when the server does not say."""
_more = msgspec.json.Decoder(_More)
_payload = msgspec.json.Decoder(_Payload)


def _run(run: _Run | None, action: Action) -> Run | None:
    if run is None:
        return None
    return Run(run.token, freeze(thaw(bytes(run.args))), lease_of(action, run.lease_until))


def _action(found: dict[str, Any]) -> Action:
    times = ("lease_until", "started_at", "finished_at", "expires_at")
    texts = (
        "task",
        "rationale",
        "key",
        "person",
        "error",
        "superseded_by",
        "supersedes",
        "edited_by",
        "standing",
    )
    confidence = found.get("confidence")
    plain: dict[str, Any] = {
        **{name: str(found[name]) for name in ("id", "agent", "tool", "session")},
        **{name: str(found.get(name) or "") for name in ("digest", "binding", "policy")},
        **{name: found.get(name) for name in texts},
        **{name: _time(found.get(name)) for name in times},
    }
    return Action(
        **plain,
        state=State(found["state"]),
        rung=Rung.of(found["rung"]),
        verdict=_verdict(found),
        proposed_at=_time(found["proposed_at"]) or 0,
        updated_at=_time(found.get("updated_at")) or 0,
        confidence=None if confidence is None else Decimal(str(confidence)),
        shadow=bool(found.get("shadow", False)),
        approved=frozenset(
            Ask(each["step"], each.get("digest", ""), each["audience"]) for each in found.get("approved", ())
        ),
        attempt=int(found.get("attempt", 0)),
        amount=_money(found.get("amount")),
        cost=_money(found.get("cost")),
    )


def _verdict(found: dict[str, Any]) -> Verdict:
    return Verdict(
        decision=Decision(found["decision"]),
        enforced=Decision(found["enforced"]),
        rung=Rung.of(found["rung"]),
        steps=tuple(_step(each) for each in found.get("steps", ())),
        policy=str(found.get("policy") or ""),
        amount=_money(found.get("amount")),
    )


def _step(found: dict[str, Any]) -> Step:
    words = {name: found.get(name) or "" for name in ("rule", "reason", "audience", "digest")}
    return Step(Measure(found["measure"]), Outcome(found["outcome"]), **words)


def _time(found: object) -> int | None:
    """Milliseconds since the epoch."""
    if found is None or isinstance(found, int):
        return found
    return (datetime.fromisoformat(str(found)) - EPOCH) // MILLISECOND


def _money(found: object) -> int | None:
    return None if found is None else to_nano(Decimal(str(found)))
