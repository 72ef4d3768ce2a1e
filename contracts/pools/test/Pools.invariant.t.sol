// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPoolBook} from "../interfaces/IPoolBook.sol";
import {IPools} from "../interfaces/IPools.sol";
import {PoolActor} from "./PoolActor.sol";
import {PoolScene} from "./PoolScene.sol";

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
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_actor), _actor.selectors());
    }

    /// @notice The judgement is worth what gets through to be judged.
    function test_every_act_goes_through() public {
        bytes4[] memory list = _actor.selectors();
        uint256 random = 7;
        for (uint256 i = 0; i < 2_000; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            bytes memory data = abi.encodePacked(
                list[random % list.length], abi.encode(keccak256(abi.encode(random)), random >> 8)
            );
            // slither-disable-next-line low-level-calls
            (bool ok,) = address(_actor).call(data);
            require(ok, "an actor failed");
        }
        uint256 missing;
        for (uint256 i = 0; i < list.length; ++i) {
            if (_actor.done(list[i]) == 0) missing |= 1 << i;
        }
        vm.assertEq(missing, 0, "acts that never went through, by bit");
        invariant_moneyIsConserved();
        afterInvariant();
    }

    /// @notice Everything that was distributed is somebody's payment; what was not is still in the pool.
    function invariant_moneyIsConserved() public view {
        for (uint256 pool = 0; pool < _actor.POOL_COUNT(); ++pool) {
            bytes32 id = _actor.ids(pool);
            IPools.Account memory account = POOLS.accountOf(id);
            uint256 paid = 0;
            for (uint256 i = 1; i <= account.payments; ++i) paid += POOLS.paymentOf(id, i).amount;
            vm.assertEq(paid, _actor.distributed(pool), "paid is distributed");
            uint256 open = 0;
            for (uint256 i = 1; i < 3; ++i) {
                IPools.Open memory rest = POOLS.openOf(id, account.periods + i);
                open += uint256(rest.principal) + rest.income;
            }
            vm.assertEq(_actor.distributed(pool) + open, _actor.collected(pool), "distributed and open are collected");
        }
    }

    /// @notice At the end of each run, all else is counted again.
    function afterInvariant() public view {
        _principalIsNeverNegative();
        _aDateIsCommittedOnce();
        _unitsAreThePrincipal();
        _aPaymentIsConfirmedOnce();
        _anInstrumentStandsInOnePool();
    }

    /// @dev Nobody is repaid more than he has given, and what is short is still owed.
    function _principalIsNeverNegative() private view {
        for (uint256 pool = 0; pool < _actor.POOL_COUNT(); ++pool) {
            bytes32 id = _actor.ids(pool);
            IPoolBook.Tranche[] memory tranches = BOOK.tranchesOf(id);
            (IPools.Owed[] memory owed,) = POOLS.owedOf(id);
            for (uint256 i = 0; i < tranches.length; ++i) {
                vm.assertTrue(owed[i].repaid <= tranches[i].principal, "repaid");
            }
            vm.assertTrue(POOLS.accountOf(id).shortfall <= _actor.outstanding(pool), "shortfall");
        }
    }

    /// @dev As many dates as commits, without gap; a date has one state, and one more for each correction. No asset
    /// vanishes from one date to the next, whatever was corrected.
    function _aDateIsCommittedOnce() private view {
        for (uint256 pool = 0; pool < _actor.POOL_COUNT(); ++pool) {
            bytes32 id = _actor.ids(pool);
            uint32 last = BOOK.poolOf(id).lastDate;
            vm.assertEq(_actor.states(pool), last == 0 ? 0 : last - FIRST + 1, "dates");
            uint32 count = 0;
            for (uint32 date = FIRST; date <= last; ++date) {
                vm.assertTrue(BOOK.dayOf(id, date, 0).count >= count, "an asset has vanished");
                count = BOOK.dayOf(id, date, 0).count;
                vm.assertEq(BOOK.revisionsOf(id, date), 1 + _actor.corrections(pool, date), "states of a date");
            }
        }
    }

    /// @dev Units of a tranche are its principal, whoever holds them.
    function _unitsAreThePrincipal() private view {
        for (uint256 pool = 0; pool < _actor.POOL_COUNT(); ++pool) {
            bytes32 id = _actor.ids(pool);
            IPoolBook.Tranche[] memory tranches = BOOK.tranchesOf(id);
            for (uint256 i = 0; i < tranches.length; ++i) {
                (, uint256[] memory units) = BOOK.holdersOf(id, i);
                uint256 sum = 0;
                for (uint256 j = 0; j < units.length; ++j) sum += units[j];
                vm.assertEq(sum, tranches[i].principal, "units");
            }
        }
    }

    function _aPaymentIsConfirmedOnce() private view {
        for (uint256 pool = 0; pool < _actor.POOL_COUNT(); ++pool) {
            IPools.Account memory account = POOLS.accountOf(_actor.ids(pool));
            vm.assertEq(account.payments - account.unconfirmed, _actor.confirmed(pool), "confirmed");
        }
    }

    function _anInstrumentStandsInOnePool() private view {
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 asset = _actor.assets(i);
            vm.assertEq(BOOK.poolOfAsset(address(RECEIPTS), asset), _actor.standsIn(asset), "where it stands");
        }
    }
}
