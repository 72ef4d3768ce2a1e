// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMembers} from "./IMembers.sol";

/// @title Tokenised deposits
/// @notice What each bank owes its customers, by currency. Amounts are in hundredths of the currency
/// (ISO 4217, ASCII). Of an account's balance, what is set aside (redemptions, deals under way) and what
/// is held (by an authority, or by the pledgee whose security was paid) does not go out by itself.
/// A bank's own money stands in no account: what it pays comes into being, what is paid to it is gone.
/// In every bank and currency: issued - redeemed + received - sent = sum of the balances.
interface IDeposits is IMembers {
    /// @notice What has happened to an account.
    enum Kind {
        None,
        Opened,
        Issued,
        RedemptionRequested,
        Redeemed,
        RedemptionRefused,
        RedemptionWithdrawn,
        Sent,
        Received,
        SetAside,
        GivenBack,
        Held,
        Released,
        Collected
    }

    enum RedemptionState {
        None,
        Requested,
        Confirmed,
        Refused,
        Withdrawn
    }

    /// @notice What has happened between two banks.
    enum PositionKind {
        None,
        Limited,
        Claimed,
        Settled,
        /// @notice Claimed both ways: what one owes the other goes out against the claim of a payment.
        SetOff
    }

    /// @param setAside Part of the balance that is promised
    /// @param held What may not go out; more than the balance where more is to come, and at most 2^128 - 1
    /// where more than that is held in all
    /// @param revision Changes so far
    struct Account {
        bytes32 bank;
        bytes32 owner;
        bytes3 currency;
        uint128 balance;
        uint128 setAside;
        uint128 held;
        uint64 revision;
    }

    /// @notice One line of an account's statement.
    /// @param by The organisation that acted
    /// @param counterparty Who gave or got it; zero where nobody else did
    /// @param number Of the organisation that acted
    /// @param cause The deal, loan, pool or receivable that it was for, a decision's hash; or zero
    /// @param rest What is left of the redemption or hold that it belongs to
    struct Movement {
        bytes32 by;
        uint128 amount;
        bytes32 counterparty;
        bytes32 counterpartyBank;
        bytes32 number;
        bytes32 cause;
        uint128 rest;
    }

    /// @notice A bank's books in one currency.
    struct Book {
        uint128 issued;
        uint128 redeemed;
        uint128 received;
        uint128 sent;
    }

    /// @notice What one bank owes another, and up to which amount that bank lets it.
    struct Position {
        uint128 claim;
        uint128 limit;
    }

    struct Redemption {
        bytes32 account;
        bytes32 number;
        uint128 amount;
        RedemptionState state;
    }

    /// @param by An authority, or the pledgee of a receivable that was paid
    struct Hold {
        bytes32 account;
        bytes32 by;
        bytes32 cause;
        uint128 amount;
    }

    /// @param payerBank Where the payer's money is; the payer itself where it is a bank
    /// @param payeeBank Zero: where the payee wants to be paid (`homeOf`)
    /// @param number The payer's own number of this payment, used once; ASCII
    struct Payment {
        bytes32 payerBank;
        bytes32 payee;
        bytes32 payeeBank;
        bytes3 currency;
        uint128 amount;
        bytes32 number;
    }

    /// @notice A payment on its way through the books.
    /// @param by The organisation that acts
    /// @param setAside Out of what was set aside for it
    /// @param forced The payee's bank itself says that it owes the payee, who need not have chosen it
    /// @param owed A debt is paid: also to one who is suspended, or at a bank that is
    struct Flow {
        bytes32 id;
        bytes32 by;
        bytes32 payer;
        bytes32 payerBank;
        bytes32 payee;
        bytes32 payeeBank;
        bytes3 currency;
        uint128 amount;
        bytes32 number;
        bytes32 cause;
        bool setAside;
        bool forced;
        bool owed;
    }

    /// @notice A change, with the account as it is afterwards.
    /// @param id Of the payment, redemption, hold or deal
    event AccountChanged(
        bytes32 indexed account, bytes32 indexed id, Kind indexed kind, Account content, Movement movement, string remark
    );
    /// @notice What stands between two banks, as it is afterwards.
    /// @param amount Of the payment or settlement; zero where the limit was set
    /// @param number The creditor's number of a settlement: the payment in central-bank money is told there
    event PositionChanged(
        bytes32 indexed creditor,
        bytes32 indexed debtor,
        bytes32 indexed id,
        PositionKind kind,
        bytes3 currency,
        Position content,
        uint128 amount,
        bytes32 number,
        string remark
    );
    /// @notice Where an organisation wants to be paid.
    event HomeChosen(bytes32 indexed organisation, bytes3 indexed currency, bytes32 indexed bank);

    error NotAuthority(bytes32 organisation);
    /// @notice What is free in the account does not suffice.
    error Insufficient(bytes32 account, uint128 free, uint128 amount);
    /// @notice The payee has no account there and has not chosen the bank.
    error NoAccount(bytes32 organisation, bytes32 bank, bytes3 currency);
    /// @notice The creditor bank does not let the debtor bank owe so much.
    error LimitExceeded(bytes32 creditor, bytes32 debtor, uint256 claim, uint128 limit);
    error ClaimExceeded(uint128 claim, uint128 amount);
    error UnknownRedemption(bytes32 id);
    error RedemptionDecided(bytes32 id, RedemptionState state);
    error UnknownHold(bytes32 id);
    error HoldExceeded(bytes32 id, uint128 held, uint128 amount);
    error NotParty(bytes32 id, bytes32 organisation);
    /// @notice Of what the pledge is for, so much is not collected yet: nothing where it has ended, or is for
    /// a debt in another currency.
    error NotSecured(bytes32 pledge, uint128 left, uint128 amount);
    /// @notice Of what is held for the pledge, no more than this is over and above what it secures.
    error StillSecured(bytes32 pledge, uint256 free, uint128 amount);

    /// @notice Say where to be paid in a currency; opens the account.
    function chooseHome(bytes32 bank, bytes3 currency) external;

    /// @notice Owe an organisation a deposit. Banks.
    function issue(bytes32 to, bytes3 currency, uint128 amount, bytes32 number, string calldata remark)
        external
        returns (bytes32 id);

    /// @notice Ask one's bank to pay a deposit out: the amount is set aside.
    function requestRedemption(bytes32 bank, bytes3 currency, uint128 amount, bytes32 number, string calldata remark)
        external
        returns (bytes32 id);

    /// @notice The bank has paid it out; the remark says how.
    function confirmRedemption(bytes32 id, string calldata remark) external;

    /// @notice The bank does not pay it out; the remark says why.
    function refuseRedemption(bytes32 id, string calldata remark) external;

    /// @notice Take a request back. The owner.
    function withdrawRedemption(bytes32 id, string calldata remark) external;

    /// @notice Pay an organisation. At another bank: the payer's deposit is gone, the payee's comes into
    /// being, and the payee's bank has a claim on the payer's, set off against what it owes that one; what
    /// is left is within the limit that it has set.
    function pay(Payment calldata payment, string calldata remark) external returns (bytes32 id);

    /// @notice Up to which amount another bank may owe the caller. Banks. A lower limit than the claim
    /// stops further payments.
    function setLimit(bytes32 debtor, bytes3 currency, uint128 limit, string calldata remark) external;

    /// @notice The debtor bank has paid (in central-bank money, or set off). The creditor bank.
    function confirmSettlement(
        bytes32 debtor,
        bytes3 currency,
        uint128 amount,
        bytes32 number,
        string calldata remark
    ) external returns (bytes32 id);

    /// @notice Nothing below this amount goes out of the account. Arbitrators and regulators.
    /// @param decision SHA-256 of the decision's document; once for each account and authority
    function hold(
        bytes32 bank,
        bytes3 currency,
        bytes32 owner,
        uint128 amount,
        bytes32 decision,
        string calldata remark
    ) external returns (bytes32 id);

    /// @notice Give free some of what one holds. An authority: also what a pledgee holds, and what another
    /// authority held that sits no longer. The account's owner: what a pledgee holds once the pledge has
    /// ended, and what is more than an agreed pledge's amount.
    function release(bytes32 id, uint128 amount, bytes32 decision, string calldata remark) external;

    /// @notice Take what was paid on one's security: the deposit is gone, and so is as much of the secured
    /// debt. The pledgee, at itself, while the pledge lives, in its currency and up to its amount in all.
    function collect(bytes32 id, uint128 amount, string calldata remark) external;

    /// @notice A payment of a deal, loan, pool or receivable. Settlement, for parties who have agreed there.
    function move(Flow calldata flow, string calldata remark) external;

    /// @notice Promise the payer's money to a deal. Settlement.
    function setAside(Flow calldata flow, string calldata remark) external;

    /// @notice Take that promise back. Settlement.
    function giveBack(Flow calldata flow, string calldata remark) external;

    /// @notice The payee's bank, whose security was paid, holds what has just come in for its pledge.
    /// Settlement.
    function holdFor(Flow calldata flow, bytes32 pledge, string calldata remark) external;

    function account(bytes32 bank, bytes3 currency, bytes32 owner) external view returns (Account memory);

    /// @notice What may go out now.
    function freeOf(bytes32 bank, bytes3 currency, bytes32 owner) external view returns (uint128);

    function book(bytes32 bank, bytes3 currency) external view returns (Book memory);

    function position(bytes32 creditor, bytes32 debtor, bytes3 currency) external view returns (Position memory);

    function redemption(bytes32 id) external view returns (Redemption memory);

    function holdOf(bytes32 id) external view returns (Hold memory);

    /// @notice The pledge for which a pledgee holds it; zero where an authority does.
    function pledgeOf(bytes32 id) external view returns (bytes32);

    /// @notice Where a payee is paid: at the bank named, or the one that it has chosen; a bank at itself.
    function payeeBankOf(bytes32 payee, bytes32 named, bytes3 currency) external view returns (bytes32);

    function homeOf(bytes32 organisation, bytes3 currency) external view returns (bytes32);

    function accountKey(bytes32 bank, bytes3 currency, bytes32 owner) external pure returns (bytes32);
}
