"""Requests about warehouse receipts, as calls of the contract.

One class for each act of `contracts/receipts/machine.toml` that members do: the fields of its body,
its calldata, and what it does in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from api.acts.common import (
    Decision,
    HashText,
    OrganisationName,
    Quantity,
    Target,
    UnixTime,
    hash_of,
)
from api.acts.receipt_drafts import PARTS_MAX, Keys, ReceiptAct, Replace, missing
from api.errors import ValidationFailed
from api.operations import Words
from contracts import receipts
from contracts.receipts import Purpose
from ledger.state.keccak import keccak
from ledger.types import Hash32


class Nominate(ReceiptAct):
    """Whom the holder may make owner; null: nobody."""

    nominee: OrganisationName | None

    def calldata(self, on: Target) -> bytes:
        return receipts.nominate_calldata(on.id, on.revision, self.nominee, self.remark)

    def words(self, on: Target) -> Words:
        if self.nominee is None:
            return Words(
                f"nominate nobody as owner of receipt {on.text}",
                f"撤销仓单 {on.text} 的所有人提名",
            )
        return Words(
            f"nominate {self.nominee} as owner of receipt {on.text}",
            f"提名 {self.nominee} 为仓单 {on.text} 的所有人",
        )


class Endorse(ReceiptAct):
    """Make the nominee the owner."""

    owner: OrganisationName

    def calldata(self, on: Target) -> bytes:
        return receipts.endorse_calldata(on.id, on.revision, self.owner, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"make {self.owner} the owner of receipt {on.text}",
            f"将仓单 {on.text} 的所有权背书给 {self.owner}",
        )


class TransferHolding(ReceiptAct):
    """Hand over control."""

    holder: OrganisationName

    def calldata(self, on: Target) -> bytes:
        return receipts.transfer_holding_calldata(on.id, on.revision, self.holder, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"hand receipt {on.text} over to {self.holder}",
            f"将仓单 {on.text} 移交给 {self.holder} 持有",
        )


class TransferBoth(ReceiptAct):
    """Hand over ownership and control."""

    owner: OrganisationName
    holder: OrganisationName

    def calldata(self, on: Target) -> bytes:
        return receipts.transfer_both_calldata(
            on.id, on.revision, self.owner, self.holder, self.remark
        )

    def words(self, on: Target) -> Words:
        return Words(
            f"make {self.owner} the owner and {self.holder} the holder of receipt {on.text}",
            f"将仓单 {on.text} 的所有权转给 {self.owner}，由 {self.holder} 持有",
        )


class Surrender(ReceiptAct):
    """Give the receipt back to the warehouse."""

    purpose: Literal["delivery", "correction", "paper"]

    def calldata(self, on: Target) -> bytes:
        purpose = Purpose[self.purpose.upper()]
        return receipts.surrender_calldata(on.id, on.revision, purpose, self.remark)

    def words(self, on: Target) -> Words:
        purposes = {"delivery": "提货", "correction": "更正", "paper": "转为纸质"}
        return Words(
            f"surrender receipt {on.text} to its warehouse for {self.purpose}",
            f"为{purposes[self.purpose]}将仓单 {on.text} 交回仓库",
        )


class Split(ReceiptAct):
    """Parts that together are the whole; claims go to the parts as listed."""

    quantities: Annotated[list[Quantity], Field(min_length=2, max_length=PARTS_MAX)]
    keys: list[Keys] = Field(default_factory=list, max_length=PARTS_MAX)

    def calldata(self, on: Target) -> bytes:
        keys = [[hash_of(key) for key in part] for part in self.keys]
        return receipts.split_calldata(on.id, on.revision, self.quantities, keys, self.remark)

    def words(self, on: Target) -> Words:
        parts = ", ".join(str(quantity) for quantity in self.quantities)
        return Words(
            f"split receipt {on.text} into {parts} (thousandths of its unit)",
            f"将仓单 {on.text} 拆分为 {parts}（单位的千分之一）",
        )


class RequestDelivery(ReceiptAct):
    """A part of the goods that is to be handed out; 0 takes the request back."""

    quantity: Quantity

    def calldata(self, on: Target) -> bytes:
        return receipts.request_delivery_calldata(on.id, on.revision, self.quantity, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"ask for {self.quantity} (thousandths of the unit) of receipt {on.text}",
            f"申请提取仓单 {on.text} 的 {self.quantity}（单位的千分之一）",
        )


class Deliver(ReceiptAct):
    """The requested part was handed out, and these claims with it."""

    keys: Keys = Field(default_factory=list)

    def calldata(self, on: Target) -> bytes:
        keys = [hash_of(key) for key in self.keys]
        return receipts.deliver_calldata(on.id, on.revision, keys, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"confirm that the requested part of receipt {on.text} was handed out",
            f"确认已交付仓单 {on.text} 申请提取的部分",
        )


class Extend(ReceiptAct):
    """A later end of the storage period."""

    expires: UnixTime

    def calldata(self, on: Target) -> bytes:
        return receipts.extend_calldata(on.id, on.revision, self.expires, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"prolong the storage period of receipt {on.text} to {self.expires} (Unix seconds)",
            f"将仓单 {on.text} 的仓储期延长至 {self.expires}（Unix 秒）",
        )


class ToPaper(ReceiptAct):
    """The electronic receipt has no effect from now on."""

    paper: Annotated[HashText, Field(description="SHA-256 of what the paper says")]

    def calldata(self, on: Target) -> bytes:
        return receipts.to_paper_calldata(on.id, on.revision, hash_of(self.paper), self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"change receipt {on.text} to paper, which says {self.paper}",
            f"将仓单 {on.text} 转为纸质，其内容摘要为 {self.paper}",
        )


class ToElectronic(ReceiptAct):
    """The paper was taken in from its bearer."""

    owner: OrganisationName
    holder: OrganisationName

    def calldata(self, on: Target) -> bytes:
        return receipts.to_electronic_calldata(
            on.id, on.revision, self.owner, self.holder, self.remark
        )

    def words(self, on: Target) -> Words:
        return Words(
            f"change receipt {on.text} from paper back, owned by {self.owner} and held by "
            f"{self.holder}",
            f"将纸质仓单 {on.text} 恢复为电子仓单，{self.owner} 所有，{self.holder} 持有",
        )


class Freeze(ReceiptAct):
    """Everything stops, by a decision."""

    decision: Decision

    def calldata(self, on: Target) -> bytes:
        return receipts.freeze_calldata(on.id, on.revision, hash_of(self.decision), self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"freeze receipt {on.text} by decision {self.decision}",
            f"依据决定 {self.decision} 冻结仓单 {on.text}",
        )


class Unfreeze(ReceiptAct):
    """A freeze ends: one's own, or that of an authority which is active no longer."""

    decision: Decision
    authority: OrganisationName | None = None

    def calldata(self, on: Target) -> bytes:
        authority = self.authority or on.organisation
        decision = hash_of(self.decision)
        return receipts.unfreeze_calldata(on.id, on.revision, authority, decision, self.remark)

    def words(self, on: Target) -> Words:
        authority = self.authority or on.organisation
        return Words(
            f"end the freeze of receipt {on.text} by {authority}, by decision {self.decision}",
            f"依据决定 {self.decision} 解除 {authority} 对仓单 {on.text} 的冻结",
        )


class Award(ReceiptAct):
    """Give it to the organisation that a decision names."""

    decision: Decision
    to: OrganisationName

    def calldata(self, on: Target) -> bytes:
        decision = hash_of(self.decision)
        return receipts.award_calldata(on.id, on.revision, self.to, decision, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"award receipt {on.text} to {self.to} by decision {self.decision}",
            f"依据决定 {self.decision} 将仓单 {on.text} 判给 {self.to}",
        )


class Permit(ReceiptAct):
    """Allow the next act although the receipt is pledged: by name and body, or by its hash.

    The act is then to be sent with exactly this body, and with If-Match of the revision that this
    permit leads to. Without an act or a hash a permit is taken back.
    """

    act: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    call: Annotated[
        HashText | None, Field(description="keccak-256 of the calldata that is allowed")
    ] = None

    def calldata(self, on: Target) -> bytes:
        if self.act is None:
            call = bytes(32) if self.call is None else hash_of(self.call)
            return receipts.permit_hash_calldata(on.id, on.revision, Hash32(call), self.remark)
        if on.revision == 0:
            raise ValidationFailed("a permit of an act needs If-Match: it is for one revision")
        model = ACTS.get(self.act)
        if model is None or model is Permit:
            raise missing("act", f"there is no act {self.act[:40]!r} that can be permitted")
        permitted = Target(on.organisation, on.id, on.revision + 1, on.origin)
        try:
            body = model.model_validate(self.arguments)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise missing("arguments", f"{first['loc']}: {first['msg']}") from error
        call = keccak(body.calldata(permitted))
        if self.call not in (None, f"0x{call.hex()}"):
            raise missing("call", "the hash is not that of the act that is sent with it")
        return receipts.permit_hash_calldata(on.id, on.revision, Hash32(call), self.remark)

    def words(self, on: Target) -> Words:
        if self.act is None and self.call is None:
            return Words(
                f"permit nothing of pledged receipt {on.text} any more",
                f"撤回对已质押仓单 {on.text} 的许可",
            )
        what = self.act or f"the call {self.call}"
        return Words(
            f"permit {what} of pledged receipt {on.text}, once",
            f"许可对已质押仓单 {on.text} 进行一次 {what}",
        )


class _Plain(ReceiptAct):
    """An act without fields of its own."""

    def calldata(self, on: Target) -> bytes:
        build, _, _ = _PLAIN[type(self)]
        return build(on.id, on.revision, self.remark)

    def words(self, on: Target) -> Words:
        _, en, zh = _PLAIN[type(self)]
        return Words(en.format(on.text), zh.format(on.text))


class RejectOwnership(_Plain):
    """Undo the endorsement just made."""


class RejectHolding(_Plain):
    """Undo the transfer of holding just made."""


class RejectBoth(_Plain):
    """Undo the transfer of both just made."""


class Recall(_Plain):
    """Take a surrender back."""


class Restore(_Plain):
    """Refuse a surrender."""


class Shred(_Plain):
    """All goods were handed out: the receipt ends."""


class Expire(_Plain):
    """The storage period is over."""


class Cancel(_Plain):
    """End a receipt that was issued by mistake."""


_PLAIN: Final[Mapping[type[_Plain], tuple[Callable[[Hash32, int, str], bytes], str, str]]] = {
    RejectOwnership: (
        receipts.reject_ownership_calldata,
        "reject ownership of receipt {}",
        "拒绝仓单 {} 的所有权",
    ),
    RejectHolding: (
        receipts.reject_holding_calldata,
        "refuse to hold receipt {}",
        "拒绝持有仓单 {}",
    ),
    RejectBoth: (
        receipts.reject_both_calldata,
        "refuse to own and hold receipt {}",
        "拒绝所有并持有仓单 {}",
    ),
    Recall: (
        receipts.recall_calldata,
        "take back the surrender of receipt {}",
        "撤回仓单 {} 的交回",
    ),
    Restore: (
        receipts.restore_calldata,
        "refuse the surrender of receipt {}",
        "拒绝仓单 {} 的交回",
    ),
    Shred: (
        receipts.shred_calldata,
        "end receipt {}, all goods of which were handed out",
        "货物已全部交付，注销仓单 {}",
    ),
    Expire: (
        receipts.expire_calldata,
        "declare the storage period of receipt {} over",
        "宣告仓单 {} 的仓储期届满",
    ),
    Cancel: (
        receipts.cancel_calldata,
        "cancel receipt {}, which was issued by mistake",
        "作废误开的仓单 {}",
    ),
}


ACTS: Final[Mapping[str, type[ReceiptAct]]] = {
    "nominate": Nominate,
    "endorse": Endorse,
    "transfer-holding": TransferHolding,
    "transfer-both": TransferBoth,
    "reject-ownership": RejectOwnership,
    "reject-holding": RejectHolding,
    "reject-both": RejectBoth,
    "surrender": Surrender,
    "recall": Recall,
    "restore": Restore,
    "shred": Shred,
    "split": Split,
    "request-delivery": RequestDelivery,
    "deliver": Deliver,
    "expire": Expire,
    "extend": Extend,
    "cancel": Cancel,
    "replace": Replace,
    "to-paper": ToPaper,
    "to-electronic": ToElectronic,
    "freeze": Freeze,
    "unfreeze": Unfreeze,
    "award": Award,
    "permit": Permit,
}
"""What members do with a receipt that there is, as in machine.toml."""
