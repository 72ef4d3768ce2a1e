// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDeposits} from "../interfaces/IDeposits.sol";
import {Members} from "./Members.sol";

/// @title The books of all banks
/// @notice One way for all money: out of one account, between the banks, into another.
abstract contract DepositBook is Members, IDeposits {
    mapping(bytes32 account => Account) internal _accounts;
    mapping(bytes32 bank => mapping(bytes3 currency => Book)) internal _books;
    mapping(bytes32 creditor => mapping(bytes32 debtor => mapping(bytes3 currency => Position))) internal _positions;
    mapping(bytes32 organisation => mapping(bytes3 currency => bytes32 bank)) internal _homes;

    // ---- money --------------------------------------------------------------------------------

    function _move(Flow memory flow, string memory remark) internal {
        if (flow.amount == 0) revert InvalidAmount(flow.amount);
        _checkStanding(flow);
        if (flow.payerBank == flow.payeeBank && flow.payer == flow.payee) revert Unchanged();
        _take(flow, remark);
        if (flow.payerBank != flow.payeeBank) _owe(flow, remark);
        _give(flow, remark);
    }

    /// @dev Money goes between active members, save where somebody only ends what he owes.
    function _checkStanding(Flow memory flow) private view {
        bool own = flow.payer == flow.payerBank;
        // Whoever pays his own bank lessens what it owes him, whatever has become of it.
        if (!own && flow.payee == flow.payerBank && flow.payeeBank == flow.payerBank) return;
        if (own) _checkBank(flow.payer);
        else _checkActive(flow.payerBank);
        bool bank = flow.payee == flow.payeeBank;
        if (flow.owed) {
            // What comes in for one who is suspended waits for him: only who is active disposes of it.
            if (bank && !_hasRoleBank(flow.payee)) revert NotBank(flow.payee);
            return;
        }
        if (bank) _checkBank(flow.payee);
        else _checkActive(flow.payee);
        if (flow.payerBank != flow.payeeBank) _checkActive(flow.payeeBank);
    }

    function _take(Flow memory flow, string memory remark) private {
        if (flow.payer == flow.payerBank) {
            _books[flow.payerBank][flow.currency].issued += flow.amount;
            return;
        }
        bytes32 key = accountKey(flow.payerBank, flow.currency, flow.payer);
        Account storage from = _accounts[key];
        if (flow.setAside) from.setAside -= flow.amount;
        else _checkFree(key, flow.amount);
        from.balance -= flow.amount;
        Movement memory line = _line(flow.by, flow.amount, flow.number, flow.cause);
        line.counterparty = flow.payee;
        line.counterpartyBank = flow.payeeBank;
        bool redeemed = flow.payee == flow.payerBank;
        _tell(key, flow.id, redeemed ? Kind.Redeemed : Kind.Sent, line, remark);
    }

    function _owe(Flow memory flow, string memory remark) private {
        Position storage between = _positions[flow.payeeBank][flow.payerBank][flow.currency];
        Position storage opposite = _positions[flow.payerBank][flow.payeeBank][flow.currency];
        uint128 off = opposite.claim < flow.amount ? opposite.claim : flow.amount;
        uint256 claim = uint256(between.claim) + flow.amount;
        if (claim - off > between.limit) {
            revert LimitExceeded(flow.payeeBank, flow.payerBank, claim - off, between.limit);
        }
        between.claim = uint128(claim);
        _books[flow.payerBank][flow.currency].sent += flow.amount;
        _books[flow.payeeBank][flow.currency].received += flow.amount;
        _tellBetween(flow.payeeBank, flow.payerBank, PositionKind.Claimed, flow, flow.amount, remark);
        // Money that goes to and fro uses up nobody's limit: one bank owes the other, or it the one.
        if (off == 0) return;
        between.claim -= off;
        opposite.claim -= off;
        _tellBetween(flow.payeeBank, flow.payerBank, PositionKind.SetOff, flow, off, remark);
        _tellBetween(flow.payerBank, flow.payeeBank, PositionKind.SetOff, flow, off, remark);
    }

    function _tellBetween(
        bytes32 creditor,
        bytes32 debtor,
        PositionKind kind,
        Flow memory flow,
        uint128 amount,
        string memory remark
    ) private {
        Position storage between = _positions[creditor][debtor][flow.currency];
        emit PositionChanged(
            creditor, debtor, flow.id, kind, flow.currency, between, amount, flow.number, remark
        );
    }

    function _give(Flow memory flow, string memory remark) private {
        if (flow.payee == flow.payeeBank) {
            _books[flow.payeeBank][flow.currency].redeemed += flow.amount;
            return;
        }
        bool issued = flow.payer == flow.payeeBank;
        bytes32 key = accountKey(flow.payeeBank, flow.currency, flow.payee);
        if (issued || flow.forced) _open(flow.payeeBank, flow.currency, flow.payee);
        else if (_accounts[key].revision == 0) revert NoAccount(flow.payee, flow.payeeBank, flow.currency);
        _accounts[key].balance += flow.amount;
        Movement memory line = _line(flow.by, flow.amount, flow.number, flow.cause);
        line.counterparty = flow.payer;
        line.counterpartyBank = flow.payerBank;
        _tell(key, flow.id, issued ? Kind.Issued : Kind.Received, line, remark);
    }

    /// @dev The bank pays out of a customer's account what is its own business: nobody gets it here.
    function _destroy(Account storage from, uint128 amount) internal {
        from.balance -= amount;
        _books[from.bank][from.currency].redeemed += amount;
    }

    // ---- accounts -----------------------------------------------------------------------------

    /// @dev The account, made where it was not there.
    function _open(bytes32 bank, bytes3 currency, bytes32 owner) internal returns (bytes32 key) {
        key = accountKey(bank, currency, owner);
        Account storage entry = _accounts[key];
        if (entry.revision != 0 || entry.bank != 0) return key;
        _checkCurrency(currency);
        if (owner == bank) revert Unchanged();
        entry.bank = bank;
        entry.owner = owner;
        entry.currency = currency;
    }

    function _line(bytes32 by, uint128 amount, bytes32 number, bytes32 cause)
        internal
        pure
        returns (Movement memory line)
    {
        line.by = by;
        line.amount = amount;
        line.number = number;
        line.cause = cause;
    }

    function _tell(bytes32 key, bytes32 id, Kind kind, Movement memory line, string memory remark) internal {
        ++_accounts[key].revision;
        emit AccountChanged(key, id, kind, _accounts[key], line, remark);
    }

    function _free(Account storage entry) private view returns (uint128) {
        uint256 bound = uint256(entry.setAside) + entry.held;
        return bound >= entry.balance ? 0 : uint128(entry.balance - bound);
    }

    function _checkFree(bytes32 key, uint128 amount) internal view {
        if (amount == 0) revert InvalidAmount(amount);
        uint128 free = _free(_accounts[key]);
        if (free < amount) revert Insufficient(key, free, amount);
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IDeposits
    function account(bytes32 bank, bytes3 currency, bytes32 owner) external view returns (Account memory) {
        return _accounts[accountKey(bank, currency, owner)];
    }

    /// @inheritdoc IDeposits
    function freeOf(bytes32 bank, bytes3 currency, bytes32 owner) external view returns (uint128) {
        return _free(_accounts[accountKey(bank, currency, owner)]);
    }

    /// @inheritdoc IDeposits
    function book(bytes32 bank, bytes3 currency) external view returns (Book memory) {
        return _books[bank][currency];
    }

    /// @inheritdoc IDeposits
    function position(bytes32 creditor, bytes32 debtor, bytes3 currency) external view returns (Position memory) {
        return _positions[creditor][debtor][currency];
    }

    /// @inheritdoc IDeposits
    function payeeBankOf(bytes32 payee, bytes32 named, bytes3 currency) public view returns (bytes32 bank) {
        bank = named == 0 ? homeOf(payee, currency) : named;
        if (bank != 0) return bank;
        if (!_hasRoleBank(payee)) revert NoAccount(payee, 0, currency);
        return payee;
    }

    /// @inheritdoc IDeposits
    function homeOf(bytes32 organisation, bytes3 currency) public view returns (bytes32) {
        return _homes[organisation][currency];
    }

    /// @inheritdoc IDeposits
    function accountKey(bytes32 bank, bytes3 currency, bytes32 owner) public pure returns (bytes32) {
        return keccak256(abi.encode(bank, currency, owner));
    }
}
