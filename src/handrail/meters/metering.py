"""What meters inside an agent's process share: a request is claimed before it leaves, its answer settled.

It knows no HTTP library. The session of the moment says who asks; what an answer used is measured here, in
the bytes that came, and is nobody's word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from handrail.meters.bounds import request
from handrail.meters.passing import GOOD, Passing
from handrail.meters.prices import PriceBook
from handrail.meters.usage import Api
from handrail.words.errors import BadArguments, ModelRefused
from handrail.words.model_call import Bound, CallState, ModelAsked, ModelEnded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handrail.meters.bounds import Request
    from handrail.meters.rates import Rates
    from handrail.policy.model_rules import ModelRules
    from handrail.ports import ModelGate
    from handrail.words.model_call import ModelCall, Usage

REFUSED = 4
"""The hundreds of a status by which an upstream refuses a request, and bills nothing."""
WAITED = 408
"""The one of them after which it may have worked all the same."""
QUERY = frozenset({"beta"})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the session of the moment."""

    agent: str
    session: str
    task: str | None
    lineage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Served:
    """An upstream as one client reaches it."""

    name: str
    """As the policy calls it."""
    prices: str | None
    """Its name in the price list; None where only the policy prices its models."""
    routes: Mapping[str, Api]
    """What is metered, by its path behind the client's address."""
    free: frozenset[str] = frozenset()
    """Routes among them that are billed with nothing."""
    listing: str = "models"
    """What lists models, which is no call."""
    limit_field: str | None = None
    """What a chat's limit is called there, where that is not the API's own newest name."""


class Meter:
    """Claims and settles the calls of one client. Threads and tasks may share it."""

    def __init__(
        self,
        gate: ModelGate,
        rules: Callable[[], ModelRules],
        asker: Callable[[], Asker],
        served: Served,
    ) -> None:
        """``rules`` are those of the running policy; ``asker`` raises ``NoSession`` outside a session."""
        self._gate, self._rules, self._served = gate, rules, served
        self._asker = asker
        self._books: dict[Decimal | None, PriceBook] = {}

    def claim(self, method: str, path: str, query: Iterable[str], body: bytes) -> Carry | None:
        """Set aside what a request can cost; None for one that lists models, which nobody bills for.

        ``path`` is what stands behind the client's address, ``query`` the names in the query.

        Raises:
            BudgetExhausted: a budget can't pay for it.
            ModelRefused: it is not metered, or a halt, the policy or the session does not let it.
            BadArguments: it is no request that can be read.
            NoSession: nobody would know whose budget it is.
            StoreError: it can't be written down, so it is not sent.
        """
        served = self._served
        if method == "GET" and (path == served.listing or path.startswith(f"{served.listing}/")):
            return None
        api = served.routes.get(path) if method == "POST" else None
        if api is None or not QUERY.issuperset(query):
            known = ", ".join(sorted(served.routes))
            raise ModelRefused(
                f"Handrail does not meter {method} {path[:100]}, so it was not sent; metered are {known}.",
                "unmetered",
            )
        asker, asked = self._asker(), request(api, body)
        free = path in served.free
        if refused := self._rules().permits(asker.agent, served.name, asked.model):
            raise self._gate.refuse(self._asked(asker, asked, path, Bound(0, 0), body), refused, "policy")
        rates = None if free else self._rates(asker, asked, path, body)
        bound = Bound(0, 0) if rates is None else asked.bound(rates)
        call = self._gate.claim(self._asked(asker, asked, path, bound, b"" if free else body))
        payload = body if free else asked.forward(call.output, served.limit_field)
        return Carry(self._gate, call, asked, payload, self._cost if not free else _nothing)

    def _asked(self, asker: Asker, asked: Request, path: str, bound: Bound, body: bytes) -> ModelAsked:
        return ModelAsked(
            agent=asker.agent,
            session=asker.session,
            task=asker.task,
            upstream=self._served.name,
            model=asked.model,
            route=path.removeprefix("v1/"),
            bound=bound,
            request=body,
            stream=asked.stream,
            lineage=asker.lineage,
        )

    def _rates(self, asker: Asker, asked: Request, path: str, body: bytes) -> Rates:
        try:
            return self._priced(asked, asked.tier, _now())
        except ModelRefused as error:
            raise self._gate.refuse(
                self._asked(asker, asked, path, Bound(0, 0), body), str(error), error.cause
            ) from error

    def _priced(self, asked: Request, tier: str, at: int, *, answered: bool = False) -> Rates:
        rules = self._rules()
        book = self._books.setdefault(rules.dollar, PriceBook(rules.dollar))
        own = rules.price(self._served.name, asked.model)
        return book.rates(self._served.prices, asked.model, own, at, tier, answered=answered)

    def _cost(self, asked: Request, call: ModelCall, usage: Usage, tier: str) -> int | None:
        """What was used did cost, in nano-units; None where nobody can say."""
        try:
            rates = self._priced(asked, tier or asked.tier, call.asked_at, answered=True)
            return asked.cost(rates, usage)
        except ModelRefused:
            return None


class Carry:
    """One call on its way. Whoever carries it says what came, and ends it once."""

    def __init__(
        self,
        gate: ModelGate,
        call: ModelCall,
        asked: Request,
        payload: bytes,
        cost: Callable[[Request, ModelCall, Usage, str], int | None],
    ) -> None:
        """``payload`` is the body to send instead of the one that came."""
        self._gate, self._asked, self._cost = gate, asked, cost
        self.call, self.payload = call, payload
        self._passing: Passing | None = None
        self._status: int | None = None
        self._first: int | None = None
        self._whole = self._over = False

    def answered(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """An answer begins; whether its length will be another than it says."""
        self._status = status
        self._passing = Passing(self._asked, status, headers)
        return self._passing.strips

    def feed(self, piece: bytes) -> bytes:
        """A piece of the answer; what of it goes on."""
        if self._passing is None:
            raise AssertionError("a piece of an answer that has not begun")
        if self._first is None:
            self._first = _now()
        return self._passing.feed(piece)

    def rest(self) -> bytes:
        """The answer is whole; what of it is left."""
        self._whole = True
        return b"" if self._passing is None else self._passing.rest()

    def stopped(self) -> None:
        """Raise ``ModelRefused`` once the call may not go on."""
        if (found := self._gate.stopped(self.call)) is not None:
            raise ModelRefused(f"What came so far is all that comes. {found}", found.cause)

    def end(self, error: BaseException | None = None, *, unspent: bool = False) -> None:
        """It is over: settle it, once. ``unspent`` says that it provably never reached the upstream."""
        if self._over:
            return
        self._over = True
        self._gate.settle(self.call, self._ended(error, unspent=unspent))

    def let_go(self) -> None:
        """Nobody ended it: the lease ends by itself."""
        if not self._over:
            self._gate.let_go(self.call)

    def _ended(self, error: BaseException | None, *, unspent: bool) -> ModelEnded:
        passing, status = self._passing, self._status
        good = passing is not None and passing.good and (self._whole or passing.final)
        free = status is not None and status // 100 == REFUSED and status != WAITED
        told = passing.told if good and passing is not None else None
        usage = None if told is None else told.usage
        cost = None
        if told is not None and (usage is not None or self._cost is _nothing):
            cost = 0 if usage is None else self._cost(self._asked, self.call, usage, told.tier)
        return ModelEnded(
            state=CallState.DONE if good else CallState.FAILED,
            usage=usage,
            cost=cost,
            unspent=not good and (free or unspent),
            status=status,
            error=None if good else _fault(status, error),
            first_byte_at=self._first,
            response=b"" if passing is None else bytes(passing.kept),
            cut=passing is not None and passing.cut,
        )


def _nothing(_: Request, __: ModelCall, ___: Usage, ____: str) -> int:
    """What a free route costs."""
    return 0


def _fault(status: int | None, error: BaseException | None) -> str:
    if error is not None:
        return type(error).__name__
    if status is None or status // 100 == GOOD:
        return "the answer was not read to its end"
    return f"the upstream answered {status}"


def _now() -> int:
    return time.time_ns() // 1_000_000


def unknown_upstream(address: str) -> BadArguments:
    """The error for a client whose address has no well-known name."""
    return BadArguments(
        f"this client asks {address}, which has no name that policies know: say which upstream it is, "
        'as in rail.meter(client, upstream="local")'
    )
