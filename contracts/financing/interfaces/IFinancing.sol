// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ILoanActs} from "./ILoanActs.sol";

/// @title Loans against instruments
/// @notice From payout to the last repayment or the enforcement. Payout and pledge are one transaction, as
/// are the last repayment and the release. Default and enforcement of the pledge are in Pledges; the loan
/// follows. States and acts are numbered in `machine.toml`.
interface IFinancing is ILoanActs {
    /// @param accrued Interest not yet paid: sum of principal · bp · days
    /// @param accruedAt Until when that is
    struct Debt {
        uint128 lent;
        uint128 principal;
        uint128 interestPaid;
        uint256 accrued;
        uint48 drawn;
        uint48 due;
        uint48 accruedAt;
    }

    /// @param severity Of the last warning, 1 to 3
    /// @param breach What the ledger shows of `breachAsset`; bits: 1 shortfall, 2 freeze, 4 old count, 8 end
    /// of storage
    struct Watch {
        bytes32 breachAsset;
        uint48 breachSince;
        uint32 warnings;
        uint8 severity;
        uint8 breach;
    }

    /// @param terms The signed agreement, or the accepted offer where none was signed
    /// @param asset What was pledged; the pledge also covers what came out of it
    struct Loan {
        bytes32 borrower;
        bytes32 bank;
        bytes32 terms;
        bytes32 pledge;
        address instrument;
        bytes32 asset;
        bytes3 currency;
        uint16 yearDays;
        uint32 rateBp;
        uint32 penaltyBp;
        uint32 graceSeconds;
        Debt debt;
        Watch watch;
    }

    /// @notice An act, with the loan as it is afterwards.
    /// @param detail What the act names: a hash, an asset, an amount; or zero
    event LoanActed(
        bytes32 indexed id,
        bytes32 indexed by,
        uint8 indexed act,
        uint64 revision,
        uint8 state,
        Loan loan,
        bytes32 detail,
        string remark
    );
    /// @notice Money came in: what of it went to interest and what to principal.
    /// @param ref Of money that came in outside the ledger
    event Paid(bytes32 indexed id, bytes32 indexed by, uint128 interest, uint128 principal, bytes32 ref);

    error NotInstrument(address place);
    error InvalidSeverity(uint8 severity);
    error Overpaid(bytes32 id, uint128 outstanding);
    /// @notice The pledge covers so many pieces: all are named when the loan is paid.
    error CollateralLeft(bytes32 id, uint32 count);
    error NotCollateral(bytes32 id, bytes32 asset);
    error NothingToReport(bytes32 id);
    /// @notice The pledge is not in the state that the loan would follow it into.
    error PledgeDiffers(bytes32 id, uint8 pledgeState);
    /// @notice Money of this reference was booked already.
    error ReferenceUsed(bytes32 id, bytes32 ref);

    /// @notice Pledge and pay out, or neither. The bank. What any version of Applications has accepted, the current
    /// version of Financing pays out.
    function drawDown(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Pay out of the deposit at the bank. The borrower.
    /// @param amount `type(uint128).max`: all that is owed
    /// @param assets What the pledge covers, where this pays the rest; otherwise not looked at
    function repay(bytes32 id, uint64 revision, uint128 amount, bytes32[] calldata assets, string calldata remark)
        external;

    /// @notice Book money that came in outside the ledger, as the proceeds of collateral. The bank.
    /// @param ref SHA-256 of the receipt or statement, once for each loan
    function credit(
        bytes32 id,
        uint64 revision,
        uint128 amount,
        bytes32 ref,
        bytes32[] calldata assets,
        string calldata remark
    ) external;

    /// @notice It was not paid in time. Anybody.
    function fallOverdue(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Warn. The bank or the operator.
    function warn(bytes32 id, uint64 revision, uint8 severity, bytes32 text, string calldata remark) external;

    /// @notice Record what the ledger shows of a piece of the collateral, or that it is over. Anybody.
    function report(bytes32 id, uint64 revision, bytes32 asset, string calldata remark) external;

    /// @notice The loan is in default. The bank, whose pledge is in default or covers nothing any more.
    function declareDefault(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Take that back. The bank, whose pledge is in default no longer.
    function cure(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice The pledge was enforced. Anybody.
    function exhaust(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice The loan; its borrower is zero where it was not paid out.
    function loan(bytes32 id) external view returns (Loan memory);

    /// @notice Principal and interest owed at a time, not before the last payment.
    function owed(bytes32 id, uint48 time) external view returns (uint128 principal, uint128 interest);

    /// @notice What the ledger says of a collateral of that organisation now, as it was at that revision; bits:
    /// 1 title, 2 pledge, 4 stock, 8 duplicate. Applicable to it, and as a lender wants them.
    function examine(address instrument, bytes32 asset, uint64 revision, bytes32 organisation)
        external
        view
        returns (uint8 applicable, uint8 passed);
}
