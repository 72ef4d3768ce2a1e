// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Instrument} from "../../instruments/bases/Instrument.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {Rules} from "../../instruments/libraries/Rules.sol";
import {IReceipts} from "../interfaces/IReceipts.sol";
import {ReceiptRules} from "../libraries/ReceiptRules.sol";

/// @title The records of receipts
/// @notice What is kept of each, who is what to it, and how an act is told.
abstract contract ReceiptBook is Instrument, IReceipts {
    using Rules for uint256;

    /// @dev What a receipt has beside control.
    struct Entry {
        bytes32 warehouse;
        bytes32 number;
        bytes32 lot;
        bytes32 goods;
        bytes32 terms;
        bytes32 owner;
        bytes32 nominee;
        bytes32 formerHolder;
        bytes32 formerOwner;
        bytes32 origin;
        bytes32 successor;
        uint128 quantity;
        uint128 requested;
        uint48 issued;
        uint48 expires;
        uint64 rejectableRevision; // the revision whose act may be rejected
        uint16 part;
        Rejectable rejectable;
        Purpose purpose;
    }

    mapping(bytes32 id => Entry) internal _entries;
    mapping(bytes32 id => bytes32[]) internal _keys;
    /// @dev Hash of the claims that go with what is requested; of no effect where nothing is.
    mapping(bytes32 id => bytes32) internal _requestedKeys;

    /// @inheritdoc IReceipts
    function receipt(bytes32 id) public view returns (Receipt memory found) {
        Control storage control_ = _controls[id];
        Entry storage entry = _entries[id];
        found.warehouse = entry.warehouse;
        found.number = entry.number;
        found.lot = entry.lot;
        found.goods = entry.goods;
        found.terms = entry.terms;
        found.holder = control_.holder;
        found.owner = entry.owner;
        found.nominee = entry.nominee;
        found.pledgee = control_.pledgee;
        found.origin = entry.origin;
        found.successor = entry.successor;
        found.quantity = entry.quantity;
        found.requested = entry.requested;
        found.issued = entry.issued;
        found.expires = entry.expires;
        found.revision = control_.revision;
        found.part = entry.part;
        found.state = control_.state;
        found.freezes = control_.freezes;
        found.locked = control_.locked;
        found.rejectable = _rejectable(id);
        found.purpose = entry.purpose;
    }

    /// @inheritdoc IReceipts
    function keysOf(bytes32 id) external view returns (bytes32[] memory) {
        return _keys[id];
    }

    /// @inheritdoc IReceipts
    function idOf(bytes32 warehouse, bytes32 number) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), warehouse, number));
    }

    /// @dev What may be rejected now: a transfer that was the last act of all.
    function _rejectable(bytes32 id) internal view returns (Rejectable) {
        Entry storage entry = _entries[id];
        return entry.rejectableRevision == _controls[id].revision ? entry.rejectable : Rejectable.Nothing;
    }

    function _tell(bytes32 id, uint256 rule, bytes32 by, bytes32 detail, string memory remark) internal {
        emit ReceiptActed(id, by, rule.act(), receipt(id), detail, remark);
    }

    // ---- for the base ---------------------------------------------------------------------------

    function _common(uint8 act) internal pure override returns (uint256) {
        return ReceiptRules.common(act);
    }

    function _roles(bytes32 id, bytes32 organisation) internal view override returns (uint256 parties) {
        Entry storage entry = _entries[id];
        // Whoever keeps the goods: the issuer, or the warehouse that its goods were entrusted to.
        if (organisation == Places.STOCK.warehouseOf(entry.lot)) parties |= ReceiptRules.PARTY_WAREHOUSE;
        if (organisation == entry.owner) parties |= ReceiptRules.PARTY_OWNER;
        if (_disposes(id, organisation)) parties |= ReceiptRules.PARTY_SOLE;
    }

    function _disposes(bytes32 id, bytes32 organisation) internal view override returns (bool) {
        // slither-disable-next-line incorrect-equality
        return _controls[id].holder == organisation && _entries[id].owner == organisation;
    }

    function _handOver(bytes32 id, bytes32 to) internal override {
        _controls[id].holder = to;
        _entries[id].owner = to;
        _forget(id);
    }

    function _done(bytes32 id, uint256 rule, bytes32 by, bytes32 detail, string memory remark) internal override {
        uint8 act = rule.act();
        if (act == Rules.ENCUMBER) _forget(id); // the pledgee takes it as it stands
        bool byOthers = act == Rules.FREEZE || act == Rules.UNFREEZE || act == Rules.PERMIT || act == Rules.DISENCUMBER;
        if (byOthers) _keepRejectable(id);
        _comeBack(id, act);
        _tell(id, rule, by, detail, remark);
    }

    /// @dev What the former holder had surrendered is not handed out once it is somebody else's.
    function _comeBack(bytes32 id, uint8 act) private {
        Control storage control_ = _controls[id];
        uint8 led = ReceiptRules.led(act, control_.state);
        if (led == control_.state) return;
        Entry storage entry = _entries[id];
        control_.state = entry.expires > block.timestamp ? led : ReceiptRules.STATE_EXPIRED;
        entry.purpose = Purpose.None;
    }

    /// @dev An act of somebody else does not take the recipient's right to reject a transfer.
    function _keepRejectable(bytes32 id) internal {
        Entry storage entry = _entries[id];
        uint64 revision = _controls[id].revision;
        if (entry.rejectableRevision + 1 == revision) entry.rejectableRevision = revision;
    }

    /// @dev A receipt that comes back when its storage period is over does not live again.
    function _lapse(bytes32 id, bytes32 by) internal {
        if (_entries[id].expires > block.timestamp) return;
        _begin(id, 0, ReceiptRules.EXPIRE, by, Rules.ANYBODY);
        _tell(id, ReceiptRules.EXPIRE, by, 0, "");
    }

    /// @dev What stood open between the parties of before.
    function _forget(bytes32 id) internal {
        _entries[id].nominee = 0;
        _entries[id].requested = 0;
    }
}
