"""Scoring rows with a scorecard whose parts are with several parties.

The guest learns each row's margin. Where there are several hosts it learns the sum of their parts
and no single one (`masking`); with one host the sum is that host's part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from federation.channel import Channel, Message, check_keys, get_array, get_int
from federation.scorecard.coding import MARGIN_BITS
from federation.scorecard.errors import PartInvalid, PartyWrong
from federation.scorecard.masking import agree_masks, unmasked
from federation.scorecard.parts import GuestPart, HostPart
from federation.scorecard.types import ROWS_MAX
from federation.scorecard.wire import ASK, FORWARD
from federation.tables import Table


def score_as_guest(
    channel: Channel, hosts: tuple[str, ...], part: GuestPart, table: Table
) -> NDArray[np.float64]:
    """Log odds of a bad, of each of the aligned rows of `table`.

    Raises `PartInvalid` for another guest's part or other hosts, `PartyWrong`, `PartsWrong`, and
    what the channel raises.
    """
    if part.party != channel.me or part.hosts != hosts:
        raise PartInvalid(f"this part is of {part.party} with {', '.join(part.hosts)}")
    for host in hosts:
        channel.send(host, Message(ASK, {"rows": table.rows}))
    total = part.margins(table).astype(np.uint64)
    for host in hosts:
        told = channel.receive(host, FORWARD)
        check_keys(told, ("margins",))
        total = total + get_array(told, "margins", dtype="<u8", shape=(table.rows,))
    return unmasked(total, hosts) / float(1 << MARGIN_BITS)


def score_as_host(
    channel: Channel, guest: str, hosts: tuple[str, ...], part: HostPart, table: Table
) -> None:
    """Give the guest this host's masked part of each of the aligned rows of `table`.

    Raises `PartInvalid`, `PartyWrong`, and what the channel raises.
    """
    if part.party != channel.me or part.guest != guest:
        raise PartInvalid(f"this part is of {part.party} for {part.guest}")
    asked = channel.receive(guest, ASK)
    check_keys(asked, ("rows",))
    if get_int(asked, "rows", minimum=0, maximum=ROWS_MAX) != table.rows:
        raise PartyWrong(guest, f"it asks for other rows than the {table.rows} that are aligned")
    masks = agree_masks(channel, hosts)
    channel.send(guest, Message(FORWARD, {"margins": masks.mask(part.margins(table))}))
