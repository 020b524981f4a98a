"""Local servers that speak the two providers' APIs faithfully: what the real ones refuse, they refuse."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-test"
Script = list[list[dict[str, Any]]]
Answer = tuple[int, dict[str, Any]]


class Refused(Exception):
    """A request that the real API would answer with 400."""


def _must(condition: object, why: str) -> None:
    if not condition:
        raise Refused(why)


def openai(script: Script) -> Callable[[str, dict[str, str], dict[str, Any]], Answer]:
    """Chat completions: each turn of ``script`` is a list of calls with ``name`` and ``args``."""

    def respond(path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
        if headers.get("authorization") != f"Bearer {KEY}":
            return 401, {"error": {"message": "Incorrect API key provided", "type": "invalid_request_error"}}
        _must(path == "/v1/chat/completions", path)
        _must(body["messages"][0]["role"] == "system", "no system message")
        _must(
            all(tool["type"] == "function" and tool["function"]["parameters"] for tool in body["tools"]),
            "tools",
        )
        waiting: list[str] = []
        turns = 0
        for message in body["messages"][1:]:
            if message["role"] == "tool":
                _must(message["tool_call_id"] in waiting, "an answer to no call")
                waiting.remove(message["tool_call_id"])
                continue
            _must(not waiting, f"tool_call_ids did not have response messages: {waiting}")
            if message["role"] == "assistant":
                turns += 1
                waiting = [call["id"] for call in message.get("tool_calls") or []]
        _must(not waiting, "unanswered calls")
        calls = [
            {
                "id": f"call_{turns}_{index}",
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["args"])},
            }
            for index, call in enumerate(script[turns] if turns < len(script) else [])
        ]
        message = {"role": "assistant", "content": None if calls else "Done."} | (
            {"tool_calls": calls} if calls else {}
        )
        reason = "tool_calls" if calls else "stop"
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return 200, {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [choice],
            "usage": {"prompt_tokens": 500, "completion_tokens": 20, "total_tokens": 520},
        }

    return respond


def anthropic(script: Script) -> Callable[[str, dict[str, str], dict[str, Any]], Answer]:
    """Messages: each turn of ``script`` is a list of calls with ``name`` and ``args``."""

    def respond(path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
        if headers.get("x-api-key") != KEY:
            return 401, {
                "type": "error",
                "error": {"type": "authentication_error", "message": "invalid x-api-key"},
            }
        _must(path == "/v1/messages" and headers.get("anthropic-version"), "path or version")
        _must(isinstance(body["max_tokens"], int) and isinstance(body["system"], str), "max_tokens or system")
        _must(all(tool["input_schema"]["type"] == "object" for tool in body["tools"]), "input_schema")
        waiting: set[str] = set()
        turns = 0
        for index, message in enumerate(body["messages"]):
            _must(message["role"] == ("user", "assistant")[index % 2], "roles must alternate")
            blocks = message["content"] if isinstance(message["content"], list) else []
            if message["role"] == "user":
                answered = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
                _must(answered == waiting, "tool_use ids were found without tool_result blocks")
                waiting = set()
            else:
                turns += 1
                waiting = {block["id"] for block in blocks if block["type"] == "tool_use"}
        _must(not waiting, "the conversation must end with a user message")
        calls = [
            {"type": "tool_use", "id": f"toolu_{turns}_{index}", "name": call["name"], "input": call["args"]}
            for index, call in enumerate(script[turns] if turns < len(script) else [])
        ]
        content = [{"type": "text", "text": "Let me see." if calls else "Done."}, *calls]
        reason = "tool_use" if calls else "end_turn"
        return 200, {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": content,
            "stop_reason": reason,
            "usage": {"input_tokens": 500, "output_tokens": 40},
        }

    return respond


def passed_on(
    respond: Callable[[str, dict[str, str], dict[str, Any]], Answer],
) -> Callable[[str, dict[str, str], dict[str, Any]], Answer]:
    """What a gateway before the provider makes of a request: the provider's own path, and its key."""

    def through(path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
        _, mount, _, rest = path.split("/", 3)
        _must(mount == "llm" and headers.get("x-handrail-session"), "no call of an agent in its session")
        key = headers["authorization"].removeprefix("Bearer ")
        return respond(f"/{rest}", {**headers, "x-api-key": key}, body)

    return through


@contextmanager
def serving(respond: Callable[[str, dict[str, str], dict[str, Any]], Answer]) -> Iterator[str]:
    """Run a provider on a free local port; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                status, answer = respond(self.path, headers, body)
            except Refused as error:
                status, answer = 400, {"error": {"message": str(error)}}
            payload = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
