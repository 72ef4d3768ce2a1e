// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {INetwork} from "../../network/interfaces/INetwork.sol";
import {IParameters} from "../../parameters/interfaces/IParameters.sol";
import {IAuthorised} from "../interfaces/IAuthorised.sol";
import {IGovernance} from "../interfaces/IGovernance.sol";
import {GovernanceScene} from "./GovernanceScene.sol";

/// @notice Governed, and calls back.
contract Meddler {
    address public immutable authority;
    bytes public back;

    constructor(address governance) {
        authority = governance;
    }

    function prepare(bytes calldata data) external {
        back = data;
    }

    function poke() external {
        (bool ok, bytes memory reason) = authority.call(back);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }
}

/// @notice Answers nothing sensible to `authority()`.
contract Stranger {
    function authority() external pure returns (address, address) {
        return (address(1), address(2));
    }
}

contract GovernanceVotingTest is GovernanceScene {
    IGovernance.Choice private constant YES = IGovernance.Choice.Yes;
    IGovernance.Choice private constant NO = IGovernance.Choice.No;

    function setUp() public {
        _found(4);
    }

    function test_three_of_four_decide_and_the_proposer_counts() public {
        IGovernance.Call[] memory calls = _status(3, IConsortium.Status.Suspended);
        uint256 id = _propose(0, calls);
        vm.assertTrue(GOVERNANCE.choiceOf(id, org(0)) == YES, "proposer says yes");
        _vote(1, id, YES);
        vm.assertTrue(_state(id) == IGovernance.State.Open, "two of four are not more than two thirds");
        vm.expectRevert(abi.encodeWithSelector(IGovernance.NotPassed.selector, id, 2, 4));
        vm.prank(account(0));
        GOVERNANCE.execute(id, calls);
        _vote(2, id, YES);
        vm.assertTrue(_state(id) == IGovernance.State.Passed, "three of four are");
        vm.prank(account(3));
        GOVERNANCE.execute(id, calls); // any active account, also of who is against
        vm.assertTrue(_state(id) == IGovernance.State.Executed, "executed");
        vm.assertFalse(CONSORTIUM.isActive(account(3)), "suspended");
        vm.expectRevert(abi.encodeWithSelector(IGovernance.WrongState.selector, id, IGovernance.State.Executed));
        vm.prank(account(0));
        GOVERNANCE.execute(id, calls);
    }

    function test_a_vote_can_be_changed_until_decided() public {
        uint256 id = _propose(0, _power(3, 9));
        _vote(1, id, YES);
        _vote(2, id, YES);
        _vote(2, id, NO);
        IGovernance.Summary memory summary = GOVERNANCE.proposal(id);
        vm.assertTrue(summary.state == IGovernance.State.Open, "open again");
        vm.assertEq(summary.tally.yes, 2, "yes");
        vm.assertEq(summary.tally.no, 1, "no");
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Unchanged.selector));
        vm.prank(account(2));
        GOVERNANCE.vote(id, NO);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.InvalidChoice.selector));
        vm.prank(account(2));
        GOVERNANCE.vote(id, IGovernance.Choice.None);
    }

    function test_weights_count_as_they_are_now() public {
        IGovernance.Call[] memory calls = _power(3, 9);
        uint256 id = _propose(0, calls);
        _vote(1, id, YES);
        _vote(2, id, YES);
        vm.assertTrue(_state(id) == IGovernance.State.Passed, "passed");
        vm.prank(address(GOVERNANCE));
        CONSORTIUM.setOrganisationStatus(org(2), IConsortium.Status.Suspended);
        vm.assertEq(GOVERNANCE.totalVotes(), 3, "a suspended member is not in the total");
        vm.assertTrue(_state(id) == IGovernance.State.Open, "nor is what it said");
        vm.prank(address(GOVERNANCE));
        GOVERNANCE.setVotes(org(0), 5);
        vm.assertTrue(_state(id) == IGovernance.State.Passed, "six of seven");
    }

    function test_only_active_accounts_of_voters_vote() public {
        uint256 id = _propose(0, _power(3, 9));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.CallerNotActive.selector, device(1)));
        vm.prank(device(1));
        GOVERNANCE.vote(id, YES);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.CallerNotActive.selector, address(7)));
        vm.prank(address(7));
        GOVERNANCE.vote(id, YES);
        vm.prank(address(GOVERNANCE));
        GOVERNANCE.setVotes(org(1), 0);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.NotVoter.selector, org(1)));
        vm.prank(account(1));
        GOVERNANCE.vote(id, YES);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.NotVoter.selector, org(1)));
        vm.prank(account(1));
        GOVERNANCE.propose(_power(3, 9), "", 0);
    }

    function test_a_suspended_member_can_do_nothing() public {
        IGovernance.Call[] memory calls = _power(3, 9);
        uint256 id = _propose(1, calls);
        vm.prank(address(GOVERNANCE));
        CONSORTIUM.setOrganisationStatus(org(1), IConsortium.Status.Suspended);
        bytes memory refusal = abi.encodeWithSelector(IGovernance.CallerNotActive.selector, account(1));
        vm.expectRevert(refusal);
        vm.prank(account(1));
        GOVERNANCE.vote(id, NO);
        vm.expectRevert(refusal);
        vm.prank(account(1));
        GOVERNANCE.propose(calls, "", 0);
        vm.expectRevert(refusal);
        vm.prank(account(1));
        GOVERNANCE.execute(id, calls);
        vm.expectRevert(refusal);
        vm.prank(account(1));
        GOVERNANCE.withdraw(id);
    }

    function test_proposals_expire() public {
        IGovernance.Call[] memory calls = _power(3, 9);
        vm.prank(account(0));
        uint256 id = GOVERNANCE.propose(calls, "", 100);
        _vote(1, id, YES);
        _vote(2, id, YES);
        vm.warp(block.timestamp + 99);
        vm.assertTrue(_state(id) == IGovernance.State.Passed, "a moment before");
        vm.warp(block.timestamp + 1);
        vm.assertTrue(_state(id) == IGovernance.State.Expired, "at its time");
        bytes memory refusal =
            abi.encodeWithSelector(IGovernance.WrongState.selector, id, IGovernance.State.Expired);
        vm.expectRevert(refusal);
        vm.prank(account(0));
        GOVERNANCE.execute(id, calls);
        vm.expectRevert(refusal);
        vm.prank(account(3));
        GOVERNANCE.vote(id, NO);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.InvalidLifetime.selector, 90 days + 1));
        vm.prank(account(0));
        GOVERNANCE.propose(calls, "", 90 days + 1);
        vm.assertEq(GOVERNANCE.proposal(_propose(0, calls)).expires, block.timestamp + 14 days, "by default");
    }

    function test_its_organisation_withdraws_a_proposal() public {
        IGovernance.Call[] memory calls = _power(3, 9);
        uint256 id = _propose(0, calls);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.NotProposer.selector, org(1)));
        vm.prank(account(1));
        GOVERNANCE.withdraw(id);
        vm.prank(account(0));
        GOVERNANCE.withdraw(id);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.WrongState.selector, id, IGovernance.State.Withdrawn));
        vm.prank(account(1));
        GOVERNANCE.vote(id, YES);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.UnknownProposal.selector, id + 1));
        vm.prank(account(1));
        GOVERNANCE.vote(id + 1, YES);
    }

    function test_one_vote_alone_does_it_in_one_transaction() public {
        IGovernance.Call[] memory calls = _power(3, 9);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.NotPassed.selector, 1, 1, 4));
        vm.prank(account(0));
        GOVERNANCE.proposeAndExecute(calls, "");
        vm.prank(address(GOVERNANCE));
        GOVERNANCE.setVotes(org(0), 100);
        vm.prank(account(0));
        uint256 id = GOVERNANCE.proposeAndExecute(calls, "");
        vm.assertTrue(_state(id) == IGovernance.State.Executed, "executed");
        vm.assertEq(NETWORK.effectivePower(nodeId(3)), 9, "done");
    }

    /// The rule in the words of the specification, against random weights and choices.
    function testFuzz_tally(uint64[4] memory weights, uint8 choices, uint8 standing) public {
        IGovernance.Call[] memory calls = _power(3, 9);
        uint256 id = _propose(0, calls);
        uint256 yes;
        uint256 no;
        uint256 total;
        for (uint256 i = 0; i < 4; ++i) {
            uint64 weight = uint64(_within(weights[i], i == 0 ? 1 : 0, 1_000_000));
            uint8 choice = i == 0 ? 1 : (choices >> (2 * i)) % 3;
            if (choice != 0 && i != 0) _vote(i, id, IGovernance.Choice(choice));
            if (weight != 1) {
                vm.prank(address(GOVERNANCE));
                GOVERNANCE.setVotes(org(i), weight);
            }
            bool active = i == 0 || (standing >> i) % 2 == 0;
            if (!active) {
                vm.prank(address(GOVERNANCE));
                CONSORTIUM.setOrganisationStatus(org(i), IConsortium.Status.Suspended);
                continue;
            }
            total += weight;
            if (choice == 1) yes += weight;
            if (choice == 2) no += weight;
        }
        IGovernance.Summary memory summary = GOVERNANCE.proposal(id);
        vm.assertEq(summary.tally.yes, yes, "yes");
        vm.assertEq(summary.tally.no, no, "no");
        vm.assertEq(summary.tally.total, total, "total");
        vm.assertTrue((summary.state == IGovernance.State.Passed) == (yes * 3 > total * 2), "two thirds");
    }
}

contract GovernanceCallsTest is GovernanceScene {
    function setUp() public {
        _found(4);
    }

    function test_a_failing_call_tells_why_and_may_be_tried_again() public {
        IGovernance.Call[] memory calls = _two(
            address(NETWORK),
            abi.encodeCall(INetwork.setPower, (nodeId(3), 9)),
            address(PARAMETERS),
            abi.encodeCall(IParameters.set, ("blockGasLimit", 30_000_000))
        );
        vm.prank(address(GOVERNANCE));
        PARAMETERS.set("blockGasLimit", 30_000_000);
        uint256 id = _refused(3, calls, abi.encodeWithSelector(IParameters.Unchanged.selector));
        vm.assertTrue(_state(id) == IGovernance.State.Passed, "still passed");
        vm.assertEq(NETWORK.effectivePower(nodeId(3)), 10, "all or nothing");
        vm.prank(address(GOVERNANCE));
        PARAMETERS.set("blockGasLimit", 40_000_000);
        vm.prank(account(1));
        GOVERNANCE.execute(id, calls);
        vm.assertEq(PARAMETERS.value("blockGasLimit"), 30_000_000, "second time");
    }

    function test_only_the_proposed_calls_are_made() public {
        uint256 id = _propose(0, _power(3, 9));
        for (uint256 i = 1; i < 4; ++i) _vote(i, id, IGovernance.Choice.Yes);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.ContentDiffers.selector, id));
        vm.prank(account(0));
        GOVERNANCE.execute(id, _power(3, 8));
    }

    function test_only_governed_contracts_are_called() public {
        address[3] memory targets = [address(new Stranger()), address(0xdead), address(this)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IGovernance.TargetNotGoverned.selector, targets[i]));
            vm.prank(account(0));
            GOVERNANCE.propose(_one(targets[i], hex"12345678"), "", 0);
        }
        Meddler other = new Meddler(address(1));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.TargetNotGoverned.selector, address(other)));
        vm.prank(account(0));
        GOVERNANCE.propose(_one(address(other), hex"12345678"), "", 0);
    }

    function test_calls_cannot_hide_in_others() public {
        bytes[] memory inner = new bytes[](1);
        inner[0] = abi.encodeCall(IConsortium.setRole, (org(1), IConsortium.Role.Bank));
        bytes memory hidden = abi.encodeCall(Multicall.multicall, (inner));
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.CallNotAllowed.selector, address(CONSORTIUM), Multicall.multicall.selector
            )
        );
        vm.prank(account(0));
        GOVERNANCE.propose(_one(address(CONSORTIUM), hidden), "", 0);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.CallNotAllowed.selector, address(CONSORTIUM), bytes4(hex"123456"))
        );
        vm.prank(account(0));
        GOVERNANCE.propose(_one(address(CONSORTIUM), hex"123456"), "", 0);
    }

    function test_calls_and_texts_are_bounded() public {
        bytes memory invalid = abi.encodeWithSelector(IGovernance.InvalidCalls.selector);
        vm.expectRevert(invalid);
        vm.prank(account(0));
        GOVERNANCE.propose(new IGovernance.Call[](0), "", 0);
        IGovernance.Call[] memory many = new IGovernance.Call[](33);
        for (uint256 i = 0; i < 33; ++i) many[i] = _power(3, 9)[0];
        vm.expectRevert(invalid);
        vm.prank(account(0));
        GOVERNANCE.propose(many, "", 0);
        vm.expectRevert(invalid);
        vm.prank(account(0));
        GOVERNANCE.propose(_one(address(NETWORK), new bytes(65_537)), "", 0);
        vm.expectRevert(abi.encodeWithSelector(IGovernance.TextTooLong.selector));
        vm.prank(account(0));
        GOVERNANCE.propose(_power(3, 9), string(new bytes(1_025)), 0);
        vm.prank(account(0));
        GOVERNANCE.propose(_power(3, 9), string(new bytes(1_024)), 0);
    }

    function test_nobody_reaches_back_in() public {
        Meddler meddler = new Meddler(address(GOVERNANCE));
        IGovernance.Call[] memory calls = _one(address(meddler), abi.encodeCall(Meddler.poke, ()));
        bytes[4] memory back = [
            abi.encodeCall(IGovernance.execute, (1, calls)),
            abi.encodeCall(IGovernance.propose, (calls, "", 0)),
            abi.encodeCall(IGovernance.vote, (1, IGovernance.Choice.No)),
            abi.encodeCall(IGovernance.withdraw, (1))
        ];
        bytes memory reentered =
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        for (uint256 i = 0; i < 4; ++i) {
            meddler.prepare(back[i]);
            _refused(4, calls, reentered);
        }
        bytes memory notSelf = abi.encodeWithSelector(IAuthorised.NotAuthority.selector, address(meddler));
        meddler.prepare(abi.encodeCall(IGovernance.setVotes, (org(0), 100)));
        _refused(4, calls, notSelf);
    }

    function test_rules_change_by_proposal_only(address caller) public {
        vm.assume(caller != address(GOVERNANCE));
        bytes memory refusal = abi.encodeWithSelector(IAuthorised.NotAuthority.selector, caller);
        vm.expectRevert(refusal);
        vm.prank(caller);
        GOVERNANCE.setVotes(org(0), 2);
        vm.expectRevert(refusal);
        vm.prank(caller);
        GOVERNANCE.setDefaultThreshold(IGovernance.Threshold(3, 4));
        vm.expectRevert(refusal);
        vm.prank(caller);
        GOVERNANCE.setThreshold(address(NETWORK), INetwork.setPower.selector, IGovernance.Threshold(3, 4));
    }

    function test_somebody_can_always_vote() public {
        IGovernance.Call[] memory calls = new IGovernance.Call[](4);
        for (uint256 i = 0; i < 4; ++i) {
            calls[i] = IGovernance.Call(address(GOVERNANCE), abi.encodeCall(IGovernance.setVotes, (org(i), 0)));
        }
        _refused(4, calls, abi.encodeWithSelector(IGovernance.NoVoterLeft.selector));
        for (uint256 i = 0; i < 4; ++i) calls[i] = _status(i, IConsortium.Status.Suspended)[0];
        _refused(4, calls, abi.encodeWithSelector(INetwork.NoValidatorLeft.selector));
    }

    function test_votes_belong_to_members() public {
        bytes memory data = abi.encodeCall(IGovernance.setVotes, ("nobody", 1));
        bytes memory refusal = abi.encodeWithSelector(IGovernance.UnknownOrganisation.selector, bytes32("nobody"));
        _refused(4, _one(address(GOVERNANCE), data), refusal);
        data = abi.encodeCall(IGovernance.setVotes, (org(1), 1_000_001));
        _refused(4, _one(address(GOVERNANCE), data), abi.encodeWithSelector(IGovernance.InvalidVotes.selector, 1_000_001));
        data = abi.encodeCall(IGovernance.setVotes, (org(1), 1));
        _refused(4, _one(address(GOVERNANCE), data), abi.encodeWithSelector(IGovernance.Unchanged.selector));
        _decide(4, _status(3, IConsortium.Status.Revoked));
        data = abi.encodeCall(IGovernance.setVotes, (org(3), 0));
        _decide(3, _one(address(GOVERNANCE), data));
        (bytes32[] memory organisations,) = GOVERNANCE.voters();
        vm.assertEq(organisations.length, 3, "voters");
    }
}

contract GovernanceThresholdTest is GovernanceScene {
    bytes4 private constant SET_POWER = INetwork.setPower.selector;
    bytes4 private constant SUSPEND = IConsortium.setOrganisationStatus.selector;

    function setUp() public {
        _found(4);
    }

    function _default(uint32 n, uint32 d) private pure returns (IGovernance.Call[] memory) {
        return _one(
            address(GOVERNANCE), abi.encodeCall(IGovernance.setDefaultThreshold, (IGovernance.Threshold(n, d)))
        );
    }

    function test_a_function_can_need_more_or_less() public {
        _decide(4, _threshold(address(NETWORK), SET_POWER, 1, 1));
        uint256 id = _propose(0, _power(3, 9));
        _vote(1, id, IGovernance.Choice.Yes);
        _vote(2, id, IGovernance.Choice.Yes);
        vm.assertTrue(_state(id) == IGovernance.State.Open, "three of four are not all");
        _vote(3, id, IGovernance.Choice.Yes);
        vm.assertTrue(_state(id) == IGovernance.State.Passed, "all");
        _decide(4, _threshold(address(NETWORK), SET_POWER, 51, 100));
        IGovernance.Threshold memory share = GOVERNANCE.thresholdOf(address(NETWORK), SET_POWER);
        vm.assertEq(share.numerator, 51, "numerator");
        vm.assertTrue(_state(id) == IGovernance.State.Passed, "and less is needed now");
    }

    function test_changing_a_threshold_needs_the_higher_of_both() public {
        IGovernance.Call[] memory up = _threshold(address(NETWORK), SET_POWER, 1, 1);
        uint256 id = _propose(0, up);
        for (uint256 i = 1; i < 3; ++i) _vote(i, id, IGovernance.Choice.Yes);
        vm.assertTrue(_state(id) == IGovernance.State.Open, "up to all needs all");
        _vote(3, id, IGovernance.Choice.Yes);
        vm.prank(account(0));
        GOVERNANCE.execute(id, up);
        id = _propose(0, _threshold(address(NETWORK), SET_POWER, 2, 3));
        for (uint256 i = 1; i < 3; ++i) _vote(i, id, IGovernance.Choice.Yes);
        vm.assertTrue(_state(id) == IGovernance.State.Open, "down from all needs all");
        id = _propose(0, _threshold(address(NETWORK), SET_POWER, 0, 0));
        for (uint256 i = 1; i < 3; ++i) _vote(i, id, IGovernance.Choice.Yes);
        vm.assertTrue(_state(id) == IGovernance.State.Open, "taking it away too");
        IGovernance.Call[] memory all = _default(1, 1);
        id = _propose(0, all);
        for (uint256 i = 1; i < 3; ++i) _vote(i, id, IGovernance.Choice.Yes);
        vm.assertTrue(_state(id) == IGovernance.State.Open, "the default too");
    }

    /// What a proposal needs follows thresholds that change while it is open.
    function test_thresholds_count_as_they_are_now() public {
        uint256 id = _propose(0, _power(3, 9));
        _vote(1, id, IGovernance.Choice.Yes);
        _vote(2, id, IGovernance.Choice.Yes);
        vm.assertTrue(_state(id) == IGovernance.State.Passed, "passed");
        _decide(4, _default(3, 4));
        vm.assertTrue(_state(id) == IGovernance.State.Open, "three of four are not more than three quarters");
    }

    function test_the_highest_of_all_calls_counts() public {
        _decide(4, _threshold(address(NETWORK), SET_POWER, 1, 1));
        uint256 id = _propose(
            0,
            _two(
                address(PARAMETERS),
                abi.encodeCall(IParameters.set, ("blockGasLimit", 30_000_000)),
                address(NETWORK),
                abi.encodeCall(INetwork.setPower, (nodeId(3), 9))
            )
        );
        vm.assertEq(GOVERNANCE.proposal(id).required.denominator, 1, "all");
    }

    /// Whoever wants all to agree on everything can still be suspended by two thirds.
    function test_a_lost_member_cannot_stop_the_others() public {
        _decide(4, _default(1, 1));
        vm.assertEq(GOVERNANCE.defaultThreshold().denominator, 1, "all");
        IGovernance.Threshold memory share = GOVERNANCE.thresholdOf(address(CONSORTIUM), SUSPEND);
        vm.assertEq(share.denominator, 3, "but for suspending");
        _decide(3, _status(3, IConsortium.Status.Suspended));
        _decide(3, _default(2, 3));
        bytes memory refusal = abi.encodeWithSelector(IGovernance.InvalidThreshold.selector, 3, 4);
        _refused(3, _threshold(address(CONSORTIUM), SUSPEND, 3, 4), refusal);
        _decide(3, _threshold(address(CONSORTIUM), SUSPEND, 3, 5));
    }

    function testFuzz_thresholds_are_above_one_half_and_at_most_one(uint32 n, uint32 d) public {
        if (n % 4 != 0) {
            d = uint32(_within(d, 0, 12));
            n = uint32(_within(n, 0, 13));
        }
        vm.assume(n != 0 || d != 0);
        bool valid = d <= 1_000_000 && n <= d && 2 * uint256(n) > d;
        if (!valid) vm.expectRevert(abi.encodeWithSelector(IGovernance.InvalidThreshold.selector, n, d));
        vm.prank(address(GOVERNANCE));
        GOVERNANCE.setThreshold(address(NETWORK), SET_POWER, IGovernance.Threshold(n, d));
        if (!valid) vm.expectRevert(abi.encodeWithSelector(IGovernance.InvalidThreshold.selector, n, d));
        vm.prank(address(GOVERNANCE));
        GOVERNANCE.setDefaultThreshold(IGovernance.Threshold(n, d));
    }
}
