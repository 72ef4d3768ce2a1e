// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAuthorised} from "../../governance/interfaces/IAuthorised.sol";
import {GovernanceScene} from "../../governance/test/GovernanceScene.sol";
import {IDirectory} from "../interfaces/IDirectory.sol";

contract DirectoryTest is GovernanceScene {
    bytes32 private constant NAME = "provenance";

    function setUp() public {
        _found(1);
    }

    function _add(bytes32 name, address place) private {
        vm.prank(address(GOVERNANCE));
        DIRECTORY.addVersion(name, place, "");
    }

    function test_versions_are_added_and_never_overwritten() public {
        vm.expectEmit(true, true, true, true, address(DIRECTORY));
        emit IDirectory.VersionAdded(
            NAME, address(NETWORK), address(GOVERNANCE), 0, address(NETWORK).codehash, "https://notes.example"
        );
        vm.prank(address(GOVERNANCE));
        DIRECTORY.addVersion(NAME, address(NETWORK), "https://notes.example");
        _nextBlock();
        _add(NAME, address(CONSORTIUM));
        vm.assertEq(DIRECTORY.count(NAME), 2, "count");
        IDirectory.Version memory first = DIRECTORY.version(NAME, 0);
        vm.assertEq(first.place, address(NETWORK), "first");
        vm.assertEq(first.note, "https://notes.example", "note");
        IDirectory.Version memory current = DIRECTORY.current(NAME);
        vm.assertEq(current.place, address(CONSORTIUM), "current");
        vm.assertEq(current.codeHash, address(CONSORTIUM).codehash, "code");
        vm.assertEq(current.blockNumber, block.number, "since block");
        vm.assertEq(current.time, block.timestamp, "since time");
        _add(NAME, address(NETWORK));
        vm.assertEq(DIRECTORY.current(NAME).place, address(NETWORK), "an earlier one comes back");
        vm.assertEq(DIRECTORY.names().length, 1, "one name");
    }

    function test_only_the_authority_adds(address caller) public {
        vm.assume(caller != address(GOVERNANCE));
        vm.expectRevert(abi.encodeWithSelector(IAuthorised.NotAuthority.selector, caller));
        vm.prank(caller);
        DIRECTORY.addVersion(NAME, address(NETWORK), "");
    }

    function test_there_must_be_a_contract() public {
        vm.expectRevert(abi.encodeWithSelector(IDirectory.NoCode.selector, address(7)));
        _add(NAME, address(7));
        vm.etch(address(0x800), hex"ef01000000000000000000000000000000000000001234");
        vm.expectRevert(abi.encodeWithSelector(IDirectory.NoCode.selector, address(0x800)));
        _add(NAME, address(0x800));
    }

    function test_an_address_has_one_name() public {
        _add(NAME, address(NETWORK));
        vm.expectRevert(abi.encodeWithSelector(IDirectory.AddressHasName.selector, address(NETWORK), NAME));
        _add("other", address(NETWORK));
        vm.expectRevert(abi.encodeWithSelector(IDirectory.Unchanged.selector));
        _add(NAME, address(NETWORK));
        vm.assertEq(DIRECTORY.nameOf(address(NETWORK)), NAME, "name");
    }

    function test_fixed_names_keep_their_version() public {
        vm.assertTrue(DIRECTORY.isFixed("network"), "fixed");
        vm.expectRevert(abi.encodeWithSelector(IDirectory.FixedName.selector, bytes32("network")));
        _add("network", address(NETWORK));
    }

    function test_unknown_versions_are_told() public {
        vm.expectRevert(abi.encodeWithSelector(IDirectory.UnknownVersion.selector, NAME, 0));
        DIRECTORY.current(NAME);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.UnknownVersion.selector, NAME, 3));
        DIRECTORY.version(NAME, 3);
    }

    function testFuzz_names(uint256 seed, uint256 length, uint256 spot, uint8 odd) public {
        length = _within(length, 0, 32);
        bytes memory alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-";
        bytes memory raw = new bytes(32);
        for (uint256 i = 0; i < length; ++i) {
            uint256 letters = i == 0 ? 26 : alphabet.length;
            raw[i] = alphabet[uint256(keccak256(abi.encode(seed, i))) % letters];
        }
        if (odd % 2 == 1) raw[spot % 32] = bytes1(odd);
        bool valid = raw[0] >= "a" && raw[0] <= "z";
        bool ended = false;
        for (uint256 i = 0; i < 32; ++i) {
            uint8 c = uint8(raw[i]);
            if (c == 0) ended = true;
            else if (ended) valid = false;
            else if (!((c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c == 45)) valid = false;
        }
        if (!valid) vm.expectRevert(abi.encodeWithSelector(IDirectory.InvalidName.selector, bytes32(raw)));
        _add(bytes32(raw), address(NETWORK));
    }

    function test_notes_are_bounded() public {
        bytes memory long = new bytes(513);
        for (uint256 i = 0; i < 513; ++i) long[i] = "x";
        vm.expectRevert(abi.encodeWithSelector(IDirectory.InvalidNote.selector, string(long)));
        vm.prank(address(GOVERNANCE));
        DIRECTORY.addVersion(NAME, address(NETWORK), string(long));
        vm.expectRevert(abi.encodeWithSelector(IDirectory.InvalidNote.selector, "two words"));
        vm.prank(address(GOVERNANCE));
        DIRECTORY.addVersion(NAME, address(NETWORK), "two words");
    }
}
