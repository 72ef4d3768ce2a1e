// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {Codes} from "../instruments/libraries/Codes.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {Rules} from "../instruments/libraries/Rules.sol";
import {ReceivableDebt} from "./bases/ReceivableDebt.sol";
import {IReceivables} from "./interfaces/IReceivables.sol";
import {ReceivableRules} from "./libraries/ReceivableRules.sol";

/// @title Receivables
/// @notice How they come into being, and how creditor and debtor end them.
contract Receivables is ReceivableDebt {
    uint256 private constant KEYS_MAX = 64;
    uint256 private constant DUE_SECONDS_MAX = 3_650 days;
    uint256 private constant GRACE_SECONDS_MAX = 365 days;

    // ---- coming into being --------------------------------------------------------------------

    /// @inheritdoc IReceivables
    function create(Draft calldata draft, string calldata remark) external returns (bytes32 id) {
        _checkRemark(remark);
        bytes32 issuer = _caller();
        _checkDraft(draft);
        _checkParties(draft, issuer);
        id = idOf(issuer, draft.number);
        Places.checkCurrent(Places.RECEIVABLES, address(this));
        _create(id, ReceivableRules.CREATE, issuer, ReceivableRules.PARTY_ISSUER, draft.creditor);
        _write(id, draft, issuer);
        // Who draws a bill for others to pay stands behind it (Geneva Uniform Law, article 9).
        if (issuer != draft.creditor && issuer != draft.debtor) _push(id, issuer, true);
        _publish(id, draft.terms, draft.payload);
        _keys[id] = draft.keys;
        _tell(id, ReceivableRules.CREATE, issuer, 0, remark);
        // Claimed once the debtor has accepted it: nobody blocks an invoice alone.
        Places.CLAIMS.checkFree(draft.creditor, draft.debtor, draft.keys);
    }

    function _write(bytes32 id, Draft calldata draft, bytes32 issuer) private {
        Entry storage entry = _entries[id];
        entry.kind = draft.kind;
        entry.issuer = issuer;
        entry.number = draft.number;
        entry.creditor = draft.creditor;
        entry.debtor = draft.debtor;
        entry.attestor = draft.attestor;
        entry.terms = draft.terms;
        entry.root = id;
        entry.live = 1;
        entry.amount = draft.amount;
        entry.outstanding = draft.amount;
        entry.currency = draft.currency;
        entry.issued = uint48(block.timestamp);
        entry.due = draft.due;
        entry.deliverBy = draft.deliverBy;
        entry.graceSeconds = draft.graceSeconds;
    }

    function _checkDraft(Draft calldata draft) private view {
        if (draft.kind == Kind.None) revert InvalidKind(draft.kind);
        if (!Codes.isNumber(draft.number)) revert InvalidNumber(draft.number);
        if (draft.terms == 0) revert HashMissing();
        if (draft.amount == 0) revert InvalidAmount(0);
        if (!Codes.isCurrency(draft.currency)) revert InvalidCurrency(draft.currency);
        if (draft.due <= block.timestamp || draft.due > block.timestamp + DUE_SECONDS_MAX) revert InvalidDue(draft.due);
        if (draft.graceSeconds > GRACE_SECONDS_MAX) revert InvalidGrace(draft.graceSeconds);
        bool isOrder = draft.kind == Kind.Order;
        bool inTime = isOrder
            ? draft.deliverBy > block.timestamp && draft.deliverBy < draft.due
            : draft.deliverBy == 0;
        if (!inTime) revert InvalidDelivery(draft.deliverBy);
        _checkKeyCount(draft.keys.length, _isBill(draft.kind) ? 0 : 1);
    }

    function _checkKeyCount(uint256 count, uint256 least) private pure {
        if (count < least || count > KEYS_MAX) revert WrongKeys(count);
    }

    /// @dev Creditor and debtor are two; only a bill is written by somebody else than its creditor.
    function _checkParties(Draft calldata draft, bytes32 issuer) private view {
        _checkTrader(issuer);
        if (draft.creditor != issuer) {
            if (!_isBill(draft.kind)) revert InvalidParty(draft.creditor);
            _checkTrader(draft.creditor);
        }
        if (draft.debtor == draft.creditor) revert InvalidParty(draft.debtor);
        IConsortium.Role role = _checkTrader(draft.debtor);
        if (draft.kind == Kind.BankBill && role != IConsortium.Role.Bank) revert InvalidParty(draft.debtor);
        if (draft.attestor == 0) return;
        // Nobody attests his own delivery.
        if (draft.kind != Kind.Order || draft.attestor == draft.creditor) revert InvalidParty(draft.attestor);
        _checkActive(draft.attestor);
    }

    function _isBill(Kind kind) private pure returns (bool) {
        return kind == Kind.Bill || kind == Kind.BankBill;
    }

    // ---- the debtor's word ----------------------------------------------------------------------

    /// @inheritdoc IReceivables
    function accept(bytes32 id, uint64 revision, bool disputable, bytes32 document, string calldata remark) external {
        Entry storage entry = _entries[id];
        bool isOrder = entry.kind == Kind.Order;
        uint256 rule = isOrder ? ReceivableRules.CONFIRM : ReceivableRules.ACCEPT;
        bytes32 by = _actWith(id, revision, rule, remark);
        if (disputable && _isBill(entry.kind)) revert Unconditional(id);
        uint48 until = isOrder ? entry.deliverBy : entry.due;
        if (until <= block.timestamp) revert PastDue(id, until);
        entry.disputable = disputable;
        _tell(id, rule, by, document, remark);
        _claim(id);
    }

    function _claim(bytes32 id) private {
        Places.CLAIMS.claimBetween(id, _entries[id].creditor, _entries[id].debtor, _keys[id]);
    }

    /// @inheritdoc IReceivables
    function refuse(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.REFUSE, remark);
        delete _keys[id];
        _end(id, ReceivableRules.REFUSE, by, remark);
    }

    /// @inheritdoc IReceivables
    function cancel(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.CANCEL, remark);
        delete _keys[id];
        _end(id, ReceivableRules.CANCEL, by, remark);
    }

    // ---- ended by both --------------------------------------------------------------------------

    /// @inheritdoc IReceivables
    function offerCancel(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.OFFER_CANCEL, remark);
        _checkUnsold(id);
        _entries[id].offeredBy = by;
        _entries[id].offeredRevision = _controls[id].revision;
        _tell(id, ReceivableRules.OFFER_CANCEL, by, 0, remark);
    }

    /// @inheritdoc IReceivables
    function agreeCancel(bytes32 id, uint64 revision, string calldata remark) external {
        uint64 last = _controls[id].revision;
        bytes32 by = _actWith(id, revision, ReceivableRules.AGREE_CANCEL, remark);
        Entry storage entry = _entries[id];
        if (entry.offeredRevision != last || entry.offeredBy == by) revert NotOffered(id);
        _end(id, ReceivableRules.AGREE_CANCEL, by, remark);
    }

    /// @dev Only while the creditor still holds it.
    function _checkUnsold(bytes32 id) private view {
        bytes32 creditor = _entries[id].creditor;
        if (_controls[id].holder != creditor) revert InvalidParty(_controls[id].holder);
    }

    /// @dev Nobody owes it any more. An invoice that nobody financed is free again.
    function _end(bytes32 id, uint256 rule, bytes32 by, string calldata remark) private {
        Entry storage entry = _entries[id];
        entry.outstanding = 0;
        _tell(id, rule, by, 0, remark);
        // A part has its keys from the whole, for which its other parts stand.
        if (entry.financed || entry.part != 0) return;
        bytes32[] memory keys = _keys[id];
        delete _keys[id];
        Places.CLAIMS.abandon(id, entry.creditor, entry.debtor, keys);
    }

    // ---- orders ---------------------------------------------------------------------------------

    /// @inheritdoc IReceivables
    function invoice(
        bytes32 id,
        uint64 revision,
        bytes32[] calldata keys,
        bytes32 document,
        bytes calldata payload,
        string calldata remark
    ) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.INVOICE, remark);
        Entry storage entry = _entries[id];
        // Whom it secures is not bound by what its creditor has named.
        if (entry.invoice != 0 && (by == entry.creditor || by != payeeOf(id))) revert InvoiceUnchanged(id);
        if (document == 0) revert HashMissing();
        _checkKeyCount(keys.length, 1);
        entry.invoice = document;
        _publish(id, document, payload);
        _tell(id, ReceivableRules.INVOICE, by, document, remark);
        _name(id, keys, by == payeeOf(id) ? 2 * KEYS_MAX : KEYS_MAX);
    }

    /// @dev Parts of an order share its invoices: what one of them names is kept for the whole.
    function _name(bytes32 id, bytes32[] calldata keys, uint256 most) private {
        bytes32[] storage named = _keys[id];
        for (uint256 i = 0; i < keys.length; ++i) named.push(keys[i]);
        if (named.length > most) revert WrongKeys(named.length);
        Entry storage entry = _entries[id];
        Places.CLAIMS.reserve(entry.root, entry.creditor, entry.debtor, keys);
    }

    /// @inheritdoc IReceivables
    function deliver(bytes32 id, uint64 revision, bytes32 document, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.DELIVER, remark);
        Entry storage entry = _entries[id];
        if (entry.invoice == 0) revert NotInvoiced(id);
        if (document == 0) revert HashMissing();
        uint48 late = uint48(block.timestamp);
        if (late > entry.deliverBy) entry.due += late - entry.deliverBy;
        _tell(id, ReceivableRules.DELIVER, by, document, remark);
        // Who says so agrees to the invoices as well: what one alone has named is claimed now.
        Places.CLAIMS.confirm(entry.root, entry.creditor, entry.debtor, _keys[id]);
    }

    /// @inheritdoc IReceivables
    function lapse(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actWith(id, revision, ReceivableRules.LAPSE, remark);
        Entry storage entry = _entries[id];
        uint48 until = entry.deliverBy;
        bytes32 payee = payeeOf(id);
        if (payee != by && payee != entry.creditor) until = entry.due + entry.graceSeconds;
        if (block.timestamp <= until) revert TooEarly(id, until);
        entry.outstanding = 0;
        _tell(id, ReceivableRules.LAPSE, by, 0, remark);
    }
}
