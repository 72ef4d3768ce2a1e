// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IPoolBase} from "../interfaces/IPoolBase.sol";
import {IPoolBook} from "../interfaces/IPoolBook.sol";
import {IPools} from "../interfaces/IPools.sol";
import {Waterfall} from "../libraries/Waterfall.sol";
import {NotingSettlement} from "./NotingSettlement.sol";
import {PoolScene} from "./PoolScene.sol";

contract PoolsTest is PoolScene {
    bytes32 private _id;

    function setUp() public {
        _foundPools();
        _id = _pool("CAR-1");
    }

    function test_aDateIsCommittedOnce() public {
        IPoolBook.Day memory day = _day(10, 10, 1e9, 0, 0);
        _as(SERVICER);
        BOOK.commit(_id, FIRST, day);
        for (uint32 date = FIRST - 1; date < FIRST + 4; ++date) {
            if (date == FIRST + 1) continue;
            vm.expectRevert(abi.encodeWithSelector(IPoolBase.WrongDate.selector, _id, date, FIRST + 1));
            _as(SERVICER);
            BOOK.commit(_id, date, day);
        }
    }

    function test_theFirstStateLiesNotBeforeThePoolsStart() public {
        IPoolBook.Day memory day = _day(10, 10, 1e9, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IPoolBase.WrongDate.selector, _id, 1, START));
        _as(SERVICER);
        BOOK.commit(_id, 1, day);
        _as(SERVICER);
        BOOK.commit(_id, START, day);
    }

    function test_instrumentsStandInOnePool() public {
        bytes32 key = _lot("lot 1", 1_000);
        bytes32[] memory assets = new bytes32[](1);
        assets[0] = _issued("R-1", key, 100);
        vm.expectRevert(abi.encodeWithSelector(IPoolBook.AssetNotFree.selector, address(RECEIPTS), assets[0]));
        _as(SERVICER);
        BOOK.admit(_id, address(RECEIPTS), assets);
        _as(TRADER);
        RECEIPTS.transferBoth(assets[0], 0, TRUSTEE, TRUSTEE, "");
        _as(SERVICER);
        BOOK.admit(_id, address(RECEIPTS), assets);
        vm.assertEq(BOOK.poolOfAsset(address(RECEIPTS), assets[0]), _id, "in the pool");
        bytes32 other = _pool("CAR-2");
        vm.expectRevert(
            abi.encodeWithSelector(IPoolBook.AssetInPool.selector, address(RECEIPTS), assets[0], _id)
        );
        _as(SERVICER);
        BOOK.admit(other, address(RECEIPTS), assets);
        _as(SERVICER);
        BOOK.dismiss(_id, address(RECEIPTS), assets, "sold");
        _as(SERVICER);
        BOOK.admit(other, address(RECEIPTS), assets);
        vm.expectRevert(abi.encodeWithSelector(IPoolBook.NotInstrument.selector, address(STOCK)));
        _as(SERVICER);
        BOOK.admit(_id, address(STOCK), assets);
    }

    function test_aPledgedInstrumentIsNotTaken() public {
        bytes32[] memory assets = new bytes32[](1);
        assets[0] = _issued("R-1", _lot("lot 1", 1_000), 100);
        _as(TRADER);
        RECEIPTS.transferBoth(assets[0], 0, TRUSTEE, TRUSTEE, "");
        _pledged(address(RECEIPTS), assets[0], BANK);
        vm.expectRevert(abi.encodeWithSelector(IPoolBook.AssetNotFree.selector, address(RECEIPTS), assets[0]));
        _as(SERVICER);
        BOOK.admit(_id, address(RECEIPTS), assets);
    }

    function test_paymentsGoThroughSettlementOnceAllOrNone() public {
        NotingSettlement settlement = new NotingSettlement();
        _register("settlement", address(settlement));
        IPools.Distribution memory shared = _distributed(1_000_000_00, 100_000_00);
        uint256[] memory numbers = new uint256[](shared.payments);
        for (uint256 i = 0; i < numbers.length; ++i) numbers[i] = i + 1;
        settlement.refuse(true);
        vm.expectRevert("no money");
        _as(TRUSTEE);
        POOLS.pay(_id, numbers, TRUSTEE);
        vm.assertEq(POOLS.accountOf(_id).unconfirmed, shared.payments, "nothing was paid");
        settlement.refuse(false);
        vm.expectRevert(abi.encodeWithSelector(IPoolBase.NotOffice.selector, _id, SERVICER));
        _as(SERVICER);
        POOLS.pay(_id, numbers, SERVICER);
        _as(TRUSTEE);
        POOLS.pay(_id, numbers, TRUSTEE);
        // The trustee keeps its own fee.
        IPools.Payment memory kept = POOLS.paymentOf(_id, 1);
        vm.assertEq(kept.payee, TRUSTEE, "its fee");
        vm.assertEq(settlement.paid(), shared.collected - kept.amount, "all else was paid");
        vm.assertEq(settlement.lastNumber(), bytes32("6"), "the statement names the payment");
        vm.assertTrue(POOLS.isSettled(_id), "nothing is left");
        vm.expectRevert(abi.encodeWithSelector(IPools.PaymentConfirmedAlready.selector, _id, 1));
        _as(TRUSTEE);
        POOLS.pay(_id, numbers, TRUSTEE);
    }

    function _distributed(uint128 principal, uint128 income) private returns (IPools.Distribution memory) {
        _as(SERVICER);
        BOOK.commit(_id, FIRST, _day(10, 10, 1e9, 0, 0));
        _as(SERVICER);
        POOLS.collect(_id, _collection("p1", 1, principal, income));
        _as(TRUSTEE);
        POOLS.distribute(_id, 1, FIRST, 1);
        return POOLS.distributionOf(_id, 1);
    }

    /// @notice Whatever comes in goes out, to the hundredth, and each payment is somebody's.
    function testFuzz_distributedIsCollected(uint128 principal, uint128 income) public {
        principal = uint128(_within(principal, 0, 1e15));
        income = uint128(_within(income, 1, 1e15));
        IPools.Distribution memory shared = _distributed(principal, income);
        uint256 sum = 0;
        for (uint256 i = 1; i <= shared.payments; ++i) {
            IPools.Payment memory payment = POOLS.paymentOf(_id, i);
            vm.assertTrue(payment.payee != 0 && payment.amount != 0, "a payment to nobody");
            sum += payment.amount;
        }
        vm.assertEq(sum, uint256(principal) + income, "what came in");
    }

    function testFuzz_shares(uint256 amount, uint64[8] calldata weights) public pure {
        amount = _within(amount, 0, 1e30);
        uint256[] memory dues = new uint256[](8);
        uint256 total = 0;
        for (uint256 i = 0; i < 8; ++i) {
            dues[i] = weights[i];
            total += weights[i];
        }
        uint256[] memory paid = new uint256[](8);
        uint256 left = Waterfall.proRata(amount, dues, 0, 8, paid);
        for (uint256 i = 0; i < 8; ++i) {
            vm.assertTrue(paid[i] <= dues[i], "more than due");
            left += paid[i];
        }
        vm.assertEq(left, amount, "exactly");
    }
}
