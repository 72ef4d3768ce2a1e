// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {FinanceScene} from "@tally/forge/FinanceScene.sol";
import {Receivables} from "../Receivables.sol";
import {IReceivables} from "../interfaces/IReceivables.sol";

/// @notice The grain traders with Receivables at its place, and an address that the members have named
/// settlement: what the real one would call, the tests call from there.
abstract contract ReceivablesScene is FinanceScene {
    Receivables internal constant RECEIVABLES = Receivables(0x7A1100000000000000000000000000000000000b);
    address internal constant SETTLEMENT = address(0x5e771e);
    bytes32 internal constant TERMS = keccak256("terms of payment");
    bytes32 internal constant PROOF = keccak256("a document");

    function _foundReceivables() internal {
        _found();
        _place(address(RECEIVABLES), type(Receivables).creationCode);
        _register("receivables", address(RECEIVABLES));
        vm.etch(SETTLEMENT, hex"00");
        _register("settlement", SETTLEMENT);
    }

    /// @dev The supplier's invoice to the mill, due in thirty days.
    function _invoice(bytes32 number, uint128 amount) internal view returns (IReceivables.Draft memory draft) {
        bytes32[] memory keys = new bytes32[](1);
        keys[0] = keccak256(abi.encode("invoice", number));
        draft.kind = IReceivables.Kind.Invoice;
        draft.number = number;
        draft.creditor = SUPPLIER;
        draft.debtor = MILL;
        draft.terms = TERMS;
        draft.amount = amount;
        draft.currency = "CNY";
        draft.due = uint48(block.timestamp + 30 days);
        draft.graceSeconds = 3 days;
        draft.keys = keys;
    }

    function _create(bytes32 by, IReceivables.Draft memory draft) internal returns (bytes32) {
        _as(by);
        return RECEIVABLES.create(draft, "");
    }

    /// @dev An invoice that the mill owes and may contest.
    function _accepted(bytes32 number, uint128 amount) internal returns (bytes32 id) {
        id = _create(SUPPLIER, _invoice(number, amount));
        _as(MILL);
        RECEIVABLES.accept(id, 0, true, 0, "");
    }

    function _endorse(bytes32 id, bytes32 by, bytes32 to, bool recourse) internal {
        _as(by);
        RECEIVABLES.endorse(id, 0, to, recourse, "");
    }

    function _discharge(bytes32 id, uint128 amount) internal returns (bytes32 payee) {
        vm.prank(SETTLEMENT);
        (payee,) = RECEIVABLES.discharge(id, 0, MILL, amount);
    }

    function _get(bytes32 id) internal view returns (IReceivables.Receivable memory) {
        return RECEIVABLES.receivable(id);
    }
}
