"""The decorated functions work as tools of a fastmcp server unchanged, called by its own client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from fastmcp.exceptions import ToolError

import handrail

Tools = list[Callable[..., Any]]


@pytest.fixture
def server(tools: Tools) -> FastMCP[Any]:
    """A server with the company's tools."""
    made: FastMCP[Any] = FastMCP("shop")
    for tool in tools:
        made.tool(tool)
    return made


async def test_a_client_runs_what_is_allowed(
    rail: handrail.Rail, server: FastMCP[Any], refunds: list[tuple[str, float]]
) -> None:
    """The tool has its name, description and parameters, and runs."""
    with rail.session(agent="support", task="t-1"):
        async with Client(server) as client:
            listed = {tool.name: tool for tool in await client.list_tools()}
            result = await client.call_tool("issue_refund", {"order_id": "o-17", "amount": 40})
    assert (listed["issue_refund"].description or "").startswith("Refund money")
    assert set(listed["issue_refund"].input_schema["properties"]) == {"order_id", "amount", "reason"}
    assert result.data == "refunded 40.00 for o-17"
    assert refunds == [("o-17", 40.0)]


async def test_a_client_is_told_of_a_refusal(
    rail: handrail.Rail, server: FastMCP[Any], refunds: list[tuple[str, float]]
) -> None:
    """The refusal's sentence reaches the client, and nothing was done."""
    with rail.session(agent="support", task="t-1"):
        async with Client(server) as client:
            with pytest.raises(ToolError, match="Nobody refunds that much"):
                await client.call_tool("issue_refund", {"order_id": "o-17", "amount": 4000})
    assert refunds == []
