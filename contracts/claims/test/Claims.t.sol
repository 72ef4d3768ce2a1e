// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IClaims} from "../interfaces/IClaims.sol";

/// @dev What Claims asks of an instrument.
contract Standing {
    mapping(bytes32 id => bool) public isLive;

    function set(bytes32 id, bool live) external {
        isLive[id] = live;
    }
}

contract ClaimsTest is FinanceScene {
    address private constant NEXT_VERSION = address(0x4e);
    address private constant RECEIVABLES_PLACE = address(0x4d);
    bytes32 private constant KEY = keccak256("item");
    bytes32 private constant CREDITOR = "creditor";
    bytes32 private constant DEBTOR = "debtor";

    function setUp() public {
        _found();
        vm.etch(NEXT_VERSION, type(Standing).runtimeCode);
        vm.etch(RECEIVABLES_PLACE, hex"00");
        _register("receipts", NEXT_VERSION);
        _register("receivables", RECEIVABLES_PLACE);
    }

    function _keys(bytes32 key) private pure returns (bytes32[] memory keys) {
        keys = new bytes32[](1);
        keys[0] = key;
    }

    function _claim(address instrument, bytes32 id, bytes32 key) private {
        vm.prank(instrument);
        CLAIMS.claim(id, _keys(key));
    }

    function test_one_claim_across_all_instruments_and_their_versions() public {
        _claim(address(RECEIPTS), "1", KEY);
        bytes memory data = abi.encodeCall(IClaims.claim, ("1", _keys(KEY)));
        _refusedFrom(address(RECEIPTS), address(CLAIMS), data, IClaims.AlreadyClaimed.selector);
        _refusedFrom(NEXT_VERSION, address(CLAIMS), data, IClaims.AlreadyClaimed.selector);
        _refusedFrom(RECEIVABLES_PLACE, address(CLAIMS), data, IClaims.AlreadyClaimed.selector);
        vm.assertEq(CLAIMS.claimOf(KEY).instrument, address(RECEIPTS), "the first has it");
    }

    function test_a_version_gives_up_only_what_is_its_own() public {
        _claim(address(RECEIPTS), "1", KEY);
        bytes memory release = abi.encodeCall(IClaims.release, ("1", _keys(KEY)));
        bytes memory move = abi.encodeCall(IClaims.move, ("1", "2", _keys(KEY)));
        _refusedFrom(NEXT_VERSION, address(CLAIMS), release, IClaims.NotClaimed.selector);
        _refusedFrom(NEXT_VERSION, address(CLAIMS), move, IClaims.NotClaimed.selector);
        release = abi.encodeCall(IClaims.release, ("2", _keys(KEY)));
        _refusedFrom(address(RECEIPTS), address(CLAIMS), release, IClaims.NotClaimed.selector);
    }

    function test_what_is_released_can_be_claimed_again() public {
        _claim(address(RECEIPTS), "1", KEY);
        vm.prank(address(RECEIPTS));
        CLAIMS.release("1", _keys(KEY));
        _claim(NEXT_VERSION, "9", KEY);
        vm.assertEq(CLAIMS.claimOf(KEY).id, bytes32("9"), "claimed anew");
    }

    function test_all_keys_or_none() public {
        _claim(address(RECEIPTS), "1", KEY);
        bytes32[] memory keys = new bytes32[](2);
        (keys[0], keys[1]) = (keccak256("fresh"), KEY);
        bytes memory data = abi.encodeCall(IClaims.claim, ("2", keys));
        _refusedFrom(address(RECEIPTS), address(CLAIMS), data, IClaims.AlreadyClaimed.selector);
        vm.assertEq(CLAIMS.claimOf(keys[0]).id, bytes32(0), "none");
        keys[1] = keys[0];
        data = abi.encodeCall(IClaims.claim, ("2", keys));
        _refusedFrom(address(RECEIPTS), address(CLAIMS), data, IClaims.AlreadyClaimed.selector);
        data = abi.encodeCall(IClaims.claim, ("2", _keys(0)));
        _refusedFrom(address(RECEIPTS), address(CLAIMS), data, IClaims.ZeroKey.selector);
    }

    function testFuzz_members_and_other_contracts_claim_nothing(address sender) public {
        vm.assume(sender != address(RECEIPTS) && sender != NEXT_VERSION && sender != RECEIVABLES_PLACE);
        bytes4 error_ = IClaims.NotInstrument.selector;
        _refusedFrom(sender, address(CLAIMS), abi.encodeCall(IClaims.claim, ("1", _keys(KEY))), error_);
        _refusedFrom(sender, address(CLAIMS), abi.encodeCall(IClaims.release, ("1", _keys(KEY))), error_);
        _refusedFrom(sender, address(CLAIMS), abi.encodeCall(IClaims.move, ("1", "2", _keys(KEY))), error_);
    }

    // ---- by a decision --------------------------------------------------------------------------

    function test_an_authority_frees_what_a_record_that_has_ended_blocks() public {
        _claim(NEXT_VERSION, "1", KEY);
        bytes memory data = abi.encodeCall(IClaims.annul, (KEY, DECISION, "not theirs"));
        Standing(NEXT_VERSION).set("1", true);
        _refusedFrom(account(REGULATOR), address(CLAIMS), data, IClaims.StillLive.selector);
        Standing(NEXT_VERSION).set("1", false);
        vm.expectEmit(true, true, true, true, address(CLAIMS));
        emit IClaims.Released(KEY, NEXT_VERSION, "1");
        vm.expectEmit(true, true, true, true, address(CLAIMS));
        emit IClaims.Annulled(KEY, REGULATOR, DECISION, "not theirs");
        vm.prank(account(REGULATOR));
        CLAIMS.annul(KEY, DECISION, "not theirs");
        _refusedFrom(account(REGULATOR), address(CLAIMS), data, IClaims.NotClaimed.selector);
        _claim(address(RECEIPTS), "9", KEY);
    }

    function test_nobody_else_frees_a_claim_and_nobody_without_a_decision() public {
        _claim(NEXT_VERSION, "1", KEY);
        bytes memory data = abi.encodeCall(IClaims.annul, (KEY, DECISION, ""));
        _refusedFrom(account(BANK), address(CLAIMS), data, IClaims.NotAuthority.selector);
        _refusedFrom(NEXT_VERSION, address(CLAIMS), data, IClaims.CallerNotActive.selector);
        data = abi.encodeCall(IClaims.annul, (KEY, bytes32(0), ""));
        _refusedFrom(account(REGULATOR), address(CLAIMS), data, IClaims.DecisionMissing.selector);
    }

    function test_what_is_claimed_is_known_before_it_is_claimed() public {
        CLAIMS.checkFree(CREDITOR, DEBTOR, _keys(KEY));
        _claim(address(RECEIPTS), "1", KEY);
        bytes4 claimed = IClaims.AlreadyClaimed.selector;
        bytes memory asked = abi.encodeCall(IClaims.checkFree, (CREDITOR, DEBTOR, _keys(KEY)));
        _refusedFrom(NEXT_VERSION, address(CLAIMS), asked, claimed);
        bytes32[] memory twice = new bytes32[](2);
        (twice[0], twice[1]) = (keccak256("fresh"), keccak256("fresh"));
        asked = abi.encodeCall(IClaims.checkFree, (CREDITOR, DEBTOR, twice));
        _refusedFrom(NEXT_VERSION, address(CLAIMS), asked, claimed);
    }

    // ---- between two ----------------------------------------------------------------------------

    function _reserve(bytes32 id, bytes32 debtor, bytes32 key) private {
        vm.prank(address(NEXT_VERSION));
        CLAIMS.reserve(id, CREDITOR, debtor, _keys(key));
    }

    function test_what_one_has_named_is_in_the_way_of_the_same_two_alone() public {
        _reserve("1", DEBTOR, KEY);
        bytes4 claimed = IClaims.AlreadyClaimed.selector;
        bytes memory same = abi.encodeCall(IClaims.claimBetween, ("2", CREDITOR, DEBTOR, _keys(KEY)));
        _refusedFrom(RECEIVABLES_PLACE, address(CLAIMS), same, claimed);
        _refusedFrom(NEXT_VERSION, address(CLAIMS), same, claimed);
        same = abi.encodeCall(IClaims.reserve, ("2", CREDITOR, DEBTOR, _keys(KEY)));
        _refusedFrom(NEXT_VERSION, address(CLAIMS), same, claimed);
        same = abi.encodeCall(IClaims.checkFree, (CREDITOR, DEBTOR, _keys(KEY)));
        _refusedFrom(NEXT_VERSION, address(CLAIMS), same, claimed);
        vm.prank(RECEIVABLES_PLACE);
        CLAIMS.claimBetween("9", CREDITOR, "another debtor", _keys(KEY));
        vm.assertEq(CLAIMS.claimOf(KEY).id, bytes32("9"), "theirs");
        vm.prank(NEXT_VERSION);
        CLAIMS.confirm("1", CREDITOR, DEBTOR, _keys(KEY));
        vm.assertEq(CLAIMS.claimOf(KEY).id, bytes32("9"), "and stays theirs");
    }

    function test_what_is_kept_is_claimed_once_confirmed() public {
        _reserve("1", DEBTOR, KEY);
        _reserve("1", DEBTOR, KEY);
        bytes32 between = keccak256(abi.encode(CREDITOR, DEBTOR, KEY));
        vm.assertEq(CLAIMS.claimOf(KEY).id, bytes32(0), "claimed by nobody yet");
        vm.assertEq(CLAIMS.claimOf(between).id, bytes32("1"), "kept");
        vm.prank(NEXT_VERSION);
        CLAIMS.confirm("1", CREDITOR, DEBTOR, _keys(KEY));
        vm.assertEq(CLAIMS.claimOf(KEY).id, bytes32("1"), "claimed");
        vm.assertEq(CLAIMS.claimOf(between).id, bytes32(0), "kept no more");
        _reserve("1", DEBTOR, KEY);
        vm.assertEq(CLAIMS.claimOf(between).id, bytes32(0), "what it has it need not keep");
        vm.prank(NEXT_VERSION);
        CLAIMS.abandon("1", CREDITOR, DEBTOR, _keys(KEY));
        vm.assertEq(CLAIMS.claimOf(KEY).id, bytes32(0), "free again");
    }

    function test_an_authority_strikes_what_is_only_kept_while_its_record_lives() public {
        _reserve("1", DEBTOR, KEY);
        Standing(NEXT_VERSION).set("1", true);
        bytes32 between = keccak256(abi.encode(CREDITOR, DEBTOR, KEY));
        vm.prank(account(REGULATOR));
        CLAIMS.annul(between, DECISION, "not theirs");
        vm.prank(NEXT_VERSION);
        CLAIMS.confirm("1", CREDITOR, DEBTOR, _keys(KEY));
        vm.assertEq(CLAIMS.claimOf(KEY).id, bytes32(0), "and nothing comes of it");
        _reserve("1", DEBTOR, KEY);
        vm.prank(NEXT_VERSION);
        CLAIMS.confirm("1", CREDITOR, DEBTOR, _keys(KEY));
        bytes memory data = abi.encodeCall(IClaims.annul, (KEY, DECISION, ""));
        _refusedFrom(account(REGULATOR), address(CLAIMS), data, IClaims.StillLive.selector);
    }

    function test_nobody_gives_up_what_another_keeps() public {
        _reserve("1", DEBTOR, KEY);
        vm.prank(RECEIVABLES_PLACE);
        CLAIMS.abandon("1", CREDITOR, DEBTOR, _keys(KEY));
        vm.prank(RECEIVABLES_PLACE);
        CLAIMS.confirm("1", CREDITOR, DEBTOR, _keys(KEY));
        vm.assertEq(CLAIMS.claimOf(KEY).id, bytes32(0), "not claimed");
        vm.assertEq(CLAIMS.claimOf(keccak256(abi.encode(CREDITOR, DEBTOR, KEY))).id, bytes32("1"), "kept");
    }

    function test_a_claim_is_told_wherever_it_goes() public {
        vm.expectEmit(true, true, true, true, address(CLAIMS));
        emit IClaims.Claimed(KEY, address(RECEIPTS), "1");
        _claim(address(RECEIPTS), "1", KEY);
        vm.expectEmit(true, true, true, true, address(CLAIMS));
        emit IClaims.Released(KEY, address(RECEIPTS), "1");
        vm.expectEmit(true, true, true, true, address(CLAIMS));
        emit IClaims.Claimed(KEY, address(RECEIPTS), "2");
        vm.prank(address(RECEIPTS));
        CLAIMS.move("1", "2", _keys(KEY));
        vm.assertEq(CLAIMS.claimOf(KEY).id, bytes32("2"), "moved");
    }
}
