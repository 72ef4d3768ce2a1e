"""Which height the network has reached, asked of its members: enough of them that one who knows
it is honest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from ledger.chain import Ledger
from nodes.errors import NodeError
from nodes.membership import Member, members_of
from nodes.network.source import MemberSource
from nodes.operations.backup_errors import RestoreRefused

SPREAD_HEIGHTS_MAX: Final = 10_000
"""Between the highest that is said and what more than a third say: more is a lie or a mistake."""
HEIGHT_MAX: Final = 2**53 - 1
_AT_ONCE: Final = 16

Ask = Callable[[str], tuple[str, int]]
"""Of a node at an address: its id (hex) and its height. Raises `NodeError`, also where the node is
itself still catching up: what it has is not what the network has reached."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a validator's node says."""

    name: str
    power: int
    height: int


def ask_members(
    ledger: Ledger, own: bytes, addresses: Sequence[str] = (), ask: Ask | None = None
) -> int:
    """The highest height that members say, where those who answer have more than two thirds of the
    power.

    Less than a third is dishonest, so that more than a third of the power says honestly what it has
    committed; and who is known to be behind does not count. The other validators are asked at the
    addresses in the Network contract, and at `addresses` (each of which says by itself whose it
    is). Raises `RestoreRefused` where too few answer, or one says much more than the others.
    """
    ask = ask or _ask
    members = {one.entry.id: one for one in members_of(ledger) if one.entry.power}
    total = sum(one.entry.power for one in members.values())
    others = {member: one for member, one in members.items() if member != own}
    said, silent = _answers(others, addresses, ask)
    power = sum(one.power for one in said.values())
    if power * 3 <= total * 2:
        reasons = "".join(f"\n  {reason}" for reason in silent)
        alone = sum(one.entry.power for one in others.values()) * 3 <= total * 2
        why = " (which this ledger's other validators do not have)" if alone else ""
        raise RestoreRefused(
            f"nodes with {power} of {total} power say which height the network has reached; more "
            f"than two thirds are needed{why}, so that honest ones that are not behind are among "
            "them. Name their addresses (--peer), or the height if you know it from the members "
            f"themselves (--last-height){reasons}"
        )
    return _highest(list(said.values()), total)


def _answers(
    others: Mapping[bytes, Member], addresses: Sequence[str], ask: Ask
) -> tuple[dict[bytes, Said], list[str]]:
    """By node id, each counted once; and why others do not count."""
    wanted: list[tuple[str, bytes | None]] = [
        (one.contact.api, member) for member, one in others.items()
    ]
    wanted += [(url, None) for url in addresses]
    said: dict[bytes, Said] = {}
    silent: list[str] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = list(pool.map(lambda one: _one(one[0], one[1], ask), wanted))
    for (url, _), answer in zip(wanted, results, strict=True):
        if isinstance(answer, str):
            silent.append(answer)
            continue
        member, height = answer
        if member not in others:
            silent.append(f"{url} is node {member.hex()}: no other validator of this ledger")
            continue
        one = others[member]
        before = said.get(member)
        if before is None or height > before.height:
            name = f"{one.entry.organisation} ({url})"
            said[member] = Said(name, one.entry.power, height)
    return said, silent


def _one(url: str, wanted: bytes | None, ask: Ask) -> tuple[bytes, int] | str:
    try:
        node, height = ask(url)
        found = bytes.fromhex(node)
    except (NodeError, ValueError) as failed:
        return f"{url}: {failed}"
    if wanted is not None and found != wanted:
        return f"{url} is node {node}, not {wanted.hex()} as the Network contract has it"
    if not 0 <= height <= HEIGHT_MAX:
        return f"{url}: {height} is no height"
    return found, height


def _highest(said: Sequence[Said], total: int) -> int:
    """The highest that is said, unless it stands alone."""
    ordered = sorted(said, key=lambda one: one.height, reverse=True)
    power = 0
    for one in ordered:
        power += one.power
        if power * 3 > total:
            agreed = one.height
            break
    else:
        raise AssertionError("fewer than a third were asked")
    top = ordered[0]
    if top.height - agreed > SPREAD_HEIGHTS_MAX:
        raise RestoreRefused(
            f"{top.name} says height {top.height}, but more than a third of the power only "
            f"{agreed}: a validator that believed a false height would stay silent up to it. Ask "
            "the members, and name the height by --last-height"
        )
    return top.height


def _ask(url: str) -> tuple[str, int]:
    with MemberSource(url) as source:
        status: Mapping[str, Any] = source.engine("status", {})
        try:
            node, sync = str(status["node_info"]["id"]), status["sync_info"]
            height, behind = int(sync["latest_block_height"]), sync["catching_up"]
        except (KeyError, TypeError, ValueError) as bad:
            raise NodeError(f"its engine's status is not readable: {bad!r}") from None
    if behind is not False:
        raise NodeError(f"it is itself still catching up, at height {height}")
    return node, height
