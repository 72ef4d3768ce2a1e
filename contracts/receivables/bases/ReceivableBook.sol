// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {Instrument} from "../../instruments/bases/Instrument.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {Places} from "../../instruments/libraries/Places.sol";
import {Rules} from "../../instruments/libraries/Rules.sol";
import {IReceivables} from "../interfaces/IReceivables.sol";
import {ReceivableRules} from "../libraries/ReceivableRules.sol";

/// @title The records of receivables
/// @notice What is kept of each, who is what to it, who stands behind it, and how an act is told.
abstract contract ReceivableBook is Instrument, IReceivables {
    using Rules for uint256;

    uint8 private constant ENDORSEMENTS_MAX = 32;
    uint256 private constant PAYLOAD_BYTES_MAX = 65_536;

    /// @dev What a receivable has beside control.
    struct Entry {
        bytes32 issuer;
        bytes32 number;
        bytes32 creditor;
        bytes32 debtor;
        bytes32 attestor;
        bytes32 terms;
        bytes32 invoice;
        bytes32 origin;
        bytes32 root;
        bytes32 link; // the last endorsement
        bytes32 formerHolder;
        bytes32 formerLink;
        bytes32 offeredBy; // who proposed to end it, at the revision below
        uint128 amount;
        uint128 outstanding;
        uint128 paid;
        bytes3 currency;
        uint48 issued;
        uint48 due;
        uint48 deliverBy;
        uint48 presented;
        uint32 graceSeconds;
        uint64 offeredRevision;
        uint64 rejectableRevision;
        uint16 part;
        uint32 live; // of what was created: how many of it and its parts have not ended
        Kind kind;
        bool disputable;
        bool undertaken;
        bool financed;
    }

    /// @dev An endorsement. Parts share those of the whole, so each points to the one before.
    /// `standing` is the nearest one with recourse, this one included.
    struct Link {
        bytes32 previous;
        bytes32 standing;
        bytes32 endorser;
        uint8 depth;
        bool recourse;
    }

    mapping(bytes32 id => Entry) internal _entries;
    mapping(bytes32 id => bytes32[]) internal _keys;
    mapping(bytes32 link => Link) private _links;

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IReceivables
    function receivable(bytes32 id) public view returns (Receivable memory found) {
        Entry storage entry = _entries[id];
        found.kind = entry.kind;
        found.issuer = entry.issuer;
        found.number = entry.number;
        found.creditor = entry.creditor;
        found.debtor = entry.debtor;
        found.attestor = entry.attestor;
        found.terms = entry.terms;
        found.invoice = entry.invoice;
        found.guarantor = _links[_links[entry.link].standing].endorser;
        found.origin = entry.origin;
        found.root = entry.root;
        found.amount = entry.amount;
        found.outstanding = entry.outstanding;
        found.paid = entry.paid;
        found.currency = entry.currency;
        found.issued = entry.issued;
        found.due = entry.due;
        found.deliverBy = entry.deliverBy;
        found.presented = entry.presented;
        found.graceSeconds = entry.graceSeconds;
        found.part = entry.part;
        found.endorsements = _links[entry.link].depth;
        found.disputable = entry.disputable;
        found.undertaken = entry.undertaken;
        found.financed = entry.financed;
        _addControl(id, found);
    }

    function _addControl(bytes32 id, Receivable memory found) private view {
        Control storage control_ = _controls[id];
        found.holder = control_.holder;
        found.pledgee = control_.pledgee;
        found.revision = control_.revision;
        found.state = control_.state;
        found.freezes = control_.freezes;
        found.locked = control_.locked;
        found.rejectable = _rejectable(id);
    }

    /// @inheritdoc IReceivables
    function payeeOf(bytes32 id) public view returns (bytes32) {
        Control storage control_ = _controls[id];
        return control_.pledgee == 0 ? control_.holder : control_.pledgee;
    }

    /// @inheritdoc IReceivables
    function endorsementsOf(bytes32 id) external view returns (Endorsement[] memory found) {
        bytes32 link = _entries[id].link;
        found = new Endorsement[](_links[link].depth);
        for (uint256 i = 0; i < found.length; ++i) {
            found[i] = Endorsement(_links[link].endorser, _links[link].recourse);
            link = _links[link].previous;
        }
    }

    /// @inheritdoc IReceivables
    function keysOf(bytes32 id) external view returns (bytes32[] memory) {
        return _keys[id];
    }

    /// @inheritdoc IReceivables
    function idOf(bytes32 issuer, bytes32 number) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), issuer, number));
    }

    /// @dev An endorsement that was the last act of all can be rejected.
    function _rejectable(bytes32 id) internal view returns (bool) {
        uint64 revision = _entries[id].rejectableRevision;
        // slither-disable-next-line incorrect-equality
        return revision != 0 && revision == _controls[id].revision;
    }

    /// @inheritdoc IInstrument
    function isLive(bytes32 id) external view override(IInstrument, Instrument) returns (bool) {
        return _entries[_entries[id].root].live != 0;
    }

    // ---- endorsers ----------------------------------------------------------------------------

    /// @dev The endorser's name goes behind the receivable, unless it comes back to one before him.
    function _pass(bytes32 id, bytes32 from, bytes32 to, bool recourse_) internal {
        if (!_retrace(id, to)) _push(id, from, recourse_);
    }

    /// @dev Where it comes back to one who promised recourse, he is where he was: he could turn to those
    /// after him, and each of them to him.
    function _retrace(bytes32 id, bytes32 to) private returns (bool known) {
        bytes32 link = _standing(id, to);
        known = link != 0;
        if (known) _entries[id].link = _links[link].previous;
    }

    function _push(bytes32 id, bytes32 endorser, bool recourse_) internal {
        Entry storage entry = _entries[id];
        Link storage last = _links[entry.link];
        if (last.depth == ENDORSEMENTS_MAX) revert TooManyEndorsements(id);
        bytes32 link = keccak256(abi.encode(id, _controls[id].revision));
        _links[link] = Link({
            previous: entry.link,
            standing: recourse_ ? link : last.standing,
            endorser: endorser,
            depth: last.depth + 1,
            recourse: recourse_
        });
        entry.link = link;
    }

    /// @dev The endorsement with recourse of this organisation; zero where there is none.
    function _standing(bytes32 id, bytes32 organisation) private view returns (bytes32 link) {
        link = _links[_entries[id].link].standing;
        while (link != 0 && _links[link].endorser != organisation) {
            link = _links[_links[link].previous].standing;
        }
    }

    /// @dev Back to the nearest active endorser with recourse, and to those before him.
    function _return(bytes32 id) internal returns (bytes32 endorser) {
        bytes32 link = _links[_entries[id].link].standing;
        while (link != 0) {
            endorser = _links[link].endorser;
            bytes32 previous = _links[link].previous;
            if (Places.CONSORTIUM.statusOf(endorser) == IConsortium.Status.Active) {
                _entries[id].link = previous;
                return endorser;
            }
            link = _links[previous].standing;
        }
        revert NobodyStandsBehind(id);
    }

    // ---- for acts -------------------------------------------------------------------------------

    function _actWith(bytes32 id, uint64 revision, uint256 rule, string calldata remark)
        internal
        returns (bytes32 by)
    {
        _checkRemark(remark);
        by = _act(id, revision, rule);
    }

    function _tell(bytes32 id, uint256 rule, bytes32 by, bytes32 detail, string calldata remark) internal {
        _publishAct(id, rule, by, detail, remark);
    }

    function _publishAct(bytes32 id, uint256 rule, bytes32 by, bytes32 detail, string memory remark) internal {
        uint8 to = rule.next(Rules.SAME);
        if (to != Rules.SAME && !ReceivableRules.common(Rules.FREEZE).possibleIn(to)) --_entries[_entries[id].root].live;
        emit ReceivableActed(id, by, rule.act(), receivable(id), detail, remark);
    }

    /// @dev Those who watch over the trade take no part in it.
    function _checkTrader(bytes32 organisation) internal view returns (IConsortium.Role) {
        IConsortium.Organisation memory known = Places.CONSORTIUM.organisation(organisation);
        if (known.status != IConsortium.Status.Active) revert PartyNotActive(organisation);
        if (known.role == IConsortium.Role.Regulator || known.role == IConsortium.Role.Arbitrator) {
            revert InvalidParty(organisation);
        }
        return known.role;
    }

    function _publish(bytes32 id, bytes32 hash, bytes calldata payload) internal {
        if (payload.length == 0) return;
        if (payload.length > PAYLOAD_BYTES_MAX) revert PayloadTooLarge(payload.length);
        if (sha256(payload) != hash) revert PayloadDiffers(hash);
        emit TermsPublished(id, hash, payload);
    }

    // ---- for the base ---------------------------------------------------------------------------

    function _common(uint8 act) internal pure override returns (uint256) {
        return ReceivableRules.common(act);
    }

    function _roles(bytes32 id, bytes32 organisation) internal view override returns (uint256 parties) {
        Entry storage entry = _entries[id];
        if (organisation == entry.issuer) parties |= ReceivableRules.PARTY_ISSUER;
        if (organisation == entry.debtor) parties |= ReceivableRules.PARTY_DEBTOR;
        if (organisation == entry.attestor) parties |= ReceivableRules.PARTY_ATTESTOR;
        if (organisation == entry.creditor) {
            parties |= ReceivableRules.PARTY_CREDITOR;
            if (organisation == _controls[id].holder) parties |= ReceivableRules.PARTY_SELLER;
        }
    }

    function _handOver(bytes32 id, bytes32 to) internal override {
        _checkTrader(to);
        if (to == _entries[id].debtor) revert InvalidParty(to); // nobody owes himself
        _controls[id].holder = to;
    }

    function _done(bytes32 id, uint256 rule, bytes32 by, bytes32 detail, string memory remark) internal override {
        Entry storage entry = _entries[id];
        uint8 act = rule.act();
        if (act == Rules.SETTLE || act == Rules.SEIZE || act == Rules.ENCUMBER) entry.financed = true;
        if (act == Rules.SETTLE) _pass(id, by, detail, entry.undertaken);
        if (act == Rules.SEIZE || act == Rules.AWARD) _retrace(id, _controls[id].holder);
        if (act == Rules.SETTLE || act == Rules.SEIZE || act == Rules.AWARD) entry.undertaken = false;
        bool byOthers = act == Rules.FREEZE || act == Rules.UNFREEZE || act == Rules.PERMIT || act == Rules.DISENCUMBER;
        // What somebody else does does not take the recipient's right to reject an endorsement.
        if (byOthers && entry.rejectableRevision + 1 == _controls[id].revision) ++entry.rejectableRevision;
        _publishAct(id, rule, by, detail, remark);
    }
}
