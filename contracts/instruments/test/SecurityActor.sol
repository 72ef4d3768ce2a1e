// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IPledges} from "../../pledges/interfaces/IPledges.sol";
import {IReceipts} from "../../receipts/interfaces/IReceipts.sol";
import {IStock} from "../../stock/interfaces/IStock.sol";
import {ReceiptActor} from "./ReceiptActor.sol";

/// @notice Banks, arbitrators and settlements that take hold of receipts, members that come and go.
abstract contract SecurityActor is ReceiptActor {
    // ---- pledges ------------------------------------------------------------------------------------

    function propose(uint256 seed, uint256 bank) external counted {
        if (pledges.length >= LIST_MAX) return;
        bytes32 id = _some(seed);
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        IPledges.Terms memory terms = _pledgeTerms();
        terms.due = uint48(block.timestamp + 1 + bank % 4 days);
        terms.noticeSeconds = uint32(bank % 2 days);
        bytes32 pledgee = bank % 7 == 0 ? MILL : bank % 2 == 0 ? BANK : OTHER_BANK;
        bytes memory data =
            abi.encodeCall(IPledges.propose, (address(RECEIPTS), id, known.revision, pledgee, terms, ""));
        bytes32 who = _who(seed / 7, known.holder);
        (bool ok, bytes memory result) = _call(account(who), address(PLEDGES), data);
        if (!ok) return;
        vm.assertTrue(pledgee != MILL, "a bank takes pledges");
        vm.assertEq(who, known.holder, "the holder offers");
        vm.assertEq(RECEIPTS.receipt(id).pledgee, known.pledgee, "an offer is no pledge");
        pledges.push(abi.decode(result, (bytes32)));
        if (bank % 4 < 2) _accept(pledges[pledges.length - 1], seed);
    }

    function accept(uint256 seed) external counted {
        _accept(_somePledge(seed), seed);
    }

    function _accept(bytes32 key, uint256 seed) private {
        IPledges.Pledge memory known = PLEDGES.pledge(key);
        IReceipts.Receipt memory before = RECEIPTS.receipt(known.id);
        bytes32 who = _who(seed / 7, known.pledgee);
        (bool ok,) = _call(account(who), address(PLEDGES), abi.encodeCall(IPledges.accept, (key, "")));
        if (!ok) return;
        vm.assertEq(before.pledgee, bytes32(0), "no second pledge");
        vm.assertEq(before.holder, known.pledgor, "the holder pledges");
        vm.assertEq(before.owner, known.pledgor, "the owner pledges");
        vm.assertTrue(before.freezes == 0 && !before.locked, "free to be pledged");
        _settled(known.id, who, before);
    }

    function secure(uint256 seed) external counted {
        if (pledges.length >= LIST_MAX) return;
        bytes32 id = _some(seed);
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        IPledges.Terms memory terms = _pledgeTerms();
        bytes memory data = abi.encodeCall(
            IPledges.secure, (address(RECEIPTS), id, known.revision, known.holder, BANK, terms, keccak256("loan"))
        );
        address sender = seed % 5 == 0 ? account(BANK) : FINANCING_PLACE;
        (bool ok, bytes memory result) = _call(sender, address(PLEDGES), data);
        if (!ok) return;
        vm.assertEq(sender, FINANCING_PLACE, "loans come from Financing");
        vm.assertEq(known.pledgee, bytes32(0), "no second pledge");
        pledges.push(abi.decode(result, (bytes32)));
        _settled(id, BANK, known);
    }

    function release(uint256 seed, uint256 how) external counted {
        bytes32 key = _somePledge(seed);
        bytes32[] memory covered = _coveredBy(key, how);
        bytes32 pledgee = PLEDGES.pledge(key).pledgee;
        bytes memory data = abi.encodeCall(IPledges.release, (key, covered, ""));
        address sender = account(_who(seed / 7, pledgee));
        if (how % 5 == 0) (sender, data) = (FINANCING_PLACE, abi.encodeCall(IPledges.discharge, (key, covered)));
        if (how % 5 == 1) {
            sender = account(_who(seed / 7, ARBITRATOR));
            bytes32 first = covered.length == 0 ? bytes32(0) : covered[0];
            bytes memory frost = abi.encodeCall(IInstrument.freeze, (first, 0, DECISION, ""));
            if (first != 0 && how % 4 != 0) _act(Kind.Authority, first, ARBITRATOR, frost);
            data = abi.encodeCall(IPledges.annul, (key, covered, DECISION, ""));
        }
        IReceipts.Receipt[] memory before = _receipts(covered);
        (bool ok,) = _call(sender, address(PLEDGES), data);
        if (!ok) return;
        for (uint256 i = 0; i < covered.length; ++i) {
            if (how % 5 == 1) vm.assertTrue(before[i].freezes != 0, "annulled where frozen");
            vm.assertEq(RECEIPTS.receipt(covered[i]).pledgee, bytes32(0), "released");
            _settled(covered[i], pledgee, before[i]);
        }
    }

    function fail(uint256 seed, uint256 how) external counted {
        bytes32 key = _somePledge(seed);
        IPledges.Pledge memory known = PLEDGES.pledge(key);
        address sender = account(_who(seed / 7, known.pledgee));
        // Days go by until something can be done, most times.
        uint256 until =
            known.state == IPledges.State.Active ? known.terms.due + 1 : known.since + known.terms.noticeSeconds;
        if (seed % 3 != 0 && until > time) vm.warp(time = until);
        bool running = known.state == IPledges.State.Active;
        if (!running && how % 4 < 2) _call(sender, address(PLEDGES), abi.encodeCall(IPledges.cure, (key, "")));
        else if (running) _call(sender, address(PLEDGES), abi.encodeCall(IPledges.declareDefault, (key, "")));
        else _enforce(key, known, sender, how);
    }

    function _enforce(bytes32 key, IPledges.Pledge memory known, address sender, uint256 how) private {
        bytes32[] memory covered = _coveredBy(key, how / 4);
        IReceipts.Receipt[] memory before = _receipts(covered);
        bytes32 to = _member(how / 8);
        (bool ok,) = _call(sender, address(PLEDGES), abi.encodeCall(IPledges.enforce, (key, covered, to, "")));
        if (!ok) return;
        vm.assertTrue(known.state == IPledges.State.Defaulted, "after default");
        vm.assertTrue(block.timestamp >= uint256(known.since) + known.terms.noticeSeconds, "after notice");
        for (uint256 i = 0; i < covered.length; ++i) {
            vm.assertEq(before[i].freezes, 0, "frozen means frozen");
            vm.assertEq(RECEIPTS.receipt(covered[i]).holder, to, "to whom the pledgee says");
            vm.assertEq(RECEIPTS.receipt(covered[i]).owner, to, "free of the former owner");
            _settled(covered[i], known.pledgee, before[i]);
        }
    }

    /// @dev Receipts that a pledge covers: all of them, or the first.
    function _coveredBy(bytes32 key, uint256 how) private view returns (bytes32[] memory covered) {
        uint256 most = how % 3 == 0 ? 1 : ids.length;
        covered = new bytes32[](ids.length);
        uint256 found;
        for (uint256 i = 0; i < ids.length && found < most; ++i) {
            if (key != 0 && PLEDGES.pledgeOf(address(RECEIPTS), ids[i]) == key) covered[found++] = ids[i];
        }
        assembly ("memory-safe") {
            mstore(covered, found)
        }
    }

    function _receipts(bytes32[] memory of_) private view returns (IReceipts.Receipt[] memory found) {
        found = new IReceipts.Receipt[](of_.length);
        for (uint256 i = 0; i < of_.length; ++i) {
            found[i] = RECEIPTS.receipt(of_[i]);
        }
    }

    /// @notice The pledgee permits one call, which is made at once, or another one in its place.
    function permit(uint256 seed, uint256 what, uint256 to) external counted {
        bytes32 id = _some(seed);
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        bytes memory call = what % 3 == 0
            ? _splitData(id, what / 3, uint128(to))
            : what % 3 == 1
                ? _transferData(id, what / 3, to, to / 5)
                : abi.encodeCall(IReceipts.surrender, (id, 0, IReceipts.Purpose(1 + to % 3), ""));
        bytes32 who = _who(seed / 7, known.pledgee);
        bytes memory data = abi.encodeCall(IInstrument.permit, (id, 0, keccak256(call), ""));
        (bool ok,) = _act(Kind.Permit, id, who, data);
        if (!ok) return;
        granted[id] = keccak256(call);
        bool parts = what % 3 == 0;
        if (to % 4 == 0) (parts, call) = (false, _transferData(id, to, what, seed));
        if (!parts) _act(Kind.Dispose, id, known.holder, call);
        else if (ids.length < LIST_MAX) _split(id, known.holder, call);
    }

    // ---- authorities --------------------------------------------------------------------------------

    function freeze(uint256 seed, uint256 how) external counted {
        bytes32 id = _some(seed);
        bytes32 authority = RECEIPTS.isFrozenBy(id, REGULATOR) || how % 16 < 8 ? REGULATOR : ARBITRATOR;
        bytes32 who = _who(seed / 7, authority);
        bytes memory data = abi.encodeCall(IInstrument.freeze, (id, 0, DECISION, ""));
        // What is frozen is awarded or thawed, mostly.
        uint256 what = RECEIPTS.receipt(id).freezes == 0 ? how % 8 : 2 + how % 6;
        if (what > 2) data = abi.encodeCall(IInstrument.unfreeze, (id, 0, authority, DECISION, ""));
        if (what == 3) data = abi.encodeCall(IInstrument.award, (id, 0, _member(how / 8), DECISION, ""));
        (bool ok,) = _act(Kind.Authority, id, who, data);
        if (ok) vm.assertTrue(who == REGULATOR || who == ARBITRATOR, "an authority decides");
    }

    // ---- settlement -----------------------------------------------------------------------------------

    function settlement(uint256 seed, uint256 how) external counted {
        bytes32 id = _some(seed);
        IReceipts.Receipt memory known = RECEIPTS.receipt(id);
        address sender = seed % 7 == 0 ? account(known.holder) : SETTLEMENT_PLACE;
        if (how % 3 == 0 && !known.locked) {
            _disposedBy(sender, id, known, abi.encodeCall(IInstrument.lock, (id, 0, known.holder)));
        } else if (how % 3 == 1) {
            bytes memory data = abi.encodeCall(IInstrument.settle, (id, 0, known.holder, _member(how / 3)));
            _disposedBy(sender, id, known, data);
        } else {
            (bool ok,) = _call(sender, address(RECEIPTS), abi.encodeCall(IInstrument.unlock, (id)));
            if (ok) _settled(id, known.holder, known);
        }
    }

    function _disposedBy(address sender, bytes32 id, IReceipts.Receipt memory known, bytes memory data) private {
        (bool ok,) = _call(sender, address(RECEIPTS), data);
        if (!ok) return;
        vm.assertEq(sender, SETTLEMENT_PLACE, "only Settlement settles");
        vm.assertTrue(known.holder == known.owner, "for who holds and owns it");
        vm.assertTrue(known.freezes == 0, "frozen means frozen");
        vm.assertEq(known.pledgee, bytes32(0), "what is pledged is not sold");
        _settled(id, known.holder, known);
    }

    /// @dev After what another contract did to a receipt.
    function _settled(bytes32 id, bytes32, IReceipts.Receipt memory before) private {
        IReceipts.Receipt memory later = RECEIPTS.receipt(id);
        vm.assertTrue(later.revision > before.revision, "each act raises the revision");
        vm.assertEq(uint256(later.quantity), uint256(before.quantity), "goods stay");
        granted[id] = 0;
        _remember(id, later.state);
    }

    // ---- members --------------------------------------------------------------------------------------

    function standing(uint256 seed) external counted {
        bytes32 subject = _roster[seed % 9];
        if (seed % 4 == 0) {
            _govern(subject, IConsortium.Status.Suspended);
        } else {
            for (uint256 i = 0; i < 9; ++i) {
                _govern(_roster[i], IConsortium.Status.Active);
            }
        }
    }

    function _govern(bytes32 subject, IConsortium.Status status) private {
        _call(GOVERNANCE, address(CONSORTIUM), abi.encodeCall(IConsortium.setOrganisationStatus, (subject, status)));
    }

    function entrust(uint256 seed) external counted {
        bytes32 lot = lots[seed % lots.length];
        bytes32 former = STOCK.warehouseOf(lot);
        if (seed % 3 == 0) _govern(former, IConsortium.Status.Suspended);
        bytes32 to = former == WAREHOUSE ? OTHER_WAREHOUSE : WAREHOUSE;
        bytes32 who = _who(seed / 7, REGULATOR);
        (bool ok,) = _call(account(who), address(STOCK), abi.encodeCall(IStock.entrust, (lot, to, DECISION)));
        if (ok) vm.assertTrue(CONSORTIUM.statusOf(former) != IConsortium.Status.Active, "only from who is gone");
        _govern(former, IConsortium.Status.Active);
    }
}
