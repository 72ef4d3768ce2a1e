// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {IPricing} from "./interfaces/IPricing.sol";

/// @title Pricing
/// @notice Tables are only ever added: an application names the version that it is priced by.
contract Pricing is IPricing {
    uint256 private constant TIERS_MAX = 64;
    uint32 private constant VERSIONS_MAX = 10_000;
    uint32 private constant RATE_BP_MAX = 10_000;

    struct Table {
        Tier[] tiers;
        Contribution contribution;
        bytes32 document;
    }

    /// @dev Grows by `push` through a reference.
    // slither-disable-next-line uninitialized-state
    mapping(bytes32 bank => mapping(bytes3 currency => Table[])) private _tables;
    mapping(bytes32 bank => mapping(bytes32 customer => uint64)) private _points;
    mapping(bytes32 bank => mapping(bytes32 ref => bool)) private _booked;

    // ---- what banks say -----------------------------------------------------------------------

    /// @inheritdoc IPricing
    function publish(bytes3 currency, Tier[] calldata tiers, Contribution calldata contribution, bytes32 document)
        external
        returns (uint32 version)
    {
        bytes32 bank = _bank();
        _checkCurrency(currency);
        if (document == 0) revert HashMissing();
        if (tiers.length == 0 || tiers.length > TIERS_MAX) revert InvalidTable(tiers.length);
        if (contribution.discountBpMax > RATE_BP_MAX || contribution.floorBp > RATE_BP_MAX) {
            revert InvalidContribution();
        }
        Table[] storage versions = _tables[bank][currency];
        if (versions.length == VERSIONS_MAX) revert TooManyVersions(bank);
        Table storage added = versions.push();
        for (uint256 i = 0; i < tiers.length; ++i) {
            _checkTier(i, tiers[i]);
            added.tiers.push(tiers[i]);
        }
        added.contribution = contribution;
        added.document = document;
        version = uint32(versions.length);
        emit TablePublished(bank, currency, version, tiers, contribution, document);
    }

    function _checkTier(uint256 index, Tier calldata tier) private pure {
        bool known = tier.kind == 0 || tier.kind == Places.RECEIPTS || tier.kind == Places.RECEIVABLES;
        if (!known || tier.amountMax == 0 || tier.termDaysMax == 0 || tier.rateBp > RATE_BP_MAX) {
            revert InvalidTable(index);
        }
    }

    function _checkCurrency(bytes3 currency) private pure {
        for (uint256 i = 0; i < 3; ++i) {
            if (currency[i] < "A" || currency[i] > "Z") revert InvalidCurrency(currency);
        }
    }

    /// @inheritdoc IPricing
    function recordPoints(bytes32 customer, int64 change, bytes32 ref) external {
        bytes32 bank = _bank();
        if (ref == 0) revert HashMissing();
        if (_booked[bank][ref]) revert ReferenceUsed(bank, ref);
        if (Places.CONSORTIUM.statusOf(customer) != IConsortium.Status.Active) revert PartyNotActive(customer);
        uint64 points = _points[bank][customer];
        int256 sum = int256(uint256(points)) + change;
        if (change == 0 || sum < 0 || sum > type(int64).max) revert InvalidPoints(change, points);
        _booked[bank][ref] = true;
        points = uint64(uint256(sum));
        _points[bank][customer] = points;
        emit PointsRecorded(bank, customer, ref, change, points);
    }

    function _bank() private view returns (bytes32 organisation) {
        organisation = Places.CONSORTIUM.administers(msg.sender);
        if (organisation == 0) revert CallerNotActive(msg.sender);
        if (Places.CONSORTIUM.roleOf(msg.sender) != IConsortium.Role.Bank) revert NotBank(organisation);
    }

    // ---- prices -------------------------------------------------------------------------------

    /// @inheritdoc IPricing
    function tiered(bytes32 bank, bytes3 currency, uint32 version, bytes32 kind, uint128 amount, uint16 termDays)
        external
        view
        returns (uint32 rateBp)
    {
        Tier[] storage tiers = _table(bank, currency, version).tiers;
        uint256 count = tiers.length;
        for (uint256 i = 0; i < count; ++i) {
            Tier storage tier = tiers[i];
            bool fits = (tier.kind == 0 || tier.kind == kind) && amount <= tier.amountMax
                && termDays <= tier.termDaysMax;
            if (fits) return tier.rateBp;
        }
        revert NoTier(bank, version);
    }

    /// @inheritdoc IPricing
    function contributed(bytes32 bank, bytes3 currency, uint32 version, bytes32 customer, uint32 rateBp)
        external
        view
        returns (uint32 discountBp)
    {
        Contribution storage terms = _table(bank, currency, version).contribution;
        if (terms.pointsPerBp == 0 || rateBp <= terms.floorBp) return 0;
        uint64 earned = _points[bank][customer] / terms.pointsPerBp;
        discountBp = earned < terms.discountBpMax ? uint32(earned) : terms.discountBpMax;
        if (discountBp > rateBp - terms.floorBp) discountBp = rateBp - terms.floorBp;
    }

    function _table(bytes32 bank, bytes3 currency, uint32 version) private view returns (Table storage) {
        Table[] storage versions = _tables[bank][currency];
        if (version == 0 || version > versions.length) revert UnknownTable(bank, currency, version);
        return versions[version - 1];
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IPricing
    function versionsOf(bytes32 bank, bytes3 currency) external view returns (uint32) {
        return uint32(_tables[bank][currency].length);
    }

    /// @inheritdoc IPricing
    function rateTable(bytes32 bank, bytes3 currency, uint32 version)
        external
        view
        returns (Tier[] memory tiers, Contribution memory contribution, bytes32 document)
    {
        Table storage found = _table(bank, currency, version);
        return (found.tiers, found.contribution, found.document);
    }

    /// @inheritdoc IPricing
    function pointsOf(bytes32 bank, bytes32 customer) external view returns (uint64) {
        return _points[bank][customer];
    }
}
