"""Real processes race over one store: what may happen once happens once, and nothing starts after a halt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import handrail
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from tests.integration.engine.conftest import Open
from tests.support.nursery import Nursery, nursery
from tests.support.rail import LEAD, SECOND, Desk

POLICY = """
handrail: 1
agents:
  support: {may: [refund]}
tools:
  refund: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}
rules:
  - {id: big, tools: refund, when: "amount > 100", ask: leads}
budgets:
  - {id: ten, tools: refund, actions: 10, per: day}
approvers:
  leads: {people: [lead@example.com, second@example.com], need: 1, answer_within: 4 h, if_no_answer: reject}
"""
EIGHT = 8


@pytest.fixture(scope="module")
def processes() -> Iterator[Nursery]:
    """Starts processes that race."""
    with nursery("tests.integration.engine.racers") as found:
        yield found


@dataclass
class Track:
    """A store that processes share, and what they did."""

    desk: Desk
    folder: Path
    processes: Nursery

    def race(self, *jobs: tuple[str, dict[str, Any]]) -> list[Any]:
        """All at once; their results."""
        shared = {
            "policy": str(self.folder / "handrail.yaml"),
            "url": self.desk.url,
            "witness": str(self.witness),
        }
        racers = "tests.integration.engine.racers"
        return self.processes.each([(f"{racers}:{name}", {**shared, **given}) for name, given in jobs])

    @property
    def witness(self) -> Path:
        """The file in which every effect is a line."""
        return self.folder / "witness"

    def effects(self) -> Counter[str]:
        """How often each order was refunded."""
        return Counter(self.witness.read_text().split()) if self.witness.exists() else Counter()

    def held(self) -> str:
        """The id of an action that waits for a person."""

        @self.desk.rail.tool
        def refund(order: str, amount: float, reason: str = "") -> str:
            raise AssertionError("only racers refund")

        with self.desk.rail.session("support", "t"), pytest.raises(handrail.Held) as held:
            refund("o-1", 500)
        return held.value.action_id


@pytest.fixture
def track(shared_url: str, open_desk: Open, tmp_path: Path, processes: Nursery) -> Track:
    """A track over SQLite and over PostgreSQL."""
    return Track(open_desk(shared_url, POLICY), tmp_path, processes)


def test_eight_processes_resume_one_approved_action_and_it_runs_once(track: Track) -> None:
    action = track.held()
    track.desk.vote(action)
    ended = track.race(*[("resume", {"action": action})] * EIGHT)
    assert track.effects() == {"o-1": 1}
    assert set(ended) <= {"gave o-1", "InProgress"}
    assert "gave o-1" in ended
    assert track.desk.kinds(action).count(Kind.INTENDED) == 1
    assert track.desk.action(action).state is State.DONE
    assert track.desk.used() == 1


@pytest.mark.parametrize(("first", "second"), [("approve", "approve"), ("approve", "reject")])
def test_two_people_answer_at_once_and_one_answer_counts(track: Track, first: str, second: str) -> None:
    action = track.held()
    question = track.desk.question(action).id
    ended = track.race(
        ("answer", {"question": question, "person": LEAD, "choice": first}),
        ("answer", {"question": question, "person": SECOND, "choice": second}),
    )
    assert sorted(word == "Conflict" for word in ended) == [False, True]
    assert track.desk.kinds(action).count(Kind.VOTED) == 1
    expected = State.REJECTED if "gave rejected" in ended else State.APPROVED
    assert track.desk.action(action).state is expected


def test_one_person_edits_while_another_approves_and_one_of_both_counts(track: Track) -> None:
    action = track.held()
    question = track.desk.question(action).id
    ended = track.race(
        ("answer", {"question": question, "person": LEAD, "choice": "approve"}),
        ("change", {"question": question, "person": SECOND, "amount": 50}),
    )
    assert [word == "gave approved" for word in ended].count(True) == 1
    assert [word in {"Conflict", "Refused"} for word in ended].count(True) == 1
    found = {each.id: each.state for each in track.desk.actions()}
    if ended[0] == "gave approved":
        assert found == {action: State.APPROVED}
    else:
        assert sorted(found.values()) == [State.APPROVED, State.SUPERSEDED]
    assert track.race(("resume", {"action": action})) in (["gave o-1"], ["gave edited"])
    assert sum(track.effects().values()) == 1


def test_two_people_edit_at_once_and_one_edit_counts(track: Track) -> None:
    action = track.held()
    question = track.desk.question(action).id
    ended = track.race(
        *[
            ("change", {"question": question, "person": one, "amount": 200 + len(one)})
            for one in (LEAD, SECOND)
        ]
    )
    assert sorted(ended) == ["Conflict", "gave approved"]
    assert len(track.desk.actions()) == 2
    assert track.desk.kinds(action).count(Kind.EDITED) == 1


def test_an_action_is_taken_back_or_runs_and_never_both(track: Track) -> None:
    action = track.held()
    track.desk.vote(action)
    ended = track.race(("take_back", {"action": action}), ("resume", {"action": action}))
    if ended[0] == "gave cancelled":
        assert ended[1] == "Denied"
        assert track.effects() == {}
    else:
        assert ended == ["Conflict", "gave o-1"]
        assert track.effects() == {"o-1": 1}


def test_an_answer_that_comes_as_its_time_is_over_comes_too_late_once(track: Track) -> None:
    action = track.held()
    question = track.desk.question(action).id
    track.desk.sql("update seats set expires_at = 1")
    ended = track.race(
        ("answer", {"question": question, "person": LEAD, "choice": "approve"}), ("look_for_due", {})
    )
    assert ended[0] == "Conflict"
    assert track.desk.action(action).state is State.EXPIRED
    assert track.desk.kinds(action).count(Kind.EXPIRED) == 1


def test_a_budget_of_ten_lets_ten_of_many_run_however_many_processes_and_threads_try(track: Track) -> None:
    ended = Counter(word for words in track.race(*[("spend", {"calls": 6})] * EIGHT) for word in words)
    ran = sum(count for word, count in ended.items() if word.startswith("gave"))
    assert ran == 10
    assert ended["Denied"] == EIGHT * 6 - 10
    assert sum(track.effects().values()) == 10
    assert len(track.desk.actions(State.DONE)) == 10
    assert track.desk.used() == 10


def test_one_key_runs_once_however_many_processes_use_it(track: Track) -> None:
    ended = Counter(
        word for words in track.race(*[("spend", {"calls": 2, "key": "k-1"})] * EIGHT) for word in words
    )
    assert set(ended) <= {"gave k-1", "InProgress"}
    assert track.effects() == {"k-1": 1}
    assert len(track.desk.actions()) == 1


def test_nothing_starts_between_a_halts_return_and_its_lift_in_any_process(track: Track) -> None:
    jobs: list[tuple[str, dict[str, Any]]] = [("spend", {"calls": 4}), ("spend", {"calls": 4})]
    ended = track.race(("stop", {}), *jobs)
    halted = False
    told = [
        entry for entry in track.desk.entries() if entry.kind in (Kind.HALTED, Kind.LIFTED, Kind.INTENDED)
    ]
    for entry in told:
        if entry.kind is Kind.INTENDED:
            assert not halted
        halted = entry.kind is Kind.HALTED or (halted and entry.kind is not Kind.LIFTED)
    assert [entry.kind for entry in told].count(Kind.HALTED) == 5
    assert sum(track.effects().values()) == sum(
        word.startswith("gave") for words in ended[1:] for word in words
    )


def test_a_forked_process_and_its_parent_both_go_on(track: Track) -> None:
    assert track.race(("fork", {})) == [[0]]
    assert track.effects() == {"before": 1, "parent": 1, "child": 1}
    assert [action.state for action in track.desk.actions()] == [State.DONE] * 3
    assert len({action.owner for action in track.desk.actions()}) == 2
    assert track.desk.verified().ok
