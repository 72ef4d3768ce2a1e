// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ILoanActs} from "./ILoanActs.sol";

/// @title Applications for loans against instruments
/// @notice From the application to the accepted offer. The platform's advice and the banks' decisions are
/// recorded apart, by different parties. States and acts are numbered in `machine.toml`. Amounts: hundredths
/// of the currency; rates: hundredths of a percent a year (bp); times: Unix seconds.
interface IApplications is ILoanActs {
    /// @notice How the rate is found; fixed in the application.
    enum Mode {
        None,
        /// @notice The bank's published table.
        Tiered,
        /// @notice The same, less what the customer's contribution points take off.
        Contribution,
        /// @notice Sealed quotes: the lowest rate wins.
        Market
    }

    /// @notice How a bank stands to an application.
    enum Stance {
        None,
        Approved,
        Declined,
        Committed,
        Revealed
    }

    /// @param number The borrower's own number, ASCII
    /// @param instrument Contract of the collateral, and `asset` its id there
    /// @param assetRevision Revision of the collateral: once it has changed nothing can be accepted or drawn
    /// @param amount Wanted, and `amountMin` the least that an offer may be for
    /// @param termDays From payout to the due date
    /// @param yearDays 360 or 365
    /// @param agreement Whether both sign an agreement before payout
    /// @param purpose SHA-256 of what the money is for
    /// @param expires Until when offers can be accepted and drawn
    /// @param quotesUntil Sealed quotes are taken before it, and opened from it until `revealUntil` (market)
    /// @param rateBpMax The highest rate that a quote may have (market)
    /// @param penaltyBp On top of the rate after the due date
    /// @param graceSeconds After the due date, before the loan is overdue
    /// @param noticeSeconds From default to enforcement
    struct Request {
        bytes32 number;
        address instrument;
        bytes32 asset;
        uint64 assetRevision;
        uint128 amount;
        uint128 amountMin;
        bytes3 currency;
        uint16 termDays;
        uint16 yearDays;
        Mode mode;
        bool agreement;
        bytes32 purpose;
        uint48 expires;
        uint48 quotesUntil;
        uint48 revealUntil;
        uint32 rateBpMax;
        uint32 penaltyBp;
        uint32 graceSeconds;
        uint32 noticeSeconds;
    }

    /// @param tableVersion Version of the bank's table that prices this application; zero in the market mode
    struct Invitation {
        bytes32 bank;
        uint32 tableVersion;
    }

    /// @param tableVersion As in the invitation
    /// @param discountBp What points took off the table's rate
    /// @param order Of a sealed quote among all of the application, from 1
    /// @param text SHA-256 of the offer's terms, or of the reasons for declining
    struct Offer {
        Stance stance;
        bool invited;
        uint32 tableVersion;
        uint32 rateBp;
        uint32 discountBp;
        uint48 validUntil;
        uint48 decided;
        uint16 order;
        uint128 amount;
        bytes32 commitment;
        bytes32 text;
    }

    /// @notice The platform's advice.
    /// @param text SHA-256 of its reasons
    struct Advice {
        bytes32 by;
        bytes32 text;
        uint128 limit;
        uint32 rateBp;
        uint16 score;
        uint48 given;
    }

    /// @notice What the ledger said of the collateral; bits: 1 title, 2 pledge, 4 stock, 8 duplicate.
    struct Check {
        uint8 applicable;
        uint8 passed;
        uint48 blockNumber;
        uint48 time;
    }

    /// @param bank Whose offer was accepted, and `offerHash` that offer
    /// @param signedByBorrower Hash of the agreement
    /// @param validUntil Until when the accepted offer can be drawn
    /// @param open Banks that have not declined
    /// @param quotes Sealed quotes that were handed in
    struct Application {
        bytes32 borrower;
        bytes32 bank;
        bytes32 offerHash;
        bytes32 signedByBorrower;
        bytes32 signedByBank;
        bytes32 best;
        uint48 validUntil;
        uint16 open;
        uint16 quotes;
        Check check;
        Request request;
    }

    /// @notice What was agreed, for Financing.
    /// @param terms The signed agreement, or the accepted offer where none was signed
    struct Agreed {
        bytes32 borrower;
        bytes32 bank;
        bytes32 terms;
        uint128 amount;
        uint32 rateBp;
        uint64 revision;
        Request request;
    }

    /// @notice An act, with the application as it is afterwards; until a bank's offer is accepted, without what sealed
    /// quotes have made of it (`best`, `open` and `quotes` are zero: the offers tell them).
    /// @param detail What the act names: a hash, a bank; or zero
    event ApplicationActed(
        bytes32 indexed id,
        bytes32 indexed by,
        uint8 indexed act,
        uint64 revision,
        uint8 state,
        Application application,
        bytes32 detail,
        string remark
    );
    /// @notice How a bank stands to an application, after the invitation or an act of its own.
    event OfferChanged(
        bytes32 indexed id, bytes32 indexed bank, bytes32 indexed borrower, Offer offer, bytes32 offerHash
    );
    event Advised(bytes32 indexed id, bytes32 indexed by, Advice advice);

    error NotBank(bytes32 organisation);
    error NotInstrument(address place);
    /// @notice The caller is no version of Financing.
    error NotFinancing(address caller);
    error LoanExists(bytes32 id);
    /// @notice A part of the application is not possible; `field` says which.
    error InvalidRequest(bytes32 field);
    error InvalidInvitations(uint256 count);
    error InvalidRate(uint32 rateBp);
    error InvalidTime(uint48 time);
    /// @notice The act is not one of this mode of pricing.
    error WrongMode(bytes32 id, Mode mode);
    /// @notice The bank has decided for good (zero), or its offer stands until then.
    error OfferStands(bytes32 id, bytes32 bank, uint48 validUntil);
    error AlreadyCommitted(bytes32 id, bytes32 bank);
    /// @notice Not (any more) the time for it.
    error OutOfTime(bytes32 id, uint48 from, uint48 until);
    /// @notice What is opened is not what was sealed.
    error CommitmentDiffers(bytes32 id, bytes32 bank);
    error NoOffer(bytes32 id, bytes32 bank);
    error OfferDiffers(bytes32 id, bytes32 actual);
    /// @notice Another quote is better.
    error NotBest(bytes32 id, bytes32 best);
    /// @notice The ledger says otherwise; bits as in `Check`.
    error CheckFailed(bytes32 id, uint8 failed);
    error NotSigned(bytes32 id);

    /// @notice Apply. The holder of the collateral.
    /// @param banks 1 to 16 organisations with the role Bank
    function applyFor(Request calldata request, Invitation[] calldata banks, string calldata remark)
        external
        returns (bytes32 id);

    /// @notice Record what the ledger says of the collateral now. Borrower, invited banks, operator.
    function check(bytes32 id, uint64 revision, string calldata remark) external returns (Check memory);

    /// @notice The platform's advice; a later one takes its place. Organisations with the role Operator.
    function advise(
        bytes32 id,
        uint64 revision,
        uint16 score,
        uint128 limit,
        uint32 rateBp,
        bytes32 text,
        string calldata remark
    ) external;

    /// @notice Offer a loan at the rate of one's table, binding until `validUntil`. An invited bank.
    function approve(
        bytes32 id,
        uint64 revision,
        uint128 amount,
        uint48 validUntil,
        bytes32 text,
        string calldata remark
    ) external;

    /// @notice Decline. An invited bank that has no offer or quote standing.
    function decline(bytes32 id, uint64 revision, bytes32 reason, string calldata remark) external;

    /// @notice Hand in a sealed quote (`commitmentOf`), once, before the time is over. An invited bank.
    function commit(bytes32 id, uint64 revision, bytes32 commitment, string calldata remark) external;

    /// @notice Open it. The bank whose it is.
    function reveal(
        bytes32 id,
        uint64 revision,
        uint128 amount,
        uint32 rateBp,
        bytes32 text,
        bytes32 salt,
        string calldata remark
    ) external;

    /// @notice Accept the offer of that hash; the ledger's checks must pass. The borrower.
    function accept(bytes32 id, uint64 revision, bytes32 bank, bytes32 hash, string calldata remark) external;

    /// @notice Take the application back before payout. The borrower.
    function withdraw(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice End what nobody can accept or draw any more. Anybody.
    function lapse(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Record the hash of the agreement that one has signed. Borrower and bank.
    function sign(bytes32 id, uint64 revision, bytes32 agreement, string calldata remark) external;

    /// @notice The loan is paid out now: what was agreed. Financing, for the bank `by`.
    function conclude(bytes32 id, uint64 revision, bytes32 by) external returns (Agreed memory);

    /// @notice The application; its borrower is zero where the id is unknown.
    function application(bytes32 id) external view returns (Application memory);

    function banksOf(bytes32 id) external view returns (bytes32[] memory);

    function offerOf(bytes32 id, bytes32 bank) external view returns (Offer memory);

    function adviceOf(bytes32 id) external view returns (Advice memory);

    /// @notice What a borrower accepts; zero where there is no offer.
    function offerHash(bytes32 id, bytes32 bank) external view returns (bytes32);

    /// @notice What a bank seals.
    function commitmentOf(bytes32 id, bytes32 bank, uint128 amount, uint32 rateBp, bytes32 text, bytes32 salt)
        external
        pure
        returns (bytes32);

    /// @notice What the ledger says of the collateral now; nothing is recorded.
    function checked(bytes32 id) external view returns (Check memory);

    function idOf(bytes32 borrower, bytes32 number) external view returns (bytes32);
}
