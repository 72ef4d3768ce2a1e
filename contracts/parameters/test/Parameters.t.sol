// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAuthorised} from "../../governance/interfaces/IAuthorised.sol";
import {GovernanceScene} from "../../governance/test/GovernanceScene.sol";
import {IParameters} from "../interfaces/IParameters.sol";

contract ParametersTest is GovernanceScene {
    bytes32 private constant GAS = "blockGasLimit";

    function setUp() public {
        _found(1);
    }

    function _set(bytes32 name, uint256 value) private {
        vm.prank(address(GOVERNANCE));
        PARAMETERS.set(name, value);
    }

    function testFuzz_values_lie_within_their_bounds(uint256 which, uint256 value) public {
        bytes32[] memory names = PARAMETERS.names();
        bytes32 name = names[which % names.length];
        (uint256 low, uint256 high) = PARAMETERS.bounds(name);
        if (which % 3 != 0) value = _within(value, low > 10 ? low - 10 : 0, high + 10);
        vm.assume(value != 0);
        bool valid = value >= low && value <= high;
        if (valid) {
            vm.expectEmit(true, true, true, true, address(PARAMETERS));
            emit IParameters.ParameterChanged(name, address(GOVERNANCE), 0, value);
        } else {
            vm.expectRevert(abi.encodeWithSelector(IParameters.OutOfBounds.selector, name, value, low, high));
        }
        _set(name, value);
        vm.assertEq(PARAMETERS.value(name), valid ? value : 0, "value");
        bytes32 slot = keccak256(abi.encode(name, uint256(0)));
        vm.assertEq(uint256(vm.load(address(PARAMETERS), slot)), valid ? value : 0, "as nodes read it");
    }

    function test_zero_is_the_value_of_genesis() public {
        _set(GAS, 30_000_000);
        _set(GAS, 0);
        vm.assertEq(PARAMETERS.value(GAS), 0, "back");
        vm.expectRevert(abi.encodeWithSelector(IParameters.Unchanged.selector));
        _set(GAS, 0);
    }

    function test_unknown_names_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IParameters.UnknownParameter.selector, bytes32("chainId")));
        _set("chainId", 1);
    }

    function test_only_the_authority_sets(address caller) public {
        vm.assume(caller != address(GOVERNANCE));
        vm.expectRevert(abi.encodeWithSelector(IAuthorised.NotAuthority.selector, caller));
        vm.prank(caller);
        PARAMETERS.set(GAS, 30_000_000);
    }
}
