// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SettlementScene} from "../../settlement/test/SettlementScene.sol";
import {Applications} from "../Applications.sol";
import {Financing} from "../Financing.sol";
import {Pricing} from "../Pricing.sol";
import {IApplications} from "../interfaces/IApplications.sol";
import {IPricing} from "../interfaces/IPricing.sol";

/// @notice The trader borrows against wheat; both banks have published a table.
abstract contract LoanScene is SettlementScene {
    Applications internal constant APPLICATIONS = Applications(0x7a11000000000000000000000000000000000012);
    Financing internal constant FINANCING = Financing(0x7a1100000000000000000000000000000000000D);
    Pricing internal constant PRICING = Pricing(0x7a1100000000000000000000000000000000000F);
    bytes32 internal constant TEXT = keccak256("terms of the offer");
    bytes32 internal constant SALT = keccak256("salt");

    bytes32 internal wheat;

    function _foundFinancing() internal {
        _foundSettlement();
        _place(address(APPLICATIONS), type(Applications).creationCode);
        _place(address(FINANCING), type(Financing).creationCode);
        _place(address(PRICING), type(Pricing).creationCode);
        _register("applications", address(APPLICATIONS));
        _register("financing", address(FINANCING));
        _register("pricing", address(PRICING));
        wheat = _lot("wheat", 1_000_000);
        IPricing.Tier[] memory tiers = new IPricing.Tier[](1);
        tiers[0] = IPricing.Tier("receipts", type(uint128).max, 365, 450);
        IPricing.Contribution memory none = IPricing.Contribution(0, 0, 0);
        _as(BANK);
        PRICING.publish(CNY, tiers, none, TEXT);
        _as(OTHER_BANK);
        PRICING.publish(CNY, tiers, none, TEXT);
    }

    function _request(bytes32 number, bytes32 asset, IApplications.Mode mode)
        internal
        view
        returns (IApplications.Request memory request)
    {
        request.number = number;
        request.instrument = address(RECEIPTS);
        request.asset = asset;
        request.assetRevision = RECEIPTS.control(asset).revision;
        request.amount = 1_000_000;
        request.amountMin = 1;
        request.currency = CNY;
        request.termDays = 60;
        request.yearDays = 360;
        request.mode = mode;
        request.purpose = TEXT;
        request.expires = uint48(block.timestamp + 20 days);
        request.penaltyBp = 300;
        request.graceSeconds = 3 days;
        request.noticeSeconds = 10 days;
        if (mode != IApplications.Mode.Market) return request;
        request.quotesUntil = uint48(block.timestamp + 2 days);
        request.revealUntil = uint48(block.timestamp + 3 days);
        request.rateBpMax = 900;
    }

    function _banks(IApplications.Mode mode) internal pure returns (IApplications.Invitation[] memory banks) {
        banks = new IApplications.Invitation[](2);
        uint32 version = mode == IApplications.Mode.Market ? 0 : 1;
        banks[0] = IApplications.Invitation(BANK, version);
        banks[1] = IApplications.Invitation(OTHER_BANK, version);
    }

    function _applied(bytes32 number, bytes32 asset, IApplications.Mode mode) internal returns (bytes32 id) {
        IApplications.Request memory request = _request(number, asset, mode);
        IApplications.Invitation[] memory banks = _banks(mode);
        _as(TRADER);
        return APPLICATIONS.applyFor(request, banks, "");
    }

    function _accepted(bytes32 number, bytes32 asset) internal returns (bytes32 id) {
        id = _applied(number, asset, IApplications.Mode.Tiered);
        _as(BANK);
        APPLICATIONS.approve(id, 0, 1_000_000, uint48(block.timestamp + 10 days), TEXT, "");
        bytes32 hash = APPLICATIONS.offerHash(id, BANK);
        _as(TRADER);
        APPLICATIONS.accept(id, 0, BANK, hash, "");
    }

    function _drawn(bytes32 number, bytes32 asset) internal returns (bytes32 id) {
        id = _accepted(number, asset);
        _as(BANK);
        FINANCING.drawDown(id, 0, "");
    }

    function _seal(bytes32 id, bytes32 bank, uint32 rateBp) internal {
        bytes32 sealed_ = APPLICATIONS.commitmentOf(id, bank, 1_000_000, rateBp, TEXT, SALT);
        _as(bank);
        APPLICATIONS.commit(id, 0, sealed_, "");
    }

    function _reveal(bytes32 id, bytes32 bank, uint32 rateBp) internal {
        _as(bank);
        APPLICATIONS.reveal(id, 0, 1_000_000, rateBp, TEXT, SALT, "");
    }

    function _one(bytes32 asset) internal pure returns (bytes32[] memory assets) {
        assets = new bytes32[](1);
        assets[0] = asset;
    }

    function _loanState(bytes32 id) internal view returns (uint8 state) {
        uint64 revision;
        (revision, state) = FINANCING.standingOf(id);
        if (revision == 0) (, state) = APPLICATIONS.standingOf(id);
    }
}
