"""Who sits where: members of a group, and the deputies of those who are away, each counted once.

It is the running policy that says so, whenever it is asked: at an answer, when a question is complete, and
once more before the action runs. Who left a group or whose account was closed no longer counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine.questions.approvals import members
from handrail.words.approval import ApprovalState, Choice
from handrail.words.person import Role, one_spelling
from handrail.words.verdict import ANYONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from handrail.policy.model import GroupPolicy
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.approval import Approval, Seat, Vote
    from handrail.words.person import Person
    from handrail.words.verdict import Ask


class Bench:
    """The people of one transaction: who may answer for a seat at a time, and in whose place."""

    def __init__(self, tx: Transaction, groups: Mapping[str, GroupPolicy]) -> None:
        """Nobody was looked up yet."""
        self._tx = tx
        self._groups = groups
        self._known: dict[str, Person | None] = {}

    def is_active(self, person: str) -> bool:
        """Whether somebody may answer at all, wherever they sit."""
        return self.silent(person) is None

    def silent(self, person: str) -> str | None:
        """Why somebody may answer nothing; None for who has no account, or one that may answer."""
        account = self._account(person)
        if account is not None and not account.active:
            return f"the account of {person} is closed"
        if account is not None and account.role is Role.VIEWER:
            return f"{person} may only look; an admin can make them a reviewer"
        return None

    def is_member(self, group: str, person: str) -> bool:
        """Whether somebody answers in a group in their own name."""
        allowed = members(self._groups, group)
        return allowed is None or one_spelling(person) in {one_spelling(each) for each in allowed}

    def groups(self, person: str, at: int) -> tuple[str, ...]:
        """The groups in which somebody may answer now, in their own name or in another's place."""
        return tuple(each for each in (*self._groups, ANYONE) if self.in_group(each, person, at))

    def places(self, seat: Seat, person: str, at: int) -> frozenset[str]:
        """The members for whom somebody may answer: themselves, else each one who is away and named them."""
        return self.in_group(seat.group, person, at)

    def in_group(self, group: str, person: str, at: int) -> frozenset[str]:
        """As ``places``, for any seat of a group."""
        if not self.is_active(person):
            return frozenset()
        if self.is_member(group, person):
            return frozenset({one_spelling(person)})
        return frozenset(
            one_spelling(member)
            for member, deputies in self._deputies(group)
            if one_spelling(person) in {one_spelling(each) for each in deputies} and self._is_away(member, at)
        )

    def answered(self, seat: Seat, votes: Iterable[Vote]) -> int:
        """How many members have said yes, each once, themselves or by a deputy."""
        return matched({one_spelling(vote.person): self.places(seat, vote.person, vote.at) for vote in votes})

    def deputies(self, seat: Seat, at: int) -> tuple[str, ...]:
        """Who may answer now in the place of somebody who is away."""
        named = dict.fromkeys(each for _, names in self._deputies(seat.group) for each in names)
        return tuple(
            each for each in named if not self.is_member(seat.group, each) and self.places(seat, each, at)
        )

    def filled(self, seat: Seat, votes: Iterable[Vote], editor: str | None) -> bool:
        """Whether enough members have said yes, each once, themselves or by a deputy.

        Where edits need another, the one who edited the action can't be the only one.
        """
        group = self._groups.get(seat.group)
        places = {one_spelling(vote.person): self.places(seat, vote.person, vote.at) for vote in votes}
        counted = matched(places)
        if group is not None and group.edits_need_another and editor is not None:
            others = {person: free for person, free in places.items() if person != one_spelling(editor)}
            if not matched(others):
                return False
        return counted >= max(seat.need, group.need if group else 0)

    def _deputies(self, name: str) -> Sequence[tuple[str, tuple[str, ...]]]:
        groups = self._groups.values() if name == ANYONE else filter(None, [self._groups.get(name)])
        return [pair for group in groups for pair in group.deputies.items()]

    def _is_away(self, member: str, at: int) -> bool:
        account = self._account(member)
        return account is not None and account.away_until is not None and account.away_until > at

    def _account(self, person: str) -> Person | None:
        key = one_spelling(person)
        if key not in self._known:
            self._known[key] = self._tx.people.get(key)
        return self._known[key]


def complete(
    tx: Transaction, groups: Mapping[str, GroupPolicy], approval: Approval, action: Action, behalf: str | None
) -> bool:
    """Whether the answers to a question fill every one of its seats now."""
    bench = Bench(tx, groups)
    yes = [
        vote
        for vote in tx.approvals.votes(approval.id)
        if vote.choice is Choice.APPROVE and not proposes(action.agent, behalf, vote.person)
    ]
    return all(bench.filled(seat, yes, action.edited_by) for seat in approval.seats)


def still_approved(tx: Transaction, groups: Mapping[str, GroupPolicy], action: Action) -> frozenset[Ask]:
    """What people have answered about an action and would still be complete if it were answered now.

    Who has left since no longer counts, so that a question that they completed is asked anew.
    """
    if not action.approved:
        return action.approved
    behalf = behalf_of(tx, action.session)
    answered = [
        approval.asks
        for approval in tx.approvals.about(action.id)
        if approval.state is ApprovalState.APPROVED and complete(tx, groups, approval, action, behalf)
    ]
    return action.approved & frozenset().union(*answered)


def proposes(agent: str, behalf: str | None, person: str) -> bool:
    """Whether somebody asks for what an agent proposes: as the agent, or because it works for them."""
    asking = (agent, behalf)
    return one_spelling(person) in {one_spelling(each) for each in asking if each is not None}


def behalf_of(tx: Transaction, session: str) -> str | None:
    """For whom the agent works in a session."""
    record = tx.sessions.get(session)
    return record.behalf if record else None


def matched(places: Mapping[str, frozenset[str]]) -> int:
    """How many members are answered for, at most one by each person: a deputy of two counts for one."""
    taken: dict[str, str] = {}

    def seat(person: str, tried: set[str]) -> bool:
        for place in sorted(places[person] - tried):
            tried.add(place)
            if place not in taken or seat(taken[place], tried):
                taken[place] = person
                return True
        return False

    return sum(seat(person, set()) for person in places)
