// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IPledges} from "../../pledges/interfaces/IPledges.sol";
import {IReceivables} from "../interfaces/IReceivables.sol";
import {ReceivableRules} from "../libraries/ReceivableRules.sol";
import {ReceivablesScene} from "./ReceivablesScene.sol";

/// @notice Random members doing random things; the contract may refuse, but never break its rules. What
/// must be true of an act that went through is written out here, not read from the table.
contract ReceivablesActor is ReceivablesScene {
    uint256 private constant LIST_MAX = 600;

    bytes32[] public ids;
    bytes32[] public pledges;
    mapping(bytes32 id => uint256) public received;
    mapping(bytes32 id => uint256) public waived;
    mapping(bytes4 selector => uint256) public done;
    string public wrong;
    uint256 private time = NOW;
    uint256 private count;

    bytes32[8] private _roster = [SUPPLIER, TRADER, MILL, WAREHOUSE, BANK, OTHER_BANK, REGULATOR, ARBITRATOR];

    function idCount() external view returns (uint256) {
        return ids.length;
    }

    // ---- choosing ---------------------------------------------------------------------------------

    /// @dev Mostly who may, now and then anybody.
    function _who(uint256 seed, bytes32 right) private view returns (bytes32) {
        return right != 0 && seed % 5 != 0 ? right : _roster[(seed / 5) % 8];
    }

    /// @dev Rather a new one.
    function _some(uint256 seed) private view returns (bytes32) {
        uint256 window = ids.length < 8 ? ids.length : 8;
        return seed % 4 == 0 ? ids[(seed / 4) % ids.length] : ids[ids.length - 1 - (seed / 4) % window];
    }

    function _amount(uint256 seed, uint128 outstanding) private pure returns (uint128) {
        if (seed % 3 == 0) return outstanding;
        return uint128(_within(seed / 3, 0, uint256(outstanding) + 1));
    }

    // ---- one call, and what must be true of it ------------------------------------------------------

    function _call(address from, bytes32 id, bytes memory data) private returns (bool ok, bytes memory output) {
        IReceivables.Receivable memory before = _get(id);
        vm.warp(time);
        vm.prank(from);
        (ok, output) = address(RECEIVABLES).call(data);
        if (!ok) return (ok, output);
        bytes4 selector = bytes4(data);
        ++done[selector];
        if (before.revision != 0) _judge(from, id, selector, before);
    }

    function _judge(address from, bytes32 id, bytes4 selector, IReceivables.Receivable memory before) private {
        IReceivables.Receivable memory found = _get(id);
        bool authority = from == account(REGULATOR) || from == account(ARBITRATOR);
        if (found.revision != before.revision + 1) wrong = "an act raises the revision by one";
        if (found.holder != before.holder) {
            bool may = from == account(before.holder) || from == SETTLEMENT || authority;
            if (!may) wrong = "only the holder disposes";
            if (before.pledgee != 0 && before.pledgee == found.pledgee && !authority) wrong = "pledged and passed on";
        }
        if (before.freezes != 0 && !_mayWhileFrozen(selector)) wrong = "frozen means frozen";
        if (before.pledgee != 0 && _needsPermit(selector)) wrong = "pledged means pledged";
        if (before.locked && found.holder != before.holder && from != SETTLEMENT && !authority) wrong = "locked";
        uint8 state = before.state;
        bool ended = state == ReceivableRules.STATE_PAID || state == ReceivableRules.STATE_SPLIT
            || state == ReceivableRules.STATE_REFUSED || state == ReceivableRules.STATE_CANCELLED;
        if (ended && selector != IInstrument.unlock.selector) wrong = "what has ended goes on";
        if (state == ReceivableRules.STATE_PROPOSED && found.holder != before.holder) wrong = "passed on unaccepted";
        _checkMoney(id, selector, before, found);
    }

    function _mayWhileFrozen(bytes4 selector) private pure returns (bool) {
        return selector == IInstrument.freeze.selector || selector == IInstrument.unfreeze.selector
            || selector == IInstrument.award.selector || selector == IInstrument.unlock.selector;
    }

    /// @dev Nobody gives one here.
    function _needsPermit(bytes4 selector) private pure returns (bool) {
        return selector == IReceivables.endorse.selector || selector == IReceivables.split.selector
            || selector == IReceivables.confirmPayment.selector || selector == IReceivables.concede.selector
            || selector == IReceivables.recourse.selector || selector == IReceivables.reject.selector
            || selector == IReceivables.offerCancel.selector || selector == IReceivables.agreeCancel.selector
            || selector == IInstrument.lock.selector || selector == IInstrument.settle.selector;
    }

    function _checkMoney(
        bytes32 id,
        bytes4 selector,
        IReceivables.Receivable memory before,
        IReceivables.Receivable memory found
    ) private {
        uint256 paid = found.paid - before.paid;
        received[id] += paid;
        bool pays = selector == IReceivables.discharge.selector || selector == IReceivables.confirmPayment.selector;
        if (pays != (paid != 0)) wrong = "paid by something else";
        if (before.outstanding < found.outstanding) wrong = "owed more than before";
        bool splits = selector == IReceivables.split.selector;
        if (!splits) waived[id] += before.outstanding - found.outstanding - paid;
        bool waives = selector == IReceivables.concede.selector || selector == IReceivables.uphold.selector
            || selector == IReceivables.annul.selector || selector == IReceivables.lapse.selector
            || selector == IReceivables.refuse.selector || selector == IReceivables.cancel.selector
            || selector == IReceivables.agreeCancel.selector;
        if (!splits && !waives && before.outstanding - found.outstanding != paid) wrong = "waived by something else";
    }

    function _act(uint256 seed, bytes32 right, bytes32 id, bytes memory data) private returns (bool ok) {
        (ok,) = _call(account(_who(seed, right)), id, data);
    }

    // ---- coming into being ----------------------------------------------------------------------------

    function create(uint256 seed, uint8 kind, uint128 amount, uint256 key) external {
        if (ids.length >= LIST_MAX) return;
        vm.warp(time);
        IReceivables.Draft memory draft = _invoice("A", 0);
        draft.number = bytes32(abi.encodePacked("N", bytes1(uint8(65 + count % 26)), bytes1(uint8(65 + count / 26 % 26))));
        draft.amount = uint128(_within(amount, 1, 1_000_000));
        draft.kind = IReceivables.Kind(1 + kind % 4);
        draft.keys[0] = keccak256(abi.encode(key % (8 + 2 * count))); // few, so that they are claimed twice
        if (draft.kind == IReceivables.Kind.Order) draft.deliverBy = draft.due - 10 days;
        if (draft.kind == IReceivables.Kind.BankBill) draft.debtor = OTHER_BANK;
        bytes32 by = _who(seed, SUPPLIER);
        bytes32 id = RECEIVABLES.idOf(by, draft.number);
        (bool ok,) = _call(account(by), id, abi.encodeCall(IReceivables.create, (draft, "")));
        if (!ok) return;
        ids.push(id);
        ++count;
        // Mostly it goes on at once.
        if (seed % 7 != 0) _act(1, _get(id).debtor, id, abi.encodeCall(IReceivables.accept, (id, 0, _mayDispute(id), 0, "")));
    }

    function _mayDispute(bytes32 id) private view returns (bool) {
        IReceivables.Kind kind = _get(id).kind;
        return kind == IReceivables.Kind.Invoice || kind == IReceivables.Kind.Order;
    }

    function answer(uint256 seed, uint256 which, uint8 word) external {
        if (ids.length == 0) return;
        bytes32 id = _some(which);
        IReceivables.Receivable memory found = _get(id);
        bytes32 creditor = found.creditor;
        if (word % 6 == 0) _act(seed, found.debtor, id, abi.encodeCall(IReceivables.refuse, (id, 0, "")));
        if (word % 6 == 1) _act(seed, creditor, id, abi.encodeCall(IReceivables.cancel, (id, 0, "")));
        if (word % 6 == 2) _act(seed, found.debtor, id, abi.encodeCall(IReceivables.offerCancel, (id, 0, "")));
        if (word % 6 == 3) {
            if (seed % 2 == 0) _act(1, found.debtor, id, abi.encodeCall(IReceivables.offerCancel, (id, 0, "")));
            _act(seed, creditor, id, abi.encodeCall(IReceivables.agreeCancel, (id, 0, "")));
        }
        if (word % 6 == 4) {
            bytes32[] memory keys = new bytes32[](1);
            keys[0] = keccak256(abi.encode("delivered", id));
            _act(seed, creditor, id, abi.encodeCall(IReceivables.invoice, (id, 0, keys, PROOF, "", "")));
            _act(seed, found.debtor, id, abi.encodeCall(IReceivables.deliver, (id, 0, PROOF, "")));
        }
        if (word % 6 == 5) _lapse(seed, id, found);
    }

    /// @dev Whoever has it as a security, or bought it, says so at once; others only when it is overdue too.
    function _lapse(uint256 seed, bytes32 id, IReceivables.Receivable memory found) private {
        bytes32 payee = RECEIVABLES.payeeOf(id);
        bytes32 by = _who(seed, seed % 2 == 0 ? found.debtor : payee);
        (bool ok,) = _call(account(by), id, abi.encodeCall(IReceivables.lapse, (id, 0, "")));
        if (!ok) return;
        bool overdue = time > found.due + found.graceSeconds;
        if (by != payee && payee != found.creditor && !overdue) wrong = "a security was lapsed by others";
        _act(1, found.holder, id, abi.encodeCall(IReceivables.recourse, (id, 0, "")));
    }

    // ---- title ------------------------------------------------------------------------------------

    function endorse(uint256 seed, uint256 which, uint8 to, bool recourse) external {
        if (ids.length == 0) return;
        bytes32 id = _some(which);
        _act(seed, _get(id).holder, id, abi.encodeCall(IReceivables.endorse, (id, 0, _roster[to % 8], recourse, "")));
    }

    function move(uint256 seed, uint256 which, uint8 word, uint8 to) external {
        if (ids.length == 0) return;
        bytes32 id = _some(which);
        bytes32 holder = _get(id).holder;
        if (word % 6 == 0) _act(seed, holder, id, abi.encodeCall(IReceivables.reject, (id, 0, "")));
        if (word % 6 == 1) _act(seed, holder, id, abi.encodeCall(IReceivables.recourse, (id, 0, "")));
        if (word % 6 == 2) _act(seed, holder, id, abi.encodeCall(IReceivables.undertake, (id, 0, true, "")));
        if (word % 6 == 3) _call(SETTLEMENT, id, abi.encodeCall(IInstrument.lock, (id, 0, holder)));
        if (word % 6 == 4) _call(SETTLEMENT, id, abi.encodeCall(IInstrument.unlock, (id)));
        if (word % 6 == 5 && _roster[to % 8] != holder) { // Settlement knows buyer and seller apart
            _call(SETTLEMENT, id, abi.encodeCall(IInstrument.settle, (id, 0, holder, _roster[to % 8])));
        }
    }

    function split(uint256 seed, uint256 which, uint256 first) external {
        if (ids.length == 0 || ids.length + 2 > LIST_MAX) return;
        bytes32 id = _some(which);
        IReceivables.Receivable memory found = _get(id);
        uint128[] memory amounts = new uint128[](2);
        amounts[0] = uint128(_within(first, 0, found.outstanding));
        amounts[1] = found.outstanding - amounts[0];
        if (!_act(seed, found.holder, id, abi.encodeCall(IReceivables.split, (id, 0, amounts, "")))) return;
        for (uint256 i = 1; i <= 2; ++i) ids.push(keccak256(abi.encode(id, i)));
    }

    // ---- money ------------------------------------------------------------------------------------

    function pay(uint256 seed, uint256 which, uint256 amount, uint8 word) external {
        if (ids.length == 0) return;
        bytes32 id = _some(which);
        IReceivables.Receivable memory found = _get(id);
        uint128 sum = _amount(amount, found.outstanding);
        if (word % 3 == 0) {
            _act(seed, found.holder, id, abi.encodeCall(IReceivables.confirmPayment, (id, 0, sum, 0, "")));
            return;
        }
        address from = word % 3 == 1 ? SETTLEMENT : account(_who(seed, found.holder));
        bytes memory data = abi.encodeCall(IReceivables.discharge, (id, 0, _who(seed, found.debtor), sum));
        (bool ok, bytes memory output) = _call(from, id, data);
        if (!ok) return;
        bytes32 payee = abi.decode(output, (bytes32));
        if (payee != (found.pledgee == 0 ? found.holder : found.pledgee)) wrong = "somebody else is paid";
    }

    function mature(uint256 seed, uint256 which, uint8 word) external {
        if (ids.length == 0) return;
        bytes32 id = _some(which);
        IReceivables.Receivable memory found = _get(id);
        bytes memory data = word % 3 == 0
            ? abi.encodeCall(IReceivables.present, (id, 0, ""))
            : abi.encodeCall(IReceivables.declareDefault, (id, 0, ""));
        bool early = time < found.due || (word % 3 != 0 && time <= found.due + found.graceSeconds);
        if (!_act(seed, found.holder, id, data)) return;
        if (early) wrong = "before its time";
        if (seed % 2 == 0) _act(1, found.holder, id, abi.encodeCall(IReceivables.recourse, (id, 0, "")));
    }

    function contest(uint256 seed, uint256 which, uint8 word, uint256 amount) external {
        if (ids.length == 0) return;
        bytes32 id = _some(which);
        IReceivables.Receivable memory found = _get(id);
        uint128 rest = _amount(amount, found.outstanding);
        if (word % 2 == 0) _act(seed, found.debtor, id, abi.encodeCall(IReceivables.dispute, (id, 0, PROOF, "why")));
        word /= 2;
        if (word % 5 == 0) _act(seed, found.debtor, id, abi.encodeCall(IReceivables.withdrawDispute, (id, 0, "")));
        if (word % 5 == 1) _act(seed, found.holder, id, abi.encodeCall(IReceivables.concede, (id, 0, rest, "")));
        if (word % 5 == 2) _act(seed, ARBITRATOR, id, abi.encodeCall(IReceivables.uphold, (id, 0, rest, DECISION, "")));
        bool contested = found.state == ReceivableRules.STATE_DISPUTED;
        if (word % 5 != 3 || (!contested && seed % 8 != 0)) return;
        if (!_act(seed, ARBITRATOR, id, abi.encodeCall(IReceivables.annul, (id, 0, DECISION, "")))) return;
        _act(1, found.holder, id, abi.encodeCall(IReceivables.recourse, (id, 0, "")));
    }

    // ---- authorities, pledges, time -----------------------------------------------------------------

    function freeze(uint256 seed, uint256 which, uint8 word, uint8 to) external {
        if (ids.length == 0) return;
        bytes32 id = _some(which);
        if (word % 4 == 0) _act(seed, ARBITRATOR, id, abi.encodeCall(IInstrument.freeze, (id, 0, DECISION, "")));
        if (word % 4 == 1) {
            _act(seed, ARBITRATOR, id, abi.encodeCall(IInstrument.award, (id, 0, _roster[to % 8], DECISION, "")));
        }
        if (word % 4 > 1) {
            _act(seed, ARBITRATOR, id, abi.encodeCall(IInstrument.unfreeze, (id, 0, ARBITRATOR, DECISION, "")));
        }
    }

    function pledge(uint256 which, uint8 word) external {
        if (ids.length == 0) return;
        vm.warp(time);
        bytes32 id = _some(which);
        IReceivables.Receivable memory found = _get(id);
        if (found.pledgee == 0) {
            IPledges.Terms memory terms = _pledgeTerms();
            (terms.due, terms.noticeSeconds) = (uint48(time + 1 days), 0);
            vm.prank(account(found.holder));
            try PLEDGES.propose(address(RECEIVABLES), id, found.revision, BANK, terms, "") returns (bytes32 key) {
                vm.prank(account(BANK));
                try PLEDGES.accept(key, "") {
                    ++done[IPledges.accept.selector];
                } catch {}
            } catch {}
            return;
        }
        bytes32 held = PLEDGES.pledgeOf(address(RECEIVABLES), id);
        bytes32[] memory some = new bytes32[](1);
        some[0] = id;
        vm.prank(account(BANK));
        if (word % 2 == 0) {
            try PLEDGES.release(held, some, "") {} catch {}
            return;
        }
        try PLEDGES.declareDefault(held, "") {} catch {}
        vm.prank(account(BANK));
        try PLEDGES.enforce(held, some, BANK, "") {
            ++done[IPledges.enforce.selector];
        } catch {}
    }

    function pass(uint8 days_) external {
        time += days_ % 5 == 0 ? 34 days : uint256(days_ % 8) * 1 days;
        vm.warp(time);
    }
}
