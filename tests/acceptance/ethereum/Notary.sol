// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A small contract that exercises what Ethereum clients do: construct, write, read, emit, revert.
contract Notary {
    event Noted(address indexed by, bytes32 indexed key, string text, uint256 count);
    error TooLong(uint256 length, uint256 max);

    uint256 public constant LENGTH_MAX = 64;
    string public title;
    uint256 public count;
    mapping(bytes32 key => string text) public notes;

    constructor(string memory title_) {
        title = title_;
    }

    function note(bytes32 key, string calldata text) external returns (uint256) {
        uint256 length = bytes(text).length;
        if (length > LENGTH_MAX) revert TooLong(length, LENGTH_MAX);
        require(length > 0, "nothing to note");
        notes[key] = text;
        count += 1;
        emit Noted(msg.sender, key, text, count);
        return count;
    }

    function put(uint256 slot, uint256 value) external {
        assembly ("memory-safe") {
            sstore(add(slot, 0x100000000), value)
        }
        emit Noted(msg.sender, bytes32(slot), "", value);
    }
}
