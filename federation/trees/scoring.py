"""Asking a split model: each host answers all its questions for all rows in one bitmap, so that it
does not learn which of them a row came to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from federation.channel import Channel, Message, Value, get_array, get_int, get_text
from federation.tables import FieldUnknown, Table
from federation.trees.errors import DataInvalid, PartyWrong
from federation.trees.parts import SPLITS_MAX, Cut, GuestPart, HostPart, HostSplit, Leaf, Node
from federation.trees.types import ROWS_MAX
from federation.trees.wire import BITS, SCORE, block_rows

__all__ = ["score_as_guest", "score_as_host"]

Mask = NDArray[np.bool_]


def score_as_guest(
    channel: Channel, hosts: Sequence[str], part: GuestPart, table: Table
) -> NDArray[np.float64]:
    """The margin (log-odds of going bad) of each row, in the order that all parties share.

    Raises `DataInvalid`, `PartyWrong`, `ChannelError`.
    """
    if set(hosts) != set(part.hosts) or channel.me != part.guest:
        raise DataInvalid("a model is asked by its own guest and all its own hosts, no others")
    for tree in part.trees:
        _check_fields(table, [node.cut for node in tree if not isinstance(node, Leaf | HostSplit)])
    splits = {host: part.splits_of(host) for host in hosts}
    for host in hosts:
        body: dict[str, Value] = {"run": part.run, "rows": table.rows, "splits": splits[host]}
        channel.send(host, Message(SCORE, body))
    answers = {host: _receive(channel, host, table.rows, splits[host]) for host in hosts}
    margins = np.full(table.rows, part.base)
    for tree in part.trees:
        margins = margins + _values(tree, table, answers)
    return margins


def score_as_host(channel: Channel, guest: str, part: HostPart, table: Table) -> None:
    """Answer for the rows of `table`, in the order that all parties share.

    Raises `DataInvalid`, `PartyWrong`, `ChannelError`.
    """
    if guest != part.guest or channel.me != part.host:
        raise DataInvalid("a model is asked by its own guest of its own hosts, no others")
    _check_fields(table, part.cuts)
    asked = channel.receive(guest, SCORE)
    if get_text(asked, "run", size_max=200) != part.run:
        raise PartyWrong(guest, "asks another model")
    if get_int(asked, "rows", minimum=0, maximum=ROWS_MAX) != table.rows:
        raise PartyWrong(guest, f"asks about another number of rows than the {table.rows} aligned")
    if get_int(asked, "splits", minimum=0, maximum=SPLITS_MAX) != len(part.cuts):
        raise PartyWrong(guest, f"has another number of questions than the {len(part.cuts)} here")
    if not part.cuts:
        return
    block = block_rows(len(part.cuts))
    for first in range(0, table.rows, block):
        rows = slice(first, first + block)
        sides = np.stack([_side(cut, table, rows) for cut in part.cuts])
        channel.send(guest, Message(BITS, {"bits": np.packbits(sides, axis=1)}))


def _receive(channel: Channel, host: str, rows: int, splits: int) -> Mask:
    """`(splits, rows)`."""
    if not splits:
        return np.zeros((0, rows), dtype=np.bool_)
    parts, block = [], block_rows(splits)
    for first in range(0, rows, block):
        due = min(block, rows - first)
        message = channel.receive(host, BITS)
        bits = get_array(message, "bits", dtype="|u1", shape=(splits, (due + 7) // 8))
        sides = np.unpackbits(bits, axis=1)
        if sides[:, due:].any():
            raise PartyWrong(host, f"sent bits for rows beyond the {due}")
        parts.append(sides[:, :due].astype(np.bool_))
    return np.concatenate(parts, axis=1) if parts else np.zeros((splits, 0), dtype=np.bool_)


def _values(tree: tuple[Node, ...], table: Table, answers: dict[str, Mask]) -> NDArray[np.float64]:
    """The leaf value of each row."""
    at = np.zeros(table.rows, dtype=np.int64)
    values = np.zeros(table.rows)
    every = slice(0, table.rows)
    for place, node in enumerate(tree):
        here = at == place
        if isinstance(node, Leaf):
            values[here] = node.value
            continue
        if isinstance(node, HostSplit):
            side = answers[node.party][node.number]
        else:
            side = _side(node.cut, table, every)
        at[here] = np.where(side[here], node.left, node.right)
    return values


def _side(cut: Cut, table: Table, rows: slice) -> Mask:
    values = table.columns[cut.field][rows]
    missing = np.isnan(values)
    if cut.edge is None:
        return np.where(missing, cut.missing_left, True)
    return np.where(missing, cut.missing_left, values <= cut.edge)


def _check_fields(table: Table, cuts: Sequence[Cut]) -> None:
    for cut in cuts:
        if cut.field not in table.columns:
            raise DataInvalid(str(FieldUnknown(cut.field, table.fields)))
