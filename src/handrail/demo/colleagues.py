"""The company's people at work: each comes in at the board's door, and answers what the agents ask there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import httpx

from handrail.remote.problems import error_of
from handrail.words.approval import Approval
from handrail.words.errors import Conflict, StoreError

SECONDS = 30.0
"""Seconds that one answer may take."""


class Colleagues:
    """People who are signed in at one server, each in a browser of their own."""

    def __init__(self, browsers: Mapping[str, httpx.Client]) -> None:
        self._browsers = browsers

    def answer(self, question: Approval, person: str, note: str, *, approve: bool) -> bool:
        """One of them answers a question; False when somebody else was faster.

        Raises:
            HandrailError: the server refuses it, or can't be asked.
        """
        said = {"choice": "approve" if approve else "reject", "seen": question.digest, "reason": note}
        try:
            answered = self._browsers[person].post(f"/api/v1/approvals/{question.id}/vote", json=said)
        except httpx.TransportError as error:
            raise StoreError(f"the server did not take an answer ({type(error).__name__})") from error
        if answered.is_success:
            return True
        refusal = error_of(answered.status_code, answered.content)
        if isinstance(refusal, Conflict):
            return False
        raise refusal


@contextmanager
def signed_in(url: str, links: Mapping[str, str]) -> Iterator[Colleagues]:
    """Let each person in by their link while the block runs.

    Raises:
        StoreError: the server does not let somebody in.
    """
    with ExitStack() as stack:
        browsers = {}
        for person, link in links.items():
            client = httpx.Client(base_url=url, headers={"origin": url}, timeout=SECONDS, trust_env=False)
            browsers[person] = stack.enter_context(client)
            came = browsers[person].get(link)
            if not came.is_redirect:
                raise StoreError(f"the demo's server did not let {person} in: it answered {came.status_code}")
        yield Colleagues(browsers)
