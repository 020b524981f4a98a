"""`/handrail`: the kill switch, what is stopped now, and who is who."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handrail.engine.core import logger
from handrail.engine.identity.slack_links import link_slack
from handrail.engine.restrict import halt, lift
from handrail.server.slack.clicks import BROKEN
from handrail.server.slack.desk import ephemeral
from handrail.server.slack.people import member_of
from handrail.words.errors import BadArguments, HandrailError
from handrail.words.person import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slack_bolt import Ack, App, Respond

    from handrail.server.slack.desk import Desk

HELP = (
    "/handrail halt [agent NAME] [tool NAME] REASON - stop everything, an agent, a tool, or an agent's tool\n"
    "/handrail status - what is stopped, and how many questions wait\n"
    "/handrail lift HALT REASON - let it go on (admins)\n"
    "/handrail link CODE - say who you are, with the code that Handrail shows you"
)
MOST = 20
"""Running actions and halts that are named; the rest are counted."""


def install(app: App, desk: Desk) -> None:
    """Listen for the command."""
    app.command("/handrail")(Commands(desk).run)


class Commands:
    """The handler: it acknowledges first, and checks who asks before anything else."""

    def __init__(self, desk: Desk) -> None:
        """Over one desk."""
        self._desk = desk
        self._work: Mapping[str, Callable[[dict[str, Any], str], str]] = {
            "halt": self._halt,
            "lift": self._lift,
            "status": self._status,
            "link": self._link,
        }

    def run(self, ack: Ack, command: dict[str, Any], respond: Respond) -> None:
        """Do what the first word says."""
        ack()
        word, _, rest = str(command.get("text") or "").strip().partition(" ")
        work = self._work.get(word.lower())
        try:
            said = HELP if work is None else work(command, rest.strip())
        except HandrailError as error:
            said = str(error)
        except Exception:  # noqa: BLE001 - who asked must hear that it did not work
            logger.exception("a command in Slack could not be worked on")
            said = BROKEN
        ephemeral(respond, said)

    def _halt(self, command: dict[str, Any], rest: str) -> str:
        person = self._desk.person(command, Role.REVIEWER)
        agent, tool, reason = self._scope(rest)
        found, running = halt(self._desk.engine, reason, person.id, agent, tool)
        what = "everything" if agent is None and tool is None else " for ".join(filter(None, (tool, agent)))
        told = [
            f"Stopped: {what}. Nothing of it starts any more. To let it go on: /handrail lift {found} REASON"
        ]
        if running:
            told.append(f"{len(running)} already running:")
            told += [f"- {each.tool} of {each.agent} ({each.id})" for each in running[:MOST]]
        return "\n".join(told)

    def _scope(self, text: str) -> tuple[str | None, str | None, str]:
        """Agent, tool and reason.

        Raises:
            BadArguments: there is no such agent or tool, so that nothing would have been stopped.
        """
        sure = self._desk.engine.catch_up()
        policy = self._desk.engine.policy.policy
        known = {"agent": set(policy.agents), "tool": set(policy.tools)}
        found: dict[str, str] = {}
        words = text.split()
        while len(words) > 1 and words[0].lower() in known and words[0].lower() not in found:
            what, name = words[0].lower(), words[1]
            if sure and name not in known[what]:
                names = ", ".join(sorted(known[what]))
                raise BadArguments(
                    f"nothing was stopped: there is no {what} {name!r}; expected one of {names}"
                )
            found[what] = name
            words = words[2:]
        return found.get("agent"), found.get("tool"), " ".join(words)

    def _lift(self, command: dict[str, Any], rest: str) -> str:
        person = self._desk.person(command, Role.ADMIN)
        halted, _, reason = rest.partition(" ")
        lift(self._desk.engine, halted, reason.strip(), person.id)
        return "Lifted: it goes on."

    def _status(self, command: dict[str, Any], rest: str) -> str:  # noqa: ARG002 - one shape for all
        self._desk.person(command, Role.VIEWER)
        halts, waiting = self._desk.engine.store.read(
            lambda tx: (tx.restrictions.read().halts, len(tx.approvals.listing("open", 1_000)))
        )
        told = [f"Questions that wait: {waiting}", f"Stopped: {len(halts) or 'nothing'}"]
        told += [f"- {each.scope} by {each.by}: {each.reason} ({each.id})" for each in halts[:MOST]]
        return "\n".join(told)

    def _link(self, command: dict[str, Any], rest: str) -> str:
        found = link_slack(self._desk.engine, rest, str(member_of(command)))
        return f"You are {found.id} now."
