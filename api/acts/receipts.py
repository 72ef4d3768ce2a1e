"""Requests about warehouse receipts, as calls of the contract.

One class for each act of `contracts/receipts/machine.toml` that members do: the fields of its body,
its calldata, and what it does in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from api.acts.common import (
    HashText,
    OrganisationName,
    Quantity,
    Target,
    UnixTime,
    hash_of,
)
from api.acts.control import Control, InstrumentAct, control_acts, plain_act
from api.acts.receipt_drafts import PARTS_MAX, Keys, Replace
from api.operations import Words
from contracts import receipts
from contracts.receipts import Purpose


class Nominate(InstrumentAct):
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


class Endorse(InstrumentAct):
    """Make the nominee the owner."""

    owner: OrganisationName

    def calldata(self, on: Target) -> bytes:
        return receipts.endorse_calldata(on.id, on.revision, self.owner, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"make {self.owner} the owner of receipt {on.text}",
            f"将仓单 {on.text} 的所有权背书给 {self.owner}",
        )


class TransferHolding(InstrumentAct):
    """Hand over control."""

    holder: OrganisationName

    def calldata(self, on: Target) -> bytes:
        return receipts.transfer_holding_calldata(on.id, on.revision, self.holder, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"hand receipt {on.text} over to {self.holder}",
            f"将仓单 {on.text} 移交给 {self.holder} 持有",
        )


class TransferBoth(InstrumentAct):
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


class Surrender(InstrumentAct):
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


class Split(InstrumentAct):
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


class RequestDelivery(InstrumentAct):
    """A part of the goods that is to be handed out, and its claims; 0 takes the request back."""

    quantity: Quantity
    keys: Keys = Field(default_factory=list)

    def calldata(self, on: Target) -> bytes:
        keys = [hash_of(key) for key in self.keys]
        return receipts.request_delivery_calldata(
            on.id, on.revision, self.quantity, keys, self.remark
        )

    def words(self, on: Target) -> Words:
        return Words(
            f"ask for {self.quantity} (thousandths of the unit) of receipt {on.text}, "
            f"with {len(self.keys)} of its claims",
            f"申请提取仓单 {on.text} 的 {self.quantity}（单位的千分之一），"
            f"附 {len(self.keys)} 项货物标识",
        )


class Deliver(InstrumentAct):
    """The requested part was handed out, and with it the claims that the request names."""

    keys: Keys = Field(default_factory=list)

    def calldata(self, on: Target) -> bytes:
        keys = [hash_of(key) for key in self.keys]
        return receipts.deliver_calldata(on.id, on.revision, keys, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"confirm that the requested part of receipt {on.text} was handed out",
            f"确认已交付仓单 {on.text} 申请提取的部分",
        )


class Extend(InstrumentAct):
    """A later end of the storage period."""

    expires: UnixTime

    def calldata(self, on: Target) -> bytes:
        return receipts.extend_calldata(on.id, on.revision, self.expires, self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"prolong the storage period of receipt {on.text} to {self.expires} (Unix seconds)",
            f"将仓单 {on.text} 的仓储期延长至 {self.expires}（Unix 秒）",
        )


class ToPaper(InstrumentAct):
    """The electronic receipt has no effect from now on."""

    paper: Annotated[HashText, Field(description="SHA-256 of what the paper says")]

    def calldata(self, on: Target) -> bytes:
        return receipts.to_paper_calldata(on.id, on.revision, hash_of(self.paper), self.remark)

    def words(self, on: Target) -> Words:
        return Words(
            f"change receipt {on.text} to paper, which says {self.paper}",
            f"将仓单 {on.text} 转为纸质，其内容摘要为 {self.paper}",
        )


class ToElectronic(InstrumentAct):
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


ACTS: Final[Mapping[str, type[InstrumentAct]]] = {
    "nominate": Nominate,
    "endorse": Endorse,
    "transfer-holding": TransferHolding,
    "transfer-both": TransferBoth,
    "reject-ownership": plain_act(
        "RejectOwnership",
        "Undo the endorsement just made.",
        receipts.reject_ownership_calldata,
        "reject ownership of receipt {}",
        "拒绝仓单 {} 的所有权",
    ),
    "reject-holding": plain_act(
        "RejectHolding",
        "Undo the transfer of holding just made.",
        receipts.reject_holding_calldata,
        "refuse to hold receipt {}",
        "拒绝持有仓单 {}",
    ),
    "reject-both": plain_act(
        "RejectBoth",
        "Undo the transfer of both just made.",
        receipts.reject_both_calldata,
        "refuse to own and hold receipt {}",
        "拒绝所有并持有仓单 {}",
    ),
    "surrender": Surrender,
    "recall": plain_act(
        "Recall",
        "Take a surrender back.",
        receipts.recall_calldata,
        "take back the surrender of receipt {}",
        "撤回仓单 {} 的交回",
    ),
    "restore": plain_act(
        "Restore",
        "Refuse a surrender.",
        receipts.restore_calldata,
        "refuse the surrender of receipt {}",
        "拒绝仓单 {} 的交回",
    ),
    "shred": plain_act(
        "Shred",
        "All goods were handed out: the receipt ends.",
        receipts.shred_calldata,
        "end receipt {}, all goods of which were handed out",
        "货物已全部交付，注销仓单 {}",
    ),
    "split": Split,
    "request-delivery": RequestDelivery,
    "deliver": Deliver,
    "expire": plain_act(
        "Expire",
        "The storage period is over.",
        receipts.expire_calldata,
        "declare the storage period of receipt {} over",
        "宣告仓单 {} 的仓储期届满",
    ),
    "extend": Extend,
    "cancel": plain_act(
        "Cancel",
        "End a receipt that was issued by mistake.",
        receipts.cancel_calldata,
        "cancel receipt {}, which was issued by mistake",
        "作废误开的仓单 {}",
    ),
    "replace": Replace,
    "to-paper": ToPaper,
    "to-electronic": ToElectronic,
    **control_acts(
        Control(
            noun="receipt",
            noun_zh="仓单",
            freeze=receipts.freeze_calldata,
            unfreeze=receipts.unfreeze_calldata,
            award=receipts.award_calldata,
            permit_hash=receipts.permit_hash_calldata,
            acts=lambda: ACTS,
        )
    ),
}
"""What members do with a receipt that there is, as in machine.toml."""
