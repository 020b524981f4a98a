"""Where the server is and which key is shown to it; refused when that would give the key away."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handrail.words.errors import BadArguments

if TYPE_CHECKING:
    from urllib.parse import SplitResult

KEY, KEY_FILE = "HANDRAIL_KEY", "HANDRAIL_KEY_FILE"
_KEY = re.compile(r"hr_[as]_[A-Za-z0-9_-]{8,500}")


def checked(address: str) -> str:
    """The address without what follows the path.

    Raises:
        BadArguments: it is no address, holds a secret, or would send the key where others can read it.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadArguments(f"the server's address can't be read: {error}") from error
    if not host or parts.query or parts.fragment:
        raise BadArguments("the server's address must be like https://handrail.example.com")
    if parts.username is not None or parts.password is not None:
        raise BadArguments(f"the server's address holds a user or password; pass key=… or set {KEY} instead")
    if parts.scheme == "http" and not is_loopback(host):
        raise BadArguments(
            f"http://{host} would show the key and every action to whoever is between; use https://. "
            "Plain http is only for this machine itself, such as http://127.0.0.1:8765"
        )
    return _plain(parts)


def is_loopback(host: str) -> bool:
    """Whether it is this very machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def key_of(key: str | None) -> str:
    """The agent's key: the argument, else ``HANDRAIL_KEY``, else what the file ``HANDRAIL_KEY_FILE`` holds.

    Raises:
        BadArguments: there is none, there are two, or it is none. The text is never repeated.
    """
    if not key and os.environ.get(KEY) and os.environ.get(KEY_FILE):
        raise BadArguments(f"{KEY} and {KEY_FILE} are both set; leave one of them out")
    found = (key or os.environ.get(KEY) or _filed(os.environ.get(KEY_FILE)) or "").strip()
    if not found:
        raise BadArguments(f"a server wants a key: pass key=… or set {KEY}; an admin makes one")
    if _KEY.fullmatch(found) is None:
        raise BadArguments("this is no key of a Handrail server; a key begins with hr_a_ or hr_s_")
    return found


def _filed(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadArguments(f"{KEY_FILE} names {path}, which can't be read: {error}") from error


def _plain(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
