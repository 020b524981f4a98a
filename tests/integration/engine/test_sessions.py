"""Who acts: sessions of threads and tasks, several rails, nested tools, and what a function stays."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import typing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import handrail
from handrail.engine.context import MARK, current_session, inside_a_session
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from tests.integration.engine.conftest import Open
from tests.support.rail import POLICY, Desk


def test_a_tool_called_outside_a_session_is_refused_and_does_nothing(one_desk: Desk) -> None:
    ran: list[str] = []

    @one_desk.rail.tool
    def note(text: str) -> None:
        ran.append(text)

    @one_desk.rail.tool
    async def offer(text: str) -> None:
        ran.append(text)

    with pytest.raises(handrail.NoSession, match=r'inside "with rail\.session'):
        note("a")
    with pytest.raises(handrail.NoSession):
        asyncio.run(offer("a"))
    with one_desk.rail.session("support"):
        note("b")
        asyncio.run(offer("c"))
    with pytest.raises(handrail.NoSession):
        note("d")
    assert ran == ["b", "c"]


@pytest.mark.parametrize("bad", ["", " ", None, 7, "x" * 501, "nul\0", "half \ud800"])
def test_an_agent_or_task_that_is_no_name_opens_no_session(one_desk: Desk, bad: Any) -> None:
    with pytest.raises(handrail.BadArguments, match="agent"):
        one_desk.rail.session(bad)
    if bad is not None:
        with pytest.raises(handrail.BadArguments, match="task"):
            one_desk.rail.session("support", bad)
    with one_desk.rail.session("support", None):
        assert current_session() is not None


def test_a_thread_has_its_own_session_and_none_of_its_parents(one_desk: Desk) -> None:
    seen: list[str] = []

    @one_desk.rail.tool
    def note(text: str) -> str:
        session = current_session()
        assert session is not None
        return f"{session.task}:{text}"

    def bare() -> None:
        with pytest.raises(handrail.NoSession):
            note("x")
        seen.append("refused")

    def own(number: int) -> str:
        barrier.wait(10)
        with one_desk.rail.session("support", f"t{number}"):
            return note(str(number))

    barrier = threading.Barrier(3)
    with one_desk.rail.session("support", "main"):
        thread = threading.Thread(target=bare)
        thread.start()
        thread.join()
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(own, range(3))) == ["t0:0", "t1:1", "t2:2"]
    assert seen == ["refused"]
    assert {action.task for action in one_desk.actions()} == {"t0", "t1", "t2"}


def test_tasks_of_one_loop_keep_their_sessions_apart(one_desk: Desk) -> None:
    @one_desk.rail.tool
    async def offer(text: str) -> str:
        await asyncio.sleep(0)
        session = current_session()
        assert session is not None
        return f"{session.task}:{text}"

    async def one(number: int) -> str:
        with one_desk.rail.session("support", f"t{number}"), one_desk.rail.about(key=f"k{number}"):
            await asyncio.sleep(0)
            return await offer(str(number))

    async def main() -> list[str]:
        return await asyncio.gather(*(one(number) for number in range(8)))

    assert asyncio.run(main()) == [f"t{number}:{number}" for number in range(8)]
    assert {(action.task, action.key) for action in one_desk.actions()} == {
        (f"t{n}", f"k{n}") for n in range(8)
    }
    assert not inside_a_session()


def test_commands_started_in_a_session_can_know_it_from_their_environment(one_desk: Desk) -> None:
    assert MARK not in os.environ
    with one_desk.rail.session("support") as outer:
        with one_desk.rail.session("sales") as inner:
            assert os.environ[MARK] == inner.id
        assert os.environ[MARK] == outer.id
        assert inside_a_session()
    assert MARK not in os.environ


def test_an_inner_session_is_who_acts_until_it_ends(one_desk: Desk) -> None:
    @one_desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> None: ...

    with one_desk.rail.session("support", "outer"):
        with one_desk.rail.session("sales"):
            refund("a", 1)
        refund("b", 1)
    assert [(each.agent, each.task) for each in one_desk.actions()] == [
        ("sales", "outer"),
        ("support", "outer"),
    ]
    assert one_desk.kinds().count(Kind.SESSION_OPENED) == 2


def test_a_tool_that_calls_a_tool_is_two_actions_each_decided_by_itself(desk: Desk) -> None:
    @desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        return "refunded"

    @desk.rail.tool
    def note(text: str) -> str:
        try:
            return refund(text, 5_000)
        except handrail.Denied:
            return refund(text, 5)

    with desk.rail.session("support", "t"):
        assert note("o-1") == "refunded"
    states = [(action.tool, action.state) for action in desk.actions()]
    assert states == [("note", State.DONE), ("refund", State.DENIED), ("refund", State.DONE)]


def test_an_async_tool_may_await_another(desk: Desk) -> None:
    @desk.rail.tool
    async def offer(text: str) -> str:
        return text.upper()

    @desk.rail.tool
    async def note(text: str) -> list[str]:
        return list(await asyncio.gather(offer(text), offer(f"{text}2")))

    with desk.rail.session("support", "t"):
        assert asyncio.run(note("a")) == ["A", "A2"]
    assert [action.state for action in desk.actions()] == [State.DONE] * 3


def test_two_rails_in_one_process_each_decide_by_their_own_policy(tmp_path: Path) -> None:
    rails = []
    for name, policy in (("a", POLICY), ("b", POLICY.replace("amount > 1000", "amount > 10"))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "handrail.yaml").write_text(policy)
        rails.append(handrail.connect(folder / "handrail.yaml"))
    first, second = rails

    def refund(order: str, amount: float, reason: str = "") -> str:
        return "ok"

    one, two = first.tool(refund), second.tool(refund)
    with first, second, first.session("support"):
        assert one("o", 50) == "ok"
        with pytest.raises(handrail.Denied):
            two("o", 50)
        assert two("o", 5) == "ok"


def test_two_desks_on_one_store_see_each_others_halts_and_answers(shared_url: str, open_desk: Open) -> None:
    from handrail.engine.restrict import halt

    first, second = open_desk(shared_url), open_desk(shared_url)
    calls: list[Callable[..., Any]] = []
    for desk in (first, second):

        @desk.rail.tool
        def refund(order: str, amount: float, reason: str = "") -> str:
            return order

        calls.append(refund)
    with first.rail.session("support"), pytest.raises(handrail.Held) as held:
        calls[0]("o-1", 500)
    second.vote(held.value.action_id)
    assert first.rail.wait(held.value.action_id, timeout=10).state is State.APPROVED
    assert second.rail.resume(held.value.action_id) == "o-1"
    with first.rail.session("support"):
        calls[0]("warm", 1)
        halt(second.app.engine, "stop", "ops")
        with pytest.raises(handrail.Denied, match="is stopped"):
            calls[0]("o-2", 1)


def test_a_policy_activated_elsewhere_is_taken_up_before_the_next_call(
    shared_url: str, open_desk: Open
) -> None:
    first, second = open_desk(shared_url), open_desk(shared_url)

    @first.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        return order

    with first.rail.session("support"):
        refund("o-1", 50)
        second.activate(POLICY.replace("amount > 1000", "amount > 10"))
        with pytest.raises(handrail.Denied, match="Nobody refunds"):
            refund("o-2", 50)
    assert len({action.policy for action in first.actions()}) == 2


def test_waiting_ends_when_somebody_answers_and_gives_up_at_its_timeout(desk: Desk) -> None:
    @desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        return order

    with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        refund("o-1", 500)
    action = held.value.action_id
    assert desk.rail.wait(action, timeout=0.01).state is State.HELD
    assert asyncio.run(desk.rail.wait_async(action, timeout=0.01)).state is State.HELD
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(desk.rail.wait, action)
        desk.vote(action)
        assert waiting.result(120).state is State.APPROVED
    with pytest.raises(handrail.NotFound):
        desk.rail.wait("nothing")


def test_tools_for_gives_an_agent_only_what_it_may_use_in_the_policys_order(one_desk: Desk) -> None:
    @one_desk.rail.tool
    def offer(text: str) -> None: ...

    @one_desk.rail.tool
    def note(text: str) -> None: ...

    @one_desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> None: ...

    assert one_desk.rail.tools_for("support") == [refund, note, offer]
    assert one_desk.rail.tools_for("sales") == [refund, offer]
    assert one_desk.rail.tools_for("stranger") == []


def test_a_decorated_function_keeps_its_name_docstring_signature_and_hints(one_desk: Desk) -> None:
    def plain(order: str, amount: float, reason: str = "none") -> str:
        """Pay money back."""
        return order

    async def waits(text: str) -> str:
        """Send an offer."""
        return text

    refund = one_desk.rail.tool(name="refund")(plain)
    offer = one_desk.rail.tool(name="offer")(waits)
    for gated, own in ((refund, plain), (offer, waits)):
        assert gated is not own
        assert (gated.__name__, gated.__doc__) == (own.__name__, own.__doc__)
        assert inspect.signature(gated) == inspect.signature(own)
        assert typing.get_type_hints(gated) == typing.get_type_hints(own)
        assert inspect.iscoroutinefunction(gated) == inspect.iscoroutinefunction(own)


def test_one_name_belongs_to_one_function(one_desk: Desk) -> None:
    one_desk.rail.tool(name="note")(lambda: None)
    with pytest.raises(handrail.Conflict, match="two functions want to be the tool 'note'"):
        one_desk.rail.tool(name="note")(lambda: None)


def test_a_tool_that_the_policys_rules_do_not_fit_is_refused_when_it_is_bound(one_desk: Desk) -> None:
    def refund(order: str, money: float) -> None: ...

    with pytest.raises(handrail.PolicyError, match="amount"):
        one_desk.rail.tool(refund)


@pytest.mark.parametrize(
    ("args", "kwargs", "why"),
    [
        ((), {}, "missing amount, order"),
        (("o",), {}, "missing amount"),
        (("o", 1, "r", 2), {}, "too many"),
        (("o", 1), {"extra": 1}, "extra"),
        (("o", 1), {"order": "p"}, "two values for order"),
        (("o", "1"), {}, "amount"),
        (("o", True), {}, "amount"),
        ((7, 1), {}, "order"),
        (("o", float("nan")), {}, "not a finite number"),
        (("o", float("inf")), {}, "not a finite number"),
        (("o", -1), {}, "negative"),
        (("o", 2**70), {}, "beyond 64 bits"),
        (("o" * 10_000_000, 1), {}, "at most 1,048,576"),
        (("half \ud800", 1), {}, "JSON"),
        ((object(), 1), {}, "not JSON"),
        (("o", None), {}, "amount"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_clearly_and_journalled(
    one_desk: Desk, args: Any, kwargs: Any, why: str
) -> None:
    @one_desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        return "ran"

    with one_desk.rail.session("support"):
        with pytest.raises(handrail.Denied, match=why) as denied:
            refund(*args, **kwargs)
        assert refund("o", 1) == "ran"
    assert one_desk.kinds(denied.value.action_id) == [Kind.PROPOSED, Kind.DECIDED]
    assert one_desk.action(denied.value.action_id).state is State.DENIED


def test_an_async_tool_is_resumed_by_the_async_way_only(desk: Desk) -> None:
    @desk.rail.tool
    async def refund(order: str, amount: float, reason: str = "") -> str:
        await asyncio.sleep(0)
        return order

    with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        asyncio.run(refund("o-1", 500))
    desk.vote(held.value.action_id)
    with pytest.raises(handrail.Conflict, match="resume_async"):
        desk.rail.resume(held.value.action_id)
    assert asyncio.run(desk.rail.resume_async(held.value.action_id)) == "o-1"
    assert asyncio.run(desk.rail.resume_async(held.value.action_id)) == "o-1"


def test_an_action_is_resumed_only_where_its_tool_is(shared_url: str, open_desk: Open) -> None:
    first, second = open_desk(shared_url), open_desk(shared_url)

    @first.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        return order

    with first.rail.session("support"), pytest.raises(handrail.Held) as held:
        refund("o-1", 500)
    first.vote(held.value.action_id)
    with pytest.raises(handrail.Conflict, match="does not have the tool refund"):
        second.rail.resume(held.value.action_id)
    assert first.rail.resume(held.value.action_id) == "o-1"
