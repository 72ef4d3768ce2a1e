// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {PoolDays} from "./bases/PoolDays.sol";
import {IPoolBook} from "./interfaces/IPoolBook.sol";
import {IPools} from "./interfaces/IPools.sol";
import {PoolPlaces} from "./libraries/PoolPlaces.sol";

/// @title PoolBook
/// @notice How a pool comes into being, who holds its offices and tranches, and how it ends.
contract PoolBook is PoolDays {
    uint256 private constant TRANCHES_MAX = 8;
    /// @dev Of a tranche when it is agreed.
    uint256 private constant FIRST_HOLDERS_MAX = 16;
    /// @dev A part below a sixteenth of its tranche is small. A tranche begins with at most eight of them and gets
    /// no more, and more than sixteen others there cannot be: nobody's sales take a place from anybody else.
    uint256 private constant LARGE_PARTS = 16;
    uint256 private constant SMALL_MAX = 8;
    uint256 private constant HOLDERS_MAX = LARGE_PARTS + SMALL_MAX;
    uint256 private constant FEES_MAX = 4;
    uint256 private constant ASSETS_MAX = 16_777_216;
    uint256 private constant PAYLOAD_BYTES_MAX = 65_536;
    /// @dev 9999-12-31: what calendars of programs end with.
    uint32 private constant DATE_MAX = 2_932_896;
    uint8 private constant BOTH_ACCEPTED = 3;

    mapping(bytes32 id => Tranche[]) private _tranches;
    mapping(bytes32 id => Fee[]) private _fees;
    mapping(bytes32 id => mapping(uint256 tranche => bytes32[])) private _holders;
    mapping(bytes32 id => mapping(uint256 tranche => mapping(bytes32 holder => uint128))) private _units;

    // ---- coming into being --------------------------------------------------------------------

    /// @inheritdoc IPoolBook
    function create(
        bytes32 number,
        Terms calldata terms,
        Fee[] calldata fees,
        TrancheDraft[] calldata tranches,
        bytes calldata payload,
        string calldata remark
    ) external returns (bytes32 id) {
        _checkRemark(remark);
        bytes32 by = _caller();
        IConsortium.Role role = Places.CONSORTIUM.roleOf(msg.sender);
        if (role != IConsortium.Role.Bank && role != IConsortium.Role.Operator) revert NotArranger(by);
        if (number == 0) revert InvalidPool("number");
        id = idOf(by, number);
        Pool storage pool = _pools[id];
        if (pool.state != State.None) revert PoolExists(id);
        Places.checkCurrent(POOL_BOOK, address(this));
        _checkTerms(terms);
        pool.arranger = by;
        pool.number = number;
        pool.terms = terms;
        pool.state = State.Proposed;
        _agreeFees(id, fees);
        _agreeTranches(id, tranches);
        _publish(id, terms.rules, payload);
        _tell(id, by, Act.Create, remark);
    }

    function _checkTerms(Terms calldata terms) private view {
        _checkActive(terms.trustee);
        _checkActive(terms.servicer);
        _checkActive(terms.residual);
        if (terms.trustee == terms.servicer) revert InvalidPool("servicer");
        if (!_isCurrency(terms.currency)) revert InvalidPool("currency");
        if (terms.basis != 360 && terms.basis != 365) revert InvalidPool("basis");
        if (terms.start == 0 || terms.start > DATE_MAX) revert InvalidPool("start");
        if (terms.limits.admitUntil > DATE_MAX) revert InvalidPool("admitUntil");
        if (terms.rules == 0) revert InvalidPool("rules");
        if (terms.terms == 0) revert InvalidPool("terms");
        if (terms.limits.assetsMax == 0 || terms.limits.assetsMax > ASSETS_MAX) revert InvalidPool("assetsMax");
        if (terms.limits.balanceMax == 0 || terms.limits.balanceMax > AMOUNT_MAX) revert InvalidPool("balanceMax");
    }

    /// @dev Three capital letters.
    function _isCurrency(bytes3 code) private pure returns (bool) {
        for (uint256 i = 0; i < 3; ++i) {
            if (code[i] < "A" || code[i] > "Z") return false;
        }
        return true;
    }

    function _agreeFees(bytes32 id, Fee[] calldata fees) private {
        if (fees.length > FEES_MAX) revert InvalidFee(FEES_MAX);
        for (uint256 i = 0; i < fees.length; ++i) {
            Fee calldata fee = fees[i];
            _checkActive(fee.payee);
            if (fee.rateBp > BP_MAX || fee.fixedAmount > AMOUNT_MAX || (fee.rateBp == 0 && fee.fixedAmount == 0)) {
                revert InvalidFee(i);
            }
            _fees[id].push(fee);
        }
        emit FeesAgreed(id, fees);
    }

    function _agreeTranches(bytes32 id, TrancheDraft[] calldata tranches) private {
        if (tranches.length == 0 || tranches.length > TRANCHES_MAX) revert InvalidTranche(TRANCHES_MAX);
        uint8 rank = 1;
        for (uint256 i = 0; i < tranches.length; ++i) {
            TrancheDraft calldata draft = tranches[i];
            if (
                draft.name == 0 || draft.rateBp > BP_MAX || draft.seniority < rank || draft.holders.length == 0
                    || draft.holders.length > FIRST_HOLDERS_MAX || draft.holders.length != draft.units.length
            ) revert InvalidTranche(i);
            rank = draft.seniority;
            uint128 principal = _give(id, i, draft);
            Tranche memory tranche = Tranche(draft.name, rank, draft.rateBp, principal);
            _tranches[id].push(tranche);
            emit TrancheAgreed(id, i, tranche, draft.holders, draft.units);
        }
    }

    function _give(bytes32 id, uint256 index, TrancheDraft calldata draft) private returns (uint128) {
        uint256 principal = 0;
        for (uint256 i = 0; i < draft.holders.length; ++i) {
            bytes32 holder = draft.holders[i];
            _checkActive(holder);
            if (draft.units[i] == 0 || _units[id][index][holder] != 0) revert InvalidTranche(index);
            _units[id][index][holder] = draft.units[i];
            _holders[id][index].push(holder);
            principal += draft.units[i];
        }
        uint256 small = 0;
        for (uint256 i = 0; i < draft.units.length; ++i) small += _small(draft.units[i], principal / LARGE_PARTS);
        if (principal > AMOUNT_MAX || small > SMALL_MAX) revert InvalidTranche(index);
        return uint128(principal);
    }

    function _publish(bytes32 id, bytes32 rules, bytes calldata payload) private {
        if (payload.length == 0) return;
        if (payload.length > PAYLOAD_BYTES_MAX || sha256(payload) != rules) revert PayloadDiffers(rules);
        emit RulesPublished(id, rules, payload);
    }

    // ---- offices ------------------------------------------------------------------------------

    /// @inheritdoc IPoolBook
    function accept(bytes32 id, Office office, string calldata remark) external {
        _checkRemark(remark);
        bytes32 by = _caller();
        Pool storage pool = _pools[id];
        if (pool.state == State.Active) {
            _replace(id, pool, office, by);
            _tell(id, by, Act.Replace, remark);
            return;
        }
        _in(id, State.Proposed);
        uint8 bit = uint8(1) << uint8(office);
        if (by != _holderOf(pool, office) || pool.accepted & bit != 0) revert NotOffice(id, by);
        pool.accepted |= bit;
        if (pool.accepted == BOTH_ACCEPTED) pool.state = State.Active;
        _tell(id, by, Act.Accept, remark);
    }

    function _replace(bytes32 id, Pool storage pool, Office office, bytes32 by) private {
        if (pool.nominees[uint256(office)] != by) revert NotOffice(id, by);
        pool.nominees[uint256(office)] = 0;
        if (office == Office.Trustee) pool.terms.trustee = by;
        else pool.terms.servicer = by;
        if (pool.terms.trustee == pool.terms.servicer) revert InvalidPool("servicer");
    }

    function _holderOf(Pool storage pool, Office office) private view returns (bytes32) {
        return office == Office.Trustee ? pool.terms.trustee : pool.terms.servicer;
    }

    /// @inheritdoc IPoolBook
    function withdraw(bytes32 id, string calldata remark) external {
        _checkRemark(remark);
        Pool storage pool = _in(id, State.Proposed);
        bytes32 by = _caller();
        if (by != pool.arranger) revert NotOffice(id, by);
        pool.state = State.Withdrawn;
        _tell(id, by, Act.Withdraw, remark);
    }

    /// @inheritdoc IPoolBook
    function appoint(bytes32 id, Office office, bytes32 organisation, string calldata remark) external {
        _checkRemark(remark);
        Pool storage pool = _in(id, State.Active);
        bytes32 by = _caller();
        bool orphaned = office == Office.Trustee && by == pool.arranger && !_isActive(pool.terms.trustee);
        if (by != pool.terms.trustee && !orphaned) revert NotOffice(id, by);
        _checkActive(organisation);
        if (organisation == pool.terms.trustee || organisation == pool.terms.servicer) revert InvalidPool("office");
        pool.nominees[uint256(office)] = organisation;
        _tell(id, by, Act.Appoint, remark);
    }

    /// @inheritdoc IPoolBook
    function close(bytes32 id, string calldata remark) external {
        _checkRemark(remark);
        Pool storage pool = _in(id, State.Active);
        bytes32 by = _caller();
        if (by != pool.terms.trustee) revert NotOffice(id, by);
        if (!PoolPlaces.POOLS.isSettled(id)) revert PoolNotEmpty(id);
        uint256 owed = _owed(id);
        if (owed != 0 && !_isWrittenOff(id, pool.lastDate)) revert PrincipalOwed(id, owed);
        pool.state = State.Closed;
        _tell(id, by, Act.Close, remark);
    }

    function _owed(bytes32 id) private view returns (uint256 owed) {
        // slither-disable-next-line unused-return
        (IPools.Owed[] memory had,) = PoolPlaces.POOLS.owedOf(id);
        for (uint256 i = 0; i < had.length; ++i) owed += _tranches[id][i].principal - had[i].repaid;
    }

    /// @dev No instrument of this ledger is left in it, and the last distribution went by the newest state, in which
    /// nothing is owed to the pool any more; or there never was a state: it had no asset that could be lost.
    function _isWrittenOff(bytes32 id, uint32 date) private view returns (bool) {
        if (_admitted[id] != 0) return false;
        if (date == 0) return true;
        uint256 periods = PoolPlaces.POOLS.accountOf(id).periods;
        if (periods == 0) return false;
        IPools.Distribution memory last = PoolPlaces.POOLS.distributionOf(id, periods);
        if (last.end != date || last.revision != revisionsOf(id, date)) return false;
        Day memory day = dayOf(id, date, 0);
        return uint256(day.performing) + day.overdue + day.defaulted == 0;
    }

    // ---- holdings -----------------------------------------------------------------------------

    /// @inheritdoc IPoolBook
    function assign(bytes32 id, uint256 tranche, bytes32 to, uint128 units) external {
        _in(id, State.Active);
        bytes32 from = _caller();
        _checkActive(to);
        mapping(bytes32 => uint128) storage holding = _units[id][tranche];
        if (units == 0 || from == to || holding[from] < units) revert NotEnoughUnits(id, from, holding[from]);
        uint256 small = _smallOf(id, tranche, from, to);
        _move(_holders[id][tranche], holding, from, to, units);
        // More holders than there may be are possible only where a sixteenth is a few hundredths.
        if (_smallOf(id, tranche, from, to) > small || _holders[id][tranche].length > HOLDERS_MAX) {
            revert TooManyHolders(id, tranche, _least(id, tranche));
        }
        emit UnitsMoved(id, from, to, tranche, units, holding[from], holding[to]);
    }

    function _move(
        bytes32[] storage holders,
        mapping(bytes32 => uint128) storage holding,
        bytes32 from,
        bytes32 to,
        uint128 units
    ) private {
        holding[from] -= units;
        if (holding[from] == 0) _drop(holders, from);
        if (holding[to] == 0) holders.push(to);
        holding[to] += units;
    }

    function _least(bytes32 id, uint256 tranche) private view returns (uint256) {
        return _tranches[id][tranche].principal / LARGE_PARTS;
    }

    /// @dev How many of the two have a small part.
    function _smallOf(bytes32 id, uint256 tranche, bytes32 from, bytes32 to) private view returns (uint256) {
        uint256 least = _least(id, tranche);
        return _small(_units[id][tranche][from], least) + _small(_units[id][tranche][to], least);
    }

    function _small(uint256 units, uint256 least) private pure returns (uint256) {
        return units != 0 && units < least ? 1 : 0;
    }

    function _drop(bytes32[] storage holders, bytes32 holder) private {
        uint256 last = holders.length - 1;
        for (uint256 i = 0; i < last; ++i) {
            if (holders[i] != holder) continue;
            holders[i] = holders[last];
            break;
        }
        holders.pop();
    }

    function _checkActive(bytes32 organisation) private view {
        if (!_isActive(organisation)) revert PartyNotActive(organisation);
    }

    function _tell(bytes32 id, bytes32 by, Act act, string calldata remark) private {
        emit PoolChanged(id, by, act, _pools[id], remark);
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IPoolBook
    function poolOf(bytes32 id) external view returns (Pool memory) {
        return _pools[id];
    }

    /// @inheritdoc IPoolBook
    function idOf(bytes32 arranger, bytes32 number) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), arranger, number));
    }

    /// @inheritdoc IPoolBook
    function tranchesOf(bytes32 id) external view returns (Tranche[] memory) {
        return _tranches[id];
    }

    /// @inheritdoc IPoolBook
    function feesOf(bytes32 id) external view returns (Fee[] memory) {
        return _fees[id];
    }

    /// @inheritdoc IPoolBook
    function holdersOf(bytes32 id, uint256 tranche) external view returns (bytes32[] memory, uint256[] memory) {
        bytes32[] memory holders = _holders[id][tranche];
        uint256[] memory units = new uint256[](holders.length);
        for (uint256 i = 0; i < holders.length; ++i) units[i] = _units[id][tranche][holders[i]];
        return (holders, units);
    }
}
