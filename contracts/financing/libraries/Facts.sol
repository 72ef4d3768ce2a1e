// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IClaims} from "../../claims/interfaces/IClaims.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {IReceivables} from "../../receivables/interfaces/IReceivables.sol";
import {ReceivableRules} from "../../receivables/libraries/ReceivableRules.sol";
import {IReceipts} from "../../receipts/interfaces/IReceipts.sol";
import {ReceiptRules} from "../../receipts/libraries/ReceiptRules.sol";
import {IStock} from "../../stock/interfaces/IStock.sol";

/// @title What the ledger says of a collateral
/// @notice Read from the instrument, Stock, Claims and Pledges in the moment of asking.
library Facts {
    uint8 internal constant TITLE = 1;
    uint8 internal constant PLEDGE = 2;
    uint8 internal constant STOCK = 4;
    uint8 internal constant DUPLICATE = 8;

    uint8 internal constant SHORT = 1;
    uint8 internal constant FROZEN = 2;
    uint8 internal constant OLD_COUNT = 4;
    uint8 internal constant STORAGE_OVER = 8;

    /// @notice Whether the instrument stands for goods (with stock), not for money owed.
    function isGoods(address instrument) internal view returns (bool) {
        return Places.DIRECTORY.nameOf(instrument) == Places.RECEIPTS;
    }

    /// @notice The facts that apply to the collateral, and those that are as a lender wants them, in bits.
    function examine(address instrument, bytes32 asset, uint64 revision, bytes32 organisation)
        internal
        view
        returns (uint8 applicable, uint8 passed)
    {
        applicable = TITLE | PLEDGE | DUPLICATE;
        if (hasTitle(instrument, asset, revision, organisation)) passed |= TITLE;
        if (isFree(instrument, asset)) passed |= PLEDGE;
        if (claimsStand(instrument, asset)) passed |= DUPLICATE;
        if (!isGoods(instrument)) return (applicable, passed);
        applicable |= STOCK;
        if (breach(instrument, asset) & (SHORT | OLD_COUNT) == 0) passed |= STOCK;
    }

    /// @notice Whether the organisation alone disposes of it, as it was at that revision, and nothing stands
    /// in the way.
    function hasTitle(address instrument, bytes32 asset, uint64 revision, bytes32 organisation)
        internal
        view
        returns (bool)
    {
        IInstrument.Control memory control = IInstrument(instrument).control(asset);
        if (control.holder != organisation || control.revision != revision) return false;
        if (control.freezes != 0 || control.locked) return false;
        if (!isGoods(instrument)) {
            return control.state == ReceivableRules.STATE_ACCEPTED || control.state == ReceivableRules.STATE_CONFIRMED;
        }
        IReceipts.Receipt memory receipt = IReceipts(instrument).receipt(asset);
        return receipt.owner == organisation && receipt.state == ReceiptRules.STATE_LIVE
            && receipt.expires > block.timestamp;
    }

    function isFree(address instrument, bytes32 asset) internal view returns (bool) {
        return IInstrument(instrument).control(asset).pledgee == 0
            && Places.PLEDGES.pledgeOf(instrument, asset) == 0;
    }

    /// @notice Whether what it claims is claimed by it (or by what it is a part of), or, of an order that is not
    /// delivered yet, by nobody; and by nothing else.
    function claimsStand(address instrument, bytes32 asset) internal view returns (bool) {
        bool goods = isGoods(instrument);
        bytes32 root = goods ? asset : IReceivables(instrument).receivable(asset).root;
        bytes32[] memory keys =
            goods ? IReceipts(instrument).keysOf(asset) : IReceivables(instrument).keysOf(asset);
        for (uint256 i = 0; i < keys.length; ++i) {
            IClaims.Claim memory claim = Places.CLAIMS.claimOf(keys[i]);
            if (claim.instrument == address(0)) continue;
            if (claim.instrument != instrument || (claim.id != asset && claim.id != root)) return false;
        }
        return true;
    }

    /// @notice What is amiss with a piece of collateral, in bits.
    function breach(address instrument, bytes32 asset) internal view returns (uint8 found) {
        if (IInstrument(instrument).control(asset).freezes != 0) found |= FROZEN;
        if (!isGoods(instrument)) return found;
        IReceipts.Receipt memory receipt = IReceipts(instrument).receipt(asset);
        IStock.Lot memory lot = Places.STOCK.lotOf(receipt.lot);
        if (lot.short) found |= SHORT;
        if (block.timestamp > uint256(lot.countedAt) + lot.agreement.countAgeMax) found |= OLD_COUNT;
        if (receipt.expires <= block.timestamp) found |= STORAGE_OVER;
    }
}
