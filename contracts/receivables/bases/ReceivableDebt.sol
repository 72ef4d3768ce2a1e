// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Places} from "../../instruments/libraries/Places.sol";
import {Rules} from "../../instruments/libraries/Rules.sol";
import {IReceivables} from "../interfaces/IReceivables.sol";
import {ReceivableRules} from "../libraries/ReceivableRules.sol";
import {ReceivableTitle} from "./ReceivableTitle.sol";

/// @title What is owed
/// @notice Presented, paid once, contested and decided, defaulted.
abstract contract ReceivableDebt is ReceivableTitle {
    // ---- payment --------------------------------------------------------------------------------

    /// @inheritdoc IReceivables
    function present(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.PRESENT, remark);
        Entry storage entry = _entries[id];
        if (block.timestamp < entry.due) revert TooEarly(id, entry.due);
        entry.presented = uint48(block.timestamp);
        _tell(id, ReceivableRules.PRESENT, by, 0, remark);
    }

    /// @inheritdoc IReceivables
    function discharge(bytes32 id, uint64 revision, bytes32 payer, uint128 amount)
        external
        returns (bytes32 payee, bytes3 currency)
    {
        uint256 parties = Places.DIRECTORY.nameOf(msg.sender) == Places.SETTLEMENT ? Rules.SETTLEMENT : 0;
        // slither-disable-next-line incorrect-equality
        bool whole = amount == _entries[id].outstanding;
        uint256 rule = whole ? ReceivableRules.DISCHARGE : ReceivableRules.DISCHARGE_PART;
        _begin(id, revision, rule, payer, parties);
        if (payer != _entries[id].debtor) revert NotDebtor(id, payer);
        _receive(id, amount);
        _publishAct(id, rule, payer, bytes32(uint256(amount)), "");
        return (payeeOf(id), _entries[id].currency);
    }

    /// @inheritdoc IReceivables
    function confirmPayment(bytes32 id, uint64 revision, uint128 amount, bytes32 document, string calldata remark)
        external
    {
        // slither-disable-next-line incorrect-equality
        bool whole = amount == _entries[id].outstanding;
        uint256 rule = whole ? ReceivableRules.CONFIRM_PAYMENT : ReceivableRules.CONFIRM_PART;
        bytes32 by = _actWith(id, revision, rule, remark);
        _receive(id, amount);
        _tell(id, rule, by, document, remark);
    }

    function _receive(bytes32 id, uint128 amount) private {
        Entry storage entry = _entries[id];
        if (amount == 0 || amount > entry.outstanding) revert InvalidAmount(amount);
        entry.outstanding -= amount;
        entry.paid += amount;
    }

    /// @inheritdoc IReceivables
    function declareDefault(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.DECLARE_DEFAULT, remark);
        Entry storage entry = _entries[id];
        uint48 until = entry.due + entry.graceSeconds;
        if (block.timestamp <= until) revert TooEarly(id, until);
        bool isBill = entry.kind == Kind.Bill || entry.kind == Kind.BankBill;
        if (isBill && entry.presented == 0) revert NotPresented(id);
        _tell(id, ReceivableRules.DECLARE_DEFAULT, by, 0, remark);
    }

    // ---- disputes -------------------------------------------------------------------------------

    /// @inheritdoc IReceivables
    function dispute(bytes32 id, uint64 revision, bytes32 document, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.DISPUTE, remark);
        Entry storage entry = _entries[id];
        if (!entry.disputable) revert Unconditional(id);
        if (entry.due <= block.timestamp) revert PastDue(id, entry.due);
        if (document == 0) revert HashMissing();
        if (bytes(remark).length == 0) revert ReasonMissing();
        _tell(id, ReceivableRules.DISPUTE, by, document, remark);
    }

    /// @inheritdoc IReceivables
    function withdrawDispute(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.WITHDRAW_DISPUTE, remark);
        _tell(id, ReceivableRules.WITHDRAW_DISPUTE, by, 0, remark);
    }

    /// @inheritdoc IReceivables
    function concede(bytes32 id, uint64 revision, uint128 outstanding, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.CONCEDE, remark);
        uint128 before = _entries[id].outstanding;
        if (outstanding == 0 || outstanding >= before) revert InvalidAmount(outstanding);
        _entries[id].outstanding = outstanding;
        _tell(id, ReceivableRules.CONCEDE, by, bytes32(uint256(before - outstanding)), remark);
    }

    /// @inheritdoc IReceivables
    function uphold(bytes32 id, uint64 revision, uint128 outstanding, bytes32 decision, string calldata remark)
        external
    {
        bytes32 by = _actWith(id, revision, ReceivableRules.UPHOLD, remark);
        if (decision == 0) revert DecisionMissing();
        if (outstanding == 0 || outstanding > _entries[id].outstanding) revert InvalidAmount(outstanding);
        _entries[id].outstanding = outstanding;
        _tell(id, ReceivableRules.UPHOLD, by, decision, remark);
    }

    /// @inheritdoc IReceivables
    function annul(bytes32 id, uint64 revision, bytes32 decision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.ANNUL, remark);
        if (decision == 0) revert DecisionMissing();
        _entries[id].outstanding = 0;
        _tell(id, ReceivableRules.ANNUL, by, decision, remark);
    }
}
