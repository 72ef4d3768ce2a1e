// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {IInstrument} from "../instruments/interfaces/IInstrument.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {Rooms} from "./bases/Rooms.sol";
import {IClaims} from "./interfaces/IClaims.sol";

/// @title Claims
/// @notice One live instrument for the same goods or the same debt.
contract Claims is IClaims, Rooms {
    uint256 private constant REMARK_BYTES_MAX = 256;
    uint256 private constant PARTS_MAX = 16;

    mapping(bytes32 key => Claim) private _claims;

    modifier onlyInstrument() {
        if (!Places.isInstrument(msg.sender)) revert NotInstrument(msg.sender);
        _;
    }

    /// @inheritdoc IClaims
    function claim(bytes32 id, bytes32[] calldata keys) external onlyInstrument {
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes32 key = keys[i];
            _checkFree(key);
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

    // ---- by a decision --------------------------------------------------------------------------

    /// @inheritdoc IClaims
    function annul(bytes32 key, bytes32 decision, string calldata remark) external {
        bytes32 by = _authority();
        if (decision == 0) revert DecisionMissing();
        if (bytes(remark).length > REMARK_BYTES_MAX) revert RemarkTooLong(bytes(remark).length);
        Claim memory known = _claims[key];
        if (known.instrument == address(0)) revert NotClaimed(key, 0);
        _checkEnded(key, IInstrument(known.instrument), known.id);
        delete _claims[key];
        emit Released(key, known.instrument, known.id);
        emit Annulled(key, by, decision, remark);
    }

    function _authority() private view returns (bytes32 organisation) {
        organisation = Places.CONSORTIUM.administers(msg.sender);
        IConsortium.Role role = Places.CONSORTIUM.roleOf(msg.sender);
        if (organisation == 0) revert CallerNotActive(msg.sender);
        bool decides = role == IConsortium.Role.Regulator || role == IConsortium.Role.Arbitrator;
        if (!decides) revert NotAuthority(organisation);
    }

    /// @dev What was split goes on in its parts, numbered from 1, which may be split again.
    // slither-disable-next-line calls-loop
    function _checkEnded(bytes32 key, IInstrument instrument, bytes32 id) private view {
        if (instrument.isLive(id)) revert StillLive(key, id);
        for (uint256 i = 1; i <= PARTS_MAX; ++i) {
            bytes32 part = keccak256(abi.encode(id, i));
            if (instrument.control(part).revision == 0) return;
            _checkEnded(key, instrument, part);
        }
    }

    // ---- reading --------------------------------------------------------------------------------

    /// @inheritdoc IClaims
    function checkFree(bytes32[] calldata keys) external view {
        for (uint256 i = 0; i < keys.length; ++i) {
            _checkFree(keys[i]);
            for (uint256 j = 0; j < i; ++j) {
                if (keys[i] == keys[j]) revert AlreadyClaimed(keys[i], msg.sender, 0);
            }
        }
    }

    /// @inheritdoc IClaims
    function claimOf(bytes32 key) external view returns (Claim memory) {
        return _claims[key];
    }

    function _checkFree(bytes32 key) private view {
        if (key == 0) revert ZeroKey();
        Claim storage known = _claims[key];
        if (known.instrument != address(0)) revert AlreadyClaimed(key, known.instrument, known.id);
    }

    function _checkClaimed(bytes32 id, bytes32 key) private view {
        Claim storage known = _claims[key];
        if (known.instrument != msg.sender || known.id != id) revert NotClaimed(key, id);
    }
}
