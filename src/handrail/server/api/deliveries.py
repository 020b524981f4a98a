"""Deliveries: what is to be told through channels, what became of it, and a test of a channel."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from msgspec import Meta, Struct

from handrail.engine.deliveries.planning import try_channel
from handrail.server.api.route import PAGE, Limit, answer, engine_of, reading, route, routes, store_of
from handrail.server.api.shapes import WORD, Moment, Taken, maybe, moment
from handrail.words.delivery import Delivery, DeliveryState

router = routes("deliveries")


class DeliveryShape(Struct):
    """One message to one channel."""

    id: str
    kind: str
    subject: str
    channel: str
    state: str
    due_at: Moment
    tries: int
    error: str | None
    sent_at: Moment | None


class DeliveryList(Struct):
    """Deliveries, newest first."""

    items: list[DeliveryShape]


class NewTest(Taken):
    """The channel to try, as a policy names it."""

    channel: Annotated[str, Meta(max_length=200, pattern=WORD, examples=["slack:#offers"])]


@route(router, "GET /deliveries", gives=DeliveryList)
def list_deliveries(
    request: Request, state: Annotated[DeliveryState | None, Query()] = None, limit: Limit = PAGE
) -> Response:
    """List what is to be told, and what became of it."""
    wanted = state.value if state else None
    found = store_of(request).read(lambda tx: tx.deliveries.listing(wanted, limit))
    return answer(DeliveryList([_shape(each) for each in found]))


@route(
    router,
    "POST /deliveries/test",
    takes=NewTest,
    gives=DeliveryShape,
    status=202,
    said={"channel": "slack:#offers"},
)
def test_channel(request: Request, given: Annotated[NewTest, reading(NewTest)]) -> Response:
    """Send a test through a channel; its delivery then says what became of it."""
    made = try_channel(engine_of(request), given.channel)
    return answer(_shape(made), 202)


def _shape(found: Delivery) -> DeliveryShape:
    return DeliveryShape(
        found.id,
        found.kind.value,
        found.subject,
        found.channel,
        found.state.value,
        moment(found.due_at),
        found.tries,
        found.error,
        maybe(found.sent_at),
    )
