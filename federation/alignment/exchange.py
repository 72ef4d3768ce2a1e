"""Sets of points and lists of positions as messages: sent in chunks, checked on arrival."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from federation.alignment.curve import (
    POINT_BYTES,
    Multiplier,
    Points,
    SmallOrder,
    first_bad_point,
)
from federation.alignment.session import Session
from federation.alignment.types import CHUNK_ROWS
from federation.channel import (
    Array,
    Channel,
    Message,
    MessageInvalid,
    Value,
    check_keys,
    get_array,
    get_bytes,
    get_int,
)

TAG_BYTES = 16
"""What is compared of a point that all have masked: two differing ones agree in it by a chance of
2^-128, so that of 10 million with 10 million ids one pair does by 2^-81."""


class Exchange:
    """One party's way of sending and receiving within a session."""

    def __init__(self, channel: Channel, session: Session) -> None:
        self.channel = channel
        self.session = session

    def send(self, to: str, kind: str, owner: int, **values: Value) -> None:
        """Send values about the set of `owner`."""
        body = {"session": self.session.id, "owner": owner, **values}
        self.channel.send(to, Message(kind, body))

    def receive(self, sender: str, kind: str, owner: int, *keys: str) -> Message:
        """Receive values about the set of `owner` in this session. Raises `ChannelError`."""
        message = self.channel.receive(sender, kind)
        check_keys(message, ("session", "owner", *keys))
        if get_bytes(message, "session", size=32) != self.session.id:
            raise MessageInvalid(sender, f"{kind} session", "it belongs to another alignment")
        get_int(message, "owner", minimum=owner, maximum=owner)
        return message

    def receive_points(self, sender: str, kind: str, owner: int, rows: int) -> Points:
        """`rows` points of the curve."""
        message = self.receive(sender, kind, owner, "points")
        points: Points = get_array(message, "points", dtype="<u1", shape=(rows, POINT_BYTES))
        bad = first_bad_point(points)
        if bad is not None:
            raise MessageInvalid(sender, f"{kind} points[{bad}]", "no point of the curve")
        return points

    def receive_tags(self, sender: str, kind: str, owner: int, rows: int) -> Points:
        """`rows` tags."""
        message = self.receive(sender, kind, owner, "tags")
        return get_array(message, "tags", dtype="<u1", shape=(rows, TAG_BYTES))

    def receive_positions(
        self, sender: str, kind: str, owner: int, count: int | None
    ) -> NDArray[np.int64]:
        """Different positions within the set of `owner`: `count`, or (None) as many as sent."""
        message = self.receive(sender, kind, owner, "positions")
        got: Array = get_array(message, "positions", dtype="<u4", shape=(count,))
        if got.size and int(got.max()) >= self.session.rows[owner]:
            raise MessageInvalid(sender, f"{kind} positions", "one is beyond the set")
        if len(np.unique(got)) != len(got):
            raise MessageInvalid(sender, f"{kind} positions", "one stands twice")
        return got.astype(np.int64)

    def send_positions(self, to: str, kind: str, owner: int, positions: NDArray[np.int64]) -> None:
        """Send positions within the set of `owner`."""
        self.send(to, kind, owner, positions=positions.astype("<u4"))

    def multiply(self, multiplier: Multiplier, points: Points, party: str, place: str) -> Points:
        """Multiples of points that came from `party`, which is to blame for small orders."""
        try:
            return multiplier.multiply(points)
        except SmallOrder as error:
            raise MessageInvalid(party, place, "a point of small order") from error


def chunk_sizes(rows: int) -> Iterator[int]:
    """How many rows each chunk of a set of `rows` has."""
    for start in range(0, rows, CHUNK_ROWS):
        yield min(CHUNK_ROWS, rows - start)


def check_unique(rows: Points, party: str, place: str) -> None:
    """Requires that no row stands twice. Raises `MessageInvalid`, which names `party`."""
    whole = np.ascontiguousarray(rows).view(f"S{rows.shape[1]}").ravel() if len(rows) else rows
    if len(rows) and len(np.unique(whole)) != len(rows):
        raise MessageInvalid(party, place, "the same point stands twice")
