"""What makes the demo's agents stop: its end, which waits for what is under way, and halts, which pass."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue

import pytest

from handrail.app import open_store, operator
from handrail.demo.stops import Over, Stops, begin
from handrail.demo.visitor import Mailbox, What
from handrail.engine.core import Engine
from handrail.engine.restrict import halt, lift

SECONDS = 30


@dataclass
class Site:
    """Stops over a store of its own, and what was said at the terminal."""

    engine: Engine
    stops: Stops = field(init=False)
    told: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def __post_init__(self) -> None:
        self.stops = Stops(self.engine.store, self.told.put)

    def halted(self, agent: str | None = None, tool: str | None = None) -> str:
        return halt(self.engine, "strange refunds", "you@example.com", agent=agent, tool=tool)[0]


@pytest.fixture
def site() -> Iterator[Site]:
    store = open_store("memory:")
    yield Site(operator(store))
    store.close()


def test_nothing_begins_after_the_end(site: Site) -> None:
    with site.stops.acting():
        pass
    site.stops.check()
    site.stops.end()
    for refused in (site.stops.check, lambda: site.stops.pause(0), site.stops.acting().__enter__):
        with pytest.raises(Over):
            refused()


def test_the_end_waits_for_what_is_under_way(site: Site) -> None:
    ended = threading.Event()

    def end() -> None:
        site.stops.end()
        ended.set()

    with site.stops.acting():
        thread = threading.Thread(target=end)
        thread.start()
        with pytest.raises(Over):
            site.stops.pause(SECONDS)  # wakes as soon as the end is called for
        assert not ended.is_set()
    thread.join(SECONDS)
    assert ended.is_set()


def test_without_a_halt_nobody_waits(site: Site) -> None:
    assert site.stops.wait_out("desk") is False
    assert site.told.empty()


def test_a_halt_is_told_once_and_waited_out(site: Site) -> None:
    found = site.halted()
    waited = [threading.Thread(target=site.stops.wait_out, args=(agent,)) for agent in ("desk", "quotes")]
    for each in waited:
        each.start()
    assert site.told.get(timeout=SECONDS) == (
        "Stopped by you@example.com: everything. The agents wait until it goes on."
    )
    lift(site.engine, found, "you@example.com", "mended")
    for each in waited:
        each.join(SECONDS)
    assert site.told.get(timeout=SECONDS) == "It goes on: the agents work again."
    assert site.told.empty()


def test_a_halt_of_somebody_else_stops_nobody(site: Site) -> None:
    site.halted(agent="quotes")
    assert site.stops.wait_out("desk") is False


def test_a_halt_of_a_tool_stops_that_tool_and_not_its_agent(site: Site) -> None:
    site.halted(tool="issue_refund")
    assert site.stops.wait_out("desk") is False
    threading.Timer(0, site.stops.end).start()
    with pytest.raises(Over):
        site.stops.wait_out("desk", "issue_refund")


def test_what_goes_wrong_in_a_thread_is_heard_by_the_main_one(site: Site) -> None:
    mailbox: Mailbox = Mailbox()

    def fail() -> None:
        raise LookupError("no such ticket")

    begin("a test", fail, site.stops, mailbox)
    news = mailbox.get(timeout=SECONDS)
    assert (news.what, str(news.error)) == (What.BROKE, "no such ticket")
