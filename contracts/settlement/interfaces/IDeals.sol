// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";

/// @title Delivery versus payment, and payment on a condition
/// @notice Up to 16 instruments against one payment, all or nothing. The seller's instruments are locked from
/// the offer on; with a condition, the buyer's money is set aside as well until the condition is met (both
/// change hands) or not (both go back). Without instruments it is a conditional payment. States and acts are
/// numbered in `machine.toml`.
interface IDeals {
    /// @notice What a deal waits for once both have agreed.
    /// Date: `due`. Delivery, Inspection: what the attestor says of `subject` until `deadline`.
    enum ConditionKind {
        None,
        Date,
        Delivery,
        Inspection
    }

    /// @param subject What is delivered or inspected: an EPCIS event's hash, a batch's root, a terms hash
    struct Condition {
        ConditionKind kind;
        uint48 due;
        uint48 deadline;
        bytes32 attestor;
        bytes32 subject;
    }

    /// @param revision Of the instrument; in a record: as it was when it was locked, and from `commit` on as
    /// the buyer has bound himself to it
    struct Leg {
        address instrument;
        uint64 revision;
        bytes32 id;
    }

    /// @param number The caller's own number of the deal, used once; ASCII
    /// @param counterparty Offer: the buyer, zero where anybody (of the role) may buy. Set aside: the payee
    /// @param role Of buyers; None: any
    /// @param sellerBank Where the seller is paid; zero when money is set aside: where the payee wants it
    /// @param buyerBank Where the money is; zero in an offer
    /// @param expires Until when the offer can be accepted; zero when money is set aside
    /// @param terms SHA-256 of the contract's document, or zero
    struct Draft {
        bytes32 number;
        bytes32 counterparty;
        IConsortium.Role role;
        bytes32 sellerBank;
        bytes32 buyerBank;
        bytes3 currency;
        uint128 amount;
        uint48 expires;
        bytes32 terms;
        Condition condition;
    }

    /// @param seller Gets the money
    /// @param buyer Pays; zero while anybody may
    /// @param evidence SHA-256 of what the attestor has seen
    /// @param cancelAskedBy The party that wants to end it
    /// @param revision Acts so far; whoever acts says which he has seen
    struct Deal {
        bytes32 number;
        bytes32 seller;
        bytes32 buyer;
        bytes32 sellerBank;
        bytes32 buyerBank;
        bytes32 terms;
        bytes32 evidence;
        bytes32 cancelAskedBy;
        uint128 amount;
        bytes3 currency;
        IConsortium.Role role;
        uint8 state;
        uint48 expires;
        uint64 revision;
        Condition condition;
        Leg[] legs;
    }

    /// @notice An act, with the deal as it is afterwards.
    /// @param detail Evidence or decision; or zero
    event DealActed(
        bytes32 indexed id, bytes32 indexed by, uint8 indexed act, Deal deal, bytes32 detail, string remark
    );

    error UnknownDeal(bytes32 id);
    error StaleDeal(bytes32 id, uint64 revision, uint64 actual);
    error DealState(bytes32 id, uint8 act, uint8 state);
    error DealNotEntitled(bytes32 id, uint8 act, bytes32 organisation);
    error NotInstrument(address place);
    /// @notice 1 to 16 instruments in an offer, and a revision for each.
    error WrongLegs(uint256 count);
    /// @notice Terms that contradict themselves, or a time that is past or more than ten years away.
    error InvalidDeal();
    /// @notice An attestor names what he has seen.
    error NoEvidence();
    /// @notice With a condition money is set aside (`commit`), without one it is paid (`accept`).
    error WrongCondition(bytes32 id, ConditionKind kind);
    error TooEarly(bytes32 id, uint48 until);
    error TooLate(bytes32 id, uint48 until);
    error AskTheOther(bytes32 id, bytes32 askedBy);
    /// @notice Who is paid once the condition is met does not say that it is.
    error InvalidAttestor(bytes32 attestor);
    /// @notice The instruments are what the buyer has bound himself to, and would go to him.
    error AsAgreed(bytes32 id);
    /// @notice The instruments would go to the buyer: so a trial ends, of which nothing stays.
    error Rehearsed(bytes32 id);

    /// @notice Promise instruments against a payment: they are locked. Their holder.
    function offer(Draft calldata draft, Leg[] calldata legs, string calldata remark) external returns (bytes32 id);

    /// @notice Pay and take, in one transaction. A buyer.
    /// @param revisions Of the instruments, as the buyer has seen them
    function accept(
        bytes32 id,
        uint64 revision,
        bytes32 buyerBank,
        uint64[] calldata revisions,
        string calldata remark
    ) external;

    /// @notice Set the money aside until the condition is met. A buyer.
    function commit(
        bytes32 id,
        uint64 revision,
        bytes32 buyerBank,
        uint64[] calldata revisions,
        string calldata remark
    ) external;

    /// @notice Set money aside for a payee under a condition, without instruments. The payer.
    function setAside(Draft calldata draft, string calldata remark) external returns (bytes32 id);

    /// @notice The named buyer does not want it.
    function decline(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Take an offer back. The seller.
    function withdraw(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice End an offer that has expired. Anybody.
    function expire(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice The condition is met: pays at once where that is possible, and otherwise by `execute`. The attestor.
    function attest(bytes32 id, uint64 revision, bytes32 evidence, string calldata remark) external;

    /// @notice The condition is not met: all goes back. The attestor.
    function deny(bytes32 id, uint64 revision, bytes32 evidence, string calldata remark) external;

    /// @notice Pay what is due: the condition is met, or the date has come. Refused where an instrument is not
    /// what the buyer has bound himself to. Anybody.
    function execute(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice The deadline has passed without an attestation; or, a week after the date or the attestation,
    /// an instrument still is not what the buyer has bound himself to, or would not go to him: all goes back.
    /// Anybody.
    function giveBack(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Want to end a deal under way. Buyer or seller.
    function askCancel(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Agree to end it: all goes back. The other one.
    function agreeCancel(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Bind oneself to the instruments as they have become since; what is due is paid at once where
    /// that is possible. The buyer.
    /// @param revisions Of the instruments, as the buyer has seen them
    function affirm(bytes32 id, uint64 revision, uint64[] calldata revisions, string calldata remark) external;

    /// @notice An instrument is not what one has bound oneself to, or would not go to oneself now: all goes
    /// back. The buyer.
    function rescind(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice End a deal by decision: all goes back. Arbitrators and regulators.
    function quash(bytes32 id, uint64 revision, bytes32 decision, string calldata remark) external;

    /// @notice What `attest` calls of its own contract; nobody else may.
    function proceed(bytes32 id, bytes32 by) external;

    /// @notice What `offer` and `commit` try on their own contract, to learn what the instruments say to the
    /// buyer: always reverts, with `Rehearsed` where they say nothing against it. Nobody else may.
    function rehearse(bytes32 id) external;

    function deal(bytes32 id) external view returns (Deal memory);
}
