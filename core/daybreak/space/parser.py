"""Reads the constraint language: text -> tokens -> tree. Nothing is ever evaluated by Python.

Grammar, loosest binding first (the same order as in Python)::

    either     = both ("or" both)*
    both       = negation ("and" negation)*
    negation   = "not" negation | relation
    relation   = sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)* | sum ["not"] "in" choices
    choices    = "[" list "]" | "{" list "}" | "(" list ")"
    sum        = product (("+" | "-") product)*
    product    = signed (("*" | "/" | "//" | "%") signed)*
    signed     = ("-" | "+") signed | power
    power      = atom ["**" signed]
    atom       = number | text | "True" | "False" | order | name | name "[" either "]"
               | "min" "(" list ")" | "max" "(" list ")" | "abs" "(" either ")"
               | "pos" "(" name "," either ")" | "(" either ")"
    order      = "[" whole number, ... "]"
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from daybreak.errors import SpaceError
from daybreak.space.expression import (
    Arithmetic,
    Call,
    Compare,
    Constant,
    Item,
    Logic,
    Member,
    Name,
    Negative,
    Node,
    Not,
    Position,
    children,
)

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_NESTING", "parse"]

#: Longest constraint in characters, deepest nesting of parentheses and deepest tree (`a + b + c`
#: is two deep): above honest use, low enough that none exhausts the interpreter's stack.
MAX_LENGTH = 100_000
MAX_NESTING = 40
MAX_DEPTH = 150

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<op>\*\*|//|<=|>=|==|!=|[-+*/%<>()\[\]{},])
    """,
    re.VERBOSE,
)
_HINTS = {
    "&": "`and`",
    "|": "`or`",
    "!": "`not` or `!=`",
    "=": "`==`",
    "^": "`**` for a power",
    "~": "`not`",
    ".": "no attributes: the language has only parameters, numbers and its own functions",
}
_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
_WORDS = frozenset({"and", "or", "not", "in"})
_CLOSING = {"[": "]", "{": "}", "(": ")"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


def parse(text: str) -> Node:
    """Parse one constraint.

    Raises:
        SpaceError: a syntax error, with `column` (1-based, in `text`).
    """
    if not isinstance(text, str):
        raise SpaceError(
            f"a constraint must be text, not {text!r}", expected="an expression such as 'a < b'"
        )
    if len(text) > MAX_LENGTH:
        raise SpaceError(f"a constraint of {len(text)} characters is too long")
    return _Parser(text).whole()


class _Parser:
    """Recursive descent with one token of look-ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._tokenise()
        self._at = 0
        self._depth = 0

    def _tokenise(self) -> list[_Token]:
        tokens = []
        at = 0
        while at < len(self._text):
            found = _TOKEN.match(self._text, at)
            if found is None:
                character = self._text[at]
                if character in "\"'":
                    self._fail("the text is not closed", at + 1, f"a closing {character}")
                self._fail(f"unexpected {character!r}", at + 1, _HINTS.get(character))
            kind = found.lastgroup or ""
            if kind != "space":
                tokens.append(_Token(kind, found.group(), at + 1))
            at = found.end()
        tokens.append(_Token("end", "", len(self._text) + 1))
        return tokens

    def _fail(self, message: str, column: int, expected: str | None = None) -> NoReturn:
        shown = self._text if len(self._text) <= 200 else self._text[:200] + "..."
        raise SpaceError(
            f"constraint `{shown}`: column {column}: {message}", column=column, expected=expected
        )

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _unexpected(self, expected: str) -> NoReturn:
        token = self._token
        what = "the constraint ends here" if token.kind == "end" else f"unexpected '{token.text}'"
        self._fail(what, token.column, expected)

    def _next_is(self, *texts: str) -> bool:
        return self._token.kind in ("op", "name") and self._token.text in texts

    def _take(self) -> _Token:
        token = self._token
        self._at += 1
        return token

    def _expect(self, text: str) -> None:
        if not self._next_is(text):
            self._unexpected(f"'{text}'")
        self._at += 1

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            self._fail(f"nested deeper than {MAX_NESTING} levels", self._token.column)

    def whole(self) -> Node:
        node = self._either()
        if self._token.kind != "end":
            self._unexpected("an operator or the end of the constraint")
        self._check_depth(node)
        return node

    def _check_depth(self, node: Node) -> None:
        # a chain such as a + b + c + ... needs no nesting and yet makes a deep tree
        level: list[Node] = [node]
        for _ in range(MAX_DEPTH):
            level = [child for parent in level for child in children(parent)]
            if not level:
                return
        self._fail(f"more than {MAX_DEPTH} operators deep", 1, "several shorter constraints")

    def _either(self) -> Node:
        self._enter()
        node = self._chain("or", self._both)
        self._depth -= 1
        return node

    def _both(self) -> Node:
        return self._chain("and", self._negation)

    def _chain(self, word: str, operand: Callable[[], Node]) -> Node:
        column = self._token.column
        operands = [operand()]
        while self._next_is(word):
            self._at += 1
            operands.append(operand())
        return operands[0] if len(operands) == 1 else Logic(word, tuple(operands), column)

    def _negation(self) -> Node:
        if not self._next_is("not"):
            return self._relation()
        column = self._take().column
        self._enter()
        node = Not(self._negation(), column)
        self._depth -= 1
        return node

    def _relation(self) -> Node:
        column = self._token.column
        operands = [self._sum()]
        ops = []
        while self._token.kind == "op" and self._token.text in _COMPARISONS:
            ops.append(self._take().text)
            operands.append(self._sum())
        if ops:
            if self._next_is("in", "not"):
                self._fail("`in` cannot be chained", self._token.column, "parentheses around it")
            return Compare(tuple(operands), tuple(ops), column)
        negated = self._next_is("not")
        if negated:
            self._at += 1
            if not self._next_is("in"):
                self._unexpected("'in' after 'not'")
        if self._next_is("in"):
            self._at += 1
            return Member(operands[0], self._choices(), negated, column)
        return operands[0]

    def _choices(self) -> tuple[Node, ...]:
        if not self._next_is("[", "{", "("):
            self._unexpected("a list such as [1, 2, 4]")
        return self._list(_CLOSING[self._take().text])

    def _list(self, closing: str) -> tuple[Node, ...]:
        """Read `item, item, ...` up to `closing`; at least one item, a last comma is allowed."""
        items = [self._either()]
        while self._next_is(","):
            self._at += 1
            if self._next_is(closing):
                break
            items.append(self._either())
        self._expect(closing)
        return tuple(items)

    def _sum(self) -> Node:
        return self._left_to_right(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._left_to_right(("*", "/", "//", "%"), self._signed)

    def _left_to_right(self, ops: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        node = operand()
        while self._token.kind == "op" and self._token.text in ops:
            token = self._take()
            node = Arithmetic(token.text, node, operand(), token.column)
        return node

    def _signed(self) -> Node:
        if not self._next_is("-", "+"):
            return self._power()
        sign = self._take()
        self._enter()
        node = self._signed()
        self._depth -= 1
        return Negative(node, sign.column) if sign.text == "-" else node

    def _power(self) -> Node:
        base = self._atom()
        if not self._next_is("**"):
            return base
        column = self._take().column
        self._enter()
        node = Arithmetic("**", base, self._signed(), column)
        self._depth -= 1
        return node

    def _atom(self) -> Node:
        token = self._token
        if token.kind == "number":
            self._at += 1
            return Constant(self._number(token), token.column)
        if token.kind == "text":
            self._at += 1
            return Constant(re.sub(r"\\(.)", r"\1", token.text[1:-1]), token.column)
        if token.kind == "name" and token.text not in _WORDS:
            self._at += 1
            return self._named(token)
        if self._next_is("("):
            self._at += 1
            node = self._either()
            self._expect(")")
            return node
        if not self._next_is("["):
            self._unexpected("a parameter, a number, a text or '('")
        return self._order()

    def _number(self, token: _Token) -> int | float:
        if self._token.kind == "name" and self._token.column == token.column + len(token.text):
            self._fail(f"'{token.text}{self._token.text}' is no number", token.column)
        if token.text.isdigit():
            if len(token.text) > 300:
                self._fail("a number of more than 300 digits", token.column)
            return int(token.text)
        value = float(token.text)
        if value == float("inf"):
            self._fail(f"'{token.text}' is too large", token.column)
        return value

    def _named(self, token: _Token) -> Node:
        if token.text in ("True", "true", "False", "false"):
            return Constant(token.text in ("True", "true"), token.column)
        if token.text == "pos":
            self._expect("(")
            permutation = self._token
            if permutation.kind != "name":
                self._unexpected("a permutation parameter: pos(permutation, element)")
            self._at += 1
            self._expect(",")
            element = self._either()
            self._expect(")")
            return Position(permutation.text, element, token.column)
        if token.text in ("min", "max", "abs"):
            self._expect("(")
            arguments = self._list(")")
            if token.text == "abs" and len(arguments) != 1:
                self._fail("abs takes one value", token.column)
            if token.text != "abs" and len(arguments) < 2:
                self._fail(f"{token.text} takes two or more values", token.column)
            return Call(token.text, arguments, token.column)
        if self._next_is("("):
            self._fail(f"there is no function '{token.text}'", token.column, "min, max, abs or pos")
        if self._next_is("["):
            self._at += 1
            position = self._either()
            self._expect("]")
            return Item(token.text, position, token.column)
        return Name(token.text, token.column)

    def _order(self) -> Node:
        """Read a list of whole numbers, which can only stand for a permutation's value."""
        column = self._take().column
        elements = []
        for item in self._list("]"):
            if not isinstance(item, Constant) or type(item.value) is not int:
                self._fail("an order lists whole numbers only", column, "e.g. [2, 0, 1]")
            elements.append(item.value)
        return Constant(tuple(elements), column)
