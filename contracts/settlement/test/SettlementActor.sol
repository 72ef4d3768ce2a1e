// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {Receivables} from "../../receivables/Receivables.sol";
import {IReceivables} from "../../receivables/interfaces/IReceivables.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {SettlementRules} from "../libraries/SettlementRules.sol";
import {DepositsActor} from "./DepositsActor.sol";

/// @notice The same members with receipts and receivables: they sell them, and the mill pays what it owes
/// whenever it likes.
contract SettlementActor is DepositsActor {
    Receivables private constant RECEIVABLES = Receivables(0x7A1100000000000000000000000000000000000b);
    uint256 private constant THINGS = 12;

    /// @dev Receipts at even places, receivables at odd ones.
    bytes32[THINGS] private _things;
    bytes32[] private _deals;
    mapping(bytes32 deal => uint256) private _paid;
    /// @dev What the instrument was worth when the buyer bound himself.
    mapping(bytes32 deal => uint256) private _agreed;

    function found() external {
        _foundDeposits();
        _place(address(RECEIVABLES), type(Receivables).creationCode);
        _register("receivables", address(RECEIVABLES));
        bytes32 lot = _lot("wheat 1", 1000);
        for (uint256 i = 0; i < THINGS; ++i) {
            _things[i] = i % 2 == 0 ? _issued(_letters(), lot, 10) : _owed(i == 1);
        }
    }

    /// @dev An invoice of the supplier's for 1,000 that the mill has accepted.
    function _owed(bool pledged) private returns (bytes32 id) {
        IReceivables.Draft memory draft;
        draft.kind = IReceivables.Kind.Invoice;
        draft.number = _letters();
        draft.creditor = SUPPLIER;
        draft.debtor = MILL;
        draft.terms = keccak256("terms");
        draft.amount = 1_000;
        draft.currency = CNY;
        draft.due = uint48(block.timestamp + 1_000 days);
        draft.keys = new bytes32[](1);
        draft.keys[0] = _fresh();
        _as(SUPPLIER);
        id = RECEIVABLES.create(draft, "");
        _as(MILL);
        RECEIVABLES.accept(id, 0, true, 0, "");
        if (pledged) _pledged(address(RECEIVABLES), id, BANK);
    }

    function _placeOf(uint256 thing) private pure returns (address) {
        return thing % 2 == 0 ? address(RECEIPTS) : address(RECEIVABLES);
    }

    /// @dev Its state, and how much of goods or money it stands for.
    function _worth(IDeals.Leg memory leg) private view returns (uint256) {
        uint8 state = IInstrument(leg.instrument).control(leg.id).state;
        bool goods = leg.instrument == address(RECEIPTS);
        uint128 amount = goods ? RECEIPTS.receipt(leg.id).quantity : RECEIVABLES.receivable(leg.id).outstanding;
        return (uint256(state) << 128) | amount;
    }

    // ---- the debtor -----------------------------------------------------------------------------

    function discharge(uint256 seed, uint256 b, uint128 amount) external {
        bytes32 id = _promisedOr(seed, _things[(seed | 1) % THINGS]);
        uint128 left = RECEIVABLES.receivable(id).outstanding;
        amount = amount % 8 == 0 ? left : 1 + amount % 100;
        if (DEPOSITS.freeOf(_bank(b), CNY, MILL) < amount) b ^= 1;
        IInstrument.Control memory control = RECEIVABLES.control(id);
        ISettlement.Discharge memory debt =
            ISettlement.Discharge(address(RECEIVABLES), id, 0, _bank(b), amount, _fresh());
        (bool ok, bytes memory answer) =
            _try(address(SETTLEMENT), MILL, abi.encodeCall(ISettlement.discharge, (debt, "")));
        if (!ok) return;
        require(RECEIVABLES.receivable(id).outstanding == left - amount, "so much less is owed");
        bool pledged = control.pledgee != 0;
        if (pledged) _holds.push(abi.decode(answer, (bytes32)));
        _cross(_bank(b), pledged ? control.pledgee : DEPOSITS.homeOf(control.holder, CNY), amount);
    }

    /// @dev Every other time one that somebody's money waits for, where there is one.
    function _promisedOr(uint256 seed, bytes32 other) private view returns (bytes32) {
        for (uint256 i = 0; i < _deals.length && seed % 2 == 0; ++i) {
            IDeals.Deal memory deal = SETTLEMENT.deal(_deals[i]);
            bool sold = deal.legs.length != 0 && deal.legs[0].instrument == address(RECEIVABLES);
            if (sold && _underWay(deal.state)) return deal.legs[0].id;
        }
        return other;
    }

    /// @dev He contests it, and owes it after all.
    function contest(uint256 seed) external {
        bytes32 id = _things[(seed | 1) % THINGS];
        bytes memory data = seed % 8 == 0
            ? abi.encodeCall(IReceivables.dispute, (id, 0, EVIDENCE, "wet"))
            : abi.encodeCall(IReceivables.withdrawDispute, (id, 0, ""));
        _try(address(RECEIVABLES), MILL, data);
    }

    /// @dev In place of one that is paid, the supplier has another one.
    function owe(uint256 seed) external {
        uint256 thing = (seed | 1) % THINGS;
        bytes32 id = _things[thing];
        bool over = RECEIVABLES.receivable(id).outstanding == 0 && !RECEIVABLES.control(id).locked;
        bool may = CONSORTIUM.administers(account(SUPPLIER)) != 0 && CONSORTIUM.administers(account(BANK)) != 0;
        if (over && may) _things[thing] = _owed(seed % 4 == 1);
    }

    // ---- deals ----------------------------------------------------------------------------------

    function offer(uint256 seed, uint256 buyer, uint128 amount, uint256 kind) external {
        if (!_hasRoom(seed)) return;
        uint256 thing = seed % THINGS;
        IDeals.Draft memory draft = _draftDeal(buyer % 5 == 4 ? bytes32(0) : _party(buyer), amount % 2_000, _any(kind));
        IInstrument.Control memory control = IInstrument(_placeOf(thing)).control(_things[thing]);
        IDeals.Leg[] memory legs = new IDeals.Leg[](1);
        legs[0] = IDeals.Leg(_placeOf(thing), control.revision, _things[thing]);
        _keep(control.holder, abi.encodeCall(IDeals.offer, (draft, legs, "")));
    }

    function setAside(uint256 by, uint256 payee, uint128 amount, uint256 b, uint256 kind) external {
        if (_deals.length > LISTED_MAX / 2 && by % 4 != 0 || !_hasRoom(by)) return;
        IDeals.Draft memory draft = _draftDeal(_party(payee), amount % 2_000, _any(1 + kind % 2));
        draft.expires = 0;
        draft.buyerBank = _bank(b);
        _keep(_party(by), abi.encodeCall(IDeals.setAside, (draft, "")));
    }

    function _hasRoom(uint256 seed) private returns (bool) {
        _forget(_deals, seed, !_live(SETTLEMENT.deal(_one(_deals, seed)).state));
        return _deals.length < LISTED_MAX;
    }

    function _keep(bytes32 by, bytes memory data) private {
        (bool ok, bytes memory answer) = _try(address(SETTLEMENT), by, data);
        if (ok) _deals.push(abi.decode(answer, (bytes32)));
    }

    function _any(uint256 kind) private view returns (IDeals.Condition memory condition) {
        if (kind % 3 == 0) return _none();
        if (kind % 3 == 1) return _date();
        condition = _inspection();
        condition.deadline = uint48(block.timestamp + 2 days);
    }

    function enter(uint256 seed, uint256 by, uint256 b, uint256 seen) external {
        bytes32 id = _offered(seed);
        IDeals.Deal memory deal = SETTLEMENT.deal(id);
        if (deal.legs.length == 0) return;
        bool commits = deal.condition.kind != IDeals.ConditionKind.None;
        bytes4 act = commits ? IDeals.commit.selector : IDeals.accept.selector;
        bytes memory data = abi.encodeWithSelector(act, id, deal.revision, _bank(b), _seen(deal, seen), "");
        uint256 worth = _worth(deal.legs[0]);
        if (!commits) _agreed[id] = worth;
        if (_watched(id, deal.buyer == 0 ? _party(by) : deal.buyer, data)) _agreed[id] = worth;
    }

    function _offered(uint256 seed) private view returns (bytes32 id) {
        for (uint256 i = 0; i < _deals.length; ++i) {
            id = _deals[addmod(seed, i, _deals.length)];
            if (SETTLEMENT.deal(id).state == SettlementRules.STATE_OFFERED) break;
        }
    }

    function _goingOn(uint256 seed) private view returns (bytes32 id) {
        for (uint256 i = 0; i < _deals.length; ++i) {
            id = _deals[addmod(seed, i, _deals.length)];
            if (_live(SETTLEMENT.deal(id).state)) break;
        }
    }

    /// @dev The revision now, or none in particular.
    function _seen(IDeals.Deal memory deal, uint256 seed) private view returns (uint64[] memory revisions) {
        revisions = new uint64[](1);
        IDeals.Leg memory leg = deal.legs[0];
        if (seed % 2 == 0) revisions[0] = IInstrument(leg.instrument).control(leg.id).revision;
    }

    function _changed(uint256 seed) private view returns (bytes32 id) {
        for (uint256 i = 0; i < _deals.length; ++i) {
            id = _deals[addmod(seed, i, _deals.length)];
            IDeals.Deal memory deal = SETTLEMENT.deal(id);
            if (deal.legs.length != 0 && _underWay(deal.state) && _worth(deal.legs[0]) != _agreed[id]) break;
        }
    }

    function affirm(uint256 seed, uint256 seen) external {
        bytes32 id = _changed(seed);
        IDeals.Deal memory deal = SETTLEMENT.deal(id);
        if (deal.legs.length == 0) return;
        bytes memory data = abi.encodeCall(IDeals.affirm, (id, deal.revision, _seen(deal, seen), ""));
        uint256 before = _agreed[id];
        _agreed[id] = _worth(deal.legs[0]); // what is due is settled at once
        if (!_watched(id, deal.buyer, data)) _agreed[id] = before;
    }

    function rescind(uint256 seed) external {
        bytes32 id = seed % 4 != 0 ? _goingOn(seed) : _changed(seed);
        IDeals.Deal memory deal = SETTLEMENT.deal(id);
        bool ok = _watched(id, deal.buyer, abi.encodeCall(IDeals.rescind, (id, 0, "")));
        if (deal.legs.length == 0) {
            require(!ok, "a payment has nothing that could change");
            return;
        }
        bool active = CONSORTIUM.administers(account(deal.buyer)) != 0;
        bool less = _underWay(deal.state) && _worth(deal.legs[0]) != _agreed[id];
        require(ok || !less || !active, "the buyer alone gets out of what has changed");
    }

    function _late(uint256 seed) private view returns (bytes32 id) {
        for (uint256 i = 0; i < _deals.length; ++i) {
            id = _deals[addmod(seed, i, _deals.length)];
            IDeals.Deal memory deal = SETTLEMENT.deal(id);
            bool late = deal.condition.deadline != 0 && deal.condition.deadline < block.timestamp;
            if (late && deal.state == SettlementRules.STATE_OPEN) break;
        }
    }

    function end(uint256 seed, uint256 by, uint256 how) external {
        bytes32 id = how % 6 == 3 ? _late(seed) : _goingOn(seed);
        IDeals.Deal memory deal = SETTLEMENT.deal(id);
        bytes4[6] memory acts = [
            IDeals.decline.selector,
            IDeals.withdraw.selector,
            IDeals.expire.selector,
            IDeals.giveBack.selector,
            deal.cancelAskedBy == 0 ? IDeals.askCancel.selector : IDeals.agreeCancel.selector,
            IDeals.agreeCancel.selector
        ];
        bytes32[3] memory who = [deal.seller, deal.buyer, _party(by)];
        if (deal.cancelAskedBy != 0) who[2] = deal.cancelAskedBy == deal.seller ? deal.buyer : deal.seller;
        _watched(id, who[by % 3], abi.encodeWithSelector(acts[how % 6], id, 0, ""));
    }

    function speak(uint256 seed, uint256 yes) external {
        bytes32 id = _goingOn(seed);
        bytes4 act = yes % 2 == 0 ? IDeals.attest.selector : IDeals.deny.selector;
        _watched(id, INSPECTOR, abi.encodeWithSelector(act, id, 0, EVIDENCE, ""));
    }

    function _due(uint256 seed) private view returns (bytes32 id) {
        for (uint256 i = 0; i < _deals.length; ++i) {
            id = _deals[addmod(seed, i, _deals.length)];
            IDeals.Deal memory deal = SETTLEMENT.deal(id);
            bool dated = deal.condition.kind == IDeals.ConditionKind.Date && deal.condition.due <= block.timestamp;
            if (deal.state == SettlementRules.STATE_MET) break;
            if (deal.state == SettlementRules.STATE_OPEN && dated) break;
        }
    }

    function execute(uint256 seed, uint256 by) external {
        bytes32 id = _due(seed);
        _watched(id, _party(by), abi.encodeCall(IDeals.execute, (id, 0, "")));
    }

    function quash(uint256 seed) external {
        bytes32 id = _goingOn(seed);
        _watched(id, ARBITRATOR, abi.encodeCall(IDeals.quash, (id, 0, DECISION, "")));
    }

    /// @dev Counts what a deal has paid, and looks at what was handed over for it.
    function _watched(bytes32 id, bytes32 by, bytes memory data) private returns (bool ok) {
        uint8 before = SETTLEMENT.deal(id).state;
        (ok,) = _try(address(SETTLEMENT), by, data);
        IDeals.Deal memory deal = SETTLEMENT.deal(id);
        if (!ok || deal.state == before || deal.state != SettlementRules.STATE_SETTLED) return ok;
        _paid[id] += deal.amount;
        _cross(deal.buyerBank, deal.sellerBank, deal.amount);
        if (deal.legs.length == 0) return ok;
        IDeals.Leg memory leg = deal.legs[0];
        require(IInstrument(leg.instrument).control(leg.id).holder == deal.buyer, "the buyer holds it");
        require(_worth(leg) == _agreed[id], "worth what it was when the buyer bound himself");
    }

    // ---- what ought to hold -----------------------------------------------------------------------

    function check() external view {
        for (uint256 b = 0; b < 2; ++b) _checkMoney(_bank(b), _bank(b + 1));
        for (uint256 i = 0; i < THINGS; ++i) _checkLock(_placeOf(i), _things[i]);
        for (uint256 i = 0; i < _deals.length; ++i) {
            IDeals.Deal memory deal = SETTLEMENT.deal(_deals[i]);
            uint256 due = deal.state == SettlementRules.STATE_SETTLED ? deal.amount : 0;
            require(_paid[_deals[i]] == due, "a deal is paid once");
        }
    }

    function _promisedInDeals(bytes32 b, bytes32 owner) internal view override returns (uint256 sum) {
        for (uint256 i = 0; i < _deals.length; ++i) {
            IDeals.Deal memory deal = SETTLEMENT.deal(_deals[i]);
            if (deal.buyer == owner && deal.buyerBank == b && _underWay(deal.state)) sum += deal.amount;
        }
    }

    function _checkLock(address place, bytes32 id) private view {
        uint256 promises;
        for (uint256 i = 0; i < _deals.length; ++i) {
            IDeals.Deal memory deal = SETTLEMENT.deal(_deals[i]);
            if (_live(deal.state) && deal.legs.length != 0 && deal.legs[0].id == id) ++promises;
        }
        bool locked = IInstrument(place).control(id).locked;
        require(promises == (locked ? 1 : 0), "promised once, and locked then alone");
    }

    function _live(uint8 state) private pure returns (bool) {
        return state == SettlementRules.STATE_OFFERED || _underWay(state);
    }

    function _underWay(uint8 state) private pure returns (bool) {
        return state == SettlementRules.STATE_OPEN || state == SettlementRules.STATE_MET;
    }
}
