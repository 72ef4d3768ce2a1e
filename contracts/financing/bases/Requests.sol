// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {Codes} from "../../instruments/libraries/Codes.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {Rules} from "../../instruments/libraries/Rules.sol";
import {IApplications} from "../interfaces/IApplications.sol";
import {IFinancing} from "../interfaces/IFinancing.sol";
import {IPricing} from "../interfaces/IPricing.sol";
import {Facts} from "../libraries/Facts.sol";
import {LoanRules} from "../libraries/LoanRules.sol";
import {LoanActs} from "./LoanActs.sol";

/// @title Applications, and what the ledger and the platform say of them
abstract contract Requests is LoanActs, IApplications {
    using Rules for uint256;

    IPricing internal constant PRICING = IPricing(0x7a1100000000000000000000000000000000000F);
    bytes32 private constant APPLICATIONS = "applications";
    uint32 internal constant RATE_BP_MAX = 10_000;
    uint256 private constant BANKS_MAX = 16;
    uint16 private constant TERM_DAYS_MAX = 10_950;
    uint48 private constant AHEAD_SECONDS_MAX = 366 days;

    mapping(bytes32 id => Application) internal _applications;
    mapping(bytes32 id => bytes32[]) internal _banks;
    mapping(bytes32 id => mapping(bytes32 bank => Offer)) internal _offers;
    mapping(bytes32 id => Advice) private _advice;
    /// @dev The application that was last accepted for a collateral.
    mapping(address instrument => mapping(bytes32 asset => bytes32 id)) internal _accepted;

    // ---- application --------------------------------------------------------------------------

    /// @inheritdoc IApplications
    function applyFor(Request calldata request, Invitation[] calldata banks, string calldata remark)
        external
        returns (bytes32 id)
    {
        _checkRemark(remark);
        bytes32 borrower = _caller();
        id = idOf(borrower, request.number);
        if (_standing[id].revision != 0) revert LoanExists(id);
        Places.checkCurrent(APPLICATIONS, address(this));
        _checkCollateral(borrower, request);
        _checkTimes(request);
        _checkConditions(request);
        _begin(id, 0, LoanRules.APPLY, borrower, LoanRules.PARTY_BORROWER);
        _applications[id].borrower = borrower;
        _applications[id].request = request;
        _invite(id, request, banks);
        _tell(id, LoanRules.APPLY, borrower, 0, remark);
        for (uint256 i = 0; i < banks.length; ++i) _tellOffer(id, banks[i].bank);
    }

    function _checkCollateral(bytes32 borrower, Request calldata request) private view {
        if (!Places.isInstrument(request.instrument)) revert NotInstrument(request.instrument);
        IInstrument.Control memory control = IInstrument(request.instrument).control(request.asset);
        if (control.holder != borrower) revert InvalidRequest("asset");
        if (control.revision != request.assetRevision) revert InvalidRequest("assetRevision");
    }

    function _checkTimes(Request calldata request) private view {
        if (request.expires <= block.timestamp || request.expires > block.timestamp + AHEAD_SECONDS_MAX) {
            revert InvalidRequest("expires");
        }
        if (request.graceSeconds > AHEAD_SECONDS_MAX) revert InvalidRequest("graceSeconds");
        if (request.noticeSeconds > AHEAD_SECONDS_MAX) revert InvalidRequest("noticeSeconds");
        if (request.mode != Mode.Market) {
            if (request.quotesUntil != 0 || request.revealUntil != 0) revert InvalidRequest("quotesUntil");
            return;
        }
        if (request.quotesUntil <= block.timestamp) revert InvalidRequest("quotesUntil");
        if (request.revealUntil <= request.quotesUntil || request.revealUntil >= request.expires) {
            revert InvalidRequest("revealUntil");
        }
    }

    function _checkConditions(Request calldata request) private pure {
        if (!Codes.isNumber(request.number)) revert InvalidRequest("number");
        // What accrues must fit its counters for any rate and time.
        if (request.amount == 0 || request.amount > type(uint120).max) revert InvalidRequest("amount");
        if (request.amountMin == 0 || request.amountMin > request.amount) revert InvalidRequest("amountMin");
        if (!Codes.isCurrency(request.currency)) revert InvalidRequest("currency");
        if (request.termDays == 0 || request.termDays > TERM_DAYS_MAX) revert InvalidRequest("termDays");
        if (request.yearDays != 360 && request.yearDays != 365) revert InvalidRequest("yearDays");
        if (request.mode == Mode.None) revert InvalidRequest("mode");
        if (request.purpose == 0) revert InvalidRequest("purpose");
        if (request.penaltyBp > RATE_BP_MAX) revert InvalidRequest("penaltyBp");
        bool market = request.mode == Mode.Market;
        if (request.rateBpMax > RATE_BP_MAX || market != (request.rateBpMax != 0)) revert InvalidRequest("rateBpMax");
    }

    function _invite(bytes32 id, Request calldata request, Invitation[] calldata banks) private {
        if (banks.length == 0 || banks.length > BANKS_MAX) revert InvalidInvitations(banks.length);
        for (uint256 i = 0; i < banks.length; ++i) {
            bytes32 bank = banks[i].bank;
            IConsortium.Organisation memory known = Places.CONSORTIUM.organisation(bank);
            if (known.status != IConsortium.Status.Active || known.role != IConsortium.Role.Bank) revert NotBank(bank);
            Offer storage added = _offers[id][bank];
            if (added.invited) revert InvalidInvitations(i);
            _checkVersion(bank, request, banks[i].tableVersion);
            added.invited = true;
            added.tableVersion = banks[i].tableVersion;
            _banks[id].push(bank);
        }
        _applications[id].open = uint16(banks.length);
    }

    function _checkVersion(bytes32 bank, Request calldata request, uint32 version) private view {
        bool market = request.mode == Mode.Market;
        bool known = version != 0 && version <= PRICING.versionsOf(bank, request.currency);
        if (market ? version != 0 : !known) revert InvalidRequest("tableVersion");
    }

    // ---- checks and advice ----------------------------------------------------------------------

    /// @inheritdoc IApplications
    function check(bytes32 id, uint64 revision, string calldata remark) external returns (Check memory found) {
        bytes32 by = _act(id, revision, LoanRules.CHECK, remark);
        found = checked(id);
        _applications[id].check = found;
        _tell(id, LoanRules.CHECK, by, 0, remark);
    }

    /// @inheritdoc IApplications
    function checked(bytes32 id) public view returns (Check memory found) {
        if (_standing[id].revision == 0) revert UnknownLoan(id);
        Request storage request = _applications[id].request;
        IFinancing financing = IFinancing(Places.currentOf(Places.FINANCING));
        (found.applicable, found.passed) = financing.examine(
            request.instrument, request.asset, request.assetRevision, _applications[id].borrower
        );
        if (_financedElsewhere(id)) found.passed &= ~Facts.DUPLICATE;
        found.blockNumber = uint48(block.number);
        found.time = uint48(block.timestamp);
    }

    /// @dev Whether another application for the same collateral was accepted and can still be drawn.
    function _financedElsewhere(bytes32 id) private view returns (bool) {
        Request storage request = _applications[id].request;
        bytes32 other = _accepted[request.instrument][request.asset];
        if (other == 0 || other == id || _standing[other].state != LoanRules.STATE_ACCEPTED) return false;
        Application storage entry = _applications[other];
        return entry.validUntil >= block.timestamp
            && entry.request.assetRevision == IInstrument(request.instrument).control(request.asset).revision;
    }

    /// @dev All that applies must pass, now.
    function _checkLedger(bytes32 id) internal {
        Check memory found = checked(id);
        uint8 failed = found.applicable & ~found.passed;
        if (failed != 0) revert CheckFailed(id, failed);
        _applications[id].check = found;
    }

    /// @inheritdoc IApplications
    function advise(
        bytes32 id,
        uint64 revision,
        uint16 score,
        uint128 limit,
        uint32 rateBp,
        bytes32 text,
        string calldata remark
    ) external {
        bytes32 by = _act(id, revision, LoanRules.ADVISE, remark);
        if (text == 0) revert HashMissing();
        if (rateBp > RATE_BP_MAX) revert InvalidRate(rateBp);
        _advice[id] = Advice(by, text, limit, rateBp, score, uint48(block.timestamp));
        _tell(id, LoanRules.ADVISE, by, text, remark);
        emit Advised(id, by, _advice[id]);
    }

    // ---- for all acts ---------------------------------------------------------------------------

    function _roles(bytes32 id, bytes32 organisation) internal view override returns (uint256 parties) {
        Application storage entry = _applications[id];
        if (organisation == entry.borrower) parties |= LoanRules.PARTY_BORROWER;
        if (organisation == entry.bank) parties |= LoanRules.PARTY_BANK;
        IConsortium.Role role = Places.CONSORTIUM.roleOf(msg.sender);
        // A bank is one as long as the members say so.
        if (role == IConsortium.Role.Bank && _offers[id][organisation].invited) parties |= LoanRules.PARTY_INVITED;
        if (role == IConsortium.Role.Operator) parties |= LoanRules.PARTY_OPERATOR;
    }

    /// @dev Hashes of events are public, and so small numbers in them are as good as told: who leads under seal, and
    /// how many have quoted or declined, stands in the offers' own events, of which each names what nobody guesses.
    function _tell(bytes32 id, uint256 rule, bytes32 by, bytes32 detail, string memory remark) internal {
        Standing memory standing = _standing[id];
        Application memory told = _applications[id];
        // slither-disable-next-line incorrect-equality
        if (told.request.mode == Mode.Market && told.bank == 0) (told.best, told.open, told.quotes) = (0, 0, 0);
        emit ApplicationActed(id, by, rule.act(), standing.revision, standing.state, told, detail, remark);
    }

    function _tellOffer(bytes32 id, bytes32 bank) internal {
        emit OfferChanged(id, bank, _applications[id].borrower, _offers[id][bank], offerHash(id, bank));
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IApplications
    function application(bytes32 id) external view returns (Application memory) {
        return _applications[id];
    }

    /// @inheritdoc IApplications
    function banksOf(bytes32 id) external view returns (bytes32[] memory) {
        return _banks[id];
    }

    /// @inheritdoc IApplications
    function offerOf(bytes32 id, bytes32 bank) external view returns (Offer memory) {
        return _offers[id][bank];
    }

    /// @inheritdoc IApplications
    function adviceOf(bytes32 id) external view returns (Advice memory) {
        return _advice[id];
    }

    /// @inheritdoc IApplications
    /// @dev The id stands for the request, which never changes.
    function offerHash(bytes32 id, bytes32 bank) public view returns (bytes32) {
        Offer storage found = _offers[id][bank];
        if (found.stance != Stance.Approved && found.stance != Stance.Revealed) return 0;
        return keccak256(
            abi.encode(id, bank, found.amount, found.rateBp, found.discountBp, found.validUntil, found.text)
        );
    }

    /// @inheritdoc IApplications
    function idOf(bytes32 borrower, bytes32 number) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), borrower, number));
    }
}
