// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Places} from "../instruments/libraries/Places.sol";
import {IClaims} from "./interfaces/IClaims.sol";

/// @title Claims
/// @notice One live instrument for the same goods or the same debt.
contract Claims is IClaims {
    mapping(bytes32 key => Claim) private _claims;

    modifier onlyInstrument() {
        if (!Places.isInstrument(msg.sender)) revert NotInstrument(msg.sender);
        _;
    }

    /// @inheritdoc IClaims
    function claim(bytes32 id, bytes32[] calldata keys) external onlyInstrument {
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes32 key = keys[i];
            if (key == 0) revert ZeroKey();
            Claim storage known = _claims[key];
            if (known.instrument != address(0)) revert AlreadyClaimed(key, known.instrument, known.id);
            _claims[key] = Claim({instrument: msg.sender, id: id});
            emit Claimed(key, msg.sender, id);
        }
    }

    /// @inheritdoc IClaims
    function release(bytes32 id, bytes32[] calldata keys) external onlyInstrument {
        for (uint256 i = 0; i < keys.length; ++i) {
            _checkClaimed(id, keys[i]);
            // slither-disable-next-line costly-loop
            delete _claims[keys[i]];
            emit Released(keys[i], msg.sender, id);
        }
    }

    /// @inheritdoc IClaims
    function move(bytes32 from, bytes32 to, bytes32[] calldata keys) external onlyInstrument {
        for (uint256 i = 0; i < keys.length; ++i) {
            _checkClaimed(from, keys[i]);
            _claims[keys[i]].id = to;
            emit Released(keys[i], msg.sender, from);
            emit Claimed(keys[i], msg.sender, to);
        }
    }

    /// @inheritdoc IClaims
    function claimOf(bytes32 key) external view returns (Claim memory) {
        return _claims[key];
    }

    function _checkClaimed(bytes32 id, bytes32 key) private view {
        Claim storage known = _claims[key];
        if (known.instrument != msg.sender || known.id != id) revert NotClaimed(key, id);
    }
}
