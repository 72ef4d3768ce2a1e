// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {IPoolBook} from "../interfaces/IPoolBook.sol";
import {LeafTree} from "../libraries/LeafTree.sol";
import {PoolPlaces} from "../libraries/PoolPlaces.sol";
import {PoolBase} from "./PoolBase.sol";

/// @title The assets of pools, day by day
abstract contract PoolDays is IPoolBook, PoolBase {
    bytes32 internal constant POOL_BOOK = "pool-book";
    uint256 private constant REVISIONS_MAX = 64;
    uint256 private constant ADMITTED_MAX = 64;

    mapping(bytes32 id => Pool) internal _pools;
    mapping(bytes32 id => mapping(uint32 date => Day[])) private _days;
    mapping(bytes32 id => uint256 count) internal _admitted;

    function _in(bytes32 id, State state) internal view returns (Pool storage pool) {
        pool = _pools[id];
        _checkState(id, pool.state, state);
    }

    /// @dev The active pool of which the caller is the servicer.
    function _servicer(bytes32 id) private view returns (Pool storage pool, bytes32 by) {
        pool = _in(id, State.Active);
        by = _caller();
        if (by != pool.terms.servicer) revert NotOffice(id, by);
    }

    // ---- states -------------------------------------------------------------------------------

    /// @inheritdoc IPoolBook
    function commit(bytes32 id, uint32 date, Day calldata day) external {
        (Pool storage pool, bytes32 by) = _servicer(id);
        uint32 last = pool.lastDate;
        if (last == 0) _checkFirst(id, date, pool.terms.start);
        else if (date != last + 1) revert WrongDate(id, date, last + 1);
        _checkDate(date);
        _checkDay(pool, day);
        if (last != 0) _checkGrowth(pool, date, _newest(id, last), day);
        pool.lastDate = date;
        _days[id][date].push(day);
        emit DayCommitted(id, date, by, 1, day, "");
    }

    /// @dev Every date behind the first one has its state: one long before the pool's start would put the day by which
    /// is shared out that many states away, and one too long after it would lie behind the longest first period.
    function _checkFirst(bytes32 id, uint32 date, uint32 start) private pure {
        if (date < start) revert WrongDate(id, date, start);
        if (date - start > PERIOD_DAYS_MAX) revert WrongDate(id, date, start + PERIOD_DAYS_MAX);
    }

    /// @inheritdoc IPoolBook
    function correct(bytes32 id, uint32 date, Day calldata day, string calldata reason) external {
        (Pool storage pool, bytes32 by) = _servicer(id);
        _checkReason(reason);
        Day[] storage states = _days[id][date];
        if (states.length == 0) revert UnknownDay(id, date);
        if (states.length == REVISIONS_MAX) revert TooManyRevisions(id, date);
        _checkDay(pool, day);
        uint32 before = date - 1;
        if (_days[id][before].length != 0) _checkGrowth(pool, date, _newest(id, before), day);
        if (date != pool.lastDate) _checkGrowth(pool, date + 1, day, _newest(id, date + 1));
        states.push(day);
        emit DayCommitted(id, date, by, uint16(states.length), day, reason);
    }

    function _newest(bytes32 id, uint32 date) private view returns (Day storage) {
        Day[] storage states = _days[id][date];
        if (states.length == 0) revert UnknownDay(id, date);
        return states[states.length - 1];
    }

    function _checkDay(Pool storage pool, Day calldata day) private view {
        if (day.root == 0) revert InvalidDay("root");
        if (day.count == 0 || day.count > pool.terms.limits.assetsMax) revert InvalidDay("count");
        if (day.changed > day.count || (day.delta == 0) != (day.changed == 0)) revert InvalidDay("changed");
        if (uint256(day.performing) + day.overdue > pool.terms.limits.balanceMax) revert InvalidDay("balance");
        if (day.defaulted > AMOUNT_MAX) revert InvalidDay("defaulted");
    }

    /// @dev Assets never vanish from the tree, and none are added behind the revolving period.
    function _checkGrowth(Pool storage pool, uint32 date, Day memory before, Day memory day) private view {
        if (day.count < before.count) revert InvalidDay("count");
        if (day.count > before.count && date > pool.terms.limits.admitUntil) revert InvalidDay("count");
        if (day.changed < day.count - before.count) revert InvalidDay("changed");
        if (day.changed == 0 && day.root != before.root) revert InvalidDay("changed");
    }

    /// @inheritdoc IPoolBook
    function verify(
        bytes32 id,
        uint32 date,
        uint16 revision,
        Asset calldata asset,
        uint256 index,
        bytes32[] calldata path
    ) external view returns (bool) {
        Day memory day = dayOf(id, date, revision);
        bytes memory leaf =
            abi.encodePacked(asset.id, asset.kind, asset.balance, asset.state, asset.daysPastDue, asset.terms);
        return LeafTree.includes(LeafTree.leafHash(leaf), index, day.count, path, day.root);
    }

    // ---- instruments of this ledger ---------------------------------------------------------------

    /// @inheritdoc IPoolBook
    // Claims and the instruments are contracts of the members' choice and call nobody back.
    // slither-disable-next-line reentrancy-benign,reentrancy-events
    function admit(bytes32 id, address instrument, bytes32[] calldata assets) external {
        (Pool storage pool,) = _servicer(id);
        if (!Places.isInstrument(instrument)) revert NotInstrument(instrument);
        _checkAssetCount(assets.length);
        bytes32[] memory keys = new bytes32[](assets.length);
        for (uint256 i = 0; i < assets.length; ++i) {
            bytes32 other = poolOfAsset(instrument, assets[i]);
            if (other != 0) revert AssetInPool(instrument, assets[i], other);
            IInstrument.Control memory control = IInstrument(instrument).control(assets[i]);
            if (control.holder != pool.terms.trustee || control.pledgee != 0 || control.freezes != 0 || control.locked)
            {
                revert AssetNotFree(instrument, assets[i]);
            }
            keys[i] = _keyOf(instrument, assets[i]);
        }
        _admitted[id] += assets.length;
        emit AssetsAdmitted(id, instrument, assets);
        PoolPlaces.ROOMS.hold(id, keys);
    }

    /// @inheritdoc IPoolBook
    function dismiss(bytes32 id, address instrument, bytes32[] calldata assets, string calldata reason) external {
        _checkDismisser(id);
        _checkReason(reason);
        _checkAssetCount(assets.length);
        bytes32[] memory keys = new bytes32[](assets.length);
        for (uint256 i = 0; i < assets.length; ++i) {
            bytes32 found = poolOfAsset(instrument, assets[i]);
            if (found != id) revert AssetInPool(instrument, assets[i], found);
            keys[i] = _keyOf(instrument, assets[i]);
        }
        _admitted[id] -= assets.length;
        emit AssetsDismissed(id, instrument, assets, reason);
        PoolPlaces.ROOMS.free(id, keys);
    }

    /// @dev The servicer; of a pool that is closed the trustee as well, so that nothing stays in it for ever.
    function _checkDismisser(bytes32 id) private view {
        Pool storage pool = _pools[id];
        bool closed = pool.state == State.Closed;
        if (!closed) _checkState(id, pool.state, State.Active);
        bytes32 by = _caller();
        if (by != pool.terms.servicer && !(closed && by == pool.terms.trustee)) revert NotOffice(id, by);
    }

    /// @dev Among what all versions of this contract claim.
    function _keyOf(address instrument, bytes32 asset) private pure returns (bytes32) {
        return keccak256(abi.encode(instrument, asset));
    }

    function _checkAssetCount(uint256 count) private pure {
        if (count == 0 || count > ADMITTED_MAX) revert WrongAssetCount(count);
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IPoolBook
    function dayOf(bytes32 id, uint32 date, uint16 revision) public view returns (Day memory) {
        Day[] storage states = _days[id][date];
        if (states.length == 0 || revision > states.length) revert UnknownDay(id, date);
        return states[(revision == 0 ? states.length : revision) - 1];
    }

    /// @inheritdoc IPoolBook
    function revisionsOf(bytes32 id, uint32 date) public view returns (uint16) {
        return uint16(_days[id][date].length);
    }

    /// @inheritdoc IPoolBook
    function poolOfAsset(address instrument, bytes32 asset) public view returns (bytes32) {
        return PoolPlaces.ROOMS.heldIn(POOL_BOOK, _keyOf(instrument, asset)).id;
    }
}
