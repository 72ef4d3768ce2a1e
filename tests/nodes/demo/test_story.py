"""The demo's story: valid by the standard, believable in any month, told in two languages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.demo.story import ITEMS, ORGANISATIONS, StoryStep, story
from traceability.epcis import parse_document
from traceability.gs1 import parse_identifier

pytestmark = pytest.mark.feature("T5")
NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


def events(steps: tuple[StoryStep, ...]) -> list[dict[str, object]]:
    return [event for step in steps for event in step.document["epcisBody"]["eventList"]]  # type: ignore[index]


@pytest.mark.feature("T1")
def test_every_document_is_valid_epcis() -> None:
    steps = story(NOW)
    parsed = [parse_document(json.dumps(step.document).encode()) for step in steps]
    ids = [event.event_id for document in parsed for event in document.events]
    assert len(ids) == len(set(ids)) == 23


def test_every_identifier_has_its_check_digit_and_a_demonstration_prefix() -> None:
    text = json.dumps([step.document for step in story(NOW)])
    found = set(re.findall(r'"(https://id\.gs1\.org/[^"]+)"', text))
    assert len(found) > 40
    for uri in found:
        assert "952" in parse_identifier(uri).value[:5], uri


def test_event_ids_do_not_depend_on_the_resolver() -> None:
    def ids(base_uri: str) -> list[str]:
        documents = [json.dumps(step.document).encode() for step in story(NOW, base_uri)]
        return [e.event_id for document in documents for e in parse_document(document).events]

    assert ids("https://id.gs1.org") == ids("https://shop.example/")


@settings(max_examples=60)
@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)),
    st.integers(-12, 14),
)
def test_story_lies_in_the_past_and_in_its_own_order(moment: datetime, hours: int) -> None:
    now = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    times = [datetime.fromisoformat(str(event["eventTime"])) for event in events(story(now))]
    assert max(times) < now
    assert times == sorted(times)
    assert times[0].month == 8


def test_naive_now_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        story(NOW.replace(tzinfo=None))


def test_all_organisations_take_part_and_have_both_names() -> None:
    assert {step.organisation for step in story(NOW)} == {org.id for org in ORGANISATIONS}
    assert len({org.role for org in ORGANISATIONS}) == 4
    for org in ORGANISATIONS:
        assert re.fullmatch(r"[a-z0-9-]{1,32}", org.id)
        assert org.name.isascii()
        assert re.search(r"[\u4e00-\u9fff]", org.name_zh)


def test_every_place_has_a_position_and_both_names() -> None:
    for event in events(story(NOW)):
        place = event["readPoint"]
        assert isinstance(place, dict)
        assert 20 < float(place["cbvmda:latitude"]) < 50
        assert 100 < float(place["cbvmda:longitude"]) < 130
        assert place["cbvmda:name"]
        assert place["tally:nameZh"]


def test_excursion_is_stopped_and_released_before_anything_is_sold() -> None:
    told = events(story(NOW))
    steps = [str(event["bizStep"]) for event in told]
    alarm = next(i for i, event in enumerate(told) if "ALARM_CONDITION" in json.dumps(event))
    assert steps[alarm] == "arriving"
    assert alarm < steps.index("holding") < steps.index("inspecting") < steps.index("stocking")
    lifted = told[steps.index("inspecting")]["persistentDisposition"]
    assert lifted == {"set": ["conformant"], "unset": ["non_conformant"]}


def test_items_end_in_three_different_ways() -> None:
    told = events(story(NOW))
    for item, disposition in zip(
        ITEMS, ("sellable_accessible", "retail_sold", "destroyed"), strict=True
    ):
        own = [
            event for event in told if any(item.path in str(e) for e in event.get("epcList", []))
        ]  # type: ignore[attr-defined]
        assert own[-1]["disposition"] == disposition
