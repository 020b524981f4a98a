"""The demo, from an empty folder to a day's journal: a server, agents that work an inbox, and people."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from handrail.demo import ledger
from handrail.demo.company import Ticket, build, tickets, tidy
from handrail.demo.folder import VISITOR, NotOurs, prepared
from handrail.demo.providers import chosen, upstreams
from handrail.demo.show import Show
from handrail.demo.stops import Over, Stops, begin
from handrail.demo.summary import Example, hints, summary
from handrail.demo.visitor import Mailbox, News, What, bounded, heard
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from handrail.demo.day import Day
    from handrail.demo.folder import Folder
    from handrail.demo.office import Opened

PEOPLE_LOOK_EVERY = 20
"""Tickets between two looks that the people take at their questions."""
MODEL_SECONDS = 40.0
"""How long a real model goes on taking tickets."""
LONGEST_END = 180.0
"""Seconds that the end may take: more than what is under way, the server and the last reports get in all."""
NEEDS = ("aiosmtpd", "argon2", "fastapi", "genai_prices", "httptools", "httpx", "jinja2", "uvicorn")
CANNOT_START = 2
INTERRUPTED = 130


class Headless:
    """The pace of a day that nobody watches: as fast as it goes, and each answer is followed at once."""

    model_seconds = MODEL_SECONDS

    def looks(self, number: int) -> bool:
        """Whether the people look at their questions after so many tickets."""
        return number % PEOPLE_LOOK_EVERY == 0

    def before(self, number: int) -> None:
        """Nobody waits."""

    def asked(self, follow: Callable[[], None]) -> None:
        """It stays open, for whoever looks later."""

    def answered(self, follow: Callable[[], None]) -> None:
        """Go on with the ticket."""
        follow()


@dataclass(frozen=True, slots=True)
class Visit:
    """How the day is to be seen: opening a browser, and with so many seconds between two tickets."""

    browser: bool = True
    pace: float = 4.0


def run(directory: Path, *, headless: bool, console: Console, visit: Visit = Visit()) -> int:
    """Run the whole demo in ``directory``; the exit code: 0, 2 when it can't start, 130 when it was cut off.

    Without a terminal it is headless: it ends by itself.

    Raises:
        handrail.HandrailError: the policy, the store or the server can't be used.
    """
    headless = headless or not console.is_terminal
    show = Show(console, moving=not headless)
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        show.say(
            f"The demo runs a server and sends real mail to its own sink. It lacks {', '.join(missing)}: "
            "pip install 'handrail[demo,llm,server]'",
            "red",
        )
        return CANNOT_START
    mailbox: Mailbox = Mailbox()
    with ExitStack() as stack:
        stack.enter_context(heard(mailbox))
        try:
            folder = stack.enter_context(prepared(directory))
        except (NotOurs, OSError) as error:
            show.say(str(error), "red")
            return CANNOT_START
        inbox = tickets()
        build(folder.database, inbox, datetime.now(UTC))
        ended = _held(folder, inbox, show, mailbox, None if headless else visit)
        tidy(folder.database)
    hints(show, directory, ended.example, visitor=None if headless else VISITOR)
    return INTERRUPTED if ended.early else 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How the day went: a question that is left for whoever looks on, and whether it was cut off."""

    example: Example | None
    early: bool


def _held(
    folder: Folder, inbox: Sequence[Ticket], show: Show, mailbox: Mailbox, visit: Visit | None
) -> Ended:
    """Hold the day, with a visitor unless ``visit`` is None, and tell what came of it."""
    from handrail.demo.day import Day
    from handrail.demo.live import Host, Live, stand_in
    from handrail.demo.office import opened

    with ExitStack() as ending, opened(folder, inbox, upstreams(os.environ)) as office:
        stops = Stops(office.store, lambda sentence: show.say(sentence, "bold yellow"))
        pace = Headless() if visit is None else Live(stops, mailbox, visit.pace)
        day = Day(office, inbox, show, stops, pace)
        begin("server", partial(_watch, office, folder), stops, mailbox)
        with show.watching():
            try:
                if visit is None:
                    begin("day", partial(_work, day, mailbox), stops, mailbox)
                    early = _alone(mailbox)
                else:
                    host = Host(office, show, browser=visit.browser)
                    host.receive()
                    begin("day", partial(_work, day, mailbox), stops, mailbox)
                    begin("colleagues", partial(stand_in, office, inbox, stops), stops, mailbox)
                    host.stay(mailbox)
                    early = False
            finally:
                ending.enter_context(bounded(LONGEST_END))
                stops.end()
        found = ledger.everything(office.store)
        summary(show, found, office.policy.tools, ledger.asked(office.store))
        return Ended(_example(office, found), early)


def _alone(mailbox: Mailbox) -> bool:
    """Wait for the end of a day that nobody looks at; whether it was cut off."""
    news = mailbox.get()
    if news.error is not None:
        raise news.error
    return news.what is What.ENDED


def _work(day: Day, mailbox: Mailbox) -> None:
    with suppress(Over):
        day.work(chosen(os.environ))
    mailbox.put(News(What.DONE))


def _watch(office: Opened, folder: Folder) -> None:
    code = office.site.process.wait()
    raise StoreError(f"the demo's server stopped by itself with code {code}; {folder.log} may say why")


def _example(office: Opened, found: Sequence[ledger.Row]) -> Example | None:
    """An open question about a refund that one person can answer, for the visitor to try."""
    from handrail.demo.office import who_may

    for row in found:
        if row.fate is ledger.Fate.ASKED and row.tool == "issue_refund":
            question = ledger.question(office.store, row.action)
            person = question and who_may(office.policy, question)
            if person:
                return Example(row, person)
    return None
