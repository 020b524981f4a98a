"""Short ids: the last digits of an id, shown in tables and accepted by every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.words.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.approval import Approval
    from handrail.words.restriction import Halt
    from handrail.words.standing import Standing

SHOWN = 8
"""Digits of an id in a table: the random end, so that two hardly ever look alike."""

MOST = 10_000
"""Standing approvals among which one is looked for by the end of its id."""


def short(full: str | None) -> str:
    """The end of an id."""
    return "" if full is None else full[-SHOWN:]


def only(found: Sequence[str], ending: str, what: str) -> str:
    """The one id that was found.

    Raises:
        NotFound: there is none.
        Conflict: there are several.
    """
    if not found:
        raise NotFound(f"there is no {what} whose id ends with {ending!r}")
    if len(found) > 1:
        raise Conflict(f"several ids of {what}s end with {ending!r}; give more digits")
    return found[0]


def action(tx: Transaction, ending: str) -> Action:
    """The action whose id ends so."""
    found = tx.actions.get(only(tx.actions.find(_digits(ending)), ending, "action"))
    if found is None:
        raise NotFound(f"there is no action {ending}")
    return found


def question(tx: Transaction, ending: str) -> Approval:
    """The open question whose id, or whose action's id, ends so.

    Raises:
        NotFound: no question and no action ends so.
        Conflict: several do, or the question is closed already.
    """
    found = tx.approvals.find(_digits(ending))
    if not found:
        asked = action(tx, ending)
        newest = tx.approvals.of(asked.id)
        state = f"its question is {newest.state}" if newest else "nobody was asked about it"
        raise Conflict(f"action {asked.id} waits for no answer: it is {asked.state}, and {state}")
    approval = tx.approvals.get(only(found, ending, "open question"))
    if approval is None:
        raise NotFound(f"there is no question {ending}")
    return approval


def any_question(tx: Transaction, ending: str) -> Approval:
    """The question, open or closed, whose id, or whose action's id, ends so; the newest of an action."""
    known = tx.approvals.get(_digits(ending))
    if known is not None:
        return known
    found = tx.approvals.find(_digits(ending))
    newest = tx.approvals.get(only(found, ending, "question")) if found else _newest(tx, ending)
    if newest is None:
        raise NotFound(f"there is no question {ending}")
    return newest


def _newest(tx: Transaction, ending: str) -> Approval | None:
    return tx.approvals.of(action(tx, ending).id)


def standing(tx: Transaction, ending: str) -> Standing:
    """The standing approval whose id ends so; of those that have not ended, and the newest that have."""
    found = tx.standings.listing(ended=True, limit=MOST)
    ids = [each.id for each in found if each.id.endswith(_digits(ending))]
    wanted = only(ids, ending, "standing approval")
    return next(each for each in found if each.id == wanted)


def halt(halts: Sequence[Halt], ending: str) -> Halt:
    """The halt in force whose id ends so."""
    found = only([each.id for each in halts if each.id.endswith(_digits(ending))], ending, "halt in force")
    return next(each for each in halts if each.id == found)


def _digits(ending: str) -> str:
    """An empty ending would fit every id.

    Raises:
        NotFound: nothing was given.
    """
    if not ending.strip():
        raise NotFound("give the last digits of an id")
    return ending.strip().lower()
