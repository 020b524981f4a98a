"""One small company for every framework: a tool that runs alone, asks or is refused, by its amount."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import handrail
from tests.support.server import make_key, served

POLICY = """
handrail: 1
agents: {support: {may: [issue_refund, find_order]}, other: {may: [find_order]}}
tools:
  issue_refund: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}
  find_order: {does: read}
rules:
  - {id: too-much, tools: issue_refund, when: "amount > 1000", deny: "Nobody refunds that much."}
"""


@pytest.fixture
def rail(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[handrail.Rail]:
    """A rail over a fresh SQLite file; where a test says "remote", one that talks to a server."""
    policy = tmp_path / "handrail.yaml"
    policy.write_text(POLICY, "utf-8")
    if getattr(request, "param", "embedded") == "embedded":
        with handrail.connect(policy) as opened:
            yield opened
        return
    with served(tmp_path) as server:
        with server.engine() as engine:
            key = make_key(engine, "support")
        with handrail.connect(server.url, key=key) as opened:
            yield opened


@pytest.fixture
def refunds() -> list[tuple[str, float]]:
    """What really happened."""
    return []


@pytest.fixture
def tools(rail: handrail.Rail, refunds: list[tuple[str, float]]) -> list[Callable[..., Any]]:
    """The decorated functions, as they would be handed to a framework."""

    @rail.tool
    def issue_refund(order_id: str, amount: float, reason: str = "") -> str:
        """Refund money for an order.

        Args:
            order_id: the order, such as o-17.
            amount: how much, in dollars.
            reason: why.
        """
        refunds.append((order_id, amount))
        return f"refunded {amount:.2f} for {order_id}"

    @rail.tool
    async def find_order(order_id: str) -> dict[str, str]:
        """Look an order up by its id."""
        return {"order_id": order_id, "status": "arrived"}

    return rail.tools_for("support")
