// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {Deposits} from "../Deposits.sol";
import {Settlement} from "../Settlement.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {IDeposits} from "../interfaces/IDeposits.sol";

/// @notice Two banks with customers: the trader has money at the first, the mill at the second.
abstract contract SettlementScene is FinanceScene {
    Deposits internal constant DEPOSITS = Deposits(0x7a11000000000000000000000000000000000010);
    Settlement internal constant SETTLEMENT = Settlement(0x7a1100000000000000000000000000000000000C);
    bytes3 internal constant CNY = "CNY";
    bytes32 internal constant EVIDENCE = keccak256("weighing slip");

    uint256 private _last;

    function _foundSettlement() internal {
        _found();
        _place(address(DEPOSITS), type(Deposits).creationCode);
        _place(address(SETTLEMENT), type(Settlement).creationCode);
        _register("deposits", address(DEPOSITS));
        _register("settlement", address(SETTLEMENT));
    }

    /// @dev A number that nobody has used.
    function _number() internal returns (bytes32) {
        return bytes32(++_last);
    }

    function _issue(bytes32 bank, bytes32 to, uint128 amount) internal returns (bytes32 id) {
        bytes32 number = _number();
        _as(bank);
        id = DEPOSITS.issue(to, CNY, amount, number, "");
    }

    function _limit(bytes32 creditor, bytes32 debtor, uint128 limit) internal {
        _as(creditor);
        DEPOSITS.setLimit(debtor, CNY, limit, "");
    }

    function _payment(bytes32 bank, bytes32 payee, bytes32 payeeBank, uint128 amount)
        internal
        returns (IDeposits.Payment memory)
    {
        return IDeposits.Payment(bank, payee, payeeBank, CNY, amount, _number());
    }

    function _balance(bytes32 bank, bytes32 owner) internal view returns (uint128) {
        return DEPOSITS.account(bank, CNY, owner).balance;
    }

    /// @dev Issued less redeemed, and received less sent, is what the balances come to.
    function _checkBook(bytes32 bank, uint256 balances) internal view {
        IDeposits.Book memory book = DEPOSITS.book(bank, CNY);
        uint256 owed = uint256(book.issued) + book.received - book.redeemed - book.sent;
        vm.assertEq(owed, balances, "book");
    }

    function _none() internal pure returns (IDeals.Condition memory condition) {
        condition.kind = IDeals.ConditionKind.None;
    }

    function _inspection() internal view returns (IDeals.Condition memory) {
        uint48 deadline = uint48(block.timestamp + 10 days);
        return IDeals.Condition(IDeals.ConditionKind.Inspection, 0, deadline, INSPECTOR, keccak256("wheat"));
    }

    function _date() internal view returns (IDeals.Condition memory) {
        return IDeals.Condition(IDeals.ConditionKind.Date, uint48(block.timestamp + 5 days), 0, 0, 0);
    }

    function _draftDeal(bytes32 buyer, uint128 amount, IDeals.Condition memory condition)
        internal
        returns (IDeals.Draft memory)
    {
        return IDeals.Draft({
            number: _number(),
            counterparty: buyer,
            role: IConsortium.Role.None,
            sellerBank: 0,
            buyerBank: 0,
            currency: CNY,
            amount: amount,
            expires: uint48(block.timestamp + 3 days),
            terms: 0,
            condition: condition
        });
    }

    function _leg(bytes32 id) internal view returns (IDeals.Leg[] memory legs) {
        legs = new IDeals.Leg[](1);
        legs[0] = IDeals.Leg(address(RECEIPTS), RECEIPTS.receipt(id).revision, id);
    }

    function _revisions(bytes32 id) internal view returns (uint64[] memory revisions) {
        revisions = new uint64[](1);
        revisions[0] = RECEIPTS.receipt(id).revision;
    }

    function _state(bytes32 id) internal view returns (uint8) {
        return SETTLEMENT.deal(id).state;
    }
}
