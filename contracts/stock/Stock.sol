// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IConsortium} from "../consortium/interfaces/IConsortium.sol";
import {Codes} from "../instruments/libraries/Codes.sol";
import {Places} from "../instruments/libraries/Places.sol";
import {IStock} from "./interfaces/IStock.sol";

/// @title Stock
/// @notice Counts by devices and inspectors beside what live receipts stand for.
contract Stock is IStock {
    uint256 private constant COUNTERS_MAX = 8;
    uint16 private constant BP_MAX = 10_000;
    uint256 private constant REASON_BYTES_MAX = 256;
    /// @dev How far a counter's clock may be ahead of block time.
    uint256 private constant CLOCK_AHEAD = 5 minutes;
    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant COUNT_TYPE =
        keccak256("Count(bytes32 key,uint128 quantity,uint48 countedAt,uint64 sequence,bytes32 evidence)");

    mapping(bytes32 key => Lot) private _lots;
    mapping(bytes32 key => mapping(bytes32 organisation => bool)) private _counters;
    mapping(bytes32 key => uint256) private _counterCounts;
    mapping(bytes32 key => mapping(address counter => uint64)) private _sequences;
    mapping(bytes32 key => uint48) private _deliveredAt;

    modifier onlyReceipts() {
        if (Places.DIRECTORY.nameOf(msg.sender) != Places.RECEIPTS) revert NotInstrument(msg.sender);
        _;
    }

    modifier onlyWarehouseOf(bytes32 key) {
        _checkWarehouse(key, _administrator());
        _;
    }

    // ---- lots ---------------------------------------------------------------------------------

    /// @inheritdoc IStock
    function registerLot(bytes32 place, bytes32 lot, Agreement calldata agreement, bytes32[] calldata counters)
        external
        returns (bytes32 key)
    {
        bytes32 warehouse = _administrator();
        if (Places.CONSORTIUM.roleOf(msg.sender) != IConsortium.Role.Warehouse) revert NotWarehouse(warehouse);
        _checkAgreement(agreement);
        key = keyOf(warehouse, place, lot);
        if (_lots[key].warehouse != 0) revert LotExists(key);
        if (counters.length == 0 || counters.length > COUNTERS_MAX) revert InvalidCounters(counters.length);
        Lot storage entry = _lots[key];
        entry.warehouse = warehouse;
        entry.place = place;
        entry.lot = lot;
        entry.agreement = agreement;
        for (uint256 i = 0; i < counters.length; ++i) _addCounter(key, counters[i]);
        emit LotRegistered(key, warehouse, place, lot, agreement, counters);
    }

    /// @inheritdoc IStock
    function setAgreement(bytes32 key, Agreement calldata agreement) external onlyWarehouseOf(key) {
        _checkAgreement(agreement);
        _checkUnused(key);
        _lots[key].agreement = agreement;
        emit AgreementChanged(key, agreement);
    }

    /// @inheritdoc IStock
    function setCounter(bytes32 key, bytes32 organisation, bool may) external {
        bytes32 by = _administrator();
        if (!_isAuthority()) {
            _checkWarehouse(key, by);
            _checkUnused(key);
        } else if (_lots[key].warehouse == 0) {
            revert UnknownLot(key);
        }
        if (may) {
            _addCounter(key, organisation);
        } else {
            if (!_counters[key][organisation]) revert Unchanged();
            if (_counterCounts[key] == 1) revert InvalidCounters(0);
            _counters[key][organisation] = false;
            --_counterCounts[key];
        }
        emit CounterChanged(key, organisation, may);
    }

    /// @inheritdoc IStock
    function entrust(bytes32 key, bytes32 warehouse, bytes32 decision) external {
        bytes32 by = _administrator();
        if (!_isAuthority()) revert NotAuthority(by);
        if (decision == 0) revert DecisionMissing();
        bytes32 former = _lots[key].warehouse;
        if (former == 0) revert UnknownLot(key);
        if (Places.CONSORTIUM.statusOf(former) == IConsortium.Status.Active) revert WarehouseActive(former);
        IConsortium.Organisation memory known = Places.CONSORTIUM.organisation(warehouse);
        if (known.status != IConsortium.Status.Active || known.role != IConsortium.Role.Warehouse) {
            revert NotWarehouse(warehouse);
        }
        _lots[key].warehouse = warehouse;
        emit LotEntrusted(key, warehouse, by, former, decision);
    }

    function _addCounter(bytes32 key, bytes32 organisation) private {
        if (_counters[key][organisation]) revert Unchanged();
        if (_counterCounts[key] == COUNTERS_MAX) revert InvalidCounters(COUNTERS_MAX + 1);
        if (Places.CONSORTIUM.statusOf(organisation) != IConsortium.Status.Active) {
            revert NotCounter(key, organisation);
        }
        _counters[key][organisation] = true;
        ++_counterCounts[key];
    }

    function _checkAgreement(Agreement calldata agreement) private pure {
        bool fixedGoods = agreement.nature == Nature.Fixed;
        if (
            agreement.nature == Nature.None || !Codes.isUnit(agreement.unit) || agreement.shortfallBp > BP_MAX
                || agreement.adjustmentBp > BP_MAX || agreement.countAgeMax == 0
                || (fixedGoods && agreement.adjustmentBp != 0)
        ) revert InvalidAgreement();
    }

    function _checkUnused(bytes32 key) private view {
        if (_lots[key].live != 0) revert LotInUse(key, _lots[key].live);
    }

    // ---- counting -----------------------------------------------------------------------------

    /// @inheritdoc IStock
    function count(Count calldata told) external {
        _count(told, msg.sender);
    }

    /// @inheritdoc IStock
    function countSigned(Count calldata told, uint8 v, bytes32 r, bytes32 s) external {
        // slither-disable-next-line unused-return
        (address counter, ECDSA.RecoverError problem,) = ECDSA.tryRecover(countHash(told), v, r, s);
        if (problem != ECDSA.RecoverError.NoError) revert InvalidSignature();
        _count(told, counter);
    }

    function _count(Count calldata told, address counter) private {
        Lot storage entry = _lots[told.key];
        if (entry.warehouse == 0) revert UnknownLot(told.key);
        // slither-disable-next-line unused-return
        (bytes32 organisation,, bool active) = Places.CONSORTIUM.standing(counter);
        if (!active) revert CallerNotActive(counter);
        if (!_counters[told.key][organisation]) revert NotCounter(told.key, organisation);
        if (told.evidence == 0) revert EvidenceMissing();
        if (told.sequence <= _sequences[told.key][counter]) {
            revert CountReplayed(told.key, counter, told.sequence);
        }
        // Kept back until goods have left, a count would make what left stand for receipts again.
        bool late = told.countedAt < entry.countedAt || told.countedAt <= _deliveredAt[told.key];
        if (late || told.countedAt > block.timestamp + CLOCK_AHEAD) {
            revert CountTimeRefused(told.key, told.countedAt);
        }
        _sequences[told.key][counter] = told.sequence;
        entry.counted = told.quantity;
        entry.lastCount = told.quantity;
        entry.countedAt = told.countedAt;
        _judge(told.key, entry);
        emit Counted(told.key, counter, organisation, told, entry);
    }

    /// @inheritdoc IStock
    function adjust(bytes32 key, uint128 counted, string calldata reason) external onlyWarehouseOf(key) {
        uint256 length = bytes(reason).length;
        if (length == 0 || length > REASON_BYTES_MAX) revert ReasonMissing();
        Lot storage entry = _lots[key];
        uint256 room = uint256(entry.lastCount) * entry.agreement.adjustmentBp / BP_MAX;
        uint256 low = entry.lastCount - room;
        uint256 high = entry.lastCount + room;
        if (high > type(uint128).max) high = type(uint128).max;
        if (counted < low || counted > high) {
            revert AdjustmentTooLarge(key, counted, uint128(low), uint128(high));
        }
        if (counted == entry.counted) revert Unchanged();
        uint128 former = entry.counted;
        entry.counted = counted;
        emit Adjusted(key, entry.warehouse, former, counted, reason);
        _judge(key, entry);
    }

    /// @dev A shortfall begins or ends.
    function _judge(bytes32 key, Lot storage entry) private {
        uint256 allowed = uint256(entry.live) * entry.agreement.shortfallBp / BP_MAX;
        bool short = uint256(entry.counted) + allowed < entry.live;
        if (short == entry.short) return;
        entry.short = short;
        if (short) emit ShortfallBegan(key, entry.warehouse, entry.counted, entry.live);
        else emit ShortfallEnded(key, entry.warehouse, entry.counted, entry.live);
    }

    // ---- receipts -----------------------------------------------------------------------------

    /// @inheritdoc IStock
    function reserve(bytes32 key, bytes32 warehouse, uint128 quantity) external onlyReceipts {
        // Goods behind a receipt that no other one stood for: here, so that no former version is relied on.
        Places.checkCurrent(Places.RECEIPTS, msg.sender);
        Lot storage entry = _lots[key];
        if (entry.warehouse == 0) revert UnknownLot(key);
        if (entry.warehouse != warehouse) revert NotWarehouse(warehouse);
        if (entry.short) revert StockShort(key, entry.counted, entry.live);
        if (block.timestamp > uint256(entry.countedAt) + entry.agreement.countAgeMax) {
            revert CountTooOld(key, entry.countedAt);
        }
        uint128 free = entry.counted > entry.live ? entry.counted - entry.live : 0;
        if (quantity > free) revert NotEnoughStock(key, quantity, free);
        entry.live += quantity;
        emit StockMoved(key, msg.sender, entry.counted, entry.live);
    }

    /// @inheritdoc IStock
    function deliver(bytes32 key, uint128 quantity) external onlyReceipts {
        Lot storage entry = _lots[key];
        entry.live -= quantity;
        _deliveredAt[key] = uint48(block.timestamp);
        // What dried or died is gone before it is handed out: less may be there than receipts say.
        entry.counted = entry.counted > quantity ? entry.counted - quantity : 0;
        entry.lastCount = entry.lastCount > quantity ? entry.lastCount - quantity : 0;
        emit StockMoved(key, msg.sender, entry.counted, entry.live);
        _judge(key, entry);
    }

    /// @inheritdoc IStock
    function void(bytes32 key, uint128 quantity) external onlyReceipts {
        Lot storage entry = _lots[key];
        entry.live -= quantity;
        emit StockMoved(key, msg.sender, entry.counted, entry.live);
        _judge(key, entry);
    }

    // ---- reading ------------------------------------------------------------------------------

    /// @inheritdoc IStock
    function lotOf(bytes32 key) external view returns (Lot memory) {
        return _lots[key];
    }

    /// @inheritdoc IStock
    function warehouseOf(bytes32 key) external view returns (bytes32) {
        return _lots[key].warehouse;
    }

    /// @inheritdoc IStock
    function keyOf(bytes32 warehouse, bytes32 place, bytes32 lot) public pure returns (bytes32) {
        return keccak256(abi.encode(warehouse, place, lot));
    }

    /// @inheritdoc IStock
    function isCounter(bytes32 key, bytes32 organisation) external view returns (bool) {
        return _counters[key][organisation];
    }

    /// @inheritdoc IStock
    function sequenceOf(bytes32 key, address counter) external view returns (uint64) {
        return _sequences[key][counter];
    }

    /// @inheritdoc IStock
    function countHash(Count calldata told) public view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(DOMAIN_TYPE, keccak256("Tallystick Stock"), keccak256("1"), block.chainid, address(this))
        );
        bytes32 content = keccak256(
            abi.encode(COUNT_TYPE, told.key, told.quantity, told.countedAt, told.sequence, told.evidence)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, content));
    }

    function _checkWarehouse(bytes32 key, bytes32 organisation) private view {
        if (_lots[key].warehouse == 0) revert UnknownLot(key);
        if (_lots[key].warehouse != organisation) revert NotWarehouse(organisation);
    }

    function _isAuthority() private view returns (bool) {
        IConsortium.Role role = Places.CONSORTIUM.roleOf(msg.sender);
        return role == IConsortium.Role.Regulator || role == IConsortium.Role.Arbitrator;
    }

    function _administrator() private view returns (bytes32 organisation) {
        organisation = Places.CONSORTIUM.administers(msg.sender);
        if (organisation == 0) revert CallerNotActive(msg.sender);
    }
}
