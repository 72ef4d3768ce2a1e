"""What a server may not do: stand in between, replay, show two truths, ask twice."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from federation.channel import (
    Message,
    MessageInvalid,
    MessageUnexpected,
    PartyGone,
    PartySilent,
    local_channels,
)
from federation.masking import (
    Contributor,
    Group,
    GroupRefused,
    MaskingEnded,
    ServerLied,
    StepRepeated,
)
from federation.masking.messages import Advert

pytestmark = pytest.mark.feature("D4")

ADVERT = 160


def altered(message: Message, **body) -> Message:
    return Message(message.kind, {**message.body, **body})


def all_see_the_lie(outcome, words: str) -> None:
    for end in outcome.members.values():
        assert isinstance(end, ServerLied), end
        assert end.party == "operator"
        assert words in str(end)
    assert isinstance(outcome.error, MaskingEnded)


def test_keys_of_its_own_in_place_of_a_members_are_refused(parties):
    group = parties(4)

    def change(_to: str, message: Message) -> Message:
        if message.kind != "mask/roster":
            return message
        own = X25519PrivateKey.generate().public_key().public_bytes_raw()
        return altered(
            message, keys=message.body["keys"][:ADVERT] + own + message.body["keys"][ADVERT + 32 :]
        )

    group.changes = {"operator": change}
    all_see_the_lie(group.run(), "not signed by bank-1")


def test_keys_replayed_from_another_step_are_refused(parties):
    group = parties(4)
    earlier: dict[str, bytes] = {}

    def change(_to: str, message: Message) -> Message:
        if message.kind != "mask/roster":
            return message
        first = earlier.setdefault("keys", message.body["keys"])
        if message.body["step"] == "step/2":
            return altered(message, keys=message.body["keys"][:-ADVERT] + first[-ADVERT:])
        return message

    group.changes = {"operator": change}
    outcome = group.run("step/2", ("step/1",))
    all_see_the_lie(outcome, "not signed by bank-3")


def test_keys_of_another_run_are_refused(parties):
    group = parties(3)
    channels = local_channels("0x08", (*group.group.members, "operator"), timeout_s=0.05)
    other = Contributor(channels["bank-0"], group.group, group.keys["bank-0"])
    with pytest.raises(PartySilent):  # nobody answers; only its keys matter
        other.add("step/1", group.vectors["bank-0"], 1_000)
    replayed = channels["operator"].receive("bank-0", "mask/keys").body["keys"]

    def change(_to: str, message: Message) -> Message:
        return altered(message, keys=replayed) if message.kind == "mask/keys" else message

    group.changes = {"bank-0": change}
    outcome = group.run()
    assert isinstance(outcome.error, MaskingEnded)
    assert "bank-0" in outcome.error.missing


def test_the_same_key_for_two_members_is_refused(parties):
    """A member that signs another's key as its own: the masks of both would be one."""
    group = parties(4)

    def change(to: str, message: Message) -> Message:
        if message.kind != "mask/roster":
            return message
        keys = message.body["keys"]
        stolen = keys[:96]
        signer = group.keys["bank-3"]
        signature = signer.sign(Advert.said("0x07", "step/1", "bank-3", stolen))
        return (
            altered(message, keys=keys[:-ADVERT] + stolen + signature)
            if to != "bank-3"
            else message
        )

    group.changes = {"operator": change}
    outcome = group.run()
    for one in ("bank-0", "bank-1", "bank-2"):
        assert "a key stands there twice" in str(outcome.members[one])


def test_two_sets_of_survivors_are_noticed_before_any_share_is_given(parties):
    group = parties(5, 3)

    def change(to: str, message: Message) -> Message:
        if message.kind == "mask/survivors" and to in ("bank-0", "bank-1"):
            return altered(message, present=bytes([1, 1, 1, 1, 0]))
        return message

    group.changes = {"operator": change}
    outcome = group.run()
    all_see_the_lie(outcome, "")
    assert "did not sign this set of survivors" in str(outcome.members["bank-4"])
    assert not any(b"mask/unmask" in data for _sender, _to, data in outcome.transcript)


@pytest.mark.parametrize(
    ("kind", "present", "words"),
    [
        ("mask/roster", [0, 1, 1, 1], "leaves us out"),
        ("mask/inbox", [0, 1, 1, 1], "leaves us out"),
        ("mask/survivors", [0, 1, 1, 1], "leaves us out"),
        ("mask/survivors", [1, 1, 0, 0], "2 members, 3 are needed"),
        ("mask/consents", [1, 0, 1, 0], "2 members, 3 are needed"),
        ("mask/survivors", [1, 1, 1, 2], "neither 0 nor 1"),
        ("mask/survivors", [1, 1, 1], "3 bytes where 4"),
    ],
)
def test_a_wrong_set_of_members_is_refused(parties, kind, present, words):
    group = parties(4, 3)
    sizes = {"mask/roster": ("keys", ADVERT), "mask/inbox": ("sealed", 82)}

    def change(to: str, message: Message) -> Message:
        if message.kind != kind or to != "bank-0":
            return message
        body = {"present": bytes(present)}
        if kind in sizes:
            body[sizes[kind][0]] = bytes(3 * sizes[kind][1])
        if kind == "mask/consents":
            body["signatures"] = message.body["signatures"][:128]
        return altered(message, **body)

    group.changes = {"operator": change}
    outcome = group.run()
    assert isinstance(outcome.members["bank-0"], ServerLied | MessageInvalid)
    assert outcome.members["bank-0"].party == "operator"
    assert words in str(outcome.members["bank-0"])


def test_a_member_that_was_not_there_cannot_come_back(parties, kill):
    group = parties(5, 3)
    group.changes = {
        "bank-4": kill("mask/shares"),
        "operator": lambda _to, message: (
            altered(message, present=bytes([1, 1, 1, 1, 1]))
            if message.kind == "mask/survivors"
            else message
        ),
    }
    outcome = group.run()
    for one in group.group.members[:4]:
        assert "was not there before" in str(outcome.members[one])


def test_asked_for_a_second_set_a_member_gives_nothing(parties):
    group = parties(4, 3)

    def change(_to: str, message: Message) -> Message:
        if message.kind == "mask/consents":
            return Message(
                "mask/survivors",
                {"step": "step/1", "end": "", "present": bytes([1, 1, 1, 0])},
            )
        return message

    group.changes = {"operator": change}
    outcome = group.run()
    for end in outcome.members.values():
        assert isinstance(end, MessageUnexpected)
        assert end.party == "operator"
    assert not any(b"mask/unmask" in data for _sender, _to, data in outcome.transcript)


def test_a_step_has_one_sum_also_when_a_run_is_taken_up_again(parties):
    group = parties(3)
    outcome = group.run("step/2", ("step/2",))
    for end in outcome.members.values():
        assert isinstance(end, StepRepeated | PartyGone | MaskingEnded)
    assert any(isinstance(end, StepRepeated) for end in outcome.members.values())
    channels = local_channels("0x07", (*group.group.members, "operator"), timeout_s=1)
    again = Contributor(
        channels["bank-1"], group.group, group.keys["bank-1"], done=("step/1", "step/2")
    )
    with pytest.raises(StepRepeated):
        again.add("step/2", group.vectors["bank-1"], 1_000)
    assert again.done == {"step/1", "step/2"}


def test_a_seal_that_the_server_broke_is_named(parties):
    group = parties(5, 3)

    def change(to: str, message: Message) -> Message:
        if message.kind == "mask/inbox" and to == "bank-2":
            sealed = bytearray(message.body["sealed"])
            sealed[5] ^= 4
            return altered(message, sealed=bytes(sealed))
        return message

    group.changes = {"operator": change}
    outcome = group.run()
    assert outcome.total is not None
    assert outcome.total.faults[0].kind == "share"
    assert "bank-2 cannot open" in outcome.total.faults[0].detail


class TestGroup:
    """Which groups may add up at all."""

    @staticmethod
    def keys(count: int) -> dict[str, bytes]:
        made = (Ed25519PrivateKey.generate() for _ in range(count))
        return {f"b{n}": key.public_key().public_bytes_raw() for n, key in enumerate(made)}

    def test_two_are_refused_unless_their_vectors_carry_noise(self):
        with pytest.raises(GroupRefused, match="subtract its own"):
            Group.of("operator", self.keys(2))
        assert Group.of("operator", self.keys(2), noisy=True).threshold == 2

    @pytest.mark.parametrize(
        ("count", "server", "least"),
        [
            (3, "operator", 3),
            (4, "operator", 3),
            (5, "operator", 3),
            (6, "operator", 4),
            (7, "operator", 4),
            (5, "b0", 4),
            (6, "b0", 4),
            (7, "b0", 5),
        ],
    )
    def test_the_threshold_is_more_than_half_counting_who_helps_the_server(
        self, count, server, least
    ):
        keys = self.keys(count)
        assert Group.of(server, keys).threshold == least
        Group(server, keys, least)
        with pytest.raises(GroupRefused, match="threshold"):
            Group(server, keys, least - 1)
        with pytest.raises(GroupRefused, match="threshold"):
            Group(server, keys, count + 1)

    def test_with_noise_a_threshold_of_two_of_three_will_do(self):
        assert Group.of("operator", self.keys(3), noisy=True).threshold == 2

    def test_keys_are_whole_and_different(self):
        keys = self.keys(3)
        with pytest.raises(GroupRefused, match="same"):
            Group.of("operator", {**keys, "b1": keys["b0"]})
        with pytest.raises(GroupRefused, match="32 bytes"):
            Group.of("operator", {**keys, "b1": b"short"})
        with pytest.raises(GroupRefused, match="65 members"):
            Group.of("operator", {f"c{n}": n.to_bytes(32, "big") for n in range(65)})

    def test_only_a_member_with_its_own_key_takes_part(self, parties):
        group = parties(3)
        channels = local_channels("0x07", (*group.group.members, "operator"))
        with pytest.raises(GroupRefused, match="bank-0 is no member"):
            Contributor(channels["bank-0"], group.group, group.keys["bank-1"])
        with pytest.raises(GroupRefused, match="operator is no member"):
            Contributor(channels["operator"], group.group, group.keys["bank-1"])
