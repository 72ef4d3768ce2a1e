"""The host's side of the alignment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from federation.alignment.curve import Multiplier, Points, secret_order
from federation.alignment.errors import CommonTooFew
from federation.alignment.exchange import TAG_BYTES, Exchange, check_unique, chunk_sizes
from federation.alignment.own import OwnSet, check_ids
from federation.alignment.session import start_as_host
from federation.alignment.types import (
    CHUNK_ROWS,
    DEFAULT_SETTINGS,
    AlignmentSettings,
    Progress,
)
from federation.channel import Channel, MessageInvalid


def align_as_host(
    channel: Channel,
    guest: str,
    ids: Sequence[str],
    settings: AlignmentSettings = DEFAULT_SETTINGS,
    *,
    progress: Progress | None = None,
) -> NDArray[np.int64]:
    """Our rows that all parties have, in the secret order that all share.

    We learn just that, and the number of points of each party. `ids` has the id of each row.
    Raises `IdsInvalid`, `CommonTooFew`, `ChannelError`.
    """
    own_ids = check_ids(ids, settings)
    session = start_as_host(channel, guest, settings.padded(len(own_ids)), settings)
    own = OwnSet(own_ids, settings, session.id)
    with Multiplier(settings.threads) as multiplier:
        host = _Host(Exchange(channel, session), guest, multiplier, progress)
        host.upload(own)
        turns = range(1, len(session.hosts) + 1)
        shuffles = {turn: host.mask(turn) for turn in turns}
    return host.find(own, shuffles, settings.common_min)


class _Host:
    def __init__(
        self, exchange: Exchange, guest: str, multiplier: Multiplier, progress: Progress | None
    ) -> None:
        self._exchange = exchange
        self._session = exchange.session
        self._guest = guest
        self._multiplier = multiplier
        self._progress = progress
        self._me = self._session.hosts.index(exchange.channel.me)

    def upload(self, own: OwnSet) -> None:
        """Our own points, masked, to the guest."""
        done, rows = 0, self._session.rows[self._me]
        for points in own.chunks():
            masked = self._multiplier.multiply(points)
            self._exchange.send(self._guest, "psi/points", self._me, points=masked)
            done += len(points)
            self._tell("own", done, rows)

    def mask(self, turn: int) -> NDArray[np.int64]:
        """Mask and shuffle the set that is ours in this turn; gives the order it was sent in."""
        owner = self._session.owner_at(self._me, turn)
        rows = self._session.rows[owner]
        received: list[Points] = []
        masked: list[Points] = []
        for size in chunk_sizes(rows):
            points = self._exchange.receive_points(self._guest, "psi/pass", owner, size)
            received.append(points)
            place = f"psi/pass points of set {owner}"
            masked.append(self._exchange.multiply(self._multiplier, points, self._guest, place))
            self._exchange.send(self._guest, "psi/taken", owner, rows=size)
            self._tell("theirs", sum(map(len, masked)), rows)
        order = secret_order(rows)
        if rows:
            check_unique(np.concatenate(received), self._guest, "psi/pass points")
            whole = np.concatenate(masked)
            # points that differ by one of small order have the same multiple
            check_unique(whole, self._guest, "psi/pass points")
            self._send_masked(owner, whole[order], last=self._is_last(owner, turn))
        return order

    def _send_masked(self, owner: int, masked: Points, *, last: bool) -> None:
        for start in range(0, len(masked), CHUNK_ROWS):
            chunk = masked[start : start + CHUNK_ROWS]
            if last:
                self._exchange.send(
                    self._guest,
                    "psi/masked",
                    owner,
                    tags=np.ascontiguousarray(chunk[:, :TAG_BYTES]),
                )
            else:
                self._exchange.send(self._guest, "psi/masked", owner, points=chunk)

    def _is_last(self, owner: int, turn: int) -> bool:
        return owner == self._session.guest_set and turn == len(self._session.hosts)

    def find(
        self, own: OwnSet, shuffles: dict[int, NDArray[np.int64]], common_min: int
    ) -> NDArray[np.int64]:
        """Undo our shuffles for the common rows only; then learn which of ours they are."""
        count: int | None = None
        for turn in reversed(shuffles):
            owner = self._session.owner_at(self._me, turn)
            shuffled = self._exchange.receive_positions(self._guest, "psi/common", owner, count)
            count = len(shuffled)
            if count < common_min:
                raise CommonTooFew(f"{count} rows are common; at least {common_min} are agreed")
            positions = shuffles[turn][shuffled]
            self._exchange.send_positions(self._guest, "psi/origin", owner, positions)
        mine = self._exchange.receive_positions(self._guest, "psi/rows", self._me, count)
        rows = own.rows(mine)
        if rows is None:
            raise MessageInvalid(self._guest, "psi/rows positions", "one is a dummy of ours")
        return rows

    def _tell(self, stage: str, done: int, rows: int) -> None:
        if self._progress is not None:
            self._progress(stage, done, rows)
