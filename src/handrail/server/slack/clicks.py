"""Buttons and modals: approve at once; edit, reject and answer through a modal that shows what went wrong."""

from __future__ import annotations

from concurrent.futures import TimeoutError as Slow
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handrail.channels.slack_blocks import ANSWER, APPROVE, EDIT, OPEN, REJECT
from handrail.channels.texts import pretty, shown
from handrail.engine.core import logger
from handrail.engine.questions.edits import edit
from handrail.engine.questions.votes import answer, vote
from handrail.server.slack.desk import Seen, ephemeral
from handrail.server.slack.hidden import ELSEWHERE, edited, to_edit
from handrail.server.slack.modals import FIELD, REASON, modal, written
from handrail.server.slack.people import member_of
from handrail.words.approval import ApprovalState, Choice
from handrail.words.errors import HandrailError, Refused
from handrail.words.person import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slack_bolt import Ack, App, Respond

    from handrail.server.slack.desk import Desk
    from handrail.words.approval import Approval

PATIENCE = 2.2
"""Seconds within which a modal can still show what is wrong: Slack waits for three."""
LONGEST = 2_900
"""Characters that a modal can show to be edited."""
BROKEN = "something went wrong here; open the question, or try again"


def install(app: App, desk: Desk) -> None:
    """Listen for the buttons of questions and for what is written in modals."""
    clicks = Clicks(desk)
    app.action(APPROVE)(clicks.approve)
    app.action(OPEN)(lambda ack: ack())
    for action in (EDIT, REJECT, ANSWER):
        app.action(action)(clicks.open)
        app.view(action)(clicks.submit)


class Clicks:
    """The handlers. Each acknowledges first, and checks who clicked before anything else."""

    def __init__(self, desk: Desk) -> None:
        """Over one desk."""
        self._desk = desk
        self._work: Mapping[str, Callable[[Seen, str, dict[str, str]], str]] = {
            EDIT: self._edit,
            REJECT: self._reject,
            ANSWER: self._answer,
        }

    def approve(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        """Approve what the message showed."""
        ack()
        ephemeral(respond, self._try(lambda: self._approve(body)))

    def open(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        """Open the modal of a button."""
        ack()
        trouble = self._try(lambda: self._open(body))
        if trouble:
            ephemeral(respond, trouble)

    def submit(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Do what was written in a modal; what is wrong with it stands in the modal."""
        doing = self._desk.pool.submit(self._submit, body, view)
        seen = Seen.of_modal(view["private_metadata"])
        try:
            said = doing.result(PATIENCE)
        except Slow:
            ack()
            said = self._try(doing.result)
        except HandrailError as error:
            ack(response_action="errors", errors={_field(view): shown(str(error), 500)})
            return
        except Exception:  # noqa: BLE001 - who wrote it must hear that it did not work
            logger.exception("a modal of Slack could not be worked on")
            ack(response_action="errors", errors={_field(view): BROKEN})
            return
        else:
            ack()
        if seen.channel:
            self._desk.tell(seen.channel, member_of(body), said)

    def _approve(self, body: dict[str, Any]) -> str:
        person = self._desk.person(body, Role.REVIEWER)
        seen = _seen(body)
        digest = self._desk.digest(seen)
        found = vote(self._desk.engine, seen.approval, person.id, Choice.APPROVE, verified=True, seen=digest)
        return _counted(found)

    def _open(self, body: dict[str, Any]) -> str:
        self._desk.person(body, Role.REVIEWER)
        seen, action = _seen(body), body["actions"][0]["action_id"]
        sheet = self._desk.sheet(seen)
        if sheet.approval.state is not ApprovalState.OPEN:
            people = ", ".join(f"{each.person} ({each.choice})" for each in sheet.votes)
            raise Refused(
                f"this question is {sheet.approval.state} already" + (f": {people}" if people else "")
            )
        value = pretty(to_edit(sheet)) if action == EDIT else ""
        if len(value) > LONGEST:
            raise Refused(f"{ELSEWHERE}: {self._desk.link(seen)}")
        try:
            self._desk.client.views_open(
                trigger_id=body["trigger_id"], view=modal(action, sheet.what, str(seen), value)
            )
        except (SlackApiError, SlackClientError, OSError) as error:
            raise Refused(
                f"Slack could not open the form; open the question: {self._desk.link(seen)}"
            ) from error
        return ""

    def _submit(self, body: dict[str, Any], view: dict[str, Any]) -> str:
        person = self._desk.person(body, Role.REVIEWER)
        seen = Seen.of_modal(view["private_metadata"])
        return self._work[view["callback_id"]](seen, person.id, written(view))

    def _reject(self, seen: Seen, person: str, given: dict[str, str]) -> str:
        digest, reason = self._desk.digest(seen), given.get(REASON) or None
        vote(self._desk.engine, seen.approval, person, Choice.REJECT, reason, verified=True, seen=digest)
        return "Rejected."

    def _answer(self, seen: Seen, person: str, given: dict[str, str]) -> str:
        digest = self._desk.digest(seen)
        answer(self._desk.engine, seen.approval, person, given.get(FIELD, ""), verified=True, seen=digest)
        return "The agent is told; the action does not run."

    def _edit(self, seen: Seen, person: str, given: dict[str, str]) -> str:
        sheet = self._desk.sheet(seen)
        args = edited(given.get(FIELD, ""), sheet)
        made = edit(
            self._desk.engine,
            seen.approval,
            person,
            args,
            given.get(REASON, ""),
            verified=True,
            seen=sheet.approval.digest,
        )
        return f"Edited: what you wrote is {made.state} now."

    def _try(self, work: Callable[[], str]) -> str:
        """What to tell who clicked: every refusal is a sentence, and everything else is logged."""
        try:
            return work()
        except HandrailError as error:
            return str(error)
        except Exception:  # noqa: BLE001 - who clicked must hear that it did not work
            logger.exception("a click in Slack could not be worked on")
            return BROKEN


def _seen(body: dict[str, Any]) -> Seen:
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id") or ""
    return Seen.of_value(str(body["actions"][0].get("value") or ""), str(channel))


def _field(view: dict[str, Any]) -> str:
    """Where a modal shows what is wrong."""
    return FIELD if FIELD in view["state"]["values"] else REASON


def _counted(found: Approval) -> str:
    if found.state is ApprovalState.APPROVED:
        return "Approved."
    return "Your approval counts; it takes more people than you."
