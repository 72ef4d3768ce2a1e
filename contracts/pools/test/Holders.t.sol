// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {PoolScene} from "./PoolScene.sol";

/// @notice The trader spreads his third of the senior tranche as he likes; the mill has the rest.
contract HoldersTest is PoolScene {
    uint256 private constant CROWD = 30;
    uint256 private constant HOLDERS_MAX = 24;
    bytes32 private constant NEWCOMER = "newcomer";
    bytes32[] private crowd;
    bytes32 private _id;

    function setUp() public {
        _foundPools();
        _id = _pool("CAR-1");
        for (uint256 i = 0; i < CROWD; ++i) {
            crowd.push(bytes32(abi.encodePacked("fund-", bytes1(uint8(97 + i / 10)), bytes1(uint8(48 + i % 10)))));
            _join(crowd[i], IConsortium.Role.Bank);
        }
        crowd.push(TRADER);
        _join(NEWCOMER, IConsortium.Role.Bank);
    }

    function _try(bytes32 from, bytes32 to, uint128 units) private returns (bool ok) {
        _as(from);
        try BOOK.assign(_id, 0, to, units) {
            ok = true;
        } catch {}
    }

    function testFuzz_nobodyTakesThePlaceOfWhoSellsASixteenth(uint256 seed) public {
        uint128 least = SENIOR / 16;
        for (uint256 i = 0; i < 60; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            // From one unit to several parts, and often the least that is possible.
            uint128 units = i % 2 == 0 ? least : uint128(_within(seed >> 64, 1, 2 * least));
            _try(crowd[seed % crowd.length], crowd[(seed >> 32) % crowd.length], units);
        }
        (bytes32[] memory holders, uint256[] memory units_) = BOOK.holdersOf(_id, 0);
        vm.assertTrue(holders.length <= HOLDERS_MAX, "so many are paid at once");
        uint256 sum = 0;
        for (uint256 i = 0; i < units_.length; ++i) {
            sum += units_[i];
            vm.assertTrue(units_[i] >= least, "none is small, as none was");
        }
        vm.assertEq(sum, SENIOR, "nothing is lost");
        vm.assertTrue(_try(MILL, NEWCOMER, least), "the mill sells a part to somebody new");
        (, units_) = BOOK.holdersOf(_id, 1);
        vm.assertEq(units_.length, 1, "of the other tranche nothing has moved");
    }
}
