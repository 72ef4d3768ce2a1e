// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Places} from "../../instruments/libraries/Places.sol";
import {Rules} from "../../instruments/libraries/Rules.sol";
import {IReceivables} from "../interfaces/IReceivables.sol";
import {ReceivableRules} from "../libraries/ReceivableRules.sol";
import {ReceivableBook} from "./ReceivableBook.sol";

/// @title Control of receivables
/// @notice Endorsed down the tiers, divided, and given back to who stands behind it.
abstract contract ReceivableTitle is ReceivableBook {
    uint256 private constant PARTS_MAX = 16;

    /// @inheritdoc IReceivables
    function undertake(bytes32 id, uint64 revision, bool recourse_, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.UNDERTAKE, remark);
        if (_entries[id].undertaken == recourse_) revert Unchanged(id);
        _entries[id].undertaken = recourse_;
        _tell(id, ReceivableRules.UNDERTAKE, by, 0, remark);
    }

    /// @inheritdoc IReceivables
    function endorse(bytes32 id, uint64 revision, bytes32 to, bool recourse_, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.ENDORSE, remark);
        Entry storage entry = _entries[id];
        if (entry.due <= block.timestamp) revert PastDue(id, entry.due);
        if (to == by) revert Unchanged(id);
        entry.formerHolder = by;
        entry.formerLink = entry.link;
        entry.rejectableRevision = _controls[id].revision;
        entry.undertaken = false;
        entry.financed = true;
        _handOver(id, to);
        _pass(id, by, to, recourse_);
        _tell(id, ReceivableRules.ENDORSE, by, to, remark);
    }

    /// @inheritdoc IReceivables
    function reject(bytes32 id, uint64 revision, string calldata remark) external {
        bool possible = _rejectable(id);
        bytes32 by = _actWith(id, revision, ReceivableRules.REJECT, remark);
        if (!possible) revert NothingToReject(id);
        Entry storage entry = _entries[id];
        _controls[id].holder = entry.formerHolder;
        entry.link = entry.formerLink;
        _tell(id, ReceivableRules.REJECT, by, entry.formerHolder, remark);
    }

    /// @inheritdoc IReceivables
    function recourse(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.RECOURSE, remark);
        bytes32 endorser = _return(id);
        _controls[id].holder = endorser;
        _entries[id].undertaken = false;
        _tell(id, ReceivableRules.RECOURSE, by, endorser, remark);
    }

    // ---- parts ----------------------------------------------------------------------------------

    /// @inheritdoc IReceivables
    function split(bytes32 id, uint64 revision, uint128[] calldata amounts, string calldata remark)
        external
        returns (bytes32[] memory ids)
    {
        if (amounts.length < 2 || amounts.length > PARTS_MAX) revert WrongCount(amounts.length);
        bool isOrder = _controls[id].state == ReceivableRules.STATE_CONFIRMED;
        bytes32 by = _actWith(id, revision, ReceivableRules.SPLIT, remark);
        if (isOrder && _entries[id].invoice != 0) revert InvoiceUnchanged(id); // its claims are for the whole
        _checkWhole(id, amounts);
        uint256 rule = isOrder ? ReceivableRules.ARISE_ORDER : ReceivableRules.ARISE;
        ids = new bytes32[](amounts.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = keccak256(abi.encode(id, i + 1));
            _part(ids[i], id, rule, by, amounts[i]);
            _entries[ids[i]].part = uint16(i + 1);
        }
        _entries[id].outstanding = 0;
        bytes32 pledgee = _controls[id].pledgee;
        _controls[id].pledgee = 0;
        _tell(id, ReceivableRules.SPLIT, by, 0, remark);
        for (uint256 i = 0; i < ids.length; ++i) {
            _controls[ids[i]].pledgee = pledgee;
            _publishAct(ids[i], rule, by, id, "");
        }
        if (pledgee != 0) Places.PLEDGES.succeeded(id, ids);
    }

    function _checkWhole(bytes32 id, uint128[] calldata amounts) private view {
        uint256 sum = 0;
        for (uint256 i = 0; i < amounts.length; ++i) {
            if (amounts[i] == 0) revert InvalidAmount(0);
            sum += amounts[i];
        }
        if (sum != _entries[id].outstanding) revert PartsDiffer(_entries[id].outstanding, sum);
    }

    function _part(bytes32 partId, bytes32 id, uint256 rule, bytes32 holder, uint128 amount) private {
        _create(partId, rule, 0, Rules.ITSELF, holder);
        Entry storage whole = _entries[id];
        Entry storage entry = _entries[partId];
        entry.issuer = whole.issuer;
        entry.creditor = whole.creditor;
        entry.debtor = whole.debtor;
        entry.attestor = whole.attestor;
        entry.terms = whole.terms;
        entry.invoice = whole.invoice;
        entry.origin = id;
        entry.root = whole.root;
        ++_entries[whole.root].live;
        entry.link = whole.link;
        entry.amount = amount;
        entry.outstanding = amount;
        entry.currency = whole.currency;
        entry.issued = uint48(block.timestamp);
        entry.due = whole.due;
        entry.deliverBy = whole.deliverBy;
        entry.graceSeconds = whole.graceSeconds;
        entry.kind = whole.kind;
        entry.disputable = whole.disputable;
        entry.financed = whole.financed;
    }
}
