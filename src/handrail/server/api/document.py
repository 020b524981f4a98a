"""The API's document: OpenAPI 3.1, with the shapes of everything taken and given, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi.openapi.utils import get_openapi

from handrail.server.api.route import JSON, SHAPES

if TYPE_CHECKING:
    from fastapi import FastAPI


def install(app: FastAPI) -> None:
    """Let the application give the whole document, with the shapes of everything taken and given."""
    app.openapi = lambda: document(app)  # type: ignore[method-assign]


def document(app: FastAPI) -> dict[str, Any]:
    """The API as OpenAPI 3.1, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            summary="Autonomy for agents, as much as they have earned",
            description=app.description,
            routes=app.routes,
            separate_input_output_schemas=False,
        )
        _, shapes = msgspec.json.schema_components(
            sorted(SHAPES, key=lambda each: each.__name__), ref_template="#/components/schemas/{name}"
        )
        made.setdefault("components", {})["schemas"] = shapes
        for path in made["paths"].values():
            for operation in path.values():
                _without_pydantic(operation)
        app.openapi_schema = made
    return app.openapi_schema


def _without_pydantic(operation: dict[str, Any]) -> None:
    """FastAPI documents a shape of its own for parameters that are refused; ours is a problem, like all."""
    refused = operation.get("responses", {}).get("422", {})
    refused.get("content", {}).pop(JSON, None)
