// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDeals} from "./IDeals.sol";
import {IDeposits} from "./IDeposits.sol";

/// @title Settlement: what is exchanged against deposits
interface ISettlement is IDeals {
    /// @param receivables A version of the contract
    /// @param revision Of the receivable; zero: whichever
    /// @param payerBank Where the debtor's money is; the debtor itself where it is a bank
    /// @param number The debtor's own number of this payment, used once
    struct Discharge {
        address receivables;
        bytes32 receivable;
        uint64 revision;
        bytes32 payerBank;
        uint128 amount;
        bytes32 number;
    }

    /// @notice The place is no version of Receivables.
    error NotReceivables(address place);

    /// @notice Loan paid out: a new deposit at the bank. Financing.
    function issueFor(bytes32 bank, bytes3 currency, bytes32 to, uint128 amount, bytes32 ref)
        external
        returns (bytes32 id);

    /// @notice Loan paid back: out of what is free at the lending bank. Financing.
    function redeemFor(bytes32 bank, bytes3 currency, bytes32 from, uint128 amount, bytes32 ref)
        external
        returns (bytes32 id);

    /// @notice Pay as `pay` for `payer`, who has agreed there. Pools and releases of models; `payment.number` is once for each payer.
    function payFor(bytes32 payer, IDeposits.Payment calldata payment, bytes32 ref) external returns (bytes32 id);

    /// @notice Pay a receivable's holder: at the bank that the holder has chosen, or a bank itself. Where it
    /// is pledged: into the holder's account at the pledgee, which holds it. The debtor.
    function discharge(Discharge calldata debt, string calldata remark) external returns (bytes32 id);
}
