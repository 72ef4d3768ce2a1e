// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDeals} from "../interfaces/IDeals.sol";
import {IDeposits} from "../interfaces/IDeposits.sol";
import {SettlementRules} from "../libraries/SettlementRules.sol";
import {SettlementScene} from "./SettlementScene.sol";

/// @notice Random members doing random things with deposits and deals; the contracts may refuse, but never
/// break their rules.
contract SettlementActor is SettlementScene {
    uint256 private constant LISTED_MAX = 24;

    bytes32[4] private _parties = [TRADER, MILL, SUPPLIER, INSPECTOR];
    bytes32[] public receipts;
    bytes32[] public deals;
    bytes32[] public redemptions;
    bytes32[] public holds;
    uint256 public done;
    uint256 public refused;
    uint256 private _serial;

    /// @dev What ought to be, counted apart: money that came into being and went, and claims.
    mapping(bytes32 bank => uint256) public created;
    mapping(bytes32 bank => uint256) public destroyed;
    mapping(bytes32 creditor => uint256) public claimed;
    mapping(bytes32 deal => uint256) public paid;

    function found() external {
        _foundSettlement();
        bytes32 lot = _lot("wheat 1", 1000);
        for (uint256 i = 0; i < 6; ++i) receipts.push(_issued(bytes32(bytes.concat("r-", bytes1(uint8(65 + i)))), lot, 10));
        for (uint256 i = 0; i < 3; ++i) {
            _issue(BANK, _parties[i], 10_000);
            created[BANK] += 10_000;
            _as(_parties[i]);
            DEPOSITS.chooseHome(i == 1 ? OTHER_BANK : BANK, CNY);
        }
        _limit(BANK, OTHER_BANK, 5_000);
        _limit(OTHER_BANK, BANK, 5_000);
    }

    function party(uint256 seed) public view returns (bytes32) {
        return _parties[seed % 4];
    }

    function bank(uint256 seed) public pure returns (bytes32) {
        return seed % 2 == 0 ? BANK : OTHER_BANK;
    }

    function _fresh() private returns (bytes32) {
        return keccak256(abi.encode(++_serial));
    }

    function _try(address to, bytes32 by, bytes memory data) private returns (bool ok, bytes memory answer) {
        _as(by);
        (ok, answer) = to.call(data);
        if (ok) ++done;
        else ++refused;
    }

    function _one(bytes32[] storage list, uint256 seed) private view returns (bytes32) {
        return list.length == 0 ? bytes32(0) : list[seed % list.length];
    }

    // ---- deposits -------------------------------------------------------------------------------

    function issue(uint256 b, uint256 to, uint128 amount) external {
        amount %= 500;
        (bool ok,) = _try(
            address(DEPOSITS), bank(b), abi.encodeCall(IDeposits.issue, (party(to), CNY, amount, _fresh(), ""))
        );
        if (ok) created[bank(b)] += amount;
    }

    function pay(uint256 from, uint256 fromBank, uint256 to, uint256 toBank, uint128 amount) external {
        amount %= 3_000;
        bytes32 payer = party(from);
        IDeposits.Payment memory payment =
            IDeposits.Payment(bank(fromBank), party(to), bank(toBank), CNY, amount, _fresh());
        IDeposits.Account memory before = DEPOSITS.account(bank(fromBank), CNY, payer);
        (bool ok,) = _try(address(DEPOSITS), payer, abi.encodeCall(IDeposits.pay, (payment, "")));
        if (!ok) return;
        require(before.balance >= uint256(amount) + before.setAside + before.held, "only what was free");
        if (bank(fromBank) != bank(toBank)) _cross(bank(fromBank), bank(toBank), amount);
    }

    function _cross(bytes32 from, bytes32 to, uint256 amount) private {
        destroyed[from] += amount;
        created[to] += amount;
        claimed[to] += amount;
    }

    function confirmSettlement(uint256 b, uint128 amount) external {
        amount %= 2_000;
        bytes32 creditor = bank(b);
        bytes memory data = abi.encodeCall(IDeposits.confirmSettlement, (bank(b + 1), CNY, amount, _fresh(), ""));
        (bool ok,) = _try(address(DEPOSITS), creditor, data);
        if (ok) claimed[creditor] -= amount;
    }

    function requestRedemption(uint256 by, uint256 b, uint128 amount) external {
        if (redemptions.length == LISTED_MAX) return;
        bytes memory data = abi.encodeCall(IDeposits.requestRedemption, (bank(b), CNY, amount % 500, _fresh(), ""));
        (bool ok, bytes memory answer) = _try(address(DEPOSITS), party(by), data);
        if (ok) redemptions.push(abi.decode(answer, (bytes32)));
    }

    function decideRedemption(uint256 seed, uint256 b, uint256 how) external {
        bytes32 id = _one(redemptions, seed);
        IDeposits.Redemption memory before = DEPOSITS.redemption(id);
        bytes4[3] memory acts = [
            IDeposits.confirmRedemption.selector,
            IDeposits.refuseRedemption.selector,
            IDeposits.withdrawRedemption.selector
        ];
        bytes32 by = how % 3 == 2 ? party(b) : bank(b);
        (bool ok,) = _try(address(DEPOSITS), by, abi.encodeWithSelector(acts[how % 3], id, ""));
        if (ok && how % 3 == 0) destroyed[by] += before.amount;
    }

    function hold(uint256 who, uint256 b, uint128 amount, uint256 decision) external {
        if (holds.length == LISTED_MAX) return;
        bytes memory data = abi.encodeCall(
            IDeposits.hold, (bank(b), CNY, party(who), amount % 12_000, bytes32(decision % 8), "")
        );
        (bool ok, bytes memory answer) = _try(address(DEPOSITS), who % 2 == 0 ? REGULATOR : ARBITRATOR, data);
        if (ok) holds.push(abi.decode(answer, (bytes32)));
    }

    function release(uint256 seed, uint256 who, uint128 amount) external {
        bytes32 by = who % 2 == 0 ? REGULATOR : ARBITRATOR;
        bytes memory data = abi.encodeCall(IDeposits.release, (_one(holds, seed), amount % 12_000, DECISION, ""));
        _try(address(DEPOSITS), by, data);
    }

    // ---- deals ----------------------------------------------------------------------------------

    function offer(uint256 seed, uint256 buyer, uint128 amount, uint256 kind) external {
        bytes32 id = _one(receipts, seed);
        if (deals.length == LISTED_MAX) return;
        IDeals.Draft memory draft = _draftDeal(buyer % 5 == 4 ? bytes32(0) : party(buyer), amount % 4_000, _any(kind));
        IDeals.Leg[] memory legs = _leg(id);
        bytes32 by = RECEIPTS.receipt(id).holder;
        _keep(by, abi.encodeCall(IDeals.offer, (draft, legs, "")));
    }

    function setAside(uint256 by, uint256 payee, uint128 amount, uint256 b, uint256 kind) external {
        if (deals.length == LISTED_MAX) return;
        IDeals.Draft memory draft = _draftDeal(party(payee), amount % 4_000, _any(1 + kind % 2));
        draft.expires = 0;
        draft.buyerBank = bank(b);
        _keep(party(by), abi.encodeCall(IDeals.setAside, (draft, "")));
    }

    function _keep(bytes32 by, bytes memory data) private {
        (bool ok, bytes memory answer) = _try(address(SETTLEMENT), by, data);
        if (ok) deals.push(abi.decode(answer, (bytes32)));
    }

    function _any(uint256 kind) private view returns (IDeals.Condition memory) {
        if (kind % 3 == 0) return _none();
        return kind % 3 == 1 ? _date() : _inspection();
    }

    function enter(uint256 seed, uint256 by, uint256 b, bool commits) external {
        bytes32 id = _one(deals, seed);
        IDeals.Deal memory deal = SETTLEMENT.deal(id);
        if (deal.legs.length == 0) return;
        bytes4 act = commits ? IDeals.commit.selector : IDeals.accept.selector;
        uint64[] memory revisions = _revisions(deal.legs[0].id);
        bytes memory data = abi.encodeWithSelector(act, id, deal.revision, bank(b), revisions, "");
        _watched(id, party(by), data);
    }

    function end(uint256 seed, uint256 by, uint256 how) external {
        bytes32 id = _one(deals, seed);
        bytes4[6] memory acts = [
            IDeals.decline.selector,
            IDeals.withdraw.selector,
            IDeals.expire.selector,
            IDeals.giveBack.selector,
            IDeals.askCancel.selector,
            IDeals.agreeCancel.selector
        ];
        _watched(id, party(by), abi.encodeWithSelector(acts[how % 6], id, 0, ""));
    }

    function speak(uint256 seed, bool yes) external {
        bytes32 id = _one(deals, seed);
        bytes4 act = yes ? IDeals.attest.selector : IDeals.deny.selector;
        _watched(id, INSPECTOR, abi.encodeWithSelector(act, id, 0, EVIDENCE, ""));
    }

    function execute(uint256 seed, uint256 by) external {
        bytes32 id = _one(deals, seed);
        _watched(id, party(by), abi.encodeCall(IDeals.execute, (id, 0, "")));
    }

    function quash(uint256 seed) external {
        bytes32 id = _one(deals, seed);
        _watched(id, ARBITRATOR, abi.encodeCall(IDeals.quash, (id, 0, DECISION, "")));
    }

    /// @dev Counts what a deal has paid.
    function _watched(bytes32 id, bytes32 by, bytes memory data) private {
        uint8 before = SETTLEMENT.deal(id).state;
        (bool ok,) = _try(address(SETTLEMENT), by, data);
        IDeals.Deal memory deal = SETTLEMENT.deal(id);
        if (!ok || deal.state == before || deal.state != SettlementRules.STATE_SETTLED) return;
        paid[id] += deal.amount;
        if (deal.buyerBank != deal.sellerBank) _cross(deal.buyerBank, deal.sellerBank, deal.amount);
    }

    function wait_(uint256 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 2 days);
    }

    // ---- what ought to hold -----------------------------------------------------------------------

    function check() external view {
        for (uint256 b = 0; b < 2; ++b) _checkBank(bank(b), bank(b + 1));
        for (uint256 i = 0; i < receipts.length; ++i) _checkLock(receipts[i]);
        for (uint256 i = 0; i < deals.length; ++i) {
            IDeals.Deal memory deal = SETTLEMENT.deal(deals[i]);
            uint256 due = deal.state == SettlementRules.STATE_SETTLED ? deal.amount : 0;
            require(paid[deals[i]] == due, "a deal is paid once");
        }
    }

    function _checkBank(bytes32 b, bytes32 other) private view {
        uint256 balances;
        for (uint256 i = 0; i < 4; ++i) {
            IDeposits.Account memory entry = DEPOSITS.account(b, CNY, _parties[i]);
            balances += entry.balance;
            require(entry.balance >= entry.setAside, "what is promised is there");
            require(entry.setAside == _promised(b, _parties[i]), "set aside for what is under way");
            require(entry.held == _held(DEPOSITS.accountKey(b, CNY, _parties[i])), "held by those who hold");
        }
        require(balances == created[b] - destroyed[b], "deposits are conserved");
        IDeposits.Book memory book = DEPOSITS.book(b, CNY);
        uint256 owed = uint256(book.issued) + book.received - book.redeemed - book.sent;
        require(owed == balances, "the books say the same");
        IDeposits.Position memory position = DEPOSITS.position(b, other, CNY);
        require(position.claim == claimed[b] && position.claim <= position.limit, "claims within limits");
    }

    function _promised(bytes32 b, bytes32 owner) private view returns (uint256 sum) {
        bytes32 key = DEPOSITS.accountKey(b, CNY, owner);
        for (uint256 i = 0; i < redemptions.length; ++i) {
            IDeposits.Redemption memory one = DEPOSITS.redemption(redemptions[i]);
            if (one.account == key && one.state == IDeposits.RedemptionState.Requested) sum += one.amount;
        }
        for (uint256 i = 0; i < deals.length; ++i) {
            IDeals.Deal memory deal = SETTLEMENT.deal(deals[i]);
            if (deal.buyer == owner && deal.buyerBank == b && _underWay(deal.state)) sum += deal.amount;
        }
    }

    function _held(bytes32 key) private view returns (uint256 sum) {
        for (uint256 i = 0; i < holds.length; ++i) {
            IDeposits.Hold memory one = DEPOSITS.holdOf(holds[i]);
            if (one.account == key) sum += one.amount;
        }
    }

    function _checkLock(bytes32 id) private view {
        uint256 promises;
        for (uint256 i = 0; i < deals.length; ++i) {
            IDeals.Deal memory deal = SETTLEMENT.deal(deals[i]);
            bool live = deal.state == SettlementRules.STATE_OFFERED || _underWay(deal.state);
            if (live && deal.legs.length != 0 && deal.legs[0].id == id) ++promises;
        }
        require(promises == (RECEIPTS.receipt(id).locked ? 1 : 0), "promised once, and locked then alone");
    }

    function _underWay(uint8 state) private pure returns (bool) {
        return state == SettlementRules.STATE_OPEN || state == SettlementRules.STATE_MET;
    }
}

contract SettlementInvariants is SettlementScene {
    SettlementActor private actor;

    function setUp() public {
        actor = new SettlementActor();
        actor.found();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actor);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory chosen) {
        bytes4[] memory selectors = new bytes4[](15);
        selectors[0] = SettlementActor.issue.selector;
        selectors[1] = SettlementActor.pay.selector;
        selectors[2] = SettlementActor.confirmSettlement.selector;
        selectors[3] = SettlementActor.requestRedemption.selector;
        selectors[4] = SettlementActor.decideRedemption.selector;
        selectors[5] = SettlementActor.hold.selector;
        selectors[6] = SettlementActor.release.selector;
        selectors[7] = SettlementActor.offer.selector;
        selectors[8] = SettlementActor.setAside.selector;
        selectors[9] = SettlementActor.enter.selector;
        selectors[10] = SettlementActor.end.selector;
        selectors[11] = SettlementActor.speak.selector;
        selectors[12] = SettlementActor.execute.selector;
        selectors[13] = SettlementActor.quash.selector;
        selectors[14] = SettlementActor.wait_.selector;
        chosen = new FuzzSelector[](1);
        chosen[0] = FuzzSelector(address(actor), selectors);
    }

    /// Deposits are conserved, promises and holds add up, claims stay within limits, nothing is paid twice.
    function invariant_money_and_promises_add_up() public view {
        actor.check();
    }
}
