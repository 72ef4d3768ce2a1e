"""The rules of CBV 2.0 section 8.9.2, one by one, against pre-hash strings written by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from traceability.epcis import event_id, prehash

pytestmark = pytest.mark.feature("T2")

Make = Callable[..., dict[str, Any]]
HEAD = "eventType=ObjectEventeventTime=2026-01-31T08:30:00.000ZeventTimeZoneOffset=+01:00"
EPCS = (
    "epcListepc=https://id.gs1.org/00/040123450000003338"
    "epc=https://id.gs1.org/01/04012345111118/21/9876"
)
TAIL = (
    "action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-shipping"
    "disposition=https://ref.gs1.org/cbv/Disp-in_transit"
    "readPointid=https://id.gs1.org/414/4012345000115/254/987"
)
PLAIN = HEAD + EPCS + TAIL
EXT = "{https://ns.example.com/epcis/}"


def test_plain_event(make_event: Make) -> None:
    assert prehash(make_event()) == PLAIN
    digest = hashlib.sha256(PLAIN.encode()).hexdigest()
    assert event_id(make_event()) == f"ni:///sha-256;{digest}?ver=CBV2.0"


def test_left_out_fields_do_not_count(make_event: Make) -> None:
    event = make_event(
        eventID="urn:uuid:1",
        recordTime="2026-02-01T00:00:00Z",
        errorDeclaration={"declarationTime": "2026-02-01T00:00:00Z", "reason": "incorrect_data"},
        **{"rdfs:comment": "x", "comment": "y"},
    )
    assert prehash(event) == PLAIN


def test_empty_and_absent_fields_are_the_same(make_event: Make) -> None:
    event = make_event(
        quantityList=[],
        bizTransactionList=[],
        sensorElementList=[],
        bizLocation=None,
        sourceList=[],
    )
    assert prehash(event) == PLAIN


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("2026-01-31T09:30:00+01:00", "2026-01-31T08:30:00.000Z"),
        ("2026-01-31T08:30:00Z", "2026-01-31T08:30:00.000Z"),
        (" 2026-01-31T08:30:00.1Z\n", "2026-01-31T08:30:00.100Z"),
        ("2026-01-31T08:30:00.1234999Z", "2026-01-31T08:30:00.123Z"),
        ("2026-01-31T08:30:00.1235Z", "2026-01-31T08:30:00.124Z"),
        ("2026-01-31T08:30:00.1245Z", "2026-01-31T08:30:00.125Z"),
        ("2025-12-31T23:59:59.9995Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T00:30:00-14:00", "2026-01-01T14:30:00.000Z"),
        ("2026-01-01T00:30:00+13:59", "2025-12-31T10:31:00.000Z"),
        ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00.000Z"),
    ],
)
def test_times_are_utc_with_milliseconds_rounded_half_up(
    make_event: Make, written: str, canonical: str
) -> None:
    assert f"eventTime={canonical}eventTimeZoneOffset" in prehash(make_event(eventTime=written))


def test_time_zone_offset_counts(make_event: Make) -> None:
    assert prehash(make_event(eventTimeZoneOffset="+02:00")) != PLAIN


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        (0.3434, "0.3434"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (-0.0, "0"),
        (-12.50, "-12.5"),
        ("12.50", "12.5"),
        ("+7", "7"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-0.0", "0"),
        ("1e3", "1000"),
        ("1.50E-2", "0.015"),
        ("12345678901234567890.10", "12345678901234567890.1"),
        ("1e9999", "1e9999"),
        ("1_000", "1_000"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("1,5", "1,5"),
        ("-", "-"),
        (".", "."),
        ("e5", "e5"),
        ("٣", "٣"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_numbers_have_one_plain_spelling(make_event: Make, value: object, text: str) -> None:
    assert prehash(make_event(**{"ex:n": value})) == f"{PLAIN}{EXT}n={text}"


def test_white_space_around_values_is_trimmed_and_inside_is_kept(make_event: Make) -> None:
    event = make_event(**{"ex:t": "\u3000 a  b\t\n\u00a0", "ex:u": "\u200bx"})
    assert prehash(event) == f"{PLAIN}{EXT}t=a  b{EXT}u=\u200bx"


@pytest.mark.parametrize(
    "spelling",
    [
        "shipping",
        "https://ref.gs1.org/cbv/BizStep-shipping",
        "cbv:BizStep-shipping",
        "urn:epcglobal:cbv:bizstep:shipping",
        " shipping ",
    ],
)
def test_vocabulary_words_have_one_spelling(make_event: Make, spelling: str) -> None:
    assert prehash(make_event(bizStep=spelling)) == PLAIN


def test_bare_words_are_expanded_only_in_their_own_field(make_event: Make) -> None:
    event = make_event(bizStep="in_transit", **{"ex:w": "shipping"})
    assert "bizStep=in_transit" in prehash(event)
    assert prehash(event).endswith(f"{EXT}w=shipping")


def test_every_vocabulary_is_expanded(make_event: Make) -> None:
    event = make_event(
        persistentDisposition={"unset": ["recalled"], "set": ["damaged", "active"]},
        bizTransactionList=[
            {"bizTransaction": "urn:x:1", "type": "po"},
            {"bizTransaction": "urn:x:0"},
        ],
        sourceList=[{"source": "urn:x:s", "type": "location"}],
        destinationList=[{"destination": "urn:x:d", "type": "urn:epcglobal:cbv:sdt:owning_party"}],
        sensorElementList=[
            {
                "sensorReport": [
                    {
                        "type": "gs1:Speed",
                        "component": "x",
                        "value": 0,
                        "exception": "ALARM_CONDITION",
                    }
                ]
            }
        ],
    )
    cbv = "https://ref.gs1.org/cbv/"
    expected = (
        f"persistentDispositionset={cbv}Disp-activeset={cbv}Disp-damagedunset={cbv}Disp-recalled"
        "readPointid=https://id.gs1.org/414/4012345000115/254/987"
        "sensorElementListsensorElementsensorReporttype=https://gs1.org/voc/Speed"
        f"exception=https://gs1.org/voc/ALARM_CONDITIONvalue=0component={cbv}Comp-x"
        f"bizTransactionListbizTransaction=urn:x:0type={cbv}BTT-pobizTransaction=urn:x:1"
        f"destinationListtype={cbv}SDT-owning_partydestination=urn:x:d"
        f"sourceListtype={cbv}SDT-locationsource=urn:x:s"
    )
    assert prehash(event).endswith(expected)


def test_curies_of_the_context_are_expanded_and_others_kept(make_event: Make) -> None:
    event = make_event(bizStep="ex:blending", **{"ex:a": "other:thing", "ex:b": "ex://not"})
    text = prehash(event)
    assert "bizStep=https://ns.example.com/epcis/blending" in text
    assert text.endswith(f"{EXT}a=other:thing{EXT}b=ex://not")


def test_prefix_name_does_not_count_but_namespace_does(make_event: Make) -> None:
    first = make_event(**{"ex:f": "1"})
    renamed = make_event(**{"other:f": "1"})
    renamed["@context"][1] = {"other": "https://ns.example.com/epcis/"}
    moved = make_event(**{"ex:f": "1"})
    moved["@context"][1] = {"ex": "https://ns.example.com/else/"}
    assert event_id(first) == event_id(renamed) != event_id(moved)


def test_extensions_nest_and_sort(make_event: Make) -> None:
    event = make_event(
        **{
            "ex:z": {"ex:b": "2", "ex:a": {"inner": ["b", "a", {"ex:c": 3}]}},
            "ex:l": ["3", "1", ["y", "x"], {}],
            "ex:e": "",
            "ex:n": None,
            "ex:none": [],
        }
    )
    expected = (
        f"{EXT}e{EXT}l{EXT}l=1{EXT}l=3{EXT}l=x=y{EXT}z{EXT}ainner=ainner=binner{EXT}c=3{EXT}b=2"
    )
    assert prehash(event) == PLAIN + expected


def test_extensions_of_a_part_stay_in_that_part(make_event: Make) -> None:
    event = make_event(
        readPoint={"ex:r": "1", "id": "urn:x:r"},
        sensorElementList=[
            {
                "ex:s": "1",
                "sensorMetadata": {"ex:m": "1", "time": "2026-01-01T00:00:00Z"},
                "sensorReport": [
                    {"ex:p": "1", "type": "Speed", "time": "2026-01-01T01:00:00+01:00"}
                ],
            }
        ],
        ilmd={"ex:i": "1"},
        action="ADD",
    )
    text = prehash(event)
    assert f"readPointid=urn:x:r{EXT}r=1" in text
    assert (
        f"sensorElementListsensorElementsensorMetadatatime=2026-01-01T00:00:00.000Z{EXT}m=1"
        f"sensorReporttype=https://gs1.org/voc/Speedtime=2026-01-01T00:00:00.000Z{EXT}p=1{EXT}s=1"
    ) in text
    assert text.endswith(f"ilmd{EXT}i=1")


def test_sorting_is_by_code_point_not_by_utf16(make_event: Make) -> None:
    """U+FF5E sorts before U+1F34E by code point, after it by UTF-16 code unit."""
    event = make_event(**{"ex:l": ["\U0001f34e", "\uff5e"]})
    assert prehash(event).endswith(f"{EXT}l=\uff5e{EXT}l=\U0001f34e")


def test_identifiers_in_extensions_are_canonical_too(make_event: Make) -> None:
    event = make_event(**{"ex:m": "urn:epc:id:giai:4012345.ABC"})
    assert prehash(event).endswith(f"{EXT}m=https://id.gs1.org/8004/4012345ABC")


def test_master_data_attributes_have_the_namespace_of_the_standard(make_event: Make) -> None:
    event = make_event(action="ADD", ilmd={"cbvmda:lotNumber": "L1"})
    assert prehash(event).endswith("ilmd{urn:epcglobal:cbv:mda:}lotNumber=L1")
