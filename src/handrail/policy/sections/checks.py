"""`checks:` verifications of an action's content."""

from __future__ import annotations

import re
from collections.abc import Mapping

from handrail.policy.includes import Includes, json_schema
from handrail.policy.model import CheckKind, CheckPolicy, Effect, Place, Selector, Text
from handrail.policy.reader import IDENTIFIER, Fields, Reader
from handrail.policy.sections.rules import asked, selector
from handrail.policy.yaml import Node, Pairs, Scalar
from handrail.words.verdict import ANYONE

KINDS = tuple(str(kind) for kind in CheckKind)
EFFECTS = {str(effect): effect for effect in (Effect.ASK, Effect.DENY)}
_WITHOUT_IN = frozenset({CheckKind.WHEN})
_DIALECTS = {word: word for word in ("postgres", "sqlite", "mysql", "mariadb")}
_MODEL = re.compile(r"[a-z0-9_-]+:[^\s:][^\s]*")


def checks(reader: Reader, node: Node, includes: Includes) -> tuple[CheckPolicy, ...]:
    """Every check, in the order of the file."""
    found: list[CheckPolicy] = []
    for name, place, value in reader.entries(node, "checks by name"):
        reader.check_name(name, place, IDENTIFIER, "a check's name")
        fields = reader.fields(
            value,
            "a check",
            required=("tools", "if_not_ok"),
            optional=("in", *KINDS, "model", "on_error"),
        )
        reader.remember(f"checks.{name}", fields)
        found.append(_check(reader, name, place, fields, includes))
    return tuple(found)


def _check(reader: Reader, name: str, place: Place, fields: Fields, includes: Includes) -> CheckPolicy:
    kind = CheckKind(fields.one_of(KINDS, "a check") or CheckKind.WHEN)
    _check_shape(reader, kind, fields)
    effect, audience, reason = fields.get(
        "if_not_ok", lambda node: _if_not_ok(reader, node), (Effect.DENY, "", "")
    )
    looks_in = fields.get("in", reader.expression, None)
    return CheckPolicy(
        id=name,
        tools=fields.get("tools", lambda node: selector(reader, node), Selector((), place)),
        kind=kind,
        if_not_ok=effect,
        on_error=fields.get("on_error", lambda node: reader.choice(node, EFFECTS), Effect.ASK),
        audience=audience,
        reason=reason or _reason(name, kind, fields),
        place=place,
        looks_in=looks_in,
        phrases=fields.get("phrases", lambda node: _phrases(reader, node), ()),
        regex=fields.get("regex", lambda node: _regex(reader, node), None),
        schema=fields.get("schema", lambda node: _schema(reader, node, includes), None),
        when=fields.get("when", reader.expression, None),
        judge=fields.get("judge", reader.text, None),
        model=fields.get("model", lambda node: _model(reader, node), None),
        options=fields.get("sql", lambda node: {"dialect": reader.choice(node, _DIALECTS)}, {}),
    )


def _check_shape(reader: Reader, kind: CheckKind, fields: Fields) -> None:
    """Each kind has the keys that it can use, and no other."""
    if kind not in fields.nodes:
        return
    if kind in _WITHOUT_IN and "in" in fields.nodes:
        reader.report(
            fields.places["in"], f"a check with {kind!s} looks in nothing", f"the place inside {kind!s}"
        )
    if kind is CheckKind.JUDGE and "model" not in fields.nodes:
        reader.report(fields.place, "a check with judge has no 'model'", '`model: "provider:name"`')
    if kind is not CheckKind.JUDGE and "model" in fields.nodes:
        reader.report(fields.places["model"], "'model' without 'judge'", "judge: a question")


def _if_not_ok(reader: Reader, node: Node) -> tuple[Effect, str, str]:
    """Effect, audience and reason of ``ask``, ``deny``, ``{ask: group}`` or ``{deny: reason}``."""
    if not isinstance(node, Pairs):
        effect = reader.choice(node, EFFECTS)
        return effect, ANYONE if effect is Effect.ASK else "", ""
    fields = reader.fields(node, "if_not_ok", optional=("ask", "deny"))
    effect = Effect(fields.one_of(("ask", "deny"), "if_not_ok") or Effect.DENY)
    if effect is Effect.DENY:
        return effect, "", fields.get("deny", reader.text, "")
    return effect, *fields.get("ask", lambda group: asked(reader, group), ("", ""))


def _reason(name: str, kind: CheckKind, fields: Fields) -> str:
    def said(word: str) -> str:
        node = fields.nodes.get(word)
        return " ".join(node.text.split()) if isinstance(node, Scalar) else ""

    where = said("in")
    return {
        CheckKind.PHRASES: f"{name}: {where} has a phrase that is not allowed",
        CheckKind.REGEX: f"{name}: {where} has a text that is not allowed",
        CheckKind.SCHEMA: f"{name}: {where} is not as the schema says",
        CheckKind.SQL: f"{name}: {where} is not a query that is known to be harmless",
        CheckKind.JUDGE: f"{name}: the answer is no: {said('judge')}",
        CheckKind.WHEN: f"{name}: not ({said('when')})",
    }[kind]


def _phrases(reader: Reader, node: Node) -> tuple[str, ...]:
    from handrail.policy.phrases import finder

    phrases = reader.texts(node, "a list of phrases")
    try:
        if phrases and all(phrase.strip() for phrase in phrases):
            finder(phrases)
    except ValueError as error:
        reader.report(node.place, str(error), "phrases with letters or digits")
    return phrases


def _regex(reader: Reader, node: Node) -> Text:
    import re2

    pattern = reader.located(node, "a regular expression")
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern.value, options)
    except (re2.error, UnicodeError) as error:
        said = error.args[0] if error.args else "unknown syntax"
        said = said.decode(errors="replace") if isinstance(said, bytes) else said
        reader.report(pattern.at(0), f"this is no regular expression: {said}", "RE2 syntax")
    return pattern


def _model(reader: Reader, node: Node) -> str:
    text = reader.text(node, 'a model as "provider:name"')
    if text and not _MODEL.fullmatch(text):
        reader.report(node.place, f"{text!r} names no model", '"provider:name"')
    return text


def _schema(reader: Reader, node: Node, includes: Includes) -> Mapping[str, object]:
    name = reader.text(node, "the name of a file with a JSON Schema")
    text = includes.read(reader, name, node.place) if name else None
    return {} if text is None else json_schema(reader, text, name)
