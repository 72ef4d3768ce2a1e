// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IModelActs} from "../interfaces/IModelActs.sol";
import {IReleases} from "../interfaces/IReleases.sol";
import {IRuns} from "../interfaces/IRuns.sol";
import {ModelsRules} from "../libraries/ModelsRules.sol";
import {ModelActor} from "./ModelActor.sol";
import {ModelScene} from "./ModelScene.sol";

contract ModelInvariants is ModelScene {
    ModelActor private _actor;

    function setUp() public {
        _actor = new ModelActor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_actor), _actor.selectors());
    }

    /// @notice The judgement is worth what gets through to be judged.
    function test_every_act_goes_through() public {
        bytes4[] memory list = _actor.selectors();
        uint256 random = 7;
        for (uint256 i = 0; i < 1_000; ++i) {
            random = uint256(keccak256(abi.encode(random)));
            bytes memory data = abi.encodePacked(
                list[random % list.length], abi.encode(keccak256(abi.encode(random)), random >> 8)
            );
            // slither-disable-next-line low-level-calls
            (bool ok,) = address(_actor).call(data);
            require(ok, "an actor failed");
        }
        uint256 missing;
        for (uint256 i = 0; i < list.length; ++i) {
            if (_actor.done(list[i]) == 0) missing |= 1 << i;
        }
        vm.assertEq(missing, 0, "acts that never went through, by bit");
        invariant_theBudgetIsNeverExceeded();
        afterInvariant();
    }

    /// @notice What runs have set aside or spent is what the project counts, and within its budget.
    function invariant_theBudgetIsNeverExceeded() public view {
        uint256[2] memory used;
        uint256[2] memory spent;
        for (uint256 i = 0; i < _actor.runCount(); ++i) {
            bytes32 id = _actor.runs(i);
            IRuns.Run memory run = RUNS.runOf(id);
            (, uint8 state) = RUNS.standingOf(id);
            bool live = state == ModelsRules.STATE_OPENED || state == ModelsRules.STATE_RUNNING;
            vm.assertTrue(run.spent.epsilon <= run.draft.budget.epsilon, "within what the run has set aside");
            used[_actor.projectOf(id)] += live ? run.draft.budget.epsilon : run.spent.epsilon;
            spent[_actor.projectOf(id)] += run.spent.epsilon;
        }
        for (uint256 p = 0; p < _actor.PROJECTS(); ++p) {
            IModelActs.Budget memory told = RUNS.usedOf(_actor.ids(p));
            vm.assertEq(told.epsilon, used[p], "set aside or spent");
            vm.assertEq(spent[p], _actor.spent(p), "spent in rounds");
            vm.assertTrue(told.epsilon <= EPSILON && told.delta <= DELTA, "within the budget");
        }
    }

    function invariant_aRevokedGrantRecordsNothing() public view {
        vm.assertEq(_actor.recordedAfterRevocation(), 0, "recorded with a grant that was revoked");
    }

    /// @notice The rest takes longer to count: once at the end of each run.
    function afterInvariant() public view {
        for (uint256 p = 0; p < _actor.PROJECTS(); ++p) {
            uint256 accrued = 0;
            uint256 settled = 0;
            for (uint256 i = 0; i < 9; ++i) {
                (bytes32 payer, bytes32 payee) = (_actor.partyAt(i / 3), _actor.partyAt(i % 3));
                IReleases.Due memory due = RELEASES.dueOf(_actor.ids(p), "CNY", payer, payee);
                vm.assertTrue(uint256(due.settled) + due.told <= due.accrued, "no more is paid than is owed");
                if (payer == payee) vm.assertEq(due.accrued, 0, "nobody owes himself");
                accrued += due.accrued;
                settled += due.settled;
            }
            vm.assertEq(accrued + _actor.own(p), _actor.amounts(p), "shares make the amounts, once");
            vm.assertEq(settled, _actor.settled(p), "settled");
        }
    }
}
