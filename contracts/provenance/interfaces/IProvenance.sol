// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";

/// @title Batches of event ids, anchored as Merkle roots
/// @notice Formats of root and payload: docs/proof-format.md, section 2.
interface IProvenance {
    /// @notice Public: the payload is readable by all. Consortium: encrypted to members, or held
    /// elsewhere. Confidential: the ledger holds the commitment alone.
    enum Visibility {
        Public,
        Consortium,
        Confidential
    }

    /// @notice What the ledger remembers of a batch: one storage slot.
    /// @param submitter The account or device that anchored; zero where there is no such batch
    /// @param time Block time in seconds since 1970
    /// @param count Events in the batch, 1 to 10,000
    struct Batch {
        address submitter;
        uint48 time;
        uint32 count;
        Visibility visibility;
    }

    event BatchAnchored(
        bytes32 indexed root,
        bytes32 indexed organisation,
        address indexed submitter,
        uint32 count,
        uint8 visibility
    );

    error ZeroRoot();
    /// @notice A batch has 1 to 10,000 events.
    error CountOutOfRange(uint32 count);
    error UnknownVisibility(uint8 visibility);
    /// @notice A public batch carries its events.
    error PayloadMissing();
    /// @notice A confidential batch carries nothing.
    error PayloadNotAllowed();
    /// @notice The organisation has anchored this root before.
    error AlreadyAnchored(bytes32 organisation, bytes32 root);
    /// @notice The caller is not an active account or device of an active organisation.
    error CallerNotActive(address caller);
    /// @notice Manufacturers, warehouses, carriers, retailers and operators capture events.
    error RoleMayNotCapture(IConsortium.Role role);

    /// @notice Anchor a batch in the name of the caller's organisation.
    /// @param root Root of the RFC 6962 tree over the batch's leaves
    /// @param count Number of events
    /// @param visibility 0 public, 1 consortium, 2 confidential
    /// @param payload The events; needed where public, refused where confidential. It is not stored:
    /// the transaction itself keeps it on every node.
    function anchor(bytes32 root, uint32 count, uint8 visibility, bytes calldata payload) external;

    /// @notice The batch that an organisation anchored under a root; all zero where there is none.
    function batch(bytes32 organisation, bytes32 root) external view returns (Batch memory);

    /// @notice Whether organisations of this role may anchor batches.
    function mayCapture(IConsortium.Role role) external pure returns (bool);

    /// @notice The register of members that gates this contract.
    function consortium() external view returns (IConsortium);
}
