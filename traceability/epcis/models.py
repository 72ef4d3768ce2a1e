"""The EPCIS 2.0 events as strict, frozen Pydantic models (EPCIS 2.0 section 7.4, JSON binding
section 10). Extensions stay in `model_extra`; their keys are checked in `extensions.py`, because
that needs the document's prefixes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from traceability.epcis.fields import (
    Action,
    BizStep,
    BizTransactionType,
    Boolean,
    CertificationInfo,
    Component,
    Decimal,
    Disposition,
    Epc,
    ErrorReason,
    HexBinary,
    MeasurementType,
    SensorAlertType,
    SourceDestinationType,
    StringValue,
    Text,
    Time,
    TimeZoneOffset,
    Uom,
    Uri,
    unique,
)

__all__ = [
    "EVENT_MODELS",
    "AggregationEvent",
    "AssociationEvent",
    "BizTransaction",
    "Destination",
    "EpcisEvent",
    "ErrorDeclaration",
    "ObjectEvent",
    "PersistentDisposition",
    "Place",
    "QuantityElement",
    "SensorElement",
    "SensorMetadata",
    "SensorReport",
    "Source",
    "TransactionEvent",
    "TransformationEvent",
]

Epcs = Annotated[list[Epc], Field(default_factory=list)]
UniqueEpcs = Annotated[list[Epc], AfterValidator(unique), Field(default_factory=list)]
Dispositions = Annotated[list[Disposition], AfterValidator(unique), Field(min_length=1)]


class _Closed(BaseModel):
    """An object without an extension point."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class _Open(BaseModel):
    """An object that extensions may join."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")


class QuantityElement(_Closed):
    """So many or so much of a class of objects."""

    epcClass: Epc
    quantity: Decimal | None = None
    uom: Uom | None = None


class BizTransaction(_Closed):
    type: BizTransactionType | None = None
    bizTransaction: Epc


class Source(_Closed):
    type: SourceDestinationType
    source: Epc


class Destination(_Closed):
    type: SourceDestinationType
    destination: Epc


class Place(_Open):
    """A read point or a business location."""

    id: Epc


class PersistentDisposition(_Closed):
    set: Dispositions | None = None
    unset: Dispositions | None = None

    @model_validator(mode="after")
    def _some(self) -> PersistentDisposition:
        if self.set is None and self.unset is None:
            raise ValueError("must have 'set' or 'unset'")
        return self


class ErrorDeclaration(_Open):
    declarationTime: Time
    reason: ErrorReason | None = None
    correctiveEventIDs: list[Uri] = Field(default_factory=list)


class SensorMetadata(_Open):
    time: Time | None = None
    startTime: Time | None = None
    endTime: Time | None = None
    deviceID: Uri | None = None
    deviceMetadata: Uri | None = None
    rawData: Uri | None = None
    dataProcessingMethod: Uri | None = None
    bizRules: Uri | None = None


class SensorReport(_Open):
    type: MeasurementType | None = None
    exception: SensorAlertType | None = None
    deviceID: Uri | None = None
    deviceMetadata: Uri | None = None
    rawData: Uri | None = None
    dataProcessingMethod: Uri | None = None
    bizRules: Uri | None = None
    time: Time | None = None
    microorganism: Uri | None = None
    chemicalSubstance: Uri | None = None
    coordinateReferenceSystem: Uri | None = None
    value: Decimal | None = None
    component: Component | None = None
    stringValue: StringValue | None = None
    booleanValue: Boolean | None = None
    hexBinaryValue: HexBinary | None = None
    uriValue: Uri | None = None
    minValue: Decimal | None = None
    maxValue: Decimal | None = None
    meanValue: Decimal | None = None
    sDev: Decimal | None = None
    percRank: Decimal | None = None
    percValue: Decimal | None = None
    uom: Text | None = None

    @model_validator(mode="after")
    def _typed(self) -> SensorReport:
        if self.type is None and self.exception is None:
            raise ValueError("must have a 'type' (or an 'exception')")
        return self


class SensorElement(_Open):
    sensorMetadata: SensorMetadata | None = None
    sensorReport: list[SensorReport] = Field(min_length=1)


class EpcisEvent(_Open):
    """What all event types share. Not an event by itself."""

    eventTime: Time
    eventTimeZoneOffset: TimeZoneOffset
    recordTime: Time | None = None
    eventID: Uri | None = None
    certificationInfo: CertificationInfo | None = None
    errorDeclaration: ErrorDeclaration | None = None
    bizStep: BizStep | None = None
    disposition: Disposition | None = None
    persistentDisposition: PersistentDisposition | None = None
    readPoint: Place | None = None
    bizLocation: Place | None = None
    bizTransactionList: list[BizTransaction] = Field(default_factory=list)
    sourceList: list[Source] = Field(default_factory=list)
    destinationList: list[Destination] = Field(default_factory=list)
    sensorElementList: list[SensorElement] = Field(default_factory=list)


class ObjectEvent(EpcisEvent):
    """Something happened to one or more objects."""

    type: Literal["ObjectEvent"]
    action: Action
    epcList: UniqueEpcs
    quantityList: list[QuantityElement] = Field(default_factory=list)
    ilmd: dict[str, object] | None = None

    @model_validator(mode="after")
    def _objects(self) -> ObjectEvent:
        if not (self.epcList or self.quantityList):
            if not self.sensorElementList:
                raise ValueError("must have an epcList or a quantityList that is not empty")
            if self.readPoint is None:
                raise ValueError("without epcList and quantityList, sensor data need a readPoint")
        return self


class _ParentEvent(EpcisEvent):
    action: Action
    parentID: Epc | None = None
    childEPCs: Epcs
    childQuantityList: list[QuantityElement] = Field(default_factory=list)

    def _need_children(self) -> None:
        if self.action != "DELETE" and not (self.childEPCs or self.childQuantityList):
            raise ValueError(
                f"action {self.action} needs childEPCs or a childQuantityList that is not empty"
            )


class AggregationEvent(_ParentEvent):
    """Objects were physically put together, or taken apart."""

    type: Literal["AggregationEvent"]

    @model_validator(mode="after")
    def _members(self) -> AggregationEvent:
        if self.parentID is None and self.action != "OBSERVE":
            raise ValueError(f"action {self.action} needs a parentID")
        self._need_children()
        return self


class AssociationEvent(_ParentEvent):
    """Objects were associated with a parent object or place, or no longer are."""

    type: Literal["AssociationEvent"]
    parentID: Epc

    @model_validator(mode="after")
    def _members(self) -> AssociationEvent:
        self._need_children()
        return self


class TransactionEvent(EpcisEvent):
    """Objects became part of a business transaction, or no longer are."""

    type: Literal["TransactionEvent"]
    action: Action
    bizTransactionList: list[BizTransaction] = Field(min_length=1)
    parentID: Epc | None = None
    epcList: Epcs
    quantityList: list[QuantityElement] = Field(default_factory=list)

    @model_validator(mode="after")
    def _objects(self) -> TransactionEvent:
        named = self.epcList or self.quantityList or self.parentID is not None
        if self.action != "DELETE" and not named:
            raise ValueError(
                f"action {self.action} needs an epcList or quantityList that is not empty, "
                "or a parentID"
            )
        return self


class TransformationEvent(EpcisEvent):
    """Inputs were consumed and outputs produced."""

    type: Literal["TransformationEvent"]
    inputEPCList: UniqueEpcs
    inputQuantityList: list[QuantityElement] = Field(default_factory=list)
    outputEPCList: UniqueEpcs
    outputQuantityList: list[QuantityElement] = Field(default_factory=list)
    transformationID: Epc | None = None
    ilmd: dict[str, object] | None = None

    @model_validator(mode="after")
    def _sides(self) -> TransformationEvent:
        inputs = bool(self.inputEPCList or self.inputQuantityList)
        outputs = bool(self.outputEPCList or self.outputQuantityList)
        if self.transformationID is None and not (inputs and outputs):
            missing = "inputs" if outputs else "outputs" if inputs else "inputs and outputs"
            raise ValueError(f"has no {missing}; only with a transformationID may a side be absent")
        if not (inputs or outputs):
            raise ValueError("must have inputs or outputs")
        return self


EVENT_MODELS: dict[str, type[EpcisEvent]] = {
    "ObjectEvent": ObjectEvent,
    "AggregationEvent": AggregationEvent,
    "TransactionEvent": TransactionEvent,
    "TransformationEvent": TransformationEvent,
    "AssociationEvent": AssociationEvent,
}
