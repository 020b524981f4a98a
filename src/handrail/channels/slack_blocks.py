"""A question as Slack's blocks: every text of an agent stands in a place where Slack reads no markup.

Rich text elements are structure, not markup: their text is shown as it is, with no mentions, links or emoji.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handrail.channels.lines import answer, lines, news_lines, outcome, title
from handrail.channels.texts import escaped, pretty, shown, visible
from handrail.words.approval import ApprovalState
from handrail.words.delivery import DeliveryKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.channels.lines import Line
    from handrail.ports import Message
    from handrail.words.restriction import Halt
    from handrail.words.sheet import Sheet

Block = dict[str, Any]
HEADER = 150
SECTION = 2_900
LINE = 300
ARGUMENTS = 2_800
MOST_LINES = 24
"""Lines of one message: a policy with more rules than this that ask is read on the page."""
TOO_LONG = "This is longer than a message shows: to approve it, open the question."
SEEN = 16
"""Digits of the digest that a button carries: what its reader saw."""
BLOCK = "handrail"
APPROVE, EDIT, REJECT, ANSWER, OPEN = (
    f"handrail_{name}" for name in ("approve", "edit", "reject", "answer", "open")
)


def blocks(message: Message) -> list[Block]:
    """The blocks of a message about a question, a halt, a budget, a session, a loss, or none of these."""
    if message.halt is not None:
        return _halt(message.halt, lifted=message.delivery.kind is DeliveryKind.LIFTED)
    if told := news_lines(message):
        return _news(told, message)
    if message.sheet is None:
        return [_plain("This is a test of Handrail. Questions will come here.")]
    if message.delivery.kind is DeliveryKind.OUTCOME:
        return [_plain(outcome(message.sheet))]
    return _question(message.sheet, message.link)


def fallback(text: str) -> str:
    """The text of a notification, which Slack does read as markup."""
    return escaped(shown(text, 200))


def value_of(sheet: Sheet) -> str:
    """What a button carries: which question, and which arguments its reader saw."""
    return f"{sheet.approval.id}:{sheet.digest[:SEEN]}"


def _question(sheet: Sheet, link: str | None) -> list[Block]:
    is_open = sheet.approval.state is ApprovalState.OPEN
    found: list[Block] = [_header("A question" if is_open else "A question, answered"), _plain(sheet.what)]
    if not is_open:
        found.append(_plain(answer(sheet)))
    told, args = lines(sheet), pretty(sheet.shown_args)
    found.append(_rich([_line(each) for each in told[:MOST_LINES]]))
    found.append(_rich([_pre(args)]))
    whole = len(told) <= MOST_LINES and len(visible(args)) <= ARGUMENTS
    buttons = _buttons(sheet, whole=whole) if is_open else []
    if is_open and not whole:
        found.append(_plain(TOO_LONG))
    if link is not None:
        buttons.append(_button("Open", OPEN, sheet.approval.id, url=link))
    if buttons:
        found.append({"type": "actions", "block_id": BLOCK, "elements": buttons})
    return found


def _buttons(sheet: Sheet, *, whole: bool) -> list[Block]:
    """Nobody says yes with a click to what the message does not show whole."""
    value = value_of(sheet)
    return [
        *([_button("Approve", APPROVE, value, style="primary")] if whole else ()),
        _button("Edit", EDIT, value),
        _button("Reject", REJECT, value, style="danger"),
        _button("Answer", ANSWER, value),
    ]


def _button(text: str, action: str, value: str, **more: str) -> Block:
    label = {"type": "plain_text", "text": text, "emoji": False}
    return {"type": "button", "text": label, "action_id": action, "value": value, **more}


def _halt(halt: Halt, *, lifted: bool) -> list[Block]:
    what = f"{halt.scope} goes on." if lifted else f"{halt.scope} was stopped by {halt.by}: {halt.reason}"
    return [_header("Stop lifted" if lifted else "Stopped"), _plain(what)]


def _news(told: Sequence[Line], message: Message) -> list[Block]:
    found = [_header(title(message)), _rich([_line(each) for each in told])]
    if message.link is not None:
        button = _button("Open", OPEN, message.delivery.subject, url=message.link)
        found.append({"type": "actions", "block_id": BLOCK, "elements": [button]})
    return found


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text[:HEADER], "emoji": False}}


def _plain(text: str) -> Block:
    body = shown(text, SECTION) or " "
    return {"type": "section", "text": {"type": "plain_text", "text": body, "emoji": False}}


def _rich(elements: Sequence[Block]) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def _line(line: Line) -> Block:
    label = {"type": "text", "text": f"{shown(line.label, 80)}: ", "style": {"bold": True}}
    text = {"type": "text", "text": shown(line.text, LINE).replace("\n", " ⏎ ") + "\n"}
    return {"type": "rich_text_section", "elements": [label, text]}


def _pre(text: str) -> Block:
    body = shown(text, ARGUMENTS) or " "
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": body}]}
