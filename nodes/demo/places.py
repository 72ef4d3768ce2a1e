"""Who takes part in the demo's story, and where."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ORGANISATIONS", "Place", "StoryOrganisation"]


@dataclass(frozen=True, slots=True)
class StoryOrganisation:
    """A member of the demo consortium."""

    id: str
    """ASCII `[a-z0-9-]{1,32}`."""
    name: str
    name_zh: str
    role: str
    """A role of contracts.consortium: manufacturer, carrier, warehouse, retailer …"""


ORGANISATIONS: tuple[StoryOrganisation, ...] = (
    StoryOrganisation("linxi-farm", "Linxi Berry Farm", "林溪浆果农场", "manufacturer"),
    StoryOrganisation("snowbird-foods", "Snowbird Foods", "雪雀食品", "manufacturer"),
    StoryOrganisation("longhe-cold-chain", "Longhe Cold Chain", "龙河冷链运输", "carrier"),
    StoryOrganisation("eastbay-cold-store", "Eastbay Cold Store", "东湾冷库", "warehouse"),
    StoryOrganisation("corner-pantry", "Corner Pantry", "街角食集", "retailer"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A physical place: GLN, an optional GLN extension, and what a person is told about it."""

    gln: str
    """13 digits with the check digit."""
    extension: str | None
    latitude: str
    """Decimal degrees, WGS 84; text, so that no reader changes its digits."""
    longitude: str
    name: str
    name_zh: str
    city: str
    city_zh: str

    def attributes(self, base_uri: str) -> dict[str, object]:
        """The place as a `readPoint` or `bizLocation` with CBV master data attributes."""
        suffix = "" if self.extension is None else f"/254/{self.extension}"
        return {
            "id": f"{base_uri}/414/{self.gln}{suffix}",
            "cbvmda:name": self.name,
            "tally:nameZh": self.name_zh,
            "cbvmda:city": self.city,
            "tally:cityZh": self.city_zh,
            "cbvmda:countryCode": "CN",
            "cbvmda:latitude": self.latitude,
            "cbvmda:longitude": self.longitude,
        }


FARM = Place(
    "9521001000000", None, "47.7286", "128.9052", "Linxi Forest", "林溪林场", "Yichun", "伊春"
)
FARM_COLD_ROOM = Place(
    "9521001000000", "C1", "47.7240", "128.8990", "Linxi Cold Room", "林溪冷冻库", "Yichun", "伊春"
)
KITCHEN = Place(
    "9521002000009", None, "45.7030", "126.6210", "Snowbird Kitchen", "雪雀厨房", "Harbin", "哈尔滨"
)
KITCHEN_DOCK = Place(
    "9521002000009",
    "D2",
    "45.7036",
    "126.6228",
    "Snowbird Dock 2",
    "雪雀 2 号站台",
    "Harbin",
    "哈尔滨",
)
RELAY = Place(
    "9521003000008",
    None,
    "39.2105",
    "117.4020",
    "Longhe Relay Tianjin",
    "龙河天津中转站",
    "Tianjin",
    "天津",
)
COLD_STORE = Place(
    "9521004000007",
    None,
    "31.2810",
    "121.6140",
    "Eastbay Cold Store",
    "东湾冷库",
    "Shanghai",
    "上海",
)
COLD_STORE_DOCK = Place(
    "9521004000007",
    "D7",
    "31.2815",
    "121.6160",
    "Eastbay Dock 7",
    "东湾 7 号站台",
    "Shanghai",
    "上海",
)
LABORATORY = Place(
    "9521004000007",
    "LAB",
    "31.2802",
    "121.6128",
    "Eastbay Laboratory",
    "东湾实验室",
    "Shanghai",
    "上海",
)
SHOP = Place(
    "9521005000006", None, "30.2520", "120.1630", "Corner Pantry", "街角食集", "Hangzhou", "杭州"
)
SHOP_STOCKROOM = Place(
    "9521005000006",
    "B1",
    "30.2521",
    "120.1632",
    "Corner Pantry stockroom",
    "街角食集后仓",
    "Hangzhou",
    "杭州",
)
