// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernance} from "../interfaces/IGovernance.sol";

/// @title Shares of all votes
library Thresholds {
    uint32 private constant DENOMINATOR_MAX = 1_000_000;

    function twoThirds() internal pure returns (IGovernance.Threshold memory) {
        return IGovernance.Threshold(2, 3);
    }

    /// @notice Above one half, so that no two opposite proposals can pass; at most all.
    function isValid(IGovernance.Threshold memory self) internal pure returns (bool) {
        return self.denominator <= DENOMINATOR_MAX && self.numerator <= self.denominator
            && 2 * uint256(self.numerator) > self.denominator;
    }

    function isAbove(IGovernance.Threshold memory self, IGovernance.Threshold memory other)
        internal
        pure
        returns (bool)
    {
        return uint256(self.numerator) * other.denominator > uint256(other.numerator) * self.denominator;
    }

    /// @notice More than the share; all where the share is one.
    function reached(IGovernance.Threshold memory self, uint256 yes, uint256 total) internal pure returns (bool) {
        if (self.numerator == self.denominator) return total != 0 && yes == total;
        return yes * self.denominator > total * self.numerator;
    }
}
