// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Receivables} from "../../receivables/Receivables.sol";
import {IReceivables} from "../../receivables/interfaces/IReceivables.sol";
import {SettlementScene} from "./SettlementScene.sol";

/// @notice The mill owes the supplier 600, in thirty days, without a right to contest it.
abstract contract DebtScene is SettlementScene {
    Receivables internal constant RECEIVABLES = Receivables(0x7A1100000000000000000000000000000000000b);
    bytes32 internal id;

    function setUp() public virtual {
        _foundSettlement();
        _place(address(RECEIVABLES), type(Receivables).creationCode);
        _register("receivables", address(RECEIVABLES));
        IReceivables.Draft memory draft;
        draft.kind = IReceivables.Kind.Invoice;
        draft.number = "I-1";
        draft.creditor = SUPPLIER;
        draft.debtor = MILL;
        draft.terms = keccak256("terms");
        draft.amount = 600;
        draft.currency = CNY;
        draft.due = uint48(block.timestamp + 30 days);
        draft.keys = new bytes32[](1);
        draft.keys[0] = keccak256("invoice 1");
        _as(SUPPLIER);
        id = RECEIVABLES.create(draft, "");
        _as(MILL);
        RECEIVABLES.accept(id, 0, false, 0, "");
        _issue(BANK, MILL, 1_000);
    }
}
