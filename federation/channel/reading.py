"""Reading the body of a message: each value with its type and its bounds.

Every function raises `MessageInvalid`, which names the sender and the place, for a value that is
missing, of another type, or out of bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from federation.channel.errors import MessageInvalid
from federation.channel.types import Array, Message, Value


def get_int(message: Message, key: str, *, minimum: int, maximum: int) -> int:
    """An integer of minimum..maximum; a boolean is none."""
    value = _get(message, key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _other(message, key, "an integer", value)
    if not minimum <= value <= maximum:
        raise _invalid(message, key, f"{_short(value)} is not within {minimum}..{maximum}")
    return value


def get_float(
    message: Message, key: str, *, minimum: float = -math.inf, maximum: float = math.inf
) -> float:
    """A finite double of minimum..maximum; an integer does as well."""
    value = _get(message, key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _other(message, key, "a number", value)
    if isinstance(value, int) and value.bit_length() > 1000:
        raise _invalid(message, key, "the number is too big")
    if not math.isfinite(value) or not minimum <= value <= maximum:
        raise _invalid(message, key, f"{_short(value)} is not within {minimum}..{maximum}")
    return float(value)


def get_bool(message: Message, key: str) -> bool:
    """True or False."""
    value = _get(message, key)
    if not isinstance(value, bool):
        raise _other(message, key, "true or false", value)
    return value


def get_bytes(
    message: Message, key: str, *, size: int | None = None, size_max: int | None = None
) -> bytes:
    """Bytes, of exactly `size` or of at most `size_max`; give one of them."""
    value = _get(message, key)
    if not isinstance(value, bytes):
        raise _other(message, key, "bytes", value)
    _check_size(message, key, len(value), "bytes", size, size_max)
    return value


def get_text(
    message: Message,
    key: str,
    *,
    size: int | None = None,
    size_max: int | None = None,
    choices: Iterable[str] | None = None,
) -> str:
    """Text, of exactly `size` or at most `size_max` characters, or one of `choices`."""
    value = _get(message, key)
    if not isinstance(value, str):
        raise _other(message, key, "text", value)
    if choices is not None:
        allowed = tuple(choices)
        if value not in allowed:
            raise _invalid(message, key, f"{_short(value)} is none of {', '.join(allowed)}")
        return value
    _check_size(message, key, len(value), "characters", size, size_max)
    return value


def get_array(
    message: Message, key: str, *, dtype: str, shape: Sequence[int | None], size_max: int = 1 << 40
) -> Array:
    """An array of this dtype and shape (None: any length), of at most `size_max` bytes.

    It is read-only, and shares its memory with the message.
    """
    value = _get(message, key)
    if not isinstance(value, np.ndarray):
        raise _other(message, key, "an array", value)
    if value.dtype != np.dtype(dtype):
        raise _invalid(message, key, f"an array of {value.dtype} where {np.dtype(dtype)} is meant")
    fits = value.ndim == len(shape) and all(
        wanted in (None, length) for wanted, length in zip(shape, value.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if one is None else str(one) for one in shape)
        raise _invalid(message, key, f"an array of shape {value.shape} where ({wanted}) is meant")
    if value.nbytes > size_max:
        raise _invalid(message, key, f"an array of {value.nbytes} bytes; at most {size_max}")
    return value


def get_list(message: Message, key: str, *, length_max: int) -> list[Value]:
    """A list of at most `length_max` values, which the caller must look at one by one."""
    value = _get(message, key)
    if not isinstance(value, list):
        raise _other(message, key, "a list", value)
    if len(value) > length_max:
        raise _invalid(message, key, f"a list of {len(value)}; at most {length_max}")
    return value


def get_texts(message: Message, key: str, *, length_max: int, size_max: int) -> tuple[str, ...]:
    """A list of at most `length_max` texts of at most `size_max` characters each."""
    texts: list[str] = []
    for n, one in enumerate(get_list(message, key, length_max=length_max)):
        if not isinstance(one, str):
            raise _other(message, f"{key}[{n}]", "text", one)
        _check_size(message, f"{key}[{n}]", len(one), "characters", None, size_max)
        texts.append(one)
    return tuple(texts)


def get_map(message: Message, key: str) -> Message:
    """A map within the body, as a message of the same kind and sender, to be read in turn."""
    value = _get(message, key)
    if not isinstance(value, dict):
        raise _other(message, key, "a map", value)
    return Message(message.kind, value, message.party)


def check_keys(message: Message, keys: Iterable[str]) -> None:
    """Requires that the body has these keys and no other."""
    wanted, there = set(keys), set(message.body)
    if there - wanted:
        raise _invalid(message, sorted(there - wanted)[0], "is not known here")
    if wanted - there:
        raise _invalid(message, sorted(wanted - there)[0], "is missing")


def _get(message: Message, key: str) -> Value:
    if key not in message.body:
        raise _invalid(message, key, "is missing")
    return message.body[key]


def _check_size(
    message: Message, key: str, got: int, unit: str, size: int | None, size_max: int | None
) -> None:
    assert (size is None) != (size_max is None), "give the size or the greatest size"
    if size is not None and got != size:
        raise _invalid(message, key, f"{got} {unit} where {size} are meant")
    if size_max is not None and got > size_max:
        raise _invalid(message, key, f"{got} {unit}; at most {size_max}")


def _other(message: Message, key: str, wanted: str, value: object) -> MessageInvalid:
    return _invalid(message, key, f"{wanted} is meant, not {type(value).__name__}")


def _invalid(message: Message, key: str, reason: str) -> MessageInvalid:
    return MessageInvalid(message.party, f"{message.kind} {key[:200]}", reason)


def _short(value: object) -> str:
    text = repr(value) if not isinstance(value, int) else hex(value)
    return text if len(text) <= 40 else text[:40] + "…"
