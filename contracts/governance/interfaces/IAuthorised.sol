// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title A contract that one address may change on behalf of all members
/// @notice Governance calls only contracts that name it here.
interface IAuthorised {
    /// @notice Only the authority may do this.
    error NotAuthority(address caller);

    /// @notice Who may; fixed when the contract is made.
    function authority() external view returns (address);
}
