"""An asset as a leaf of the pool's tree, and ids of what stands outside this ledger."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hmac import digest
from typing import Final

from contracts.pools.errors import AssetRefused
from contracts.pools.types import AssetKind, AssetState
from ledger.tlog import leaf_hash
from ledger.types import Hash32

BALANCE_MAX: Final = (1 << 63) - 1
"""What one asset may owe: the contract takes more, an asset book's database does not."""
DAYS_MAX: Final = (1 << 16) - 1
REFERENCE_BYTES_MAX: Final = 256
SALT_BYTES_MIN: Final = 16
_LAYOUT: Final = struct.Struct(">32sBQQBH32s")
_WORD: Final = 1 << 64
LEAF_SIZE_BYTES: Final = _LAYOUT.size
CHANGE_SIZE_BYTES: Final = 4 + 32 + 32


def leaf_data(id_: bytes, kind: int, balance: int, state: int, days: int, terms: bytes) -> bytes:
    """The bytes of `Asset.leaf`, without the object: a book packs millions."""
    high, low = divmod(balance, _WORD)
    return _LAYOUT.pack(id_, kind, high, low, state, days, terms)


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset as the tree has it."""

    id: Hash32
    kind: AssetKind
    balance: int
    """Outstanding, in hundredths."""
    state: AssetState
    days_past_due: int
    terms: Hash32
    """SHA-256 of its attributes, canonical JSON."""

    def leaf(self) -> bytes:
        """Leaf data, 84 bytes: id ‖ kind ‖ balance (16) ‖ state ‖ days past due (2) ‖ terms.

        Numbers are big-endian, as Solidity's `abi.encodePacked` writes them.
        """
        return leaf_data(
            self.id, self.kind, self.balance, self.state, self.days_past_due, self.terms
        )


def check_asset(balance: int, state: int, days_past_due: int) -> None:
    """What an asset says must make sense in itself. Raises `AssetRefused`."""
    if not 0 <= balance <= BALANCE_MAX:
        raise AssetRefused(f"balance {balance} is not within 0 to {BALANCE_MAX}")
    if not 0 <= days_past_due <= DAYS_MAX:
        raise AssetRefused(f"{days_past_due} days past due: at most {DAYS_MAX} are possible")
    if state == AssetState.PERFORMING and days_past_due:
        raise AssetRefused(f"performing, but {days_past_due} days past due")
    if state == AssetState.OVERDUE and not days_past_due:
        raise AssetRefused("overdue, but no day past due")
    if state in (AssetState.REPAID, AssetState.REMOVED) and balance:
        raise AssetRefused(f"{AssetState(state).name.lower()}, but {balance} are owed")


def outside_id(reference: str, salt: bytes) -> Hash32:
    """Id of an asset that is known by a reference outside: HMAC-SHA-256 with the pool's salt.

    Whoever has no salt can neither read nor guess the reference. Raises `AssetRefused`.
    """
    data = reference.encode("utf-8")
    if not 1 <= len(data) <= REFERENCE_BYTES_MAX:
        raise AssetRefused(f"a reference of {len(data)} bytes, not 1 to {REFERENCE_BYTES_MAX}")
    if len(salt) < SALT_BYTES_MIN:
        raise AssetRefused(f"a salt of {len(salt)} bytes, at least {SALT_BYTES_MIN} are needed")
    return Hash32(digest(salt, data, "sha256"))


def change_leaf(index: int, before: bytes | None, after: bytes) -> bytes:
    """Leaf data of a change: index (4) ‖ leaf hash before ‖ leaf hash after; zeros: new."""
    return index.to_bytes(4, "big") + (before or bytes(32)) + after


def change_hashes(changes: Sequence[tuple[int, bytes | None, bytes]]) -> list[bytes]:
    """Leaf hashes of changes (index, leaf hash before, leaf hash after), in their order."""
    return [leaf_hash(change_leaf(*change)) for change in changes]
