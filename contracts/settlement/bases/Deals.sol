// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {Rules} from "../../instruments/libraries/Rules.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {IDeposits} from "../interfaces/IDeposits.sol";
import {SettlementRules} from "../libraries/SettlementRules.sol";
import {Members} from "./Members.sol";

/// @title Instruments against payment, and payments on a condition
/// @notice Only contracts that the members have named take part (`Places.isInstrument`), and each deal's
/// record is changed before they are called.
abstract contract Deals is Members, IDeals {
    using Rules for uint256;

    IDeposits internal constant DEPOSITS = IDeposits(0x7a11000000000000000000000000000000000010);
    uint256 private constant LEGS_MAX = 16;
    uint48 private constant TERM_SECONDS_MAX = 3660 days;
    uint48 private constant STALE_SECONDS = 7 days;

    mapping(bytes32 id => Deal) private _deals;
    mapping(bytes32 id => uint48) private _metAt;

    // ---- offers -------------------------------------------------------------------------------

    /// @inheritdoc IDeals
    function offer(Draft calldata draft, Leg[] calldata legs, string calldata remark) external returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        if (legs.length == 0 || legs.length > LEGS_MAX) revert WrongLegs(legs.length);
        if (draft.expires > block.timestamp + TERM_SECONDS_MAX || draft.expires <= block.timestamp) {
            revert InvalidDeal();
        }
        if (draft.buyerBank != 0) revert InvalidDeal();
        id = _make(draft, by, SettlementRules.OFFER);
        Deal storage entry = _deals[id];
        entry.seller = by;
        entry.buyer = draft.counterparty;
        entry.sellerBank = DEPOSITS.payeeBankOf(by, draft.sellerBank, draft.currency);
        _checkActive(entry.sellerBank);
        entry.role = draft.role;
        entry.expires = draft.expires;
        for (uint256 i = 0; i < legs.length; ++i) {
            if (!Places.isInstrument(legs[i].instrument)) revert NotInstrument(legs[i].instrument);
            entry.legs.push(Leg(legs[i].instrument, legs[i].revision + 1, legs[i].id));
        }
        _tellDeal(id, SettlementRules.OFFER, by, 0, remark);
        // Whoever names no revision has not looked: the instrument takes zero for any.
        for (uint256 i = 0; i < legs.length; ++i) {
            if (legs[i].revision == 0) revert InvalidDeal();
            IInstrument(legs[i].instrument).lock(legs[i].id, legs[i].revision, by);
        }
        if (draft.counterparty != 0) _tryHandOver(id);
    }

    /// @inheritdoc IDeals
    function accept(
        bytes32 id,
        uint64 revision,
        bytes32 buyerBank,
        uint64[] calldata revisions,
        string calldata remark
    ) external {
        bytes32 by = _take(id, revision, SettlementRules.ACCEPT, buyerBank, revisions, remark);
        if (_deals[id].condition.kind != ConditionKind.None) revert WrongCondition(id, _deals[id].condition.kind);
        _tellDeal(id, SettlementRules.ACCEPT, by, 0, remark);
        _payDeal(id, by, false);
        for (uint256 i = 0; i < revisions.length; ++i) _handOver(id, i, revisions[i]);
    }

    /// @inheritdoc IDeals
    function commit(
        bytes32 id,
        uint64 revision,
        bytes32 buyerBank,
        uint64[] calldata revisions,
        string calldata remark
    ) external {
        bytes32 by = _take(id, revision, SettlementRules.COMMIT, buyerBank, revisions, remark);
        Deal storage entry = _deals[id];
        if (entry.condition.kind == ConditionKind.None) revert WrongCondition(id, entry.condition.kind);
        _look(id, revisions);
        _tellDeal(id, SettlementRules.COMMIT, by, 0, remark);
        _tryHandOver(id);
        DEPOSITS.setAside(_flowOf(id, by), remark);
    }

    /// @dev What has become of the instruments since the buyer looked is his to know before he binds himself,
    /// and he binds himself to what they are now and to nothing less: a bill that is paid meanwhile is not it.
    function _look(bytes32 id, uint64[] calldata revisions) private returns (bool changed) {
        Leg[] storage legs = _deals[id].legs;
        if (revisions.length != legs.length) revert WrongLegs(revisions.length);
        for (uint256 i = 0; i < revisions.length; ++i) {
            Leg storage leg = legs[i];
            uint64 actual = IInstrument(leg.instrument).control(leg.id).revision;
            if (revisions[i] != 0 && revisions[i] != actual) {
                revert IInstrument.StaleRevision(leg.id, revisions[i], actual);
            }
            if (leg.revision == actual) continue;
            leg.revision = actual;
            changed = true;
        }
    }

    /// @inheritdoc IDeals
    function affirm(bytes32 id, uint64 revision, uint64[] calldata revisions, string calldata remark) external {
        bytes32 by = _actOn(id, revision, SettlementRules.AFFIRM, remark);
        if (!_look(id, revisions)) revert Unchanged();
        _tellDeal(id, SettlementRules.AFFIRM, by, 0, remark);
        _tryHandOver(id);
        // In one transaction: who pays a hundredth in between holds up nothing.
        if (_isDue(id)) _tryProceed(id, by);
    }

    function _isDue(bytes32 id) private view returns (bool) {
        Deal storage entry = _deals[id];
        if (entry.state == SettlementRules.STATE_MET) return true;
        return entry.condition.kind == ConditionKind.Date && block.timestamp >= entry.condition.due;
    }

    /// @inheritdoc IDeals
    function rescind(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actOn(id, revision, SettlementRules.RESCIND, remark);
        _tellDeal(id, SettlementRules.RESCIND, by, 0, remark);
        _checkStale(id);
        _undo(id, by, remark);
    }

    /// @dev Reverts where the instruments are what the buyer has bound himself to, and would go to him.
    function _checkStale(bytes32 id) private {
        try this.rehearse(id) {} catch (bytes memory reason) {
            // A trial that ended without a word ran out of gas, which says nothing of the instruments.
            if (reason.length == 0 || bytes4(reason) == Rehearsed.selector) revert AsAgreed(id);
        }
    }

    /// @dev Nobody's money waits for what cannot become his: the buyer of a bill that he owes himself, say.
    /// The instruments themselves say so, by a trial of which nothing stays. Reverts with their refusal.
    function _tryHandOver(bytes32 id) private {
        try this.rehearse(id) {} catch (bytes memory reason) {
            if (bytes4(reason) != Rehearsed.selector) LowLevelCall.bubbleRevert(reason);
        }
    }

    /// @inheritdoc IDeals
    function rehearse(bytes32 id) external {
        if (msg.sender != address(this)) revert NotCaller(msg.sender);
        uint256 count = _deals[id].legs.length;
        for (uint256 i = 0; i < count; ++i) _handOver(id, i, _deals[id].legs[i].revision);
        revert Rehearsed(id);
    }

    /// @dev The buyer enters into the deal.
    function _take(
        bytes32 id,
        uint64 revision,
        uint256 rule,
        bytes32 buyerBank,
        uint64[] calldata revisions,
        string calldata remark
    ) private returns (bytes32 by) {
        by = _actOn(id, revision, rule, remark);
        Deal storage entry = _deals[id];
        if (block.timestamp > entry.expires) revert TooLate(id, entry.expires);
        if (revisions.length != entry.legs.length) revert WrongLegs(revisions.length);
        entry.buyer = by;
        entry.buyerBank = buyerBank;
    }

    /// @inheritdoc IDeals
    function setAside(Draft calldata draft, string calldata remark) external returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        if (draft.condition.kind == ConditionKind.None || draft.expires != 0) revert InvalidDeal();
        if (draft.role != IConsortium.Role.None || draft.counterparty == 0) revert InvalidDeal();
        id = _make(draft, by, SettlementRules.SET_ASIDE);
        Deal storage entry = _deals[id];
        entry.seller = draft.counterparty;
        entry.buyer = by;
        entry.sellerBank = DEPOSITS.payeeBankOf(draft.counterparty, draft.sellerBank, draft.currency);
        _checkActive(entry.sellerBank);
        entry.buyerBank = draft.buyerBank;
        _tellDeal(id, SettlementRules.SET_ASIDE, by, 0, remark);
        DEPOSITS.setAside(_flowOf(id, by), remark);
    }

    /// @dev What both kinds have in common.
    function _make(Draft calldata draft, bytes32 by, uint256 rule) private returns (bytes32 id) {
        Places.checkCurrent(Places.SETTLEMENT, address(this));
        if (draft.amount == 0) revert InvalidAmount(draft.amount);
        _checkCurrency(draft.currency);
        if (draft.counterparty == by) revert InvalidDeal();
        if (draft.counterparty != 0) _checkActive(draft.counterparty);
        _checkCondition(draft.condition);
        bytes32 paid = rule.act() == SettlementRules.OFFER.act() ? by : draft.counterparty;
        if (draft.condition.attestor != 0 && draft.condition.attestor == paid) revert InvalidAttestor(paid);
        id = _number(by, draft.number);
        Deal storage entry = _deals[id];
        entry.number = draft.number;
        entry.terms = draft.terms;
        entry.amount = draft.amount;
        entry.currency = draft.currency;
        entry.condition = draft.condition;
        entry.state = rule.next(entry.state);
        entry.revision = 1;
    }

    function _checkCondition(Condition calldata condition) private view {
        if (condition.kind == ConditionKind.None || condition.kind == ConditionKind.Date) {
            bool named = condition.attestor != 0 || condition.subject != 0 || condition.deadline != 0;
            bool dated = condition.kind == ConditionKind.Date;
            if (named || (condition.due > block.timestamp) != dated) revert InvalidDeal();
            if (!dated && condition.due != 0) revert InvalidDeal();
        } else {
            _checkActive(condition.attestor);
            bool late = condition.deadline > block.timestamp;
            if (!late || condition.due != 0 || condition.subject == 0) revert InvalidDeal();
        }
        uint256 latest = block.timestamp + TERM_SECONDS_MAX;
        if (condition.due > latest || condition.deadline > latest) revert InvalidDeal();
    }

    /// @inheritdoc IDeals
    function decline(bytes32 id, uint64 revision, string calldata remark) external {
        _end(id, revision, SettlementRules.DECLINE, 0, remark);
    }

    /// @inheritdoc IDeals
    function withdraw(bytes32 id, uint64 revision, string calldata remark) external {
        _end(id, revision, SettlementRules.WITHDRAW, 0, remark);
    }

    /// @inheritdoc IDeals
    function expire(bytes32 id, uint64 revision, string calldata remark) external {
        _end(id, revision, SettlementRules.EXPIRE, 0, remark);
        if (block.timestamp <= _deals[id].expires) revert TooEarly(id, _deals[id].expires);
    }

    // ---- conditions ---------------------------------------------------------------------------

    /// @inheritdoc IDeals
    function attest(bytes32 id, uint64 revision, bytes32 evidence, string calldata remark) external {
        bytes32 by = _attested(id, revision, SettlementRules.ATTEST, evidence, remark);
        _metAt[id] = uint48(block.timestamp);
        _tellDeal(id, SettlementRules.ATTEST, by, evidence, remark);
        _tryProceed(id, by);
    }

    /// @dev What is attested or affirmed stands even where the payment must wait (a limit, a freeze).
    function _tryProceed(bytes32 id, bytes32 by) private {
        try this.proceed(id, by) {} catch {}
    }

    /// @inheritdoc IDeals
    function deny(bytes32 id, uint64 revision, bytes32 evidence, string calldata remark) external {
        bytes32 by = _attested(id, revision, SettlementRules.DENY, evidence, remark);
        _tellDeal(id, SettlementRules.DENY, by, evidence, remark);
        _undo(id, by, remark);
    }

    function _attested(bytes32 id, uint64 revision, uint256 rule, bytes32 evidence, string calldata remark)
        private
        returns (bytes32 by)
    {
        by = _actOn(id, revision, rule, remark);
        if (evidence == 0) revert NoEvidence();
        Deal storage entry = _deals[id];
        if (block.timestamp > entry.condition.deadline) revert TooLate(id, entry.condition.deadline);
        entry.evidence = evidence;
    }

    /// @inheritdoc IDeals
    function proceed(bytes32 id, bytes32 by) external {
        if (msg.sender != address(this)) revert NotCaller(msg.sender);
        Deal storage entry = _deals[id];
        entry.state = SettlementRules.EXECUTE.next(entry.state);
        ++entry.revision;
        _settleDeal(id, by, "");
    }

    /// @inheritdoc IDeals
    function execute(bytes32 id, uint64 revision, string calldata remark) external {
        Condition storage condition = _deals[id].condition;
        bool waits = _deals[id].state == SettlementRules.STATE_OPEN;
        bytes32 by = _actOn(id, revision, SettlementRules.EXECUTE, remark);
        if (waits && condition.kind != ConditionKind.Date) revert WrongCondition(id, condition.kind);
        if (waits && block.timestamp < condition.due) revert TooEarly(id, condition.due);
        _settleDeal(id, by, remark);
    }

    function _settleDeal(bytes32 id, bytes32 by, string memory remark) private {
        _tellDeal(id, SettlementRules.EXECUTE, by, 0, remark);
        _payDeal(id, by, true);
        uint256 count = _deals[id].legs.length;
        for (uint256 i = 0; i < count; ++i) _handOver(id, i, _deals[id].legs[i].revision);
    }

    /// @inheritdoc IDeals
    function giveBack(bytes32 id, uint64 revision, string calldata remark) external {
        bool met = _deals[id].state == SettlementRules.STATE_MET;
        bytes32 by = _actOn(id, revision, SettlementRules.GIVE_BACK, remark);
        Condition storage condition = _deals[id].condition;
        bool silent = !met && condition.kind != ConditionKind.Date;
        uint48 until = silent ? condition.deadline : (met ? _metAt[id] : condition.due) + STALE_SECONDS;
        if (block.timestamp <= until) revert TooEarly(id, until);
        _tellDeal(id, SettlementRules.GIVE_BACK, by, 0, remark);
        // What is due is paid, unless it cannot be: nobody keeps the seller's instruments by doing nothing.
        if (!silent) _checkStale(id);
        _undo(id, by, remark);
    }

    /// @inheritdoc IDeals
    function askCancel(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _actOn(id, revision, SettlementRules.ASK_CANCEL, remark);
        if (_deals[id].cancelAskedBy == by) revert Unchanged();
        _deals[id].cancelAskedBy = by;
        _tellDeal(id, SettlementRules.ASK_CANCEL, by, 0, remark);
    }

    /// @inheritdoc IDeals
    function agreeCancel(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 askedBy = _deals[id].cancelAskedBy;
        bytes32 by = _end(id, revision, SettlementRules.AGREE_CANCEL, 0, remark);
        if (askedBy == 0 || askedBy == by) revert AskTheOther(id, askedBy);
    }

    /// @inheritdoc IDeals
    function quash(bytes32 id, uint64 revision, bytes32 decision, string calldata remark) external {
        if (decision == 0) revert DecisionMissing();
        _end(id, revision, SettlementRules.QUASH, decision, remark);
    }

    // ---- money and instruments --------------------------------------------------------------------

    function _payDeal(bytes32 id, bytes32 by, bool fromSetAside) private {
        IDeposits.Flow memory flow = _flowOf(id, by);
        flow.setAside = fromSetAside;
        DEPOSITS.move(flow, "");
    }

    function _flowOf(bytes32 id, bytes32 by) private view returns (IDeposits.Flow memory flow) {
        Deal storage entry = _deals[id];
        flow.id = id;
        flow.by = by;
        flow.payer = entry.buyer;
        flow.payerBank = entry.buyerBank;
        flow.payee = entry.seller;
        flow.payeeBank = entry.sellerBank;
        flow.currency = entry.currency;
        flow.amount = entry.amount;
        flow.number = entry.number;
        flow.cause = id;
    }

    function _handOver(bytes32 id, uint256 index, uint64 revision) private {
        Deal storage entry = _deals[id];
        Leg storage leg = entry.legs[index];
        IInstrument(leg.instrument).settle(leg.id, revision, entry.seller, entry.buyer);
    }

    /// @dev An act after which all goes back.
    function _end(bytes32 id, uint64 revision, uint256 rule, bytes32 detail, string calldata remark)
        private
        returns (bytes32 by)
    {
        bool committed = _deals[id].state != SettlementRules.STATE_OFFERED;
        by = _actOn(id, revision, rule, remark);
        _tellDeal(id, rule, by, detail, remark);
        if (committed) _undo(id, by, remark);
        else _unlock(id);
    }

    function _undo(bytes32 id, bytes32 by, string calldata remark) private {
        DEPOSITS.giveBack(_flowOf(id, by), remark);
        _unlock(id);
    }

    function _unlock(bytes32 id) private {
        Leg[] storage legs = _deals[id].legs;
        for (uint256 i = 0; i < legs.length; ++i) IInstrument(legs[i].instrument).unlock(legs[i].id);
    }

    // ---- the way of every act -----------------------------------------------------------------

    function _actOn(bytes32 id, uint64 revision, uint256 rule, string calldata remark) private returns (bytes32 by) {
        by = _callerWith(remark);
        Deal storage entry = _deals[id];
        if (entry.revision == 0) revert UnknownDeal(id);
        if (!rule.isFor(_partiesOf(entry, by))) revert DealNotEntitled(id, rule.act(), by);
        if (revision != 0 && revision != entry.revision) revert StaleDeal(id, revision, entry.revision);
        if (!rule.possibleIn(entry.state)) revert DealState(id, rule.act(), entry.state);
        entry.state = rule.next(entry.state);
        ++entry.revision;
    }

    function _partiesOf(Deal storage entry, bytes32 by) private view returns (uint256 parties) {
        parties = Rules.ANYBODY;
        if (by == entry.seller) parties |= SettlementRules.PARTY_SELLER;
        if (by == entry.buyer) parties |= SettlementRules.PARTY_NAMED;
        if (by == entry.condition.attestor) parties |= SettlementRules.PARTY_ATTESTOR;
        bool ofRole = entry.role == IConsortium.Role.None || entry.role == Places.CONSORTIUM.roleOf(msg.sender);
        bool may = entry.buyer == 0 ? by != entry.seller : by == entry.buyer;
        if (may && ofRole) parties |= SettlementRules.PARTY_BUYER;
        if (_isAuthority()) parties |= Rules.AUTHORITY;
    }

    function _tellDeal(bytes32 id, uint256 rule, bytes32 by, bytes32 detail, string memory remark) private {
        emit DealActed(id, by, rule.act(), _deals[id], detail, remark);
    }

    /// @inheritdoc IDeals
    function deal(bytes32 id) external view returns (Deal memory) {
        return _deals[id];
    }
}
