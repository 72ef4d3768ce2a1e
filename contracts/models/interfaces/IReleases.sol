// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IModelActs} from "./IModelActs.sol";

/// @title What came of runs: releases, their use, who has contributed what, and who owes whom
/// @notice Amounts are hundredths of the currency, shares hundredths of a percent (bp) in the order of the
/// project's parties.
interface IReleases is IModelActs {
    enum Mark {
        None,
        Champion,
        Challenger
    }

    /// @notice How calls were asked: a file at once, or one by one.
    enum Mode {
        Batch,
        Online
    }

    /// @notice A model that was trained in parts stays in parts.
    /// @param model SHA-256 of what this party keeps of the model
    /// @param data Commitment to the rows it was trained on
    struct Share {
        bytes32 party;
        bytes32 model;
        bytes32 data;
    }

    /// @param run Completed
    /// @param card SHA-256 of the model card
    /// @param metrics SHA-256 of the measures
    /// @param shares One for each participant of the run, in its order
    struct Draft {
        bytes32 run;
        bytes32 number;
        bytes32 card;
        bytes32 metrics;
        Share[] shares;
    }

    /// @param approved Bits of the project's parties
    /// @param live Unix seconds from which on, and until when, it is used
    struct Release {
        bytes32 project;
        bytes32 run;
        bytes32 maker;
        bytes32 number;
        bytes32 card;
        bytes32 metrics;
        uint16 approved;
        Mark mark;
        uint48 live;
        uint48 retired;
        Share[] shares;
    }

    /// @param version From 1; 0: nothing
    /// @param evidence SHA-256 of what anybody recomputes the shares by
    /// @param accepted Bits of the parties
    struct Contribution {
        uint32 version;
        uint16[] shares;
        bytes32 evidence;
        uint16 accepted;
    }

    /// @param first Sequence number of the first call: the next of the release, asker and mode
    /// @param root Merkle root (RFC 6962) over the calls
    /// @param since Unix seconds; the period ends before `until`
    struct Calls {
        bytes32 release;
        bytes32 number;
        Mode mode;
        uint64 first;
        uint32 count;
        bytes32 root;
        uint48 since;
        uint48 until;
    }

    /// @param amount count × price
    struct Batch {
        bytes32 asker;
        Calls calls;
        uint128 price;
        bytes3 currency;
        uint128 amount;
        uint32 disputes;
    }

    /// @param settled Paid through deposits, or confirmed
    /// @param told Said to be paid, not confirmed
    struct Due {
        uint128 accrued;
        uint128 settled;
        uint128 told;
    }

    /// @param settled The payment's id in Settlement, or the hash of what shows the one outside
    struct Payment {
        bytes32 payer;
        bytes32 number;
        bytes32 project;
        bytes32 payee;
        bytes3 currency;
        uint128 amount;
        bytes32 settled;
    }

    /// @notice The release as it is after the act.
    event ReleaseActed(
        bytes32 indexed id,
        bytes32 indexed project,
        uint8 indexed act,
        bytes32 by,
        uint64 revision,
        uint8 state,
        Release release,
        string remark
    );
    /// @param proposed Version 0: nothing is
    /// @param digest What `concur` names; zero where nothing is proposed
    event ContributionActed(
        bytes32 indexed id,
        bytes32 indexed project,
        uint8 indexed act,
        bytes32 by,
        uint64 revision,
        Contribution agreed,
        Contribution proposed,
        bytes32 digest,
        string remark
    );
    /// @param amounts What of the amount is each party's, in their order; they make the amount
    event CallsCounted(
        bytes32 indexed id,
        bytes32 indexed project,
        bytes32 indexed release,
        Batch batch,
        uint128[] amounts,
        string remark
    );
    /// @param count As the party has counted itself
    event CallsDisputed(
        bytes32 indexed id,
        bytes32 indexed project,
        bytes32 indexed by,
        uint64 revision,
        uint32 count,
        bytes32 evidence,
        string remark
    );
    /// @notice What the payer owes the payee for the project's models.
    /// @param cause The batch or payment
    event DueChanged(
        bytes32 indexed project,
        bytes32 indexed payer,
        bytes32 indexed payee,
        bytes3 currency,
        Due due,
        bytes32 cause
    );
    event PaymentActed(
        bytes32 indexed id,
        bytes32 indexed project,
        uint8 indexed act,
        bytes32 by,
        uint64 revision,
        uint8 state,
        Payment payment,
        string remark
    );

    /// @notice The next call has the sequence number `first`.
    error WrongSequence(bytes32 id, uint64 first);
    /// @notice The period lies within the time of use, after what was counted before: from `since` on.
    error PeriodTaken(bytes32 id, uint48 since);
    /// @notice The parties have not agreed yet on what each has contributed.
    error ContributionMissing(bytes32 id);
    /// @notice So much is owed, no more.
    error Overpaid(bytes32 id, uint128 outstanding);

    // ---- releases -----------------------------------------------------------------------------

    /// @notice Put the model of a completed run to the parties. A participant.
    function offer(Draft calldata draft, string calldata remark) external returns (bytes32 id);

    /// @notice Approve a release. A party; with the last one it is live.
    function approve(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Reject a release. A party.
    function reject(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Use it no longer. A party.
    function retire(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Make it champion (the former one is none any more), challenger or neither. A party with the label.
    function mark(bytes32 id, uint64 revision, Mark content, string calldata remark) external;

    /// @notice Propose what each party has contributed. A party.
    function attribute(
        bytes32 id,
        uint64 revision,
        uint16[] calldata shares,
        bytes32 evidence,
        string calldata remark
    ) external;

    /// @notice Approve what is proposed, named by its digest. A party; with the last one it holds.
    function concur(bytes32 id, uint64 revision, bytes32 digest, string calldata remark) external;

    // ---- use ----------------------------------------------------------------------------------

    /// @notice Count calls of one's own, of a live or retired release. A party.
    function count(Calls calldata calls, string calldata remark) external returns (bytes32 id);

    /// @notice Put one's own count beside a batch. Another party than the asker, once.
    function dispute(bytes32 id, uint64 revision, uint32 own, bytes32 evidence, string calldata remark) external;

    // ---- payment ------------------------------------------------------------------------------

    /// @notice Pay what one owes out of a deposit at a bank, to where the payee wants to be paid.
    /// @param payment Its payer is the caller; `settled` is zero
    /// @param payerBank Where the payer's money is; the payer itself where it is a bank
    function pay(Payment calldata payment, bytes32 payerBank, string calldata remark) external returns (bytes32 id);

    /// @notice Say that one has paid outside. `payment.settled` is the hash of what shows it.
    function tell(Payment calldata payment, string calldata remark) external returns (bytes32 id);

    /// @notice It has come in. The payee.
    function confirm(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice It has not come in. The payee.
    function deny(bytes32 id, uint64 revision, string calldata remark) external;

    // ---- reading ------------------------------------------------------------------------------

    function releaseOf(bytes32 id) external view returns (Release memory);

    /// @notice The project's champion; zero where there is none.
    function championOf(bytes32 project) external view returns (bytes32);

    /// @notice What is agreed, what is proposed, and its digest.
    function contributionOf(bytes32 id)
        external
        view
        returns (Contribution memory agreed, Contribution memory proposed, bytes32 digest);

    function batchOf(bytes32 id) external view returns (Batch memory);

    /// @notice Calls so far of an asker in a mode, and until when they are counted.
    function countedOf(bytes32 id, bytes32 asker, Mode mode) external view returns (uint64 calls, uint48 until);

    function dueOf(bytes32 project, bytes3 currency, bytes32 payer, bytes32 payee) external view returns (Due memory);

    function paymentOf(bytes32 id) external view returns (Payment memory);
}
