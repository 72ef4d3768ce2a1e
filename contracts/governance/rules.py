"""Which threshold a list of calls needs: the contract's rule over known thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contracts.abi import Function
from contracts.consortium.genesis import CONSORTIUM_ARTIFACT
from contracts.errors import CalldataError
from contracts.genesis import CONSORTIUM_ADDRESS, GOVERNANCE_ADDRESS
from contracts.governance.genesis import GOVERNANCE_ARTIFACT
from contracts.governance.types import TWO_THIRDS, Call, Threshold
from ledger.types import Address

SUSPENDING: Final = Function.of(CONSORTIUM_ARTIFACT, "setOrganisationStatus").selector
_SET_THRESHOLD: Final = Function.of(GOVERNANCE_ARTIFACT, "setThreshold")
_SET_DEFAULT: Final = Function.of(GOVERNANCE_ARTIFACT, "setDefaultThreshold")
_HALF: Final = Threshold(1, 2)

FunctionKey = tuple[Address, bytes]
"""Target and selector."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds that hold at one moment."""

    default: Threshold = TWO_THIRDS
    own: Mapping[FunctionKey, Threshold] = field(default_factory=dict)
    consortium: Address = CONSORTIUM_ADDRESS
    governance: Address = GOVERNANCE_ADDRESS

    def of(self, target: Address, selector: bytes) -> Threshold:
        """What a call of that function needs.

        Suspending organisations never needs more than two thirds by default, so that a lost
        member cannot stop the others.
        """
        own = self.own.get((target, selector))
        if own is not None:
            return own
        if (target, selector) == (self.consortium, SUSPENDING) and self.default > TWO_THIRDS:
            return TWO_THIRDS
        return self.default

    def required(self, calls: Sequence[Call]) -> Threshold:
        """The highest threshold of all calls, and of those that the calls change or set."""
        needed = [_HALF]
        for call in calls:
            needed.append(self.of(call.target, call.selector))
            if call.target == self.governance:
                needed += self._changed(call)
        highest = needed[0]
        for one in needed[1:]:
            highest = one if highest < one else highest
        return highest

    def _changed(self, call: Call) -> list[Threshold]:
        try:
            if call.selector == _SET_DEFAULT.selector:
                ((numerator, denominator),) = _SET_DEFAULT.arguments(call.data)
                return [self.default, Threshold(numerator, denominator)]
            if call.selector == _SET_THRESHOLD.selector:
                target, selector, share = _SET_THRESHOLD.arguments(call.data)
                former = self.of(Address(bytes.fromhex(target[2:])), selector)
                new = Threshold(*share) if share[1] else self.default
                return [former, new]
        except CalldataError:
            return []
        return []
