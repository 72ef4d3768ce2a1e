// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {NotingSettlement} from "../../pools/test/NotingSettlement.sol";
import {Models} from "../Models.sol";
import {Releases} from "../Releases.sol";
import {Runs} from "../Runs.sol";
import {IModelActs} from "../interfaces/IModelActs.sol";
import {IModels} from "../interfaces/IModels.sol";
import {IReleases} from "../interfaces/IReleases.sol";
import {IRuns} from "../interfaces/IRuns.sol";

/// @notice The first bank is the guest of a project, mill and supplier are hosts.
abstract contract ModelScene is FinanceScene {
    Models internal constant MODELS = Models(0x7a11000000000000000000000000000000000013);
    Runs internal constant RUNS = Runs(0x7A11000000000000000000000000000000000014);
    Releases internal constant RELEASES = Releases(0x7A11000000000000000000000000000000000015);
    bytes32 internal constant CODE = keccak256("code");
    uint64 internal constant EPSILON = 1_000_000;
    uint64 internal constant DELTA = 1_000;
    uint128 internal constant PRICE = 37;
    bytes32[] internal names;
    NotingSettlement internal settlement;

    /// @dev In `setUp`, instead of `_found`.
    function _foundModels() internal {
        _found();
        _place(address(MODELS), type(Models).creationCode);
        _place(address(RUNS), type(Runs).creationCode);
        _place(address(RELEASES), type(Releases).creationCode);
        _register("models", address(MODELS));
        _register("model-runs", address(RUNS));
        _register("model-releases", address(RELEASES));
        settlement = new NotingSettlement();
        _register("settlement", address(settlement));
        names = [BANK, MILL, SUPPLIER];
    }

    function _terms() internal view returns (IModels.Terms memory terms) {
        terms.document = keccak256("agreement");
        terms.algorithms = new bytes32[](1);
        terms.algorithms[0] = "secureboost";
        terms.codes = new bytes32[](1);
        terms.codes[0] = CODE;
        terms.budget = IModelActs.Budget(EPSILON, DELTA);
        terms.price = PRICE;
        terms.currency = "CNY";
        terms.shares = new uint16[](3);
        (terms.shares[0], terms.shares[1], terms.shares[2]) = (1_999, 5_001, 3_000);
        terms.until = uint48(block.timestamp + 1_000 days);
    }

    function _parts() internal pure returns (IModels.Part[] memory parts) {
        parts = new IModels.Part[](3);
        (parts[1], parts[2]) = (IModels.Part.Host, IModels.Part.Host);
    }

    /// @dev A project that all have accepted.
    function _project(bytes32 number) internal returns (bytes32 id) {
        IModels.Terms memory terms = _terms();
        _as(BANK);
        id = MODELS.propose(number, names, _parts(), terms, "");
        _acceptAll(id);
    }

    function _acceptAll(bytes32 id) internal {
        for (uint256 i = 1; i < names.length; ++i) {
            bytes32 digest = MODELS.digestOf(id);
            _as(names[i]);
            MODELS.accept(id, 0, digest, "");
        }
    }

    function _data(bytes32 owner, bytes32 number) internal returns (bytes32) {
        IModels.DataSet memory data =
            IModels.DataSet(owner, number, keccak256("schema"), 10, keccak256("rows"), keccak256("quality"), 0);
        _as(owner);
        return MODELS.register(data, "");
    }

    function _grant(bytes32 project, bytes32 owner, bytes32 number) internal returns (bytes32) {
        IModels.Grant memory grant = IModels.Grant(
            owner, number, _data(owner, number), project, keccak256("fields"), uint48(block.timestamp + 500 days)
        );
        _as(owner);
        return MODELS.give(grant, "");
    }

    function _draft(bytes32 project, bytes32 number, bytes32[] memory grants, uint64 epsilon)
        internal
        view
        returns (IRuns.Draft memory draft)
    {
        draft.project = project;
        draft.number = number;
        draft.algorithm = "secureboost";
        draft.code = CODE;
        draft.config = keccak256("config");
        draft.seed = keccak256("seed");
        draft.budget = IModelActs.Budget(epsilon, 1);
        draft.participants = names;
        draft.grants = grants;
    }

    function _round(uint32 number, uint64 epsilon) internal view returns (IRuns.Round memory content) {
        content.number = number;
        content.record = keccak256("round");
        content.spent = IModelActs.Budget(epsilon, 0);
        content.delivered = names;
    }

    function _joinAll(bytes32 run) internal {
        for (uint256 i = 0; i < names.length; ++i) {
            _as(names[i]);
            RUNS.join(run, 0, CODE, names[i], "");
        }
    }

    function _shares() internal view returns (IReleases.Share[] memory shares) {
        shares = new IReleases.Share[](names.length);
        for (uint256 i = 0; i < names.length; ++i) {
            shares[i] = IReleases.Share(names[i], keccak256("model"), keccak256("data"));
        }
    }

    /// @dev A release of a completed run that all have approved.
    function _live(bytes32 run, bytes32 number) internal returns (bytes32 id) {
        IReleases.Share[] memory shares = _shares();
        _as(BANK);
        id = RELEASES.offer(IReleases.Draft(run, number, keccak256("card"), keccak256("metrics"), shares), "");
        for (uint256 i = 1; i < names.length; ++i) {
            _as(names[i]);
            RELEASES.approve(id, 0, "");
        }
    }
}
