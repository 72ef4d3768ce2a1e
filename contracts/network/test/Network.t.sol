// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IAuthorised} from "../../governance/interfaces/IAuthorised.sol";
import {IGovernance} from "../../governance/interfaces/IGovernance.sol";
import {GovernanceScene} from "../../governance/test/GovernanceScene.sol";
import {INetwork} from "../interfaces/INetwork.sol";

contract NetworkTest is GovernanceScene {
    address private constant AUTHORITY = address(GOVERNANCE);

    function setUp() public {
        _found(4);
    }

    function _add(uint256 i, bytes32 organisation, uint64 power) private {
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(i), organisation, power, key(i), contact(i));
    }

    // ---- storage ------------------------------------------------------------------------------

    /// docs/consortium.md, "Who is in": what nodes read without running the contract.
    function test_raw_storage_is_as_nodes_read_it() public view {
        vm.assertEq(uint256(vm.load(address(NETWORK), bytes32(0))), 4, "length of the ids");
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 element = bytes32(uint256(keccak256(abi.encode(0))) + i);
            vm.assertEq(vm.load(address(NETWORK), element), nodeId(i), "id");
            uint256 place = uint256(keccak256(abi.encode(nodeId(i), uint256(2))));
            vm.assertEq(vm.load(address(NETWORK), bytes32(place)), org(i), "organisation");
            uint256 packed = uint256(vm.load(address(NETWORK), bytes32(place + 1)));
            vm.assertEq(packed & 0xff, 1, "status");
            vm.assertEq(packed >> 8 & type(uint64).max, 10, "power");
            vm.assertEq(vm.load(address(NETWORK), bytes32(place + 2)), key(i), "validator key");
        }
    }

    // ---- who may what -------------------------------------------------------------------------

    function test_only_the_authority_changes_nodes(address caller) public {
        vm.assume(caller != AUTHORITY);
        bytes memory refusal = abi.encodeWithSelector(IAuthorised.NotAuthority.selector, caller);
        vm.expectRevert(refusal);
        vm.prank(caller);
        NETWORK.addNode(nodeId(9), org(0), 0, 0, contact(9));
        vm.expectRevert(refusal);
        vm.prank(caller);
        NETWORK.removeNode(nodeId(1));
        vm.expectRevert(refusal);
        vm.prank(caller);
        NETWORK.setNodeStatus(nodeId(1), INetwork.Status.Suspended);
        vm.expectRevert(refusal);
        vm.prank(caller);
        NETWORK.setPower(nodeId(1), 1);
    }

    function test_an_organisation_may_not_change_its_own_power() public {
        test_only_the_authority_changes_nodes(account(1));
    }

    function test_own_accounts_change_endpoints_and_keys() public {
        vm.expectEmit(true, true, true, true, address(NETWORK));
        emit INetwork.NodeEndpointsChanged(nodeId(1), account(1), "new.example:1", "");
        vm.prank(account(1));
        NETWORK.setEndpoints(nodeId(1), "new.example:1", "");
        vm.expectEmit(true, true, true, true, address(NETWORK));
        emit INetwork.NodeWitnessKeyChanged(nodeId(1), account(1), "log/b+11111111+next");
        vm.prank(account(1));
        NETWORK.rotateWitnessKey(nodeId(1), "log/b+11111111+next");
        vm.expectEmit(true, true, true, true, address(NETWORK));
        emit INetwork.NodeValidatorKeyChanged(nodeId(1), account(1), key(21));
        vm.prank(account(1));
        NETWORK.rotateValidatorKey(nodeId(1), key(21));
        INetwork.Node memory node = NETWORK.node(nodeId(1));
        vm.assertEq(node.contact.p2p, "new.example:1", "p2p");
        vm.assertEq(node.contact.api, "", "api");
        vm.assertEq(node.contact.witnessKey, "log/b+11111111+next", "witness key");
        vm.assertEq(node.validatorKey, key(21), "validator key");
        (bytes32[] memory keys, uint64[] memory powers) = NETWORK.settledValidators();
        vm.assertEq(keys[1], key(21), "settled at once");
        vm.assertEq(powers[1], 10, "with its power");
    }

    function test_nobody_else_changes_them() public {
        address[4] memory callers = [account(0), device(1), address(7), address(CONSORTIUM)];
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory refusal =
                abi.encodeWithSelector(INetwork.NotNodeAdministrator.selector, callers[i], nodeId(1));
            vm.expectRevert(refusal);
            vm.prank(callers[i]);
            NETWORK.setEndpoints(nodeId(1), "evil.example:1", "");
            vm.expectRevert(refusal);
            vm.prank(callers[i]);
            NETWORK.rotateWitnessKey(nodeId(1), "evil+00000000+key");
            vm.expectRevert(refusal);
            vm.prank(callers[i]);
            NETWORK.rotateValidatorKey(nodeId(1), key(21));
        }
        _decide(3, _status(1, IConsortium.Status.Suspended));
        vm.expectRevert(abi.encodeWithSelector(INetwork.NotNodeAdministrator.selector, account(1), nodeId(1)));
        vm.prank(account(1));
        NETWORK.setEndpoints(nodeId(1), "evil.example:1", "");
    }

    /// A stranger's zero organisation is not that of a node that does not exist.
    function test_an_unknown_node_has_no_administrator() public {
        vm.expectRevert(abi.encodeWithSelector(INetwork.NotNodeAdministrator.selector, address(7), nodeId(30)));
        vm.prank(address(7));
        NETWORK.setEndpoints(nodeId(30), "evil.example:1", "");
    }

    function test_own_rotation_waits_ten_minutes() public {
        vm.prank(account(1));
        NETWORK.rotateValidatorKey(nodeId(1), key(21));
        _nextBlock();
        uint256 again = uint256(NETWORK.node(nodeId(1)).rotatedAt) + 10 minutes;
        vm.expectRevert(abi.encodeWithSelector(INetwork.RotatedRecently.selector, nodeId(1), again));
        vm.prank(account(1));
        NETWORK.rotateValidatorKey(nodeId(1), key(22));
        vm.warp(again);
        vm.prank(account(1));
        NETWORK.rotateValidatorKey(nodeId(1), key(22));
    }

    // ---- ids and keys -------------------------------------------------------------------------

    function test_ids_and_keys_stay_with_their_organisation() public {
        _decide(3, _one(address(NETWORK), abi.encodeCall(INetwork.removeNode, (nodeId(3)))));
        vm.assertEq(NETWORK.nodeCount(), 3, "gone");
        vm.assertEq(NETWORK.ownerOf(nodeId(3)), org(3), "owner of the id");
        vm.expectRevert(abi.encodeWithSelector(INetwork.AlreadyTaken.selector, nodeId(3)));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(3), org(0), 0, 0, contact(20));
        vm.expectRevert(abi.encodeWithSelector(INetwork.AlreadyTaken.selector, key(3)));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(20), org(0), 0, key(3), contact(20));
        _expectTaken(org(0), witness(3, 20), keccak256(abi.encode(keccak256("log/d"))));
        _expectTaken(org(0), witness(20, 3), keccak256("key-d"));
        _add(3, org(3), 10); // but its own organisation brings it back
        NETWORK.settle();
    }

    function test_a_key_serves_one_node_at_a_time() public {
        vm.expectRevert(abi.encodeWithSelector(INetwork.AlreadyTaken.selector, key(1)));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(20), org(1), 0, key(1), contact(20));
        vm.expectRevert(abi.encodeWithSelector(INetwork.AlreadyTaken.selector, key(2)));
        vm.prank(account(1));
        NETWORK.rotateValidatorKey(nodeId(1), key(2));
        vm.prank(account(1));
        NETWORK.rotateValidatorKey(nodeId(1), key(21));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(20), org(1), 0, key(1), contact(20)); // free again, for its owner
        vm.expectRevert(abi.encodeWithSelector(INetwork.NodeExists.selector, nodeId(20)));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(20), org(1), 0, key(22), contact(22));
    }

    /// Verifiers count a name once and a key once: neither can be taken from, or lent to, another.
    function test_a_witness_keeps_its_name_and_takes_nobodys_key() public {
        bytes32 key2 = keccak256("key-c");
        vm.expectRevert(abi.encodeWithSelector(INetwork.AlreadyTaken.selector, key2));
        vm.prank(account(1));
        NETWORK.rotateWitnessKey(nodeId(1), "log/b+12345678+key-c");
        string[3] memory others = ["log/c+12345678+next", "log/bb+12345678+next", "log"];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(INetwork.WitnessNameChanged.selector, nodeId(1)));
            vm.prank(account(1));
            NETWORK.rotateWitnessKey(nodeId(1), others[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(INetwork.Unchanged.selector));
        vm.prank(account(1));
        NETWORK.rotateWitnessKey(nodeId(1), "log/b+12345678+key-b");
        vm.prank(account(1));
        NETWORK.rotateWitnessKey(nodeId(1), "log/b+12345678+key+with+plus");
        vm.assertEq(NETWORK.ownerOf(keccak256("key+with+plus")), org(1), "owner of the key");
        // Its own other node may not use the name either, while this one does.
        _expectTaken(org(1), "log/b+12345678+more", keccak256(abi.encode(keccak256("log/b"))));
        _expectTaken(org(1), "log/z+12345678+key+with+plus", keccak256("key+with+plus"));
        // The former key is free again, for its owner alone.
        _expectTaken(org(2), "log/z+12345678+key-b", keccak256("key-b"));
        INetwork.Contact memory given = contact(20);
        given.witnessKey = "log/z+12345678+key-b";
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(21), org(1), 0, 0, given);
    }

    function _expectTaken(bytes32 organisation, string memory witnessKey, bytes32 what) private {
        INetwork.Contact memory given = contact(20);
        given.witnessKey = witnessKey;
        vm.expectRevert(abi.encodeWithSelector(INetwork.AlreadyTaken.selector, what));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(20), organisation, 0, 0, given);
    }

    // ---- bounds -------------------------------------------------------------------------------

    function testFuzz_node_ids_are_twenty_bytes(bytes32 id) public {
        if (uint8(id[31]) % 2 == 0) id = bytes32(bytes20(id));
        vm.assume(NETWORK.ownerOf(id) == 0);
        bool valid = bytes20(id) != 0 && bytes32(bytes20(id)) == id;
        if (!valid) vm.expectRevert(abi.encodeWithSelector(INetwork.InvalidNodeId.selector, id));
        vm.prank(AUTHORITY);
        NETWORK.addNode(id, org(0), 0, 0, contact(20));
    }

    function testFuzz_texts_are_printable_ascii(uint256 length, uint8 filler, uint8 which) public {
        length = _within(length, 0, 600);
        bytes memory raw = new bytes(length);
        for (uint256 i = 0; i < length; ++i) raw[i] = bytes1(filler);
        INetwork.Contact memory given = contact(20);
        uint256 most = which % 3 == 0 ? 256 : 512;
        if (which % 3 == 0) given.p2p = string(raw);
        else if (which % 3 == 1) given.api = string(raw);
        else given.witnessKey = string(raw);
        bool valid = (length != 0 && length <= most && filler > 0x20 && filler < 0x7f)
            || (length == 0 && which % 3 == 1);
        if (!valid) vm.expectRevert(abi.encodeWithSelector(INetwork.InvalidText.selector, string(raw)));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(20), org(0), 0, 0, given);
    }

    function test_power_is_bounded_and_needs_a_key() public {
        vm.expectRevert(abi.encodeWithSelector(INetwork.InvalidPower.selector, 1_000_000_001));
        vm.prank(AUTHORITY);
        NETWORK.setPower(nodeId(1), 1_000_000_001);
        vm.expectRevert(abi.encodeWithSelector(INetwork.ValidatorKeyMissing.selector, nodeId(20)));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(20), org(1), 1, 0, contact(20));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(20), org(1), 0, 0, contact(20));
        vm.expectRevert(abi.encodeWithSelector(INetwork.ValidatorKeyMissing.selector, nodeId(20)));
        vm.prank(AUTHORITY);
        NETWORK.setPower(nodeId(20), 1);
        vm.expectRevert(abi.encodeWithSelector(INetwork.ValidatorKeyMissing.selector, nodeId(1)));
        vm.prank(account(1));
        NETWORK.rotateValidatorKey(nodeId(1), 0);
    }

    function test_nodes_belong_to_members() public {
        vm.expectRevert(abi.encodeWithSelector(INetwork.OrganisationNotMember.selector, bytes32("nobody")));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(20), "nobody", 0, 0, contact(20));
        vm.prank(AUTHORITY);
        CONSORTIUM.setOrganisationStatus(org(3), IConsortium.Status.Revoked);
        vm.expectRevert(abi.encodeWithSelector(INetwork.OrganisationNotMember.selector, org(3)));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(20), org(3), 0, 0, contact(20));
    }

    /// The largest network that there can be is still settled and voted on within the smallest block.
    function test_a_full_network_fits_a_block() public {
        for (uint256 i = 4; i < 128; ++i) {
            vm.prank(AUTHORITY);
            NETWORK.addNode(nodeId(i), org(i % 4), 0, key(i), INetwork.Contact("a:1", "", _name(i)));
        }
        vm.expectRevert(abi.encodeWithSelector(INetwork.TooManyNodes.selector));
        vm.prank(AUTHORITY);
        NETWORK.addNode(nodeId(200), org(0), 0, 0, contact(20));
        for (uint256 i = 4; i < 128; ++i) {
            vm.prank(AUTHORITY);
            NETWORK.setPower(nodeId(i), 1);
            if (i % 19 != 0) continue;
            NETWORK.settle();
            _nextBlock();
        }
        NETWORK.settle();
        _nextBlock();
        for (uint256 i = 64; i < 128; ++i) {
            vm.prank(AUTHORITY);
            NETWORK.setPower(nodeId(i), 0);
        }
        uint256 before = gasleft();
        NETWORK.settle();
        vm.assertTrue(before - gasleft() < 10_000_000, "gas of a settlement");
    }

    function _name(uint256 i) private pure returns (string memory) {
        bytes2 number = bytes2(abi.encodePacked(uint8(65 + i % 26), uint8(65 + i / 26)));
        return string(abi.encodePacked("n", number, "+00000000+", number));
    }

    // ---- quorum -------------------------------------------------------------------------------

    function test_a_validator_joins_while_the_others_keep_two_thirds() public {
        IGovernance.Call[] memory calls = _one(
            address(NETWORK), abi.encodeCall(INetwork.addNode, (nodeId(4), org(0), 20, key(4), contact(4)))
        );
        _refused(3, calls, abi.encodeWithSelector(INetwork.QuorumLost.selector, 40, 60));
        calls = _one(
            address(NETWORK), abi.encodeCall(INetwork.addNode, (nodeId(4), org(0), 19, key(4), contact(4)))
        );
        _decide(3, calls);
        (uint256 power,) = NETWORK.settled();
        vm.assertEq(power, 59, "settled");
    }

    /// What two calls do together is what counts: neither alone would pass, or both would.
    function test_a_proposal_is_judged_as_a_whole() public {
        _refused(
            3,
            _two(
                address(CONSORTIUM),
                abi.encodeCall(IConsortium.setOrganisationStatus, (org(3), IConsortium.Status.Suspended)),
                address(NETWORK),
                abi.encodeCall(INetwork.addNode, (nodeId(4), org(0), 15, key(4), contact(4)))
            ),
            abi.encodeWithSelector(INetwork.QuorumLost.selector, 30, 45)
        );
        // Power moves from one node to another, with a moment of much too much between.
        _decide(
            3,
            _two(
                address(NETWORK),
                abi.encodeCall(INetwork.setPower, (nodeId(0), 1_000)),
                address(NETWORK),
                abi.encodeCall(INetwork.setPower, (nodeId(0), 11))
            )
        );
    }

    function test_suspension_takes_the_validator_out_and_back() public {
        _decide(3, _status(3, IConsortium.Status.Suspended));
        vm.assertEq(NETWORK.effectivePower(nodeId(3)), 0, "out");
        (uint256 power,) = NETWORK.settled();
        vm.assertEq(power, 30, "settled");
        _decide(3, _status(3, IConsortium.Status.Active));
        vm.assertEq(NETWORK.effectivePower(nodeId(3)), 10, "and back");
    }

    function test_a_validator_remains() public {
        IGovernance.Call[] memory calls = new IGovernance.Call[](4);
        for (uint256 i = 0; i < 4; ++i) calls[i] = _power(i, 0)[0];
        _refused(3, calls, abi.encodeWithSelector(INetwork.NoValidatorLeft.selector));
        for (uint256 i = 0; i < 4; ++i) {
            calls[i] = IGovernance.Call(address(NETWORK), abi.encodeCall(INetwork.removeNode, (nodeId(i))));
        }
        _refused(3, calls, abi.encodeWithSelector(INetwork.NoValidatorLeft.selector));
    }

    function test_powers_change_once_a_block() public {
        vm.prank(account(1));
        NETWORK.rotateValidatorKey(nodeId(1), key(21));
        _refused(3, _power(0, 9), abi.encodeWithSelector(INetwork.ChangedInThisBlock.selector));
        bytes memory data = abi.encodeCall(INetwork.setEndpoints, (nodeId(0), "other.example:1", ""));
        uint256 id = _propose(0, _one(address(NETWORK), data));
        for (uint256 i = 1; i < 3; ++i) _vote(i, id, IGovernance.Choice.Yes);
        vm.prank(account(0));
        GOVERNANCE.execute(id, _one(address(NETWORK), data)); // changes no power
        _nextBlock();
        _decide(3, _power(0, 9));
    }

    function test_settling_without_a_change_does_nothing() public {
        (uint256 power, uint256 number) = NETWORK.settled();
        NETWORK.settle();
        NETWORK.settle();
        (uint256 powerAfter, uint256 numberAfter) = NETWORK.settled();
        vm.assertEq(power, powerAfter, "power");
        vm.assertEq(number, numberAfter, "block");
    }

    /// The rule in the words of the specification, for any powers before and after.
    function testFuzz_quorum(uint64[4] memory before, uint64[4] memory next) public {
        uint256 total;
        for (uint256 i = 0; i < 4; ++i) {
            before[i] = uint64(_within(before[i], i == 0 ? 1 : 0, 30));
            next[i] = uint64(_within(next[i], 0, 30));
            uint256 place = uint256(keccak256(abi.encode(nodeId(i), uint256(2)))) + 1;
            vm.store(address(NETWORK), bytes32(place), bytes32(uint256(before[i]) << 8 | 1));
            bytes32 settled = keccak256(abi.encode(key(i), uint256(6)));
            vm.store(address(NETWORK), settled, bytes32(uint256(before[i])));
            total += before[i];
        }
        vm.store(address(NETWORK), bytes32(uint256(7)), bytes32(total));
        uint256 sum;
        uint256 kept;
        bool same = true;
        for (uint256 i = 0; i < 4; ++i) {
            sum += next[i];
            kept += next[i] < before[i] ? next[i] : before[i];
            if (next[i] == before[i]) continue;
            same = false;
            vm.prank(AUTHORITY);
            NETWORK.setPower(nodeId(i), next[i]);
        }
        if (!same && sum == 0) {
            vm.expectRevert(abi.encodeWithSelector(INetwork.NoValidatorLeft.selector));
        } else if (!same && kept * 3 <= sum * 2) {
            vm.expectRevert(abi.encodeWithSelector(INetwork.QuorumLost.selector, kept, sum));
        }
        NETWORK.settle();
    }
}

contract NetworkSoloTest is GovernanceScene {
    /// A ledger without validators takes as many as it wants at once; from then on the rules hold.
    function test_the_first_validators_come_at_once() public {
        _found(1);
        vm.prank(address(GOVERNANCE));
        NETWORK.removeNode(nodeId(0));
        vm.store(address(NETWORK), bytes32(uint256(7)), 0);
        vm.store(address(NETWORK), keccak256(abi.encode(key(0), uint256(6))), 0);
        IGovernance.Call[] memory calls = new IGovernance.Call[](3);
        for (uint256 i = 0; i < 3; ++i) {
            calls[i] = IGovernance.Call(
                address(NETWORK),
                abi.encodeCall(INetwork.addNode, (nodeId(i), org(0), 10, key(i), contact(i)))
            );
        }
        vm.prank(account(0));
        GOVERNANCE.proposeAndExecute(calls, "");
        (uint256 power,) = NETWORK.settled();
        vm.assertEq(power, 30, "all three");
        vm.expectRevert(abi.encodeWithSelector(INetwork.ChangedInThisBlock.selector));
        vm.prank(account(0));
        GOVERNANCE.proposeAndExecute(_power(0, 9), "");
    }
}
