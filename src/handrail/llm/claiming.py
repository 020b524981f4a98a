"""From a request's bytes to a claim: who asks, what it can cost, and that it is set aside. It blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from handrail.llm import headers as names
from handrail.llm.door import SESSION, Caller, Door, let_in
from handrail.llm.routes import Route, key_in
from handrail.llm.shapes import EXHAUSTED, Refusal
from handrail.meters.bounds import Request, request
from handrail.meters.draft import FieldRefused
from handrail.meters.prices import PriceBook
from handrail.words.errors import BadArguments, BudgetExhausted, ModelRefused, StoreError
from handrail.words.model_call import Bound, ModelAsked, ModelCall

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.llm.settings import LlmSettings, Upstream
    from handrail.meters.rates import Rates
    from handrail.meters.usage import Told
    from handrail.ports import ModelGate
    from handrail.words.model_call import Usage
    from handrail.words.model_price import ModelPrice

STATUS = {"key": 401, "busy": 503}
"""The status of a refusal, by its cause; 403 for any other."""
KNOWN = 1_000
"""Answers of the policy that are remembered, each for one agent and model."""
CODES = {"halt": "halted", "price": "unpriced", "budget": "budget_frozen", "policy": "not_allowed"}


@dataclass(frozen=True, slots=True)
class Came:
    """A request as it came in."""

    route: Route
    headers: names.Headers
    query: str
    address: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A call whose money is set aside, and the body that is forwarded for it."""

    call: ModelCall
    request: Request
    payload: bytes
    route: Route
    rates: Rates | None
    """What it was bounded by; None for what is free."""


class Claims:
    """Claims calls, and says what they did cost. Threads share it."""

    def __init__(self, engine: Engine, gate: ModelGate, door: Door, settings: LlmSettings) -> None:
        """``door`` knows who asks."""
        self._engine, self._gate, self._door, self._settings = engine, gate, door, settings
        self._books: dict[Decimal | None, PriceBook] = {}
        self._known: dict[tuple[str, ...], tuple[str | None, ModelPrice | None]] = {}

    def caller(self, came: Came) -> Caller:
        """Who asks.

        Raises:
            Refusal: nobody whom we know.
        """
        given = names.key_of(came.headers)
        if given is None and came.route.upstream.api == "gemini":
            given = key_in(came.query)
        session = names.one(came.headers, SESSION)
        try:
            return let_in(self._door, self._engine, came.address, given, session)
        except StoreError as error:
            raise _later() from error

    def claim(self, came: Came, *, whole: bool = False) -> Claimed:
        """Set aside what a request can cost; with ``whole``, only for all the answer that it asks for.

        Raises:
            Refusal: in the words that the client gets; nothing is forwarded.
        """
        caller = self.caller(came)
        route = came.route
        if route.api is None:
            raise AssertionError("only calls are claimed")
        try:
            asked = request(route.api, came.body, route.model, stream=route.stream)
            return self._claimed(came, caller, asked, whole=whole)
        except FieldRefused as error:
            raise Refusal(400, str(error), "unmetered", error.param) from error
        except BadArguments as error:
            raise Refusal(400, str(error), "bad_request") from error
        except BudgetExhausted as error:
            told = {"budget": error.budget, "unit": error.unit, "left": error.left}
            more = {**told, "limit": error.limit, "renews": error.renews}
            raise Refusal(EXHAUSTED, str(error), "budget_exhausted", more=more) from error
        except ModelRefused as error:
            raise refusal_of(error) from error
        except StoreError as error:
            raise _later() from error

    def cost(self, claimed: Claimed, told: Told) -> int | None:
        """What was used cost this much, in nano-units; None where nobody can say."""
        usage: Usage | None = told.usage
        if claimed.rates is None:
            return 0
        if usage is None:
            return None
        call, upstream = claimed.call, claimed.route.upstream
        try:
            rates = claimed.rates
            if told.tier not in {"", claimed.request.tier}:
                named = (call.agent, upstream.name, upstream.prices, call.model)
                rates = self._rates(*named, told.tier, call.asked_at, answered=True)
            return claimed.request.cost(rates, usage)
        except ModelRefused:
            return None

    def _claimed(self, came: Came, caller: Caller, asked: Request, *, whole: bool) -> Claimed:
        route, upstream = came.route, came.route.upstream
        wanted = ModelAsked(
            agent=caller.agent,
            session=caller.session,
            task=caller.task,
            upstream=upstream.name,
            model=asked.model,
            route=route.name,
            bound=Bound(0, 0),
            request=b"" if route.free else came.body,
            stream=asked.stream,
            via=caller.key,
        )
        rates = self._bounding(wanted, upstream, asked.tier)
        if route.free:
            return Claimed(self._gate.claim(wanted), asked, came.body, route, None)
        try:
            bound = asked.bound(rates, self._settings.max_tokens)
        except ModelRefused as error:
            raise self._gate.refuse(wanted, str(error), error.cause) from error
        call = self._gate.claim(replace(wanted, bound=bound), whole=whole)
        return Claimed(call, asked, asked.forward(call.output, upstream.limit_field), route, rates)

    def _bounding(self, wanted: ModelAsked, upstream: Upstream, tier: str) -> Rates:
        """The rates that a call is bounded by.

        Raises:
            ModelRefused: the policy does not permit it, or nobody priced it; the journal tells of it.
        """
        refused = self._of_policy(wanted.agent, wanted.upstream, wanted.model)[0]
        if refused is not None:
            raise self._gate.refuse(wanted, refused, "policy")
        try:
            now = self._engine.clock()
            return self._rates(wanted.agent, upstream.name, upstream.prices, wanted.model, tier, now)
        except ModelRefused as error:
            raise self._gate.refuse(wanted, str(error), error.cause) from error

    def _rates(
        self,
        agent: str,
        upstream: str,
        prices: str | None,
        model: str,
        tier: str,
        at: int,
        *,
        answered: bool = False,
    ) -> Rates:
        dollar = self._engine.policy.models.dollar
        book = self._books.setdefault(dollar, PriceBook(dollar))
        own = self._of_policy(agent, upstream, model)[1]
        return book.rates(prices, model, own, at, tier, answered=answered)

    def _of_policy(self, agent: str, upstream: str, model: str) -> tuple[str | None, ModelPrice | None]:
        """Why the policy does not let this agent call this model, if so, and its price there."""
        policy = self._engine.policy
        key = (policy.digest, agent, upstream, model)
        found = self._known.get(key)
        if found is None:
            rules = policy.models
            found = rules.permits(agent, upstream, model), rules.price(upstream, model)
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[key] = found
        return found


def refusal_of(error: ModelRefused) -> Refusal:
    """What the client gets, with the status and the word of its cause."""
    status, again = STATUS.get(error.cause, 403), error.cause == "busy"
    return Refusal(status, str(error), CODES.get(error.cause, error.cause), again=again)


def _later() -> Refusal:
    return Refusal(503, "The store can't be used now; nothing was forwarded.", "store", again=True)
