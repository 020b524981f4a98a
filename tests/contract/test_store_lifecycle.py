"""Every change of state that stands in SQL is one that the life cycle's table allows."""

from __future__ import annotations

import re

import pytest

from handrail.store.parts.actions import AGAIN, BORN, SETTLED
from handrail.store.queries import parse, sql_file
from handrail.words.lifecycle import MOVES, OPEN, State, sources

STATEMENTS = parse(sql_file("queries/actions.sql"))
CHANGES = {
    name: text
    for name, text in STATEMENTS.items()
    if re.search(r"update actions set.*\bstate = .* where ", text)
}
FREE = {State.DENIED, State.EXPIRED, State.CANCELLED, State.SUPERSEDED}


def before(text: str) -> set[State]:
    """The states that a statement's guard lets it start from."""
    guard = text.partition(" where ")[2]
    listed = re.findall(r"state in \(([^)]*)\)", guard)
    words = re.findall(r"'(\w+)'", listed[0]) if listed else re.findall(r"state = '(\w+)'", guard)
    return {State(word) for word in words}


def after(text: str) -> State | None:
    """The state that a statement sets, where it stands in the text."""
    found = re.search(r"set\s.*?\bstate = '(\w+)'", text.partition(" where ")[0])
    return None if found is None else State(found[1])


def test_these_statements_change_a_state() -> None:
    """A new one must be looked at here."""
    assert set(CHANGES) == {
        "claim",
        "finish",
        "move",
        "approve_action",
        "hold_again",
        "deny_again",
        "mark_unknown",
        "expire_approved",
        "supersede",
    }


@pytest.mark.parametrize("name", sorted(set(CHANGES) - {"finish", "move"}))
def test_a_fixed_change_comes_from_states_that_may_become_it(name: str) -> None:
    """Its guard names at least one state, and only sources of its target."""
    target, allowed = after(CHANGES[name]), before(CHANGES[name])
    assert target is not None
    assert allowed
    assert allowed <= set(sources(target))


def test_a_report_comes_from_states_that_may_become_it() -> None:
    """Every state that a report may set follows every state that its guard names."""
    assert {State.DONE, State.FAILED} == SETTLED
    assert before(CHANGES["finish"]) == {State.RUNNING, State.UNKNOWN}
    assert all(before(CHANGES["finish"]) <= set(sources(target)) for target in SETTLED)


def test_a_general_move_is_guarded_by_the_state_it_was_asked_for() -> None:
    """Python has looked the pair up in the table; SQL compares the first and sets the second."""
    assert "set state = :state" in CHANGES["move"]
    assert CHANGES["move"].endswith("where id = :id and state = :expected")


def test_rechecks_end_where_their_statements_say() -> None:
    """Held or denied, each with its own statement."""
    assert {target: after(CHANGES[name]) for target, name in AGAIN.items()} == {
        state: state for state in AGAIN
    }
    assert all(target in MOVES[State.ALLOWED] & MOVES[State.APPROVED] for target in AGAIN)


def test_an_action_enters_as_what_a_proposal_may_become() -> None:
    """Or claimed in the same transaction, which is allowed and then running."""
    assert MOVES[State.PROPOSED] | {State.RUNNING} == BORN
    assert State.RUNNING in MOVES[State.ALLOWED]


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_the_indexes_know_the_same_states(dialect: str) -> None:
    """An equal proposal joins what is open; a key is free after an end without effect or refusal."""
    schema = sql_file(f"schema/{dialect}.sql")
    statements = {
        found[1]: found[2] for found in re.finditer(r"create (?:unique )?index (\w+) ([^;]*);", schema)
    }
    assert set(re.findall(r"state = '(\w+)'", statements["actions_open"])) == OPEN
    assert set(re.findall(r"state = '(\w+)'", STATEMENTS["open_twin"])) == OPEN
    for text in (statements["actions_key"], STATEMENTS["by_key"], STATEMENTS["add_action"]):
        assert set(re.findall(r"state <> '(\w+)'", text)) == FREE
    assert all(not MOVES[state] for state in FREE)
