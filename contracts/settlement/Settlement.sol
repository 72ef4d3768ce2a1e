// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IInstrument} from "../instruments/interfaces/IInstrument.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {Deals} from "./bases/Deals.sol";
import {IDeposits} from "./interfaces/IDeposits.sol";
import {IDischargeable} from "./interfaces/IDischargeable.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";

/// @title Settlement
/// @notice What is exchanged against deposits: deals, receivables, and what loans, pools and the use of models pay.
contract Settlement is Deals, ISettlement {
    bytes32 private constant POOLS = "pools";
    bytes32 private constant RELEASES = "model-releases";

    mapping(address caller => mapping(bytes32 ref => uint64 count)) private _calls;

    /// @inheritdoc ISettlement
    function issueFor(bytes32 bank, bytes3 currency, bytes32 to, uint128 amount, bytes32 ref)
        external
        returns (bytes32 id)
    {
        id = _next(Places.FINANCING, ref);
        _moveFor(id, bank, IDeposits.Payment(bank, to, bank, currency, amount, 0), ref);
    }

    /// @inheritdoc ISettlement
    function redeemFor(bytes32 bank, bytes3 currency, bytes32 from, uint128 amount, bytes32 ref)
        external
        returns (bytes32 id)
    {
        id = _next(Places.FINANCING, ref);
        _moveFor(id, from, IDeposits.Payment(bank, bank, bank, currency, amount, 0), ref);
    }

    /// @inheritdoc ISettlement
    function payFor(bytes32 payer, IDeposits.Payment calldata payment, bytes32 ref) external returns (bytes32 id) {
        _checkActive(payer);
        bool releases = Places.DIRECTORY.nameOf(msg.sender) == RELEASES;
        id = _next(releases ? RELEASES : POOLS, ref);
        _moveFor(id, payer, payment, ref);
    }

    /// @dev A loan, pool or model is paid for more than once: each time has an id of its own.
    function _next(bytes32 name, bytes32 ref) private returns (bytes32) {
        _checkNamed(name);
        return keccak256(abi.encode(block.chainid, address(this), msg.sender, ref, ++_calls[msg.sender][ref]));
    }

    function _moveFor(bytes32 id, bytes32 payer, IDeposits.Payment memory payment, bytes32 ref) private {
        DEPOSITS.move(_flow(id, payer, payment, ref), "");
    }

    function _flow(bytes32 id, bytes32 payer, IDeposits.Payment memory payment, bytes32 cause)
        private
        view
        returns (IDeposits.Flow memory flow)
    {
        flow.id = id;
        flow.by = payer;
        flow.payer = payer;
        flow.payerBank = payment.payerBank;
        flow.payee = payment.payee;
        flow.payeeBank = DEPOSITS.payeeBankOf(payment.payee, payment.payeeBank, payment.currency);
        flow.currency = payment.currency;
        flow.amount = payment.amount;
        flow.number = payment.number;
        flow.cause = cause;
    }

    /// @inheritdoc ISettlement
    function discharge(Discharge calldata debt, string calldata remark) external returns (bytes32 id) {
        if (Places.DIRECTORY.nameOf(debt.receivables) != Places.RECEIVABLES) revert NotReceivables(debt.receivables);
        bytes32 by = _callerWith(remark);
        Places.checkCurrent(Places.SETTLEMENT, address(this));
        id = _number(by, debt.number);
        // slither-disable-next-line uninitialized-local
        IDeposits.Payment memory payment;
        payment.payerBank = debt.payerBank;
        payment.amount = debt.amount;
        payment.number = debt.number;
        IInstrument.Control memory control = IInstrument(debt.receivables).control(debt.receivable);
        (payment.payee, payment.currency) =
            IDischargeable(debt.receivables).discharge(debt.receivable, debt.revision, by, debt.amount);
        bytes32 pledge = 0;
        // A pledgee who has become the holder is paid as holder: nobody's security is in it.
        if (control.pledgee != 0 && control.pledgee != control.holder) {
            pledge = Places.PLEDGES.pledgeOf(debt.receivables, debt.receivable);
            payment.payeeBank = control.pledgee;
            payment.payee = control.holder;
        }
        _pay(_flow(id, by, payment, debt.receivable), pledge, remark);
    }

    /// @dev A security goes on in the money: it is the holder's, at the pledgee, who holds it.
    function _pay(IDeposits.Flow memory flow, bytes32 pledge, string calldata remark) private {
        flow.owed = true;
        flow.forced = pledge != 0;
        DEPOSITS.move(flow, remark);
        if (pledge != 0) DEPOSITS.holdFor(flow, pledge, remark);
    }
}
