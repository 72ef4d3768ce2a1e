// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IModelActs} from "./IModelActs.sol";

/// @title What parties have agreed to before they train a model together
/// @notice Projects, the data sets of each party, and which fields of them a project may use. Documents are
/// canonical JSON (RFC 8785), of which the SHA-256 stands here, salted where they say little.
interface IModels is IModelActs {
    /// @notice What a party brings: the label (guest), features only (host), or the same columns as other banks.
    enum Part {
        Guest,
        Host,
        Equal
    }

    /// @param document SHA-256 of the agreement
    /// @param algorithms Codes, ASCII, that runs may use
    /// @param codes SHA-256 of program code that runs may use
    /// @param budget Of all runs together
    /// @param price Of one inference call, hundredths of the currency
    /// @param currency ISO 4217 code, ASCII
    /// @param shares Of each party in the price, in their order, hundredths of a percent; empty: by contribution
    /// @param until Nothing is opened or recorded in runs after it
    struct Terms {
        bytes32 document;
        bytes32[] algorithms;
        bytes32[] codes;
        Budget budget;
        uint128 price;
        bytes3 currency;
        uint16[] shares;
        uint48 until;
    }

    /// @param version Of the terms in force, from 1; 0: none yet
    /// @param accepted Bits of the parties that have accepted what is proposed
    /// @param proposed The first terms, or an amendment; its document is zero where nothing is proposed
    struct Project {
        bytes32 proposer;
        bytes32 number;
        bytes32[] parties;
        Part[] parts;
        uint32 version;
        uint16 accepted;
        Terms terms;
        Terms proposed;
    }

    /// @param schema SHA-256 of the names and types of fields
    /// @param commitment Merkle root (RFC 6962) over its salted rows
    /// @param quality SHA-256 of the quality report
    /// @param replaces The data set that it supersedes; zero: none
    struct DataSet {
        bytes32 owner;
        bytes32 number;
        bytes32 schema;
        uint64 rows;
        bytes32 commitment;
        bytes32 quality;
        bytes32 replaces;
    }

    /// @param fields SHA-256 of the fields and their transformations
    struct Grant {
        bytes32 owner;
        bytes32 number;
        bytes32 dataSet;
        bytes32 project;
        bytes32 fields;
        uint48 until;
    }

    /// @notice The project as it is after the act.
    /// @param digest What `accept` names: keccak-256 over what is proposed; zero where nothing is
    event ProjectActed(
        bytes32 indexed id,
        bytes32 indexed by,
        uint8 indexed act,
        uint64 revision,
        uint8 state,
        Project project,
        bytes32 digest,
        string remark
    );
    event DataSetActed(
        bytes32 indexed id,
        bytes32 indexed by,
        uint8 indexed act,
        uint64 revision,
        uint8 state,
        DataSet dataSet,
        string remark
    );
    event GrantActed(
        bytes32 indexed id,
        bytes32 indexed project,
        uint8 indexed act,
        bytes32 by,
        uint64 revision,
        uint8 state,
        Grant grant,
        string remark
    );

    /// @notice Regulators and arbitrators are no parties; a party stands there once.
    error NotAParty(bytes32 organisation);
    /// @notice The project is not agreed, or its time is over.
    error ProjectNotOpen(bytes32 id, uint8 state, uint48 until);
    error AlgorithmNotAllowed(bytes32 id, bytes32 name);
    error CodeNotAllowed(bytes32 id, bytes32 code);
    /// @notice It is revoked, over, of another project, or its data set is gone.
    error GrantNotGood(bytes32 id);

    // ---- projects -----------------------------------------------------------------------------

    /// @notice Put an agreement to 2 to 16 parties, of which one is the caller and not all are hosts.
    function propose(
        bytes32 number,
        bytes32[] calldata parties,
        Part[] calldata parts,
        Terms calldata terms,
        string calldata remark
    ) external returns (bytes32 id);

    /// @notice Accept what is proposed, named by its digest. A party; the last one makes it hold.
    function accept(bytes32 id, uint64 revision, bytes32 digest, string calldata remark) external;

    /// @notice Refuse the project. A party.
    function refuse(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Take the proposal back. Who made it.
    function withdraw(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Propose other terms, which hold once every party has accepted them. A party.
    function amend(bytes32 id, uint64 revision, Terms calldata terms, string calldata remark) external;

    /// @notice No to other terms. A party.
    function decline(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice The end of training. A party.
    function close(bytes32 id, uint64 revision, string calldata remark) external;

    // ---- data ---------------------------------------------------------------------------------

    /// @notice Register a data set; `dataSet.owner` is the caller. What it replaces is superseded.
    function register(DataSet calldata dataSet, string calldata remark) external returns (bytes32 id);

    /// @notice Take a data set back. Its owner.
    function remove(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Share fields of a data set with a project; `grant.owner` is the caller, owner of the data set and
    /// a party of the project, which is agreed.
    function give(Grant calldata grant, string calldata remark) external returns (bytes32 id);

    /// @notice Take the fields back. Their owner.
    function revoke(bytes32 id, uint64 revision, string calldata remark) external;

    // ---- for runs and releases ------------------------------------------------------------------

    /// @notice The budget of an agreed project whose time is not over and which allows both. Reverts otherwise.
    function checkRun(bytes32 id, bytes32 algorithm, bytes32 code) external view returns (Budget memory);

    /// @notice Owners of grants that are good for the project now. Reverts where one is not.
    /// @param fresh Whether something begins, which no superseded data set is for
    function checkGrants(bytes32 project, bytes32[] calldata grants, bool fresh)
        external
        view
        returns (bytes32[] memory owners);

    // ---- reading ------------------------------------------------------------------------------

    function projectOf(bytes32 id) external view returns (Project memory);

    function partiesOf(bytes32 id) external view returns (bytes32[] memory parties, Part[] memory parts);

    /// @notice What one call costs, and each party's share of it in the terms in force (none: by contribution).
    function priceOf(bytes32 id) external view returns (uint128 price, bytes3 currency, uint16[] memory shares);

    /// @notice What is to be accepted; zero where nothing is proposed.
    function digestOf(bytes32 id) external view returns (bytes32);

    function dataSetOf(bytes32 id) external view returns (DataSet memory);

    function grantOf(bytes32 id) external view returns (Grant memory);
}
