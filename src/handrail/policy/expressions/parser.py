"""Tokens into a tree, by CEL's grammar without what the subset leaves out."""

from __future__ import annotations

from decimal import Decimal
from typing import NoReturn

from handrail.policy.expressions.errors import ExpressionError
from handrail.policy.expressions.lexer import Token, tokens
from handrail.policy.expressions.limits import INT_MAX, INT_MIN, MAX_DEPTH, MAX_NODES
from handrail.policy.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Conditional,
    Has,
    Index,
    ListNode,
    Literal,
    Macro,
    MapNode,
    Name,
    Negate,
    Node,
    Not,
    Or,
    Select,
    walk,
)

MACROS = ("all", "exists", "exists_one")

_OR, _AND, _RELATION, _SUM, _PRODUCT = range(1, 6)
_STRENGTH = {
    "||": _OR,
    "&&": _AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), _RELATION),
    **dict.fromkeys(("+", "-"), _SUM),
    **dict.fromkeys(("*", "/", "%"), _PRODUCT),
}
_WORDS = {"true": True, "false": False, "null": None}
_RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop"}
    | {"namespace", "package", "return", "var", "void", "while"}
)
_INSTEAD = {"and": "&&", "or": "||", "not": "!", "is": "==", "True": "true", "False": "false", "None": "null"}


def parse(text: str) -> Node:
    """Return the tree of an expression, untyped. Raises ExpressionError."""
    root = _Parser(tokens(text)).whole()
    _refuse_large(root)
    return root


def _refuse_large(root: Node) -> None:
    for count, (node, depth) in enumerate(walk(root), start=1):
        if depth > MAX_DEPTH:
            raise _too_deep(node.offset)
        if count > MAX_NODES:
            message = f"the expression has more than {MAX_NODES} parts"
            raise ExpressionError(message, node.offset, expected="several smaller rules")


def _too_deep(offset: int) -> ExpressionError:
    return ExpressionError(f"the expression is nested more than {MAX_DEPTH} deep", offset)


class _Parser:
    """A recursive descent over one list of tokens; `depth` bounds its own recursion."""

    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._place = 0
        self._depth = 0

    def whole(self) -> Node:
        """Parse everything, to the end."""
        if self._next.kind == "end":
            raise ExpressionError("the expression is empty", 0, expected="a condition like amount > 100")
        root = self._expression()
        if self._next.kind != "end":
            self._refuse("an operator or the end")
        return root

    @property
    def _next(self) -> Token:
        return self._words[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _at(self, *texts: str) -> bool:
        return self._next.text in texts and self._next.kind in ("op", "name")

    def _accept(self, text: str) -> bool:
        if self._at(text):
            self._place += 1
            return True
        return False

    def _expect(self, text: str) -> Token:
        if not self._at(text):
            self._refuse(text)
        return self._take()

    def _refuse(self, expected: str) -> NoReturn:
        token = self._next
        found = "the expression ends too early" if token.kind == "end" else f"unexpected {token.text!a}"
        raise ExpressionError(found, token.offset, expected=expected, nearest=_INSTEAD.get(token.text))

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _too_deep(self._next.offset)
        node = self._binary(_OR)
        if self._accept("?"):
            then = self._binary(_OR)
            self._expect(":")
            otherwise = self._expression()
            node = Conditional(node, then, otherwise, offset=node.offset, end=otherwise.end)
        self._depth -= 1
        return node

    def _binary(self, weakest: int) -> Node:
        left, chained = self._unary(), False
        while self._next.kind in ("op", "name") and _STRENGTH.get(self._next.text, 0) >= weakest:
            sign = self._take()
            strength = _STRENGTH[sign.text]
            if chained and strength == _RELATION:
                message = "comparisons cannot be chained"
                raise ExpressionError(message, sign.offset, expected="a < b && b < c")
            left = _joined(sign.text, left, self._binary(strength + 1))
            chained = strength == _RELATION
        return left

    def _unary(self) -> Node:
        if not self._at("!", "-"):
            return self._postfix(self._primary())
        sign = self._take()
        number = self._next
        if sign.text == "-" and number.kind in ("int", "decimal"):
            return self._postfix(self._number(self._take(), sign))
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _too_deep(sign.offset)
        operand = self._unary()
        self._depth -= 1
        make = Not if sign.text == "!" else Negate
        return make(operand, offset=sign.offset, end=operand.end)

    def _number(self, token: Token, minus: Token | None = None) -> Node:
        value = token.value if minus is None else _opposite(token.value)
        if token.kind == "int" and not INT_MIN <= value <= INT_MAX:
            message = "the number does not fit into 64 bits"
            raise ExpressionError(message, token.offset, expected=f"at most {INT_MAX}")
        return Literal(value, offset=(minus or token).offset, end=token.end)

    def _postfix(self, node: Node) -> Node:
        while self._at(".", "["):
            node = self._member(node) if self._accept(".") else self._index(node)
        return node

    def _index(self, node: Node) -> Node:
        self._expect("[")
        index = self._expression()
        return Index(node, index, offset=node.offset, end=self._expect("]").end)

    def _member(self, node: Node) -> Node:
        name = self._take()
        if name.kind != "name" or name.text in (*_WORDS, "in"):
            self._place -= 1
            self._refuse("the name of a field or a function")
        if not self._at("("):
            return Select(node, name.text, offset=node.offset, end=name.end)
        operands, end = self._operands()
        if name.text in MACROS:
            return _macro(name, node, operands, end)
        return Call(name.text, (node, *operands), method=True, offset=node.offset, end=end)

    def _operands(self) -> tuple[tuple[Node, ...], int]:
        self._expect("(")
        operands = self._listed(")", trailing=False)
        return operands, self._expect(")").end

    def _listed(self, closing: str, *, trailing: bool = True) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._at(closing):
            items.append(self._expression())
            if not self._accept(","):
                break
            if not trailing and self._at(closing):
                self._refuse("one more operand")
        return tuple(items)

    def _primary(self) -> Node:
        token = self._take()
        if token.kind in ("int", "decimal"):
            return self._number(token)
        if token.kind == "string":
            return Literal(token.value, offset=token.offset, end=token.end)
        if token.kind == "name":
            return self._named(token)
        if token.text == "(":
            inner = self._expression()
            self._expect(")")
            return inner
        if token.text == "[":
            items = self._listed("]")
            return ListNode(items, offset=token.offset, end=self._expect("]").end)
        if token.text == "{":
            return self._map(token)
        self._place -= 1
        return self._refuse("a value, a name or (")

    def _named(self, token: Token) -> Node:
        if token.text in _WORDS:
            return Literal(_WORDS[token.text], offset=token.offset, end=token.end)
        if token.text in _RESERVED or (token.text in _INSTEAD and not self._at(".")):
            self._place -= 1
            self._refuse("a value, a name or (")
        if not self._at("("):
            return Name(token.text, offset=token.offset, end=token.end)
        operands, end = self._operands()
        if token.text == "has":
            return _has(token, operands, end)
        return Call(token.text, operands, offset=token.offset, end=end)

    def _map(self, opening: Token) -> Node:
        keys: list[str] = []
        values: list[Node] = []
        while not self._at("}"):
            key = self._take()
            if key.kind != "string" or key.value in keys:
                message = "the name stands twice" if key.kind == "string" else "a name in { } must be a text"
                raise ExpressionError(message, key.offset, expected='{"name": value}')
            self._expect(":")
            keys.append(key.value)
            values.append(self._expression())
            if not self._accept(","):
                break
        end = self._expect("}").end
        return MapNode(tuple(keys), tuple(values), offset=opening.offset, end=end)


def _opposite(value: int | Decimal) -> int | Decimal:
    # Unlike a minus, copy_negate leaves a decimal's digits alone.
    return value.copy_negate() if isinstance(value, Decimal) else -value


def _joined(sign: str, left: Node, right: Node) -> Node:
    """Return `left sign right`; a row of && or || becomes one node, so that long rows are not deep."""
    offset, end = left.offset, right.end
    if sign == "&&":
        row = left.operands if isinstance(left, And) else (left,)
        return And((*row, right), offset=offset, end=end)
    if sign == "||":
        row = left.operands if isinstance(left, Or) else (left,)
        return Or((*row, right), offset=offset, end=end)
    make = Compare if _STRENGTH[sign] == _RELATION else Arithmetic
    return make(sign, left, right, offset=offset, end=end)


def _has(token: Token, operands: tuple[Node, ...], end: int) -> Node:
    if len(operands) != 1 or not isinstance(operands[0], Select):
        raise ExpressionError("has() takes one field", token.offset, expected="has(args.note)")
    return Has(operands[0].operand, operands[0].field, offset=token.offset, end=end)


def _macro(name: Token, over: Node, operands: tuple[Node, ...], end: int) -> Node:
    if len(operands) != 2 or not isinstance(operands[0], Name):  # noqa: PLR2004 - a variable and a condition
        message = f"{name.text}() takes a variable and a condition"
        raise ExpressionError(message, name.offset, expected=f"{name.text}(x, x > 1)")
    return Macro(name.text, operands[0].id, over, operands[1], offset=over.offset, end=end)
