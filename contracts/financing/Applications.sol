// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Places} from "../instruments/libraries/Places.sol";
import {Rules} from "../instruments/libraries/Rules.sol";
import {Requests} from "./bases/Requests.sol";
import {IApplications} from "./interfaces/IApplications.sol";
import {LoanRules} from "./libraries/LoanRules.sol";

/// @title Applications
/// @notice Decisions of banks, and the borrower's choice. In the market mode the quotes stay sealed until
/// nobody can hand one in any more.
contract Applications is Requests {
    // ---- decisions ----------------------------------------------------------------------------

    /// @inheritdoc IApplications
    function approve(
        bytes32 id,
        uint64 revision,
        uint128 amount,
        uint48 validUntil,
        bytes32 text,
        string calldata remark
    ) external {
        bytes32 bank = _act(id, revision, LoanRules.APPROVE, remark);
        Request storage request = _applications[id].request;
        if (request.mode == Mode.Market) revert WrongMode(id, request.mode);
        if (amount < request.amountMin || amount > request.amount) revert InvalidAmount(amount);
        if (validUntil <= block.timestamp || validUntil > request.expires) revert InvalidTime(validUntil);
        _decide(id, bank, Stance.Approved, text);
        Offer storage made = _offers[id][bank];
        made.amount = amount;
        made.validUntil = validUntil;
        (made.rateBp, made.discountBp) = _priced(id, bank, amount);
        _tell(id, LoanRules.APPROVE, bank, offerHash(id, bank), remark);
        _tellOffer(id, bank);
    }

    function _priced(bytes32 id, bytes32 bank, uint128 amount) private view returns (uint32 rateBp, uint32 discountBp) {
        Request storage request = _applications[id].request;
        uint32 version = _offers[id][bank].tableVersion;
        bytes32 kind = Places.DIRECTORY.nameOf(request.instrument);
        rateBp = PRICING.tiered(bank, request.currency, version, kind, amount, request.termDays);
        if (request.mode != Mode.Contribution) return (rateBp, 0);
        discountBp = PRICING.contributed(bank, request.currency, version, _applications[id].borrower, rateBp);
        rateBp -= discountBp;
    }

    /// @inheritdoc IApplications
    function decline(bytes32 id, uint64 revision, bytes32 reason, string calldata remark) external {
        bytes32 bank = _act(id, revision, LoanRules.DECLINE, remark);
        _decide(id, bank, Stance.Declined, reason);
        --_applications[id].open;
        _tell(id, LoanRules.DECLINE, bank, reason, remark);
        _tellOffer(id, bank);
    }

    /// @dev A bank decides once; what it has offered for a time it may offer anew, or no longer, after that.
    function _decide(bytes32 id, bytes32 bank, Stance stance, bytes32 text) private {
        if (text == 0) revert HashMissing();
        Offer storage made = _offers[id][bank];
        bool renewable = made.stance == Stance.Approved && made.validUntil < block.timestamp;
        if (made.stance != Stance.None && !renewable) revert OfferStands(id, bank, made.validUntil);
        made.stance = stance;
        made.text = text;
        made.decided = uint48(block.timestamp);
    }

    // ---- sealed quotes --------------------------------------------------------------------------

    /// @inheritdoc IApplications
    function commit(bytes32 id, uint64 revision, bytes32 commitment, string calldata remark) external {
        bytes32 bank = _act(id, revision, LoanRules.COMMIT, remark);
        Application storage entry = _applications[id];
        if (entry.request.mode != Mode.Market) revert WrongMode(id, entry.request.mode);
        if (commitment == 0) revert HashMissing();
        if (block.timestamp >= entry.request.quotesUntil) revert OutOfTime(id, 0, entry.request.quotesUntil);
        Offer storage made = _offers[id][bank];
        if (made.stance != Stance.None) revert AlreadyCommitted(id, bank);
        made.stance = Stance.Committed;
        made.commitment = commitment;
        made.decided = uint48(block.timestamp);
        made.order = ++entry.quotes;
        _tell(id, LoanRules.COMMIT, bank, commitment, remark);
        _tellOffer(id, bank);
    }

    /// @inheritdoc IApplications
    function reveal(
        bytes32 id,
        uint64 revision,
        uint128 amount,
        uint32 rateBp,
        bytes32 text,
        bytes32 salt,
        string calldata remark
    ) external {
        bytes32 bank = _act(id, revision, LoanRules.REVEAL, remark);
        _checkWindow(id, bank);
        Offer storage made = _offers[id][bank];
        if (commitmentOf(id, bank, amount, rateBp, text, salt) != made.commitment) revert CommitmentDiffers(id, bank);
        _checkQuote(id, amount, rateBp, text);
        made.stance = Stance.Revealed;
        made.amount = amount;
        made.rateBp = rateBp;
        made.text = text;
        made.validUntil = _applications[id].request.expires;
        if (_isBetter(made, _offers[id][_applications[id].best])) _applications[id].best = bank;
        _tell(id, LoanRules.REVEAL, bank, offerHash(id, bank), remark);
        _tellOffer(id, bank);
    }

    function _checkWindow(bytes32 id, bytes32 bank) private view {
        Request storage request = _applications[id].request;
        if (_offers[id][bank].stance != Stance.Committed) revert NoOffer(id, bank);
        if (block.timestamp < request.quotesUntil || block.timestamp >= request.revealUntil) {
            revert OutOfTime(id, request.quotesUntil, request.revealUntil);
        }
    }

    function _checkQuote(bytes32 id, uint128 amount, uint32 rateBp, bytes32 text) private view {
        Request storage request = _applications[id].request;
        if (text == 0) revert HashMissing();
        if (amount < request.amountMin || amount > request.amount) revert InvalidAmount(amount);
        if (rateBp > request.rateBpMax) revert InvalidRate(rateBp);
    }

    /// @dev The lower rate; of equal ones that which was handed in first.
    function _isBetter(Offer storage one, Offer storage other) private view returns (bool) {
        if (other.stance != Stance.Revealed) return true;
        return one.rateBp < other.rateBp || (one.rateBp == other.rateBp && one.order < other.order);
    }

    /// @inheritdoc IApplications
    function commitmentOf(bytes32 id, bytes32 bank, uint128 amount, uint32 rateBp, bytes32 text, bytes32 salt)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(id, bank, amount, rateBp, text, salt));
    }

    // ---- the borrower's choice ------------------------------------------------------------------

    /// @inheritdoc IApplications
    function accept(bytes32 id, uint64 revision, bytes32 bank, bytes32 hash, string calldata remark) external {
        bytes32 by = _act(id, revision, LoanRules.ACCEPT, remark);
        _checkOffer(id, bank, hash);
        Application storage entry = _applications[id];
        entry.bank = bank;
        entry.offerHash = hash;
        entry.validUntil = _offers[id][bank].validUntil;
        _checkLedger(id);
        _accepted[entry.request.instrument][entry.request.asset] = id;
        _tell(id, LoanRules.ACCEPT, by, bank, remark);
    }

    function _checkOffer(bytes32 id, bytes32 bank, bytes32 hash) private view {
        Application storage entry = _applications[id];
        bytes32 actual = offerHash(id, bank);
        if (actual == 0) revert NoOffer(id, bank);
        if (actual != hash) revert OfferDiffers(id, actual);
        uint48 until = _offers[id][bank].validUntil;
        if (block.timestamp > until) revert OutOfTime(id, 0, until);
        if (entry.request.mode != Mode.Market) return;
        if (block.timestamp < entry.request.revealUntil) revert OutOfTime(id, entry.request.revealUntil, until);
        if (entry.best != bank) revert NotBest(id, entry.best);
    }

    /// @inheritdoc IApplications
    function withdraw(bytes32 id, uint64 revision, string calldata remark) external {
        bytes32 by = _act(id, revision, LoanRules.WITHDRAW, remark);
        _tell(id, LoanRules.WITHDRAW, by, 0, remark);
    }

    /// @inheritdoc IApplications
    function lapse(bytes32 id, uint64 revision, string calldata remark) external {
        bool accepted = _standing[id].state == LoanRules.STATE_ACCEPTED;
        bytes32 by = _act(id, revision, LoanRules.LAPSE, remark);
        Application storage entry = _applications[id];
        uint48 until = accepted ? entry.validUntil : entry.request.expires;
        bool allDeclined = !accepted && entry.open == 0;
        if (block.timestamp <= until && !allDeclined) revert NotYet(id, until);
        _tell(id, LoanRules.LAPSE, by, 0, remark);
    }

    // ---- contract -----------------------------------------------------------------------------

    /// @inheritdoc IApplications
    function sign(bytes32 id, uint64 revision, bytes32 agreement, string calldata remark) external {
        bytes32 by = _act(id, revision, LoanRules.SIGN, remark);
        if (agreement == 0) revert HashMissing();
        if (by == _applications[id].borrower) _applications[id].signedByBorrower = agreement;
        else _applications[id].signedByBank = agreement;
        _tell(id, LoanRules.SIGN, by, agreement, remark);
    }

    /// @inheritdoc IApplications
    function conclude(bytes32 id, uint64 revision, bytes32 by) external returns (Agreed memory agreed) {
        if (Places.DIRECTORY.nameOf(msg.sender) != Places.FINANCING) revert NotFinancing(msg.sender);
        Application storage entry = _applications[id];
        if (_standing[id].revision == 0) revert UnknownLoan(id);
        _begin(id, revision, LoanRules.DRAW_DOWN, by, by == entry.bank ? LoanRules.PARTY_BANK : Rules.ANYBODY);
        if (block.timestamp > entry.validUntil) revert OutOfTime(id, 0, entry.validUntil);
        bytes32 signed = entry.signedByBank;
        if (signed != entry.signedByBorrower || (entry.request.agreement && signed == 0)) revert NotSigned(id);
        _checkLedger(id);
        agreed.borrower = entry.borrower;
        agreed.bank = entry.bank;
        agreed.terms = signed == 0 ? entry.offerHash : signed;
        agreed.amount = _offers[id][by].amount;
        agreed.rateBp = _offers[id][by].rateBp;
        agreed.revision = _standing[id].revision;
        agreed.request = entry.request;
        _tell(id, LoanRules.DRAW_DOWN, by, agreed.terms, "");
    }
}
