"""A small food story of our own, from the forest to the shop, told as EPCIS 2.0 documents.

Two lots of frozen forest berries become 24 jars of a chilled preserve. A refrigerated lorry takes
them from Harbin to the coast; south of Tianjin the cold is lost for an hour and a half. The
warehouse stops the pallet, has a jar opened in the laboratory and releases the rest; a shop in
Hangzhou puts them on sale.

Every name, number and measurement is invented. Identifiers lie in GS1's demonstration prefix 952.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from nodes.demo.measurements import (
    FIRST_LEG_C,
    FREEZER_LOGGER,
    FREEZING_C,
    LAST_LEG_C,
    LORRY_LOGGER,
    SECOND_LEG_C,
    TEMPERATURE_MAX_C,
    VAN_LOGGER,
)
from nodes.demo.places import (
    COLD_STORE,
    COLD_STORE_DOCK,
    FARM,
    FARM_COLD_ROOM,
    KITCHEN,
    KITCHEN_DOCK,
    LABORATORY,
    ORGANISATIONS,
    RELAY,
    SHOP,
    SHOP_STOCKROOM,
    StoryOrganisation,
)
from nodes.demo.teller import (
    JAR_GTIN,
    SUGAR_GTIN,
    ZONE,
    StoryStep,
    Teller,
    certificate,
    note,
    papers,
    series,
)

__all__ = ["ITEMS", "ORGANISATIONS", "StoryItem", "StoryOrganisation", "StoryStep", "story"]

CANONICAL_BASE_URI = "https://id.gs1.org"
ORGANIC_CERTIFICATE = "9521001009997OW2381"
KITCHEN_CERTIFICATE = "9521002009996FS7740"
LABORATORY_REPORT = "9521004009994LAB3391"


@dataclass(frozen=True, slots=True)
class StoryItem:
    """An item of the story that has a QR code."""

    path: str
    """Digital Link path, to be put behind the address of a resolver."""
    fate: str
    fate_zh: str


def _item(serial: str, fate: str, fate_zh: str) -> StoryItem:
    return StoryItem(path=f"/01/{JAR_GTIN}/21/{serial}", fate=fate, fate_zh=fate_zh)


SERIALS = tuple(f"NF{number:04d}" for number in range(4101, 4125))
ON_SALE, SOLD, SAMPLED = SERIALS[6], SERIALS[2], SERIALS[13]
ITEMS: tuple[StoryItem, ...] = (
    _item(ON_SALE, "on the shelf", "在售"),
    _item(SOLD, "sold", "已售出"),
    _item(SAMPLED, "opened in the laboratory", "实验室检验后销毁"),
)
"""The items worth a code: one on the shelf, one sold, one that must not be on any shelf."""


def story(now: datetime, base_uri: str = CANONICAL_BASE_URI) -> tuple[StoryStep, ...]:
    """The whole story, ending on the day before `now`, in the order in which it was captured.

    `base_uri` is the resolver that the identifiers are spelled with; the event ids do not depend
    on it, since the CBV event hash takes Digital Links in canonical form.
    Raises ValueError for a naive `now`.
    """
    if now.tzinfo is None:
        raise ValueError("now must carry its time zone, else the story has no definite days")
    teller = Teller(today=now.astimezone(ZONE).date(), base_uri=base_uri.rstrip("/"))
    return (
        _picking(teller),
        _farm_shipping(teller),
        _cooking(teller),
        _packing(teller),
        _first_leg(teller),
        _second_leg(teller),
        _stopped(teller),
        _sampling(teller),
        _released(teller),
        _shop_receiving(teller),
        _on_sale(teller),
    )


def _picking(t: Teller) -> StoryStep:
    later = 16
    harvests = (
        (0, t.blueberries, 412.5, "Wild blueberries, frozen", "速冻野生蓝莓", "F-BB"),
        (later, t.lingonberries, 148, "Lingonberries, frozen", "速冻越橘（红豆果）", "F-LB"),
    )
    commissioned = [
        t.event(
            "ObjectEvent",
            t.harvest_at(day, "17:40:00"),
            "commissioning",
            FARM,
            action="ADD",
            disposition="active",
            bizLocation=FARM.attributes(t.base_uri),
            quantityList=[{"epcClass": lot, "quantity": kilograms, "uom": "KGM"}],
            certificationInfo=t.link(f"/253/{ORGANIC_CERTIFICATE}"),
            ilmd={
                "cbvmda:descriptionShort": name,
                "tally:descriptionShortZh": name_zh,
                "cbvmda:lotNumber": lot.rsplit("/", 1)[1],
                "cbvmda:harvestStartDate": (t.harvest + timedelta(days=day - 2)).isoformat(),
                "cbvmda:harvestEndDate": (t.harvest + timedelta(days=day)).isoformat(),
                "cbvmda:countryOfOrigin": "CN",
                "cbvmda:growingMethodCode": "WILD",
                "tally:plot": plot,
                "tally:certificate": certificate(
                    "Organic wild collection", "有机野生采集认证", "DEMO-OW-2381", t.harvest
                ),
            },
        )
        for day, lot, kilograms, name, name_zh, plot in harvests
    ]
    freezing = t.event(
        "ObjectEvent",
        t.harvest_at(later + 1, "06:00:00"),
        "storing",
        FARM_COLD_ROOM,
        action="OBSERVE",
        disposition="in_progress",
        quantityList=[{"epcClass": t.blueberries}, {"epcClass": t.lingonberries}],
        sensorElementList=series(
            t, t.harvest_at(later, "18:00:00"), 120, FREEZER_LOGGER, FREEZING_C, None
        ),
    )
    return t.step("linxi-farm", *commissioned, freezing)


def _farm_shipping(t: Teller) -> StoryStep:
    return t.step(
        "linxi-farm",
        t.event(
            "ObjectEvent",
            t.at(-19, "05:30:00"),
            "shipping",
            FARM_COLD_ROOM,
            action="OBSERVE",
            disposition="in_transit",
            quantityList=[
                {"epcClass": t.blueberries, "quantity": 6.2, "uom": "KGM"},
                {"epcClass": t.lingonberries, "quantity": 1.8, "uom": "KGM"},
            ],
            bizTransactionList=papers("desadv", FARM.gln, "LX-0917"),
            **t.parties(FARM.gln, KITCHEN.gln),
        ),
    )


def _cooking(t: Teller) -> StoryStep:
    lots = [
        {"epcClass": t.blueberries, "quantity": 6.2, "uom": "KGM"},
        {"epcClass": t.lingonberries, "quantity": 1.8, "uom": "KGM"},
    ]
    receiving = t.event(
        "ObjectEvent",
        t.at(-19, "12:15:00"),
        "receiving",
        KITCHEN_DOCK,
        action="OBSERVE",
        disposition="in_progress",
        bizLocation=KITCHEN.attributes(t.base_uri),
        quantityList=lots,
        bizTransactionList=papers("desadv", FARM.gln, "LX-0917"),
        **t.parties(FARM.gln, KITCHEN.gln),
    )
    best_before = t.today + timedelta(days=-14 + 270)
    cooking = t.event(
        "TransformationEvent",
        t.at(-14, "10:20:00"),
        "commissioning",
        KITCHEN,
        disposition="active",
        bizLocation=KITCHEN.attributes(t.base_uri),
        inputQuantityList=[
            *lots,
            {"epcClass": t.link(f"/01/{SUGAR_GTIN}/10/S2207"), "quantity": 1.4, "uom": "KGM"},
        ],
        outputEPCList=[t.jar(serial) for serial in SERIALS],
        certificationInfo=t.link(f"/253/{KITCHEN_CERTIFICATE}"),
        ilmd={
            "cbvmda:descriptionShort": "Forest Berry Preserve",
            "tally:descriptionShortZh": "森林莓果酱",
            "tally:brand": "Snowbird Kitchen",
            "tally:brandZh": "雪雀厨房",
            "cbvmda:netContent": "250 g",
            "cbvmda:lotNumber": "FP-0614",
            "cbvmda:productionDate": (t.today - timedelta(days=14)).isoformat(),
            "cbvmda:bestBeforeDate": best_before.isoformat(),
            "cbvmda:countryOfOrigin": "CN",
            "tally:ingredients": "Wild blueberries 66 %, lingonberries 19 %, beet sugar 15 %",
            "tally:ingredientsZh": "野生蓝莓 66%、越橘 19%、甜菜糖 15%",
            "tally:storage": "Keep chilled, 0 to 8 °C",
            "tally:storageZh": "冷藏，0–8 °C",
            "tally:certificate": certificate(
                "Food safety management (HACCP)", "食品安全管理（HACCP）", "DEMO-FS-7740", t.today
            ),
        },
    )
    return t.step("snowbird-foods", receiving, cooking)


def _packing(t: Teller) -> StoryStep:
    first, second = t.cases
    halves = ((first, SERIALS[:12], "11:05:00"), (second, SERIALS[12:], "11:20:00"))
    cases = [
        t.event(
            "AggregationEvent",
            t.at(-12, clock),
            "packing",
            KITCHEN,
            action="ADD",
            disposition="in_progress",
            parentID=case,
            childEPCs=[t.jar(serial) for serial in serials],
        )
        for case, serials, clock in halves
    ]
    pallet = t.event(
        "AggregationEvent",
        t.at(-11, "16:40:00"),
        "packing",
        KITCHEN_DOCK,
        action="ADD",
        disposition="in_progress",
        parentID=t.pallet,
        childEPCs=[first, second],
    )
    shipping = t.event(
        "ObjectEvent",
        t.at(-11, "21:10:00"),
        "shipping",
        KITCHEN_DOCK,
        action="OBSERVE",
        disposition="in_transit",
        epcList=[t.pallet],
        bizTransactionList=papers("desadv", KITCHEN.gln, "SB-20418"),
        **t.parties(KITCHEN.gln, COLD_STORE.gln),
    )
    return t.step("snowbird-foods", *cases, pallet, shipping)


def _first_leg(t: Teller) -> StoryStep:
    return t.step(
        "longhe-cold-chain",
        t.event(
            "ObjectEvent",
            t.at(-10, "13:30:00"),
            "transporting",
            RELAY,
            action="OBSERVE",
            disposition="in_transit",
            epcList=[t.pallet],
            bizTransactionList=papers("bol", RELAY.gln, "LH-55310"),
            sensorElementList=series(
                t, t.at(-11, "21:30:00"), 60, LORRY_LOGGER, FIRST_LEG_C, TEMPERATURE_MAX_C
            ),
        ),
    )


def _second_leg(t: Teller) -> StoryStep:
    return t.step(
        "longhe-cold-chain",
        t.event(
            "ObjectEvent",
            t.at(-9, "05:50:00"),
            "arriving",
            COLD_STORE_DOCK,
            action="OBSERVE",
            disposition="in_transit",
            epcList=[t.pallet],
            bizTransactionList=papers("bol", RELAY.gln, "LH-55310"),
            sensorElementList=series(
                t, t.at(-10, "13:30:00"), 30, LORRY_LOGGER, SECOND_LEG_C, TEMPERATURE_MAX_C
            ),
        ),
    )


def _stopped(t: Teller) -> StoryStep:
    receiving = t.event(
        "ObjectEvent",
        t.at(-9, "06:25:00"),
        "receiving",
        COLD_STORE_DOCK,
        action="OBSERVE",
        disposition="in_progress",
        bizLocation=COLD_STORE.attributes(t.base_uri),
        epcList=[t.pallet],
        bizTransactionList=papers("bol", RELAY.gln, "LH-55310"),
        **t.parties(KITCHEN.gln, COLD_STORE.gln),
    )
    holding = t.event(
        "ObjectEvent",
        t.at(-9, "06:50:00"),
        "holding",
        COLD_STORE,
        action="OBSERVE",
        disposition="non_sellable_other",
        persistentDisposition={"set": ["non_conformant"]},
        bizLocation=COLD_STORE.attributes(t.base_uri),
        epcList=[t.pallet],
        **note(
            "The lorry's recorder rose above 8 °C. Stopped until the laboratory has answered.",
            "运输温度记录超过 8 °C，暂停放行，等待实验室结果。",
        ),
    )
    return t.step("eastbay-cold-store", receiving, holding)


def _sampling(t: Teller) -> StoryStep:
    unpacking = t.event(
        "AggregationEvent",
        t.at(-8, "09:10:00"),
        "unpacking",
        COLD_STORE,
        action="DELETE",
        disposition="in_progress",
        parentID=t.pallet,
        childEPCs=list(t.cases),
    )
    taking = t.event(
        "AggregationEvent",
        t.at(-8, "09:40:00"),
        "sampling",
        COLD_STORE,
        action="DELETE",
        disposition="in_progress",
        parentID=t.cases[1],
        childEPCs=[t.jar(SAMPLED)],
    )
    destroying = t.event(
        "ObjectEvent",
        t.at(-8, "14:00:00"),
        "destroying",
        LABORATORY,
        action="DELETE",
        disposition="destroyed",
        epcList=[t.jar(SAMPLED)],
        **note(
            "Opened for the laboratory's test of this consignment. This jar is not for sale.",
            "为本批货物的检验而开启，此罐不得销售。",
        ),
    )
    return t.step("eastbay-cold-store", unpacking, taking, destroying)


def _released(t: Teller) -> StoryStep:
    inspecting = t.event(
        "ObjectEvent",
        t.at(-6, "11:30:00"),
        "inspecting",
        COLD_STORE,
        action="OBSERVE",
        disposition="sellable_not_accessible",
        persistentDisposition={"set": ["conformant"], "unset": ["non_conformant"]},
        bizLocation=COLD_STORE.attributes(t.base_uri),
        epcList=list(t.cases),
        certificationInfo=t.link(f"/253/{LABORATORY_REPORT}"),
        bizTransactionList=papers("testres", COLD_STORE.gln, "EB-LAB-3391"),
        **note(
            "Core of the jars stayed at or below 7.1 °C; total plate count and pH within the "
            "specification. Released.",
            "罐体中心温度未超过 7.1 °C，菌落总数与 pH 均符合规格，予以放行。",
        ),
    )
    shipping = t.event(
        "ObjectEvent",
        t.at(-3, "22:15:00"),
        "shipping",
        COLD_STORE_DOCK,
        action="OBSERVE",
        disposition="in_transit",
        epcList=[t.cases[0]],
        bizTransactionList=papers("desadv", COLD_STORE.gln, "EB-88120"),
        **t.parties(COLD_STORE.gln, SHOP.gln),
    )
    return t.step("eastbay-cold-store", inspecting, shipping)


def _shop_receiving(t: Teller) -> StoryStep:
    receiving = t.event(
        "ObjectEvent",
        t.at(-2, "05:40:00"),
        "receiving",
        SHOP_STOCKROOM,
        action="OBSERVE",
        disposition="in_progress",
        bizLocation=SHOP.attributes(t.base_uri),
        epcList=[t.cases[0]],
        bizTransactionList=papers("desadv", COLD_STORE.gln, "EB-88120"),
        sensorElementList=series(
            t, t.at(-2, "00:40:00"), 60, VAN_LOGGER, LAST_LEG_C, TEMPERATURE_MAX_C
        ),
        **t.parties(COLD_STORE.gln, SHOP.gln),
    )
    unpacking = t.event(
        "AggregationEvent",
        t.at(-2, "07:30:00"),
        "unpacking",
        SHOP_STOCKROOM,
        action="DELETE",
        disposition="in_progress",
        parentID=t.cases[0],
        childEPCs=[t.jar(serial) for serial in SERIALS[:12]],
    )
    return t.step("corner-pantry", receiving, unpacking)


def _on_sale(t: Teller) -> StoryStep:
    stocking = t.event(
        "ObjectEvent",
        t.at(-2, "08:15:00"),
        "stocking",
        SHOP,
        action="OBSERVE",
        disposition="sellable_accessible",
        bizLocation=SHOP.attributes(t.base_uri),
        epcList=[t.jar(serial) for serial in SERIALS[:12]],
    )
    selling = t.event(
        "ObjectEvent",
        t.at(-1, "17:42:00"),
        "retail_selling",
        SHOP,
        action="OBSERVE",
        disposition="retail_sold",
        bizLocation=SHOP.attributes(t.base_uri),
        epcList=[t.jar(SOLD)],
    )
    return t.step("corner-pantry", stocking, selling)
