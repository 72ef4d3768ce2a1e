// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {IClaims} from "../interfaces/IClaims.sol";

/// @dev What Claims asks of an instrument.
contract Standing {
    mapping(bytes32 id => bool) public isLive;
    mapping(bytes32 id => IInstrument.Control) private _controls;

    function set(bytes32 id, bool live, uint64 revision) external {
        isLive[id] = live;
        _controls[id].revision = revision;
    }

    function control(bytes32 id) external view returns (IInstrument.Control memory) {
        return _controls[id];
    }
}

contract ClaimsTest is FinanceScene {
    address private constant NEXT_VERSION = address(0x4e);
    address private constant RECEIVABLES_PLACE = address(0x4d);
    bytes32 private constant KEY = keccak256("item");

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

    function _ends(bytes32 id, bool live, uint64 revision) private {
        Standing(NEXT_VERSION).set(id, live, revision);
    }

    function test_an_authority_frees_what_a_record_that_has_ended_blocks() public {
        _claim(NEXT_VERSION, "1", KEY);
        bytes memory data = abi.encodeCall(IClaims.annul, (KEY, DECISION, "not theirs"));
        _ends("1", true, 2);
        _refusedFrom(account(REGULATOR), address(CLAIMS), data, IClaims.StillLive.selector);
        bytes32 part = keccak256(abi.encode(bytes32("1"), 1));
        bytes32 partOfPart = keccak256(abi.encode(part, 1));
        _ends("1", false, 2);
        _ends(part, false, 1);
        _ends(partOfPart, true, 1);
        _refusedFrom(account(REGULATOR), address(CLAIMS), data, IClaims.StillLive.selector);
        _ends(partOfPart, false, 1);
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
        _ends("1", false, 0);
        bytes memory data = abi.encodeCall(IClaims.annul, (KEY, DECISION, ""));
        _refusedFrom(account(BANK), address(CLAIMS), data, IClaims.NotAuthority.selector);
        _refusedFrom(NEXT_VERSION, address(CLAIMS), data, IClaims.CallerNotActive.selector);
        data = abi.encodeCall(IClaims.annul, (KEY, bytes32(0), ""));
        _refusedFrom(account(REGULATOR), address(CLAIMS), data, IClaims.DecisionMissing.selector);
    }

    function test_what_is_claimed_is_known_before_it_is_claimed() public {
        CLAIMS.checkFree(_keys(KEY));
        _claim(address(RECEIPTS), "1", KEY);
        bytes4 claimed = IClaims.AlreadyClaimed.selector;
        _refusedFrom(NEXT_VERSION, address(CLAIMS), abi.encodeCall(IClaims.checkFree, (_keys(KEY))), claimed);
        bytes32[] memory twice = new bytes32[](2);
        (twice[0], twice[1]) = (keccak256("fresh"), keccak256("fresh"));
        _refusedFrom(NEXT_VERSION, address(CLAIMS), abi.encodeCall(IClaims.checkFree, (twice)), claimed);
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
