"""What models are told and answer is foreign text: on the pages about their calls it runs nowhere."""

from __future__ import annotations

import json

from playwright.sync_api import Page

from handrail.engine.ids import new_id
from handrail.engine.models.prompts import packed
from handrail.ports import Commit, Transaction
from handrail.words.model_call import CallState, Prompt
from tests.browser.conftest import Office, sign_in
from tests.browser.test_hostile_text import HOSTILE, everything, unharmed
from tests.contract.model_things import model_call


def test_the_pages_of_calls_show_hostile_text_as_text(visit: Page, office: Office) -> None:
    """In the prompt, the answer, the error, the task, and the name of the model."""
    text, engine = everything(), office.desk.app.engine
    call = model_call(id=new_id(), session="hostile", task=text[:480], model=HOSTILE[1])
    body = json.dumps({"messages": [{"role": "user", "content": text}], text[:90]: text}).encode()

    def work(tx: Transaction) -> None:
        tx.model_calls.add(call)
        tx.prompts.add(Prompt(call.id, packed(engine.recorder, "request", body)[0]))
        tx.prompts.answered(call.id, packed(engine.recorder, "response", text.encode())[0], cut=True)
        told = {"state": CallState.FAILED, "ended_at": call.asked_at + 5, "cost": 1, "error": text[:1_000]}
        fields = {name: getattr(call, name) for name in ("id", "session", "task", "model")}
        tx.model_calls.finish(model_call(**{**fields, **told}))

    office.desk.app.store.write(Commit.MODEL_CLAIM, work)
    sign_in(visit)
    for path in ("/calls", f"/calls/{call.id}", "/calls?text=planted", "/log"):
        visit.goto(path)
        unharmed(visit, office)
    visit.goto(f"/calls/{call.id}")
    shown = visit.locator("main").inner_text()
    assert HOSTILE[0] in shown
    assert HOSTILE[2] in shown
