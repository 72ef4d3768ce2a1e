// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Places} from "../../instruments/libraries/Places.sol";
import {Rules} from "../../instruments/libraries/Rules.sol";
import {IModelPayments} from "../interfaces/IModelPayments.sol";
import {IReleases} from "../interfaces/IReleases.sol";
import {ModelsRules} from "../libraries/ModelsRules.sol";
import {ModelActs} from "./ModelActs.sol";

/// @title Who owes whom for the use of models, and what was paid
abstract contract Dues is ModelActs, IReleases {
    using Rules for uint256;

    mapping(bytes32 key => Due) private _dues;
    mapping(bytes32 id => Payment) internal _payments;

    // ---- what accrues -------------------------------------------------------------------------

    /// @dev Each party's part of an amount: what is lost in rounding down goes to the next, so that the parts make
    /// the whole.
    function _parts(uint128 amount, uint16[] memory shares) internal pure returns (uint128[] memory parts) {
        parts = new uint128[](shares.length);
        uint256 before = 0;
        uint256 bp = 0;
        for (uint256 i = 0; i < shares.length; ++i) {
            bp += shares[i];
            uint256 upTo = uint256(amount) * bp / BP_WHOLE;
            parts[i] = uint128(upTo - before);
            before = upTo;
        }
    }

    function _accrue(
        bytes32 project,
        bytes3 currency,
        bytes32 payer,
        bytes32[] memory parties,
        uint128[] memory parts,
        bytes32 cause
    ) internal {
        for (uint256 i = 0; i < parties.length; ++i) {
            // One's own part is owed to nobody.
            if (parties[i] == payer || parts[i] == 0) continue;
            Due storage due = _due(project, currency, payer, parties[i]);
            due.accrued += parts[i];
            emit DueChanged(project, payer, parties[i], currency, due, cause);
        }
    }

    function _due(bytes32 project, bytes3 currency, bytes32 payer, bytes32 payee) private view returns (Due storage) {
        return _dues[keccak256(abi.encode(project, currency, payer, payee))];
    }

    function _dueOf(Payment memory payment) private view returns (Due storage) {
        return _due(payment.project, payment.currency, payment.payer, payment.payee);
    }

    // ---- what is paid -------------------------------------------------------------------------

    /// @inheritdoc IReleases
    // What is owed is less before the money moves; the payment's number is used up.
    // slither-disable-next-line reentrancy-benign,reentrancy-events,reentrancy-no-eth
    function pay(Payment calldata payment, bytes32 payerBank, string calldata remark) external returns (bytes32 id) {
        if (payment.settled != 0) revert InvalidEntry("settled");
        id = _begin(payment, ModelsRules.PAY, remark);
        _dueOf(payment).settled += payment.amount;
        IModelPayments.Payment memory order = IModelPayments.Payment(
            payerBank, payment.payee, 0, payment.currency, payment.amount, payment.number
        );
        IModelPayments settlement = IModelPayments(Places.currentOf(Places.SETTLEMENT));
        _payments[id].settled = settlement.payFor(payment.payer, order, payment.project);
        _tellPayment(id, ModelsRules.PAY, payment.payer, remark);
    }

    /// @inheritdoc IReleases
    function tell(Payment calldata payment, string calldata remark) external returns (bytes32 id) {
        _checkHash(payment.settled);
        id = _begin(payment, ModelsRules.TELL, remark);
        _dueOf(payment).told += payment.amount;
        _tellPayment(id, ModelsRules.TELL, payment.payer, remark);
    }

    function _begin(Payment calldata payment, uint256 rule, string calldata remark) private returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        if (payment.payer != by) revert InvalidEntry("payer");
        Due memory due = _dueOf(payment);
        uint128 outstanding = due.accrued - due.settled - due.told;
        if (payment.amount == 0) revert InvalidEntry("amount");
        if (payment.amount > outstanding) revert Overpaid(payment.project, outstanding);
        id = _make(Kind.Payment, by, payment.number, rule);
        _payments[id] = payment;
    }

    /// @inheritdoc IReleases
    function confirm(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.CONFIRM, remark);
        uint128 amount = _payments[id].amount;
        Due storage due = _dueOf(_payments[id]);
        due.told -= amount;
        due.settled += amount;
        _tellPayment(id, ModelsRules.CONFIRM, by, remark);
    }

    /// @inheritdoc IReleases
    function deny(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, ModelsRules.DENY, remark);
        _dueOf(_payments[id]).told -= _payments[id].amount;
        _tellPayment(id, ModelsRules.DENY, by, remark);
    }

    function _tellPayment(bytes32 id, uint256 rule, bytes32 by, string memory remark) private {
        Standing memory standing = _standing[id];
        Payment memory payment = _payments[id];
        emit PaymentActed(id, payment.project, rule.act(), by, standing.revision, standing.state, payment, remark);
        emit DueChanged(
            payment.project, payment.payer, payment.payee, payment.currency, _dueOf(payment), id
        );
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IReleases
    function dueOf(bytes32 project, bytes3 currency, bytes32 payer, bytes32 payee) external view returns (Due memory) {
        return _due(project, currency, payer, payee);
    }

    /// @inheritdoc IReleases
    function paymentOf(bytes32 id) external view returns (Payment memory) {
        return _payments[id];
    }
}
