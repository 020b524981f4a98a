"""Ways to people: Slack, and through Apprise mail, chats, pagers and web hooks; one class a kind."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from handrail.channels.settings import ChannelSettings, from_environment, spelt
from handrail.words.errors import ChannelError

if TYPE_CHECKING:
    from handrail.ports import Channel

__all__ = ["ChannelSettings", "Channels", "channel_of", "from_environment"]


class Channels:
    """The channels of a policy by name: ``slack:#offers``, ``notify:oncall``. Made when first asked for."""

    def __init__(self, settings: ChannelSettings) -> None:
        """Nothing is opened before a channel is asked for."""
        self.settings = settings
        self._made: dict[str, Channel] = {}
        self._lock = Lock()

    def __call__(self, name: str) -> Channel:
        """The channel with this name.

        Raises:
            ChannelError: it is not set up here, or of no known kind.
        """
        with self._lock:
            found = self._made.get(name)
            if found is None:
                found = self._made[name] = _made(self.settings, name)
            return found


def channel_of(name: str) -> Channel:
    """The channel with this name, as the environment sets it up.

    Raises:
        ChannelError: it is not set up here, or of no known kind.
    """
    return _made(from_environment(), name)


def _made(settings: ChannelSettings, name: str) -> Channel:
    kind, _, where = name.partition(":")
    if kind == "slack" and where:
        return _slack(settings, where)
    if kind == "notify" and where:
        return _notify(settings, where)
    raise ChannelError(f"{name!r} is no channel: expected slack:#CHANNEL or notify:NAME", again=False)


def _slack(settings: ChannelSettings, where: str) -> Channel:
    if settings.slack_token is None:
        raise ChannelError(f"slack:{where} needs HANDRAIL_SLACK_BOT_TOKEN, which is not set here")
    try:
        from handrail.channels.slack import Slack
    except ImportError as error:
        raise ChannelError("Slack needs 'pip install handrail[slack]'") from error
    return Slack(settings.slack_token, where, settings.slack_url)


def _notify(settings: ChannelSettings, where: str) -> Channel:
    url = settings.notify.get(spelt(where))
    if url is None:
        variable = f"HANDRAIL_NOTIFY_{spelt(where).upper()}"
        raise ChannelError(f"notify:{where} needs {variable}, which is not set here")
    try:
        from handrail.channels.notify import Notify
    except ImportError as error:
        raise ChannelError("mail and other channels need 'pip install handrail[notify]'") from error
    return Notify(where, url)
