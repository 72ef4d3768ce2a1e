// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title How money is shared out
/// @notice Fees in their order, interest by rank, principal by rank or pro rata, the rest to the residual.
/// Whole hundredths only, and exactly as much goes out as came in. The same model stands in
/// `contracts/pools/waterfall.py`.
library Waterfall {
    /// @param available What came in
    /// @param fees Due, in the order of payment
    /// @param ranks Of the tranches, ascending
    /// @param interest Due to each tranche
    /// @param outstanding Principal of each tranche
    /// @param principal What is to be repaid of it in this period
    /// @param sequential Principal by rank instead of pro rata
    struct Dues {
        uint256 available;
        uint256[] fees;
        uint256[] ranks;
        uint256[] interest;
        uint256[] outstanding;
        uint256 principal;
        bool sequential;
    }

    struct Shares {
        uint256[] fees;
        uint256[] interest;
        uint256[] principal;
        uint256 residual;
    }

    function share(Dues memory dues) internal pure returns (Shares memory shares) {
        uint256 left = dues.available;
        shares.fees = new uint256[](dues.fees.length);
        for (uint256 i = 0; i < dues.fees.length; ++i) {
            shares.fees[i] = least(left, dues.fees[i]);
            left -= shares.fees[i];
        }
        shares.interest = new uint256[](dues.ranks.length);
        left = byRank(left, dues.ranks, dues.interest, shares.interest);
        shares.principal = new uint256[](dues.ranks.length);
        uint256 repaid = least(left, dues.principal);
        left -= repaid;
        if (dues.sequential) {
            repaid = byRank(repaid, dues.ranks, dues.outstanding, shares.principal);
        } else {
            repaid = proRata(repaid, dues.outstanding, 0, dues.outstanding.length, shares.principal);
        }
        shares.residual = left + repaid; // principal that nobody is owed
    }

    /// @dev Rank by rank, within a rank in proportion; gives what is left.
    function byRank(uint256 amount, uint256[] memory ranks, uint256[] memory dues, uint256[] memory paid)
        internal
        pure
        returns (uint256)
    {
        uint256 from = 0;
        while (from < ranks.length) {
            uint256 to = from + 1;
            while (to < ranks.length && ranks[to] == ranks[from]) ++to;
            amount = proRata(amount, dues, from, to, paid);
            from = to;
        }
        return amount;
    }

    /// @dev Shares of `[from, to)` in proportion to what is due, none above its due; gives what is left.
    function proRata(uint256 amount, uint256[] memory dues, uint256 from, uint256 to, uint256[] memory paid)
        internal
        pure
        returns (uint256)
    {
        uint256 total = 0;
        for (uint256 i = from; i < to; ++i) total += dues[i];
        uint256 given = least(amount, total);
        split(given, dues, total, from, to, paid);
        return amount - given;
    }

    /// @dev An amount in proportion to weights. Each share is the difference of two rounded sums, so that
    /// together they are exactly the amount.
    function split(
        uint256 amount,
        uint256[] memory weights,
        uint256 total,
        uint256 from,
        uint256 to,
        uint256[] memory parts
    ) internal pure {
        if (total == 0) return;
        uint256 sum = 0;
        uint256 before = 0;
        for (uint256 i = from; i < to; ++i) {
            sum += weights[i];
            uint256 upTo = amount * sum / total;
            parts[i] = upTo - before;
            before = upTo;
        }
    }

    /// @dev What accrues in some days, in hundredths, and the remainder in 1 / (10,000 × basis) of them.
    function accrue(uint256 principal, uint256 rateBp, uint256 daysPassed, uint256 basis, uint256 remainder)
        internal
        pure
        returns (uint256 amount, uint256 rest)
    {
        uint256 numerator = principal * rateBp * daysPassed + remainder;
        uint256 denominator = 10_000 * basis;
        return (numerator / denominator, numerator % denominator);
    }

    /// @dev The same for a fee: a share of the principal a year, and a fixed amount a year. However often it is
    /// shared out, a year's fee is a year's.
    function accrueFee(
        uint256 principal,
        uint256 rateBp,
        uint256 fixedAmount,
        uint256 daysPassed,
        uint256 basis,
        uint256 remainder
    ) internal pure returns (uint256 amount, uint256 rest) {
        return accrue(principal * rateBp + fixedAmount * 10_000, 1, daysPassed, basis, remainder);
    }

    function least(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }
}
