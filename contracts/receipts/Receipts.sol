// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {Codes} from "../instruments/libraries/Codes.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {Rules} from "../instruments/libraries/Rules.sol";
import {ReceiptBook} from "./bases/ReceiptBook.sol";
import {ReceiptTitle} from "./bases/ReceiptTitle.sol";
import {IReceipts} from "./interfaces/IReceipts.sol";
import {ReceiptRules} from "./libraries/ReceiptRules.sol";

/// @title Receipts
/// @notice What happens to the goods: issue, split, merge, hand out, correct, change of medium.
contract Receipts is ReceiptTitle {
    uint256 private constant PAYLOAD_BYTES_MAX = 65_536;
    uint256 private constant PARTS_MAX = 16;
    uint256 private constant KEYS_MAX = 256;

    // ---- coming into being --------------------------------------------------------------------

    /// @inheritdoc IReceipts
    function issue(Draft calldata draft, string calldata remark) external returns (bytes32 id) {
        _checkRemark(remark);
        bytes32 warehouse = _caller();
        if (Places.CONSORTIUM.roleOf(msg.sender) != IConsortium.Role.Warehouse) revert NotWarehouse(warehouse);
        id = _issue(warehouse, draft, ReceiptRules.ISSUE, draft.holder, draft.owner);
        _tell(id, ReceiptRules.ISSUE, warehouse, 0, remark);
        Places.STOCK.reserve(draft.lot, warehouse, draft.quantity);
        if (draft.keys.length != 0) Places.CLAIMS.claim(id, draft.keys);
    }

    /// @dev The record; stock and claims are the caller's to see to.
    function _issue(bytes32 warehouse, Draft calldata draft, uint256 rule, bytes32 holder, bytes32 owner)
        private
        returns (bytes32 id)
    {
        _checkDraft(draft);
        id = idOf(warehouse, draft.number);
        _create(id, rule, warehouse, ReceiptRules.PARTY_WAREHOUSE | Rules.ITSELF, holder);
        _checkActive(owner);
        Entry storage entry = _entries[id];
        entry.warehouse = warehouse;
        entry.number = draft.number;
        entry.lot = draft.lot;
        entry.goods = draft.goods;
        entry.terms = draft.terms;
        entry.owner = owner;
        entry.quantity = draft.quantity;
        entry.issued = uint48(block.timestamp);
        entry.expires = draft.expires;
        _keys[id] = draft.keys;
        if (draft.payload.length != 0) emit TermsPublished(id, draft.terms, draft.payload);
    }

    function _checkDraft(Draft calldata draft) private view {
        if (!Codes.isNumber(draft.number)) revert InvalidNumber(draft.number);
        if (draft.quantity == 0) revert InvalidQuantity(draft.quantity);
        if (draft.expires <= block.timestamp) revert InvalidExpiry(draft.expires);
        if (draft.goods == 0 || draft.terms == 0) revert HashMissing();
        if (draft.keys.length > KEYS_MAX) revert TooManyKeys(draft.keys.length);
        if (draft.payload.length > PAYLOAD_BYTES_MAX) revert PayloadTooLarge(draft.payload.length);
        if (draft.payload.length != 0 && sha256(draft.payload) != draft.terms) revert PayloadDiffers(draft.terms);
    }

    /// @dev A receipt for goods of another one.
    function _arise(bytes32 id, Entry storage origin, bytes32 originId, bytes32 holder, uint128 quantity) private {
        _create(id, ReceiptRules.ARISE, 0, Rules.ITSELF, holder);
        Entry storage entry = _entries[id];
        entry.warehouse = origin.warehouse;
        entry.lot = origin.lot;
        entry.goods = origin.goods;
        entry.terms = origin.terms;
        entry.owner = holder;
        entry.quantity = quantity;
        entry.issued = uint48(block.timestamp);
        entry.expires = origin.expires;
        entry.origin = originId;
    }

    // ---- parts and wholes -----------------------------------------------------------------------

    /// @inheritdoc IReceipts
    function split(
        bytes32 id,
        uint64 revision,
        uint128[] calldata quantities,
        bytes32[][] calldata keys,
        string calldata remark
    ) external returns (bytes32[] memory ids) {
        if (quantities.length < 2 || quantities.length > PARTS_MAX || keys.length != quantities.length) {
            revert WrongCount(quantities.length);
        }
        bytes32 by = _actWith(id, revision, ReceiptRules.SPLIT, remark);
        _checkWhole(id, quantities, keys);
        ids = new bytes32[](quantities.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = keccak256(abi.encode(id, i + 1));
            _part(ids[i], id, by, quantities[i], keys[i]);
            _entries[ids[i]].part = uint16(i + 1);
        }
        delete _keys[id];
        _forget(id);
        bytes32 pledgee = _succeed(id, ids);
        _tell(id, ReceiptRules.SPLIT, by, 0, remark);
        for (uint256 i = 0; i < ids.length; ++i) _tell(ids[i], ReceiptRules.ARISE, by, id, "");
        for (uint256 i = 0; i < ids.length; ++i) _moveClaims(id, ids[i], keys[i]);
        if (pledgee != 0) Places.PLEDGES.succeeded(id, ids);
    }

    /// @dev Parts together are the whole, in quantity and in claims.
    function _checkWhole(bytes32 id, uint128[] calldata quantities, bytes32[][] calldata keys) private view {
        uint256 quantity = 0;
        uint256 claims = 0;
        for (uint256 i = 0; i < quantities.length; ++i) {
            quantity += quantities[i];
            claims += keys[i].length;
        }
        if (quantity != _entries[id].quantity) revert PartsDiffer(_entries[id].quantity, quantity);
        if (claims != _keys[id].length) revert PartsDiffer(_keys[id].length, claims);
    }

    function _part(bytes32 partId, bytes32 id, bytes32 holder, uint128 quantity, bytes32[] calldata keys) private {
        if (quantity == 0) revert InvalidQuantity(quantity);
        _arise(partId, _entries[id], id, holder, quantity);
        _keys[partId] = keys;
    }

    /// @dev A pledge goes on with what comes after.
    function _succeed(bytes32 id, bytes32[] memory successors) private returns (bytes32 pledgee) {
        pledgee = _controls[id].pledgee;
        _controls[id].pledgee = 0;
        for (uint256 i = 0; i < successors.length; ++i) _controls[successors[i]].pledgee = pledgee;
    }

    /// @inheritdoc IReceipts
    function merge(bytes32[] calldata ids, uint64[] calldata revisions, string calldata remark)
        external
        returns (bytes32 id)
    {
        uint256 count = ids.length;
        if (count < 2 || count > PARTS_MAX || revisions.length != count) revert WrongCount(count);
        id = keccak256(abi.encode(ids, revisions));
        bytes32 by = _gather(id, ids, revisions, remark);
        bytes32[][] memory keys = new bytes32[][](count);
        for (uint256 i = 0; i < count; ++i) {
            keys[i] = _takeKeys(ids[i], id);
            _tell(ids[i], ReceiptRules.MERGE, by, id, remark);
        }
        if (_keys[id].length > KEYS_MAX) revert TooManyKeys(_keys[id].length);
        _tell(id, ReceiptRules.ARISE, by, 0, "");
        for (uint256 i = 0; i < count; ++i) _moveClaims(ids[i], id, keys[i]);
    }

    /// @dev All of them end, and one begins that stands for the goods of all.
    function _gather(bytes32 id, bytes32[] calldata ids, uint64[] calldata revisions, string calldata remark)
        private
        returns (bytes32 by)
    {
        uint256 quantity = 0;
        uint48 expires = type(uint48).max;
        for (uint256 i = 0; i < ids.length; ++i) {
            by = _actWith(ids[i], revisions[i], ReceiptRules.MERGE, remark);
            Entry storage entry = _entries[ids[i]];
            _checkEqual(_entries[ids[0]], entry);
            quantity += entry.quantity;
            if (entry.expires < expires) expires = entry.expires;
            entry.successor = id;
            _forget(ids[i]);
        }
        if (quantity > type(uint128).max) revert InvalidQuantity(type(uint128).max);
        _arise(id, _entries[ids[0]], ids[0], by, uint128(quantity));
        _entries[id].expires = expires;
    }

    function _checkEqual(Entry storage left, Entry storage right) private view {
        if (left.lot != right.lot) revert GoodsDiffer(left.lot, right.lot);
        if (left.goods != right.goods) revert GoodsDiffer(left.goods, right.goods);
    }

    function _takeKeys(bytes32 from, bytes32 to) private returns (bytes32[] memory keys) {
        keys = _keys[from];
        // slither-disable-next-line costly-loop
        delete _keys[from];
        for (uint256 i = 0; i < keys.length; ++i) _keys[to].push(keys[i]);
    }

    function _moveClaims(bytes32 from, bytes32 to, bytes32[] memory keys) private {
        if (keys.length != 0) Places.CLAIMS.move(from, to, keys);
    }

    // ---- handing out --------------------------------------------------------------------------

    /// @inheritdoc IReceipts
    function requestDelivery(
        bytes32 id,
        uint64 revision,
        uint128 quantity,
        bytes32[] calldata keys,
        string calldata remark
    ) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.REQUEST_DELIVERY, remark);
        Entry storage entry = _entries[id];
        // The whole goes out against surrender of the receipt, not beside it.
        if (quantity >= entry.quantity) revert InvalidQuantity(quantity);
        bytes32 hash = _hashOf(keys);
        if (quantity == entry.requested && (quantity == 0 || hash == _requestedKeys[id])) revert Unchanged(id);
        _checkSome(id, quantity, keys);
        entry.requested = quantity;
        _requestedKeys[id] = hash;
        _tell(id, ReceiptRules.REQUEST_DELIVERY, by, hash, remark);
    }

    /// @dev Claims of the receipt, each once, and not all of them: some goods stay.
    function _checkSome(bytes32 id, uint128 quantity, bytes32[] calldata keys) private view {
        bytes32[] memory known = _keys[id];
        if (keys.length != 0 && (quantity == 0 || keys.length >= known.length)) revert KeysDiffer(id);
        for (uint256 i = 0; i < keys.length; ++i) {
            uint256 place = 0;
            while (place < known.length && known[place] != keys[i]) ++place;
            if (place == known.length || keys[i] == 0) revert KeysDiffer(id);
            known[place] = 0;
        }
    }

    function _hashOf(bytes32[] calldata keys) private pure returns (bytes32) {
        return keys.length == 0 ? bytes32(0) : keccak256(abi.encodePacked(keys));
    }

    /// @inheritdoc IReceipts
    function deliver(bytes32 id, uint64 revision, bytes32[] calldata keys, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.DELIVER, remark);
        Entry storage entry = _entries[id];
        uint128 quantity = entry.requested;
        if (quantity == 0) revert NotRequested(id);
        if (_hashOf(keys) != _requestedKeys[id]) revert KeysDiffer(id);
        entry.requested = 0;
        entry.quantity -= quantity;
        for (uint256 i = 0; i < keys.length; ++i) _removeKey(id, keys[i]);
        _tell(id, ReceiptRules.DELIVER, by, bytes32(uint256(quantity)), remark);
        Places.STOCK.deliver(entry.lot, quantity);
        if (keys.length != 0) Places.CLAIMS.release(id, keys);
    }

    function _removeKey(bytes32 id, bytes32 key) private {
        bytes32[] storage keys = _keys[id];
        uint256 last = keys.length;
        for (uint256 i = 0; i < last; ++i) {
            if (keys[i] != key) continue;
            keys[i] = keys[last - 1];
            keys.pop();
            return;
        }
    }

    /// @inheritdoc IReceipts
    function shred(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.SHRED, remark);
        _checkPurpose(id, Purpose.Delivery);
        _tell(id, ReceiptRules.SHRED, by, 0, remark);
        Places.STOCK.deliver(_entries[id].lot, _entries[id].quantity);
        _releaseKeys(id);
    }

    // ---- storage period -----------------------------------------------------------------------

    /// @inheritdoc IReceipts
    function expire(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.EXPIRE, remark);
        if (_entries[id].expires > block.timestamp) revert NotExpired(id, _entries[id].expires);
        _tell(id, ReceiptRules.EXPIRE, by, 0, remark);
    }

    /// @inheritdoc IReceipts
    function extend(bytes32 id, uint64 revision, uint48 expires, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.EXTEND, remark);
        if (expires <= block.timestamp || expires <= _entries[id].expires) revert InvalidExpiry(expires);
        _entries[id].expires = expires;
        _keepRejectable(id);
        _tell(id, ReceiptRules.EXTEND, by, 0, remark);
    }

    // ---- errors, and the other medium -----------------------------------------------------------

    /// @inheritdoc IReceipts
    function cancel(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.CANCEL, remark);
        _checkPurpose(id, Purpose.Correction);
        _tell(id, ReceiptRules.CANCEL, by, 0, remark);
        Places.STOCK.void(_entries[id].lot, _entries[id].quantity);
        _releaseKeys(id);
    }

    /// @inheritdoc IReceipts
    function replace(bytes32 id, uint64 revision, Draft calldata draft, string calldata remark)
        external
        returns (bytes32 successor)
    {
        bytes32 by = _actWith(id, revision, ReceiptRules.REPLACE, remark);
        _checkPurpose(id, Purpose.Correction);
        bytes32[] memory former = _keys[id];
        delete _keys[id];
        successor = _issue(by, draft, ReceiptRules.ARISE, _controls[id].holder, _entries[id].owner);
        _entries[successor].origin = id;
        _entries[id].successor = successor;
        bytes32[] memory successors = new bytes32[](1);
        successors[0] = successor;
        bytes32 pledgee = _succeed(id, successors);
        _tell(id, ReceiptRules.REPLACE, by, successor, remark);
        _tell(successor, ReceiptRules.ARISE, by, id, remark);
        _rebook(id, by, draft.lot, draft.quantity);
        if (former.length != 0) Places.CLAIMS.release(id, former);
        _checkSame(id, former, draft);
        if (draft.keys.length != 0) Places.CLAIMS.claim(successor, draft.keys);
        if (pledgee != 0) Places.PLEDGES.succeeded(id, successors);
    }

    /// @dev A former version takes on nothing new: no other goods, no other claims.
    function _checkSame(bytes32 id, bytes32[] memory former, Draft calldata draft) private view {
        // slither-disable-next-line incorrect-equality
        bool same = draft.goods == _entries[id].goods; // hashes
        for (uint256 i = 0; same && i < draft.keys.length; ++i) {
            uint256 place = 0;
            while (place < former.length && former[place] != draft.keys[i]) ++place;
            same = place < former.length;
        }
        if (!same) Places.checkCurrent(Places.RECEIPTS, address(this));
    }

    /// @dev The successor takes over what was reserved; only what it is for beyond that must be there, counted.
    function _rebook(bytes32 id, bytes32 warehouse, bytes32 lot, uint128 quantity) private {
        Entry storage entry = _entries[id];
        bool within = lot == entry.lot && quantity <= entry.quantity;
        uint128 freed = within ? entry.quantity - quantity : entry.quantity;
        if (freed != 0) Places.STOCK.void(entry.lot, freed);
        if (!within) Places.STOCK.reserve(lot, warehouse, quantity);
    }

    /// @inheritdoc IReceipts
    function toPaper(bytes32 id, uint64 revision, bytes32 paper, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.TO_PAPER, remark);
        _checkPurpose(id, Purpose.Paper);
        if (paper == 0) revert HashMissing();
        _tell(id, ReceiptRules.TO_PAPER, by, paper, remark);
    }

    /// @inheritdoc IReceipts
    function toElectronic(bytes32 id, uint64 revision, bytes32 owner, bytes32 holder, string calldata remark)
        external
    {
        bytes32 by = _actWith(id, revision, ReceiptRules.TO_ELECTRONIC, remark);
        _checkActive(owner);
        _checkActive(holder);
        _controls[id].holder = holder;
        _entries[id].owner = owner;
        _entries[id].purpose = Purpose.None;
        _tell(id, ReceiptRules.TO_ELECTRONIC, by, 0, remark);
        _lapse(id, by);
    }

    function _checkPurpose(bytes32 id, Purpose purpose) private view {
        if (_entries[id].purpose != purpose) revert WrongPurpose(id, _entries[id].purpose);
    }

    function _releaseKeys(bytes32 id) private {
        bytes32[] memory keys = _keys[id];
        if (keys.length == 0) return;
        delete _keys[id];
        Places.CLAIMS.release(id, keys);
    }
}
