"""Requests about claims, as calls of the contract."""

from __future__ import annotations

from typing import Final

from api.acts.common import Decision, hash_of
from api.acts.plain import ActBody
from api.operations import Words
from contracts.claimants import Claimant
from contracts.claims import annul_claim_calldata

_NOUNS: Final = {"receipt": "仓单", "receivable": "应收账款"}


class AnnulClaim(ActBody):
    """Take a claim from a record that has ended, or what an order only keeps, for others."""

    decision: Decision

    def calldata(self, on: Claimant) -> bytes:
        """Raises `CalldataValueError`."""
        return annul_claim_calldata(on.key, hash_of(self.decision), self.remark)

    def words(self, on: Claimant) -> Words:
        """What it does, for who is to sign it."""
        key, record = f"0x{on.key.hex()}", f"0x{on.id.hex()}"
        return Words(
            f"take claim {key} from {on.noun} {record}, which is {on.state}, by decision "
            f"{self.decision}",
            f"依据决定 {self.decision} 解除{_NOUNS[on.noun]} {record} 对标识 {key} 的占用",
        )
