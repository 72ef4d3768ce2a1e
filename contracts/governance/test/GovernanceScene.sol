// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {TestBase} from "@tally/forge/TestBase.sol";
import {Consortium} from "../../consortium/Consortium.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {Directory} from "../../directory/Directory.sol";
import {Network} from "../../network/Network.sol";
import {INetwork} from "../../network/interfaces/INetwork.sol";
import {Parameters} from "../../parameters/Parameters.sol";
import {Governance} from "../Governance.sol";
import {IGovernance} from "../interfaces/IGovernance.sol";

/// @notice All contracts where genesis places them, with organisations `org-a`, `org-b`, …, each with one
/// account, one device, one vote and one validator of power 10.
abstract contract GovernanceScene is TestBase {
    Consortium internal constant CONSORTIUM = Consortium(0x7a11000000000000000000000000000000000001);
    Network internal constant NETWORK = Network(0x7A11000000000000000000000000000000000003);
    Governance internal constant GOVERNANCE = Governance(0x7A11000000000000000000000000000000000004);
    Directory internal constant DIRECTORY = Directory(0x7a11000000000000000000000000000000000005);
    Parameters internal constant PARAMETERS = Parameters(0x7A11000000000000000000000000000000000006);

    function _found(uint256 members) internal {
        IConsortium.Profile memory profile = IConsortium.Profile("Member", "", "");
        _place(
            address(CONSORTIUM),
            abi.encodePacked(
                type(Consortium).creationCode, abi.encode(address(GOVERNANCE), org(0), profile, account(0))
            )
        );
        _place(address(NETWORK), abi.encodePacked(type(Network).creationCode, abi.encode(CONSORTIUM)));
        bytes32[] memory organisations = new bytes32[](members);
        uint64[] memory votes = new uint64[](members);
        for (uint256 i = 0; i < members; ++i) {
            (organisations[i], votes[i]) = (org(i), 1);
            if (i != 0) {
                vm.prank(address(GOVERNANCE));
                CONSORTIUM.addOrganisation(org(i), IConsortium.Role.Manufacturer, profile, account(i));
            }
            vm.prank(account(i));
            CONSORTIUM.addDevice(device(i));
        }
        _place(
            address(GOVERNANCE),
            abi.encodePacked(type(Governance).creationCode, abi.encode(NETWORK, organisations, votes))
        );
        bytes32[] memory fixedNames = new bytes32[](1);
        fixedNames[0] = "network";
        _place(
            address(DIRECTORY),
            abi.encodePacked(type(Directory).creationCode, abi.encode(GOVERNANCE, fixedNames))
        );
        _place(address(PARAMETERS), abi.encodePacked(type(Parameters).creationCode, abi.encode(GOVERNANCE)));
        for (uint256 i = 0; i < members; ++i) {
            vm.prank(address(GOVERNANCE));
            NETWORK.addNode(nodeId(i), org(i), 10, key(i), contact(i));
        }
        NETWORK.settle();
        _nextBlock();
    }

    function _nextBlock() internal {
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + 1);
    }

    /// @dev Deploys at a chosen address: the constructor runs there and leaves its storage there.
    function _place(address where, bytes memory creation) internal {
        vm.etch(where, creation);
        (bool ok, bytes memory runtime) = where.call("");
        require(ok, "constructor");
        vm.etch(where, runtime);
    }

    // ---- names --------------------------------------------------------------------------------

    function org(uint256 i) public pure returns (bytes32) {
        return bytes32(abi.encodePacked("org-", bytes1(uint8(97 + i))));
    }

    function account(uint256 i) public pure returns (address) {
        return address(uint160(0x1000 + i));
    }

    function device(uint256 i) public pure returns (address) {
        return address(uint160(0x2000 + i));
    }

    function nodeId(uint256 i) public pure returns (bytes32) {
        return bytes32(bytes20(keccak256(abi.encode("node", i))));
    }

    function key(uint256 i) public pure returns (bytes32) {
        return keccak256(abi.encode("key", i));
    }

    function contact(uint256 i) public pure returns (INetwork.Contact memory) {
        return INetwork.Contact("node.example:26656", "https://node.example", witness(i, i));
    }

    /// @dev A verifier key: node i's name, key j.
    function witness(uint256 i, uint256 j) public pure returns (string memory) {
        return string(abi.encodePacked("log/", bytes1(uint8(97 + i)), "+00000000+key-", bytes1(uint8(97 + j))));
    }

    // ---- proposals ----------------------------------------------------------------------------

    function _one(address target, bytes memory data) internal pure returns (IGovernance.Call[] memory calls) {
        calls = new IGovernance.Call[](1);
        calls[0] = IGovernance.Call(target, data);
    }

    function _two(address first, bytes memory firstData, address second, bytes memory secondData)
        internal
        pure
        returns (IGovernance.Call[] memory calls)
    {
        calls = new IGovernance.Call[](2);
        calls[0] = IGovernance.Call(first, firstData);
        calls[1] = IGovernance.Call(second, secondData);
    }

    function _propose(uint256 by, IGovernance.Call[] memory calls) internal returns (uint256 id) {
        vm.prank(account(by));
        return GOVERNANCE.propose(calls, "why", 0);
    }

    function _vote(uint256 by, uint256 id, IGovernance.Choice choice) internal {
        vm.prank(account(by));
        GOVERNANCE.vote(id, choice);
    }

    /// @dev The first `voters` organisations say yes, the first of them executes.
    function _decide(uint256 voters, IGovernance.Call[] memory calls) internal returns (uint256 id) {
        id = _propose(0, calls);
        for (uint256 i = 1; i < voters; ++i) _vote(i, id, IGovernance.Choice.Yes);
        vm.prank(account(0));
        GOVERNANCE.execute(id, calls);
        _nextBlock();
    }

    /// @dev The same where executing is refused with this data.
    function _refused(uint256 voters, IGovernance.Call[] memory calls, bytes memory refusal)
        internal
        returns (uint256 id)
    {
        id = _propose(0, calls);
        for (uint256 i = 1; i < voters; ++i) _vote(i, id, IGovernance.Choice.Yes);
        vm.expectRevert(refusal);
        vm.prank(account(0));
        GOVERNANCE.execute(id, calls);
    }

    function _status(uint256 i, IConsortium.Status status) internal pure returns (IGovernance.Call[] memory) {
        return _one(address(CONSORTIUM), abi.encodeCall(IConsortium.setOrganisationStatus, (org(i), status)));
    }

    function _power(uint256 i, uint64 power) internal pure returns (IGovernance.Call[] memory) {
        return _one(address(NETWORK), abi.encodeCall(INetwork.setPower, (nodeId(i), power)));
    }

    function _threshold(address target, bytes4 selector, uint32 n, uint32 d)
        internal
        pure
        returns (IGovernance.Call[] memory)
    {
        IGovernance.Threshold memory share = IGovernance.Threshold(n, d);
        return _one(address(GOVERNANCE), abi.encodeCall(IGovernance.setThreshold, (target, selector, share)));
    }

    function _state(uint256 id) internal view returns (IGovernance.State) {
        return GOVERNANCE.proposal(id).state;
    }
}
