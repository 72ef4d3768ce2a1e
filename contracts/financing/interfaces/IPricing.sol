// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What banks ask for loans
/// @notice Tables of rates, published by each bank for a currency, kept in all their versions, and customers'
/// contribution points. Rates are in hundredths of a percent a year, amounts in hundredths of the currency.
interface IPricing {
    /// @param kind Directory name of the instruments it is for; zero for all
    /// @param amountMax Up to this amount
    /// @param termDaysMax Up to this term
    struct Tier {
        bytes32 kind;
        uint128 amountMax;
        uint16 termDaysMax;
        uint32 rateBp;
    }

    /// @param pointsPerBp Points for one hundredth of a percent off; zero: points count for nothing
    /// @param discountBpMax How much points can take off
    /// @param floorBp Below which points do not take a rate
    struct Contribution {
        uint64 pointsPerBp;
        uint32 discountBpMax;
        uint32 floorBp;
    }

    /// @notice A version of a bank's table, counted from 1. The first tier that fits is the price.
    event TablePublished(
        bytes32 indexed bank,
        bytes3 indexed currency,
        uint32 indexed version,
        Tier[] tiers,
        Contribution contribution,
        bytes32 document
    );
    /// @notice A customer's points with a bank have become `points`.
    /// @param ref SHA-256 of what they are for
    event PointsRecorded(
        bytes32 indexed bank, bytes32 indexed customer, bytes32 indexed ref, int64 change, uint64 points
    );

    error CallerNotActive(address caller);
    error NotBank(bytes32 organisation);
    error PartyNotActive(bytes32 organisation);
    error InvalidCurrency(bytes3 currency);
    /// @notice A table has 1 to 64 tiers with bounds and rates that can be.
    error InvalidTable(uint256 tier);
    error InvalidContribution();
    error HashMissing();
    error TooManyVersions(bytes32 bank);
    error UnknownTable(bytes32 bank, bytes3 currency, uint32 version);
    /// @notice No tier of the table is for this instrument, amount and term.
    error NoTier(bytes32 bank, uint32 version);
    /// @notice The reference was booked already.
    error ReferenceUsed(bytes32 bank, bytes32 ref);
    /// @notice Points are 0 to 2^63 - 1, and a change is not zero.
    error InvalidPoints(int64 change, uint64 points);

    /// @notice Publish the next version of the bank's table for a currency. Banks.
    /// @param document SHA-256 of the conditions in words
    function publish(bytes3 currency, Tier[] calldata tiers, Contribution calldata contribution, bytes32 document)
        external
        returns (uint32 version);

    /// @notice Book points of a customer. Banks, each reference once.
    function recordPoints(bytes32 customer, int64 change, bytes32 ref) external;

    /// @notice The rate that a version of the table gives. Reverts where no tier fits.
    function tiered(bytes32 bank, bytes3 currency, uint32 version, bytes32 kind, uint128 amount, uint16 termDays)
        external
        view
        returns (uint32 rateBp);

    /// @notice What a customer's points take off that rate.
    function contributed(bytes32 bank, bytes3 currency, uint32 version, bytes32 customer, uint32 rateBp)
        external
        view
        returns (uint32 discountBp);

    /// @notice How many versions the bank's table for a currency has; the highest is the present one.
    function versionsOf(bytes32 bank, bytes3 currency) external view returns (uint32);

    function rateTable(bytes32 bank, bytes3 currency, uint32 version)
        external
        view
        returns (Tier[] memory tiers, Contribution memory contribution, bytes32 document);

    function pointsOf(bytes32 bank, bytes32 customer) external view returns (uint64);
}
