"""Planning what channels tell, in the transaction of what they tell of: a commit and its news are one.

Who is asked in a group without ``via`` is told nothing, and then nothing is written. An outcome is about the
question that was answered, so that a channel finds the message that it continues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine.ids import new_id
from handrail.policy.channels import CHANNEL, is_channel
from handrail.ports import Commit
from handrail.words.delivery import Delivery, DeliveryKind, DeliveryState
from handrail.words.errors import BadArguments
from handrail.words.verdict import ANYONE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handrail.engine.core import Engine
    from handrail.policy.model import Policy
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.approval import Approval


def plan_asked(tx: Transaction, policy: Policy, approval: Approval, at: int) -> None:
    """Tell every group that is asked, once a channel: also the one that a question has gone on to."""
    _plan(tx, DeliveryKind.ASKED, approval.id, _asked(policy, approval), at)


def plan_closed(tx: Transaction, approval: str, at: int) -> None:
    """Bring every message about a question up to date."""
    _plan(tx, DeliveryKind.ANSWERED, approval, _told(tx, approval), at)


def plan_outcome(tx: Transaction, action: Action, at: int) -> None:
    """Tell what became of an action wherever its question was told; free for what nobody was asked about."""
    if not action.approved and action.supersedes is None:
        return
    asked = tx.approvals.of(action.id)
    if asked is None and action.supersedes is not None:
        asked = tx.approvals.of(action.supersedes)
    if asked is not None:
        _plan(tx, DeliveryKind.OUTCOME, asked.id, _told(tx, asked.id), at)


def plan_halt(tx: Transaction, policy: Policy, halt: str, at: int, *, lifted: bool = False) -> None:
    """Tell the groups of ``alerts`` of a halt, or of its end."""
    kind = DeliveryKind.LIFTED if lifted else DeliveryKind.HALTED
    _plan(tx, kind, halt, _alerted(policy), at)


def plan_held(tx: Transaction, policy: Policy, hold: str, at: int) -> None:
    """Tell the groups of ``alerts`` that a session is held."""
    _plan(tx, DeliveryKind.SESSION_HELD, hold, _alerted(policy), at)


def plan_lost(tx: Transaction, policy: Policy, loss: str, at: int) -> None:
    """Tell the groups of ``alerts`` of actions of which nobody knows how they ended, together."""
    _plan(tx, DeliveryKind.LOST, loss, _alerted(policy), at)


def plan_budget(tx: Transaction, policy: Policy, alert: str, at: int) -> None:
    """Tell the groups of ``alerts`` that a budget has reached a percentage of its limit."""
    _plan(tx, DeliveryKind.BUDGET, alert, _alerted(policy), at)


def try_channel(engine: Engine, channel: str) -> Delivery:
    """Plan a test of a channel; the delivery then says what became of it.

    Raises:
        BadArguments: a policy could not name it, or nobody here would ever send it.
    """
    if not is_channel(channel):
        raise BadArguments(f"{channel!r} is no channel; expected {CHANNEL}")
    if engine.deliverer is None:
        raise BadArguments(
            "no channel is set up: set HANDRAIL_SLACK_BOT_TOKEN, or HANDRAIL_NOTIFY_NAME for notify:name, "
            "and start the server anew"
        )

    def work(tx: Transaction) -> Delivery:
        made = Delivery(new_id(), DeliveryKind.TEST, new_id(), channel, DeliveryState.DUE, tx.now())
        tx.deliveries.add(made)
        return made

    made = engine.store.write(Commit.DELIVER, work)
    engine.stir()
    return made


def _plan(tx: Transaction, kind: DeliveryKind, subject: str, channels: Iterable[str], at: int) -> None:
    for channel in channels:
        tx.deliveries.add(Delivery(new_id(), kind, subject, channel, DeliveryState.DUE, at))


def _asked(policy: Policy, approval: Approval) -> Iterable[str]:
    """A question for anyone is told to every group: each person in one of them may answer it."""
    groups = policy.approvers
    asked = {seat.group for seat in approval.seats}
    wanted = groups.values() if ANYONE in asked else (each for name, each in groups.items() if name in asked)
    return dict.fromkeys(channel for group in wanted for channel in group.via)


def _alerted(policy: Policy) -> Iterable[str]:
    told = policy.alerts.get("to", ())
    names = told if isinstance(told, tuple | list) else ()
    groups = (policy.approvers[name] for name in names if name in policy.approvers)
    return dict.fromkeys(channel for group in groups for channel in group.via)


def _told(tx: Transaction, approval: str) -> Iterable[str]:
    found = tx.deliveries.of(approval)
    return dict.fromkeys(each.channel for each in found if each.kind is DeliveryKind.ASKED)
