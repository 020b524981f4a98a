"""How a policy names a channel: `slack:#offers`, `slack:C0123456789` or `notify:oncall`.

What a channel is reached with (tokens, addresses) is the server's setting and never stands in a policy.
"""

from __future__ import annotations

import re

from handrail.policy.nearest import nearest

CHANNEL = "slack:#name, slack:CHANNELID or notify:name"
SLACK, NOTIFY = "slack", "notify"
_ADDRESS = {
    SLACK: re.compile(r"#[^\sA-Z#@,.:;/\\\"']{1,80}|[CGD][A-Z0-9]{6,20}"),
    # a name that ends in _file would be the file of another one's setting
    NOTIFY: re.compile(r"(?!.*_file$)[a-z][a-z0-9_]{0,59}"),
}


def is_channel(text: str) -> bool:
    """Whether this names a channel that there can be."""
    kind, _, address = text.partition(":")
    return kind in _ADDRESS and _ADDRESS[kind].fullmatch(address) is not None


def likely(text: str) -> str | None:
    """The channel that somebody who wrote this probably meant, or None."""
    kind, _, address = text.strip().partition(":")
    near = nearest(kind, _ADDRESS)
    if near is None:
        return None
    low = address.strip().lower()
    tries = (address, low, f"#{low}") if near == SLACK else (address, low, low.replace("-", "_"))
    return next((one for one in (f"{near}:{each}" for each in tries) if is_channel(one)), None)


def setting(channel: str) -> str:
    """The setting with the address of a ``notify:`` channel: HANDRAIL_NOTIFY_ONCALL for ``notify:oncall``."""
    return f"HANDRAIL_NOTIFY_{channel.partition(':')[2].upper()}"
