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

    /// @dev `reserved`: kept between two parties, under a key of theirs (`_between`), by one's word alone.
    struct Held {
        address instrument;
        bool reserved;
        bytes32 id;
    }

    mapping(bytes32 key => Held) private _claims;

    modifier onlyInstrument() {
        if (!Places.isInstrument(msg.sender)) revert NotInstrument(msg.sender);
        _;
    }

    /// @inheritdoc IClaims
    function claim(bytes32 id, bytes32[] calldata keys) external onlyInstrument {
        for (uint256 i = 0; i < keys.length; ++i) {
            _checkFree(keys[i]);
            _take(keys[i], id, false);
        }
    }

    /// @inheritdoc IClaims
    function release(bytes32 id, bytes32[] calldata keys) external onlyInstrument {
        for (uint256 i = 0; i < keys.length; ++i) {
            _checkClaimed(id, keys[i]);
            _giveUp(keys[i], id);
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

    // ---- debts: what one of two has named ---------------------------------------------------------

    /// @inheritdoc IClaims
    function reserve(bytes32 id, bytes32 creditor, bytes32 debtor, bytes32[] calldata keys) external onlyInstrument {
        for (uint256 i = 0; i < keys.length; ++i) {
            if (_has(keys[i], id)) continue;
            _checkFree(keys[i]);
            _checkUnreserved(id, creditor, debtor, keys[i]);
            bytes32 between = _between(creditor, debtor, keys[i]);
            if (!_has(between, id)) _take(between, id, true);
        }
    }

    /// @inheritdoc IClaims
    function claimBetween(bytes32 id, bytes32 creditor, bytes32 debtor, bytes32[] calldata keys)
        external
        onlyInstrument
    {
        for (uint256 i = 0; i < keys.length; ++i) {
            _checkFree(keys[i]);
            _checkUnreserved(id, creditor, debtor, keys[i]);
            _take(keys[i], id, false);
        }
    }

    /// @inheritdoc IClaims
    function confirm(bytes32 id, bytes32 creditor, bytes32 debtor, bytes32[] calldata keys) external onlyInstrument {
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes32 between = _between(creditor, debtor, keys[i]);
            if (!_has(between, id)) continue;
            _giveUp(between, id);
            if (_claims[keys[i]].instrument == address(0)) _take(keys[i], id, false);
        }
    }

    /// @inheritdoc IClaims
    function abandon(bytes32 id, bytes32 creditor, bytes32 debtor, bytes32[] calldata keys) external onlyInstrument {
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes32 between = _between(creditor, debtor, keys[i]);
            if (_has(keys[i], id)) _giveUp(keys[i], id);
            if (_has(between, id)) _giveUp(between, id);
        }
    }

    function _between(bytes32 creditor, bytes32 debtor, bytes32 key) private pure returns (bytes32) {
        return keccak256(abi.encode(creditor, debtor, key));
    }

    function _has(bytes32 key, bytes32 id) private view returns (bool) {
        Held storage known = _claims[key];
        return known.instrument == msg.sender && known.id == id;
    }

    function _take(bytes32 key, bytes32 id, bool reserved) private {
        _claims[key] = Held({instrument: msg.sender, reserved: reserved, id: id});
        emit Claimed(key, msg.sender, id);
    }

    function _giveUp(bytes32 key, bytes32 id) private {
        // slither-disable-next-line costly-loop
        delete _claims[key];
        emit Released(key, msg.sender, id);
    }

    // ---- by a decision --------------------------------------------------------------------------

    /// @inheritdoc IClaims
    function annul(bytes32 key, bytes32 decision, string calldata remark) external {
        bytes32 by = _authority();
        if (decision == 0) revert DecisionMissing();
        if (bytes(remark).length > REMARK_BYTES_MAX) revert RemarkTooLong(bytes(remark).length);
        Held memory known = _claims[key];
        if (known.instrument == address(0)) revert NotClaimed(key, 0);
        // What one alone has named is no more than his word.
        bool binds = !known.reserved && IInstrument(known.instrument).isLive(known.id);
        if (binds) revert StillLive(key, known.id);
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

    // ---- reading --------------------------------------------------------------------------------

    /// @inheritdoc IClaims
    function checkFree(bytes32 creditor, bytes32 debtor, bytes32[] calldata keys) external view {
        for (uint256 i = 0; i < keys.length; ++i) {
            _checkFree(keys[i]);
            _checkUnreserved(0, creditor, debtor, keys[i]);
            for (uint256 j = 0; j < i; ++j) {
                if (keys[i] == keys[j]) revert AlreadyClaimed(keys[i], msg.sender, 0);
            }
        }
    }

    /// @inheritdoc IClaims
    function claimOf(bytes32 key) external view returns (Claim memory) {
        return Claim({instrument: _claims[key].instrument, id: _claims[key].id});
    }

    function _checkFree(bytes32 key) private view {
        if (key == 0) revert ZeroKey();
        Held storage known = _claims[key];
        if (known.instrument != address(0)) revert AlreadyClaimed(key, known.instrument, known.id);
    }

    function _checkUnreserved(bytes32 id, bytes32 creditor, bytes32 debtor, bytes32 key) private view {
        bytes32 between = _between(creditor, debtor, key);
        Held storage known = _claims[between];
        if (known.instrument == address(0) || _has(between, id)) return;
        revert AlreadyClaimed(key, known.instrument, known.id);
    }

    function _checkClaimed(bytes32 id, bytes32 key) private view {
        if (!_has(key, id)) revert NotClaimed(key, id);
    }
}
