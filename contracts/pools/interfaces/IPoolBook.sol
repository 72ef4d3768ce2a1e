// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPoolBase} from "./IPoolBase.sol";

/// @title Asset pools: what stands behind them, and who holds them
/// @notice A pool's assets stand in a Merkle tree (RFC 6962) whose root the servicer commits day by day; its
/// investors hold tranches. The money is in `IPools`. Amounts are hundredths of the currency, rates hundredths
/// of a percent a year (bp), dates days since 1970-01-01.
interface IPoolBook is IPoolBase {
    enum Act {
        Create,
        Accept,
        Withdraw,
        Appoint,
        Replace,
        Close
    }

    /// @notice Offices in a pool.
    enum Office {
        Trustee,
        Servicer
    }

    /// @param assetsMax How many assets the tree may have
    /// @param admitUntil Last date of the revolving period: later states have no more assets than that one
    /// @param balanceMax What performing and overdue assets may owe together
    struct Limits {
        uint32 assetsMax;
        uint32 admitUntil;
        uint128 balanceMax;
    }

    /// @param residual Who gets what is left after fees, interest and principal
    /// @param currency ISO 4217 code, ASCII
    /// @param basis Days of a year for interest: 360 or 365
    /// @param start Interest runs after this date
    /// @param sequentialBp Share of overdue and defaulted balance from which on principal goes to the most
    /// senior tranche first instead of pro rata; 0: always, above 10,000: never
    /// @param turboBp The share from which on nothing is left to the residual while a tranche is owed
    /// @param rules SHA-256 of the eligibility rules, canonical JSON (RFC 8785)
    /// @param terms SHA-256 of the agreement
    struct Terms {
        bytes32 trustee;
        bytes32 servicer;
        bytes32 residual;
        bytes3 currency;
        uint16 basis;
        uint32 start;
        uint16 sequentialBp;
        uint16 turboBp;
        bytes32 rules;
        bytes32 terms;
        Limits limits;
    }

    /// @param rateBp A year, of the tranches' outstanding principal
    /// @param fixedAmount A year, by days as the rate
    struct Fee {
        bytes32 payee;
        uint16 rateBp;
        uint128 fixedAmount;
    }

    /// @param seniority 1 is paid first; tranches of the same rank share in proportion
    /// @param units Principal of each holder
    struct TrancheDraft {
        bytes32 name;
        uint8 seniority;
        uint16 rateBp;
        bytes32[] holders;
        uint128[] units;
    }

    /// @param principal At the beginning: sum of the units
    struct Tranche {
        bytes32 name;
        uint8 seniority;
        uint16 rateBp;
        uint128 principal;
    }

    /// @param accepted Bits of the offices whose holders have accepted
    /// @param lastDate Newest date with a state; 0: none
    /// @param nominees Who is appointed to each office and has not accepted
    struct Pool {
        bytes32 arranger;
        bytes32 number;
        Terms terms;
        State state;
        uint8 accepted;
        uint32 lastDate;
        bytes32[2] nominees;
    }

    /// @param root Of the tree over all assets
    /// @param delta Root of the tree over the changes since the last state
    /// @param count Assets; an asset keeps its index for ever
    /// @param changed How many assets are new or different
    /// @param performing Balance of the assets that pay, and so on
    struct Day {
        bytes32 root;
        bytes32 delta;
        uint128 performing;
        uint128 overdue;
        uint128 defaulted;
        uint32 count;
        uint32 changed;
    }

    /// @notice A leaf of the tree: the bytes of its fields one behind the other (84) are the leaf data.
    /// @param id Of a receivable or receipt on this ledger, or the salted hash of an outside reference
    /// @param kind 1 outside, 2 receivable, 3 receipt
    /// @param state 1 performing, 2 overdue, 3 defaulted, 4 repaid, 5 removed
    /// @param terms SHA-256 of the asset's attributes, canonical JSON
    struct Asset {
        bytes32 id;
        uint8 kind;
        uint128 balance;
        uint8 state;
        uint16 daysPastDue;
        bytes32 terms;
    }

    /// @notice The pool as it is after the act.
    event PoolChanged(bytes32 indexed id, bytes32 indexed by, Act indexed act, Pool pool, string remark);
    event FeesAgreed(bytes32 indexed id, Fee[] fees);
    event TrancheAgreed(bytes32 indexed id, uint256 indexed index, Tranche tranche, bytes32[] holders, uint128[] units);
    event RulesPublished(bytes32 indexed id, bytes32 indexed rules, bytes payload);
    /// @notice Units after the move.
    event UnitsMoved(
        bytes32 indexed id,
        bytes32 indexed from,
        bytes32 indexed to,
        uint256 index,
        uint128 units,
        uint128 fromUnits,
        uint128 toUnits
    );
    /// @notice The state of a date; revision 1 is the first, later ones are corrections.
    event DayCommitted(
        bytes32 indexed id, uint32 indexed date, bytes32 indexed by, uint16 revision, Day day, string reason
    );
    event AssetsAdmitted(bytes32 indexed id, address indexed instrument, bytes32[] assets);
    event AssetsDismissed(bytes32 indexed id, address indexed instrument, bytes32[] assets, string reason);
    /// @notice A bank or an operator arranges pools.
    error NotArranger(bytes32 organisation);
    error PoolExists(bytes32 id);
    error PartyNotActive(bytes32 organisation);
    /// @notice The named part of the draft is missing or out of its bounds.
    error InvalidPool(string part);
    error InvalidTranche(uint256 index);
    error InvalidFee(uint256 index);
    error PayloadDiffers(bytes32 rules);
    error NotEnoughUnits(bytes32 id, bytes32 holder, uint128 units);
    /// @notice Somebody would have less of the tranche than a sixteenth of it, who had more or nothing before.
    error TooManyHolders(bytes32 id, uint256 index, uint256 least);
    error TooManyRevisions(bytes32 id, uint32 date);
    /// @notice The state breaks the named limit, or contradicts itself.
    error InvalidDay(string part);
    error NotInstrument(address place);
    /// @notice The trustee does not hold the instrument, or it is pledged, frozen or locked.
    error AssetNotFree(address instrument, bytes32 asset);
    error AssetInPool(address instrument, bytes32 asset, bytes32 pool);
    error WrongAssetCount(uint256 count);
    /// @notice Money is not distributed, or a payment not confirmed.
    error PoolNotEmpty(bytes32 id);
    /// @notice So much principal is neither repaid nor written off.
    error PrincipalOwed(bytes32 id, uint256 owed);

    // ---- the pool -----------------------------------------------------------------------------

    /// @notice Propose a pool. A bank or an operator; the number is the arranger's own.
    /// @param payload The eligibility rules, for all members to read; may be empty
    function create(
        bytes32 number,
        Terms calldata terms,
        Fee[] calldata fees,
        TrancheDraft[] calldata tranches,
        bytes calldata payload,
        string calldata remark
    ) external returns (bytes32 id);

    /// @notice Take the office for which one is named in the draft or appointed later.
    function accept(bytes32 id, Office office, string calldata remark) external;

    /// @notice Take a proposal back. The arranger.
    function withdraw(bytes32 id, string calldata remark) external;

    /// @notice Name the next holder of an office, who then accepts. The trustee; a new trustee also by the
    /// arranger where the present one is no active member any more.
    function appoint(bytes32 id, Office office, bytes32 organisation, string calldata remark) external;

    /// @notice Give units of a tranche to another organisation. Their holder. Who comes in gets a sixteenth of the
    /// tranche or more, and who stays keeps as much; a part below that goes on as a whole, or to other holders.
    function assign(bytes32 id, uint256 tranche, bytes32 to, uint128 units) external;

    /// @notice The end: everything is distributed and confirmed, and all principal repaid. Or what is outstanding
    /// is lost: the last distribution went by the newest state, in which no asset owes anything, and no instrument
    /// of this ledger is left. Or it never began: no state was committed, no instrument admitted, and nothing that
    /// was collected is left. The trustee.
    function close(bytes32 id, string calldata remark) external;

    // ---- its assets ---------------------------------------------------------------------------

    /// @notice State of a date: the first one lies at the pool's start or up to 3,660 days after it, the others follow
    /// day by day. The servicer.
    function commit(bytes32 id, uint32 date, Day calldata day) external;

    /// @notice A state in place of one that was wrong, which stays readable. It fits to those of the day before and the
    /// day after: what is wrong on several days is corrected from the newest one back. The servicer.
    function correct(bytes32 id, uint32 date, Day calldata day, string calldata reason) external;

    /// @notice Bring instruments of this ledger into the pool, each into one pool only, across all versions of
    /// this contract. The servicer; the trustee holds them.
    function admit(bytes32 id, address instrument, bytes32[] calldata assets) external;

    /// @notice Let instruments go: paid, sold, exchanged. The servicer; after the end the trustee as well.
    function dismiss(bytes32 id, address instrument, bytes32[] calldata assets, string calldata reason) external;

    /// @notice Whether the asset stands at that index of the tree of the date.
    /// @param revision 0: the newest
    /// @param path From the leaf's side to the root's
    function verify(
        bytes32 id,
        uint32 date,
        uint16 revision,
        Asset calldata asset,
        uint256 index,
        bytes32[] calldata path
    ) external view returns (bool);

    // ---- reading ------------------------------------------------------------------------------

    function poolOf(bytes32 id) external view returns (Pool memory);

    function idOf(bytes32 arranger, bytes32 number) external view returns (bytes32);

    function tranchesOf(bytes32 id) external view returns (Tranche[] memory);

    function feesOf(bytes32 id) external view returns (Fee[] memory);

    function holdersOf(bytes32 id, uint256 tranche) external view returns (bytes32[] memory, uint256[] memory);

    /// @notice The state of a date; revision 0: the newest. Reverts where there is none.
    function dayOf(bytes32 id, uint32 date, uint16 revision) external view returns (Day memory);

    /// @notice How many states the date has had.
    function revisionsOf(bytes32 id, uint32 date) external view returns (uint16);

    /// @notice The pool in which an instrument stands, zero where in none.
    function poolOfAsset(address instrument, bytes32 asset) external view returns (bytes32);
}
