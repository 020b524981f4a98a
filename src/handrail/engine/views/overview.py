"""The overview: where every agent's tools stand, what they did today, what waits, and what is used up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from handrail.engine.budgets.balances import lines
from handrail.engine.questions.sheet import sheets
from handrail.engine.views.counted import HOUR, Counted, Counts, Day
from handrail.policy.budgets.window import beginning
from handrail.policy.model import Window
from handrail.words.approval import ApprovalState
from handrail.words.level import Rung

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from handrail.engine.core import Engine
    from handrail.policy.compile import CompiledPolicy
    from handrail.ports import Transaction
    from handrail.words.approval import Approval, Seat
    from handrail.words.overview import Met
    from handrail.words.restriction import Halt, Restrictions
    from handrail.words.sheet import Because

HOURS = 24
ASKED = 5
"""Questions that the overview shows."""
FULLEST = 2
"""Windows that a budget has which everything spends from: the live one, and that of tools on trial."""
QUIET = Day()
"""Of a tool that did nothing today."""


@dataclass(frozen=True, slots=True)
class Place:
    """One agent's tool on the ladder. ``halted`` is the reason why nothing of it starts."""

    agent: str
    tool: str
    rung: Rung
    ceiling: Rung
    day: Day
    waiting: int
    halted: str | None
    override: bool
    """It was set by hand, without evidence."""


@dataclass(frozen=True, slots=True)
class Hour:
    """What all agents' actions of one hour met with."""

    at: int
    met: Mapping[Met, int]


@dataclass(frozen=True, slots=True)
class Used:
    """One window of a budget, in words, and how much of it is used, in per cent."""

    budget: str
    told: str
    limit: str
    share: int
    whose: str
    """For which value it counts; empty for all."""
    shared: bool
    """Everything spends from this window; else it is the fullest of many, and being full is nothing odd."""
    used_up_at: int | None = None
    """When it is used up, at this pace (ms, UTC); None when that is after its end, or can't be told yet."""
    frozen: bool = False
    """A person stopped it: nothing more is spent from it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An open question at a glance: what will happen, and why a person is asked."""

    approval: Approval
    what: str
    why: Sequence[Because]

    @property
    def seats(self) -> Sequence[Seat]:
        """Who is asked, and until when."""
        return self.approval.seats


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the overview shows, of one moment."""

    at: int
    midnight: int
    agents: Mapping[str, Sequence[Place]]
    day: Day
    hours: Sequence[Hour]
    budgets: Sequence[Used]
    asked: Sequence[Asked]
    questions: int
    running: int
    halts: Sequence[Halt]

    @property
    def steps(self) -> Mapping[Rung, int]:
        """How many tools stand on each rung."""
        found = Counter(place.rung for places in self.agents.values() for place in places)
        return {rung: found[rung] for rung in Rung}


class Places:
    """Where every agent's tools stood at the last look: made anew only where something became different."""

    def __init__(self) -> None:
        """Nobody looked yet."""
        self._rights: tuple[CompiledPolicy, int] | None = None
        self._agents: Mapping[str, Sequence[Place]] = {}

    def read(
        self, engine: Engine, today: Mapping[tuple[str, str], Day], waiting: Mapping[tuple[str, str], int]
    ) -> Mapping[str, Sequence[Place]]:
        """By agent, the highest rung first."""
        policy, rights = engine.policy, engine.restrictions
        if self._rights is None or self._rights[0] is not policy or self._rights[1] != rights.generation:
            self._rights, self._agents = (policy, rights.generation), _places(policy, rights)

        def now(place: Place) -> Place:
            which = place.agent, place.tool
            day, waits = today.get(which, QUIET), waiting.get(which, 0)
            same = place.day is day and place.waiting == waits
            return place if same else replace(place, day=day, waiting=waits)

        self._agents = {agent: tuple(map(now, places)) for agent, places in self._agents.items()}
        return self._agents


class Glances:
    """The oldest open questions as the last look found them: an open one asks the same as before."""

    def __init__(self) -> None:
        """Nobody looked yet."""
        self._policy: CompiledPolicy | None = None
        self._known: Mapping[str, Asked] = {}

    def read(self, engine: Engine, tx: Transaction) -> Sequence[Asked]:
        """Oldest first."""
        known = self._known if self._policy is engine.policy else {}
        self._policy = engine.policy

        def still(approval: Approval) -> bool:
            return approval.id in known and known[approval.id].approval == approval

        open_ones = tx.approvals.listing(ApprovalState.OPEN, ASKED)
        new = sheets(engine, tx, [each for each in open_ones if not still(each)])
        made = {each.approval.id: Asked(each.approval, each.what, each.why) for each in new}
        found = tuple(made.get(each.id) or known[each.id] for each in open_ones)
        self._known = {each.approval.id: each for each in found}
        return found


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept from one look to the next, one for a process."""

    counted: Counted = field(default_factory=Counted)
    places: Places = field(default_factory=Places)
    glances: Glances = field(default_factory=Glances)


def overview(engine: Engine, kept: Kept | None = None) -> Overview:
    """Read it, in one snapshot. ``kept`` is what earlier looks found, where there are many."""
    engine.refresh()
    known = kept or Kept()
    with known.counted.turn:
        return engine.store.read(lambda tx: _read(engine, tx, known))


def _read(engine: Engine, tx: Transaction, kept: Kept) -> Overview:
    at = tx.now()
    midnight = beginning(Window.DAY, ZoneInfo(engine.policy.policy.timezone))(at)
    since = (at // HOUR - HOURS + 1) * HOUR
    counts = kept.counted.read(tx, midnight, since)
    return Overview(
        at=at,
        midnight=midnight,
        agents=kept.places.read(engine, counts.places, tx.overview.waiting()),
        day=counts.day,
        hours=_hours(counts, since),
        budgets=tuple(_budgets(engine, tx)),
        asked=kept.glances.read(engine, tx),
        questions=tx.overview.questions(),
        running=len(tx.actions.running()),
        halts=engine.restrictions.halts,
    )


def _places(policy: CompiledPolicy, rights: Restrictions) -> Mapping[str, Sequence[Place]]:
    def place(agent: str, tool: str) -> Place:
        described, grant = policy.policy.tools.get(tool), rights.grants.get((agent, tool))
        starts, ceiling = (described.starts, described.at_most) if described else (Rung.SHADOW, Rung.SUGGEST)
        return Place(
            agent,
            tool,
            min(grant.rung if grant else starts, ceiling),
            ceiling,
            QUIET,
            0,
            next((halt.reason for halt in rights.halts if halt.covers(agent, tool)), None),
            grant.override if grant else False,
        )

    return {
        agent: sorted(
            (place(agent, tool) for tool in policy.permitted(agent)),
            key=lambda each: (-each.rung, each.tool),
        )
        for agent in policy.policy.agents
    }


def _hours(counts: Counts, since: int) -> Sequence[Hour]:
    met: list[Counter[Met]] = [Counter() for _ in range(HOURS)]
    for hour, found in counts.hours.items():
        # an action of the moment after the hour's end belongs to the hour that is drawn
        met[min((hour - since) // HOUR, HOURS - 1)].update(found)
    return [Hour(since + number * HOUR, found) for number, found in enumerate(met)]


def _budgets(engine: Engine, tx: Transaction) -> Iterator[Used]:
    shared = {each.id: each.shared for each in engine.policy.policy.budgets}
    seen: set[str] = set()
    for line in lines(engine, tx, None, FULLEST):
        if shared[line.budget] or line.budget not in seen:
            yield Used(
                line.budget,
                line.used_words,
                line.limit_words,
                line.share,
                line.whose,
                shared[line.budget],
                line.used_up_at,
                line.frozen is not None,
            )
        seen.add(line.budget)
