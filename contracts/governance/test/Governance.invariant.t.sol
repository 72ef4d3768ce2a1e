// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {INetwork} from "../../network/interfaces/INetwork.sol";
import {IGovernance} from "../interfaces/IGovernance.sol";
import {GovernanceScene} from "./GovernanceScene.sol";

/// @notice Random proposals, votes and own changes. Contracts may refuse, but never break their rules: the
/// actor notes a broken one in `broken`.
contract GovernanceActor is GovernanceScene {
    uint256 public constant MEMBERS = 5;
    uint256 public executed;
    string public broken;

    mapping(bytes32 key => uint64 power) private _before;

    constructor() {
        _found(MEMBERS);
    }

    // ---- random changes -----------------------------------------------------------------------

    function suspend(uint256 seed, uint256 which, uint8 status) external {
        IConsortium.Status wanted = IConsortium.Status(1 + status % 2);
        _run(seed, _status(which % MEMBERS, wanted));
    }

    function power(uint256 seed, uint256 which, uint64 value) external {
        _run(seed, _power(which % 8, uint64(_within(value, 0, 30))));
    }

    function node(uint256 seed, uint256 which, uint64 value, uint8 what) external {
        uint256 i = which % 8;
        bytes memory data = what % 4 == 0
            ? abi.encodeCall(INetwork.removeNode, (nodeId(i)))
            : what % 4 == 1
                ? abi.encodeCall(INetwork.setNodeStatus, (nodeId(i), INetwork.Status(1 + value % 2)))
                : abi.encodeCall(
                    INetwork.addNode,
                    (nodeId(i), org(i % MEMBERS), uint64(_within(value, 0, 12)), key(i), contact(i))
                );
        _run(seed, _one(address(NETWORK), data));
    }

    function several(uint256 seed, uint256 a, uint256 b, uint64 value) external {
        _run(
            seed,
            _two(
                address(NETWORK),
                abi.encodeCall(INetwork.setPower, (nodeId(a % 8), uint64(_within(value, 0, 30)))),
                address(CONSORTIUM),
                abi.encodeCall(
                    IConsortium.setOrganisationStatus, (org(b % MEMBERS), IConsortium.Status(1 + value % 2))
                )
            )
        );
    }

    function votes(uint256 seed, uint256 which, uint64 value) external {
        _run(
            seed,
            _one(
                address(GOVERNANCE),
                abi.encodeCall(IGovernance.setVotes, (org(which % MEMBERS), uint64(_within(value, 0, 4))))
            )
        );
    }

    function threshold(uint256 seed, uint8 which, uint32 n, uint32 d) external {
        d = uint32(_within(d, 0, 6));
        n = uint32(_within(n, 0, 6));
        if (which % 3 == 0) {
            IGovernance.Threshold memory share = IGovernance.Threshold(n, d);
            _run(seed, _one(address(GOVERNANCE), abi.encodeCall(IGovernance.setDefaultThreshold, (share))));
        } else if (which % 3 == 1) {
            _run(seed, _threshold(address(NETWORK), INetwork.setPower.selector, n, d));
        } else {
            _run(seed, _threshold(address(CONSORTIUM), IConsortium.setOrganisationStatus.selector, n, d));
        }
    }

    function rotate(uint256 which, uint256 next) external {
        uint256 i = which % 8;
        _remember();
        vm.prank(account(i % MEMBERS));
        try NETWORK.rotateValidatorKey(nodeId(i), key(100 + next % 20)) {
            _judge();
        } catch {}
        if (next % 4 != 0) _nextBlock();
    }

    function own(uint256 which, uint256 other, uint8 status) external {
        vm.prank(account(which % MEMBERS));
        IConsortium.Status wanted = IConsortium.Status(1 + status % 2);
        try CONSORTIUM.setAccountStatus(account(other % MEMBERS), wanted) {
            if (which % MEMBERS != other % MEMBERS) broken = "another's account";
        } catch {}
    }

    // ---- how they are decided -----------------------------------------------------------------

    /// @dev The organisations vote by the bits of the seed; executed if the plain rule says so.
    function _run(uint256 seed, IGovernance.Call[] memory calls) private {
        uint256 by = seed % MEMBERS;
        bool may = GOVERNANCE.votesOf(org(by)) != 0;
        vm.prank(account(by));
        try GOVERNANCE.propose(calls, "", 0) returns (uint256 id) {
            if (!may) broken = "proposed without a vote";
            _cast(seed, by, id);
            _execute(seed, id, calls);
        } catch {}
        // Now and then two proposals share a block.
        if (seed % 7 != 0) _nextBlock();
    }

    function _cast(uint256 seed, uint256 by, uint256 id) private {
        for (uint256 i = 0; i < MEMBERS; ++i) {
            bool yes = (seed >> (8 + i)) % 8 != 0;
            bool may = GOVERNANCE.votesOf(org(i)) != 0;
            if (i == by) continue;
            vm.prank(account(i));
            try GOVERNANCE.vote(id, yes ? IGovernance.Choice.Yes : IGovernance.Choice.No) {
                if (!may) broken = "voted without a vote";
            } catch {
                if (may) broken = "a voter could not vote";
            }
        }
    }

    function _execute(uint256 seed, uint256 id, IGovernance.Call[] memory calls) private {
        bool passed = _passed(id);
        bool active = CONSORTIUM.isActive(account(seed % MEMBERS));
        _remember();
        vm.prank(account(seed % MEMBERS));
        try GOVERNANCE.execute(id, calls) {
            ++executed;
            if (!passed) broken = "executed without enough votes";
            if (!active) broken = "a suspended member executed";
            _judge();
        } catch {}
    }

    /// @dev The rule of voting, counted anew from what is public.
    function _passed(uint256 id) private view returns (bool) {
        uint256 yes = 0;
        uint256 total = 0;
        (bytes32[] memory organisations, uint64[] memory weights) = GOVERNANCE.voters();
        for (uint256 i = 0; i < organisations.length; ++i) {
            if (CONSORTIUM.statusOf(organisations[i]) != IConsortium.Status.Active) continue;
            total += weights[i];
            if (GOVERNANCE.choiceOf(id, organisations[i]) == IGovernance.Choice.Yes) yes += weights[i];
        }
        IGovernance.Threshold memory share = GOVERNANCE.proposal(id).required;
        if (share.numerator == share.denominator) return yes == total;
        return yes * share.denominator > total * share.numerator;
    }

    // ---- quorum -------------------------------------------------------------------------------

    uint256 private _totalBefore;
    uint256 private _blockBefore;
    bytes32[] private _keysBefore;

    function _remember() private {
        for (uint256 i = 0; i < _keysBefore.length; ++i) delete _before[_keysBefore[i]];
        delete _keysBefore;
        _totalBefore = 0;
        (, _blockBefore) = NETWORK.settled();
        bytes32[] memory ids = NETWORK.nodeIds(0, 128);
        for (uint256 i = 0; i < ids.length; ++i) {
            uint64 effective = NETWORK.effectivePower(ids[i]);
            if (effective == 0) continue;
            bytes32 validator = NETWORK.node(ids[i]).validatorKey;
            _before[validator] = effective;
            _keysBefore.push(validator);
            _totalBefore += effective;
        }
    }

    /// @dev The rule of the specification, by keys, over what was remembered.
    function _judge() private {
        uint256 total = 0;
        uint256 kept = 0;
        uint256 same = 0;
        bytes32[] memory ids = NETWORK.nodeIds(0, 128);
        for (uint256 i = 0; i < ids.length; ++i) {
            uint64 effective = NETWORK.effectivePower(ids[i]);
            if (effective == 0) continue;
            uint64 before = _before[NETWORK.node(ids[i]).validatorKey];
            total += effective;
            kept += before < effective ? before : effective;
            if (before == effective) ++same;
        }
        bool changed = total != _totalBefore || same != _keysBefore.length;
        if (total == 0) broken = "no validator left";
        if (changed && kept * 3 <= total * 2) broken = "the validators of before lost the quorum";
        if (changed && _blockBefore == block.number) broken = "changed twice in a block";
    }
}

contract GovernanceInvariants is GovernanceScene {
    GovernanceActor private actor;

    function setUp() public {
        actor = new GovernanceActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actor);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory chosen) {
        bytes4[] memory selectors = new bytes4[](8);
        selectors[0] = GovernanceActor.suspend.selector;
        selectors[1] = GovernanceActor.power.selector;
        selectors[2] = GovernanceActor.node.selector;
        selectors[3] = GovernanceActor.several.selector;
        selectors[4] = GovernanceActor.votes.selector;
        selectors[5] = GovernanceActor.threshold.selector;
        selectors[6] = GovernanceActor.rotate.selector;
        selectors[7] = GovernanceActor.own.selector;
        chosen = new FuzzSelector[](1);
        chosen[0] = FuzzSelector(address(actor), selectors);
    }

    function invariant_rules_hold() public view {
        vm.assertEq(actor.broken(), "", "a rule was broken");
        vm.assertTrue(GOVERNANCE.totalVotes() > 0, "somebody votes");
        _assertSettled();
        _assertReachable();
    }

    /// What is settled is what counts, so that nobody changed powers past the rules.
    function _assertSettled() private view {
        (bytes32[] memory keys, uint64[] memory powers) = NETWORK.settledValidators();
        (uint256 total,) = NETWORK.settled();
        uint256 sum = 0;
        for (uint256 i = 0; i < keys.length; ++i) sum += powers[i];
        vm.assertEq(sum, total, "sum of settled powers");
        bytes32[] memory ids = NETWORK.nodeIds(0, 128);
        uint256 effective = 0;
        for (uint256 i = 0; i < ids.length; ++i) effective += NETWORK.effectivePower(ids[i]);
        vm.assertEq(effective, total, "effective powers are settled");
        vm.assertTrue(total > 0, "a validator remains");
    }

    /// All that count can vote, and all of them together reach every threshold.
    function _assertReachable() private view {
        (bytes32[] memory organisations,) = GOVERNANCE.voters();
        for (uint256 i = 0; i < organisations.length; ++i) {
            if (GOVERNANCE.votesOf(organisations[i]) == 0) continue;
            vm.assertTrue(CONSORTIUM.organisation(organisations[i]).activeAccounts > 0, "can vote");
        }
        _assertPossible(GOVERNANCE.defaultThreshold());
        _assertPossible(GOVERNANCE.thresholdOf(address(NETWORK), INetwork.setPower.selector));
        IGovernance.Threshold memory share =
            GOVERNANCE.thresholdOf(address(CONSORTIUM), IConsortium.setOrganisationStatus.selector);
        _assertPossible(share);
        vm.assertTrue(3 * uint256(share.numerator) <= 2 * uint256(share.denominator), "suspending");
    }

    function _assertPossible(IGovernance.Threshold memory share) private pure {
        vm.assertTrue(share.numerator <= share.denominator, "at most all");
        vm.assertTrue(2 * uint256(share.numerator) > share.denominator, "above one half");
    }
}
