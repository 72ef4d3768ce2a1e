// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {TestBase} from "@tally/forge/TestBase.sol";
import {Consortium} from "../../consortium/Consortium.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {Provenance} from "../Provenance.sol";
import {IProvenance} from "../interfaces/IProvenance.sol";

contract ProvenanceTest is TestBase {
    bytes32 private constant OPERATOR = "tally-operator";
    bytes32 private constant FARM = "green-valley";
    bytes32 private constant ROOT = keccak256("root");
    bytes private constant PAYLOAD = hex"01789c";

    address private immutable founder = vm.addr(1);
    address private immutable farmer = vm.addr(2);
    address private immutable scanner = vm.addr(3);

    address private constant AUTHORITY = address(0xa0);

    Consortium private consortium;
    Provenance private provenance;

    function setUp() public {
        consortium = new Consortium(AUTHORITY, OPERATOR, IConsortium.Profile("Operator", "", ""), founder);
        provenance = new Provenance(consortium);
        _admit(FARM, IConsortium.Role.Manufacturer, farmer);
        vm.prank(farmer);
        consortium.addDevice(scanner);
    }

    function _admit(bytes32 id, IConsortium.Role role, address account) private {
        vm.prank(AUTHORITY);
        consortium.addOrganisation(id, role, IConsortium.Profile("Member", "", ""), account);
    }

    function test_member_anchors_a_public_batch() public {
        vm.warp(1_800_000_000);
        vm.expectEmit(true, true, true, true, address(provenance));
        emit IProvenance.BatchAnchored(ROOT, FARM, farmer, 100, 0);
        vm.prank(farmer);
        provenance.anchor(ROOT, 100, 0, PAYLOAD);

        IProvenance.Batch memory batch = provenance.batch(FARM, ROOT);
        vm.assertEq(batch.submitter, farmer, "submitter");
        vm.assertEq(batch.time, 1_800_000_000, "time");
        vm.assertEq(batch.count, 100, "count");
        vm.assertTrue(batch.visibility == IProvenance.Visibility.Public, "visibility");
    }

    function test_device_anchors_for_its_organisation() public {
        vm.expectEmit(true, true, true, true, address(provenance));
        emit IProvenance.BatchAnchored(ROOT, FARM, scanner, 1, 2);
        vm.prank(scanner);
        provenance.anchor(ROOT, 1, 2, "");
    }

    function test_one_organisation_anchors_a_root_once_whoever_sends() public {
        vm.prank(farmer);
        provenance.anchor(ROOT, 100, 0, PAYLOAD);
        vm.expectRevert(abi.encodeWithSelector(IProvenance.AlreadyAnchored.selector, FARM, ROOT));
        vm.prank(scanner);
        provenance.anchor(ROOT, 1, 2, "");
        vm.assertEq(provenance.batch(FARM, ROOT).count, 100, "unchanged");
    }

    function test_another_organisation_may_anchor_the_same_root() public {
        vm.prank(farmer);
        provenance.anchor(ROOT, 100, 0, PAYLOAD);
        vm.prank(founder);
        provenance.anchor(ROOT, 100, 0, PAYLOAD);
        vm.assertEq(provenance.batch(OPERATOR, ROOT).submitter, founder, "its own statement");
    }

    function test_zero_root_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IProvenance.ZeroRoot.selector));
        vm.prank(farmer);
        provenance.anchor(bytes32(0), 1, 0, PAYLOAD);
    }

    function testFuzz_count_is_1_to_10000(uint32 count) public {
        if (count == 0 || count > 10_000) {
            vm.expectRevert(abi.encodeWithSelector(IProvenance.CountOutOfRange.selector, count));
        }
        vm.prank(farmer);
        provenance.anchor(ROOT, count, 0, PAYLOAD);
    }

    function test_count_bounds() public {
        testFuzz_count_is_1_to_10000(0);
        testFuzz_count_is_1_to_10000(10_001);
        testFuzz_count_is_1_to_10000(10_000);
    }

    function testFuzz_payload_goes_with_visibility(uint8 visibility, bytes calldata payload) public {
        visibility = visibility % 5;
        if (visibility > 2) {
            vm.expectRevert(abi.encodeWithSelector(IProvenance.UnknownVisibility.selector, visibility));
        } else if (visibility == 0 && payload.length == 0) {
            vm.expectRevert(abi.encodeWithSelector(IProvenance.PayloadMissing.selector));
        } else if (visibility == 2 && payload.length > 0) {
            vm.expectRevert(abi.encodeWithSelector(IProvenance.PayloadNotAllowed.selector));
        }
        vm.prank(farmer);
        provenance.anchor(ROOT, 1, visibility, payload);
    }

    function test_public_batch_needs_payload_and_confidential_none() public {
        vm.expectRevert(abi.encodeWithSelector(IProvenance.PayloadMissing.selector));
        vm.prank(farmer);
        provenance.anchor(ROOT, 1, 0, "");
        vm.expectRevert(abi.encodeWithSelector(IProvenance.PayloadNotAllowed.selector));
        vm.prank(farmer);
        provenance.anchor(ROOT, 1, 2, PAYLOAD);
    }

    function testFuzz_role_gate(uint8 number) public {
        IConsortium.Role role = IConsortium.Role(_within(number, 1, 8));
        address member = vm.addr(9);
        _admit("member", role, member);
        bool watches = role == IConsortium.Role.Bank || role == IConsortium.Role.Regulator
            || role == IConsortium.Role.Arbitrator;
        if (watches) vm.expectRevert(abi.encodeWithSelector(IProvenance.RoleMayNotCapture.selector, role));
        vm.prank(member);
        provenance.anchor(ROOT, 1, 2, "");
    }

    function testFuzz_strangers_are_refused(address caller) public {
        vm.assume(caller != founder && caller != farmer && caller != scanner);
        vm.expectRevert(abi.encodeWithSelector(IProvenance.CallerNotActive.selector, caller));
        vm.prank(caller);
        provenance.anchor(ROOT, 1, 0, PAYLOAD);
    }

    function test_suspension_stops_anchoring_at_once() public {
        vm.prank(farmer);
        consortium.setAccountStatus(scanner, IConsortium.Status.Suspended);
        vm.expectRevert(abi.encodeWithSelector(IProvenance.CallerNotActive.selector, scanner));
        vm.prank(scanner);
        provenance.anchor(ROOT, 1, 2, "");
        vm.prank(AUTHORITY);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.Suspended);
        vm.expectRevert(abi.encodeWithSelector(IProvenance.CallerNotActive.selector, farmer));
        vm.prank(farmer);
        provenance.anchor(ROOT, 1, 2, "");
    }

    function testFuzz_a_batch_takes_one_slot(bytes32 root, uint32 count) public {
        vm.assume(root != bytes32(0));
        count = uint32(_within(count, 1, 10_000));
        vm.prank(farmer);
        provenance.anchor(root, count, 2, "");
        bytes32 slot = keccak256(abi.encode(root, keccak256(abi.encode(FARM, uint256(0)))));
        uint256 word = uint256(vm.load(address(provenance), slot));
        vm.assertEq(address(uint160(word)), farmer, "submitter");
        vm.assertEq(uint32(word >> 208), count, "count");
        vm.assertEq(uint256(vm.load(address(provenance), bytes32(uint256(slot) + 1))), 0, "next slot");
    }
}

/// @notice Random members anchor a few roots again and again, and remembers what was taken.
contract ProvenanceActor is TestBase {
    Consortium public immutable consortium;
    Provenance public immutable provenance;
    uint256 public taken;
    mapping(bytes32 organisation => mapping(bytes32 root => IProvenance.Batch)) private _first;
    bytes32[2][] private _keys;

    constructor(Consortium members, Provenance target) {
        consortium = members;
        provenance = target;
    }

    function key(uint256 index) external view returns (bytes32 organisation, bytes32 root) {
        return (_keys[index][0], _keys[index][1]);
    }

    function first(bytes32 organisation, bytes32 root) external view returns (IProvenance.Batch memory) {
        return _first[organisation][root];
    }

    function anchor(uint256 caller, uint256 root, uint32 count, uint8 visibility) external {
        address sender = vm.addr(1 + caller % 6);
        bytes32 chosen = bytes32(root % 16);
        bytes memory payload = visibility % 4 == 0 ? bytes(hex"01") : bytes("");
        bytes32 organisation = consortium.organisationOf(sender);
        vm.prank(sender);
        try provenance.anchor(chosen, count % 10_003, visibility % 4, payload) {
            vm.assertEq(_first[organisation][chosen].submitter, address(0), "taken twice");
            _first[organisation][chosen] = provenance.batch(organisation, chosen);
            _keys.push([organisation, chosen]);
            ++taken;
        } catch {}
    }

    function setStatus(uint256 subject, uint8 status) external {
        IConsortium.Status wanted = IConsortium.Status(1 + status % 2);
        bytes32[4] memory members = [bytes32("farm"), "shop", "bank", "operator"];
        vm.prank(address(0xa0));
        if (subject % 5 == 4) try consortium.setAccountStatus(vm.addr(5), wanted) {} catch {}
        else try consortium.setOrganisationStatus(members[subject % 5], wanted) {} catch {}
    }

    function passTime(uint32 seconds_) external {
        vm.warp(block.timestamp + seconds_);
    }
}

contract ProvenanceInvariants is TestBase {
    ProvenanceActor private actor;
    Provenance private provenance;

    function setUp() public {
        IConsortium.Profile memory profile = IConsortium.Profile("Member", "", "");
        Consortium consortium = new Consortium(address(0xa0), "operator", profile, vm.addr(1));
        provenance = new Provenance(consortium);
        actor = new ProvenanceActor(consortium, provenance);
        vm.prank(address(0xa0));
        consortium.addOrganisation("farm", IConsortium.Role.Manufacturer, profile, vm.addr(2));
        vm.prank(address(0xa0));
        consortium.addOrganisation("shop", IConsortium.Role.Retailer, profile, vm.addr(3));
        vm.prank(address(0xa0));
        consortium.addOrganisation("bank", IConsortium.Role.Bank, profile, vm.addr(4));
        vm.prank(vm.addr(2));
        consortium.addDevice(vm.addr(5));
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actor);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory chosen) {
        bytes4[] memory selectors = new bytes4[](3);
        selectors[0] = ProvenanceActor.anchor.selector;
        selectors[1] = ProvenanceActor.setStatus.selector;
        selectors[2] = ProvenanceActor.passTime.selector;
        chosen = new FuzzSelector[](1);
        chosen[0] = FuzzSelector(address(actor), selectors);
    }

    /// What was once anchored stays word for word, and only those who may have anchored it.
    function invariant_anchored_batches_never_change() public view {
        for (uint256 i = 0; i < actor.taken(); ++i) {
            (bytes32 organisation, bytes32 root) = actor.key(i);
            bytes memory before = abi.encode(actor.first(organisation, root));
            IProvenance.Batch memory batch = provenance.batch(organisation, root);
            vm.assertEq(keccak256(abi.encode(batch)), keccak256(before), "unchanged");
            vm.assertTrue(root != bytes32(0) && organisation != "bank" && organisation != 0, "allowed");
            vm.assertTrue(batch.count >= 1 && batch.count <= 10_000, "count");
            vm.assertTrue(batch.submitter != address(0), "submitter");
        }
    }
}
