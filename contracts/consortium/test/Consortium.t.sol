// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {TestBase} from "@tally/forge/TestBase.sol";
import {Consortium} from "../Consortium.sol";
import {IAuthorised} from "../../governance/interfaces/IAuthorised.sol";
import {IConsortium} from "../interfaces/IConsortium.sol";

/// @notice Common scene: an operator with one account, a farm with one account and one device.
abstract contract ConsortiumScene is TestBase {
    bytes32 internal constant OPERATOR = "tally-operator";
    bytes32 internal constant FARM = "green-valley";
    bytes32 internal constant BANK = "harbour-bank";

    /// @dev Stands for Governance, which is tested with all contracts in `governance/test`.
    address internal immutable authority = vm.addr(9);
    address internal immutable founder = vm.addr(1);
    address internal immutable farmer = vm.addr(2);
    address internal immutable scanner = vm.addr(3);
    address internal immutable banker = vm.addr(4);
    address internal immutable stranger = vm.addr(5);

    Consortium internal consortium;

    function setUp() public virtual {
        consortium = new Consortium(authority, OPERATOR, _profile("Operator"), founder);
        vm.prank(authority);
        consortium.addOrganisation(FARM, IConsortium.Role.Manufacturer, _profile("Green Valley"), farmer);
        vm.prank(farmer);
        consortium.addDevice(scanner);
    }

    function _profile(string memory name) internal pure returns (IConsortium.Profile memory) {
        return IConsortium.Profile({name: name, nameZh: unicode"绿谷农场", uri: "https://id.gs1.org/417/9521234000006"});
    }

    function _text(uint256 length, bytes1 filler) internal pure returns (string memory) {
        bytes memory raw = new bytes(length);
        for (uint256 i = 0; i < length; ++i) raw[i] = filler;
        return string(raw);
    }
}

contract ConsortiumOrganisationTest is ConsortiumScene {
    function test_founder_is_an_active_operator() public view {
        (bytes32 id, IConsortium.Role role, bool active) = consortium.standing(founder);
        vm.assertEq(id, OPERATOR, "organisation");
        vm.assertTrue(role == IConsortium.Role.Operator && active, "role and standing");
        vm.assertEq(consortium.administers(founder), OPERATOR, "administers");
        vm.assertTrue(consortium.statusOf(OPERATOR) == IConsortium.Status.Active, "status");
        vm.assertTrue(consortium.statusOf(BANK) == IConsortium.Status.None, "unknown");
    }

    function test_authority_admits_an_organisation_with_its_first_account() public {
        vm.expectEmit(true, true, true, true, address(consortium));
        emit IConsortium.OrganisationAdded(
            BANK, authority, IConsortium.Role.Bank, "Harbour", unicode"绿谷农场", "https://id.gs1.org/417/9521234000006"
        );
        vm.expectEmit(true, true, true, true, address(consortium));
        emit IConsortium.AccountAdded(BANK, banker, authority, IConsortium.Kind.Account);
        vm.prank(authority);
        consortium.addOrganisation(BANK, IConsortium.Role.Bank, _profile("Harbour"), banker);

        IConsortium.Organisation memory bank = consortium.organisation(BANK);
        vm.assertTrue(bank.status == IConsortium.Status.Active, "status");
        vm.assertTrue(bank.role == IConsortium.Role.Bank, "role");
        vm.assertEq(bank.activeAccounts, 1, "accounts");
        vm.assertEq(bank.profile.name, "Harbour", "name");
        vm.assertTrue(consortium.isActive(banker), "account");
        vm.assertEq(consortium.organisationCount(), 3, "count");
        vm.assertEq(consortium.organisationIds(2, 9)[0], BANK, "listed");
    }

    function test_only_the_authority_changes_organisations(address caller) public {
        vm.assume(caller != authority);
        bytes memory refusal = abi.encodeWithSelector(IAuthorised.NotAuthority.selector, caller);
        vm.expectRevert(refusal);
        vm.prank(caller);
        consortium.addOrganisation(BANK, IConsortium.Role.Bank, _profile("Harbour"), banker);
        vm.expectRevert(refusal);
        vm.prank(caller);
        consortium.setProfile(FARM, _profile("A Famous Name"));
        vm.expectRevert(refusal);
        vm.prank(caller);
        consortium.setRole(FARM, IConsortium.Role.Operator);
        vm.expectRevert(refusal);
        vm.prank(caller);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.Suspended);
    }

    function test_an_operator_is_no_authority() public {
        test_only_the_authority_changes_organisations(founder);
    }

    function test_a_member_is_no_authority() public {
        test_only_the_authority_changes_organisations(farmer);
    }

    function test_a_consortium_needs_an_authority() public {
        vm.expectRevert(abi.encodeWithSelector(IAuthorised.NotAuthority.selector, address(0)));
        new Consortium(address(0), OPERATOR, _profile("Operator"), founder);
    }

    function test_device_may_not_administer() public {
        vm.expectRevert(abi.encodeWithSelector(IConsortium.CallerNotActive.selector, scanner));
        vm.prank(scanner);
        consortium.addAccount(FARM, stranger);
    }

    function test_ids_are_never_used_twice() public {
        vm.expectRevert(abi.encodeWithSelector(IConsortium.OrganisationExists.selector, FARM));
        vm.prank(authority);
        consortium.addOrganisation(FARM, IConsortium.Role.Bank, _profile("Other"), banker);
    }

    /// The rule in the words of the specification, against the contract's loop.
    function testFuzz_organisation_id_alphabet(bytes32 id) public {
        bool valid = id[0] != 0;
        bool ended = false;
        for (uint256 i = 0; i < 32; ++i) {
            uint8 c = uint8(id[i]);
            if (c == 0) ended = true;
            else if (ended) valid = false;
            else if (!((c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c == 45)) valid = false;
        }
        vm.assume(id != OPERATOR && id != FARM);
        if (!valid) vm.expectRevert(abi.encodeWithSelector(IConsortium.InvalidOrganisationId.selector, id));
        vm.prank(authority);
        consortium.addOrganisation(id, IConsortium.Role.Bank, _profile("Any"), banker);
    }

    /// Random words are nearly never ids; this makes ids and near misses.
    function testFuzz_organisation_id_near_misses(uint256 seed, uint256 length, uint256 spot, uint8 odd) public {
        length = _within(length, 1, 32);
        bytes memory alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-";
        bytes memory raw = new bytes(32);
        for (uint256 i = 0; i < length; ++i) {
            raw[i] = alphabet[uint256(keccak256(abi.encode(seed, i))) % alphabet.length];
        }
        if (odd % 2 == 1) raw[spot % 32] = bytes1(odd);
        testFuzz_organisation_id_alphabet(bytes32(raw));
    }

    function test_longest_id_is_taken() public {
        testFuzz_organisation_id_alphabet("abcdefghijklmnopqrstuvwxyz-01234");
        vm.assertEq(consortium.organisationCount(), 3, "count");
    }

    function test_role_none_and_zero_account_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IConsortium.InvalidRole.selector));
        vm.prank(authority);
        consortium.addOrganisation(BANK, IConsortium.Role.None, _profile("Harbour"), banker);
        vm.expectRevert(abi.encodeWithSelector(IConsortium.InvalidAccount.selector));
        vm.prank(authority);
        consortium.addOrganisation(BANK, IConsortium.Role.Bank, _profile("Harbour"), address(0));
    }

    function testFuzz_names_are_bounded(uint256 length, uint8 filler) public {
        length = _within(length, 0, 200);
        string memory name = _text(length, bytes1(filler));
        bool control = filler < 0x20 || filler == 0x7f;
        if (length == 0 || length > 128 || control) {
            vm.expectRevert(abi.encodeWithSelector(IConsortium.InvalidText.selector, name));
        }
        vm.prank(authority);
        consortium.setProfile(FARM, IConsortium.Profile(name, "", ""));
    }

    function test_other_texts_are_bounded() public {
        string memory long = _text(129, "x");
        vm.expectRevert(abi.encodeWithSelector(IConsortium.InvalidText.selector, long));
        vm.prank(authority);
        consortium.setProfile(FARM, IConsortium.Profile("Farm", long, ""));
        long = _text(513, "x");
        vm.expectRevert(abi.encodeWithSelector(IConsortium.InvalidText.selector, long));
        vm.prank(authority);
        consortium.setProfile(FARM, IConsortium.Profile("Farm", "", long));
        vm.prank(authority);
        consortium.setProfile(FARM, IConsortium.Profile("Farm", _text(128, "x"), _text(512, "x")));
        vm.assertEq(bytes(consortium.organisation(FARM).profile.uri).length, 512, "uri");
    }

    function test_role_changes_for_all_addresses() public {
        vm.expectEmit(true, true, true, true, address(consortium));
        emit IConsortium.OrganisationRoleChanged(FARM, authority, IConsortium.Role.Retailer);
        vm.prank(authority);
        consortium.setRole(FARM, IConsortium.Role.Retailer);
        vm.assertTrue(consortium.roleOf(scanner) == IConsortium.Role.Retailer, "role of its device");
    }

    function test_suspended_organisation_stops_all_its_addresses() public {
        vm.prank(authority);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.Suspended);
        vm.assertFalse(consortium.isActive(farmer), "account");
        vm.assertFalse(consortium.isActive(scanner), "device");
        vm.assertEq(consortium.administers(farmer), bytes32(0), "administers nothing");
        vm.expectRevert(abi.encodeWithSelector(IConsortium.CallerNotActive.selector, farmer));
        vm.prank(farmer);
        consortium.addAccount(FARM, stranger);
        vm.prank(authority);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.Active);
        vm.assertTrue(consortium.isActive(scanner), "device again");
    }

    function test_revoked_organisation_never_changes_again() public {
        vm.prank(authority);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.Revoked);
        bytes memory refusal = abi.encodeWithSelector(IConsortium.OrganisationIsRevoked.selector, FARM);
        vm.expectRevert(refusal);
        vm.prank(authority);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.Active);
        vm.expectRevert(refusal);
        vm.prank(authority);
        consortium.setProfile(FARM, _profile("Again"));
        vm.expectRevert(refusal);
        vm.prank(authority);
        consortium.setRole(FARM, IConsortium.Role.Operator);
        vm.expectRevert(refusal);
        vm.prank(authority);
        consortium.addAccount(FARM, stranger);
        vm.expectRevert(refusal);
        vm.prank(authority);
        consortium.setAccountStatus(farmer, IConsortium.Status.Suspended);
    }

    function test_unknown_and_unchanged_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IConsortium.UnknownOrganisation.selector, BANK));
        vm.prank(authority);
        consortium.setRole(BANK, IConsortium.Role.Bank);
        vm.expectRevert(abi.encodeWithSelector(IConsortium.UnknownOrganisation.selector, BANK));
        vm.prank(authority);
        consortium.addAccount(BANK, banker);
        vm.expectRevert(abi.encodeWithSelector(IConsortium.Unchanged.selector));
        vm.prank(authority);
        consortium.setRole(FARM, IConsortium.Role.Manufacturer);
        vm.expectRevert(abi.encodeWithSelector(IConsortium.Unchanged.selector));
        vm.prank(authority);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.Active);
        vm.expectRevert(abi.encodeWithSelector(IConsortium.InvalidStatus.selector));
        vm.prank(authority);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.None);
        vm.expectRevert(abi.encodeWithSelector(IConsortium.InvalidRole.selector));
        vm.prank(authority);
        consortium.setRole(FARM, IConsortium.Role.None);
    }
}

contract ConsortiumAccountTest is ConsortiumScene {
    function test_own_account_adds_and_suspends_accounts_and_devices() public {
        vm.expectEmit(true, true, true, true, address(consortium));
        emit IConsortium.AccountAdded(FARM, stranger, farmer, IConsortium.Kind.Account);
        vm.prank(farmer);
        consortium.addAccount(FARM, stranger);
        vm.expectEmit(true, true, true, true, address(consortium));
        emit IConsortium.AccountStatusChanged(FARM, scanner, stranger, IConsortium.Status.Suspended);
        vm.prank(stranger);
        consortium.setAccountStatus(scanner, IConsortium.Status.Suspended);
        vm.assertFalse(consortium.isActive(scanner), "device");
        vm.assertEq(consortium.accountCount(FARM), 3, "count");
        vm.assertEq(consortium.accountsOf(FARM, 1, 2)[0], scanner, "listed");
        vm.assertEq(consortium.organisation(FARM).activeAccounts, 2, "devices are not counted");
    }

    function test_no_member_touches_another_organisation() public {
        vm.prank(authority);
        consortium.addOrganisation(BANK, IConsortium.Role.Bank, _profile("Harbour"), banker);
        bytes memory refusal = abi.encodeWithSelector(IConsortium.NotAdministrator.selector, banker, FARM);
        vm.expectRevert(refusal);
        vm.prank(banker);
        consortium.addAccount(FARM, stranger);
        vm.expectRevert(refusal);
        vm.prank(banker);
        consortium.setAccountStatus(farmer, IConsortium.Status.Revoked);
    }

    function test_an_operator_may_not_act_for_others() public {
        bytes memory refusal = abi.encodeWithSelector(IConsortium.NotAdministrator.selector, founder, FARM);
        vm.expectRevert(refusal);
        vm.prank(founder);
        consortium.addAccount(FARM, stranger);
        vm.expectRevert(refusal);
        vm.prank(founder);
        consortium.setAccountStatus(scanner, IConsortium.Status.Suspended);
    }

    function test_authority_may_act_for_any_organisation() public {
        vm.prank(authority);
        consortium.addAccount(FARM, stranger);
        vm.assertTrue(consortium.isActive(stranger), "new account");
        vm.prank(authority);
        consortium.setAccountStatus(farmer, IConsortium.Status.Suspended);
        vm.assertFalse(consortium.isActive(farmer), "suspended");
    }

    function test_an_address_has_one_organisation_for_ever() public {
        bytes memory refusal = abi.encodeWithSelector(IConsortium.AccountExists.selector, scanner);
        vm.expectRevert(refusal);
        vm.prank(founder);
        consortium.addAccount(OPERATOR, scanner);
        vm.prank(farmer);
        consortium.setAccountStatus(scanner, IConsortium.Status.Revoked);
        vm.expectRevert(refusal);
        vm.prank(founder);
        consortium.addDevice(scanner);
    }

    function test_revoked_account_never_changes_again() public {
        vm.prank(farmer);
        consortium.setAccountStatus(scanner, IConsortium.Status.Revoked);
        vm.expectRevert(abi.encodeWithSelector(IConsortium.AccountIsRevoked.selector, scanner));
        vm.prank(authority);
        consortium.setAccountStatus(scanner, IConsortium.Status.Active);
    }

    function test_unknown_account_and_bad_status_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IConsortium.UnknownAccount.selector, stranger));
        vm.prank(authority);
        consortium.setAccountStatus(stranger, IConsortium.Status.Active);
        vm.expectRevert(abi.encodeWithSelector(IConsortium.InvalidStatus.selector));
        vm.prank(farmer);
        consortium.setAccountStatus(farmer, IConsortium.Status.None);
        vm.expectRevert(abi.encodeWithSelector(IConsortium.Unchanged.selector));
        vm.prank(farmer);
        consortium.setAccountStatus(farmer, IConsortium.Status.Active);
    }

    function test_an_active_organisation_keeps_an_active_account() public {
        bytes memory refusal = abi.encodeWithSelector(IConsortium.LastAccount.selector, FARM);
        vm.expectRevert(refusal);
        vm.prank(farmer);
        consortium.setAccountStatus(farmer, IConsortium.Status.Suspended);
        vm.expectRevert(refusal);
        vm.prank(authority);
        consortium.setAccountStatus(farmer, IConsortium.Status.Revoked);

        vm.prank(farmer);
        consortium.addAccount(FARM, stranger);
        vm.prank(farmer);
        consortium.setAccountStatus(farmer, IConsortium.Status.Revoked);
        vm.assertEq(consortium.administers(stranger), FARM, "the new one administers");
    }

    function test_a_suspended_organisation_may_lose_all_and_returns_with_one() public {
        vm.prank(authority);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.Suspended);
        vm.prank(authority);
        consortium.setAccountStatus(farmer, IConsortium.Status.Revoked);
        vm.expectRevert(abi.encodeWithSelector(IConsortium.LastAccount.selector, FARM));
        vm.prank(authority);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.Active);
        vm.prank(authority);
        consortium.addAccount(FARM, stranger);
        vm.prank(authority);
        consortium.setOrganisationStatus(FARM, IConsortium.Status.Active);
        vm.assertTrue(consortium.isActive(stranger), "back");
    }

    function test_multicall_is_all_or_nothing_and_keeps_the_sender() public {
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(IConsortium.addAccount, (FARM, stranger));
        calls[1] = abi.encodeCall(IConsortium.addDevice, (banker));
        vm.expectRevert(abi.encodeWithSelector(IConsortium.NotAdministrator.selector, founder, FARM));
        vm.prank(founder);
        consortium.multicall(calls);
        vm.prank(farmer);
        consortium.multicall(calls);
        vm.assertEq(consortium.accountCount(FARM), 4, "both");

        calls[0] = abi.encodeCall(IConsortium.addAccount, (FARM, vm.addr(30)));
        vm.expectRevert(abi.encodeWithSelector(IConsortium.AccountExists.selector, banker));
        vm.prank(farmer);
        consortium.multicall(calls);
        vm.assertEq(consortium.accountCount(FARM), 4, "nothing changed");
    }
}
