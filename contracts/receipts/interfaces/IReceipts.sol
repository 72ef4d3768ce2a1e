// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";

/// @title Electronic warehouse receipts
/// @notice Title to stored goods. Holder (who controls it, MLETR article 11) and owner are apart, as are
/// goods and paper: a receipt is issued against counted stock only, and the same goods stand behind one
/// live receipt. UNCITRAL/UNIDROIT Model Law on Warehouse Receipts (2024); GB/T 30332.
/// Quantities are in thousandths of the lot's unit. States and acts are numbered in `machine.toml`.
interface IReceipts is IInstrument {
    /// @notice What the holder gives the receipt back for.
    enum Purpose {
        None,
        Delivery,
        Correction,
        Paper
    }

    /// @notice What the very next act may reject.
    enum Rejectable {
        Nothing,
        Ownership,
        Holding,
        Both
    }

    /// @param number The warehouse's own number, printable ASCII without blanks; zero for receipts that came out of others
    /// @param lot Key of the goods in Stock
    /// @param goods SHA-256 of what makes goods equal: class, grade, unit
    /// @param terms SHA-256 of the canonical JSON document with all elements of the receipt
    /// @param keys Claims on these very goods: items, fingerprints
    /// @param payload That document, or empty where it is not for all members
    struct Draft {
        bytes32 number;
        bytes32 lot;
        bytes32 goods;
        bytes32 terms;
        bytes32 holder;
        bytes32 owner;
        uint128 quantity;
        uint48 expires;
        bytes32[] keys;
        bytes payload;
    }

    /// @param warehouse Who issued it. Whoever Stock says keeps the lot acts as its warehouse
    /// @param origin The receipt that it came out of (of a merger: the first); zero where it was issued
    /// @param part Which part of the origin it is, from 1; zero where it is no part
    /// @param successor The receipt that stands in its place (merger, replacement)
    /// @param requested Quantity that the holder wants handed out
    /// @param revision Acts so far
    struct Receipt {
        bytes32 warehouse;
        bytes32 number;
        bytes32 lot;
        bytes32 goods;
        bytes32 terms;
        bytes32 holder;
        bytes32 owner;
        bytes32 nominee;
        bytes32 pledgee;
        bytes32 origin;
        bytes32 successor;
        uint128 quantity;
        uint128 requested;
        uint48 issued;
        uint48 expires;
        uint64 revision;
        uint16 part;
        uint8 state;
        uint8 freezes;
        bool locked;
        Rejectable rejectable;
        Purpose purpose;
    }

    /// @notice An act, with the receipt as it is afterwards.
    /// @param detail What the act names: a decision, a permitted call, a pledgee, a paper's hash; or zero
    event ReceiptActed(
        bytes32 indexed id, bytes32 indexed by, uint8 indexed act, Receipt receipt, bytes32 detail, string remark
    );
    /// @notice The document behind a receipt's terms, where it is for all members to read.
    event TermsPublished(bytes32 indexed id, bytes32 indexed terms, bytes payload);

    error NotWarehouse(bytes32 organisation);
    error InvalidNumber(bytes32 number);
    error InvalidQuantity(uint128 quantity);
    error InvalidExpiry(uint48 expires);
    /// @notice The hash of the terms or of the goods is missing.
    error HashMissing();
    /// @notice The payload is not the document that the terms are the hash of.
    error PayloadDiffers(bytes32 terms);
    error PayloadTooLarge(uint256 length);
    error TooManyKeys(uint256 count);
    /// @notice The holder makes owner whom the owner has nominated, and nobody else.
    error NotNominated(bytes32 id, bytes32 organisation);
    /// @notice The party is what it would become already.
    error Unchanged(bytes32 id);
    /// @notice Only the very next act after a transfer rejects it.
    error NothingToReject(bytes32 id);
    /// @notice Parts make up the whole, no more and no less.
    error PartsDiffer(uint256 whole, uint256 parts);
    error WrongCount(uint256 count);
    /// @notice Goods of another warehouse, lot or kind.
    error GoodsDiffer(bytes32 left, bytes32 right);
    error NotRequested(bytes32 id);
    /// @notice Not the receipt's claims, or all of them, or not those that were requested.
    error KeysDiffer(bytes32 id);
    error WrongPurpose(bytes32 id, Purpose purpose);
    error NotExpired(bytes32 id, uint48 expires);

    /// @notice Issue a receipt for goods in store. Organisations with the role Warehouse.
    function issue(Draft calldata draft, string calldata remark) external returns (bytes32 id);

    /// @notice Say whom the holder may make owner; zero for nobody. The owner.
    function nominate(bytes32 id, uint64 revision, bytes32 nominee, string calldata remark) external;

    /// @notice Make the nominee the owner (anybody, where the holder owns it). The holder.
    function endorse(bytes32 id, uint64 revision, bytes32 owner, string calldata remark) external;

    /// @notice Hand over control. The holder.
    function transferHolding(bytes32 id, uint64 revision, bytes32 holder, string calldata remark) external;

    /// @notice Hand over both. The holder, for the nominee or where he owns it.
    function transferBoth(bytes32 id, uint64 revision, bytes32 owner, bytes32 holder, string calldata remark) external;

    /// @notice Undo the endorsement just made. Its recipient, before any other act of the parties.
    function rejectOwnership(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Undo the transfer of holding just made. Its recipient, before any other act of the parties.
    function rejectHolding(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Undo the transfer of both to one organisation just made. That one, before any other act of the
    /// parties.
    function rejectBoth(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Give the receipt back to the warehouse. Who holds and owns it.
    function surrender(bytes32 id, uint64 revision, Purpose purpose, string calldata remark) external;

    /// @notice Take a surrender back that the warehouse has not acted on. Who holds and owns it. Where the
    /// storage period is over by now, it expires at once.
    function recall(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Refuse a surrender. The warehouse.
    function restore(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice All goods were handed out: the receipt ends. The warehouse, after a surrender for delivery.
    function shred(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Split into parts that together are the whole; keys go to the parts as listed.
    function split(
        bytes32 id,
        uint64 revision,
        uint128[] calldata quantities,
        bytes32[][] calldata keys,
        string calldata remark
    ) external returns (bytes32[] memory ids);

    /// @notice Make one of receipts for equal goods of one lot. Who holds and owns them all. It has the terms of
    /// the first and the shortest storage period; the documents of the others are found by their successor.
    function merge(bytes32[] calldata ids, uint64[] calldata revisions, string calldata remark)
        external
        returns (bytes32 id);

    /// @notice Ask for a part of the goods, and say which claims go with it; zero takes the request back. Who
    /// holds and owns it. What stays keeps one claim at least, where there are any.
    function requestDelivery(
        bytes32 id,
        uint64 revision,
        uint128 quantity,
        bytes32[] calldata keys,
        string calldata remark
    ) external;

    /// @notice The requested part was handed out, and the claims with it that the request names, in its order.
    /// The warehouse.
    function deliver(bytes32 id, uint64 revision, bytes32[] calldata keys, string calldata remark) external;

    /// @notice The storage period is over. Anybody, once it is.
    function expire(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Prolong the storage period. The warehouse.
    function extend(bytes32 id, uint64 revision, uint48 expires, string calldata remark) external;

    /// @notice End a receipt that was issued by mistake; it stays visible. The warehouse, after a surrender
    /// for correction.
    function cancel(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Issue a correct receipt in the place of a wrong one, which stays visible. The warehouse, after
    /// a surrender for correction; holder, owner and pledge stay. Stock must be there for what it is for beyond
    /// the wrong one.
    function replace(bytes32 id, uint64 revision, Draft calldata draft, string calldata remark)
        external
        returns (bytes32 successor);

    /// @notice Change to paper: the electronic receipt has no effect from now on (MLETR article 18). The
    /// warehouse, after a surrender for it.
    /// @param paper SHA-256 of what the paper says
    function toPaper(bytes32 id, uint64 revision, bytes32 paper, string calldata remark) external;

    /// @notice Change back: the paper was taken in from its bearer (MLETR article 17). The warehouse.
    function toElectronic(bytes32 id, uint64 revision, bytes32 owner, bytes32 holder, string calldata remark) external;

    /// @notice The receipt as it is; its warehouse is zero where the id is unknown.
    function receipt(bytes32 id) external view returns (Receipt memory);

    /// @notice Claims on the goods of a receipt.
    function keysOf(bytes32 id) external view returns (bytes32[] memory);

    /// @notice Id of the receipt that a warehouse issues under a number.
    function idOf(bytes32 warehouse, bytes32 number) external view returns (bytes32);
}
