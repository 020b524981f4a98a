"""The overview: the ladder, what the agents did today, what waits for people, and what is used up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from handrail.engine.views.overview import Kept, Place, overview
from handrail.server.auth.who import Caller, allow, identify_all, including, permit
from handrail.server.errors import Problem
from handrail.server.pages.drawing import page, part, part_text
from handrail.server.pages.latest import Together
from handrail.server.pages.packed import packed, unpacks, whole
from handrail.words.level import Rung
from handrail.words.overview import Met

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from handrail.ports import Transaction
    from handrail.server.state import ServerState

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Caller, Depends(allow("viewer"))]
VIEWERS = including(("viewer",))
PART = "/overview"
STEPS = {
    Rung.SHADOW: (Rung.SHADOW.plain, "only recorded, never run"),
    Rung.SUGGEST: (Rung.SUGGEST.plain, "a person says yes each time"),
    Rung.PREAPPROVED: (Rung.PREAPPROVED.plain, "alone where it is harmless"),
    Rung.BOUNDED: (Rung.BOUNDED.plain, "alone unless a rule asks"),
    Rung.AUTONOMOUS: (Rung.AUTONOMOUS.plain, "limits and rules still hold"),
}
"""Each rung in words for people who do not program."""
MET = {Met.RAN: "ran", Met.ASKED: "asked", Met.DENIED: "denied", Met.RECORDED: "only recorded"}
SAME = 1_000
"""Milliseconds for which a drawing is as it is now while nothing changes: times in it go on by themselves."""
ROWS = 4
"""So many drawn rows are kept for each tool."""
FEW = 40
"""So many tools are shown in full; with more, each agent is opened by whoever wants to see it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The part that changes: the same for everybody who may see it. Nothing in it depends on who asks."""

    text: str
    whole: Response
    """The answer for everybody who asks for this part."""
    packed: Response
    """The same, packed once for all."""
    cursor: str | None
    """Everything up to here is in it."""


@dataclass(frozen=True, slots=True)
class Look:
    """Where the store stood before something was drawn: whatever changes is told after it."""

    at: int
    generation: int
    mark: int
    written: int
    """Entries after the mark."""
    cursor: str | None


@router.get("/")
async def start(request: Request, caller: Viewer) -> Response:
    """The first page."""
    del caller
    drawn = await _together(request).ask(request)
    board = Markup(drawn.text)  # noqa: S704 - drawn by us
    return await run_in_threadpool(page, request, "overview.html", board=board, cursor=drawn.cursor)


@router.get(PART)
async def again(request: Request) -> Response:
    """What of it changes. Whoever asks is identified in the same round: many ask at one moment."""
    drawn = await _together(request).ask(request)
    return drawn.packed if unpacks(request) else drawn.whole


@router.get("/stopped")
def stopped(request: Request, caller: Viewer) -> Response:
    """What is stopped, as each page's head tells it."""
    del caller
    return part(request, "_stopped.html")


def install(app: FastAPI) -> None:
    """Let all who look on share one drawing."""
    board = Board(app.state.server)

    def answer(asked: Sequence[Request]) -> Sequence[Drawn | Exception]:
        refused = [_refusal(caller) for caller in identify_all(asked)]
        if None not in refused:
            # whoever may not see it makes no work
            return [why for why in refused if why is not None]
        drawn = board.draw()
        return [why or drawn for why in refused]

    app.state.overview = Together(answer)


class Board:
    """The part that changes, as it was drawn last: only what became different is counted and drawn again."""

    def __init__(self, state: ServerState) -> None:
        """Nothing was drawn yet."""
        self._state, self._kept = state, Kept()
        self._last: tuple[Look, Drawn] | None = None
        self._tables: dict[str, tuple[object, Markup]] = {}
        """Each agent's table, and what it shows."""
        self._rows: dict[Place, Markup] = {}

    def draw(self) -> Drawn:
        """Draw it, as it is now; one thread at a time. While nothing changes, the last drawing is that."""
        last = self._last
        look = self._state.store.read(lambda tx: _look(tx, last[0] if last else None))
        if last is not None and look is last[0]:
            return last[1]
        text = self._text()
        drawn = Drawn(text, whole(text), packed(text), look.cursor)
        self._last = (look, drawn)
        return drawn

    def _text(self) -> str:
        found = overview(self._state.engine, self._kept)
        few = sum(map(len, found.agents.values())) <= FEW
        tables: dict[str, tuple[object, Markup]] = {}

        def table(index: int, agent: str, places: Sequence[Place]) -> Markup:
            shown, (known, drawn) = (index, few, places), self._tables.get(agent, (None, Markup()))
            if known != shown:
                values = {"index": index, "agent": agent, "places": places, "open": few, "row": self._row}
                drawn = Markup(part_text(self._state, "_agent_tools.html", **values))  # noqa: S704 - drawn by us
            tables[agent] = (shown, drawn)
            return drawn

        values = {"board": found, "steps": STEPS, "met": MET, "Rung": Rung, "table": table}
        text = part_text(self._state, "_overview.html", **values)
        self._tables = tables
        if len(self._rows) > ROWS * (1 + sum(map(len, found.agents.values()))):
            self._rows.clear()
        return text

    def _row(self, place: Place) -> Markup:
        if place not in self._rows:
            text = part_text(self._state, "_agent_row.html", place=place, steps=STEPS, Rung=Rung)
            self._rows[place] = Markup(text)  # noqa: S704 - drawn by us
        return self._rows[place]


def _look(tx: Transaction, last: Look | None) -> Look:
    """The last look, while nothing changed since."""
    at, generation = tx.now(), tx.restrictions.generation()
    if (
        last is not None
        and 0 <= at - last.at < SAME
        and generation == last.generation
        and tx.overview.written(last.mark) == last.written
    ):
        return last
    mark = tx.overview.mark()
    return Look(at, generation, mark, tx.overview.written(mark), tx.journal.newest_cursor())


def _refusal(caller: Caller | Problem) -> Problem | None:
    """Why whoever asks may not see it."""
    if isinstance(caller, Problem):
        return caller
    try:
        permit(caller, VIEWERS)
    except Problem as refused:
        return refused
    return None


def _together(request: Request) -> Together[Request, Drawn]:
    found: Together[Request, Drawn] = request.app.state.overview
    return found
