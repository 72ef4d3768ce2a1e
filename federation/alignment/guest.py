"""The guest's side of the alignment: it leads, and everything between hosts passes through it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from federation.alignment.curve import Multiplier, Points, secret_order
from federation.alignment.errors import CommonTooFew
from federation.alignment.exchange import TAG_BYTES, Exchange, check_unique, chunk_sizes
from federation.alignment.own import OwnSet, check_ids
from federation.alignment.session import start_as_guest
from federation.alignment.types import (
    CHUNK_ROWS,
    DEFAULT_SETTINGS,
    AlignmentSettings,
    Progress,
)
from federation.channel import Channel, MessageInvalid, get_int

Positions = NDArray[np.int64]


def align_as_guest(
    channel: Channel,
    hosts: Sequence[str],
    ids: Sequence[str],
    settings: AlignmentSettings = DEFAULT_SETTINGS,
    *,
    progress: Progress | None = None,
) -> NDArray[np.int64]:
    """Our rows that all parties have, in the secret order that all share.

    We learn just that, the number of points of each party, and with several hosts how many rows
    are common to each group of parties, but not which. `ids` has the id of each row.
    Raises `IdsInvalid`, `CommonTooFew`, `AlignmentError`, `ChannelError`.
    """
    own_ids = check_ids(ids, settings)
    session = start_as_guest(channel, hosts, settings.padded(len(own_ids)), settings)
    own = OwnSet(own_ids, settings, session.id)
    with Multiplier(settings.threads) as multiplier:
        guest = _Guest(Exchange(channel, session), multiplier, progress)
        guest.collect(own)
        for turn in range(1, len(session.hosts) + 1):
            guest.pass_on(turn)
    positions = guest.common()
    if len(positions[0]) < settings.common_min:
        raise CommonTooFew(
            f"{len(positions[0])} rows are common; at least {settings.common_min} are agreed"
        )
    return guest.tell(own, guest.trace_back(positions))


class _Guest:
    """Sets are numbered as in `Session.rows`: the hosts' first, ours last."""

    def __init__(
        self, exchange: Exchange, multiplier: Multiplier, progress: Progress | None
    ) -> None:
        self._exchange = exchange
        self._session = exchange.session
        self._hosts = self._session.hosts
        self._mine = self._session.guest_set
        self._multiplier = multiplier
        self._progress = progress
        self._sets: list[Points] = []

    def collect(self, own: OwnSet) -> None:
        """Mask our own points, and take those of every host meanwhile."""
        parts: list[list[Points]] = [[] for _ in self._session.rows]
        own_chunks = own.chunks()
        done = 0
        for sizes in _in_step(self._session.rows):
            if sizes[self._mine]:
                masked = self._multiplier.multiply(next(own_chunks))
                parts[self._mine].append(masked)
                done += len(masked)
                self._tell("own", done, self._session.rows[self._mine])
            for owner, host in enumerate(self._hosts):
                if sizes[owner]:
                    points = self._exchange.receive_points(host, "psi/points", owner, sizes[owner])
                    parts[owner].append(points)
        self._sets = [_joined(one) for one in parts]
        for owner, host in enumerate(self._hosts):
            check_unique(self._sets[owner], host, "psi/points")

    def pass_on(self, turn: int) -> None:
        """Have every host mask and shuffle the set that is its in this turn.

        In the first turn we put our own mask on the hosts' sets too: multiples commute, and with
        one host both sides multiply at the same time.
        """
        owners = [self._session.owner_at(host, turn) for host in range(len(self._hosts))]
        parts: list[list[Points]] = [[] for _ in self._session.rows]
        for step, sizes in enumerate(_in_step(self._session.rows)):
            if self._mine in owners:
                self._send_chunk(owners.index(self._mine), self._mine, step)
            for owner in range(self._mine):
                if turn == 1 and sizes[owner]:
                    parts[owner].append(self._mask_chunk(owner, step))
                if owner in owners:
                    mine = parts[owner][step] if turn == 1 and sizes[owner] else None
                    self._send_chunk(owners.index(owner), owner, step, mine)
            for host, owner in enumerate(owners):
                if sizes[owner]:
                    taken = self._exchange.receive(self._hosts[host], "psi/taken", owner, "rows")
                    get_int(taken, "rows", minimum=sizes[owner], maximum=sizes[owner])
        if turn == 1:
            self._replace_masked(parts)
        for host, owner in enumerate(owners):
            self._sets[owner] = self._take_masked(host, owner, turn)

    def _replace_masked(self, parts: list[list[Points]]) -> None:
        for owner in range(self._mine):
            self._sets[owner] = _joined(parts[owner])
            # points that differ by one of small order have the same multiple
            check_unique(self._sets[owner], self._hosts[owner], "psi/points")

    def _send_chunk(self, host: int, owner: int, step: int, points: Points | None = None) -> None:
        chunk = self._chunk(owner, step) if points is None else points
        if len(chunk):
            self._exchange.send(self._hosts[host], "psi/pass", owner, points=chunk)

    def _mask_chunk(self, owner: int, step: int) -> Points:
        points = self._chunk(owner, step)
        masked = self._exchange.multiply(
            self._multiplier, points, self._hosts[owner], "psi/points points"
        )
        self._tell("theirs", step * CHUNK_ROWS + len(points), self._session.rows[owner])
        return masked

    def _chunk(self, owner: int, step: int) -> Points:
        return self._sets[owner][step * CHUNK_ROWS : (step + 1) * CHUNK_ROWS]

    def _take_masked(self, host: int, owner: int, turn: int) -> Points:
        name = self._hosts[host]
        last = owner == self._mine and turn == len(self._hosts)
        take = self._exchange.receive_tags if last else self._exchange.receive_points
        sizes = chunk_sizes(self._session.rows[owner])
        masked = _joined([take(name, "psi/masked", owner, size) for size in sizes])
        check_unique(masked, name, "psi/masked")
        return masked

    def common(self) -> list[Positions]:
        """Where the common rows stand in each set as masked by all, in a secret common order."""
        tags = [_tags(one) for one in self._sets]
        common = reduce(np.intersect1d, tags)
        common = common[secret_order(len(common))]
        positions: list[Positions] = []
        for one in tags:
            ascending = np.argsort(one)
            positions.append(ascending[np.searchsorted(one, common, sorter=ascending)])
        return positions

    def trace_back(self, positions: list[Positions]) -> list[Positions]:
        """Have the hosts undo their shuffles, the last first, for the common rows only."""
        count = len(positions[0])
        for turn in range(len(self._hosts), 0, -1):
            owners = [self._session.owner_at(host, turn) for host in range(len(self._hosts))]
            for host, owner in enumerate(owners):
                name = self._hosts[host]
                self._exchange.send_positions(name, "psi/common", owner, positions[owner])
            for host, owner in enumerate(owners):
                name = self._hosts[host]
                positions[owner] = self._exchange.receive_positions(
                    name, "psi/origin", owner, count
                )
        return positions

    def tell(self, own: OwnSet, positions: list[Positions]) -> NDArray[np.int64]:
        """Our own rows; and each host learns which of its points they are."""
        rows = own.rows(positions[self._mine])
        if rows is None:
            # our set was traced back last by the host of the first turn
            host = self._hosts[-1]
            raise MessageInvalid(host, "psi/origin positions", "one is a dummy of ours")
        for owner, host in enumerate(self._hosts):
            self._exchange.send_positions(host, "psi/rows", owner, positions[owner])
        return rows

    def _tell(self, stage: str, done: int, rows: int) -> None:
        if self._progress is not None:
            self._progress(stage, done, rows)


def _in_step(rows: Sequence[int]) -> list[list[int]]:
    """For each step, how many rows of each set its chunk has; 0 for a set that has ended."""
    steps = -(-max(rows) // CHUNK_ROWS)
    return [
        [max(0, min(CHUNK_ROWS, count - step * CHUNK_ROWS)) for count in rows]
        for step in range(steps)
    ]


def _joined(parts: list[Points]) -> Points:
    return np.concatenate(parts) if parts else np.empty((0, 32), dtype=np.uint8)


def _tags(points: Points) -> NDArray[np.bytes_]:
    """The tags as one string each; all are of one length, so trailing zeros confuse nothing."""
    cut = np.ascontiguousarray(points[:, :TAG_BYTES])
    return cut.view(f"S{TAG_BYTES}").reshape(len(points))
