// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {IProvenance} from "./interfaces/IProvenance.sol";

/// @title Provenance
/// @notice Anchors batches of event ids. A root of one organisation is anchored once; another
/// organisation may anchor the same root, since that is its own statement.
contract Provenance is IProvenance {
    uint32 private constant COUNT_MAX = 10_000;

    /// @inheritdoc IProvenance
    IConsortium public immutable consortium;

    mapping(bytes32 organisation => mapping(bytes32 root => Batch)) private _batches;

    constructor(IConsortium members) {
        consortium = members;
    }

    /// @inheritdoc IProvenance
    function anchor(bytes32 root, uint32 count, uint8 visibility, bytes calldata payload) external {
        if (root == bytes32(0)) revert ZeroRoot();
        if (count == 0 || count > COUNT_MAX) revert CountOutOfRange(count);
        _checkPayload(visibility, payload.length);
        bytes32 organisation = _capturer();
        Batch storage entry = _batches[organisation][root];
        if (entry.submitter != address(0)) revert AlreadyAnchored(organisation, root);
        _batches[organisation][root] = Batch({
            submitter: msg.sender,
            time: uint48(block.timestamp),
            count: count,
            visibility: Visibility(visibility)
        });
        emit BatchAnchored(root, organisation, msg.sender, count, visibility);
    }

    /// @inheritdoc IProvenance
    function batch(bytes32 organisation, bytes32 root) external view returns (Batch memory) {
        return _batches[organisation][root];
    }

    /// @inheritdoc IProvenance
    function mayCapture(IConsortium.Role role) public pure returns (bool) {
        return role == IConsortium.Role.Manufacturer || role == IConsortium.Role.Warehouse
            || role == IConsortium.Role.Carrier || role == IConsortium.Role.Retailer
            || role == IConsortium.Role.Operator;
    }

    function _checkPayload(uint8 visibility, uint256 length) private pure {
        if (visibility > uint8(type(Visibility).max)) revert UnknownVisibility(visibility);
        if (visibility == uint8(Visibility.Public) && length == 0) revert PayloadMissing();
        if (visibility == uint8(Visibility.Confidential) && length != 0) revert PayloadNotAllowed();
    }

    /// @dev Organisation of the caller, who must be active in a role that captures.
    function _capturer() private view returns (bytes32) {
        (bytes32 organisation, IConsortium.Role role, bool active) = consortium.standing(msg.sender);
        if (!active) revert CallerNotActive(msg.sender);
        if (!mayCapture(role)) revert RoleMayNotCapture(role);
        return organisation;
    }
}
