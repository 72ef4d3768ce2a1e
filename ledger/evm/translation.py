"""Stretches of EVM code as Python functions.

A stretch begins where a jump lands or a call returns, follows jumps whose target the code itself
pushes, and leaves on the seldom taken side of a branch. What the EVM moves on its stack is known
when the stretch is translated, so the function computes with local variables: constants are
folded, pushes, duplications and swaps cost nothing, gas is taken once from one branch to the next.

The function works like the interpreter (`ledger.evm.interpreter`), only that it may raise another
error, or the same one earlier: either takes all gas and undoes the message. Before an instruction
that it does not know, or that would fail, it returns to the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from eth.exceptions import InsufficientStack, InvalidJumpDestination

from ledger.evm.instructions import (
    GAS_KECCAK,
    GAS_KECCAK_WORD,
    MAX,
    STACK_LIMIT,
    Frame,
    binary,
    calldata_word,
    copy,
    exhausted,
    exponent_gas,
    grow,
    store,
    warm,
)
from ledger.state import keccak

Stretch = Callable[[Frame, list[Any]], int]
"""Runs on a frame and its stack; the position where the interpreter goes on."""

INSTRUCTIONS_MAX: Final = 300
"""Of one stretch: it ends long before the time between two looks at the clock is over."""
_GAS_AFTER: Final = "§"
"""Nothing else that is written into a function has this character."""
_WORTH_IT: Final = 2
"""Instructions below which calling a function costs more than it saves."""
_ONE_SIDED: Final = 16
"""A branch goes one way that was taken so many times as often as the other."""


class Condition(NamedTuple):
    """A 0 or 1 that is only computed where more than its truth is needed."""

    text: str
    opposite: str


Value = int | str | Condition
"""A constant, a local variable, a condition."""


class Translated(NamedTuple):
    """A function and how many instructions it stands for."""

    run: Stretch
    instructions: int


class _Ended(Exception):
    """The stretch is at its end."""


@dataclass(slots=True)
class _Segment:
    """From one branch to the next: all of it runs, or an error ends the message."""

    lines: list[tuple[str, int]] = field(default_factory=list)
    """Each with the segment's gas up to it. `_GAS_AFTER` in it stands for the gas after it."""
    gas: int = 0


class Translation:
    """Translates stretches of one piece of code."""

    __slots__ = ("_code", "_constants", "_jump_targets", "_namespace")

    def __init__(
        self, code: bytes, constants: Mapping[int, int], jump_targets: AbstractSet[int]
    ) -> None:
        self._code = code
        self._constants = constants
        self._jump_targets = jump_targets
        self._namespace: dict[str, Any] = {**_GLOBALS, "targets": jump_targets}

    def stretch(self, start: int, visits: Mapping[int, int]) -> Translated | None:
        """The stretch from `start`; None where it would be too short.

        `visits`: how often the interpreter came to a position after a jump, a branch or a call.
        """
        translator = _Translator(self._code, self._constants, self._jump_targets, visits)
        text, count = translator.translate(start)
        if count < _WORTH_IT:
            return None
        # Of its own: another thread may be translating the same code.
        made: dict[str, Stretch] = {}
        # Only numbers and names of our own are in the text.
        exec(compile(text, f"<EVM code from {start:#x}>", "exec"), self._namespace, made)  # noqa: S102
        return Translated(made["stretch"], count)


def _underflow() -> Exception:
    return InsufficientStack("an instruction found too few stack items")


def _nowhere(target: int) -> Exception:
    return InvalidJumpDestination(f"jump to {target:#x}")


_GLOBALS: Final[dict[str, Any]] = {
    "MAX": MAX,
    "binary": binary,
    "calldata_word": calldata_word,
    "copy": copy,
    "exhausted": exhausted,
    "exponent_gas": exponent_gas,
    "grow": grow,
    "keccak": keccak,
    "nowhere": _nowhere,
    "number": int.from_bytes,
    "store": store,
    "underflow": _underflow,
    "warm": warm,
}
_PREAMBLE: Final = {
    "memory": ("memory = f.memory", "mem = memory._bytes"),
    "accounts": ("accounts = f.accounts", "address = f.address"),
    "message": ("message = f.message",),
    "computation": ("computation = f.computation",),
}
_OF_THE_MESSAGE: Final = {
    0x30: ("message", "number(message.storage_address, 'big')"),
    0x33: ("message", "number(message.sender, 'big')"),
    0x34: ("message", "message.value"),
    0x36: ("message", "len(message.data)"),
    0x3D: ("computation", "len(computation.return_data)"),
    0x42: ("computation", "computation.state.timestamp"),
    0x43: ("computation", "computation.state.block_number"),
    0x46: ("computation", "computation.state.execution_context.chain_id"),
    0x59: ("memory", "len(mem)"),
}
_COMPARED: Final = {0x10: ("<", ">="), 0x11: (">", "<="), 0x14: ("==", "!=")}
_BITWISE: Final = {0x16: "&", 0x17: "|", 0x18: "^"}
_COPIES: Final = frozenset((0x37, 0x39, 0x3E, 0x5E))


class _Translator:
    def __init__(
        self,
        code: bytes,
        constants: Mapping[int, int],
        jump_targets: AbstractSet[int],
        visits: Mapping[int, int],
    ) -> None:
        self._code = code
        self._constants = constants
        self._jump_targets = jump_targets
        self._visits = visits
        self._values: list[Value] = []
        self._taken = 0
        """How many items of the real stack stand in `_values` or are gone."""
        self._segment = _Segment()
        self._body: list[str] = []
        self._uses: set[str] = set()
        self._names = 0
        self._reach = 0
        """How deep the stretch looks into the real stack."""
        self._growth = 0
        """How many items higher than at its begin the stack becomes."""
        self._memory_bytes = 0
        """Memory that there is at least."""
        self._checked = (0, 0)
        """Reach and growth that the segments before this one have seen to."""

    def translate(self, start: int) -> tuple[str, int]:
        """The function's text, and for how many instructions it stands."""
        pc, count = start, 0
        seen: set[int] = set()
        code, size = self._code, len(self._code)
        try:
            while pc < size and pc not in seen and count < INSTRUCTIONS_MAX:
                seen.add(pc)
                pc = self._step(code[pc], pc)
                count += 1
            self._leave(str(pc))
        except _Ended:
            count += 1
        except _Unknown:
            self._leave(str(pc))
        lines = [line for name in _PREAMBLE if name in self._uses for line in _PREAMBLE[name]]
        body = "\n ".join([*lines, "gas = f.gas", "n = len(stack)", *self._body])
        return f"def stretch(f, stack):\n {body}\n", count

    # -- instructions ---------------------------------------------------------------------------

    def _step(self, op: int, pc: int) -> int:
        """Translate one instruction. Returns where the next one is."""
        if 0x5F <= op <= 0x7F:
            self._charge(2 if op == 0x5F else 3)
            self._push(0 if op == 0x5F else self._constants[pc])
            return pc + op - 0x5E
        if 0x80 <= op <= 0x8F:
            self._charge(3)
            self._reach_down(op - 0x7F)
            self._push(self._values[0x7F - op])
        elif 0x90 <= op <= 0x9F:
            self._charge(3)
            self._reach_down(op - 0x8E)
            values, at = self._values, 0x8E - op
            values[-1], values[at] = values[at], values[-1]
        elif op == 0x50:
            self._charge(2)
            self._pop()
        elif op == 0x5B:
            self._charge(1)
        elif op == 0x56:
            return self._jump()
        elif op == 0x57:
            return self._branch(pc)
        elif op == 0x15:
            self._charge(3)
            self._push(_is_zero(self._pop()))
        elif op == 0x19:
            self._charge(3)
            one = self._pop()
            self._push(one ^ MAX if isinstance(one, int) else self._let(f"{self._text(one)} ^ MAX"))
        elif op in (0x01, 0x02, 0x03, 0x04, 0x06) or 0x10 <= op <= 0x1D:
            self._charge(5 if op in (0x02, 0x04, 0x06) else 3)
            self._push(self._arithmetic(op, self._pop(), self._pop()))
        elif op in _OF_THE_MESSAGE:
            self._charge(2)
            uses, text = _OF_THE_MESSAGE[op]
            self._uses.add(uses)
            self._push(self._let(text))
        elif op == 0x58:
            self._charge(2)
            self._push(pc)
        elif op == 0x5A:
            self._charge(2)
            self._push(self._let(f"gas + {_GAS_AFTER}"))
        else:
            self._touch(op)
        return pc + 1

    def _touch(self, op: int) -> None:
        """Instructions on memory, storage and calldata."""
        if op == 0x51 or op == 0x52 or op == 0x53:
            self._charge(3)
            start = self._pop()
            size = 1 if op == 0x53 else 32
            end = self._span(start, size)
            at = self._text(start)
            if op == 0x51:
                self._push(self._let(f"number(mem[{at}:{end}], 'big')"))
            elif op == 0x52:
                self._line(f"mem[{at}:{end}] = {self._word(self._pop())}")
            else:
                self._line(f"mem[{at}] = {self._text(self._pop())} & 0xff")
        elif op == 0x54:
            self._uses.add("accounts")
            slot = self._text(self._pop())
            self._line(f"gas = warm(accounts, address, {slot}, gas)")
            self._push(self._let(f"accounts.get_storage(address, {slot})"))
        elif op == 0x55:
            slot, value = self._text(self._pop()), self._text(self._pop())
            self._line(f"gas = store(f, {slot}, {value}, gas, {_GAS_AFTER})")
        elif op == 0x20:
            self._push(self._hash(self._pop(), self._pop()))
        elif op == 0x0A:
            self._charge(10)
            base, exponent = self._text(self._pop()), self._text(self._pop())
            self._line(f"gas = exponent_gas({exponent}, gas)")
            self._push(self._let(f"pow({base}, {exponent}, 1 << 256)"))
        elif op == 0x35:
            self._charge(3)
            self._uses.add("message")
            self._push(self._let(f"calldata_word(message.data, {self._text(self._pop())})"))
        elif op in _COPIES:
            self._charge(3)
            self._uses.add("memory")
            places = ", ".join(self._text(self._pop()) for _ in range(3))
            self._line(f"gas = copy(f, {op}, gas, {places})")
            self._line("mem = memory._bytes")
        else:
            raise _Unknown

    def _arithmetic(self, op: int, one: Value, other: Value) -> Value:
        if isinstance(one, int) and isinstance(other, int):
            return _folded(op, one, other)
        if op in _COMPARED:
            left, right = self._text(one), self._text(other)
            sign, opposite = _COMPARED[op]
            return Condition(f"{left} {sign} {right}", f"{left} {opposite} {right}")
        left, right = self._text(one), self._text(other)
        if op in _BITWISE:
            return self._let(f"{left} {_BITWISE[op]} {right}")
        if op == 0x04 or op == 0x06:
            sign = "//" if op == 0x04 else "%"
            return self._let(f"{left} {sign} {right} if {right} else 0")
        if op in (0x01, 0x02, 0x03):
            return self._let(f"({left} {' +*-'[op]} {right}) & MAX")
        if op in (0x1B, 0x1C) and isinstance(one, int):
            if one > 255:
                return 0
            return self._let(f"({right} << {one}) & MAX" if op == 0x1B else f"{right} >> {one}")
        return self._let(f"binary({op}, {left}, {right})")

    def _hash(self, start: Value, length: Value) -> Value:
        self._uses.add("memory")
        at, size = self._text(start), self._text(length)
        if isinstance(length, int) and length < 1 << 32:
            self._charge(GAS_KECCAK + GAS_KECCAK_WORD * ((length + 31) >> 5))
            if length:
                self._span(start, length)
        else:
            self._charge(GAS_KECCAK)
            self._line(f"gas -= {GAS_KECCAK_WORD} * (({size} + 31) >> 5)")
            self._line("if gas < 0: raise exhausted(gas)")
            self._line(f"if {size}: gas = grow(memory, gas, {at}, {size})")
            self._line("mem = memory._bytes")
        return self._let(f"number(keccak(bytes(mem[{at}:{at} + {size}])), 'big')")

    def _jump(self) -> int:
        target = self._values[-1] if self._values else None
        if isinstance(target, int):
            if target not in self._jump_targets:
                raise _Unknown
            self._charge(8)
            self._pop()
            return target
        self._charge(8)
        found = self._text(self._pop())
        self._line(f"if {found} not in targets: raise nowhere({found})")
        self._leave(found)
        raise _Ended

    def _branch(self, pc: int) -> int:
        target = self._values[-1] if self._values else None
        if not isinstance(target, int) or target not in self._jump_targets:
            raise _Unknown
        self._charge(10)
        self._pop()
        condition = self._pop()
        if isinstance(condition, int):
            return target if condition else pc + 1
        taken, passed = self._visits.get(target, 0), self._visits.get(pc + 1, 0)
        condition = _condition(condition)
        if taken > _ONE_SIDED * passed:
            self._side_exit(condition.opposite, pc + 1)
            return target
        if passed > _ONE_SIDED * taken:
            self._side_exit(condition.text, target)
            return pc + 1
        self._leave(f"{target} if {condition.text} else {pc + 1}")
        raise _Ended

    # -- values and the stack -------------------------------------------------------------------

    def _charge(self, gas: int) -> None:
        self._segment.gas += gas

    def _line(self, text: str) -> None:
        self._segment.lines.append((text, self._segment.gas))

    def _let(self, text: str) -> str:
        self._names += 1
        name = f"t{self._names}"
        self._line(f"{name} = {text}")
        return name

    def _push(self, value: Value) -> None:
        self._values.append(value)
        self._growth = max(self._growth, len(self._values) - self._taken)

    def _pop(self) -> Value:
        self._reach_down(1)
        return self._values.pop()

    def _reach_down(self, depth: int) -> None:
        """At least so many values. The real stack stays as it is until the stretch is left."""
        while len(self._values) < depth:
            self._taken += 1
            self._reach = max(self._reach, self._taken)
            name = f"i{self._taken}"
            self._line(f"{name} = stack[-{self._taken}]")
            self._values.insert(0, name)

    def _text(self, value: Value) -> str:
        if isinstance(value, int):
            return hex(value)
        return self._let(_number(value)) if isinstance(value, Condition) else value

    def _word(self, value: Value) -> str:
        """Its 32 bytes."""
        if isinstance(value, int):
            return repr(value.to_bytes(32, "big"))
        return f"{self._text(value)}.to_bytes(32, 'big')"

    def _span(self, start: Value, size: int) -> str:
        """Sees to memory for `size` bytes from `start`; where they end."""
        self._uses.add("memory")
        if isinstance(start, int):
            end = hex(start + size)
            if start + size <= self._memory_bytes:
                return end
            self._memory_bytes = start + size
            at = hex(start)
        else:
            at = self._text(start)
            end = self._let(f"{at} + {size}")
        self._line(f"if {end} > len(mem):")
        self._line(f" gas = grow(memory, gas, {at}, {size})")
        self._line(" mem = memory._bytes")
        return end

    # -- leaving --------------------------------------------------------------------------------

    def _side_exit(self, condition: str, pc: int) -> None:
        self._line(f"if {condition}:")
        for line in (*self._put_back(), "f.gas = gas", f"return {pc}"):
            self._line(f" {line}")
        self._end_segment()

    def _leave(self, pc: str) -> None:
        for line in (*self._put_back(), "f.gas = gas", f"return {pc}"):
            self._line(line)
        self._end_segment()

    def _put_back(self) -> list[str]:
        """What brings the real stack up to date."""
        values, taken = list(self._values), self._taken
        while values and taken and values[0] == f"i{taken}":
            del values[0]
            taken -= 1
        texts = [_number(value) for value in values]
        if not texts:
            return [f"del stack[-{taken}:]"] if taken else []
        if len(texts) == 1 and taken < 2:
            return [f"stack[-1] = {texts[0]}" if taken else f"stack.append({texts[0]})"]
        listed = ", ".join(texts)
        return [f"stack[-{taken}:] = [{listed}]" if taken else f"stack += [{listed}]"]

    def _end_segment(self) -> None:
        done, body = self._segment, self._body
        if self._reach > self._checked[0]:
            body.append(f"if n < {self._reach}: raise underflow()")
        if self._growth > self._checked[1]:
            body.append(f"if n > {STACK_LIMIT - self._growth}: raise exhausted(0)")
        self._checked = (self._reach, self._growth)
        if done.gas:
            body.append(f"gas -= {done.gas}")
            body.append("if gas < 0: raise exhausted(gas)")
        body += [text.replace(_GAS_AFTER, str(done.gas - gas)) for text, gas in done.lines]
        self._segment = _Segment()


class _Unknown(Exception):
    """The interpreter must go on from this instruction."""


def _is_zero(value: Value) -> Value:
    if isinstance(value, int):
        return 0 if value else 1
    condition = _condition(value)
    return Condition(condition.opposite, condition.text)


def _condition(value: str | Condition) -> Condition:
    return value if isinstance(value, Condition) else Condition(value, f"not {value}")


def _number(value: Value) -> str:
    if isinstance(value, int):
        return hex(value)
    return f"1 if {value.text} else 0" if isinstance(value, Condition) else value


def _folded(op: int, one: int, other: int) -> int:
    if op == 0x01:
        return (one + other) & MAX
    if op == 0x02:
        return (one * other) & MAX
    if op == 0x03:
        return (one - other) & MAX
    if op == 0x04 or op == 0x06:
        return 0 if other == 0 else one // other if op == 0x04 else one % other
    return binary(op, one, other)
