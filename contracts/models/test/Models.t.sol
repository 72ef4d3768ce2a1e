// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IModelActs} from "../interfaces/IModelActs.sol";
import {IModels} from "../interfaces/IModels.sol";
import {IReleases} from "../interfaces/IReleases.sol";
import {IRuns} from "../interfaces/IRuns.sol";
import {ModelsRules} from "../libraries/ModelsRules.sol";
import {ModelScene} from "./ModelScene.sol";

contract ModelsTest is ModelScene {
    bytes32 private _id;
    bytes32[] private _grants;

    function setUp() public {
        _foundModels();
        _id = _project("P-1");
        for (uint256 i = 0; i < 3; ++i) _grants.push(_grant(_id, names[i], "G-1"));
    }

    function _opened(uint64 epsilon) private returns (bytes32) {
        IRuns.Draft memory draft = _draft(_id, "R-1", _grants, epsilon);
        _as(BANK);
        return RUNS.open(draft, "");
    }

    function test_all_accept_the_very_same_terms() public {
        IModels.Terms memory terms = _terms();
        terms.price = 99;
        _as(MILL);
        MODELS.amend(_id, 0, terms, "");
        bytes32 digest = MODELS.digestOf(_id);
        vm.assertEq(MODELS.projectOf(_id).terms.price, PRICE, "the old terms hold");
        _as(BANK);
        MODELS.accept(_id, 0, digest, "");
        terms.price = 100;
        _as(MILL);
        MODELS.amend(_id, 0, terms, "");
        bytes memory late = abi.encodeCall(MODELS.accept, (_id, 0, digest, ""));
        _refused(SUPPLIER, address(MODELS), late, IModelActs.TermsDiffer.selector);
        vm.assertEq(MODELS.projectOf(_id).version, 1, "nothing was adopted");
    }

    function test_nothing_is_recorded_after_a_revocation_but_the_end() public {
        bytes32 run = _opened(1_000);
        _joinAll(run);
        _as(SUPPLIER);
        MODELS.revoke(_grants[2], 0, "");
        IRuns.Round memory content = _round(1, 0);
        bytes memory data = abi.encodeCall(RUNS.round, (run, 0, content));
        _refused(BANK, address(RUNS), data, IModels.GrantNotGood.selector);
        _as(MILL);
        RUNS.abort(run, 0, keccak256("revoked"), "");
        vm.assertEq(RUNS.usedOf(_id).epsilon, 0, "given back");
    }

    function testFuzz_spent_stays_within_what_is_set_aside(uint64 aside, uint64 first, uint64 second) public {
        aside = uint64(_within(aside, 0, EPSILON));
        bytes32 run = _opened(aside);
        _joinAll(run);
        uint256 spent = 0;
        uint64[2] memory all = [first, second];
        for (uint256 i = 0; i < 2; ++i) {
            IRuns.Round memory content = _round(RUNS.runOf(run).rounds + 1, all[i]);
            _as(BANK);
            try RUNS.round(run, 0, content) {
                spent += all[i];
            } catch (bytes memory why) {
                vm.assertEq(bytes32(bytes4(why)), bytes32(IRuns.BudgetExceeded.selector), "for this reason");
                vm.assertTrue(spent + all[i] > aside, "there was no room for it");
            }
        }
        vm.assertTrue(spent <= aside, "within");
        vm.assertEq(RUNS.runOf(run).spent.epsilon, spent, "counted");
    }

    function testFuzz_shares_make_the_amount(uint32 calls, uint128 price, uint256 cuts) public {
        uint16 cut = uint16(_within(cuts, 0, 10_000));
        IModels.Terms memory terms = _terms();
        terms.price = uint128(_within(price, 0, 1 << 68));
        (terms.shares[0], terms.shares[1], terms.shares[2]) = (cut, 10_000 - cut, 0);
        _as(BANK);
        MODELS.amend(_id, 0, terms, "");
        _acceptAll(_id);
        bytes32 run = _opened(0);
        _joinAll(run);
        IRuns.Round memory content = _round(1, 0);
        _as(BANK);
        RUNS.round(run, 0, content);
        _as(BANK);
        RUNS.complete(run, 0, CODE, "");
        bytes32 release = _live(run, "L-1");
        vm.warp(block.timestamp + 1 days);
        uint32 count = calls == 0 ? 1 : calls;
        IReleases.Calls memory batch = IReleases.Calls(
            release, "B-1", IReleases.Mode.Batch, 1, count, CODE, uint48(block.timestamp - 60), uint48(block.timestamp)
        );
        _as(SUPPLIER); // who has no share itself
        RELEASES.count(batch, "");
        uint256 owed = RELEASES.dueOf(_id, "CNY", SUPPLIER, BANK).accrued;
        owed += RELEASES.dueOf(_id, "CNY", SUPPLIER, MILL).accrued;
        vm.assertEq(owed, uint256(terms.price) * count, "to the hundredth");
    }

    function test_a_suspended_organisation_does_nothing() public {
        bytes32 run = _opened(0);
        _setStatus(MILL, IConsortium.Status.Suspended);
        bytes memory data = abi.encodeCall(RUNS.join, (run, 0, CODE, MILL, ""));
        _refused(MILL, address(RUNS), data, IModelActs.CallerNotActive.selector);
        data = abi.encodeCall(RUNS.abort, (run, 0, CODE, ""));
        _refused(MILL, address(RUNS), data, IModelActs.CallerNotActive.selector);
    }

    function test_a_device_speaks_for_nobody_here() public {
        bytes memory data = abi.encodeCall(MODELS.close, (_id, 0, ""));
        _refusedFrom(device(BANK), address(MODELS), data, IModelActs.CallerNotActive.selector);
        (, uint8 state) = MODELS.standingOf(_id);
        vm.assertEq(state, ModelsRules.STATE_AGREED, "as it was");
    }
}
