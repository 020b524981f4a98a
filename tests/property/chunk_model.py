"""A budget with chunks, said plainly, for the test that compares it with several processes."""

from __future__ import annotations

from dataclasses import dataclass, field

PERCENTS = (50, 90)
SCOPES = ("[]", '["task","t"]')


@dataclass(frozen=True, slots=True)
class Holder:
    """Who spends."""

    id: str
    attempt: int = 1
    agent: str = "support"
    session: str = ""
    task: str | None = None


@dataclass
class Held:
    """What a holder set aside, and what is known of it."""

    scope: str
    quantity: int
    over: bool = False


@dataclass
class Model:
    """A budget, said plainly: each window is the sum of what its holders did not get back."""

    limit: int
    used: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SCOPES, 0))
    raises: dict[str, int] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    told: dict[str, set[int]] = field(default_factory=lambda: {scope: set() for scope in SCOPES})
    frozen: bool = False

    @property
    def most(self) -> int:
        """The limit with the raises in force."""
        return self.limit + sum(self.raises.values())

    def reached(self, scope: str) -> set[int]:
        """The percentages that are used, and for which nothing above was told before."""
        most = max(self.told[scope], default=0)
        return {each for each in PERCENTS if each > most and self.used[scope] * 100 >= each * self.most}


class Clock:
    """A clock that a test moves, in seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now
