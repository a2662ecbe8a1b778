"""Shipped policies come in editions; an edition that was released never changes."""

import hashlib
from pathlib import Path

import pytest

from connector import editions
from connector.editions import PRESETS, Edition, edition_of, preset_text, unchanged
from connector.policy import load
from connector.policy_changes import changes
from tests.connector.second_edition import second_edition

#: Edition that a release shipped → SHA-256 of its file, which stays: a change is the next edition, and the file before it
#: goes to policies/earlier/NAME-NUMBER.yaml. Releasing adds to it (docs/releasing.md).
FROZEN = {
    "default/1": "ac60fae06a80c5875543962dc922302b121e58d4602245a95be6f70e5214fc5d",
    "cn-b2b-100/1": "6b28525d20e423e5f96b26ad548a8a3376b967109711de27ea9b513c4617c0f6",
    "financial-ratios/1": "9fd0acbbb03bde370271f200ac07089c3d761bd6d767b93df56e2114766d010d",
}


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Edition, Edition]:
    """A release with a second edition of the default policy."""
    return second_edition(tmp_path, monkeypatch)


def test_a_released_edition_never_changes() -> None:
    result = {
        each.name: hashlib.sha256(each.text.encode()).hexdigest()
        for policy in PRESETS
        for each in editions.editions(policy)
    }

    assert {name: result.get(name) for name in FROZEN} == FROZEN


def test_editions_are_listed_the_newest_last_and_a_policy_says_which_it_is(two: tuple[Edition, Edition]) -> None:
    first, second = two

    assert [each.name for each in editions.editions("default")] == ["default/1", "default/2"]
    assert preset_text("default") == second.text
    assert edition_of(second.rules("CNY")) == second
    # One that names none is known by what it says, as a file copied from 0.1.0 is.
    copied = load(first.text.replace("edition: default/1\n", "").replace("en: insolvency", "en: broke"), "policy.yaml")
    assert edition_of(copied) == first
    assert unchanged(copied.in_currency("CNY"), first)
    own = load(first.text.replace("peak: 1.5", "peak: 1.4"), "policy.yaml")
    assert (edition_of(own), unchanged(own, first)) == (first, False)
    assert (
        edition_of(load(first.text.replace("edition: default/1\n", "").replace("peak: 1.5", "peak: 1.4"), "p")) is None
    )
    assert edition_of(load(first.text.replace("default/1", "default/9"), "p")) is None


def test_what_differs_is_said_key_by_key(two: tuple[Edition, Edition]) -> None:
    first, second = two

    results = changes(first.rules("CNY"), second.rules())

    assert [(each.en, each.zh) for each in results] == [
        ("grade BBB, from: 66 → 67", "等级 BBB，from：66 → 67"),
        ("gate twice is new: twice the limit", "新增门槛 twice：两倍额度"),
        ("limits, peak: 1.5 → 1.25", "limits，peak：1.5 → 1.25"),
    ]
    assert (results[1].before, results[1].after) == (None, "when (feature utilisation, gt 2), cap B")
    back = changes(second.rules(), first.rules())
    assert back[1].en == "gate twice is gone: twice the limit"
    assert changes(first.rules(), first.rules("CNY")) == []
