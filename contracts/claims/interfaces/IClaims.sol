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

    /// @notice The caller is no version of an instrument.
    error NotInstrument(address caller);
    /// @notice The same goods or the same invoice stand behind a live instrument already.
    error AlreadyClaimed(bytes32 key, address instrument, bytes32 id);
    /// @notice The key is not claimed by this instrument of the caller.
    error NotClaimed(bytes32 key, bytes32 id);
    /// @notice The zero key is nobody's.
    error ZeroKey();

    /// @notice Claim all keys for an instrument of the caller, or none.
    function claim(bytes32 id, bytes32[] calldata keys) external;

    /// @notice Give up keys that an instrument of the caller has.
    function release(bytes32 id, bytes32[] calldata keys) external;

    /// @notice Hand keys from one instrument of the caller to another.
    function move(bytes32 from, bytes32 to, bytes32[] calldata keys) external;

    /// @notice Who has the key; zeros where nobody has.
    function claimOf(bytes32 key) external view returns (Claim memory);
}
