// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {PoolBook} from "../PoolBook.sol";
import {Pools} from "../Pools.sol";
import {IPoolBook} from "../interfaces/IPoolBook.sol";
import {IPools} from "../interfaces/IPools.sol";

/// @notice A pool that the first bank arranges: the second bank is trustee, the operator services it, trader,
/// mill and supplier hold two tranches.
abstract contract PoolScene is FinanceScene {
    Pools internal constant POOLS = Pools(0x7A1100000000000000000000000000000000000E);
    PoolBook internal constant BOOK = PoolBook(0x7a11000000000000000000000000000000000011);
    bytes32 internal constant TRUSTEE = OTHER_BANK;
    bytes32 internal constant SERVICER = OPERATOR;
    uint32 internal constant START = 20_000;
    uint32 internal constant FIRST = 20_001;
    uint128 internal constant SENIOR = 8_000_000_01;
    uint128 internal constant JUNIOR = 2_000_000_00;

    /// @dev In `setUp`, instead of `_found`.
    function _foundPools() internal {
        _found();
        _place(address(BOOK), type(PoolBook).creationCode);
        _place(address(POOLS), type(Pools).creationCode);
        _register("pool-book", address(BOOK));
        _register("pools", address(POOLS));
    }

    function _terms() internal pure returns (IPoolBook.Terms memory) {
        return IPoolBook.Terms({
            trustee: TRUSTEE,
            servicer: SERVICER,
            residual: BANK,
            currency: "CNY",
            basis: 365,
            start: START,
            sequentialBp: 500,
            turboBp: 1_000,
            rules: keccak256("rules"),
            terms: keccak256("terms"),
            limits: IPoolBook.Limits({assetsMax: 1_000, admitUntil: FIRST + 1_000, balanceMax: 1e15})
        });
    }

    function _fees() internal pure returns (IPoolBook.Fee[] memory fees) {
        fees = new IPoolBook.Fee[](2);
        fees[0] = IPoolBook.Fee(TRUSTEE, 0, 100_00);
        fees[1] = IPoolBook.Fee(SERVICER, 50, 0);
    }

    function _tranches() internal pure returns (IPoolBook.TrancheDraft[] memory tranches) {
        tranches = new IPoolBook.TrancheDraft[](2);
        tranches[0] = IPoolBook.TrancheDraft("senior", 1, 310, new bytes32[](2), new uint128[](2));
        (tranches[0].holders[0], tranches[0].units[0]) = (TRADER, SENIOR / 3);
        (tranches[0].holders[1], tranches[0].units[1]) = (MILL, SENIOR - SENIOR / 3);
        tranches[1] = IPoolBook.TrancheDraft("junior", 2, 900, new bytes32[](1), new uint128[](1));
        (tranches[1].holders[0], tranches[1].units[0]) = (SUPPLIER, JUNIOR);
    }

    /// @dev A pool that lives.
    function _pool(bytes32 number) internal returns (bytes32) {
        return _poolOf(number, TRUSTEE, SERVICER);
    }

    /// @dev The same with other offices.
    function _poolOf(bytes32 number, bytes32 trustee, bytes32 servicer) internal returns (bytes32 id) {
        IPoolBook.Terms memory terms = _terms();
        (terms.trustee, terms.servicer) = (trustee, servicer);
        _as(BANK);
        id = BOOK.create(number, terms, _fees(), _tranches(), "", "");
        _as(trustee);
        BOOK.accept(id, IPoolBook.Office.Trustee, "");
        _as(servicer);
        BOOK.accept(id, IPoolBook.Office.Servicer, "");
    }

    function _day(uint32 count, uint32 changed, uint128 performing, uint128 overdue, uint128 defaulted)
        internal
        pure
        returns (IPoolBook.Day memory)
    {
        return IPoolBook.Day({
            root: keccak256(abi.encode(count, performing, overdue, defaulted)),
            delta: changed == 0 ? bytes32(0) : keccak256("delta"),
            performing: performing,
            overdue: overdue,
            defaulted: defaulted,
            count: count,
            changed: changed
        });
    }

    function _collection(bytes32 payment, uint32 period, uint128 principal, uint128 income)
        internal
        pure
        returns (IPools.Collection memory)
    {
        return IPools.Collection({
            payment: payment,
            root: 0,
            count: 1,
            date: FIRST,
            period: period,
            voided: false,
            principal: principal,
            income: income
        });
    }
}
