"""The payload: what executes and what a reviewer with the right to see it sees. Restricted and erasable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Payload:
    """JSON texts of one action: frozen arguments, facts used, output; the salt of its digests."""

    args: str | None
    facts: str | None
    salt: str
    output: str | None = None
