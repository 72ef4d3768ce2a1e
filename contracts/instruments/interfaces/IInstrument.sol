// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What every instrument is to others: something one organisation controls
/// @notice Control, freezing, pledging and settlement are the same for receipts and receivables. Who may do
/// what in which state stands in the instrument's table (`machine.toml`).
interface IInstrument {
    /// @param holder Who controls it (MLETR article 11); zero where the id is unknown
    /// @param pledgee Who has a security right in it; zero where nobody has
    /// @param permit keccak-256 of the one call that the pledgee allows
    /// @param revision Acts so far; whoever acts says which he has seen
    /// @param freezes How many authorities hold it frozen
    /// @param locked Promised in a settlement that is under way
    struct Control {
        bytes32 holder;
        bytes32 pledgee;
        bytes32 permit;
        uint64 revision;
        uint8 state;
        uint8 freezes;
        bool locked;
    }

    /// @notice The caller is not an active account of an active organisation.
    error CallerNotActive(address caller);
    error UnknownInstrument(bytes32 id);
    error InstrumentExists(bytes32 id);
    /// @notice It has changed since the caller looked.
    error StaleRevision(bytes32 id, uint64 revision, uint64 actual);
    /// @notice The act is not possible in this state.
    error WrongState(bytes32 id, uint8 act, uint8 state);
    /// @notice The act is not the caller's to do.
    error NotEntitled(bytes32 id, uint8 act, bytes32 organisation);
    /// @notice An arbitrator or a regulator has frozen it.
    error InstrumentFrozen(bytes32 id);
    /// @notice It is pledged, and its pledgee has not permitted this very call.
    error InstrumentPledged(bytes32 id, bytes32 pledgee);
    /// @notice It is promised in a settlement that is under way.
    error InstrumentLocked(bytes32 id);
    /// @notice The calling settlement has not locked it.
    error NotLocked(bytes32 id);
    /// @notice This authority has frozen it already, or has not.
    error FreezeUnchanged(bytes32 id, bytes32 authority);
    error TooManyFreezes(bytes32 id);
    /// @notice A decision is named: an authority says by which one it acts.
    error DecisionMissing();
    /// @notice The organisation is unknown or not active.
    error PartyNotActive(bytes32 organisation);
    error RemarkTooLong(uint256 length);

    /// @notice Everything but reading and what the authority allows stops. Arbitrators and regulators.
    /// @param decision SHA-256 of the decision's document
    function freeze(bytes32 id, uint64 revision, bytes32 decision, string calldata remark) external;

    /// @notice Take back one's own freeze, or that of an organisation which is active no longer, or
    /// no authority any more.
    function unfreeze(bytes32 id, uint64 revision, bytes32 authority, bytes32 decision, string calldata remark)
        external;

    /// @notice Give it to the organisation that a decision names. The authority that has frozen it.
    function award(bytes32 id, uint64 revision, bytes32 to, bytes32 decision, string calldata remark) external;

    /// @notice Let one call be made although it is pledged: `call` is keccak-256 of its calldata, whose
    /// revision is that after this act. The pledgee.
    function permit(bytes32 id, uint64 revision, bytes32 call, string calldata remark) external;

    /// @notice A security right begins. Pledges, for the holder `by`.
    function encumber(bytes32 id, uint64 revision, bytes32 by, bytes32 pledgee) external;

    /// @notice A security right ends; also while frozen, since whoever pays is owed the release. Pledges, for
    /// the pledgee.
    function disencumber(bytes32 id, bytes32 pledgee) external;

    /// @notice Enforcement: the instrument, free of the pledge, goes to `to`. Pledges, for the pledgee.
    function seize(bytes32 id, bytes32 pledgee, bytes32 to) external;

    /// @notice Promise it. Settlement, for the holder `by`.
    function lock(bytes32 id, uint64 revision, bytes32 by) external;

    /// @notice Take the promise back. The settlement that has locked it.
    function unlock(bytes32 id) external;

    /// @notice Hand it over against payment. Settlement, where another one has not locked it; `from` is the
    /// holder.
    function settle(bytes32 id, uint64 revision, bytes32 from, bytes32 to) external;

    /// @notice Who controls it, and what stands in the way of disposing of it.
    function control(bytes32 id) external view returns (Control memory);

    /// @notice Whether it still stands for goods or a debt (the states in which it can be frozen); of a debt: it, or
    /// anything else that it and the record it is a part of were split into. Parts are records of their own,
    /// keccak-256 of its id and their number.
    function isLive(bytes32 id) external view returns (bool);

    /// @notice Whether this authority holds it frozen.
    function isFrozenBy(bytes32 id, bytes32 authority) external view returns (bool);
}
