// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IReleases} from "../interfaces/IReleases.sol";
import {IRuns} from "../interfaces/IRuns.sol";
import {ModelsRules} from "../libraries/ModelsRules.sol";
import {ModelScene} from "./ModelScene.sol";

/// @notice Random acts in two projects. Contracts may refuse, but never break their rules: the actor counts for
/// itself what went through.
contract ModelActor is ModelScene {
    uint256 public constant PROJECTS = 2;

    bytes32[2] public ids;
    bytes32[] public runs;
    bytes32[] public releases;
    bytes32[] public told;
    mapping(bytes4 act => uint256) public done;
    mapping(uint256 project => mapping(uint256 party => bytes32)) public grants;
    mapping(bytes32 grant => bool) public revoked;
    /// @dev Rounds, faults and joins of runs whose grants were not all good.
    uint256 public recordedAfterRevocation;
    mapping(uint256 project => uint256) public spent;
    mapping(uint256 project => uint256) public amounts;
    mapping(uint256 project => uint256) public own;
    mapping(uint256 project => uint256) public settled;
    mapping(bytes32 release => mapping(bytes32 asker => uint256)) public calls;
    mapping(bytes32 run => uint256) private _of;
    mapping(bytes32 release => uint256) private _ofRelease;
    mapping(bytes32 run => bytes32[]) private _used;
    uint256 private _number;

    constructor() {
        _foundModels();
        for (uint256 p = 0; p < PROJECTS; ++p) {
            ids[p] = _project(bytes32(p + 1));
            for (uint256 i = 0; i < 3; ++i) grants[p][i] = _grant(ids[p], names[i], _next());
        }
        // A story begins with a model in use in each project.
        for (uint256 p = 0; p < PROJECTS; ++p) {
            bytes32 run = _openRun(p, names[0], 1_000);
            _joinAll(run);
            IRuns.Round memory content = _round(1, 7);
            _as(names[0]);
            RUNS.round(run, 0, content);
            spent[p] += 7;
            _as(names[0]);
            RUNS.complete(run, 0, CODE, "");
            _goLive(run);
        }
    }

    function selectors() public pure returns (bytes4[] memory list) {
        bytes4[12] memory all = [
            this.open.selector,
            this.join.selector,
            this.round.selector,
            this.fault.selector,
            this.complete.selector,
            this.abort.selector,
            this.renew.selector,
            this.release.selector,
            this.count.selector,
            this.tell.selector,
            this.answer.selector,
            this.pay.selector
        ];
        list = new bytes4[](all.length);
        for (uint256 i = 0; i < all.length; ++i) list[i] = all[i];
    }

    function runCount() external view returns (uint256) {
        return runs.length;
    }

    function projectOf(bytes32 run) external view returns (uint256) {
        return _of[run];
    }

    function partyAt(uint256 place) external view returns (bytes32) {
        return names[place];
    }

    function _next() private returns (bytes32) {
        return bytes32(++_number);
    }

    // ---- runs ---------------------------------------------------------------------------------

    function _openRun(uint256 p, bytes32 by, uint64 epsilon) private returns (bytes32 run) {
        bytes32[] memory used = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) used[i] = grants[p][i];
        IRuns.Draft memory draft = _draft(ids[p], _next(), used, epsilon);
        _as(by);
        run = RUNS.open(draft, "");
        runs.push(run);
        _of[run] = p;
        _used[run] = used;
    }

    /// @dev For `try`: a call to oneself.
    function openRun(uint256 p, bytes32 by, uint64 epsilon) external returns (bytes32) {
        require(msg.sender == address(this), "itself");
        return _openRun(p, by, epsilon);
    }

    function open(uint256 seed, uint256 amount) external {
        try this.openRun(seed % PROJECTS, names[(seed >> 8) % 3], uint64(_within(amount, 0, EPSILON / 3))) {
            ++done[this.open.selector];
        } catch {}
    }

    /// @dev One of the newest runs; mostly one in the state in which the act is possible, where there is one.
    function _some(uint256 seed, uint8 wanted) private view returns (bytes32) {
        uint256 reach = runs.length < 8 ? runs.length : 8;
        for (uint256 back = 1; back <= reach && seed % 4 != 3; ++back) {
            (, uint8 state) = RUNS.standingOf(runs[runs.length - back]);
            if (state == wanted) return runs[runs.length - back];
        }
        return runs[runs.length - _within(seed >> 8, 1, reach)];
    }

    function _recorded(bytes32 run, bytes4 act) private {
        ++done[act];
        for (uint256 i = 0; i < _used[run].length; ++i) {
            if (revoked[_used[run][i]]) ++recordedAfterRevocation;
        }
    }

    function join(uint256 seed, uint256) external {
        bytes32 run = _some(seed, ModelsRules.STATE_OPENED);
        for (uint256 i = 0; i < 3; ++i) {
            _as(names[i]);
            try RUNS.join(run, 0, CODE, names[i], "") {
                _recorded(run, this.join.selector);
            } catch {}
        }
    }

    function round(uint256 seed, uint256 amount) external {
        bytes32 run = _some(seed, ModelsRules.STATE_RUNNING);
        IRuns.Run memory known = RUNS.runOf(run);
        uint32 number = uint32(_within(seed >> 16, known.rounds, known.rounds + 2));
        IRuns.Round memory content = _round(number, uint64(_within(amount, 0, EPSILON / 4)));
        _as(seed % 8 == 7 ? names[(seed >> 8) % 3] : known.opener);
        try RUNS.round(run, 0, content) {
            spent[_of[run]] += content.spent.epsilon;
            _recorded(run, this.round.selector);
        } catch {}
    }

    function fault(uint256 seed, uint256 kind) external {
        bytes32 run = _some(seed, ModelsRules.STATE_RUNNING);
        IRuns.Fault memory content =
            IRuns.Fault(names[(seed >> 8) % 3], IRuns.FaultKind(kind % 8), 0, keccak256("evidence"));
        _as(names[(seed >> 16) % 3]);
        try RUNS.fault(run, 0, content, "") {
            _recorded(run, this.fault.selector);
        } catch {}
    }

    function complete(uint256 seed, uint256) external {
        bytes32 run = _some(seed, ModelsRules.STATE_RUNNING);
        _as(RUNS.runOf(run).opener);
        try RUNS.complete(run, 0, keccak256("record"), "") {
            _recorded(run, this.complete.selector);
        } catch {}
    }

    function abort(uint256 seed, uint256 by) external {
        if (by % 4 != 0) return;
        bytes32 run = _some(seed, ModelsRules.STATE_OPENED);
        _as(names[(by >> 2) % 3]);
        try RUNS.abort(run, 0, keccak256("reason"), "") {
            ++done[this.abort.selector];
        } catch {}
    }

    /// @dev A party takes its fields back, and gives new ones.
    function renew(uint256 seed, uint256) external {
        if (seed % 3 != 0) return;
        (uint256 p, uint256 i) = ((seed >> 16) % PROJECTS, (seed >> 8) % 3);
        bytes32 former = grants[p][i];
        _as(names[i]);
        MODELS.revoke(former, 0, "");
        revoked[former] = true;
        grants[p][i] = _grant(ids[p], names[i], _next());
        ++done[this.renew.selector];
    }

    // ---- releases -----------------------------------------------------------------------------

    function _goLive(bytes32 run) private {
        bytes32 id = _live(run, _next());
        releases.push(id);
        _ofRelease[id] = _of[run];
    }

    /// @dev For `try`: a call to oneself.
    function goLive(bytes32 run) external {
        require(msg.sender == address(this), "itself");
        _goLive(run);
    }

    function release(uint256 seed, uint256) external {
        bytes32 run = _some(seed, ModelsRules.STATE_COMPLETED);
        try this.goLive(run) {
            _recorded(run, this.release.selector);
        } catch {}
    }

    function count(uint256 seed, uint256 amount) external {
        uint256 place = (seed >> 16) % 3;
        IReleases.Calls memory content = _calls(seed, amount, names[place]);
        _as(names[place]);
        try RELEASES.count(content, "") returns (bytes32 batch) {
            _counted(content, place, RELEASES.batchOf(batch).amount);
        } catch {}
    }

    /// @dev Often the next ones, in the time since the last.
    function _calls(uint256 seed, uint256 amount, bytes32 asker) private returns (IReleases.Calls memory content) {
        content.release = releases[seed % releases.length];
        content.number = _next();
        content.mode = IReleases.Mode.Online;
        (uint64 before, uint48 until) = RELEASES.countedOf(content.release, asker, content.mode);
        vm.warp(block.timestamp + 60);
        content.first = before + uint64(_within(seed >> 32, 0, 2));
        content.count = uint32(_within(amount, 0, 100_000));
        content.root = keccak256("calls");
        content.since = until == 0 ? RELEASES.releaseOf(content.release).live : until;
        content.until = seed % 4 == 3 ? content.since : uint48(block.timestamp);
    }

    function _counted(IReleases.Calls memory content, uint256 place, uint128 whole) private {
        uint256 p = _ofRelease[content.release];
        calls[content.release][names[place]] += content.count;
        amounts[p] += whole;
        own[p] += _ownPart(whole, place);
        ++done[this.count.selector];
    }

    /// @dev By hand, as the terms have it.
    function _ownPart(uint256 whole, uint256 place) private pure returns (uint256) {
        if (place == 0) return whole * 1_999 / 10_000;
        if (place == 1) return whole * 7_000 / 10_000 - whole * 1_999 / 10_000;
        return whole - whole * 7_000 / 10_000;
    }

    function _payment(uint256 seed, uint256 amount, bytes32 shown) private returns (IReleases.Payment memory payment) {
        payment.payer = names[(seed >> 8) % 3];
        payment.number = _next();
        payment.project = ids[seed % PROJECTS];
        payment.payee = names[(seed >> 16) % 3];
        payment.currency = "CNY";
        payment.amount = uint128(_within(amount, 0, 1_000_000));
        payment.settled = shown;
    }

    function tell(uint256 seed, uint256 amount) external {
        IReleases.Payment memory payment = _payment(seed, amount, keccak256("shown"));
        _as(payment.payer);
        try RELEASES.tell(payment, "") returns (bytes32 id) {
            told.push(id);
            ++done[this.tell.selector];
        } catch {}
    }

    function answer(uint256 seed, uint256 how) external {
        if (told.length == 0) return;
        bytes32 id = told[seed % told.length];
        IReleases.Payment memory payment = RELEASES.paymentOf(id);
        bytes memory data = how % 2 == 0
            ? abi.encodeCall(RELEASES.confirm, (id, 0, ""))
            : abi.encodeCall(RELEASES.deny, (id, 0, ""));
        _as(payment.payee);
        // slither-disable-next-line low-level-calls
        (bool ok,) = address(RELEASES).call(data);
        if (!ok) return;
        ++done[this.answer.selector];
        if (how % 2 == 0) settled[payment.project == ids[0] ? 0 : 1] += payment.amount;
    }

    function pay(uint256 seed, uint256 amount) external {
        IReleases.Payment memory payment = _payment(seed, amount, 0);
        _as(payment.payer);
        try RELEASES.pay(payment, BANK, "") {
            settled[seed % PROJECTS] += payment.amount;
            ++done[this.pay.selector];
        } catch {}
    }
}
