"""Versions of the Provenance contract in a trust file (docs/proof-format.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from ledger.json_place import INTEGER_MAX
from ledger.types import Address
from traceability.bundle.errors import TrustMalformed

VERSIONS_MAX: Final = 32
"""Most addresses in one trust file, the first one included."""

AddressText = Annotated[str, Field(pattern=r"^0x[0-9a-f]{40}$")]


class VersionFields(BaseModel):
    """The JSON object of a later version."""

    model_config = ConfigDict(extra="forbid", strict=True)

    address: AddressText
    fromBlock: Annotated[int, Field(ge=1, le=INTEGER_MAX)]  # noqa: N815 - the format's own name


ProvenanceFields = (
    AddressText
    | Annotated[list[AddressText | VersionFields], Field(min_length=1, max_length=VERSIONS_MAX)]
)
"""`contracts.provenance` of a trust file: one address, or the first one and later versions."""


@dataclass(frozen=True, slots=True)
class ProvenanceVersion:
    """A version that the members voted, after the one that the ledger began with."""

    address: Address
    from_block: int
    """The block in which the Directory names it, at least 1. What stands at the address before may
    have been put there by anybody, and counts for nothing."""

    def fields(self) -> dict[str, object]:
        """The JSON object of section 6."""
        return {"address": f"0x{self.address.hex()}", "fromBlock": self.from_block}


def read_versions(
    fields: str | Sequence[str | VersionFields],
) -> tuple[Address, tuple[ProvenanceVersion, ...]]:
    """The first address and the later versions. Raises `TrustMalformed`."""
    if isinstance(fields, str):
        return _address(fields), ()
    first, *rest = fields
    later = [one for one in rest if isinstance(one, VersionFields)]
    if not isinstance(first, str) or len(later) != len(rest):
        raise TrustMalformed(
            "trust file: /contracts/provenance: the first is an address, each further one an "
            "object with address and fromBlock"
        )
    return _address(first), tuple(
        ProvenanceVersion(_address(one.address), one.fromBlock) for one in later
    )


def check_versions(first: Address, later: Sequence[ProvenanceVersion]) -> None:
    """Raises `TrustMalformed` where the list is none that a trust file may have."""
    if len(later) >= VERSIONS_MAX:
        raise TrustMalformed(
            f"trust file: {len(later) + 1} Provenance contracts, at most {VERSIONS_MAX}"
        )
    if len({first, *(one.address for one in later)}) != len(later) + 1:
        raise TrustMalformed("trust file: a Provenance contract stands in it twice")
    blocks = [one.from_block for one in later]
    if blocks != sorted(blocks) or any(number < 1 for number in blocks):
        raise TrustMalformed("trust file: Provenance contracts stand oldest first, from block 1 on")


def merged(first: Address, versions: Iterable[ProvenanceVersion]) -> tuple[ProvenanceVersion, ...]:
    """Each later version once, from where it was named first; oldest first.

    Whoever has learned the same versions, in whatever order, gets the same.
    """
    since: dict[Address, int] = {}
    for one in versions:
        if one.address != first:
            since[one.address] = min(one.from_block, since.get(one.address, one.from_block))
    return tuple(
        ProvenanceVersion(address, number)
        for address, number in sorted(since.items(), key=lambda item: (item[1], item[0]))
    )


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text[2:]))
