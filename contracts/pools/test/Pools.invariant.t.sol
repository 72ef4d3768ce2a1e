// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPoolBook} from "../interfaces/IPoolBook.sol";
import {IPools} from "../interfaces/IPools.sol";
import {PoolScene} from "./PoolScene.sol";

/// @notice Random days, collections, corrections and distributions of one pool. Contracts may refuse, but never
/// break their rules: the actor counts for itself.
contract PoolActor is PoolScene {
    bytes32 public id;
    uint256 public collected;
    uint256 public distributed;
    uint256 public states;
    uint256 public confirmed;
    mapping(uint32 period => uint256) private _inPeriod;

    constructor() {
        _foundPools();
        id = _pool("CAR-1");
    }

    function commit(uint32 step, uint32 more, uint128 performing, uint128 overdue, uint128 defaulted) external {
        uint32 last = BOOK.poolOf(id).lastDate;
        uint32 date = last == 0 ? FIRST : uint32(_within(step, last - 1, last + 2));
        uint32 count = last == 0 ? 10 : BOOK.dayOf(id, last, 0).count;
        count += uint32(_within(more, 0, 2));
        IPoolBook.Day memory day = _day(
            count,
            count,
            uint128(_within(performing, 0, 1e12)),
            uint128(_within(overdue, 0, 1e11)),
            uint128(_within(defaulted, 0, 1e11))
        );
        _as(SERVICER);
        try BOOK.commit(id, date, day) {
            ++states;
        } catch {}
    }

    function collect(uint32 which, uint128 principal, uint128 income) external {
        IPools.Account memory account = POOLS.accountOf(id);
        uint32 period = uint32(_within(which, account.periods, account.periods + 3));
        uint128 a = uint128(_within(principal, 0, 3e8));
        uint128 b = uint128(_within(income, 0, 5e7));
        bytes32 payment = keccak256(abi.encode(_within(which, 0, 200)));
        _as(SERVICER);
        try POOLS.collect(id, _collection(payment, period, a, b)) {
            collected += uint256(a) + b;
            _inPeriod[period] += uint256(a) + b;
        } catch {}
    }

    function voidOne(uint256 which) external {
        IPools.Account memory account = POOLS.accountOf(id);
        if (account.collections == 0) return;
        uint256 number = _within(which, 1, account.collections);
        IPools.Collection memory content = POOLS.collectionOf(id, number);
        _as(TRUSTEE);
        try POOLS.voidCollection(id, number, "came back") {
            collected -= uint256(content.principal) + content.income;
            _inPeriod[content.period] -= uint256(content.principal) + content.income;
        } catch {}
    }

    function distribute(uint32 step) external {
        IPools.Account memory account = POOLS.accountOf(id);
        uint32 period = account.periods + 1;
        uint32 last = BOOK.poolOf(id).lastDate;
        if (last == 0) return;
        uint32 end = uint32(_within(step, last > 3 ? last - 3 : 1, last));
        _as(TRUSTEE);
        try POOLS.distribute(id, period, end, POOLS.openOf(id, period).revision) {
            IPools.Distribution memory shared = POOLS.distributionOf(id, period);
            require(shared.collected == _inPeriod[period], "another period's money");
            distributed += shared.collected;
        } catch {}
    }

    function confirm(uint256 which, uint256 settled) external {
        IPools.Account memory account = POOLS.accountOf(id);
        uint256 number = _within(which, 0, account.payments + 1);
        _as(TRUSTEE);
        try POOLS.confirm(id, number, keccak256(abi.encode(_within(settled, 0, 500)))) {
            ++confirmed;
        } catch {}
    }

    function assign(uint256 tranche, uint256 from, uint256 to, uint128 units) external {
        bytes32[3] memory funds = [TRADER, MILL, SUPPLIER];
        _as(funds[from % 3]);
        try BOOK.assign(id, tranche % 2, funds[to % 3], uint128(_within(units, 0, SENIOR))) {} catch {}
    }
}

contract PoolInvariants is PoolScene {
    PoolActor private _actor;

    function setUp() public {
        _actor = new PoolActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = PoolActor.commit.selector;
        selectors[1] = PoolActor.collect.selector;
        selectors[2] = PoolActor.voidOne.selector;
        selectors[3] = PoolActor.distribute.selector;
        selectors[4] = PoolActor.confirm.selector;
        selectors[5] = PoolActor.assign.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_actor), selectors);
    }

    /// @notice Everything that was distributed is somebody's payment; what was not is still in the pool.
    function invariant_moneyIsConserved() public view {
        bytes32 id = _actor.id();
        IPools.Account memory account = POOLS.accountOf(id);
        uint256 paid = 0;
        for (uint256 i = 1; i <= account.payments; ++i) paid += POOLS.paymentOf(id, i).amount;
        vm.assertEq(paid, _actor.distributed(), "paid is distributed");
        uint256 open = 0;
        for (uint256 i = 1; i < 3; ++i) {
            IPools.Open memory rest = POOLS.openOf(id, account.periods + i);
            open += uint256(rest.principal) + rest.income;
        }
        vm.assertEq(_actor.distributed() + open, _actor.collected(), "distributed and open are collected");
    }

    /// @notice Nobody is repaid more than he has given, and what is short is still owed.
    function invariant_principalIsNeverNegative() public view {
        bytes32 id = _actor.id();
        IPoolBook.Tranche[] memory tranches = BOOK.tranchesOf(id);
        (IPools.Owed[] memory owed,) = POOLS.owedOf(id);
        uint256 outstanding = 0;
        for (uint256 i = 0; i < tranches.length; ++i) {
            vm.assertTrue(owed[i].repaid <= tranches[i].principal, "repaid");
            outstanding += tranches[i].principal - owed[i].repaid;
        }
        vm.assertTrue(POOLS.accountOf(id).shortfall <= outstanding, "shortfall");
    }

    /// @notice As many dates as commits, without gap; a date has one state that nobody corrected.
    function invariant_aDateIsCommittedOnce() public view {
        bytes32 id = _actor.id();
        uint32 last = BOOK.poolOf(id).lastDate;
        vm.assertEq(_actor.states(), last == 0 ? 0 : last - FIRST + 1, "dates");
        for (uint32 date = FIRST; date <= last; ++date) {
            vm.assertEq(BOOK.revisionsOf(id, date), 1, "states of a date");
        }
    }

    /// @notice Units of a tranche are its principal, whoever holds them.
    function invariant_unitsAreThePrincipal() public view {
        bytes32 id = _actor.id();
        IPoolBook.Tranche[] memory tranches = BOOK.tranchesOf(id);
        for (uint256 i = 0; i < tranches.length; ++i) {
            (, uint256[] memory units) = BOOK.holdersOf(id, i);
            uint256 sum = 0;
            for (uint256 j = 0; j < units.length; ++j) sum += units[j];
            vm.assertEq(sum, tranches[i].principal, "units");
        }
    }

    function invariant_aPaymentIsConfirmedOnce() public view {
        IPools.Account memory account = POOLS.accountOf(_actor.id());
        vm.assertEq(account.payments - account.unconfirmed, _actor.confirmed(), "confirmed");
    }
}
