// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";

/// @title Receivables: invoices, acceptance bills, orders
/// @notice Money that one member owes another. Nobody disposes of it before the debtor has accepted it, the
/// same invoice stands behind one receivable for ever, and what is paid is paid once, to whoever holds it
/// (UNCITRAL Convention on the Assignment of Receivables 2001, article 17; bills: Geneva Uniform Law 1930,
/// articles 11-20, 28, 38-49). Amounts are in hundredths of the currency. States and acts are numbered in
/// `machine.toml`.
interface IReceivables is IInstrument {
    /// @notice Bill: accepted by the buyer. BankBill: accepted by a bank. Order: becomes owed on delivery.
    enum Kind {
        None,
        Invoice,
        Bill,
        BankBill,
        Order
    }

    /// @param number The issuer's own number, ASCII
    /// @param creditor To whom it is owed: the issuer, but for a bill that is drawn for somebody else
    /// @param attestor Of an order: whose word on delivery counts beside the buyer's; zero for nobody's
    /// @param terms SHA-256 of the canonical JSON document with all terms
    /// @param currency ISO 4217 code, ASCII
    /// @param deliverBy Of an order: until when its goods are to be delivered; otherwise zero
    /// @param graceSeconds From the due date until it may be declared defaulted
    /// @param keys Claims on the invoices (or the order) behind it, made once the debtor accepts
    /// @param payload That document, or empty where it is not for all members
    struct Draft {
        Kind kind;
        bytes32 number;
        bytes32 creditor;
        bytes32 debtor;
        bytes32 attestor;
        bytes32 terms;
        uint128 amount;
        bytes3 currency;
        uint48 due;
        uint48 deliverBy;
        uint32 graceSeconds;
        bytes32[] keys;
        bytes payload;
    }

    /// @param invoice Of an order: SHA-256 of its invoice, zero until there is one
    /// @param guarantor The nearest endorser who stands behind it; zero where nobody does
    /// @param origin The receivable it is a part of; zero where it was created
    /// @param root The receivable that was created, of which it is a part; itself where it is no part
    /// @param amount What was owed in the beginning
    /// @param outstanding What is owed now; zero where its parts have taken its place
    /// @param paid Received so far; the rest of the amount was waived, annulled or went to parts
    /// @param presented When it was presented for payment; zero where it was not
    /// @param endorsements Endorsers before the holder
    /// @param disputable Whether the debtor may contest it
    /// @param undertaken Whether the holder stands behind it once settlement hands it over
    /// @param financed Whether it was ever pledged or passed on
    struct Receivable {
        Kind kind;
        bytes32 issuer;
        bytes32 number;
        bytes32 creditor;
        bytes32 debtor;
        bytes32 attestor;
        bytes32 terms;
        bytes32 invoice;
        bytes32 holder;
        bytes32 pledgee;
        bytes32 guarantor;
        bytes32 origin;
        bytes32 root;
        uint128 amount;
        uint128 outstanding;
        uint128 paid;
        bytes3 currency;
        uint48 issued;
        uint48 due;
        uint48 deliverBy;
        uint48 presented;
        uint32 graceSeconds;
        uint64 revision;
        uint16 part;
        uint8 endorsements;
        uint8 state;
        uint8 freezes;
        bool locked;
        bool disputable;
        bool undertaken;
        bool rejectable;
        bool financed;
    }

    /// @param recourse Whether the endorser stands behind it
    struct Endorsement {
        bytes32 endorser;
        bool recourse;
    }

    /// @notice An act, with the receivable as it is afterwards.
    /// @param detail What the act names: a decision, a document, a recipient, an amount; or zero
    event ReceivableActed(
        bytes32 indexed id, bytes32 indexed by, uint8 indexed act, Receivable receivable, bytes32 detail, string remark
    );
    /// @notice The document behind a receivable's terms or an order's invoice, where it is for all to read.
    event TermsPublished(bytes32 indexed id, bytes32 indexed terms, bytes payload);

    error InvalidKind(Kind kind);
    /// @notice A number is 1 to 32 printable ASCII characters without blanks.
    error InvalidNumber(bytes32 number);
    /// @notice Nothing, or more than there is.
    error InvalidAmount(uint128 amount);
    /// @notice An ISO 4217 code is three capital letters.
    error InvalidCurrency(bytes3 currency);
    /// @notice In the past, or more than ten years away.
    error InvalidDue(uint48 due);
    /// @notice More than a year.
    error InvalidGrace(uint32 graceSeconds);
    /// @notice An order is delivered before it is due; nothing else is delivered.
    error InvalidDelivery(uint48 deliverBy);
    /// @notice The organisation cannot be what it would become here.
    error InvalidParty(bytes32 organisation);
    /// @notice A hash that the act needs is missing.
    error HashMissing();
    /// @notice The payload is not the document that the hash is of.
    error PayloadDiffers(bytes32 terms);
    error PayloadTooLarge(uint256 length);
    /// @notice An invoice or an order has one key at least and 64 at most; with those that its pledgee or buyer
    /// names 128.
    error WrongKeys(uint256 count);
    /// @notice A bill is owed without condition; so is what the debtor has accepted so.
    error Unconditional(bytes32 id);
    /// @notice Too late for this: it is due.
    error PastDue(bytes32 id, uint48 due);
    /// @notice Too early for this.
    error TooEarly(bytes32 id, uint48 until);
    /// @notice A bill is presented before it is declared defaulted.
    error NotPresented(bytes32 id);
    /// @notice The other side has not proposed it as the act before.
    error NotOffered(bytes32 id);
    /// @notice The order has its invoice, or has none yet.
    error InvoiceUnchanged(bytes32 id);
    error NotInvoiced(bytes32 id);
    error Unchanged(bytes32 id);
    /// @notice Only the next act of the parties after an endorsement rejects it.
    error NothingToReject(bytes32 id);
    /// @notice Parts make up what is outstanding, no more and no less.
    error PartsDiffer(uint256 whole, uint256 parts);
    error WrongCount(uint256 count);
    error TooManyEndorsements(bytes32 id);
    /// @notice No active endorser before the holder has promised recourse.
    error NobodyStandsBehind(bytes32 id);
    error ReasonMissing();
    /// @notice Settlement pays for the debtor, and for nobody else.
    error NotDebtor(bytes32 id, bytes32 payer);

    /// @notice Write a receivable down. The creditor, or the drawer of a bill.
    function create(Draft calldata draft, string calldata remark) external returns (bytes32 id);

    /// @notice Owe it; of an order: owe it once it is delivered (the act is then `confirm`). The debtor.
    /// @param disputable Whether the debtor keeps the right to contest it (never for a bill)
    /// @param document SHA-256 of the acceptance; may be zero
    function accept(bytes32 id, uint64 revision, bool disputable, bytes32 document, string calldata remark) external;

    /// @notice Do not owe it. The debtor.
    function refuse(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Take it back before it was accepted. Who made it.
    function cancel(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Propose to end it. The creditor who still holds it, or the debtor.
    function offerCancel(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Agree to end it. The other of the two, as the very next act. The invoice is free again where
    /// nobody ever financed it.
    function agreeCancel(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Name an order's invoice: its hash, and the claims on it. Creditor, holder or pledgee, once. Whoever
    /// bought the order or has it as a security names it also beside what was named before. Kept between creditor
    /// and debtor (`IClaims.reserve`), and claimed once the goods are delivered.
    function invoice(
        bytes32 id,
        uint64 revision,
        bytes32[] calldata keys,
        bytes32 document,
        bytes calldata payload,
        string calldata remark
    ) external;

    /// @notice The order's goods were delivered, under the invoices that were named. The debtor, or the attestor. Late delivery puts the due date
    /// off: the time from delivery to payment stays what was agreed.
    /// @param document SHA-256 of the proof of delivery
    function deliver(bytes32 id, uint64 revision, bytes32 document, string calldata remark) external;

    /// @notice The order's goods were not delivered in time. Debtor, holder or pledgee. Where it is pledged or
    /// sold, others than the pledgee or the buyer only after the due date and the days of grace.
    function lapse(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Whether the holder stands behind it once settlement hands it over. The holder.
    function undertake(bytes32 id, uint64 revision, bool withRecourse, string calldata remark) external;

    /// @notice Pass it on. The holder. Whoever comes back to an endorser who promised recourse puts him where
    /// he was: those after him are free.
    function endorse(bytes32 id, uint64 revision, bytes32 to, bool withRecourse, string calldata remark) external;

    /// @notice Undo the endorsement just made. Its recipient, as the very next act.
    function reject(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Divide what is outstanding. The holder, who holds the parts.
    function split(bytes32 id, uint64 revision, uint128[] calldata amounts, string calldata remark)
        external
        returns (bytes32[] memory ids);

    /// @notice Present for payment, once due. Holder or pledgee.
    function present(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice The debtor's payment was made in this very transaction. Settlement.
    /// @return payee Whom to pay: the pledgee while it is pledged, otherwise the holder
    /// @return currency What to pay in
    function discharge(bytes32 id, uint64 revision, bytes32 payer, uint128 amount)
        external
        returns (bytes32 payee, bytes3 currency);

    /// @notice A payment was received outside the ledger. The holder.
    /// @param document SHA-256 of what shows it; may be zero
    function confirmPayment(bytes32 id, uint64 revision, uint128 amount, bytes32 document, string calldata remark)
        external;

    /// @notice Contest it before it is due. The debtor; the remark says why.
    /// @param document SHA-256 of what shows it
    function dispute(bytes32 id, uint64 revision, bytes32 document, string calldata remark) external;

    /// @notice Take the dispute back. The debtor.
    function withdrawDispute(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Settle the dispute by waiving a part. The holder.
    /// @param outstanding What remains, less than before
    function concede(bytes32 id, uint64 revision, uint128 outstanding, string calldata remark) external;

    /// @notice Decide the dispute: so much is owed. Arbitrators and regulators.
    /// @param decision SHA-256 of the decision's document
    function uphold(bytes32 id, uint64 revision, uint128 outstanding, bytes32 decision, string calldata remark) external;

    /// @notice Decide that nothing is owed, contested or not. Arbitrators and regulators.
    function annul(bytes32 id, uint64 revision, bytes32 decision, string calldata remark) external;

    /// @notice It was due and not paid. Holder or pledgee, after the days of grace.
    function declareDefault(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice Give it back to the nearest active endorser who stands behind it. The holder.
    function recourse(bytes32 id, uint64 revision, string calldata remark) external;

    /// @notice The receivable as it is; its kind is None where the id is unknown.
    function receivable(bytes32 id) external view returns (Receivable memory);

    /// @notice Whom a payment goes to now: the pledgee while pledged, otherwise the holder.
    function payeeOf(bytes32 id) external view returns (bytes32);

    /// @notice Endorsers before the holder, the nearest first.
    function endorsementsOf(bytes32 id) external view returns (Endorsement[] memory);

    /// @notice Keys of the invoices behind it, claimed since it was accepted; those that an order has named, since
    /// it was delivered, where nobody else had claimed them by then.
    function keysOf(bytes32 id) external view returns (bytes32[] memory);

    /// @notice Id of the receivable that an issuer makes under a number.
    function idOf(bytes32 issuer, bytes32 number) external view returns (bytes32);
}
