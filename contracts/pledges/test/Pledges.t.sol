// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IReceipts} from "../../receipts/interfaces/IReceipts.sol";
import {IPledges} from "../interfaces/IPledges.sol";

contract PledgesTest is FinanceScene {
    address private constant FINANCING_PLACE = address(0xf1a);
    address private constant NEXT_FINANCING = address(0xf1b);

    bytes32 private id;

    function setUp() public {
        _found();
        vm.etch(FINANCING_PLACE, hex"00");
        vm.etch(NEXT_FINANCING, hex"00");
        _register("financing", FINANCING_PLACE);
        _register("financing", NEXT_FINANCING);
        id = _issued("A-1", _lot("wheat 1", 1_000), 100);
    }

    function _one(bytes32 a) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = a;
    }

    function _proposeCall(uint64 revision, bytes32 bank, IPledges.Terms memory terms)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(IPledges.propose, (address(RECEIPTS), id, revision, bank, terms, ""));
    }

    function _proposed(bytes32 bank) private returns (bytes32 key) {
        IPledges.Terms memory terms = _pledgeTerms();
        uint64 revision = RECEIPTS.receipt(id).revision;
        _as(TRADER);
        key = PLEDGES.propose(address(RECEIPTS), id, revision, bank, terms, "");
    }

    function _pledgeRefused(bytes32 who, bytes memory data, bytes4 error_) private {
        _refused(who, address(PLEDGES), data, error_);
    }

    function _state(bytes32 key) private view returns (IPledges.State) {
        return PLEDGES.pledge(key).state;
    }

    function _checkState(bytes32 key, IPledges.State expected) private view {
        vm.assertTrue(_state(key) == expected, "state");
    }

    // ---- by agreement -------------------------------------------------------------------------

    function test_an_offer_is_made_by_the_holder_to_a_bank_about_what_is_there() public {
        IPledges.Terms memory terms = _pledgeTerms();
        _pledgeRefused(MILL, _proposeCall(1, BANK, terms), IInstrument.NotEntitled.selector);
        _pledgeRefused(TRADER, _proposeCall(1, MILL, terms), IPledges.NotBank.selector);
        _pledgeRefused(TRADER, _proposeCall(2, BANK, terms), IInstrument.StaleRevision.selector);
        terms.currency = "cny";
        _pledgeRefused(TRADER, _proposeCall(1, BANK, terms), IPledges.InvalidTerms.selector);
        terms = _pledgeTerms();
        terms.due = NOW;
        _pledgeRefused(TRADER, _proposeCall(1, BANK, terms), IPledges.InvalidTerms.selector);
        bytes memory data =
            abi.encodeCall(IPledges.propose, (address(RECEIPTS), bytes32("none"), 1, BANK, _pledgeTerms(), ""));
        _pledgeRefused(TRADER, data, IInstrument.UnknownInstrument.selector);
        data = abi.encodeCall(IPledges.propose, (address(STOCK), id, 1, BANK, _pledgeTerms(), ""));
        _pledgeRefused(TRADER, data, IPledges.NotInstrument.selector);
    }

    function test_nothing_is_pledged_without_the_banks_consent() public {
        bytes32 key = _proposed(BANK);
        vm.assertEq(RECEIPTS.receipt(id).pledgee, bytes32(0), "free");
        _pledgeRefused(TRADER, abi.encodeCall(IPledges.accept, (key, "")), IPledges.NotParty.selector);
        _pledgeRefused(OTHER_BANK, abi.encodeCall(IPledges.accept, (key, "")), IPledges.NotParty.selector);
        _as(BANK);
        PLEDGES.accept(key, "");
        vm.assertEq(RECEIPTS.receipt(id).pledgee, BANK, "pledged");
        vm.assertEq(PLEDGES.pledgeOf(address(RECEIPTS), id), key, "by this one");
        _pledgeRefused(BANK, abi.encodeCall(IPledges.accept, (key, "")), IPledges.WrongState.selector);
    }

    function test_of_two_banks_one_gets_it_and_the_other_learns_why() public {
        bytes32 first = _proposed(BANK);
        bytes32 second = _proposed(OTHER_BANK);
        _as(OTHER_BANK);
        PLEDGES.accept(second, "");
        _pledgeRefused(BANK, abi.encodeCall(IPledges.accept, (first, "")), IPledges.AlreadyPledged.selector);
        _pledgeRefused(TRADER, _proposeCall(2, BANK, _pledgeTerms()), IPledges.AlreadyPledged.selector);
    }

    function test_consent_is_to_what_was_seen() public {
        bytes32 key = _proposed(BANK);
        _as(WAREHOUSE);
        RECEIPTS.extend(id, 0, NOW + 500 days, "");
        _pledgeRefused(BANK, abi.encodeCall(IPledges.accept, (key, "")), IInstrument.StaleRevision.selector);
    }

    function test_consent_comes_before_the_debt_is_due_and_from_who_still_owns_it() public {
        bytes32 key = _proposed(BANK);
        _setStatus(TRADER, IConsortium.Status.Suspended);
        _pledgeRefused(BANK, abi.encodeCall(IPledges.accept, (key, "")), IInstrument.PartyNotActive.selector);
        _setStatus(TRADER, IConsortium.Status.Active);
        vm.warp(NOW + 90 days);
        _pledgeRefused(BANK, abi.encodeCall(IPledges.accept, (key, "")), IPledges.InvalidTerms.selector);
    }

    function test_an_owner_who_does_not_hold_it_cannot_pledge_it_nor_the_reverse() public {
        _as(TRADER);
        RECEIPTS.transferHolding(id, 0, MILL, "");
        IPledges.Terms memory terms = _pledgeTerms();
        _pledgeRefused(TRADER, _proposeCall(2, BANK, terms), IInstrument.NotEntitled.selector);
        _as(MILL);
        bytes32 key = PLEDGES.propose(address(RECEIPTS), id, 2, BANK, terms, "");
        _pledgeRefused(BANK, abi.encodeCall(IPledges.accept, (key, "")), IInstrument.NotEntitled.selector);
    }

    function test_declined_or_withdrawn_it_may_be_proposed_again() public {
        bytes32 key = _proposed(BANK);
        _pledgeRefused(TRADER, _proposeCall(1, BANK, _pledgeTerms()), IPledges.PledgeExists.selector);
        _as(BANK);
        PLEDGES.decline(key, "");
        _checkState(key, IPledges.State.Declined);
        vm.assertEq(_proposed(BANK), key, "the same");
        _as(TRADER);
        PLEDGES.withdraw(key, "");
        _checkState(key, IPledges.State.Withdrawn);
        _pledgeRefused(BANK, abi.encodeCall(IPledges.accept, (key, "")), IPledges.WrongState.selector);
    }

    // ---- the end ------------------------------------------------------------------------------

    function _split() private returns (bytes32[] memory parts) {
        uint128[] memory quantities = new uint128[](2);
        (quantities[0], quantities[1]) = (40, 60);
        bytes memory data = abi.encodeCall(IReceipts.split, (id, 0, quantities, new bytes32[][](2), ""));
        _as(BANK);
        RECEIPTS.permit(id, 0, keccak256(data), "");
        vm.prank(account(TRADER));
        (bool ok, bytes memory result) = address(RECEIPTS).call(data);
        require(ok, "split");
        parts = abi.decode(result, (bytes32[]));
    }

    function test_a_pledge_covers_what_came_out_and_is_released_part_by_part() public {
        bytes32 key = _pledged(address(RECEIPTS), id, BANK);
        bytes32[] memory parts = _split();
        vm.assertEq(uint256(PLEDGES.pledge(key).assets), 2, "both");
        vm.assertEq(PLEDGES.pledgeOf(address(RECEIPTS), id), bytes32(0), "not the whole, which has ended");
        bytes memory whole = abi.encodeCall(IPledges.release, (key, _one(id), ""));
        _pledgeRefused(BANK, whole, IPledges.NotCovered.selector);
        _as(BANK);
        PLEDGES.release(key, _one(parts[0]), "");
        _checkState(key, IPledges.State.Active);
        vm.assertEq(RECEIPTS.receipt(parts[0]).pledgee, bytes32(0), "free");
        vm.assertEq(RECEIPTS.receipt(parts[1]).pledgee, BANK, "pledged");
        _as(BANK);
        PLEDGES.release(key, _one(parts[1]), "");
        _checkState(key, IPledges.State.Released);
    }

    function test_only_the_pledgee_releases_and_each_thing_once() public {
        bytes32 key = _pledged(address(RECEIPTS), id, BANK);
        bytes memory data = abi.encodeCall(IPledges.release, (key, _one(id), ""));
        _pledgeRefused(TRADER, data, IPledges.NotParty.selector);
        bytes32[] memory twice = new bytes32[](2);
        (twice[0], twice[1]) = (id, id);
        _pledgeRefused(BANK, abi.encodeCall(IPledges.release, (key, twice, "")), IPledges.NotCovered.selector);
        _pledgeRefused(
            BANK, abi.encodeCall(IPledges.release, (key, new bytes32[](0), "")), IPledges.NotCovered.selector
        );
        _pledgeRefused(BANK, abi.encodeCall(IPledges.release, ("x", _one(id), "")), IPledges.UnknownPledge.selector);
    }

    function test_enforcement_waits_for_the_due_day_and_the_notice() public {
        bytes32 key = _pledged(address(RECEIPTS), id, BANK);
        bytes memory default_ = abi.encodeCall(IPledges.declareDefault, (key, ""));
        bytes memory enforce = abi.encodeCall(IPledges.enforce, (key, _one(id), MILL, ""));
        vm.warp(NOW + 90 days);
        _pledgeRefused(BANK, default_, IPledges.TooEarly.selector);
        vm.warp(NOW + 90 days + 1);
        _pledgeRefused(BANK, enforce, IPledges.WrongState.selector);
        _as(BANK);
        PLEDGES.declareDefault(key, "");
        vm.warp(NOW + 100 days);
        _pledgeRefused(BANK, enforce, IPledges.TooEarly.selector);
        vm.warp(NOW + 100 days + 1);
        _pledgeRefused(TRADER, enforce, IPledges.NotParty.selector);
        _as(BANK);
        PLEDGES.enforce(key, _one(id), MILL, "");
        vm.assertEq(RECEIPTS.receipt(id).holder, MILL, "the buyer's");
        vm.assertEq(RECEIPTS.receipt(id).owner, MILL, "altogether");
        vm.assertEq(RECEIPTS.receipt(id).pledgee, bytes32(0), "and free");
        _checkState(key, IPledges.State.Enforced);
    }

    function test_a_cured_default_begins_anew() public {
        bytes32 key = _pledged(address(RECEIPTS), id, BANK);
        vm.warp(NOW + 90 days + 1);
        _as(BANK);
        PLEDGES.declareDefault(key, "");
        _as(BANK);
        PLEDGES.cure(key, "");
        _checkState(key, IPledges.State.Active);
        vm.warp(NOW + 200 days);
        bytes memory enforce = abi.encodeCall(IPledges.enforce, (key, _one(id), MILL, ""));
        _pledgeRefused(BANK, enforce, IPledges.WrongState.selector);
        _as(BANK);
        PLEDGES.declareDefault(key, "");
        _pledgeRefused(BANK, enforce, IPledges.TooEarly.selector);
    }

    function test_what_was_surrendered_before_the_default_is_enforced_too() public {
        bytes32 key = _pledged(address(RECEIPTS), id, BANK);
        bytes memory data = abi.encodeCall(IReceipts.surrender, (id, 0, IReceipts.Purpose.Delivery, ""));
        _as(BANK);
        RECEIPTS.permit(id, 0, keccak256(data), "");
        vm.prank(account(TRADER));
        (bool ok,) = address(RECEIPTS).call(data);
        require(ok, "surrender");
        vm.warp(NOW + 90 days + 1);
        _as(BANK);
        PLEDGES.declareDefault(key, "");
        vm.warp(NOW + 200 days);
        _as(BANK);
        PLEDGES.enforce(key, _one(id), BANK, "");
        vm.assertEq(RECEIPTS.receipt(id).holder, BANK, "the bank's");
        data = abi.encodeCall(IReceipts.shred, (id, 0, ""));
        _refused(WAREHOUSE, address(RECEIPTS), data, IInstrument.WrongState.selector);
        _as(BANK);
        RECEIPTS.transferBoth(id, 0, MILL, MILL, "");
    }

    // ---- authorities --------------------------------------------------------------------------

    function test_an_authority_annuls_what_it_has_frozen() public {
        bytes32 key = _pledged(address(RECEIPTS), id, BANK);
        _setStatus(BANK, IConsortium.Status.Revoked);
        bytes memory data = abi.encodeCall(IPledges.annul, (key, _one(id), DECISION, ""));
        _pledgeRefused(OTHER_BANK, data, IPledges.NotParty.selector);
        _pledgeRefused(ARBITRATOR, data, IPledges.NotFrozen.selector);
        _as(ARBITRATOR);
        RECEIPTS.freeze(id, 0, DECISION, "");
        _pledgeRefused(REGULATOR, data, IPledges.NotFrozen.selector);
        bytes memory unnamed = abi.encodeCall(IPledges.annul, (key, _one(id), bytes32(0), ""));
        _pledgeRefused(ARBITRATOR, unnamed, IPledges.DecisionMissing.selector);
        vm.expectEmit(true, true, true, true, address(PLEDGES));
        emit IPledges.PledgeAnnulled(key, ARBITRATOR, DECISION, _one(id));
        _as(ARBITRATOR);
        PLEDGES.annul(key, _one(id), DECISION, "");
        _checkState(key, IPledges.State.Annulled);
        vm.assertEq(RECEIPTS.receipt(id).pledgee, bytes32(0), "free of the pledge");
        vm.assertEq(uint256(RECEIPTS.receipt(id).freezes), 1, "and frozen still");
    }

    function test_who_is_paid_releases_even_what_is_frozen() public {
        bytes32 key = _pledged(address(RECEIPTS), id, BANK);
        _as(REGULATOR);
        RECEIPTS.freeze(id, 0, DECISION, "");
        _as(BANK);
        PLEDGES.release(key, _one(id), "paid");
        vm.assertEq(RECEIPTS.receipt(id).pledgee, bytes32(0), "released");
    }

    // ---- with a loan ----------------------------------------------------------------------------

    function test_financing_pledges_and_frees_what_it_has_pledged() public {
        IPledges.Terms memory terms = _pledgeTerms();
        bytes memory data =
            abi.encodeCall(IPledges.secure, (address(RECEIPTS), id, 1, TRADER, BANK, terms, keccak256("loan")));
        _pledgeRefused(BANK, data, IPledges.CallerNotActive.selector);
        vm.prank(FINANCING_PLACE);
        bytes32 key = PLEDGES.secure(address(RECEIPTS), id, 1, TRADER, BANK, terms, keccak256("loan"));
        vm.assertEq(RECEIPTS.receipt(id).pledgee, BANK, "pledged");
        data = abi.encodeCall(IPledges.discharge, (key, _one(id)));
        _pledgeRefused(TRADER, data, IPledges.CallerNotActive.selector);
        _refusedFrom(NEXT_FINANCING, address(PLEDGES), data, IPledges.CallerNotActive.selector);
        vm.prank(FINANCING_PLACE);
        PLEDGES.discharge(key, _one(id));
        _checkState(key, IPledges.State.Released);
    }

    function test_no_stranger_says_what_comes_after_an_instrument() public {
        _pledged(address(RECEIPTS), id, BANK);
        bytes memory data = abi.encodeCall(IPledges.succeeded, (id, _one("mine")));
        _pledgeRefused(TRADER, data, IPledges.NotCovered.selector);
    }
}
