"""A request before it is forwarded: what may be in it, and at most what it can cost.

The bound of the input takes a token for each byte of the body: every token that a model reads stands for at
least one byte, and JSON adds bytes of its own. Where a tokenizer first normalises what it reads, the longer
form counts. What is not text has bounds of its own, and what is not in the body counts as the largest input
that is sold. So a bound is several times what is used in the end; the difference is given back then.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from handrail.meters import content, fields
from handrail.meters.body import Body, Edit, edited, read
from handrail.meters.draft import Draft, FieldRefused, whole_number
from handrail.meters.rates import Rates
from handrail.meters.usage import Api
from handrail.words.errors import BadArguments
from handrail.words.model_call import MILLION, Bound, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

FRAME = 200
"""Tokens that a provider adds to any request: roles, dates, a few words of its own."""
INSTRUCTIONS = 2_000
"""Tokens that it adds to explain tools or the shape of an answer: the most that a provider names is 804."""
LARGEST = 2_000_000
"""The largest input that is sold, in tokens: what counts for something that the request does not hold."""
PICTURES = {Api.MESSAGES: 8_000, Api.GEMINI: 20_000}
PICTURE = 50_000
"""Tokens of a picture that is read, at most; the dearest known is 48,169."""
LEAST = 16
"""Fewer tokens than these are no answer: rather than lowering a limit further, the call is refused."""
WITHOUT = 16_384
"""Tokens that are written at most when the client does not say."""
SHORT = (
    ("gpt-4o-2024-05-13", 4_096),
    ("gpt-4-turbo", 4_096),
    ("gpt-4-1106", 4_096),
    ("gpt-4-0125", 4_096),
    ("gpt-3.5", 4_096),
    ("gpt-4-", 8_192),
    ("gemini-1", 8_192),
    ("gemini-2.0", 8_192),
    ("gemini-pro", 2_048),
)
"""Models that refuse a limit as large as ``WITHOUT``, by how their names begin, and their own."""
NO_LIMIT = frozenset({Api.EMBEDDINGS, Api.IMAGES})
"""APIs whose answers have no length in tokens that a request may limit."""
LIMIT_FIELD = {
    Api.CHAT: "max_completion_tokens",
    Api.RESPONSES: "max_output_tokens",
    Api.MESSAGES: "max_tokens",
    Api.GEMINI: "maxOutputTokens",
}
MODEL = 200
"""Characters of a model's name at most."""
PICTURES_MADE = 10


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be forwarded, once its bound is set aside."""

    api: Api
    model: str
    stream: bool
    body: Body
    draft: Draft
    size: int
    """Tokens of its text at most."""
    told: bool
    """Whether the client asked for the usage of a stream by itself."""

    @property
    def tier(self) -> str:
        """The service tier that it asks for; empty where the upstream chooses one."""
        return self.draft.tier or ("" if "service_tier" in fields.TABLES[self.api] else "standard")

    def bound(self, rates: Rates, without: int = WITHOUT) -> Bound:
        """At most what it can cost. ``without`` is the limit of an answer whose client names none.

        Raises:
            ModelRefused: something that it may use has no price.
        """
        tokens, passes = self._read(rates), self._passes
        each = Decimal(0) if self._by_picture(rates) else rates.input_rate(tokens, self._inputs(rates))
        cost = tokens * passes * each + self._pieces(rates)
        if self.api in NO_LIMIT:
            return Bound(_up(cost), tokens + self.draft.made * self._made)
        limit = self.draft.limit or _usual(self.model, without)
        rate = rates.output_rate(tokens, self._outputs(rates)) * MILLION
        least = min(LEAST, limit)
        return Bound(_up(cost), tokens * passes, _up(rate), limit, least, self.draft.choices * passes)

    def cost(self, rates: Rates, usage: Usage) -> int:
        """What it did cost, in nano-units.

        Raises:
            ModelRefused: something that was used has no price.
        """
        if self.api is Api.IMAGES:
            usage = _pictures(rates, usage)
        return rates.cost(usage)

    def forward(self, output: int, limit_field: str | None = None) -> bytes:
        """The body with the documented edits: a limit of what is written, and the usage of a stream.

        ``limit_field`` is the name that this upstream has for the limit, where that is not the API's own.
        """
        return edited(self.body, [*self._limited(output, limit_field), *self._asking()])

    def _by_picture(self, rates: Rates) -> bool:
        """Whether only the pictures that are made are priced."""
        return self.api is Api.IMAGES and "image" in rates.parts and "input" not in rates.parts

    @property
    def _passes(self) -> int:
        """How often the model reads its input: once, and again after each search of the provider's."""
        return 1 + self.draft.searches

    @property
    def _made(self) -> int:
        return self.draft.made_tokens or fields.PICTURE

    def _read(self, rates: Rates) -> int:
        found = self.size + FRAME + self.draft.images * PICTURES.get(self.api, PICTURE)
        if self.draft.instructed:
            found += INSTRUCTIONS
        if self.draft.whole or self.draft.searches:
            found += max(LARGEST, rates.window or 0)
        return found

    def _inputs(self, rates: Rates) -> Iterable[str]:
        found = set(self.draft.inputs)
        if self.api is not Api.MESSAGES:
            found.add("cache_write")
        if self.draft.whole:
            found |= {part for part in ("audio_input", "image_input") if part in rates.parts}
        return found

    def _outputs(self, rates: Rates) -> Iterable[str]:
        """A model that can draw may do so unasked, and its pictures are the dearest that it writes."""
        return {*self.draft.outputs, "image_output"} if _writes_pictures(rates) else self.draft.outputs

    def _pieces(self, rates: Rates) -> Decimal:
        total = Decimal(0)
        if "call" in rates.parts:
            total += rates.of("call").base
        if self.draft.searches:
            total += self.draft.searches * rates.of("search").base
        if self.draft.made:
            total += self.draft.made * self._picture(rates)
        return total

    def _picture(self, rates: Rates) -> Decimal:
        if "image" in rates.parts:
            return rates.of("image").base
        return self._made * rates.output_rate(self.size, ["image_output"] if _writes_pictures(rates) else ())

    def _limited(self, output: int, limit_field: str | None) -> list[Edit]:
        if self.api in NO_LIMIT:
            return []
        home, names = self.body, self.draft.limits
        if self.api is Api.GEMINI:
            return self._limited_gemini(output)
        theirs = limit_field if self.api is Api.CHAT else None
        if not names or (theirs is not None and theirs not in names):
            # what an upstream does not know by this name it would pass over, and write without end
            others = [home.set(name, None) for name in names]
            return [home.set(theirs or LIMIT_FIELD[self.api], output), *others]
        return [home.set(name, output) for name in names if home.value(name) > output]

    def _limited_gemini(self, output: int) -> list[Edit]:
        name = next(
            (each for each in self.body.fields if content.camel_case(each) == "generationConfig"), None
        )
        home = None if name is None else self.body.inner(name)
        if home is None:
            return [self.body.set(name or "generationConfig", {LIMIT_FIELD[Api.GEMINI]: output})]
        given = [each for each in home.fields if content.camel_case(each) == LIMIT_FIELD[Api.GEMINI]]
        if not given:
            return [home.set(LIMIT_FIELD[Api.GEMINI], output)]
        value = home.value(given[0])
        return [home.set(given[0], output)] if value is None or value > output else []

    def _asking(self) -> list[Edit]:
        """Ask for the usage of a chat's stream, which is not told unless somebody asks."""
        if self.api is not Api.CHAT or not self.stream or self.told:
            return []
        inner = self.body.inner("stream_options")
        if inner is None:
            return [self.body.set("stream_options", {"include_usage": True})]
        return [inner.set("include_usage", value=True)]


def request(api: Api, data: bytes, model: str | None = None, *, stream: bool | None = None) -> Request:
    """Read a request's body. ``model`` and ``stream`` are what its path says, where that says it.

    Raises:
        BadArguments: it is no JSON, or what it holds is not what its name means.
        FieldRefused: something in it is not metered.
    """
    body = read(data)
    draft = Draft()
    given = {name: field.value for name, field in body.fields.items()}
    named = content.spelled("", given) if api is Api.GEMINI else given
    try:
        fields.take(fields.TABLES[api], named, draft)
    except RecursionError as error:
        raise BadArguments("the body is nested too deep") from error
    _together(api, named, draft)
    if "cache_control" in body.text or "\\u" in body.text:
        draft.inputs |= {"cache_write", "cache_write_long"} if api is Api.MESSAGES else set()
    streams = _stream(named) if stream is None else stream
    options = named.get("stream_options")
    told = isinstance(options, dict) and options.get("include_usage") is True
    return Request(api, _model(named, model), streams, body, draft, _size(body, data), told)


def _together(api: Api, named: Mapping[str, Any], draft: Draft) -> None:
    """What only several fields say together."""
    if draft.searching and not draft.searches:
        raise FieldRefused("max_tool_calls", "web search needs it: it bounds what the searches cost")
    if api is Api.RESPONSES and not draft.searching:
        draft.searches = 0
    if api is Api.IMAGES:
        draft.made = whole_number("n", 1 if named.get("n") is None else named["n"], 1, PICTURES_MADE)
    if api is Api.CHAT and isinstance(named.get("stream_options"), list | str | int):
        raise FieldRefused("stream_options", "expected an object")


def _stream(named: Mapping[str, Any]) -> bool:
    value = named.get("stream")
    if value is not None and not isinstance(value, bool):
        raise FieldRefused("stream", "expected true or false")
    return value is True


def _model(named: Mapping[str, Any], path: str | None) -> str:
    found = named.get("model") if path is None else path
    if (
        not isinstance(found, str)
        or not found
        or len(found) > MODEL
        or not found.isprintable()
        or " " in found
    ):
        raise FieldRefused("model", f"expected the name of a model, of at most {MODEL} characters")
    return found


def _size(body: Body, data: bytes) -> int:
    """Tokens of a body at most: a byte each, in the longer of its forms."""
    if "\\u" in body.text:
        values = {name: field.value for name, field in body.fields.items()}
        plain = json.dumps(values, ensure_ascii=False)
    elif body.text.isascii():
        return len(data)
    else:
        plain = body.text
    return max(len(data), len(unicodedata.normalize("NFKC", plain).encode("utf-8", "surrogatepass")))


def _usual(model: str, without: int) -> int:
    """The limit of an answer whose client names none."""
    short = next((limit for start, limit in SHORT if model.startswith(start)), without)
    return min(short, without)


def _pictures(rates: Rates, usage: Usage) -> Usage:
    """Pictures that are priced one by one cost that, and what is priced beside them; others their tokens."""
    if "image" not in rates.parts:
        return Usage(
            usage.input, usage.output, image_input=usage.image_input, image_output=usage.image_output
        )
    read = usage.input if "input" in rates.parts else 0
    return Usage(read, images=usage.images)


def _writes_pictures(rates: Rates) -> bool:
    return "image_output" in rates.parts


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))
