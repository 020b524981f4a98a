"""What a delivery has to say now: the question, the action or the halt that it is about, as it stands."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from handrail.engine.budgets.messages import news_of
from handrail.engine.door import thaw
from handrail.engine.questions.sentences import outcome_of, what
from handrail.engine.questions.sheet import sheet
from handrail.ports import Message
from handrail.words.action import LostNews
from handrail.words.approval import ApprovalState
from handrail.words.delivery import DeliveryKind, DeliveryState
from handrail.words.entry import Kind
from handrail.words.errors import NotFound
from handrail.words.lifecycle import State
from handrail.words.query import EntryFilter
from handrail.words.restriction import Halt
from handrail.words.session import HeldNews

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.approval import Approval
    from handrail.words.delivery import Delivery
    from handrail.words.sheet import Sheet

HALTS = frozenset({DeliveryKind.HALTED, DeliveryKind.LIFTED})
MOST_LOST, TOLD_OF_LOST = 1_000, 5
"""Actions of one loss that are looked at, and of which a message says what they were to do."""


class NotYet(Exception):
    """It waits for another delivery that is on its way."""


class Never(Exception):
    """There is nothing to tell any more, or nobody who was told the beginning."""


def message(engine: Engine, tx: Transaction, delivery: Delivery, url: str | None) -> Message:
    """The message of a delivery.

    Raises:
        NotYet: the message that it updates is still being sent.
        Never: it is over before it was told, or what it is about is not in the store.
    """
    if delivery.kind is DeliveryKind.TEST:
        return Message(delivery, url)
    if delivery.kind in HALTS:
        first = _first(tx, delivery.subject, DeliveryKind.HALTED, delivery)
        link = f"{url}/halts" if url else None
        reference = first.reference if first else None
        return Message(delivery, link, halt=_halt(tx, delivery.subject), reference=reference)
    if delivery.kind is DeliveryKind.BUDGET:
        return _budget(engine, tx, delivery, url)
    if delivery.kind is DeliveryKind.SESSION_HELD:
        return _held(tx, delivery, url)
    if delivery.kind is DeliveryKind.LOST:
        return _lost(engine, tx, delivery, url)
    approval = _approval(tx, delivery)
    reference = None
    if delivery.kind is DeliveryKind.ASKED:
        if approval.state is not ApprovalState.OPEN and delivery.tries <= 1:
            raise Never("it was answered before it was told")
    else:
        reference = _told(tx, approval, delivery)
    link = f"{url}/questions/{approval.id}" if url else None
    try:
        found = sheet(engine, tx, approval)
    except NotFound as error:
        raise Never(str(error)) from error
    return Message(delivery, link, _as_it_ended(tx, found), reference=reference)


def _held(tx: Transaction, delivery: Delivery, url: str | None) -> Message:
    for stored in tx.journal.newest(EntryFilter(kind=Kind.SESSION_HELD, text=delivery.subject, limit=10)):
        entry, body = stored.entry, json.loads(stored.entry.body)
        if body["hold"] == delivery.subject and entry.session is not None and entry.agent is not None:
            link = f"{url}/sessions/{entry.session}" if url else None
            news = HeldNews(entry.session, entry.agent, entry.task, body["reason"], body["person"])
            return Message(delivery, link, held=news)
    raise Never(f"the holding {delivery.subject} is not in the store")


def _lost(engine: Engine, tx: Transaction, delivery: Delivery, url: str | None) -> Message:
    wanted = EntryFilter(kind=Kind.UNKNOWN, text=delivery.subject, limit=MOST_LOST)
    named = [each.entry.action for each in reversed(tx.journal.newest(wanted)) if each.entry.action]
    found = [each for each in map(tx.actions.get, named) if each is not None and each.state is State.UNKNOWN]
    if not found:
        raise Never("it is known by now how they ended")
    path = f"actions/{found[0].id}" if len(found) == 1 else f"log?kind={Kind.UNKNOWN}"
    told = tuple(_wanted(engine, tx, each) for each in found[:TOLD_OF_LOST])
    return Message(delivery, f"{url}/{path}" if url else None, lost=LostNews(told, len(found)))


def _wanted(engine: Engine, tx: Transaction, action: Action) -> str:
    """What an action was to do, as far as everybody may read it."""
    payload = tx.actions.payload(action.id)
    args = thaw(payload.args.encode()) if payload and payload.args is not None else {}
    redacted = cast("Mapping[str, object]", engine.recorder.shown("args", args))
    return what(engine.policy.policy, action, redacted)


def _budget(engine: Engine, tx: Transaction, delivery: Delivery, url: str | None) -> Message:
    alert = tx.budgets.get_alert(delivery.subject)
    if alert is None:
        raise Never(f"the alert {delivery.subject} is not in the store")
    link = f"{url}/budgets" if url else None
    return Message(delivery, link, budget=news_of(tx, engine.policy.policy, alert))


def _as_it_ended(tx: Transaction, found: Sheet) -> Sheet:
    """The sheet with the outcome of what a person made of the action."""
    last, following = None, found.superseded_by
    while following is not None and (edited := tx.actions.get(following)) is not None:
        last, following = edited, edited.superseded_by
    return found if last is None else replace(found, action_state=last.state, outcome=outcome_of(last))


def _told(tx: Transaction, approval: Approval, delivery: Delivery) -> str | None:
    """The reference of the question's own message."""
    first = _first(tx, approval.id, DeliveryKind.ASKED, delivery)
    if first is None or first.state is DeliveryState.GAVE_UP:
        raise Never("its question was not told here")
    if first.state is not DeliveryState.SENT:
        raise NotYet("its question is still being told")
    return first.reference


def _first(tx: Transaction, subject: str, kind: DeliveryKind, delivery: Delivery) -> Delivery | None:
    if delivery.kind is kind:
        return None
    found = tx.deliveries.of(subject)
    return next((each for each in found if each.kind is kind and each.channel == delivery.channel), None)


def _approval(tx: Transaction, delivery: Delivery) -> Approval:
    found = tx.approvals.get(delivery.subject)
    if found is None:
        raise Never(f"what it is about, {delivery.subject}, is not in the store")
    return found


def _halt(tx: Transaction, halt: str) -> Halt:
    """A halt, also one that was lifted: then the journal knows it."""
    for each in tx.restrictions.read().halts:
        if each.id == halt:
            return each
    for stored in tx.journal.newest(EntryFilter(kind=Kind.HALTED, text=halt, limit=10)):
        body = json.loads(stored.entry.body)
        if body["halt"] == halt:
            at = stored.entry.at
            return Halt(halt, body["agent"], body["tool"], body["reason"], body["person"], at)
    raise Never(f"the halt {halt} is not in the store")
