"""The broadcaster of one process: who is too slow is dropped, who pauses misses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from handrail.server import live as module
from handrail.server.live import Dropped, Event, Live
from handrail.words.lifecycle import State
from tests.support.rail import Desk, opened


def act(desk: Desk, count: int) -> None:
    """Let the tool run ``count`` times in one session."""

    def note(text: str) -> None: ...

    if "note" not in desk.app.engine.tools:
        desk.rail.tool(note)
    with desk.rail.session("support"):
        for each in range(count):
            desk.rail._functions["note"](f"{each}")


async def test_a_stream_that_is_slower_than_the_ring_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RING", 4)
    with opened(tmp_path, "memory:") as desk:
        live = Live(desk.app.store, asyncio.Event())
        async with live.running():
            slow, quick = live.since(None), live.since(None)
            await anext(slow)
            await joined(live)
            while await anext(slow):
                pass
            await asyncio.to_thread(act, desk, 3)
            seen = 0
            while seen < 9:
                seen += len(await anext(quick))
            with pytest.raises(Dropped):
                await drained(slow)
            await slow.aclose()
            await quick.aclose()
        assert [each.state for each in desk.actions()] == [State.DONE] * 3


async def joined(live: Live) -> None:
    """The thread has begun to read."""
    async with asyncio.timeout(30):
        while not live._places:
            await live._told.wait()


async def drained(events: AsyncGenerator[list[Event], None]) -> None:
    """Read on until it ends."""
    async for _ in events:
        pass


async def test_what_happens_while_nobody_looks_is_told_to_who_comes_back(tmp_path: Path) -> None:
    with opened(tmp_path, "memory:") as desk:
        live = Live(desk.app.store, asyncio.Event())
        async with live.running():
            await asyncio.to_thread(act, desk, 1)
            first = live.since(None)
            begun = await anext(first)
            await first.aclose()
            await asyncio.to_thread(act, desk, 2)
            again = live.since(begun[-1].cursor)
            told: list[str] = []
            while len(told) < 1 + 2 * 4:
                told += [event.kind for event in await anext(again)]
            await again.aclose()
    assert told == ["session_opened", *["proposed", "decided", "intended", "done"] * 2]
