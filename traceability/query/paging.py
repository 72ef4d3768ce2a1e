"""Page tokens: where the next page begins, bound to the query they belong to.

A token holds no secret and gives no right: it names a place in the order. It is validated, not
signed, so that it stays good across restarts, rebuilds and nodes.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import astuple, dataclass
from typing import Final

import orjson

from traceability.query.errors import PageTokenInvalid

_VERSION: Final = 1
_LENGTH_MAX: Final = 400
_INTEGER_MAX: Final = 2**62


@dataclass(frozen=True, slots=True)
class Place:
    """The end of a page."""

    order_value: int
    """The order column of its last event (0 where there is no order)."""
    key: int
    """`event.pk` of its last event."""
    newest: int
    """Largest `event.pk` when the first page was read: later events do not join in."""
    given: int
    """Events given so far."""


def encode_token(place: Place, fingerprint: str) -> str:
    """Opaque text, safe in URLs."""
    data = orjson.dumps([_VERSION, fingerprint, *astuple(place)])
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_token(token: str, fingerprint: str) -> Place:
    """Raises `PageTokenInvalid`."""
    try:
        if len(token) > _LENGTH_MAX:
            raise ValueError("too long")
        padded = token + "=" * (-len(token) % 4)
        data = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        version, of, *numbers = orjson.loads(data)
    except (ValueError, TypeError, binascii.Error) as error:
        raise PageTokenInvalid("nextPageToken: not a token of this service") from error
    if version != _VERSION or len(numbers) != 4 or not all(map(_is_count, numbers)):
        raise PageTokenInvalid("nextPageToken: not a token of this service")
    if of != fingerprint:
        raise PageTokenInvalid(
            "nextPageToken: belongs to a query with other parameters; repeat the first page's"
        )
    return Place(*numbers)


def _is_count(value: object) -> bool:
    return type(value) is int and -_INTEGER_MAX < value < _INTEGER_MAX
