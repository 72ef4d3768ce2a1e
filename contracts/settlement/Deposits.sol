// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {IPledges} from "../pledges/interfaces/IPledges.sol";
import {IDeposits} from "./interfaces/IDeposits.sol";
import {DepositBook} from "./bases/DepositBook.sol";

/// @title Deposits
/// @notice What banks, their customers and authorities do with deposits, and what Settlement does for them.
contract Deposits is DepositBook {
    mapping(bytes32 id => Redemption) private _redemptions;
    mapping(bytes32 id => Hold) private _holds;
    // What all hold together: more than there can be where two of them hold everything.
    mapping(bytes32 account => uint256) private _heldInAll;
    mapping(bytes32 account => uint256) private _decided; // of it: by authorities
    mapping(bytes32 hold => bytes32 pledge) private _pledgeOf;
    mapping(bytes32 pledge => uint256) private _heldFor;
    mapping(bytes32 pledge => uint128) private _collected;

    // ---- issue and redemption -------------------------------------------------------------------

    /// @inheritdoc IDeposits
    function chooseHome(bytes32 bank, bytes3 currency) external {
        bytes32 by = _caller();
        if (_homes[by][currency] == bank) revert Unchanged();
        _checkBank(bank);
        bytes32 key = _open(bank, currency, by);
        _homes[by][currency] = bank;
        emit HomeChosen(by, currency, bank);
        if (_accounts[key].revision == 0) _tell(key, 0, Kind.Opened, _line(by, 0, 0, 0), "");
    }

    /// @inheritdoc IDeposits
    function issue(bytes32 to, bytes3 currency, uint128 amount, bytes32 number, string calldata remark)
        external
        returns (bytes32 id)
    {
        bytes32 bank = _bankWith(remark);
        id = _number(bank, number);
        Payment memory payment = Payment(bank, to, bank, currency, amount, number);
        _move(_flow(id, bank, payment), remark);
    }

    /// @inheritdoc IDeposits
    function requestRedemption(bytes32 bank, bytes3 currency, uint128 amount, bytes32 number, string calldata remark)
        external
        returns (bytes32 id)
    {
        bytes32 by = _callerWith(remark);
        bytes32 key = accountKey(bank, currency, by);
        _checkFree(key, amount);
        id = _number(by, number);
        _redemptions[id] = Redemption(key, number, amount, RedemptionState.Requested);
        _accounts[key].setAside += amount;
        _tellRedemption(id, by, Kind.RedemptionRequested, amount, remark);
    }

    /// @inheritdoc IDeposits
    function confirmRedemption(bytes32 id, string calldata remark) external {
        (bytes32 by, Account storage from) = _decideRedemption(id, RedemptionState.Confirmed, remark);
        if (by != from.bank) revert NotParty(id, by);
        // It was the owner's own money until now: a hold that came after the request stops it.
        _checkFree(_redemptions[id].account, _redemptions[id].amount);
        _destroy(from, _redemptions[id].amount);
        _tellRedemption(id, by, Kind.Redeemed, 0, remark);
    }

    /// @inheritdoc IDeposits
    function refuseRedemption(bytes32 id, string calldata remark) external {
        (bytes32 by, Account storage from) = _decideRedemption(id, RedemptionState.Refused, remark);
        if (by != from.bank) revert NotParty(id, by);
        _tellRedemption(id, by, Kind.RedemptionRefused, 0, remark);
    }

    /// @inheritdoc IDeposits
    function withdrawRedemption(bytes32 id, string calldata remark) external {
        (bytes32 by, Account storage from) = _decideRedemption(id, RedemptionState.Withdrawn, remark);
        if (by != from.owner) revert NotParty(id, by);
        _tellRedemption(id, by, Kind.RedemptionWithdrawn, 0, remark);
    }

    function _decideRedemption(bytes32 id, RedemptionState state, string calldata remark)
        private
        returns (bytes32 by, Account storage from)
    {
        by = _callerWith(remark);
        Redemption storage entry = _redemptions[id];
        if (entry.state == RedemptionState.None) revert UnknownRedemption(id);
        if (entry.state != RedemptionState.Requested) revert RedemptionDecided(id, entry.state);
        entry.state = state;
        from = _accounts[entry.account];
        from.setAside -= entry.amount;
    }

    function _tellRedemption(bytes32 id, bytes32 by, Kind kind, uint128 rest, string calldata remark) private {
        Redemption storage entry = _redemptions[id];
        Movement memory line = _line(by, entry.amount, entry.number, 0);
        line.rest = rest;
        _tell(entry.account, id, kind, line, remark);
    }

    // ---- payments -----------------------------------------------------------------------------

    /// @inheritdoc IDeposits
    function pay(Payment calldata payment, string calldata remark) external returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        id = _number(by, payment.number);
        _move(_flow(id, by, payment), remark);
    }

    function _flow(bytes32 id, bytes32 payer, Payment memory payment)
        private
        view
        returns (Flow memory flow)
    {
        flow.id = id;
        flow.by = payer;
        flow.payer = payer;
        flow.payerBank = payment.payerBank;
        flow.payee = payment.payee;
        flow.payeeBank = payeeBankOf(payment.payee, payment.payeeBank, payment.currency);
        flow.currency = payment.currency;
        flow.amount = payment.amount;
        flow.number = payment.number;
    }

    // ---- for Settlement -------------------------------------------------------------------------

    /// @inheritdoc IDeposits
    function move(Flow calldata flow, string calldata remark) external {
        _checkNamed(Places.SETTLEMENT);
        _move(flow, remark);
    }

    /// @inheritdoc IDeposits
    function setAside(Flow calldata flow, string calldata remark) external {
        _checkNamed(Places.SETTLEMENT);
        // A bank's own money comes into being when it is paid.
        if (flow.payer == flow.payerBank) return _checkBank(flow.payer);
        bytes32 key = accountKey(flow.payerBank, flow.currency, flow.payer);
        _checkFree(key, flow.amount);
        _accounts[key].setAside += flow.amount;
        _tellPromise(key, flow, Kind.SetAside, remark);
    }

    /// @inheritdoc IDeposits
    function giveBack(Flow calldata flow, string calldata remark) external {
        _checkNamed(Places.SETTLEMENT);
        if (flow.payer == flow.payerBank) return;
        bytes32 key = accountKey(flow.payerBank, flow.currency, flow.payer);
        _accounts[key].setAside -= flow.amount;
        _tellPromise(key, flow, Kind.GivenBack, remark);
    }

    function _tellPromise(bytes32 key, Flow calldata flow, Kind kind, string calldata remark) private {
        Movement memory line = _line(flow.by, flow.amount, flow.number, flow.cause);
        line.counterparty = flow.payee;
        line.counterpartyBank = flow.payeeBank;
        _tell(key, flow.id, kind, line, remark);
    }

    /// @inheritdoc IDeposits
    function holdFor(Flow calldata flow, bytes32 pledge, string calldata remark) external {
        _checkNamed(Places.SETTLEMENT);
        bytes32 key = accountKey(flow.payeeBank, flow.currency, flow.payee);
        if (_accounts[key].owner == 0) revert NoAccount(flow.payee, flow.payeeBank, flow.currency);
        _pledgeOf[flow.id] = pledge;
        _heldFor[pledge] += flow.amount;
        _hold(flow.id, key, flow.payeeBank, flow.amount, flow.cause, remark);
    }

    // ---- between banks --------------------------------------------------------------------------

    /// @inheritdoc IDeposits
    function setLimit(bytes32 debtor, bytes3 currency, uint128 limit, string calldata remark) external {
        bytes32 bank = _bankWith(remark);
        Position storage between = _positions[bank][debtor][currency];
        if (debtor == bank || between.limit == limit) revert Unchanged();
        _checkCurrency(currency);
        // A limit can be taken back whatever has become of the other bank.
        if (limit > between.limit) _checkBank(debtor);
        between.limit = limit;
        emit PositionChanged(bank, debtor, 0, PositionKind.Limited, currency, between, 0, 0, remark);
    }

    /// @inheritdoc IDeposits
    function confirmSettlement(
        bytes32 debtor,
        bytes3 currency,
        uint128 amount,
        bytes32 number,
        string calldata remark
    ) external returns (bytes32 id) {
        bytes32 bank = _callerWith(remark);
        Position storage between = _positions[bank][debtor][currency];
        if (amount == 0) revert InvalidAmount(amount);
        if (between.claim < amount) revert ClaimExceeded(between.claim, amount);
        id = _number(bank, number);
        between.claim -= amount;
        emit PositionChanged(bank, debtor, id, PositionKind.Settled, currency, between, amount, number, remark);
    }

    // ---- holds --------------------------------------------------------------------------------

    /// @inheritdoc IDeposits
    function hold(
        bytes32 bank,
        bytes3 currency,
        bytes32 owner,
        uint128 amount,
        bytes32 decision,
        string calldata remark
    ) external returns (bytes32 id) {
        bytes32 by = _callerWith(remark);
        if (!_isAuthority()) revert NotAuthority(by);
        if (decision == 0) revert DecisionMissing();
        bytes32 key = accountKey(bank, currency, owner);
        if (_accounts[key].revision == 0) revert NoAccount(owner, bank, currency);
        id = keccak256(abi.encode(key, by, decision));
        if (_holds[id].account != 0) revert NumberUsed(by, decision);
        _hold(id, key, by, amount, decision, remark);
    }

    function _hold(bytes32 id, bytes32 key, bytes32 by, uint128 amount, bytes32 cause, string calldata remark)
        private
    {
        if (amount == 0) revert InvalidAmount(amount);
        _holds[id] = Hold(key, by, cause, amount);
        _heldInAll[key] += amount;
        if (by != _accounts[key].bank) _decided[key] += amount;
        _sumUp(key);
        _tellHold(id, by, Kind.Held, amount, cause, remark);
    }

    /// @inheritdoc IDeposits
    function release(bytes32 id, uint128 amount, bytes32 decision, string calldata remark) external {
        bytes32 by = _callerWith(remark);
        if (by != _holds[id].by) _checkFreeing(id, by, amount);
        // A pledgee gives its security free as it likes; an authority says by which decision.
        if (decision == 0 && _isAuthority()) revert DecisionMissing();
        _lessen(id, amount);
        _tellHold(id, by, Kind.Released, amount, decision, remark);
    }

    /// @dev Who gives free what another one holds.
    function _checkFreeing(bytes32 id, bytes32 by, uint128 amount) private view {
        Hold storage entry = _holds[id];
        bytes32 pledge = _pledgeOf[id];
        if (_isAuthority()) {
            // A pledgee's by its decision; another authority's once that one sits no longer.
            if (pledge == 0 && (entry.by == 0 || _sits(entry.by))) revert NotParty(id, by);
            return;
        }
        Account storage from = _accounts[entry.account];
        if (pledge == 0 || by != from.owner) revert NotParty(id, by);
        uint256 free = _unsecured(pledge, from.currency);
        if (amount > free) revert StillSecured(pledge, free, amount);
    }

    function _sits(bytes32 authority) private view returns (bool) {
        IConsortium.Organisation memory known = Places.CONSORTIUM.organisation(authority);
        bool decides = known.role == IConsortium.Role.Regulator || known.role == IConsortium.Role.Arbitrator;
        return decides && known.status == IConsortium.Status.Active;
    }

    /// @dev What is held for a pledge and is not security: all once it has ended, and what is more than the
    /// agreed amount. A loan's interest is secured as well, and of another currency nobody can say how much
    /// is enough.
    function _unsecured(bytes32 pledge, bytes3 currency) private view returns (uint256) {
        IPledges.Pledge memory entry = Places.PLEDGES.pledge(pledge);
        uint256 sum = _heldFor[pledge];
        if (!_isLive(entry)) return sum;
        if (entry.loan != 0 || entry.terms.currency != currency) return 0;
        uint256 needed = entry.terms.amount - _collected[pledge];
        return needed >= sum ? 0 : sum - needed;
    }

    function _isLive(IPledges.Pledge memory entry) private pure returns (bool) {
        return entry.state == IPledges.State.Active || entry.state == IPledges.State.Defaulted;
    }

    /// @inheritdoc IDeposits
    function collect(bytes32 id, uint128 amount, string calldata remark) external {
        bytes32 by = _callerWith(remark);
        Hold storage entry = _holds[id];
        Account storage from = _accounts[entry.account];
        if (by != entry.by || by != from.bank) revert NotParty(id, by);
        _lessen(id, amount);
        _collectFor(_pledgeOf[id], from.currency, amount);
        // What authorities hold comes before the pledgee, and so does what is set aside.
        uint256 before = uint256(from.setAside) + _decided[entry.account];
        uint128 free = before >= from.balance ? 0 : uint128(from.balance - before);
        if (free < amount) revert Insufficient(entry.account, free, amount);
        _destroy(from, amount);
        _tellHold(id, by, Kind.Collected, amount, entry.cause, remark);
    }

    /// @dev Never more than the pledge is for, and nothing once it has ended.
    function _collectFor(bytes32 pledge, bytes3 currency, uint128 amount) private {
        IPledges.Pledge memory entry = Places.PLEDGES.pledge(pledge);
        bool secures = _isLive(entry) && entry.terms.currency == currency;
        uint128 left = secures ? entry.terms.amount - _collected[pledge] : 0;
        if (left < amount) revert NotSecured(pledge, left, amount);
        _collected[pledge] += amount;
    }

    function _lessen(bytes32 id, uint128 amount) private {
        Hold storage entry = _holds[id];
        if (entry.account == 0) revert UnknownHold(id);
        if (amount == 0) revert InvalidAmount(amount);
        if (entry.amount < amount) revert HoldExceeded(id, entry.amount, amount);
        entry.amount -= amount;
        _heldInAll[entry.account] -= amount;
        bytes32 pledge = _pledgeOf[id];
        if (pledge != 0) _heldFor[pledge] -= amount;
        if (entry.by != _accounts[entry.account].bank) _decided[entry.account] -= amount;
        _sumUp(entry.account);
    }

    /// @dev Nobody's hold of everything stands in the way of another's, nor of what comes in.
    function _sumUp(bytes32 key) private {
        uint256 sum = _heldInAll[key];
        _accounts[key].held = sum > type(uint128).max ? type(uint128).max : uint128(sum);
    }

    function _tellHold(bytes32 id, bytes32 by, Kind kind, uint128 amount, bytes32 cause, string calldata remark)
        private
    {
        Movement memory line = _line(by, amount, 0, cause);
        line.rest = _holds[id].amount;
        _tell(_holds[id].account, id, kind, line, remark);
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IDeposits
    function redemption(bytes32 id) external view returns (Redemption memory) {
        return _redemptions[id];
    }

    /// @inheritdoc IDeposits
    function holdOf(bytes32 id) external view returns (Hold memory) {
        return _holds[id];
    }

    /// @inheritdoc IDeposits
    function pledgeOf(bytes32 id) external view returns (bytes32) {
        return _pledgeOf[id];
    }
}
