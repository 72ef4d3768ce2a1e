// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Interest by days
/// @notice Simple interest by calendar days in UTC: the day of payout counts, the day of payment does not.
/// What has accrued is kept as a numerator (principal · bp · days), so that nothing is rounded between
/// payments; what is asked for is whole hundredths, rounded down. Python: `contracts/financing/interest.py`.
library Interest {
    uint256 private constant DAY_SECONDS = 86_400;
    uint256 private constant BP = 10_000;

    /// @notice What accrues from one time to another; days after the due date bear the penalty as well.
    function accrual(uint128 principal, uint32 rateBp, uint32 penaltyBp, uint48 from, uint48 due, uint48 to)
        internal
        pure
        returns (uint256)
    {
        (uint256 first, uint256 last, uint256 dueDay) = (from / DAY_SECONDS, to / DAY_SECONDS, due / DAY_SECONDS);
        if (last <= first) return 0;
        uint256 lateFrom = first > dueDay ? first : dueDay;
        uint256 late = last > lateFrom ? last - lateFrom : 0;
        return uint256(principal) * ((last - first) * rateBp + late * penaltyBp);
    }

    /// @notice Whole hundredths of the currency in what has accrued.
    function owed(uint256 accrued, uint16 yearDays) internal pure returns (uint128) {
        return uint128(accrued / (BP * yearDays));
    }

    /// @notice What an amount takes off what has accrued.
    function taken(uint128 amount, uint16 yearDays) internal pure returns (uint256) {
        return uint256(amount) * BP * yearDays;
    }
}
