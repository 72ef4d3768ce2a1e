// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthorised} from "../governance/interfaces/IAuthorised.sol";
import {IParameters} from "./interfaces/IParameters.sol";

/// @title Parameters
/// @notice Named values within bounds. The bounds are such that no value stops the chain: a block always has
/// room for any proposal and its execution.
/// @dev `_values` is read by nodes and written by genesis: it stays at slot 0.
contract Parameters is IParameters {
    bytes32 private constant BLOCK_GAS_LIMIT = "blockGasLimit";
    bytes32 private constant BLOCK_SIZE_BYTES_MAX = "blockSizeBytesMax";
    bytes32 private constant TRANSACTION_SIZE_BYTES_MAX = "transactionSizeBytesMax";
    bytes32 private constant WITNESS_THRESHOLD = "witnessThreshold";

    /// @inheritdoc IAuthorised
    address public immutable authority;

    mapping(bytes32 name => uint256) private _values;

    constructor(address governance) {
        if (governance == address(0)) revert NotAuthority(governance);
        authority = governance;
    }

    /// @inheritdoc IParameters
    function set(bytes32 name, uint256 next) external {
        if (msg.sender != authority) revert NotAuthority(msg.sender);
        (uint256 low, uint256 high) = bounds(name);
        if (next != 0 && (next < low || next > high)) revert OutOfBounds(name, next, low, high);
        uint256 former = _values[name];
        if (next == former) revert Unchanged();
        _values[name] = next;
        emit ParameterChanged(name, msg.sender, former, next);
    }

    /// @inheritdoc IParameters
    function value(bytes32 name) external view returns (uint256) {
        return _values[name];
    }

    /// @inheritdoc IParameters
    function names() external pure returns (bytes32[] memory all) {
        all = new bytes32[](4);
        (all[0], all[1], all[2], all[3]) =
            (BLOCK_GAS_LIMIT, BLOCK_SIZE_BYTES_MAX, TRANSACTION_SIZE_BYTES_MAX, WITNESS_THRESHOLD);
    }

    /// @inheritdoc IParameters
    function bounds(bytes32 name) public pure returns (uint256 low, uint256 high) {
        if (name == BLOCK_GAS_LIMIT) return (20_000_000, 150_000_000);
        if (name == BLOCK_SIZE_BYTES_MAX) return (131_072, 16_777_216);
        if (name == TRANSACTION_SIZE_BYTES_MAX) return (131_072, 16_777_216);
        if (name == WITNESS_THRESHOLD) return (1, 128);
        revert UnknownParameter(name);
    }
}
