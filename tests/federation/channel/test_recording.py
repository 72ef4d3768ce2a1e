"""A transcript on disk holds every message in order, and damage is noticed."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from federation.channel import (
    Listener,
    Message,
    Recorder,
    RecordingInvalid,
    decode,
    local_channels,
    open_tls_channel,
    read_recording,
)
from tests.federation.channel.processes import CODE, RUN, make_consortium

pytestmark = pytest.mark.feature("D3")


def record(path: Path) -> bytes:
    with Recorder(path) as recorder:
        channels = local_channels("0x01", ["bank", "mill"], tap=recorder)
        channels["bank"].send("mill", Message("a", {"n": 1}))
        channels["mill"].send("bank", Message("b", {"n": 2}))
    channels["mill"].send("bank", Message("c"))  # after the end: not written
    return path.read_bytes()


def test_every_message_is_there_in_order(tmp_path: Path) -> None:
    record(tmp_path / "run")
    got = [(one.sender, one.to, decode(one.data)) for one in read_recording(tmp_path / "run")]
    assert got == [
        ("bank", "mill", Message("a", {"n": 1})),
        ("mill", "bank", Message("b", {"n": 2})),
    ]
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o600


def test_over_tls_a_party_records_both_directions(tmp_path: Path) -> None:
    consortium, listener = make_consortium(), Listener()

    def act_as_mill() -> None:
        channel = open_tls_channel(
            RUN, "mill", consortium.mill, {"bank": listener.address}, code=CODE
        )
        channel.send("bank", channel.receive("bank", "a"))
        channel.close()

    thread = Thread(target=act_as_mill)
    thread.start()
    with Recorder(tmp_path / "run") as recorder:
        channel = open_tls_channel(
            RUN,
            "bank",
            consortium.bank,
            {"mill": None},
            code=CODE,
            listener=listener,
            tap=recorder,
        )
        channel.send("mill", Message("a", {"n": 1}))
        assert channel.receive("mill", "a").body == {"n": 1}
        channel.close()
    thread.join()
    listener.close()
    assert [(one.sender, one.to) for one in read_recording(tmp_path / "run")] == [
        ("bank", "mill"),
        ("mill", "bank"),
    ]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    record(tmp_path / "run")
    with pytest.raises(RecordingInvalid, match="cannot be begun"):
        Recorder(tmp_path / "run")


def test_a_file_cut_anywhere_is_noticed_or_ends_with_a_message(tmp_path: Path) -> None:
    whole = record(tmp_path / "run")
    cut_path = tmp_path / "cut"
    counts = []
    for cut in range(len(whole)):
        cut_path.write_bytes(whole[:cut])
        try:
            counts.append(len(list(read_recording(cut_path))))
        except RecordingInvalid:
            continue
    assert counts == [0, 1]


def test_what_is_no_transcript_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingInvalid, match="cannot be read"):
        list(read_recording(tmp_path / "none"))
    for content in (b"", b"something else"):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(RecordingInvalid, match="no transcript"):
            list(read_recording(tmp_path / "other"))
    whole = bytearray(record(tmp_path / "run"))
    whole[len(b"tally transcript 1\n") + 8] = 0xFF  # the sender's first letter
    (tmp_path / "bad").write_bytes(whole)
    with pytest.raises(RecordingInvalid, match="no text"):
        list(read_recording(tmp_path / "bad"))
