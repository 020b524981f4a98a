"""Sync and async agree: the same proposals give the same decisions, states and entries both ways."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import handrail
from handrail.engine.restrict import halt, set_rung
from handrail.words.approval import Choice
from handrail.words.entry import Entry
from handrail.words.level import Rung
from tests.support.rail import HEAD, LEAD, SECOND, Desk, opened

VARYING = {
    "digests",
    "execution_time_ms",
    "owner",
    "approval",
    "expires_at",
    "runs_until",
    "digest",
    "halt",
    "key",
}

AMOUNTS = st.sampled_from([0, 4, 40.5, 150, 5_000, -1, float("nan"), "x", None])
REASONS = st.sampled_from(["", "legal", "pairs"])
CALLS = st.tuples(
    st.just("refund"), st.fixed_dictionaries({"order": st.just("o"), "amount": AMOUNTS, "reason": REASONS})
)
NOTES = st.tuples(st.just("note"), st.fixed_dictionaries({"text": st.sampled_from(["a", "fail", "nothing"])}))
WIPES = st.tuples(st.just("wipe"), st.fixed_dictionaries({"where": st.sampled_from(["all", 7])}))
PEOPLE = st.tuples(st.sampled_from(["approve", "reject"]), st.sampled_from([LEAD, SECOND, HEAD, "nobody"]))
OTHERS = st.tuples(st.sampled_from(["halt", "rung", "resume"]), st.sampled_from(["note", "refund", "wipe"]))
KEYS = st.sampled_from([None, None, "k1"])
STEPS = st.lists(st.tuples(st.one_of(CALLS, NOTES, WIPES, PEOPLE, OTHERS), KEYS), max_size=7)


def body(tool: str) -> Callable[..., str]:
    """What the tools do, for both kinds."""

    def act(**given: Any) -> str:
        if given.get("text") == "fail":
            raise ValueError("no")
        if given.get("text") == "nothing":
            raise handrail.NotDone("off")
        return f"{tool} {given}"

    return act


def bound(desk: Desk, *, waits: bool) -> tuple[dict[str, Callable[..., Any]], Callable[[str], Any]]:
    """The tools, blocking or async, both called in the blocking way; and how to resume."""
    rail = desk.rail
    tools: dict[str, Callable[..., Any]] = {}
    if waits:

        async def refund(order: str, amount: float, reason: str = "") -> str:
            return body("refund")(order=order, amount=amount, reason=reason)

        async def note(text: str) -> str:
            return body("note")(text=text)

        async def wipe(where: str) -> str:
            return body("wipe")(where=where)

        for each in (refund, note, wipe):
            gated = rail.tool(each)
            tools[each.__name__] = lambda gated=gated, **given: asyncio.run(gated(**given))
        return tools, lambda action: asyncio.run(rail.resume_async(action))

    def refund_(order: str, amount: float, reason: str = "") -> str:
        return body("refund")(order=order, amount=amount, reason=reason)

    def note_(text: str) -> str:
        return body("note")(text=text)

    def wipe_(where: str) -> str:
        return body("wipe")(where=where)

    for each_ in (refund_, note_, wipe_):
        name = each_.__name__.rstrip("_")
        tools[name] = rail.tool(name=name)(each_)
    return tools, rail.resume


def take(desk: Desk, tools: Any, resume: Any, step: Any, key: str | None) -> str:
    """One step; how it ended, in words."""
    (name, given), held = step, [action for action in desk.actions() if action.state in ("held", "approved")]
    try:
        if name in tools:
            with desk.rail.about(key=key, confidence=0.5):
                return str(tools[name](**given))
        if name in ("approve", "reject"):
            return str(desk.vote(held[-1].id, given, Choice(name)).state) if held else "nothing held"
        if name == "resume":
            return str(resume(held[-1].id)) if held else "nothing held"
        if name == "rung":
            return str(set_rung(desk.app.engine, "support", given, Rung.SUGGEST, "less", "ops"))
        halt(desk.app.engine, "stop", "ops", tool=given)
    except (handrail.HandrailError, ValueError) as error:
        text = str(error)
        for number, action in enumerate(desk.actions()):
            text = text.replace(action.id, f"#{number}")
        return f"{type(error).__name__}: {text}"
    return "halted"


def told(entry: Entry, ids: dict[str | None, int]) -> Any:
    """An entry without what differs between any two runs."""
    said = {name: value for name, value in json.loads(entry.body).items() if name not in VARYING}
    if "steps" in said:
        said["steps"] = [
            [*step[:2], *(["?", "?"] if step[0] == "halt" else step[2:4]), step[4]] for step in said["steps"]
        ]
    for name in ("input", "refusal"):
        said[name] = str(said.get(name))
    return entry.kind, ids.get(entry.action), entry.agent, entry.tool, said


def run(folder: Path, steps: Any, *, waits: bool) -> Any:
    """Everything that came of the steps."""
    with opened(folder, "memory:", keeper=False) as desk:
        tools, resume = bound(desk, waits=waits)
        with desk.rail.session("support", "t"):
            ended = [take(desk, tools, resume, step, key) for step, key in steps]
        actions = desk.actions()
        ids: dict[str | None, int] = {action.id: number for number, action in enumerate(actions)}
        facts = [
            (action.tool, action.state, action.shadow, action.error, action.attempt) for action in actions
        ]
        return ended, facts, desk.used(), [told(entry, ids) for entry in desk.entries()]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_blocking_and_async_roads_give_the_same_decisions_states_and_entries(
    tmp_path: Path, steps: Any
) -> None:
    assert run(tmp_path, steps, waits=False) == run(tmp_path, steps, waits=True)


def test_the_comparison_sees_every_kind_of_end(tmp_path: Path) -> None:
    steps: Any = [
        (("refund", {"order": "o", "amount": 4, "reason": ""}), None),
        (("refund", {"order": "o", "amount": 150, "reason": ""}), None),
        (("approve", LEAD), None),
        (("resume", "refund"), None),
        (("note", {"text": "fail"}), "k1"),
        (("note", {"text": "nothing"}), None),
        (("wipe", {"where": "all"}), None),
        (("halt", "note"), None),
        (("note", {"text": "a"}), None),
    ]
    ended, _, used, _ = run(tmp_path, steps, waits=True)
    kinds = [word.partition(":")[0] for word in ended]
    assert kinds[:4] == ["refund {'order'", "Held", "approved", "refund {'order'"]
    assert kinds[4:] == ["ValueError", "NotDone", "Shadowed", "halted", "Denied"]
    assert used == 1
