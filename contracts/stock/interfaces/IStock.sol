// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What is really in the warehouses
/// @notice Counted quantities of lots at places, beside what live receipts stand for. Quantities are in
/// thousandths of the lot's unit. A lot's key is keccak-256 over (warehouse, place, lot); place and lot are
/// hashes of their identifiers, salted where they must not be shown.
interface IStock {
    /// @notice What a lot's goods do while they lie there.
    enum Nature {
        None,
        /// @notice They stay as they are.
        Fixed,
        /// @notice They dry, grow or die.
        Living
    }

    /// @param unit UN/ECE Recommendation 20 code: two or three capital letters and digits
    /// @param shortfallBp What may be missing before issuing stops, in hundredths of a percent of what live
    /// receipts stand for; agreed before the first receipt
    /// @param adjustmentBp How far the warehouse may adjust a count between two counts, in hundredths of a
    /// percent of the last one; zero for goods that stay as they are
    /// @param countAgeMax Seconds for which a count is good for issuing
    struct Agreement {
        Nature nature;
        bytes3 unit;
        uint16 shortfallBp;
        uint16 adjustmentBp;
        uint32 countAgeMax;
    }

    /// @param warehouse Who keeps the goods
    /// @param counted What is there by the last count, adjustments and deliveries since
    /// @param live What live receipts stand for
    /// @param lastCount What the last count said
    /// @param countedAt When that was, by the counter's clock
    /// @param short Whether more is missing than was agreed: nothing is issued
    struct Lot {
        bytes32 warehouse;
        bytes32 place;
        bytes32 lot;
        Agreement agreement;
        uint128 counted;
        uint128 live;
        uint128 lastCount;
        uint48 countedAt;
        bool short;
    }

    /// @param sequence Above that of the counter's last count of the lot
    /// @param evidence SHA-256 of what supports the count: photographs, weighing slips, sensor series
    struct Count {
        bytes32 key;
        uint128 quantity;
        uint48 countedAt;
        uint64 sequence;
        bytes32 evidence;
    }

    event LotRegistered(
        bytes32 indexed key, bytes32 indexed warehouse, bytes32 place, bytes32 lot, Agreement agreement, bytes32[] counters
    );
    event AgreementChanged(bytes32 indexed key, Agreement agreement);
    /// @notice Another warehouse keeps the goods from now on; `decision` is the SHA-256 of the decision's document.
    event LotEntrusted(bytes32 indexed key, bytes32 indexed warehouse, bytes32 indexed by, bytes32 former, bytes32 decision);
    event CounterChanged(bytes32 indexed key, bytes32 indexed organisation, bool may);
    event Counted(bytes32 indexed key, address indexed counter, bytes32 indexed organisation, Count count, Lot lot);
    event Adjusted(bytes32 indexed key, bytes32 indexed by, uint128 former, uint128 counted, string reason);
    /// @notice What live receipts stand for, or the counted quantity, has changed by a receipt.
    event StockMoved(bytes32 indexed key, address indexed instrument, uint128 counted, uint128 live);
    event ShortfallBegan(bytes32 indexed key, bytes32 indexed warehouse, uint128 counted, uint128 live);
    event ShortfallEnded(bytes32 indexed key, bytes32 indexed warehouse, uint128 counted, uint128 live);

    error CallerNotActive(address caller);
    error NotWarehouse(bytes32 organisation);
    error LotExists(bytes32 key);
    error UnknownLot(bytes32 key);
    error InvalidAgreement();
    /// @notice What was agreed changes only while no live receipt relies on it.
    error LotInUse(bytes32 key, uint128 live);
    error InvalidCounters(uint256 count);
    /// @notice The caller is no regulator and no arbitrator.
    error NotAuthority(bytes32 organisation);
    /// @notice The warehouse that keeps the goods is active: they stay with it.
    error WarehouseActive(bytes32 warehouse);
    /// @notice A decision is named: an authority says by which one it acts.
    error DecisionMissing();
    /// @notice The organisation behind the device or account is not one that counts this lot.
    error NotCounter(bytes32 key, bytes32 organisation);
    /// @notice The counter has sent a count of this sequence or a later one already.
    error CountReplayed(bytes32 key, address counter, uint64 sequence);
    /// @notice The count is older than the one that stands, not younger than the last delivery (what it saw may
    /// have left), or in the future.
    error CountTimeRefused(bytes32 key, uint48 countedAt);
    error InvalidSignature();
    error EvidenceMissing();
    error AdjustmentTooLarge(bytes32 key, uint128 counted, uint128 low, uint128 high);
    error ReasonMissing();
    error NotInstrument(address caller);
    /// @notice Fewer goods are there than live receipts stand for.
    error StockShort(bytes32 key, uint128 counted, uint128 live);
    /// @notice The goods that are free are fewer than the receipt is for.
    error NotEnoughStock(bytes32 key, uint128 quantity, uint128 free);
    /// @notice The last count is too old for issuing: count again.
    error CountTooOld(bytes32 key, uint48 countedAt);
    error Unchanged();

    /// @notice Register goods that can stand behind receipts. Organisations with the role Warehouse.
    /// @param counters Organisations whose devices and accounts count them, 1 to 8
    function registerLot(bytes32 place, bytes32 lot, Agreement calldata agreement, bytes32[] calldata counters)
        external
        returns (bytes32 key);

    /// @notice Change what was agreed, while no live receipt stands for the goods. Their warehouse.
    function setAgreement(bytes32 key, Agreement calldata agreement) external;

    /// @notice Let an organisation count, or no longer. The warehouse while no receipt is live, so that it cannot
    /// choose who finds a shortfall; at any time a regulator or an arbitrator. One counter remains.
    function setCounter(bytes32 key, bytes32 organisation, bool may) external;

    /// @notice Entrust goods to another warehouse, since theirs is suspended or revoked. It acts as the warehouse of
    /// their receipts from now on. A regulator or an arbitrator.
    function entrust(bytes32 key, bytes32 warehouse, bytes32 decision) external;

    /// @notice Tell a count. A device or account of a counting organisation.
    function count(Count calldata told) external;

    /// @notice Bring a count that a device or account has signed (EIP-712). Anybody.
    function countSigned(Count calldata told, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Between counts, book what grew, dried or died, within what was agreed. The warehouse.
    function adjust(bytes32 key, uint128 counted, string calldata reason) external;

    /// @notice A receipt begins to stand for goods of a lot. Receipts only; refused without enough free,
    /// freshly counted stock.
    function reserve(bytes32 key, bytes32 warehouse, uint128 quantity) external;

    /// @notice A receipt no longer stands for the goods, since they were handed out. Receipts only.
    function deliver(bytes32 key, uint128 quantity) external;

    /// @notice A receipt no longer stands for the goods, which stay. Receipts only.
    function void(bytes32 key, uint128 quantity) external;

    /// @notice The lot; its warehouse is zero where the key is unknown.
    function lotOf(bytes32 key) external view returns (Lot memory);

    /// @notice Who keeps the goods; zero where the key is unknown.
    function warehouseOf(bytes32 key) external view returns (bytes32);

    /// @notice A lot's key. `warehouse` is the one that registered it.
    function keyOf(bytes32 warehouse, bytes32 place, bytes32 lot) external pure returns (bytes32);

    function isCounter(bytes32 key, bytes32 organisation) external view returns (bool);

    /// @notice The highest sequence that a counter has used for a lot.
    function sequenceOf(bytes32 key, address counter) external view returns (uint64);

    /// @notice EIP-712 hash that a counter signs.
    function countHash(Count calldata told) external view returns (bytes32);
}
