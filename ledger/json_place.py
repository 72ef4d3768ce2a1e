"""Where and why a JSON text is refused.

The fast parser in `ledger.canonical` knows that a text is bad; this slow one, run only then,
finds the first bad place. It is a whole strict parser of its own, so that tests can hold the
two against each other.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NoReturn

INTEGER_MAX = 2**53 - 1
"""Largest integer that every JSON implementation keeps exactly (RFC 7493, section 2.2)."""

_SPACE = re.compile(r"[ \t\n\r]*+")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)((?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)")
_LITERALS = ("true", "false", "null")
_NOT_NUMBERS = ("NaN", "Infinity", "-Infinity")
_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGER_DIGITS_MAX = 17
_SHOWN_CHARACTERS_MAX = 40


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a JSON text."""

    pointer: str
    """RFC 6901; empty for the whole document."""
    line: int | None = None
    """Counted from 1; None where the place is no position in the text."""
    column: int | None = None
    """Counted from 1, in characters."""

    def __str__(self) -> str:
        where = self.pointer or "document"
        return where if self.line is None else f"{where} (line {self.line}, column {self.column})"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first thing wrong with a text."""

    place: Place
    reason: str


class _Found(Exception):
    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both counted from 1, of a character offset."""
    line_start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - line_start + 1


def integer_is_safe(digits: str) -> bool:
    """Whether a JSON integer stays within ±(2**53-1); cheap however long `digits` is."""
    return len(digits) <= _INTEGER_DIGITS_MAX and abs(int(digits)) <= INTEGER_MAX


def find_refusal(text: str, depth_max: int) -> Refusal | None:
    """The first thing in `text` that strict parsing refuses, or None where nothing is wrong."""
    try:
        _Scanner(text, depth_max).document()
    except _Found as found:
        return found.refusal
    return None


class _Scanner:
    """Recursive descent over the grammar of RFC 8259; recursion is bounded by `depth_max`."""

    def __init__(self, text: str, depth_max: int) -> None:
        self._text = text
        self._offset = 0
        self._depth_max = depth_max
        self._path: list[str | None] = []
        """Names and indices from the root; None inside a container before its first."""

    def document(self) -> None:
        if self._text.startswith("\ufeff"):
            self._refuse(0, "starts with a byte order mark")
        self._value()
        self._space()
        if self._offset < len(self._text):
            self._refuse(self._offset, f"{self._seen()} after the end of the value")

    def _refuse(self, offset: int, reason: str) -> NoReturn:
        line, column = position(self._text, offset)
        steps = [step for step in self._path if step is not None]
        pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
        raise _Found(Refusal(Place(pointer, line, column), reason))

    def _seen(self) -> str:
        """What stands at the current offset, for a message."""
        if self._offset >= len(self._text):
            return "end of text"
        return repr(self._text[self._offset])

    def _space(self) -> None:
        match = _SPACE.match(self._text, self._offset)
        assert match is not None
        self._offset = match.end()

    def _take(self, character: str) -> bool:
        """Skip white space, then `character` where it stands next."""
        self._space()
        if not self._text.startswith(character, self._offset):
            return False
        self._offset += 1
        return True

    def _expect(self, character: str, meaning: str) -> None:
        if not self._take(character):
            self._refuse(self._offset, f"expected {character!r} {meaning}, found {self._seen()}")

    def _value(self) -> None:
        self._space()
        first = self._text[self._offset : self._offset + 1]
        if first == "{":
            self._object()
        elif first == "[":
            self._array()
        elif first == '"':
            self._string()
        elif literal := self._one_of(_LITERALS):
            self._offset += len(literal)
        elif literal := self._one_of(_NOT_NUMBERS):
            self._refuse(self._offset, f"{literal} is not JSON")
        else:
            self._number()

    def _one_of(self, words: tuple[str, ...]) -> str:
        return next((w for w in words if self._text.startswith(w, self._offset)), "")

    def _enter(self) -> None:
        if len(self._path) >= self._depth_max:
            self._refuse(self._offset, f"nested deeper than {self._depth_max} levels")
        self._offset += 1
        self._path.append(None)

    def _object(self) -> None:
        start = self._offset
        self._enter()
        seen: set[str] = set()
        while seen or not self._take("}"):
            self._member(seen)
            if self._take("}"):
                break
            self._separator(start, "}", "object")
        self._path.pop()

    def _array(self) -> None:
        start = self._offset
        self._enter()
        index = 0
        while index or not self._take("]"):
            self._path[-1] = str(index)
            self._value()
            index += 1
            if self._take("]"):
                break
            self._separator(start, "]", "array")
        self._path.pop()

    def _separator(self, start: int, closing: str, kind: str) -> None:
        if self._take(","):
            return
        line, column = position(self._text, start)
        opened = f"the {kind} opened at line {line}, column {column}"
        self._refuse(self._offset, f"expected ',' or {closing!r} in {opened}, found {self._seen()}")

    def _member(self, seen: set[str]) -> None:
        self._space()
        self._path[-1] = None
        start = self._offset
        if not self._text.startswith('"', start):
            self._refuse(start, f"expected a quoted name, found {self._seen()}")
        name = self._string()
        self._path[-1] = name
        if name in seen:
            shown = name[:_SHOWN_CHARACTERS_MAX]
            self._refuse(start, f"the name {shown!r} occurs twice in one object")
        seen.add(name)
        self._expect(":", "after the name")
        self._value()

    def _string(self) -> str:
        start = self._offset
        match = _STRING.match(self._text, start)
        if match is None:
            self._refuse(*self._string_fault(start))
        self._offset = match.end()
        value = json.loads(match.group())
        assert isinstance(value, str)
        if _SURROGATE.search(value):
            self._refuse(start, "the string has half of a surrogate pair (\\ud800 to \\udfff)")
        return value

    def _string_fault(self, start: int) -> tuple[int, str]:
        offset = start + 1
        while offset < len(self._text):
            character = self._text[offset]
            if character == "\\":
                escape = _ESCAPE.match(self._text, offset)
                if escape is None:
                    return offset, "a backslash that starts no escape JSON knows"
                offset = escape.end()
            elif character < " ":
                return offset, f"the control character {character!r} must be escaped in a string"
            else:
                offset += 1
        return start, "the string has no end"

    def _number(self) -> None:
        match = _NUMBER.match(self._text, self._offset)
        if match is None:
            self._refuse(self._offset, f"expected a value, found {self._seen()}")
        digits = match.group()
        safe = abs(float(digits)) <= INTEGER_MAX if match.group(1) else integer_is_safe(digits)
        if not safe:
            shown = digits[:_SHOWN_CHARACTERS_MAX]
            self._refuse(self._offset, f"the number {shown} is beyond 2**53-1 (send a string)")
        self._offset = match.end()
