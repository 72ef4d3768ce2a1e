// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Security rights in instruments
/// @notice At most one live pledge for an instrument, and none without the pledgee's consent. A pledge
/// covers the instrument it was made for and whatever comes out of it.
interface IPledges {
    enum State {
        None,
        Proposed,
        Active,
        Defaulted,
        Released,
        Enforced,
        Declined,
        Withdrawn,
        /// @notice Ended by the decision of an authority.
        Annulled
    }

    /// @param amount Secured, in hundredths of the currency
    /// @param currency ISO 4217 code: three capital letters
    /// @param due When the secured debt is to be paid
    /// @param noticeSeconds From default to enforcement
    /// @param terms SHA-256 of the agreement
    struct Terms {
        uint128 amount;
        bytes3 currency;
        uint48 due;
        uint32 noticeSeconds;
        bytes32 terms;
    }

    /// @param assets How many live instruments it covers
    /// @param since When the state began
    /// @param loan The loan that it secures, where Financing made it; else zero
    struct Pledge {
        address instrument;
        bytes32 id;
        uint64 instrumentRevision;
        bytes32 pledgor;
        bytes32 pledgee;
        Terms terms;
        State state;
        uint32 assets;
        uint48 since;
        bytes32 loan;
    }

    /// @notice The pledge as it is after the act.
    event PledgeChanged(bytes32 indexed key, bytes32 indexed by, State indexed state, Pledge content, string remark);
    /// @notice An authority has freed these instruments; `decision` is the SHA-256 of the decision's document.
    event PledgeAnnulled(bytes32 indexed key, bytes32 indexed by, bytes32 indexed decision, bytes32[] ids);
    event AssetCovered(bytes32 indexed key, address indexed instrument, bytes32 indexed id);
    event AssetFreed(bytes32 indexed key, address indexed instrument, bytes32 indexed id, bytes32 to);

    error CallerNotActive(address caller);
    error NotInstrument(address place);
    error NotBank(bytes32 organisation);
    error UnknownPledge(bytes32 key);
    error PledgeExists(bytes32 key);
    error NotParty(bytes32 key, bytes32 organisation);
    error WrongState(bytes32 key, State state);
    error InvalidTerms();
    /// @notice Somebody else's live pledge covers the instrument.
    error AlreadyPledged(address instrument, bytes32 id, bytes32 pledgee);
    /// @notice The authority has not frozen the instrument that its decision is about.
    error NotFrozen(bytes32 id, bytes32 authority);
    /// @notice A decision is named: an authority says by which one it acts.
    error DecisionMissing();
    error NotCovered(bytes32 key, bytes32 id);
    /// @notice The debt is not due, or the time of notice is not over.
    error TooEarly(bytes32 key, uint48 until);
    error RemarkTooLong(uint256 length);

    /// @notice Offer an instrument as security. Its holder (and owner); the pledgee is a bank.
    /// @param revision Of the instrument: the consent is void once it has changed
    function propose(
        address instrument,
        bytes32 id,
        uint64 revision,
        bytes32 pledgee,
        Terms calldata terms,
        string calldata remark
    ) external returns (bytes32 key);

    /// @notice Consent: from now on the instrument is pledged. The pledgee, before the debt is due.
    function accept(bytes32 key, string calldata remark) external;

    /// @notice Refuse a proposal; the same may be proposed again. The pledgee.
    function decline(bytes32 key, string calldata remark) external;

    /// @notice Take a proposal back. The pledgor.
    function withdraw(bytes32 key, string calldata remark) external;

    /// @notice Free some of the covered instruments; all: the pledge ends. The pledgee.
    function release(bytes32 key, bytes32[] calldata ids, string calldata remark) external;

    /// @notice The debt was due and not paid: the time of notice begins. The pledgee.
    function declareDefault(bytes32 key, string calldata remark) external;

    /// @notice The debt was paid after all. The pledgee.
    function cure(bytes32 key, string calldata remark) external;

    /// @notice After the time of notice: take the covered instruments, for oneself or a buyer. The pledgee.
    function enforce(bytes32 key, bytes32[] calldata ids, bytes32 to, string calldata remark) external;

    /// @notice The decision of an arbitrator or regulator that some of the covered instruments, or all, are
    /// free: what a pledgee does not or can no longer release. The authority that has frozen them.
    function annul(bytes32 key, bytes32[] calldata ids, bytes32 decision, string calldata remark) external;

    /// @notice Pledge and secured payment in one step. Financing, for pledgor and pledgee who have agreed.
    function secure(
        address instrument,
        bytes32 id,
        uint64 revision,
        bytes32 pledgor,
        bytes32 pledgee,
        Terms calldata terms,
        bytes32 loan
    ) external returns (bytes32 key);

    /// @notice What the pledge secured was paid: free some of the covered instruments, or all. The version of
    /// Financing that made it.
    function discharge(bytes32 key, bytes32[] calldata ids) external;

    /// @notice An instrument that was pledged goes on as others (split, replaced): the pledge covers them.
    /// An instrument, about its own, in the same transaction.
    function succeeded(bytes32 id, bytes32[] calldata successors) external;

    function pledge(bytes32 key) external view returns (Pledge memory);

    /// @notice The live pledge that covers an instrument, zero where none.
    function pledgeOf(address instrument, bytes32 id) external view returns (bytes32);
}
