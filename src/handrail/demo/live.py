"""The demo with somebody at the board: a first wave that fills it, then a pace that one can follow.

What the visitor leaves for a while a colleague answers, but a few questions always stay.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from handrail.demo import ledger
from handrail.demo.office import visitors_link as new_link
from handrail.demo.office import who_may
from handrail.demo.people import Answer, late_answers
from handrail.demo.stops import Stops, begin
from handrail.demo.visitor import Mailbox, News, What, browse, listen
from handrail.engine.questions.approvals import sits_on

if TYPE_CHECKING:
    from handrail.demo.company import Ticket
    from handrail.demo.office import Opened
    from handrail.demo.show import Show
    from handrail.words.approval import Approval

WAVE = 80
"""Tickets that are worked on at once, so that there is something to see."""
WAVE_LOOKS, LOOKS = 20, 3
"""Tickets between two looks that the colleagues take at their own questions: in the wave, and afterwards."""
MODEL_SECONDS = 180.0
"""How long a real model goes on taking tickets."""
LEFT_ALONE = 150.0
"""Seconds for which a question is the visitor's."""
COLLEAGUES_EVERY = 15.0
"""Seconds between two questions that a colleague takes over."""
KEPT = 8
"""Questions that nobody takes away from the visitor."""
MOST = 200
NOTE = "Not like this, please. Let somebody look at it first."
"""What a colleague says to something that no script foresaw."""


class Live:
    """The day as a visitor sees it. It is the pace, too."""

    model_seconds = MODEL_SECONDS

    def __init__(self, stops: Stops, mailbox: Mailbox, pace: float) -> None:
        """``pace``: seconds between two tickets after the wave."""
        self._stops, self._mailbox, self._pace = stops, mailbox, pace

    def looks(self, number: int) -> bool:
        """Whether the people look at their questions after so many tickets."""
        return number % (WAVE_LOOKS if number <= WAVE else LOOKS) == 0

    def before(self, number: int) -> None:
        """Wait after the wave.

        Raises:
            Over: the end has come.
        """
        self._stops.check()
        if number > WAVE:
            self._stops.pause(self._pace)

    def asked(self, follow: Callable[[], None]) -> None:
        """Somebody waits for the answer, so that what is let through runs at once."""
        begin("waits for people", follow, self._stops, self._mailbox)

    def answered(self, follow: Callable[[], None]) -> None:
        """Who waits for it hears of it."""


class Host:
    """Receives the visitor, and looks after them until they go."""

    def __init__(self, office: Opened, show: Show, *, browser: bool) -> None:
        self._office, self._show, self._browser = office, show, browser

    def receive(self) -> None:
        """Tell where the board is, and open it where that is possible."""
        self._tell_link()

    def stay(self, mailbox: Mailbox) -> None:
        """Answer what is typed, until the demo is told to end.

        Raises:
            Exception: whatever broke, or ``StoreError`` when the server is gone.
        """
        listen(mailbox)
        done = False
        while True:
            news = mailbox.get()
            if news.error is not None:
                raise news.error
            if news.what is What.ENDED or (done and news == News(What.TYPED)):
                self._show.say(
                    "\nThe demo ends, and what is under way with it. Ctrl-C again does not wait for that.",
                    "bold",
                )
                return
            if news.what is What.DONE:
                done = True
                left = len(ledger.waiting(self._office.store, MOST))
                waits = f"{left or 'no'} question{'' if left == 1 else 's'} wait{'s' if left == 1 else ''}"
                self._show.say(
                    f"\nThe agents are done. The board stays open, and {waits} for you there. "
                    "Enter ends the demo.",
                    "bold",
                )
            elif news.line == "link":
                self._tell_link()
            elif news.what is What.TYPED:
                self._show.say("Ctrl-C ends the demo; link and Enter gives another link.", "dim")

    def _tell_link(self) -> None:
        link = new_link(self._office)
        opened = self._browser and browse(link, os.environ)
        self._show.say("The board, with you as the owner of the shop. This link works once:\n", "bold")
        self._show.say(f"  {link}\n", "cyan")
        if opened:
            self._show.say("Your browser is opening it.")
        else:
            why = "no browser with a window was found here" if self._browser else "no browser was wanted"
            port = self._office.site.url.rpartition(":")[2]
            self._show.say(
                f"Open it yourself: {why}. From another machine, first 'ssh -L {port}:127.0.0.1:{port} …'."
            )
        self._show.say("Type link and Enter for another link. Ctrl-C ends the demo.\n", "dim")


def stand_in(office: Opened, inbox: Sequence[Ticket], stops: Stops) -> None:
    """Colleagues answer what the visitor has left for a while, the newest first: people begin at the top.

    Raises:
        Over: the end has come.
    """
    script = {(given.ticket, given.tool): given for given in late_answers(inbox)}
    while True:
        stops.pause(COLLEAGUES_EVERY)
        found = ledger.waiting(office.store, MOST)
        now = time.time() * 1000
        late = [each for each in found[KEPT:] if now - each.opened_at > LEFT_ALONE * 1000]
        for question in reversed(late):
            given = _given(office, question, script)
            if given is not None:
                office.colleagues.answer(question, given.person, given.note, approve=given.approve)
                break


def _given(office: Opened, question: Approval, script: dict[tuple[str, str], Answer]) -> Answer | None:
    """What a colleague says to it, and ends it with; None when nobody but the visitor may."""
    row = ledger.one(office.store, question.action)
    known = script.get((row.ticket, row.tool))
    if known is not None and _ends(office, question, known):
        return known
    person = who_may(office.policy, question)
    return None if person is None else Answer(row.ticket, row.tool, person, approve=False, note=NOTE)


def _ends(office: Opened, question: Approval, given: Answer) -> bool:
    """Whether this answer is all that the question waits for: one no is enough, a yes is needed of all."""
    seats = [sits_on(office.policy.approvers, seat, given.person) for seat in question.seats]
    return all(seats) or (any(seats) and not given.approve)
