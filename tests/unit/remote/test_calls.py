"""Calls through a server: what is sent, what is called, what is told; and nothing runs without its leave."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import Any

import pytest

import handrail
from handrail.words.lifecycle import State
from tests.unit.remote.conftest import KEY, TOKEN, Stub

Effects = list[Any]


@pytest.fixture
def effects() -> Effects:
    """What really happened."""
    return []


@pytest.fixture
def note(rail: handrail.Rail, effects: Effects) -> Any:
    """A tool that notes what it is called with."""

    @rail.tool
    def note(text: str, amount: Decimal = Decimal("1.25")) -> str:
        effects.append((text, amount))
        return f"noted {text}"

    return note


def test_a_call_introduces_tool_and_session_proposes_runs_and_reports(
    rail: handrail.Rail, note: Any, stub: Stub, effects: Effects
) -> None:
    with rail.session("support", "ticket-1"), rail.about(confidence=0.9, rationale="why not", key="k-1"):
        assert note("x") == "noted x"
        assert note("y") == "noted y"
    assert stub.paths() == [
        "POST sessions",
        "POST tools",
        *["POST actions", "POST actions/outcome"] * 2,
    ]
    assert stub.asked[0][2] == {"agent": "support", "task": "ticket-1"}
    proposed = stub.asked[2][2]
    assert (proposed["session"], proposed["session_token"]) == ("f" * 28, "t")
    assert (proposed["rationale"], proposed["key"], len(proposed["id"])) == ("why not", "k-1", 28)
    assert b'"args":{"amount":1.25,"text":"x"}' in stub.raw[2]
    assert b'"confidence":0.9' in stub.raw[2]
    reported = stub.asked[3][2]
    assert (reported["token"], reported["state"], reported["output"]) == (TOKEN, "done", "noted x")
    assert effects == [("x", Decimal("1.25")), ("y", Decimal("1.25"))]
    assert {headers["authorization"] for headers in stub.headers} == {f"Bearer {KEY}"}


def test_numbers_go_there_and_back_digit_by_digit(rail: handrail.Rail, stub: Stub, effects: Effects) -> None:
    @rail.tool
    def pay(amount: Decimal, count: int) -> Decimal:
        effects.append((amount, count))
        return amount

    def exact(said: dict[str, Any]) -> tuple[int, bytes]:
        import json

        text = json.dumps(stub.running(said))
        args = stub.raw[-1].partition(b'"args":')[2].partition(b"}")[0] + b"}"
        return 201, text.replace(json.dumps(said["args"]), args.decode()).encode()

    stub.special["POST actions"] = lambda said: exact(said) if "id" in said else (200, {})
    amount, count = Decimal("0.10000000000000000000000000001"), 2**53 + 1
    with rail.session("support"):
        assert pay(amount, count) == amount
    assert effects == [(amount, count)]
    assert b'"output":"0.10000000000000000000000000001"' in stub.raw[-1] or amount == effects[0][0]


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("denied", handrail.Denied),
        ("held", handrail.Held),
        ("shadowed", handrail.Shadowed),
        ("running", handrail.InProgress),
        ("unknown", handrail.InProgress),
        ("failed", handrail.ToolFailed),
        ("rejected", handrail.Denied),
        ("expired", handrail.Denied),
        ("cancelled", handrail.Denied),
    ],
)
def test_what_does_not_run_is_told_in_the_servers_sentence(
    rail: handrail.Rail, note: Any, stub: Stub, effects: Effects, state: str, error: type[handrail.NotRun]
) -> None:
    stub.special["POST actions"] = lambda said: (
        201,
        {**stub.action(said, state, steps=[STEP]), "told": "The server says so."},
    )
    with rail.session("support"), pytest.raises(error) as told:
        note("x")
    assert (str(told.value), effects) == ("The server says so.", [])
    assert told.value.verdict is not None
    assert told.value.verdict.steps[0].reason == "It is big."


STEP = {
    "measure": "ask",
    "outcome": "ask",
    "rule": "big",
    "reason": "It is big.",
    "audience": "leads",
    "digest": "d",
}


def test_a_tool_on_trial_runs_its_simulation_where_it_has_one(rail: handrail.Rail, stub: Stub) -> None:
    @rail.tool(simulate=lambda text: f"as if {text}")
    def note(text: str) -> str:
        raise AssertionError(text)

    stub.special["POST actions"] = lambda said: (201, stub.action(said, "shadowed"))
    with rail.session("support"):
        assert note("x") == "as if x"


def test_arguments_that_came_back_changed_are_not_executed(
    rail: handrail.Rail, note: Any, stub: Stub, effects: Effects
) -> None:
    stub.special["POST actions/"] = lambda said: (200, stub.actions[next(iter(stub.actions))])
    stub.special["POST actions"] = lambda said: (201, stub.running(said, {"text": "evil", "amount": 1.1}))
    with rail.session("support"), pytest.raises(handrail.Conflict, match="other arguments"):
        note("x")
    assert effects == []
    assert (stub.asked[-1][2]["state"], stub.asked[-1][2]["nothing_done"]) == ("failed", True)


def test_arguments_that_fit_no_call_are_told_to_the_server_which_denies(
    rail: handrail.Rail, note: Any, stub: Stub
) -> None:
    stub.special["POST actions"] = lambda said: (201, {**stub.action(said, "denied"), "told": "No."})
    with rail.session("support"):
        for args in ({"words": "x"}, {"text": float("nan")}, {"text": 3}):
            with pytest.raises(handrail.Denied):
                note(**args)
    refusals = [said["refusal"] for _, path, said in stub.asked if path == "actions"]
    assert ["missing" in refusals[0], "finite" in refusals[1], "type hints" in refusals[2]] == [True] * 3


def test_a_tool_that_fails_is_reported_and_its_error_raised(rail: handrail.Rail, stub: Stub) -> None:
    @rail.tool
    def note(text: str) -> None:
        if text == "not":
            raise handrail.NotDone("no such order")
        raise ValueError(text)

    with rail.session("support"):
        with pytest.raises(ValueError, match="odd"):
            note("odd")
        failed = stub.asked[-1][2]
        with pytest.raises(handrail.NotDone):
            note("not")
        provably = stub.asked[-1][2]
    assert (failed["state"], failed["error"], failed["nothing_done"]) == ("failed", "ValueError: odd", False)
    assert (provably["error"], provably["nothing_done"]) == ("no such order", True)


def test_async_tools_and_sync_tools_from_a_loop(rail: handrail.Rail, stub: Stub, effects: Effects) -> None:
    @rail.tool
    async def note(text: str) -> str:
        await asyncio.sleep(0)
        effects.append(text)
        return text

    async def main() -> list[str]:
        return await asyncio.gather(*(note(f"n{count}") for count in range(20)))

    with rail.session("support"):
        assert asyncio.run(main()) == [f"n{count}" for count in range(20)]
    assert sorted(effects) == sorted(f"n{count}" for count in range(20))
    assert stub.paths().count("POST sessions") == 1
    assert stub.paths().count("POST tools") == 1


def test_a_call_that_is_cancelled_while_it_asks_is_settled_as_never_begun(
    rail: handrail.Rail, stub: Stub, effects: Effects
) -> None:
    asked, go = threading.Event(), threading.Event()

    @rail.tool
    async def note(text: str) -> None:
        effects.append(text)

    def slow(said: dict[str, Any]) -> tuple[int, Any]:
        asked.set()
        assert go.wait(120)
        return 201, stub.running(said)

    async def main() -> None:
        task = asyncio.create_task(note("x"))
        await asyncio.to_thread(asked.wait, 10)
        task.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    stub.special["POST actions/"] = lambda said: (200, {})
    stub.special["POST actions"] = slow
    with rail.session("support"):
        asyncio.run(main())
    assert effects == []
    assert (stub.asked[-1][2]["state"], stub.asked[-1][2]["nothing_done"]) == ("failed", True)


def test_a_call_outside_a_session_asks_nothing(note: Any, stub: Stub) -> None:
    with pytest.raises(handrail.NoSession):
        note("x")
    assert stub.asked == []


def test_an_approved_action_is_started_and_of_an_edited_one_the_edited(
    rail: handrail.Rail, note: Any, stub: Stub, effects: Effects
) -> None:
    old, new = "a" * 28, "b" * 28
    first = stub.action({"id": old}, "superseded", superseded_by=new)
    second = stub.action({"id": new}, "allowed", supersedes=old, edited_by="lead@example.com")
    stub.special[f"GET actions/{old}"] = lambda _: (200, first)
    stub.special[f"GET actions/{new}"] = lambda _: (200, second)
    edited = {"text": "edited", "amount": 2}
    stub.special[f"POST actions/{new}/start"] = lambda _: (200, stub.running({"id": new, "args": edited}))
    assert rail.wait(old, 5).id == new
    assert rail.action(old).state is State.SUPERSEDED
    assert rail.resume(old) == "noted edited"
    assert effects == [("edited", Decimal(2))]


def test_what_was_edited_for_another_version_of_the_tool_is_not_run_by_this_one(
    rail: handrail.Rail, note: Any, stub: Stub, effects: Effects
) -> None:
    """The server may have accepted another schema since; there the same names may mean something else."""
    action = "a" * 28
    said = {"id": action, "binding": "0" * 64, "args": {"text": "edited", "amount": 2}}
    stub.special[f"GET actions/{action}"] = lambda _: (200, stub.action(said, "approved"))
    stub.special[f"POST actions/{action}/start"] = lambda _: (200, stub.running(said))
    with pytest.raises(handrail.Conflict, match="another version of the tool"):
        rail.resume(action)
    [(_, _, reported)] = [each for each in stub.asked if each[1].endswith("/outcome")]
    assert (reported["state"], reported["nothing_done"], effects) == ("failed", True, [])
    stub.special.clear()
    with rail.session("support"):
        note("mine", 1)
    assert [text for text, _ in effects] == ["mine"]


def test_what_is_done_gives_the_output_that_it_gave(rail: handrail.Rail, note: Any, stub: Stub) -> None:
    action = "a" * 28
    stub.special[f"GET actions/{action}/payload"] = lambda _: (200, b'{"args":{},"output":{"n":0.1}}')
    stub.special[f"GET actions/{action}"] = lambda _: (200, stub.action({"id": action}, "done"))
    assert rail.resume(action) == {"n": 0.1}
    assert asyncio.run(rail.resume_async(action)) == {"n": 0.1}


def test_waiting_asks_long_and_ends_in_time(rail: handrail.Rail, stub: Stub) -> None:
    action = "a" * 28
    states = iter(["held", "held", "approved", "held"])
    stub.special[f"GET actions/{action}"] = lambda _: (200, stub.action({"id": action}, next(states, "held")))
    assert rail.wait(action).state is State.APPROVED
    assert rail.wait(action, 0).state is State.HELD
    assert asyncio.run(rail.wait_async(action, 0)).state is State.HELD


def test_tools_and_boundaries_are_those_of_the_servers_policy(
    rail: handrail.Rail, note: Any, stub: Stub
) -> None:
    may = ["other", "note"]
    stub.special["GET agents/support"] = lambda _: (200, {"may": may, "boundaries": "You may.\n"})
    assert rail.tools_for("support") == [note]
    assert rail.boundaries("support") == "You may.\n"
    with pytest.raises(handrail.NotFound):
        rail.boundaries("nobody")


def test_facts_come_from_the_server(rail: handrail.Rail) -> None:
    with pytest.raises(handrail.Refused, match="server resolves facts"):
        rail.fact("customer")


def test_two_functions_can_not_be_one_tool(rail: handrail.Rail, note: Any) -> None:
    with pytest.raises(handrail.Conflict):
        rail.bind("note", lambda: None, {"type": "object"})


def test_a_tool_that_does_not_fit_the_policy_says_where(rail: handrail.Rail, note: Any, stub: Stub) -> None:
    detail = "handrail.yaml:7:3: the tool note has no argument sum"
    stub.special["POST tools"] = lambda _: (422, {"status": 422, "detail": detail})
    with rail.session("support"), pytest.raises(handrail.PolicyError) as refused:
        note("x")
    [problem] = refused.value.problems
    assert (problem.file, problem.line, problem.column) == ("handrail.yaml", 7, 3)


def test_a_server_that_forgot_the_tool_is_told_again(rail: handrail.Rail, note: Any, stub: Stub) -> None:
    times = iter([1])
    stub.special["POST actions/"] = lambda said: (200, {})
    stub.special["POST actions"] = lambda said: (
        (409, {"detail": "unknown tool"}) if next(times, None) else (201, stub.running(said))
    )
    with rail.session("support"):
        assert note("x") == "noted x"
    assert stub.paths().count("POST tools") == 2
    ids = {said["id"] for _, path, said in stub.asked if path == "actions"}
    assert len(ids) == 1
