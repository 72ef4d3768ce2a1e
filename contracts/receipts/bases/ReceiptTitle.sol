// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IReceipts} from "../interfaces/IReceipts.sol";
import {ReceiptRules} from "../libraries/ReceiptRules.sol";
import {ReceiptBook} from "./ReceiptBook.sol";

/// @title Control and ownership of receipts
/// @notice Transfers between members. A transfer can be rejected by its recipient as the very next act.
abstract contract ReceiptTitle is ReceiptBook {
    /// @inheritdoc IReceipts
    function nominate(bytes32 id, uint64 revision, bytes32 nominee, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.NOMINATE, remark);
        Entry storage entry = _entries[id];
        if (nominee == entry.nominee || nominee == entry.owner) revert Unchanged(id);
        if (nominee != 0) _checkActive(nominee);
        entry.nominee = nominee;
        _tell(id, ReceiptRules.NOMINATE, by, nominee, remark);
    }

    /// @inheritdoc IReceipts
    function endorse(bytes32 id, uint64 revision, bytes32 owner, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.ENDORSE, remark);
        _remember(id, Rejectable.Ownership);
        _setOwner(id, owner, by);
        _tell(id, ReceiptRules.ENDORSE, by, owner, remark);
    }

    /// @inheritdoc IReceipts
    function transferHolding(bytes32 id, uint64 revision, bytes32 holder, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.TRANSFER_HOLDING, remark);
        _remember(id, Rejectable.Holding);
        _setHolder(id, holder, by);
        _tell(id, ReceiptRules.TRANSFER_HOLDING, by, holder, remark);
    }

    /// @inheritdoc IReceipts
    function transferBoth(bytes32 id, uint64 revision, bytes32 owner, bytes32 holder, string calldata remark)
        external
    {
        bytes32 by = _actWith(id, revision, ReceiptRules.TRANSFER_BOTH, remark);
        _remember(id, Rejectable.Both);
        _setOwner(id, owner, by);
        _setHolder(id, holder, by);
        _tell(id, ReceiptRules.TRANSFER_BOTH, by, owner, remark);
    }

    /// @inheritdoc IReceipts
    function rejectOwnership(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _reject(id, revision, Rejectable.Ownership, ReceiptRules.REJECT_OWNERSHIP, remark);
        _entries[id].owner = _entries[id].formerOwner;
        _tell(id, ReceiptRules.REJECT_OWNERSHIP, by, 0, remark);
    }

    /// @inheritdoc IReceipts
    function rejectHolding(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _reject(id, revision, Rejectable.Holding, ReceiptRules.REJECT_HOLDING, remark);
        _controls[id].holder = _entries[id].formerHolder;
        _tell(id, ReceiptRules.REJECT_HOLDING, by, 0, remark);
    }

    /// @inheritdoc IReceipts
    function rejectBoth(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _reject(id, revision, Rejectable.Both, ReceiptRules.REJECT_BOTH, remark);
        _controls[id].holder = _entries[id].formerHolder;
        _entries[id].owner = _entries[id].formerOwner;
        _tell(id, ReceiptRules.REJECT_BOTH, by, 0, remark);
    }

    /// @inheritdoc IReceipts
    function surrender(bytes32 id, uint64 revision, Purpose purpose, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.SURRENDER, remark);
        if (purpose == Purpose.None) revert WrongPurpose(id, purpose);
        _entries[id].purpose = purpose;
        _forget(id);
        _tell(id, ReceiptRules.SURRENDER, by, 0, remark);
    }

    /// @inheritdoc IReceipts
    function recall(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.RECALL, remark);
        _entries[id].purpose = Purpose.None;
        _tell(id, ReceiptRules.RECALL, by, 0, remark);
        _lapse(id, by);
    }

    /// @inheritdoc IReceipts
    function restore(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceiptRules.RESTORE, remark);
        _entries[id].purpose = Purpose.None;
        _tell(id, ReceiptRules.RESTORE, by, 0, remark);
        _lapse(id, by);
    }

    function _actWith(bytes32 id, uint64 revision, uint256 rule, string calldata remark)
        internal
        returns (bytes32 by)
    {
        _checkRemark(remark);
        by = _act(id, revision, rule);
    }

    /// @dev Who the parties were, so that the very next act can reject the change.
    function _remember(bytes32 id, Rejectable what) private {
        Entry storage entry = _entries[id];
        entry.formerHolder = _controls[id].holder;
        entry.formerOwner = entry.owner;
        entry.rejectable = what;
        entry.rejectableRevision = _controls[id].revision;
        entry.requested = 0;
    }

    function _setOwner(bytes32 id, bytes32 owner, bytes32 by) private {
        Entry storage entry = _entries[id];
        if (owner == entry.owner) revert Unchanged(id);
        if (by != entry.owner && owner != entry.nominee) revert NotNominated(id, owner);
        _checkActive(owner);
        entry.owner = owner;
        entry.nominee = 0;
    }

    function _setHolder(bytes32 id, bytes32 holder, bytes32 by) private {
        if (holder == by) revert Unchanged(id);
        _checkActive(holder);
        _controls[id].holder = holder;
    }

    function _reject(bytes32 id, uint64 revision, Rejectable what, uint256 rule, string calldata remark)
        private
        returns (bytes32 by)
    {
        Rejectable open = _rejectable(id); // until the act below
        by = _actWith(id, revision, rule, remark);
        if (open != what) revert NothingToReject(id);
    }
}
