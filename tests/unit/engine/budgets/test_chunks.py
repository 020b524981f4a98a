"""What a process notes of its chunks: never more than is left, and only for windows that it charges often."""

from __future__ import annotations

from dataclasses import replace

from handrail.engine.budgets.chunks import (
    AGAIN,
    LATELY,
    OFTEN,
    PATIENCE,
    SEVERAL,
    USABLE,
    WINDOWS,
    Chunks,
    Wish,
)
from handrail.words.budget import Chunk
from handrail.words.verdict import Charge

HOT = Charge("hot", "[]", 0, 5, 1_000_000, "cost")
GENERATION = 7


class Clock:
    """Seconds that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Process:
    """Chunks on a clock, and holders without end."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.chunks = Chunks(self.clock)
        self.holders = 0

    def draw(self, charge: Charge = HOT, generation: int = GENERATION) -> bool:
        """Whether a new holder's charge comes from a chunk."""
        self.holders += 1
        drawn, direct = self.chunks.draw((f"h{self.holders}", 1), [charge], generation)
        assert len(drawn) + len(direct) == 1
        return bool(drawn)

    def heat(self, charge: Charge = HOT) -> Wish:
        """Charge often enough, from the window itself; what is wished for."""
        for _ in range(OFTEN):
            assert not self.draw(charge)
        (wish,) = self.chunks.wishes()
        return wish

    def granted(self, quantity: int, name: str = "c1") -> Wish:
        """A chunk of a window that is charged often."""
        wish = self.heat()
        self.put(wish, quantity, name)
        return wish

    def put(self, wish: Wish, quantity: int, name: str) -> None:
        """As the store grants it."""
        chunk = Chunk(name, "me", *HOT_PLACE, quantity, 0)
        self.chunks.put(wish, chunk, self.clock.now)


HOT_PLACE = ("hot", "[]", 0)


def test_a_window_that_is_charged_often_is_wished_for_once() -> None:
    process = Process()
    for _ in range(OFTEN - 1):
        assert not process.draw()
    assert process.chunks.wishes() == []
    process.draw()
    assert process.chunks.wanted
    (wish,) = process.chunks.wishes()
    assert (wish.charge, wish.generation, wish.least) == (HOT, GENERATION, SEVERAL * HOT.quantity)
    assert wish.most >= wish.least
    process.draw()
    assert not process.chunks.wanted


def test_a_window_that_is_charged_now_and_then_is_not() -> None:
    process = Process()
    for _ in range(3 * OFTEN):
        process.clock.now += LATELY / (OFTEN - 1) * 1.1
        process.draw()
    assert not process.chunks.wanted


def test_no_more_is_drawn_than_there_is() -> None:
    """What does not fit any more goes to the window; exactly what is left still fits."""
    process = Process()
    process.granted(13)
    assert process.draw()
    assert process.draw()
    assert not process.draw()
    assert process.draw(replace(HOT, quantity=3))
    assert not process.draw(replace(HOT, quantity=1))


def test_what_was_surely_not_written_can_be_drawn_again_and_what_ended_can_not() -> None:
    """Settling gives nothing back here: only closing knows what a hold came to."""
    process = Process()
    process.granted(10)
    process.chunks.draw(("a", 1), [HOT], GENERATION)
    process.chunks.draw(("b", 1), [HOT], GENERATION)
    assert not process.draw()
    process.chunks.ended(("b", 1))
    process.chunks.give_back(("b", 1))
    assert not process.draw()
    process.chunks.give_back(("a", 1))
    assert process.draw()
    assert not process.draw()


def test_another_generation_or_limit_ends_a_chunk() -> None:
    """A freeze, a stop, a new policy: what was taken before is not used after, not even by who comes late."""
    others = (
        (HOT, GENERATION + 1),
        (replace(HOT, limit=HOT.limit - 1), GENERATION),
        (replace(HOT, alert_at=(50,)), GENERATION),
    )
    for charge, generation in others:
        process = Process()
        process.granted(100)
        assert process.draw()
        assert not process.draw(charge, generation)
        assert not process.draw()


def test_what_rolls_is_soft_or_nothing_is_never_drawn() -> None:
    process = Process()
    process.granted(100)
    for charge in (replace(HOT, rolling=1), replace(HOT, soft=True), replace(HOT, quantity=0)):
        assert not process.draw(charge)
    assert not process.draw(replace(HOT, scope='["task","t"]'))
    assert process.draw()


def test_a_chunk_is_used_for_a_short_time() -> None:
    process = Process()
    process.granted(100)
    process.clock.now += USABLE - 0.01
    assert process.draw()
    process.clock.now += 0.02
    assert not process.draw()


def test_one_that_runs_low_is_followed_by_another() -> None:
    """The rest of the first one comes back with its closing."""
    process = Process()
    process.granted(40)
    for _ in range(6):
        assert process.draw()
    assert not process.chunks.wanted
    assert process.draw()
    (wish,) = process.chunks.wishes()
    process.put(wish, 40, "c2")
    assert process.chunks.due() == []
    for holder in range(1, process.holders + 1):
        process.chunks.ended((f"h{holder}", 1))
    assert process.chunks.due() == ["c1"]
    assert process.draw()


def test_where_none_was_to_be_had_it_is_asked_for_again_later() -> None:
    process = Process()
    process.chunks.put(process.heat(), None, process.clock.now)
    process.draw()
    assert not process.chunks.wanted
    process.clock.now += AGAIN * 1.01
    process.draw()
    assert process.chunks.wanted


def test_a_chunk_is_closed_when_what_was_drawn_has_ended_or_takes_long() -> None:
    process = Process()
    process.granted(100)
    process.chunks.draw(("a", 1), [HOT], GENERATION)
    assert process.chunks.due() == []
    process.clock.now += USABLE
    assert process.chunks.due() == []
    process.chunks.ended(("a", 1))
    assert process.chunks.due() == ["c1"]
    process.chunks.closed(["c1"])
    assert process.chunks.due() == []

    process = Process()
    process.granted(100)
    process.chunks.draw(("a", 1), [HOT], GENERATION)
    process.clock.now += USABLE + PATIENCE
    assert process.chunks.due() == ["c1"]


def test_one_that_somebody_else_closed_is_not_drawn_from_and_still_looked_at() -> None:
    process = Process()
    process.granted(100)
    process.chunks.missed(["c1", "unknown"])
    assert not process.draw()
    assert process.chunks.due() == ["c1"]


def test_at_the_end_everything_is_closed_and_nothing_drawn() -> None:
    process = Process()
    process.granted(100)
    assert process.draw()
    assert process.chunks.all() == ["c1"]
    assert not process.draw()
    process.chunks.closed(["c1"])
    assert not process.chunks.any


def test_windows_that_nobody_charges_any_more_are_forgotten() -> None:
    """A budget for each customer has no end of them."""
    process = Process()
    for number in range(WINDOWS):
        process.draw(replace(HOT, scope=str(number)))
    process.clock.now += 2 * LATELY
    process.draw()
    assert len(process.chunks._spots) == 1
