// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What may stand behind one live instrument only
/// @notice A key is a hash: of an item's identifier, of an invoice, or a fingerprint that shows neither
/// (docs/finance.md, "Claims"). The first who claims it has it until it is released, across all
/// versions of all instruments.
interface IClaims {
    struct Claim {
        address instrument;
        bytes32 id;
    }

    event Claimed(bytes32 indexed key, address indexed instrument, bytes32 indexed id);
    event Released(bytes32 indexed key, address indexed instrument, bytes32 indexed id);
    /// @notice By which decision a key was taken from a record that has ended.
    event Annulled(bytes32 indexed key, bytes32 indexed by, bytes32 decision, string remark);

    /// @notice The caller is no version of an instrument.
    error NotInstrument(address caller);
    /// @notice The same goods or the same invoice stand behind a live instrument already.
    error AlreadyClaimed(bytes32 key, address instrument, bytes32 id);
    /// @notice The key is not claimed by this instrument of the caller.
    error NotClaimed(bytes32 key, bytes32 id);
    /// @notice The zero key is nobody's.
    error ZeroKey();
    /// @notice The caller is not an active account of an active organisation.
    error CallerNotActive(address caller);
    /// @notice Claims are annulled by arbitrators and regulators.
    error NotAuthority(bytes32 organisation);
    /// @notice A decision is named: an authority says by which one it acts.
    error DecisionMissing();
    /// @notice The record, or a part of it, still stands for the goods or the debt.
    error StillLive(bytes32 key, bytes32 id);
    error RemarkTooLong(uint256 length);

    /// @notice Claim all keys for an instrument of the caller, or none.
    function claim(bytes32 id, bytes32[] calldata keys) external;

    /// @notice Give up keys that an instrument of the caller has.
    function release(bytes32 id, bytes32[] calldata keys) external;

    /// @notice Hand keys from one instrument of the caller to another.
    function move(bytes32 from, bytes32 to, bytes32[] calldata keys) external;

    /// @notice Keep invoices for an order of the caller that is not delivered yet: its holder, creditor or pledgee has
    /// named them, and nobody else agreed. They stand in the way of other records between the same two, and of
    /// nobody else's. Told as a claim of keccak-256 of (creditor, debtor, key). What the record has stays as it is.
    function reserve(bytes32 id, bytes32 creditor, bytes32 debtor, bytes32[] calldata keys) external;

    /// @notice Claim as `claim` does, where no other record between the same two keeps a key.
    function claimBetween(bytes32 id, bytes32 creditor, bytes32 debtor, bytes32[] calldata keys) external;

    /// @notice What the record keeps, it claims from now on. What others have claimed meanwhile stays theirs.
    function confirm(bytes32 id, bytes32 creditor, bytes32 debtor, bytes32[] calldata keys) external;

    /// @notice Give up whatever the record has or keeps of these keys.
    function abandon(bytes32 id, bytes32 creditor, bytes32 debtor, bytes32[] calldata keys) external;

    /// @notice Take a key from a record that has ended, all its parts as well, so that it can be claimed again:
    /// for whoever's invoice or goods others have claimed. What is only kept (`reserve`), at any time. Arbitrators
    /// and regulators.
    /// @param decision SHA-256 of the decision's document
    function annul(bytes32 key, bytes32 decision, string calldata remark) external;

    /// @notice Reverts as `claimBetween` would: where a key is claimed, kept by another record, zero, or named twice.
    function checkFree(bytes32 creditor, bytes32 debtor, bytes32[] calldata keys) external view;

    /// @notice Who has the key; zeros where nobody has.
    function claimOf(bytes32 key) external view returns (Claim memory);
}
