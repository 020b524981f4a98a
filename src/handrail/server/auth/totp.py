"""The second factor: codes of an authenticator app, each of which works once."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handrail.words.person import Person, SignIn

STEP = 30
SECONDS = 1000
DRIFT = 1
"""Time steps by which a phone's clock may be off."""
DIGITS = 6


def step_of(secret: str, code: str, at: int, after: int) -> int | None:
    """The time step whose code this is: near ``at``, and later than ``after``; None when there is none."""
    given = "".join(code.split())
    if len(given) != DIGITS or not (given.isascii() and given.isdigit()):
        return None
    import pyotp

    totp = pyotp.TOTP(secret)
    now = at // SECONDS // STEP
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        right = hmac.compare_digest(totp.at(step * STEP), given)
        if right and step > after and found is None:
            found = step
    return found


def proposed_secret(key: bytes, person: Person, sign_in: SignIn) -> str:
    """The secret that is offered in this sign-in: nothing is kept until the person proved to have it.

    It differs for each sign-in, and again once any code was used.
    """
    about = f"totp\0{person.id}\0{sign_in.digest}\0{person.totp_step}".encode()
    return base64.b32encode(hmac.digest(key, about, hashlib.sha256)[:20]).decode()


def otpauth(secret: str, person: str, server: str) -> str:
    """The address that authenticator apps read."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=person, issuer_name=f"Handrail {server}".strip())


def picture(address: str) -> str:
    """The address as a picture for the app's camera: a data URI of an SVG."""
    import segno

    return segno.make(address, error="m").svg_data_uri(scale=4, border=3, light="#fff", dark="#000")
