// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {TestBase} from "@tally/forge/TestBase.sol";
import {Consortium} from "../Consortium.sol";
import {IConsortium} from "../interfaces/IConsortium.sol";

/// @notice Random members doing random things; the contract may refuse, but never break its rules.
contract ConsortiumActor is TestBase {
    address public constant AUTHORITY = address(0xa0);
    Consortium public immutable consortium;
    uint256 public refused;
    uint256 public done;

    constructor(Consortium target) {
        consortium = target;
    }

    function who(uint256 seed) public pure returns (address) {
        return address(uint160(0x1000 + seed % 24));
    }

    function org(uint256 seed) public pure returns (bytes32) {
        return bytes32(abi.encodePacked("org-", bytes1(uint8(97 + seed % 6))));
    }

    function _call(uint256 caller, bytes memory data) private {
        // Half of the calls come from the authority, so that much succeeds.
        vm.prank(caller % 2 == 0 ? AUTHORITY : who(caller / 2));
        (bool ok,) = address(consortium).call(data);
        if (ok) ++done;
        else ++refused;
    }

    function addOrganisation(uint256 caller, uint256 id, uint8 role, uint256 first) external {
        IConsortium.Profile memory profile = IConsortium.Profile("Name", "", "");
        bytes memory data = abi.encodeCall(
            IConsortium.addOrganisation, (org(id), IConsortium.Role(role % 9), profile, who(first))
        );
        _call(caller, data);
    }

    function setRole(uint256 caller, uint256 id, uint8 role) external {
        _call(caller, abi.encodeCall(IConsortium.setRole, (org(id), IConsortium.Role(role % 9))));
    }

    function setOrganisationStatus(uint256 caller, uint256 id, uint8 status) external {
        _call(caller, abi.encodeCall(IConsortium.setOrganisationStatus, (org(id), IConsortium.Status(status % 4))));
    }

    function addAccount(uint256 caller, uint256 id, uint256 fresh) external {
        _call(caller, abi.encodeCall(IConsortium.addAccount, (org(id), who(fresh))));
    }

    function addDevice(uint256 caller, uint256 fresh) external {
        _call(caller, abi.encodeCall(IConsortium.addDevice, (who(fresh))));
    }

    function setAccountStatus(uint256 caller, uint256 subject, uint8 status) external {
        _call(caller, abi.encodeCall(IConsortium.setAccountStatus, (who(subject), IConsortium.Status(status % 4))));
    }
}

contract ConsortiumInvariants is TestBase {
    Consortium private consortium;
    ConsortiumActor private actor;

    function setUp() public {
        consortium = new Consortium(address(0xa0), "org-a", IConsortium.Profile("Founder", "", ""), address(0x1000));
        actor = new ConsortiumActor(consortium);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actor);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory chosen) {
        bytes4[] memory selectors = new bytes4[](6);
        selectors[0] = ConsortiumActor.addOrganisation.selector;
        selectors[1] = ConsortiumActor.setRole.selector;
        selectors[2] = ConsortiumActor.setOrganisationStatus.selector;
        selectors[3] = ConsortiumActor.addAccount.selector;
        selectors[4] = ConsortiumActor.addDevice.selector;
        selectors[5] = ConsortiumActor.setAccountStatus.selector;
        chosen = new FuzzSelector[](1);
        chosen[0] = FuzzSelector(address(actor), selectors);
    }

    /// Whoever is active can speak for itself, and the counters are what a recount gives.
    function invariant_active_organisations_keep_an_account_and_counters_agree() public view {
        uint256 members = 0;
        for (uint256 o = 0; o < consortium.organisationCount(); ++o) {
            bytes32 id = consortium.organisationIds(o, o + 1)[0];
            uint256 active = _activeAccounts(id);
            IConsortium.Organisation memory organisation = consortium.organisation(id);
            vm.assertEq(organisation.activeAccounts, active, "active accounts");
            if (organisation.status == IConsortium.Status.Active) vm.assertTrue(active > 0, "an account remains");
            members += consortium.accountCount(id);
        }
        vm.assertEq(members, _knownAddresses(), "each address is listed once");
    }

    /// Block validation reads raw storage; it must see what the contract says (decision D6).
    function invariant_raw_storage_says_who_may_transact() public view {
        for (uint256 i = 0; i < 24; ++i) {
            address subject = actor.who(i);
            bytes32 entry = keccak256(abi.encode(subject, uint256(0)));
            bytes32 id = vm.load(address(consortium), entry);
            uint8 status = uint8(uint256(vm.load(address(consortium), bytes32(uint256(entry) + 1))));
            bytes32 owner = keccak256(abi.encode(id, uint256(1)));
            uint8 ownerStatus = uint8(uint256(vm.load(address(consortium), owner)));
            vm.assertEq(id, consortium.organisationOf(subject), "word 0 is the organisation");
            vm.assertTrue(
                (status == 1 && ownerStatus == 1) == consortium.isActive(subject), "status bytes"
            );
        }
    }

    function _activeAccounts(bytes32 id) private view returns (uint256 active) {
        address[] memory members = consortium.accountsOf(id, 0, type(uint256).max);
        for (uint256 i = 0; i < members.length; ++i) {
            IConsortium.Account memory entry = consortium.account(members[i]);
            vm.assertEq(entry.organisation, id, "listed under its organisation");
            bool counts = entry.kind == IConsortium.Kind.Account && entry.status == IConsortium.Status.Active;
            if (counts) ++active;
        }
    }

    function _knownAddresses() private view returns (uint256 known) {
        for (uint256 i = 0; i < 24; ++i) {
            if (consortium.account(actor.who(i)).status != IConsortium.Status.None) ++known;
        }
    }
}
