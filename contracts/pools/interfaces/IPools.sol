// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPoolBase} from "./IPoolBase.sol";

/// @title The money of asset pools: in from debtors, out to investors
/// @notice What the assets pay in is shared out by the waterfall that was agreed at the beginning, exactly
/// and once. Amounts are hundredths of the pool's currency, dates days since 1970-01-01.
interface IPools is IPoolBase {
    enum PaymentKind {
        None,
        Fee,
        Tranche,
        Residual
    }

    /// @notice Where a pool's money stands.
    /// @param periods Distributions so far
    /// @param periodEnd Date of the last one; 0: none yet
    /// @param unconfirmed Payments that nobody has confirmed
    /// @param shortfall Principal due in former periods and not paid
    /// @param defaultedPeak Highest defaulted balance of a distribution so far
    struct Account {
        uint32 periods;
        uint32 periodEnd;
        uint32 collections;
        uint32 payments;
        uint32 unconfirmed;
        uint128 shortfall;
        uint128 defaultedPeak;
    }

    /// @notice What a tranche, or the payee of a fee, has had and is still owed.
    /// @param repaid Principal so far; nothing for fees
    /// @param carried Interest or fee due in former periods and not paid
    /// @param remainder Of the last accrual, in 1 / (10,000 x basis) of a hundredth
    struct Owed {
        uint128 repaid;
        uint128 carried;
        uint32 remainder;
    }

    /// @notice What was collected for a period that is not distributed.
    /// @param revision How often it was added to or taken back from
    struct Open {
        uint128 principal;
        uint128 income;
        uint32 revision;
    }

    /// @param payment What brought the money: a payment of Settlement, or the hash of a bank's entry. Counted
    /// once, in whichever pool of the trustee whom it has reached
    /// @param root Of the tree over the debtors' single payments; zero where `payment` is one debtor's
    /// @param count How many debtors' payments they are
    /// @param date When it came in
    /// @param period That it belongs to: the one that is distributed next, or the one after it
    /// @param principal Repayments of principal
    /// @param income Interest, charges, and recoveries of what has defaulted
    struct Collection {
        bytes32 payment;
        bytes32 root;
        uint32 count;
        uint32 date;
        uint32 period;
        bool voided;
        uint128 principal;
        uint128 income;
    }

    /// @param end Last date of the period
    /// @param revision Of that date's state
    /// @param firstPayment Number of its first payment
    struct Distribution {
        uint32 end;
        uint16 revision;
        bool sequential;
        bool turbo;
        uint32 firstPayment;
        uint32 payments;
        uint128 collected;
        uint128 fees;
        uint128 interest;
        uint128 principal;
        uint128 residual;
    }

    /// @param index Of the tranche or fee
    /// @param principal How much of the amount repays principal
    /// @param settled The payment of Settlement that paid it, or the hash of a bank's entry; zero: not yet
    struct Payment {
        bytes32 payee;
        uint32 period;
        PaymentKind kind;
        uint8 index;
        uint128 amount;
        uint128 principal;
        bytes32 settled;
    }

    event Collected(
        bytes32 indexed id,
        bytes32 indexed payment,
        bytes32 indexed by,
        uint256 number,
        Collection content,
        Open open
    );
    event CollectionVoided(
        bytes32 indexed id, bytes32 indexed payment, bytes32 indexed by, uint256 number, Open open, string reason
    );
    event Distributed(
        bytes32 indexed id,
        uint256 indexed period,
        bytes32 indexed by,
        Distribution content,
        Owed[] tranches,
        Owed[] fees,
        Account account
    );
    event PaymentDue(bytes32 indexed id, bytes32 indexed payee, uint256 number, Payment content);
    event PaymentConfirmed(
        bytes32 indexed id, bytes32 indexed payee, bytes32 indexed by, uint256 number, bytes32 settled
    );

    error InvalidCollection();
    /// @notice The payment was counted already, here or in another pool of the same trustee.
    error PaymentUsed(bytes32 payment);
    error UnknownCollection(bytes32 id, uint256 number);
    /// @notice It is voided or distributed.
    error CollectionClosed(bytes32 id, uint256 number);
    /// @notice The next period, or what was collected for it, is another one: somebody was faster.
    error WrongPeriod(bytes32 id, uint256 expected);
    error StaleCollections(bytes32 id, uint256 revision);
    error UnknownPayment(bytes32 id, uint256 number);
    error PaymentConfirmedAlready(bytes32 id, uint256 number);
    error AmountTooLarge();
    /// @notice 1 to 32 payments at once.
    error WrongPaymentCount(uint256 count);

    // ---- in and out ----------------------------------------------------------------------------

    /// @notice Money has come in. The servicer.
    /// @param content Its `voided` is false
    function collect(bytes32 id, Collection calldata content) external;

    /// @notice Take back a collection that was told wrongly, before it is distributed. Servicer or trustee.
    function voidCollection(bytes32 id, uint256 number, string calldata reason) external;

    /// @notice Share out all that was collected for a period. The trustee.
    /// @param period The next one, counted from 1
    /// @param end Its last date, which has a state
    /// @param revision Of what was collected for it, as the trustee has seen it (`openOf`)
    function distribute(bytes32 id, uint256 period, uint32 end, uint256 revision) external;

    /// @notice Make payments by deposits, each in Settlement and confirmed at once: all or none. What the
    /// trustee itself is owed it keeps; that is confirmed by keccak-256 of (pool, number). The trustee.
    /// @param numbers 1 to 32 payments of the pool
    /// @param payerBank Where the trustee's deposit is; the trustee itself where it is a bank
    function pay(bytes32 id, uint256[] calldata numbers, bytes32 payerBank) external;

    /// @notice A payment was made in another way. The trustee.
    /// @param settled The payment of Settlement, or the hash of a bank's entry; it confirms one payment of this
    /// trustee only
    function confirm(bytes32 id, uint256 number, bytes32 settled) external;

    // ---- reading ------------------------------------------------------------------------------

    function accountOf(bytes32 id) external view returns (Account memory);

    /// @notice In the order of the tranches and of the fees.
    function owedOf(bytes32 id) external view returns (Owed[] memory tranches, Owed[] memory fees);

    /// @notice Whether everything that came in is distributed, and every payment confirmed.
    function isSettled(bytes32 id) external view returns (bool);

    function openOf(bytes32 id, uint256 period) external view returns (Open memory);

    function collectionOf(bytes32 id, uint256 number) external view returns (Collection memory);

    function distributionOf(bytes32 id, uint256 period) external view returns (Distribution memory);

    function paymentOf(bytes32 id, uint256 number) external view returns (Payment memory);
}
