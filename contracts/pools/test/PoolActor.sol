// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPoolBook} from "../interfaces/IPoolBook.sol";
import {IPoolBase} from "../interfaces/IPoolBase.sol";
import {IPools} from "../interfaces/IPools.sol";
import {NotingSettlement} from "./NotingSettlement.sol";
import {PoolScene} from "./PoolScene.sol";

/// @notice Random acts in three pools: two of one trustee and servicer, and one of others, who name what is not
/// theirs. Contracts may refuse, but never break their rules: the actor counts for itself, and what a rightful office
/// may do must go through whatever those of another pool have done.
contract PoolActor is PoolScene {
    uint256 public constant POOL_COUNT = 3;
    bytes32 private constant OTHER_TRUSTEE = MILL;
    bytes32 private constant OTHER_SERVICER = SUPPLIER;

    bytes32[3] public ids;
    bytes32[3] public assets;
    NotingSettlement private _settlement;
    mapping(bytes4 act => uint256) public done;
    mapping(uint256 pool => uint256) public collected;
    mapping(uint256 pool => uint256) public distributed;
    mapping(uint256 pool => uint256) public states;
    mapping(uint256 pool => uint256) public confirmed;
    mapping(uint256 pool => mapping(uint32 date => uint256)) public corrections;
    mapping(bytes32 asset => bytes32 id) public standsIn;
    mapping(uint256 pool => mapping(uint256 period => uint256)) private _inPeriod;
    mapping(bytes32 trustee => mapping(bytes32 payment => bool)) private _counted;
    mapping(bytes32 trustee => mapping(bytes32 settled => bool)) private _named;

    constructor() {
        _foundPools();
        _settlement = new NotingSettlement();
        _register("settlement", address(_settlement));
        ids[0] = _pool("CAR-1");
        ids[1] = _pool("CAR-2");
        ids[2] = _poolOf("CAR-3", OTHER_TRUSTEE, OTHER_SERVICER);
        bytes32 lot = _lot("lot 1", 1_000);
        for (uint256 i = 0; i < 3; ++i) {
            assets[i] = _issued(bytes32(bytes1(uint8(65 + i))), lot, 100);
            bytes32 to = i == 2 ? OTHER_TRUSTEE : TRUSTEE;
            _as(TRADER);
            RECEIPTS.transferBoth(assets[i], 0, to, to, "");
        }
    }

    function selectors() public pure returns (bytes4[] memory list) {
        bytes4[13] memory all = [
            this.commit.selector,
            this.correct.selector,
            this.collect.selector,
            this.voidOne.selector,
            this.distribute.selector,
            this.pay.selector,
            this.confirm.selector,
            this.assign.selector,
            this.admit.selector,
            this.dismiss.selector,
            this.close.selector,
            this.repayAll.selector,
            this.writeOff.selector
        ];
        list = new bytes4[](all.length);
        for (uint256 i = 0; i < all.length; ++i) list[i] = all[i];
    }

    function _trusteeOf(uint256 pool) private pure returns (bytes32) {
        return pool == 2 ? OTHER_TRUSTEE : TRUSTEE;
    }

    function _servicerOf(uint256 pool) private pure returns (bytes32) {
        return pool == 2 ? OTHER_SERVICER : SERVICER;
    }

    function _isActive(uint256 pool) private view returns (bool) {
        return BOOK.poolOf(ids[pool]).state == IPoolBase.State.Active;
    }

    // ---- assets -------------------------------------------------------------------------------

    function commit(uint256 seed, uint256 step) external {
        uint256 pool = seed % POOL_COUNT;
        uint32 last = BOOK.poolOf(ids[pool]).lastDate;
        uint32 date = last == 0 ? FIRST : uint32(_within(step, last - 1, last + 2));
        IPoolBook.Day memory day = _state(pool, seed >> 8);
        _as(_servicerOf(pool));
        try BOOK.commit(ids[pool], date, day) {
            ++states[pool];
            ++done[this.commit.selector];
        } catch {}
    }

    function correct(uint256 seed, uint256 step) external {
        uint256 pool = seed % POOL_COUNT;
        uint32 last = BOOK.poolOf(ids[pool]).lastDate;
        if (last == 0) return;
        uint32 date = uint32(_within(step, FIRST, last));
        IPoolBook.Day memory day = _state(pool, seed >> 8);
        uint32 had = BOOK.dayOf(ids[pool], date, 0).count;
        day.count = uint32(_within(seed >> 192, had - 2, had + 2));
        day.changed = day.count;
        _as(_servicerOf(pool));
        try BOOK.correct(ids[pool], date, day, "a wrong file") {
            ++corrections[pool][date];
            ++done[this.correct.selector];
        } catch {}
    }

    function _state(uint256 pool, uint256 seed) private view returns (IPoolBook.Day memory) {
        uint32 last = BOOK.poolOf(ids[pool]).lastDate;
        uint32 count = last == 0 ? 10 : BOOK.dayOf(ids[pool], last, 0).count;
        count += uint32(seed % 3);
        uint128 performing = uint128((seed >> 8) % 1e12);
        return _day(count, count, performing, uint128((seed >> 64) % 1e11), uint128((seed >> 128) % 1e11));
    }

    function admit(uint256 seed, uint256 which) external {
        uint256 pool = seed % POOL_COUNT;
        bytes32[] memory one = _oneOf(which);
        _as(_servicerOf(pool));
        try BOOK.admit(ids[pool], address(RECEIPTS), one) {
            require(standsIn[one[0]] == 0, "in two pools");
            standsIn[one[0]] = ids[pool];
            ++done[this.admit.selector];
        } catch {
            bool free = standsIn[one[0]] == 0 && (which % 3 == 2) == (pool == 2);
            require(!free || !_isActive(pool), "a free instrument of the trustee's was not taken");
        }
    }

    function dismiss(uint256 seed, uint256 which) external {
        uint256 pool = seed % POOL_COUNT;
        bytes32[] memory one = _oneOf(which);
        // Of a pool that is closed the trustee does it as well.
        _as(_isActive(pool) ? _servicerOf(pool) : _trusteeOf(pool));
        try BOOK.dismiss(ids[pool], address(RECEIPTS), one, "sold") {
            require(standsIn[one[0]] == ids[pool], "another pool's");
            standsIn[one[0]] = 0;
            ++done[this.dismiss.selector];
        } catch {
            require(standsIn[one[0]] != ids[pool], "it stays in the pool");
        }
    }

    function _oneOf(uint256 which) private view returns (bytes32[] memory one) {
        one = new bytes32[](1);
        one[0] = assets[which % 3];
    }

    // ---- money in -----------------------------------------------------------------------------

    /// @dev All pools' servicers name payments out of the same few.
    function collect(uint256 seed, uint256 name) external {
        uint256 pool = seed % POOL_COUNT;
        uint256 periods = POOLS.accountOf(ids[pool]).periods;
        _collect(pool, keccak256(abi.encode(name % 90)), periods + (seed >> 8) % 4, (seed >> 16) % 3e8, (seed >> 64) % 5e7);
    }

    function _collect(uint256 pool, bytes32 payment, uint256 period, uint256 principal, uint256 income) private {
        uint256 periods = POOLS.accountOf(ids[pool]).periods;
        bool known = _counted[_trusteeOf(pool)][payment];
        _as(_servicerOf(pool));
        try POOLS.collect(ids[pool], _collection(payment, uint32(period), uint128(principal), uint128(income))) {
            require(!known, "counted twice");
            _counted[_trusteeOf(pool)][payment] = true;
            collected[pool] += principal + income;
            _inPeriod[pool][period] += principal + income;
            ++done[this.collect.selector];
        } catch {
            bool right = period > periods && period < periods + 3 && principal + income != 0 && _isActive(pool);
            require(known || !right, "another pool is in the way");
        }
    }

    function voidOne(uint256 seed, uint256 which) external {
        uint256 pool = seed % POOL_COUNT;
        IPools.Account memory account = POOLS.accountOf(ids[pool]);
        if (account.collections == 0) return;
        uint256 number = _within(which, 1, account.collections);
        IPools.Collection memory content = POOLS.collectionOf(ids[pool], number);
        _as(_trusteeOf(pool));
        try POOLS.voidCollection(ids[pool], number, "came back") {
            uint256 sum = uint256(content.principal) + content.income;
            _counted[_trusteeOf(pool)][content.payment] = false;
            collected[pool] -= sum;
            _inPeriod[pool][content.period] -= sum;
            ++done[this.voidOne.selector];
        } catch {}
    }

    function distribute(uint256 seed, uint256 step) external {
        uint256 pool = seed % POOL_COUNT;
        uint32 last = BOOK.poolOf(ids[pool]).lastDate;
        if (last != 0) _distribute(pool, uint32(_within(step, last - 3, last)));
    }

    function _distribute(uint256 pool, uint32 end) private {
        uint256 period = uint256(POOLS.accountOf(ids[pool]).periods) + 1;
        uint256 revision = POOLS.openOf(ids[pool], period).revision;
        _as(_trusteeOf(pool));
        try POOLS.distribute(ids[pool], period, end, revision) {
            IPools.Distribution memory shared = POOLS.distributionOf(ids[pool], period);
            require(shared.collected == _inPeriod[pool][period], "another period's money");
            distributed[pool] += shared.collected;
            ++done[this.distribute.selector];
        } catch {}
    }

    // ---- money out ----------------------------------------------------------------------------

    function pay(uint256 seed, uint256 which) external {
        uint256 pool = seed % POOL_COUNT;
        uint256 count = POOLS.accountOf(ids[pool]).payments;
        if (count != 0) _payOne(pool, _within(which, 1, count));
    }

    /// @dev Settlement pays whatever it is asked: nothing may be in the way.
    function _payOne(uint256 pool, uint256 number) private {
        if (POOLS.paymentOf(ids[pool], number).settled != 0) return;
        uint256[] memory numbers = new uint256[](1);
        numbers[0] = number;
        _as(_trusteeOf(pool));
        POOLS.pay(ids[pool], numbers, _trusteeOf(pool));
        _named[_trusteeOf(pool)][POOLS.paymentOf(ids[pool], numbers[0]).settled] = true;
        ++confirmed[pool];
        ++done[this.pay.selector];
    }

    /// @dev Every other time by an id that Settlement gives next, to a payment of whichever pool.
    function confirm(uint256 seed, uint256 which) external {
        uint256 pool = seed % POOL_COUNT;
        uint256 number = _within(which, 0, POOLS.accountOf(ids[pool]).payments + 1);
        bytes32 settled = keccak256(abi.encode((seed >> 8) % 500));
        if ((seed >> 32) % 2 == 0) settled = _settlement.nextFor(ids[(seed >> 40) % POOL_COUNT]);
        _as(_trusteeOf(pool));
        try POOLS.confirm(ids[pool], number, settled) {
            require(!_named[_trusteeOf(pool)][settled], "one entry for two payments");
            _named[_trusteeOf(pool)][settled] = true;
            ++confirmed[pool];
            ++done[this.confirm.selector];
        } catch {}
    }

    // ---- holders, and the end -----------------------------------------------------------------

    function assign(uint256 seed, uint256 units) external {
        bytes32[3] memory funds = [TRADER, MILL, SUPPLIER];
        _as(funds[(seed >> 8) % 3]);
        uint128 some = uint128(_within(units, 0, SENIOR));
        try BOOK.assign(ids[seed % POOL_COUNT], (seed >> 16) % 2, funds[(seed >> 24) % 3], some) {
            ++done[this.assign.selector];
        } catch {}
    }

    function close(uint256 seed) external {
        uint256 pool = seed % POOL_COUNT;
        uint256 owed = outstanding(pool);
        // Now and then before its first state, so that pools live.
        if (BOOK.poolOf(ids[pool]).lastDate == 0 && (seed >> 8) % 32 != 0) return;
        _as(_trusteeOf(pool));
        try BOOK.close(ids[pool], "") {
            require(owed == 0 || _nothingIsLeft(pool), "principal is owed");
            ++done[this.close.selector];
        } catch {}
    }

    /// @dev What repays all principal; now and then, so that pools live on.
    function repayAll(uint256 seed) external {
        uint256 pool = (seed >> 8) % POOL_COUNT;
        if (seed % 64 != 0 || !_isActive(pool)) return;
        uint256 next = uint256(POOLS.accountOf(ids[pool]).periods) + 1;
        _collect(pool, keccak256(abi.encode("the rest", pool, next)), next, outstanding(pool), 1e9);
        _next(pool, 1e9);
        _payAll(pool);
        require(outstanding(pool) == 0, "all is repaid");
        ++done[this.repayAll.selector];
    }

    /// @dev A pool of which nothing is left; now and then.
    function writeOff(uint256 seed) external {
        uint256 pool = (seed >> 8) % POOL_COUNT;
        if (seed % 64 != 0 || !_isActive(pool)) return;
        for (uint256 i = 0; i < 3; ++i) this.dismiss(pool, i);
        _next(pool, 0);
        _payAll(pool);
        ++done[this.writeOff.selector];
    }

    /// @dev Two more dates and periods, so that nothing that was collected is left.
    function _next(uint256 pool, uint128 performing) private {
        for (uint256 i = 0; i < 2; ++i) {
            uint32 last = BOOK.poolOf(ids[pool]).lastDate;
            uint32 date = last == 0 ? FIRST : last + 1;
            uint32 count = last == 0 ? 10 : BOOK.dayOf(ids[pool], last, 0).count;
            _as(_servicerOf(pool));
            BOOK.commit(ids[pool], date, _day(count, count, performing, 0, 0));
            ++states[pool];
            _distribute(pool, date);
        }
    }

    function _payAll(uint256 pool) private {
        uint256 count = POOLS.accountOf(ids[pool]).payments;
        for (uint256 number = 1; number <= count; ++number) _payOne(pool, number);
        require(POOLS.isSettled(ids[pool]), "all is paid out");
    }

    function outstanding(uint256 pool) public view returns (uint256 sum) {
        IPoolBook.Tranche[] memory tranches = BOOK.tranchesOf(ids[pool]);
        (IPools.Owed[] memory owed,) = POOLS.owedOf(ids[pool]);
        for (uint256 i = 0; i < tranches.length; ++i) sum += tranches[i].principal - owed[i].repaid;
    }

    function _nothingIsLeft(uint256 pool) private view returns (bool) {
        for (uint256 i = 0; i < 3; ++i) {
            if (standsIn[assets[i]] == ids[pool]) return false;
        }
        uint32 last = BOOK.poolOf(ids[pool]).lastDate;
        if (last == 0) return POOLS.openOf(ids[pool], 1).principal + POOLS.openOf(ids[pool], 2).principal == 0;
        IPoolBook.Day memory day = BOOK.dayOf(ids[pool], last, 0);
        bool empty = uint256(day.performing) + day.overdue + day.defaulted == 0;
        return empty && POOLS.accountOf(ids[pool]).periodEnd == last;
    }
}
