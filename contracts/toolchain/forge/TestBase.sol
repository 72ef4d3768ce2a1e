// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @notice The few cheat codes of Forge that our tests use.
interface Vm {
    function addr(uint256 key) external pure returns (address);
    function assertEq(uint256 left, uint256 right, string calldata what) external pure;
    function assertEq(bytes32 left, bytes32 right, string calldata what) external pure;
    function assertEq(address left, address right, string calldata what) external pure;
    function assertEq(string calldata left, string calldata right, string calldata what) external pure;
    function assertTrue(bool condition, string calldata what) external pure;
    function assertFalse(bool condition, string calldata what) external pure;
    function assume(bool condition) external pure;
    function etch(address where, bytes calldata code) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectRevert() external;
    function load(address subject, bytes32 slot) external view returns (bytes32);
    function prank(address sender) external;
    function roll(uint256 number) external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function store(address subject, bytes32 slot, bytes32 word) external;
    function warp(uint256 timestamp) external;
}

/// @title Base of Forge tests
/// @notice Forge runs every function whose name begins with `test` or `invariant`.
abstract contract TestBase {
    /// @notice Which functions of a contract an invariant run calls.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev A number within `[low, high]`, made of any number.
    function _within(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + x % (high - low + 1);
    }
}
