// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Inclusion in a Merkle tree of RFC 6962
/// @notice SHA-256 with a byte before leaves (0) and inner nodes (1); the algorithm is that of RFC 9162,
/// section 2.1.3.2.
library LeafTree {
    function leafHash(bytes memory data) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"00", data));
    }

    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"01", left, right));
    }

    /// @notice Whether `path` leads from the leaf hash at `index` of a tree of `size` to `root`.
    function includes(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path, bytes32 root)
        internal
        pure
        returns (bool)
    {
        if (index >= size) return false;
        uint256 last = size - 1;
        bytes32 found = leaf;
        for (uint256 i = 0; i < path.length; ++i) {
            if (last == 0) return false; // the path is too long
            if (index & 1 == 1 || index == last) {
                found = nodeHash(path[i], found);
                while (index & 1 == 0 && index != 0) {
                    index >>= 1;
                    last >>= 1;
                }
            } else {
                found = nodeHash(found, path[i]);
            }
            index >>= 1;
            last >>= 1;
        }
        return last == 0 && found == root;
    }
}
