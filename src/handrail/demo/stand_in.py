"""The stand-in for a model: a local upstream in the shape of OpenAI's API that knows the script by heart.

Nobody's model is asked and nothing is spent. It finds the ticket in what it is told, and writes what the
script says. Its tokens are counted from the texts, so what it would have cost is the same each time.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from handrail.demo import prompts
from handrail.demo.company import Ticket

UPSTREAM, MODEL = "shop", "stand-in"
"""As the policy names it: ``shop:stand-in``."""
PATH = "/v1/chat/completions"
DIFFERENTLY = "A colleague has looked at this and decided a little differently from what we had planned:"
BYTES_OF_A_TOKEN = 4
TOKENS_OF_A_MESSAGE = 4
LARGEST = 1_000_000
"""Bytes of a request that is read."""
_TICKET = re.compile(r"^Ticket: (\S+)$", re.MULTILINE)
Answer = tuple[int, dict[str, Any]]


class StandIn:
    """It answers from the inbox's script, and remembers nothing."""

    def __init__(self, inbox: Iterable[Ticket]) -> None:
        self._tickets = {ticket.id: ticket for ticket in inbox}

    def answer(self, body: Mapping[str, Any]) -> Answer:
        """The status and the chat completion for one request."""
        try:
            messages = [str(message["content"]) for message in body["messages"]]
            words = self._words(messages)
            limit = int(body.get("max_tokens") or body.get("max_completion_tokens") or LARGEST)
        except (KeyError, TypeError, ValueError) as error:
            return 400, {"error": {"message": f"the stand-in knows only the demo's script: {error}"}}
        written = words.encode()[: limit * BYTES_OF_A_TOKEN].decode(errors="ignore")
        read = sum(TOKENS_OF_A_MESSAGE + tokens(each) for each in messages)
        message = {"role": "assistant", "content": written}
        ended = "stop" if written == words else "length"
        return 200, {
            "id": "chatcmpl-stand-in",
            "object": "chat.completion",
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": ended}],
            "usage": _usage(read, tokens(written)),
        }

    def _words(self, messages: Sequence[str]) -> str:
        """What the script says to the last message.

        Raises:
            KeyError: the script has no such ticket, or nothing to say.
        """
        found = next((named for each in messages if (named := _TICKET.search(each))), None)
        ticket = self._tickets[found[1] if found else ""]
        wish = messages[-1].rsplit("\n\n", 1)[-1]
        if wish == prompts.READ:
            return json.dumps({"category": ticket.sees, "sure": ticket.sure})
        if wish.startswith(prompts.DECIDED):
            return f"{DIFFERENTLY} {wish.removeprefix(prompts.DECIDED)}"
        mails = {prompts.wanted(each.tool): each.args["body"] for each in ticket.steps if "body" in each.args}
        return str({prompts.REPLY: ticket.reply or "", **mails}[wish])


def tokens(text: str) -> int:
    """How many tokens a text has, near enough: one for four bytes."""
    return -(-len(text.encode()) // BYTES_OF_A_TOKEN)


def _usage(read: int, written: int) -> dict[str, int]:
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


@contextmanager
def serving(inbox: Iterable[Ticket]) -> Iterator[str]:
    """Run the stand-in on a free port of this machine while the block runs; gives its address."""
    known = StandIn(inbox)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            """Answer a chat."""
            status, answer = self._answer()
            payload = json.dumps(answer, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def _answer(self) -> Answer:
            size = self.headers.get("content-length", "")
            if self.path != PATH or not size.isdigit() or int(size) > LARGEST:
                self.close_connection = True
                return 404, {"error": {"message": f"the stand-in answers POST {PATH} and nothing else"}}
            try:
                return known.answer(json.loads(self.rfile.read(int(size))))
            except ValueError:
                return 400, {"error": {"message": "that is no JSON"}}

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="stand-in", daemon=True
        )
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
