// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {Settlement} from "../Settlement.sol";
import {IDeposits} from "../interfaces/IDeposits.sol";
import {SettlementScene} from "./SettlementScene.sol";

/// @notice Random members doing random things with deposits; the contracts may refuse, but never break their
/// rules. Loans and pools are two addresses that the members have named.
abstract contract DepositsActor is SettlementScene {
    uint256 internal constant LISTED_MAX = 24;
    address private constant LOANS = address(0xf1);
    address private constant POOLS = address(0xf2);

    bytes32[4] internal _parties = [TRADER, MILL, SUPPLIER, INSPECTOR];
    bytes32[] internal _redemptions;
    bytes32[] internal _holds;
    uint256 private _serial;

    /// @notice How often each call went well.
    mapping(bytes4 call => uint256) public done;
    uint256 public doneInAll;

    /// @dev What ought to be, counted apart: money that came into being and went, and claims.
    mapping(bytes32 bank => uint256) internal _created;
    mapping(bytes32 bank => uint256) internal _destroyed;
    mapping(bytes32 creditor => uint256) internal _claimed;

    function _foundDeposits() internal {
        _foundSettlement();
        vm.etch(LOANS, hex"00");
        vm.etch(POOLS, hex"00");
        _register("financing", LOANS);
        _register("pools", POOLS);
        for (uint256 i = 0; i < 3; ++i) {
            _issue(BANK, _parties[i], 10_000);
            _created[BANK] += 10_000;
            _as(_parties[i]);
            DEPOSITS.chooseHome(i == 1 ? OTHER_BANK : BANK, CNY);
        }
        _issue(OTHER_BANK, MILL, 10_000);
        _created[OTHER_BANK] += 10_000;
        _limit(BANK, OTHER_BANK, 5_000);
        _limit(OTHER_BANK, BANK, 5_000);
    }

    function _party(uint256 seed) internal view returns (bytes32) {
        return _parties[seed % 4];
    }

    function _bank(uint256 seed) internal pure returns (bytes32) {
        return seed % 2 == 0 ? BANK : OTHER_BANK;
    }

    function _fresh() internal returns (bytes32) {
        return keccak256(abi.encode(++_serial));
    }

    /// @dev A number of letters.
    function _letters() internal returns (bytes32) {
        bytes memory text = new bytes(8);
        uint256 number = ++_serial;
        for (uint256 i = 0; i < 8; ++i) text[i] = bytes1(uint8(65 + ((number >> (4 * i)) & 15)));
        return bytes32(text);
    }

    function _try(address to, bytes32 by, bytes memory data) internal returns (bool, bytes memory) {
        return _tryFrom(to, account(by), data);
    }

    function _tryFrom(address to, address by, bytes memory data) private returns (bool ok, bytes memory answer) {
        vm.prank(by);
        (ok, answer) = to.call(data);
        if (!ok) return (ok, answer);
        ++done[bytes4(data)];
        ++doneInAll;
    }

    function _one(bytes32[] storage list, uint256 seed) internal view returns (bytes32) {
        return list.length == 0 ? bytes32(0) : list[seed % list.length];
    }

    /// @dev Money from one bank to the other.
    function _cross(bytes32 from, bytes32 to, uint256 amount) internal {
        if (from == to) return;
        _destroyed[from] += amount;
        _created[to] += amount;
        uint256 off = _claimed[from] < amount ? _claimed[from] : amount;
        _claimed[from] -= off;
        _claimed[to] += amount - off;
    }

    // ---- customers and banks --------------------------------------------------------------------

    function issue(uint256 b, uint256 to, uint128 amount) external {
        amount %= 500;
        bytes memory data = abi.encodeCall(IDeposits.issue, (_party(to), CNY, amount, _fresh(), ""));
        (bool ok,) = _try(address(DEPOSITS), _bank(b), data);
        if (ok) _created[_bank(b)] += amount;
    }

    function pay(uint256 from, uint256 fromBank, uint256 to, uint256 toBank, uint128 amount) external {
        amount %= 3_000;
        bytes32 payer = _party(from);
        IDeposits.Payment memory payment =
            IDeposits.Payment(_bank(fromBank), _party(to), _bank(toBank), CNY, amount, _fresh());
        IDeposits.Account memory before = DEPOSITS.account(_bank(fromBank), CNY, payer);
        (bool ok,) = _try(address(DEPOSITS), payer, abi.encodeCall(IDeposits.pay, (payment, "")));
        if (!ok) return;
        require(before.balance >= uint256(amount) + before.setAside + before.held, "only what was free");
        _cross(_bank(fromBank), _bank(toBank), amount);
    }

    function confirmSettlement(uint256 b, uint128 amount) external {
        amount %= 2_000;
        bytes memory data = abi.encodeCall(IDeposits.confirmSettlement, (_bank(b ^ 1), CNY, amount, _fresh(), ""));
        (bool ok,) = _try(address(DEPOSITS), _bank(b), data);
        if (ok) _claimed[_bank(b)] -= amount;
    }

    function requestRedemption(uint256 by, uint256 b, uint128 amount) external {
        bytes32 first = _one(_redemptions, by);
        _forget(_redemptions, by, DEPOSITS.redemption(first).state != IDeposits.RedemptionState.Requested);
        if (_redemptions.length == LISTED_MAX) return;
        bytes memory data = abi.encodeCall(IDeposits.requestRedemption, (_bank(b), CNY, amount % 500, _fresh(), ""));
        (bool ok, bytes memory answer) = _try(address(DEPOSITS), _party(by), data);
        if (ok) _redemptions.push(abi.decode(answer, (bytes32)));
    }

    function decideRedemption(uint256 seed, uint256 b, uint256 how) external {
        bytes32 id = _one(_redemptions, seed);
        IDeposits.Redemption memory before = DEPOSITS.redemption(id);
        bytes4[3] memory acts = [
            IDeposits.confirmRedemption.selector,
            IDeposits.refuseRedemption.selector,
            IDeposits.withdrawRedemption.selector
        ];
        bytes32 by = how % 3 == 2 ? _party(b) : _bank(b);
        (bool ok,) = _try(address(DEPOSITS), by, abi.encodeWithSelector(acts[how % 3], id, ""));
        if (ok && how % 3 == 0) _destroyed[by] += before.amount;
    }

    /// @dev What is over makes room in a list that is full.
    function _forget(bytes32[] storage list, uint256 seed, bool over) internal {
        if (list.length != LISTED_MAX || !over) return;
        list[seed % LISTED_MAX] = list[LISTED_MAX - 1];
        list.pop();
    }

    // ---- holds ----------------------------------------------------------------------------------

    /// @dev One in 32 holds everything there will ever be.
    function hold(uint256 who, uint256 b, uint128 amount, uint256 decision) external {
        _forget(_holds, who, DEPOSITS.holdOf(_one(_holds, who)).amount == 0);
        if (_holds.length == LISTED_MAX) return;
        amount = amount % 32 == 0 ? type(uint128).max : amount % 2_000;
        bytes memory data =
            abi.encodeCall(IDeposits.hold, (_bank(b), CNY, _party(who), amount, bytes32(decision), ""));
        (bool ok, bytes memory answer) = _try(address(DEPOSITS), decision % 2 == 0 ? REGULATOR : ARBITRATOR, data);
        if (ok) _holds.push(abi.decode(answer, (bytes32)));
    }

    function _liveHold(uint256 seed) private view returns (bytes32 id) {
        for (uint256 i = 0; i < _holds.length; ++i) {
            id = _holds[addmod(seed, i, _holds.length)];
            if (DEPOSITS.holdOf(id).amount != 0) break;
        }
    }

    function release(uint256 seed, uint128 amount) external {
        bytes32 id = _liveHold(seed);
        IDeposits.Hold memory held = DEPOSITS.holdOf(id);
        amount = amount % 4 == 0 ? amount % 2_000 : held.amount;
        bytes memory data = abi.encodeCall(IDeposits.release, (id, amount, DECISION, ""));
        _try(address(DEPOSITS), held.by, data);
    }

    function collect(uint256 seed, uint128 amount) external {
        bytes32 id = _liveHold(seed);
        bytes32 by = DEPOSITS.holdOf(id).by;
        amount %= 200;
        (bool ok,) = _try(address(DEPOSITS), by, abi.encodeCall(IDeposits.collect, (id, amount, "")));
        if (ok) _destroyed[by] += amount;
    }

    // ---- loans and pools --------------------------------------------------------------------------

    function issueFor(uint256 b, uint256 to, uint128 amount) external {
        amount %= 500;
        bytes memory data = abi.encodeCall(Settlement.issueFor, (_bank(b), CNY, _party(to), amount, "loan"));
        (bool ok,) = _tryFrom(address(SETTLEMENT), LOANS, data);
        if (ok) _created[_bank(b)] += amount;
    }

    function redeemFor(uint256 b, uint256 from, uint128 amount) external {
        amount %= 500;
        uint256 free = DEPOSITS.freeOf(_bank(b), CNY, _party(from));
        bytes memory data = abi.encodeCall(Settlement.redeemFor, (_bank(b), CNY, _party(from), amount, "loan"));
        (bool ok,) = _tryFrom(address(SETTLEMENT), LOANS, data);
        require(ok == (amount != 0 && amount <= free), "repaid whenever the money is there, and never else");
        if (ok) _destroyed[_bank(b)] += amount;
    }

    function payFor(uint256 from, uint256 fromBank, uint256 to, uint256 toBank, uint128 amount) external {
        amount %= 500;
        IDeposits.Payment memory payment =
            IDeposits.Payment(_bank(fromBank), _party(to), _bank(toBank), CNY, amount, _fresh());
        bytes memory data = abi.encodeCall(Settlement.payFor, (_party(from), payment, "pool"));
        (bool ok,) = _tryFrom(address(SETTLEMENT), POOLS, data);
        if (ok) _cross(_bank(fromBank), _bank(toBank), amount);
    }

    // ---- around them ------------------------------------------------------------------------------

    function wait_(uint256 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 2 days);
    }

    /// @dev Now and then the members suspend one, and soon let all act again.
    function suspend(uint256 seed) external {
        bytes32[3] memory some = [BANK, OTHER_BANK, SUPPLIER];
        for (uint256 i = 0; i < 3; ++i) {
            bool out = seed % 32 == i;
            IConsortium.Status wanted = out ? IConsortium.Status.Suspended : IConsortium.Status.Active;
            if (CONSORTIUM.statusOf(some[i]) != wanted) _setStatus(some[i], wanted);
        }
    }

    // ---- what ought to hold -----------------------------------------------------------------------

    /// @dev What is promised of an account in deals.
    function _promisedInDeals(bytes32 bank, bytes32 owner) internal view virtual returns (uint256);

    function _checkMoney(bytes32 b, bytes32 other) internal view {
        uint256 balances;
        for (uint256 i = 0; i < 4; ++i) {
            IDeposits.Account memory entry = DEPOSITS.account(b, CNY, _parties[i]);
            balances += entry.balance;
            require(entry.balance >= entry.setAside, "what is promised is there");
            uint256 promised = _promisedInDeals(b, _parties[i]) + _asked(b, _parties[i]);
            require(entry.setAside == promised, "set aside for what is under way");
            require(entry.held == _heldOf(DEPOSITS.accountKey(b, CNY, _parties[i])), "held by those who hold");
        }
        require(balances == _created[b] - _destroyed[b], "deposits are conserved");
        IDeposits.Book memory book = DEPOSITS.book(b, CNY);
        uint256 owed = uint256(book.issued) + book.received - book.redeemed - book.sent;
        require(owed == balances, "the books say the same");
        IDeposits.Position memory position = DEPOSITS.position(b, other, CNY);
        require(position.claim == _claimed[b] && position.claim <= position.limit, "claims within limits");
    }

    function _asked(bytes32 b, bytes32 owner) private view returns (uint256 sum) {
        bytes32 key = DEPOSITS.accountKey(b, CNY, owner);
        for (uint256 i = 0; i < _redemptions.length; ++i) {
            IDeposits.Redemption memory one = DEPOSITS.redemption(_redemptions[i]);
            if (one.account == key && one.state == IDeposits.RedemptionState.Requested) sum += one.amount;
        }
    }

    function _heldOf(bytes32 key) private view returns (uint256 sum) {
        for (uint256 i = 0; i < _holds.length; ++i) {
            IDeposits.Hold memory one = DEPOSITS.holdOf(_holds[i]);
            if (one.account == key) sum += one.amount;
        }
        return sum > type(uint128).max ? type(uint128).max : sum;
    }
}
