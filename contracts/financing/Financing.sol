// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {Rules} from "../instruments/libraries/Rules.sol";
import {IPledges} from "../pledges/interfaces/IPledges.sol";
import {LoanActs} from "./bases/LoanActs.sol";
import {IApplications} from "./interfaces/IApplications.sol";
import {IFinancing} from "./interfaces/IFinancing.sol";
import {ILending} from "./interfaces/ILending.sol";
import {Facts} from "./libraries/Facts.sol";
import {Interest} from "./libraries/Interest.sol";
import {LoanRules} from "./libraries/LoanRules.sol";

/// @title Financing
/// @notice Loans that were paid out.
contract Financing is LoanActs, IFinancing {
    using Rules for uint256;

    bytes32 private constant APPLICATIONS = "applications";
    uint48 private constant DAY_SECONDS = 86_400;
    uint8 private constant SEVERITY_MAX = 3;

    mapping(bytes32 id => Loan) private _loans;
    mapping(bytes32 id => mapping(bytes32 ref => bool)) private _credited;

    // ---- payout -------------------------------------------------------------------------------

    /// @inheritdoc IFinancing
    // Applications and Pledges are contracts of the members' choice and call nobody back.
    // slither-disable-next-line reentrancy-benign,reentrancy-events
    function drawDown(bytes32 id, uint64 revision, string calldata remark) external {
        _checkRemark(remark);
        bytes32 by = _caller();
        Places.checkCurrent(Places.FINANCING, address(this));
        IApplications.Agreed memory agreed = _applicationsWith(id).conclude(id, revision, by);
        // The application has gone through the table; its revisions go on here.
        _standing[id] = Standing(agreed.revision, LoanRules.STATE_ACTIVE);
        _write(id, agreed);
        Loan storage entry = _loans[id];
        entry.pledge = _secure(id, agreed);
        _tell(id, LoanRules.DRAW_DOWN, by, entry.pledge, remark);
        _lending().issueFor(by, entry.currency, entry.borrower, agreed.amount, id);
    }

    /// @dev The version of Applications that has the application: the newest that knows it.
    function _applicationsWith(bytes32 id) private view returns (IApplications place) {
        uint256 left = Places.DIRECTORY.count(APPLICATIONS);
        while (left != 0) {
            place = IApplications(Places.DIRECTORY.version(APPLICATIONS, --left).place);
            // slither-disable-next-line unused-return
            (uint64 revision,) = place.standingOf(id);
            if (revision != 0) return place;
        }
        revert UnknownLoan(id);
    }

    function _write(bytes32 id, IApplications.Agreed memory agreed) private {
        Loan storage entry = _loans[id];
        entry.borrower = agreed.borrower;
        entry.bank = agreed.bank;
        entry.terms = agreed.terms;
        entry.instrument = agreed.request.instrument;
        entry.asset = agreed.request.asset;
        entry.currency = agreed.request.currency;
        entry.yearDays = agreed.request.yearDays;
        entry.rateBp = agreed.rateBp;
        entry.penaltyBp = agreed.request.penaltyBp;
        entry.graceSeconds = agreed.request.graceSeconds;
        entry.debt.lent = agreed.amount;
        entry.debt.principal = agreed.amount;
        entry.debt.drawn = uint48(block.timestamp);
        entry.debt.accruedAt = uint48(block.timestamp);
        entry.debt.due = uint48(block.timestamp) + uint48(agreed.request.termDays) * DAY_SECONDS;
    }

    function _secure(bytes32 id, IApplications.Agreed memory agreed) private returns (bytes32) {
        // From then on the bank may declare the pledge in default.
        uint48 until = _loans[id].debt.due + agreed.request.graceSeconds;
        IPledges.Terms memory terms = IPledges.Terms(
            agreed.amount, agreed.request.currency, until, agreed.request.noticeSeconds, agreed.terms
        );
        return Places.PLEDGES.secure(
            agreed.request.instrument,
            agreed.request.asset,
            agreed.request.assetRevision,
            agreed.borrower,
            agreed.bank,
            terms,
            id
        );
    }

    function _lending() private view returns (ILending) {
        return ILending(Places.currentOf(Places.SETTLEMENT));
    }

    // ---- repayment ----------------------------------------------------------------------------

    /// @inheritdoc IFinancing
    function repay(bytes32 id, uint64 revision, uint128 amount, bytes32[] calldata assets, string calldata remark)
        external
    {
        bytes32 by = _act(id, revision, LoanRules.REPAY, remark);
        amount = _book(id, by, amount, 0);
        _tell(id, LoanRules.REPAY, by, bytes32(uint256(amount)), remark);
        Loan storage entry = _loans[id];
        bool paid = _close(id, by);
        _lending().redeemFor(entry.bank, entry.currency, by, amount, id);
        if (paid) _discharge(id, assets);
    }

    /// @inheritdoc IFinancing
    function credit(
        bytes32 id,
        uint64 revision,
        uint128 amount,
        bytes32 ref,
        bytes32[] calldata assets,
        string calldata remark
    ) external {
        bytes32 by = _act(id, revision, LoanRules.CREDIT, remark);
        if (ref == 0) revert HashMissing();
        if (_credited[id][ref]) revert ReferenceUsed(id, ref);
        _credited[id][ref] = true;
        amount = _book(id, by, amount, ref);
        _tell(id, LoanRules.CREDIT, by, bytes32(uint256(amount)), remark);
        if (_close(id, by)) _discharge(id, assets);
    }

    /// @dev Interest first, then principal. All where the amount is the highest number.
    function _book(bytes32 id, bytes32 by, uint128 amount, bytes32 ref) private returns (uint128) {
        Loan storage entry = _loans[id];
        uint256 accrued = _accruedAt(entry, uint48(block.timestamp));
        uint128 interest = Interest.owed(accrued, entry.yearDays);
        uint128 outstanding = entry.debt.principal + interest;
        if (amount == type(uint128).max) amount = outstanding;
        // slither-disable-next-line incorrect-equality
        if (amount == 0) revert InvalidAmount(amount);
        if (amount > outstanding) revert Overpaid(id, outstanding);
        if (interest > amount) interest = amount;
        entry.debt.accrued = accrued - Interest.taken(interest, entry.yearDays);
        entry.debt.accruedAt = uint48(block.timestamp);
        entry.debt.interestPaid += interest;
        entry.debt.principal -= amount - interest;
        emit Paid(id, by, interest, amount - interest, ref);
        return amount;
    }

    /// @dev Where nothing is owed any more the loan ends; less than a hundredth of interest goes with it.
    function _close(bytes32 id, bytes32 by) private returns (bool) {
        Debt storage debt = _loans[id].debt;
        if (debt.principal != 0 || Interest.owed(debt.accrued, _loans[id].yearDays) != 0) return false;
        debt.accrued = 0;
        _begin(id, 0, LoanRules.CLOSE, by, Rules.ITSELF);
        _tell(id, LoanRules.CLOSE, by, _loans[id].pledge, "");
        return true;
    }

    /// @dev All collateral goes free.
    function _discharge(bytes32 id, bytes32[] calldata assets) private {
        bytes32 key = _loans[id].pledge;
        uint32 left = Places.PLEDGES.pledge(key).assets;
        if (left == 0) return;
        if (left != assets.length) revert CollateralLeft(id, left);
        Places.PLEDGES.discharge(key, assets);
    }

    // ---- trouble ------------------------------------------------------------------------------

    /// @inheritdoc IFinancing
    function fallOverdue(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, LoanRules.FALL_OVERDUE, remark);
        uint48 until = _loans[id].debt.due + _loans[id].graceSeconds;
        if (block.timestamp <= until) revert NotYet(id, until);
        _tell(id, LoanRules.FALL_OVERDUE, by, 0, remark);
    }

    /// @inheritdoc IFinancing
    function warn(bytes32 id, uint64 revision, uint8 severity, bytes32 text, string calldata remark) external {
        bytes32 by = _act(id, revision, LoanRules.WARN, remark);
        if (severity == 0 || severity > SEVERITY_MAX) revert InvalidSeverity(severity);
        if (text == 0) revert HashMissing();
        ++_loans[id].watch.warnings;
        _loans[id].watch.severity = severity;
        _tell(id, LoanRules.WARN, by, text, remark);
    }

    /// @inheritdoc IFinancing
    function report(bytes32 id, uint64 revision, bytes32 asset, string calldata remark) external {
        bytes32 by = _act(id, revision, LoanRules.REPORT, remark);
        Loan storage entry = _loans[id];
        Watch storage watch = entry.watch;
        bool covered = Places.PLEDGES.pledgeOf(entry.instrument, asset) == entry.pledge;
        if (!covered && asset != watch.breachAsset) revert NotCollateral(id, asset);
        uint8 found = covered ? Facts.breach(entry.instrument, asset) : 0;
        // What is amiss with one piece is not over because another one is well.
        if (found == watch.breach || (watch.breach != 0 && asset != watch.breachAsset)) revert NothingToReport(id);
        if (found == 0) {
            (watch.breachAsset, watch.breachSince) = (0, 0);
        } else if (watch.breach == 0) {
            (watch.breachAsset, watch.breachSince) = (asset, uint48(block.timestamp));
        }
        watch.breach = found;
        _tell(id, LoanRules.REPORT, by, asset, remark);
    }

    /// @inheritdoc IFinancing
    function declareDefault(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, LoanRules.DECLARE_DEFAULT, remark);
        IPledges.Pledge memory pledge = Places.PLEDGES.pledge(_loans[id].pledge);
        bool follows = pledge.assets == 0 || pledge.state == IPledges.State.Defaulted;
        if (!follows) revert PledgeDiffers(id, uint8(pledge.state));
        _tell(id, LoanRules.DECLARE_DEFAULT, by, _loans[id].pledge, remark);
    }

    /// @inheritdoc IFinancing
    function cure(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, LoanRules.CURE, remark);
        IPledges.Pledge memory pledge = Places.PLEDGES.pledge(_loans[id].pledge);
        if (pledge.state == IPledges.State.Defaulted) revert PledgeDiffers(id, uint8(pledge.state));
        _tell(id, LoanRules.CURE, by, _loans[id].pledge, remark);
    }

    /// @inheritdoc IFinancing
    function exhaust(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, LoanRules.EXHAUST, remark);
        IPledges.Pledge memory pledge = Places.PLEDGES.pledge(_loans[id].pledge);
        if (pledge.state != IPledges.State.Enforced) revert PledgeDiffers(id, uint8(pledge.state));
        _tell(id, LoanRules.EXHAUST, by, _loans[id].pledge, remark);
    }

    // ---- for all acts ---------------------------------------------------------------------------

    function _roles(bytes32 id, bytes32 organisation) internal view override returns (uint256 parties) {
        if (organisation == _loans[id].borrower) parties |= LoanRules.PARTY_BORROWER;
        if (organisation == _loans[id].bank) parties |= LoanRules.PARTY_BANK;
        if (Places.CONSORTIUM.roleOf(msg.sender) == IConsortium.Role.Operator) parties |= LoanRules.PARTY_OPERATOR;
    }

    function _tell(bytes32 id, uint256 rule, bytes32 by, bytes32 detail, string memory remark) private {
        Standing memory standing = _standing[id];
        emit LoanActed(id, by, rule.act(), standing.revision, standing.state, _loans[id], detail, remark);
    }

    /// @dev Numerator of the interest that is unpaid at a time.
    function _accruedAt(Loan storage entry, uint48 time) private view returns (uint256) {
        Debt storage debt = entry.debt;
        return debt.accrued
            + Interest.accrual(debt.principal, entry.rateBp, entry.penaltyBp, debt.accruedAt, debt.due, time);
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IFinancing
    function loan(bytes32 id) external view returns (Loan memory) {
        return _loans[id];
    }

    /// @inheritdoc IFinancing
    function owed(bytes32 id, uint48 time) external view returns (uint128 principal, uint128 interest) {
        Loan storage entry = _loans[id];
        if (entry.debt.drawn == 0) return (0, 0);
        return (entry.debt.principal, Interest.owed(_accruedAt(entry, time), entry.yearDays));
    }

    /// @inheritdoc IFinancing
    function examine(address instrument, bytes32 asset, uint64 revision, bytes32 organisation)
        external
        view
        returns (uint8 applicable, uint8 passed)
    {
        if (!Places.isInstrument(instrument)) revert NotInstrument(instrument);
        return Facts.examine(instrument, asset, revision, organisation);
    }
}
