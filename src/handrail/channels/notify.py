"""Mail, chats, pagers and web hooks through Apprise: told once, with a link to what can be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType
from apprise.exception import AppriseException
from apprise.result import AppriseResultStatus

from handrail.channels.lines import lines, news_lines, title
from handrail.channels.texts import harmless, pretty, shown
from handrail.words.approval import ApprovalState
from handrail.words.delivery import DeliveryKind
from handrail.words.errors import ChannelError

if TYPE_CHECKING:
    from handrail.ports import Message
    from handrail.words.sheet import Sheet

TIMEOUT = 10
"""Seconds that one message may take."""
LINE = 600
ARGUMENTS = 2_000
PRESSING = frozenset(
    {
        DeliveryKind.ASKED,
        DeliveryKind.HALTED,
        DeliveryKind.BUDGET,
        DeliveryKind.SESSION_HELD,
        DeliveryKind.LOST,
    }
)
TOLD_ONCE = frozenset({DeliveryKind.ANSWERED, DeliveryKind.OUTCOME})
"""What a channel that can't change its message leaves to the page behind the link."""


class Notify:
    """One Apprise URL, which only the environment knows: the policy has a name for it."""

    def __init__(self, name: str, url: str) -> None:
        """Check the URL; nothing is opened yet.

        Raises:
            ChannelError: Apprise knows no such kind of URL, or it lacks something.
        """
        asset = AppriseAsset(
            app_id="Handrail",
            app_desc="Handrail",
            app_url="",
            async_mode=True,
            interpret_escapes=False,
            interpret_emojis=False,
            service_timeout=TIMEOUT,
            storage_mode="memory",
            allow_templates=False,
        )
        self._name = name
        self._apprise = Apprise(asset=asset)
        if not self._apprise.add(url):
            raise ChannelError(f"the URL of notify:{name} is none that Apprise understands", again=False)

    def tell(self, message: Message) -> str | None:
        """Send a message; there is nothing to call it by.

        Raises:
            ChannelError: it was not taken in time.
        """
        if message.delivery.kind in TOLD_ONCE or _over(message):
            return None
        try:
            result = self._apprise.notify(
                body=harmless(_body(message)),
                title=harmless(title(message)),
                notify_type=_weight(message.delivery.kind),
                body_format=NotifyFormat.TEXT,
                timeout=TIMEOUT,
            )
        except (AppriseException, OSError, ValueError) as error:
            raise ChannelError(f"notify:{self._name} failed: {type(error).__name__}") from error
        if not result:
            raise ChannelError(f"notify:{self._name} did not take it: {self._why(result.status)}")
        return None

    def _why(self, status: AppriseResultStatus) -> str:
        """What an operator can look at; Apprise itself says no more, and its log has the address."""
        if status is AppriseResultStatus.TIMEOUT:
            return f"no answer within {TIMEOUT} seconds"
        return (
            "its service refused it or could not be reached; "
            f"look at the address in HANDRAIL_NOTIFY_{self._name.upper().replace('-', '_')}"
        )


def _weight(kind: DeliveryKind) -> NotifyType:
    return NotifyType.WARNING if kind in PRESSING else NotifyType.INFO


def _over(message: Message) -> bool:
    sheet = message.sheet
    return sheet is not None and sheet.approval.state is not ApprovalState.OPEN


def _body(message: Message) -> str:
    parts = [_about(message)]
    if message.link is not None:
        parts.append(f"Answer here: {message.link}" if message.sheet else message.link)
    elif message.sheet is not None:
        parts.append(f"Answer in a terminal: handrail approve {message.sheet.approval.id}")
    return "\n\n".join(parts)


def _about(message: Message) -> str:
    if message.halt is not None:
        return shown(f"{message.halt.scope}, by {message.halt.by}: {message.halt.reason}", LINE)
    if told := news_lines(message):
        return "\n".join(f"{each.label}: {shown(each.text, LINE)}" for each in told)
    if message.sheet is None:
        return "Questions will come here."
    return _question(message.sheet)


def _question(sheet: Sheet) -> str:
    told = [shown(sheet.what, LINE), ""]
    told += [
        f"{shown(each.label, 80)}: {shown(each.text, LINE)}".replace("\n", " / ") for each in lines(sheet)
    ]
    return "\n".join([*told, "", "Arguments:", shown(pretty(sheet.shown_args), ARGUMENTS)])
