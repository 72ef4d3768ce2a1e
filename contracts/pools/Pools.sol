// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Places} from "../instruments/libraries/Places.sol";
import {PoolBase} from "./bases/PoolBase.sol";
import {IPayments} from "./interfaces/IPayments.sol";
import {IPoolBook} from "./interfaces/IPoolBook.sol";
import {IPools} from "./interfaces/IPools.sol";
import {PoolPlaces} from "./libraries/PoolPlaces.sol";
import {Waterfall} from "./libraries/Waterfall.sol";

/// @title Pools
/// @notice Collections, the waterfall, and the payments that come out of it.
contract Pools is IPools, PoolBase {
    bytes32 private constant POOLS = "pools";
    uint256 private constant PAYMENTS_MAX = 32;

    mapping(bytes32 id => Account) private _accounts;
    mapping(bytes32 id => Owed[8]) private _tranches;
    mapping(bytes32 id => Owed[4]) private _fees;
    mapping(bytes32 id => mapping(uint256 period => Open)) private _open;
    mapping(bytes32 id => Collection[]) private _collections;
    mapping(bytes32 id => Distribution[]) private _distributions;
    mapping(bytes32 id => Payment[]) private _payments;
    /// @dev What a payment is claimed by that a pool has counted; zero: it has not.
    mapping(bytes32 id => mapping(bytes32 payment => bytes32 key)) private _counted;
    /// @dev What has confirmed a payment, of a trustee and of a pool: what others name is in nobody's way.
    mapping(bytes32 who => mapping(bytes32 settled => bool)) private _settled;

    function _active(bytes32 id) private view returns (IPoolBook.Pool memory pool) {
        pool = PoolPlaces.BOOK.poolOf(id);
        _checkState(id, pool.state, State.Active);
    }

    /// @dev The active pool of which the caller is the trustee.
    function _trustee(bytes32 id) private view returns (IPoolBook.Pool memory pool, bytes32 by) {
        pool = _active(id);
        by = _caller();
        if (by != pool.terms.trustee) revert NotOffice(id, by);
    }

    /// @dev No narrowing without a look.
    function _amount(uint256 value) private pure returns (uint128) {
        if (value > type(uint128).max) revert AmountTooLarge();
        return uint128(value);
    }

    // ---- in -----------------------------------------------------------------------------------

    /// @inheritdoc IPools
    function collect(bytes32 id, Collection calldata content) external {
        bytes32 by = _caller();
        IPoolBook.Terms memory terms = _active(id).terms;
        if (by != terms.servicer) revert NotOffice(id, by);
        Account storage account = _accounts[id];
        _checkDate(content.date);
        uint256 sum = uint256(content.principal) + content.income;
        bool single = content.count == 1;
        if (
            content.payment == 0 || sum == 0 || sum > AMOUNT_MAX || content.count == 0 || content.voided
                || single != (content.root == 0)
        ) revert InvalidCollection();
        if (content.period != account.periods + 1 && content.period != account.periods + 2) {
            revert WrongPeriod(id, account.periods + 1);
        }
        bytes32 key = _count(id, terms.trustee, content.payment);
        Open storage open = _open[id][content.period];
        open.principal += content.principal;
        open.income += content.income;
        ++open.revision;
        _collections[id].push(content);
        ++account.collections;
        emit Collected(id, content.payment, by, account.collections, content, open);
        PoolPlaces.ROOMS.hold(id, _one(key));
    }

    /// @dev A payment has reached one trustee, and counts once among all pools of that one, in all versions of this
    /// contract. What the servicer of another trustee's pool says of it takes nothing from them.
    function _count(bytes32 id, bytes32 trustee, bytes32 payment) private returns (bytes32 key) {
        key = keccak256(abi.encode(trustee, payment));
        bool used = _counted[id][payment] != 0 || PoolPlaces.ROOMS.heldIn(POOLS, key).id != 0;
        if (used) revert PaymentUsed(payment);
        _counted[id][payment] = key;
    }

    function _one(bytes32 key) private pure returns (bytes32[] memory keys) {
        keys = new bytes32[](1);
        keys[0] = key;
    }

    /// @inheritdoc IPools
    function voidCollection(bytes32 id, uint256 number, string calldata reason) external {
        bytes32 by = _caller();
        IPoolBook.Terms memory terms = _active(id).terms;
        if (by != terms.servicer && by != terms.trustee) revert NotOffice(id, by);
        _checkReason(reason);
        Collection storage content = _collections[id][_place(id, number)];
        if (content.voided || content.period <= _accounts[id].periods) revert CollectionClosed(id, number);
        content.voided = true;
        bytes32 key = _counted[id][content.payment];
        delete _counted[id][content.payment];
        Open storage open = _open[id][content.period];
        open.principal -= content.principal;
        open.income -= content.income;
        ++open.revision;
        emit CollectionVoided(id, content.payment, by, number, open, reason);
        PoolPlaces.ROOMS.free(id, _one(key));
    }

    function _place(bytes32 id, uint256 number) private view returns (uint256) {
        if (number == 0 || number > _collections[id].length) revert UnknownCollection(id, number);
        return number - 1;
    }

    // ---- shared out -----------------------------------------------------------------------------

    /// @dev What a distribution works on.
    struct Work {
        bytes32 id;
        uint256 period;
        IPoolBook.Terms terms;
        IPoolBook.Tranche[] tranches;
        IPoolBook.Fee[] fees;
        Waterfall.Dues dues;
        Waterfall.Shares shares;
        uint256 owed;
        uint256 base;
    }

    /// @inheritdoc IPools
    function distribute(bytes32 id, uint256 period, uint32 end, uint256 revision) external {
        (IPoolBook.Pool memory pool, bytes32 by) = _trustee(id);
        Account storage account = _accounts[id];
        if (period != uint256(account.periods) + 1) revert WrongPeriod(id, uint256(account.periods) + 1);
        uint32 from = account.periods == 0 ? pool.terms.start : account.periodEnd;
        if (end <= from || end - from > PERIOD_DAYS_MAX) revert WrongDate(id, end, from + 1);
        if (revision != _open[id][period].revision) revert StaleCollections(id, _open[id][period].revision);
        // slither-disable-next-line uninitialized-local
        Work memory work;
        work.id = id;
        work.period = period;
        work.terms = pool.terms;
        work.tranches = PoolPlaces.BOOK.tranchesOf(id);
        work.fees = PoolPlaces.BOOK.feesOf(id);
        Distribution memory result = _share(work, end, end - from);
        _distributions[id].push(result);
        _tell(work, by, result);
    }

    function _tell(Work memory work, bytes32 by, Distribution memory result) private {
        (Owed[] memory tranches, Owed[] memory fees) = _owed(work.id, work.tranches.length, work.fees.length);
        emit Distributed(work.id, work.period, by, result, tranches, fees, _accounts[work.id]);
    }

    function _share(Work memory work, uint32 end, uint256 daysPassed) private returns (Distribution memory result) {
        Account storage account = _accounts[work.id];
        result.end = end;
        result.firstPayment = account.payments + 1;
        _accrueInterest(work, daysPassed);
        _accrueFees(work, daysPassed);
        _judge(work, result);
        work.shares = Waterfall.share(work.dues);
        account.periods = uint32(work.period);
        account.periodEnd = end;
        _payFees(work, result);
        _payTranches(work, result);
        _pay(work, work.terms.residual, PaymentKind.Residual, 0, work.shares.residual, 0);
        result.residual = uint128(work.shares.residual);
        result.payments = account.payments + 1 - result.firstPayment;
        // At most what is still owed, since the base was at most what was owed before.
        account.shortfall = work.base > result.principal ? uint128(work.base - result.principal) : 0;
        assert(
            result.collected == uint256(result.fees) + result.interest + result.principal + result.residual
        );
    }

    function _accrueInterest(Work memory work, uint256 daysPassed) private {
        Waterfall.Dues memory dues = work.dues;
        uint256 count = work.tranches.length;
        dues.ranks = new uint256[](count);
        dues.interest = new uint256[](count);
        dues.outstanding = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            IPoolBook.Tranche memory tranche = work.tranches[i];
            Owed storage owed = _tranches[work.id][i];
            uint256 outstanding = tranche.principal - owed.repaid;
            (uint256 accrued, uint256 rest) =
                Waterfall.accrue(outstanding, tranche.rateBp, daysPassed, work.terms.basis, owed.remainder);
            owed.remainder = uint32(rest);
            dues.ranks[i] = tranche.seniority;
            dues.interest[i] = accrued + owed.carried;
            dues.outstanding[i] = outstanding;
            work.owed += outstanding;
        }
    }

    function _accrueFees(Work memory work, uint256 daysPassed) private {
        work.dues.fees = new uint256[](work.fees.length);
        for (uint256 i = 0; i < work.fees.length; ++i) {
            IPoolBook.Fee memory fee = work.fees[i];
            Owed storage owed = _fees[work.id][i];
            (uint256 accrued, uint256 rest) =
                Waterfall.accrueFee(work.owed, fee.rateBp, fee.fixedAmount, daysPassed, work.terms.basis, owed.remainder);
            owed.remainder = uint32(rest);
            work.dues.fees[i] = accrued + owed.carried;
        }
    }

    /// @dev How much principal is due, and who gets it first.
    function _judge(Work memory work, Distribution memory result) private {
        Account storage account = _accounts[work.id];
        Open storage open = _open[work.id][work.period];
        result.revision = PoolPlaces.BOOK.revisionsOf(work.id, result.end);
        IPoolBook.Day memory day = PoolPlaces.BOOK.dayOf(work.id, result.end, result.revision);
        work.dues.available = uint256(open.principal) + open.income;
        result.collected = _amount(work.dues.available);
        uint256 bad = uint256(day.overdue) + day.defaulted;
        uint256 whole = bad + day.performing;
        result.sequential = bad * BP_MAX >= whole * work.terms.sequentialBp;
        result.turbo = bad * BP_MAX >= whole * work.terms.turboBp;
        work.dues.sequential = result.sequential;
        // What was repaid, what has defaulted since, and what was missing before.
        uint256 base = uint256(account.shortfall) + open.principal;
        if (day.defaulted > account.defaultedPeak) {
            base += day.defaulted - account.defaultedPeak;
            account.defaultedPeak = day.defaulted;
        }
        work.base = Waterfall.least(base, work.owed);
        work.dues.principal = result.turbo ? work.owed : work.base;
    }

    function _payFees(Work memory work, Distribution memory result) private {
        for (uint256 i = 0; i < work.fees.length; ++i) {
            uint256 paid = work.shares.fees[i];
            _fees[work.id][i].carried = _amount(work.dues.fees[i] - paid);
            result.fees += uint128(paid);
            _pay(work, work.fees[i].payee, PaymentKind.Fee, i, paid, 0);
        }
    }

    function _payTranches(Work memory work, Distribution memory result) private {
        for (uint256 i = 0; i < work.tranches.length; ++i) {
            uint256 interest = work.shares.interest[i];
            uint256 principal = work.shares.principal[i];
            Owed storage owed = _tranches[work.id][i];
            owed.carried = _amount(work.dues.interest[i] - interest);
            owed.repaid += uint128(principal);
            result.interest += uint128(interest);
            result.principal += uint128(principal);
            if (interest + principal != 0) _payHolders(work, i, interest, principal);
        }
    }

    function _payHolders(Work memory work, uint256 tranche, uint256 interest, uint256 principal) private {
        (bytes32[] memory holders, uint256[] memory units) = PoolPlaces.BOOK.holdersOf(work.id, tranche);
        uint256 total = work.tranches[tranche].principal;
        uint256[] memory interests = new uint256[](holders.length);
        uint256[] memory principals = new uint256[](holders.length);
        Waterfall.split(interest, units, total, 0, units.length, interests);
        Waterfall.split(principal, units, total, 0, units.length, principals);
        for (uint256 i = 0; i < holders.length; ++i) {
            _pay(work, holders[i], PaymentKind.Tranche, tranche, interests[i] + principals[i], principals[i]);
        }
    }

    function _pay(
        Work memory work,
        bytes32 payee,
        PaymentKind kind,
        uint256 index,
        uint256 amount,
        uint256 principal
    ) private {
        if (amount == 0) return;
        Account storage account = _accounts[work.id];
        Payment memory payment =
            Payment(payee, uint32(work.period), kind, uint8(index), uint128(amount), uint128(principal), 0);
        _payments[work.id].push(payment);
        ++account.payments;
        ++account.unconfirmed;
        emit PaymentDue(work.id, payee, account.payments, payment);
    }

    // ---- out ----------------------------------------------------------------------------------

    /// @inheritdoc IPools
    // The payment under way is marked, and Settlement calls nobody but Deposits.
    // slither-disable-next-line reentrancy-no-eth,reentrancy-benign,reentrancy-events
    function pay(bytes32 id, uint256[] calldata numbers, bytes32 payerBank) external {
        (IPoolBook.Pool memory pool, bytes32 by) = _trustee(id);
        if (numbers.length == 0 || numbers.length > PAYMENTS_MAX) revert WrongPaymentCount(numbers.length);
        IPayments settlement = IPayments(Places.currentOf(Places.SETTLEMENT));
        // slither-disable-next-line uninitialized-local
        IPayments.Payment memory order;
        order.payerBank = payerBank;
        order.currency = pool.terms.currency;
        for (uint256 i = 0; i < numbers.length; ++i) {
            Payment storage payment = _unconfirmed(id, numbers[i]);
            if (payment.payee == by) {
                _confirm(id, numbers[i], by, keccak256(abi.encode(id, numbers[i]))); // it has the money
                continue;
            }
            order.payee = payment.payee;
            order.amount = payment.amount;
            order.number = _digits(numbers[i]);
            payment.settled = id; // nobody pays it again from within the payment
            // Settlement's own id is new, whatever anybody has named before.
            bytes32 settled = settlement.payFor(by, order, id);
            payment.settled = 0;
            _confirm(id, numbers[i], by, settled);
        }
    }

    /// @inheritdoc IPools
    function confirm(bytes32 id, uint256 number, bytes32 settled) external {
        (, bytes32 by) = _trustee(id);
        _unconfirmed(id, number);
        if (settled == 0 || _settled[by][settled] || _settled[id][settled]) revert PaymentUsed(settled);
        _confirm(id, number, by, settled);
    }

    function _confirm(bytes32 id, uint256 number, bytes32 by, bytes32 settled) private {
        Payment storage payment = _unconfirmed(id, number);
        _settled[by][settled] = true;
        _settled[id][settled] = true;
        payment.settled = settled;
        --_accounts[id].unconfirmed;
        emit PaymentConfirmed(id, payment.payee, by, number, settled);
    }

    function _unconfirmed(bytes32 id, uint256 number) private view returns (Payment storage payment) {
        if (number == 0 || number > _payments[id].length) revert UnknownPayment(id, number);
        payment = _payments[id][number - 1];
        if (payment.settled != 0) revert PaymentConfirmedAlready(id, number);
    }

    /// @dev Decimal digits in ASCII, left-aligned.
    function _digits(uint256 number) private pure returns (bytes32 text) {
        while (number != 0) {
            text = (text >> 8) | bytes32(bytes1(uint8(48 + number % 10)));
            number /= 10;
        }
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IPools
    function accountOf(bytes32 id) external view returns (Account memory) {
        return _accounts[id];
    }

    /// @inheritdoc IPools
    function owedOf(bytes32 id) external view returns (Owed[] memory tranches, Owed[] memory fees) {
        return _owed(id, PoolPlaces.BOOK.tranchesOf(id).length, PoolPlaces.BOOK.feesOf(id).length);
    }

    function _owed(bytes32 id, uint256 trancheCount, uint256 feeCount)
        private
        view
        returns (Owed[] memory tranches, Owed[] memory fees)
    {
        tranches = new Owed[](trancheCount);
        fees = new Owed[](feeCount);
        for (uint256 i = 0; i < trancheCount; ++i) tranches[i] = _tranches[id][i];
        for (uint256 i = 0; i < feeCount; ++i) fees[i] = _fees[id][i];
    }

    /// @inheritdoc IPools
    function isSettled(bytes32 id) external view returns (bool) {
        Account storage account = _accounts[id];
        for (uint256 i = 1; i < 3; ++i) {
            Open storage open = _open[id][account.periods + i];
            if (open.principal != 0 || open.income != 0) return false;
        }
        return account.unconfirmed == 0;
    }

    /// @inheritdoc IPools
    function openOf(bytes32 id, uint256 period) external view returns (Open memory) {
        return _open[id][period];
    }

    /// @inheritdoc IPools
    function collectionOf(bytes32 id, uint256 number) external view returns (Collection memory) {
        return _collections[id][_place(id, number)];
    }

    /// @inheritdoc IPools
    function distributionOf(bytes32 id, uint256 period) external view returns (Distribution memory) {
        if (period == 0 || period > _distributions[id].length) revert WrongPeriod(id, _distributions[id].length);
        return _distributions[id][period - 1];
    }

    /// @inheritdoc IPools
    function paymentOf(bytes32 id, uint256 number) external view returns (Payment memory) {
        if (number == 0 || number > _payments[id].length) revert UnknownPayment(id, number);
        return _payments[id][number - 1];
    }
}
