import pytest

from connector.editions import default_text
from connector.errors import Misconfigured
from connector.policy import ENGINE, Condition, load

DEFAULT = default_text()


def test_the_default_policy_is_sound_and_its_version_is_a_hash_of_what_it_says() -> None:
    policy = load(DEFAULT, "default.yaml")

    assert policy.version == load(DEFAULT + "\n# a comment\n", "default.yaml").version
    assert policy.version != load(DEFAULT.replace("peak: 1.5", "peak: 1.6"), "default.yaml").version
    # Neither texts nor keys that the file leaves out: a key that is new in a release re-rates nobody.
    reworded = DEFAULT.replace("    en: insolvency", "    en: now insolvency", 1)
    assert (reworded != DEFAULT, policy.version) == (True, load(reworded, "default.yaml").version)
    result = load(DEFAULT + "\nchecks: {events_least: 20}\n", "default.yaml")
    assert (result.checks, result.content) == (policy.checks, policy.content)
    assert result.version != policy.version
    assert policy.version.endswith(f".{ENGINE}")
    assert policy.minor(policy.materiality.stub) == 1_000
    assert policy.tendency.rungs == (3, 5, 10, 15, 30)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "  stub_share: 0.05",
            "  stub_shar: 0.05",
            r"line 9: unknown key materiality.stub_shar; did you mean 'stub_share'",
        ),
        ("limits: {peak", "limitz: {peak", "unknown key limitz; did you mean 'limits'"),
        (
            "feature: on_time_share",
            "feature: on_time_shar",
            "no feature of the name 'on_time_shar'; did you mean 'on_time_share'",
        ),
        ("pillar: standing", "pillar: fortune", "no pillar of the name 'fortune'"),
        ("base_currency: USD", "base_currency: usd", "line 5: base_currency"),
        ("AA:  {from: 82", "AA:  {from: 92", "falls strictly"),
        ("    missing: 50", "    missing: 60", "less than or equal to 50"),
        ("    rating: NR", "    rating: NR\n    cap: BB", "either `cap` or `rating`"),
        ("    kind: cash\n", "", "needs a `kind`"),
        ("[[0.5, 100], [0.8, 80]", "[[0.8, 100], [0.5, 80]", "rise strictly"),
        ("version: 1", "version: [1", "line"),
    ],
)
def test_a_fault_is_named_with_its_line_and_a_way_out(old: str, new: str, words: str) -> None:
    assert old in DEFAULT

    with pytest.raises(Misconfigured, match=words):
        load(DEFAULT.replace(old, new, 1), "p.yaml")


def test_a_condition_has_one_form() -> None:
    assert list(Condition.model_validate({"not": {"feature": "overdue", "gt": 1}}).features()) == ["overdue"]
    for wrong in ({}, {"feature": "overdue"}, {"gt": 1}, {"all": [], "feature": "x", "gt": 1}):
        with pytest.raises(ValueError, match=r"exactly one|comparison"):
            Condition.model_validate(wrong)


def test_a_file_without_keys_is_refused() -> None:
    with pytest.raises(Misconfigured, match="line 1: not a mapping"):
        load("- a\n- b\n", "p.yaml")


def test_another_currency_and_a_segment_change_nothing_else() -> None:
    policy = load(default_text() + "\nsegments: {x: {match: {country: [CN]}, limits: {peak: 2.0}}}\n", "p")
    nulls = {"relationship": None, "standing": None, "finances": None, "external": None, "payment": "BBB"}

    other, segment = policy.in_currency("CNY"), policy.of_segments["x"]

    assert {name: pillar.cap_when_absent for name, pillar in other.pillars.items()} == nulls
    assert {name: pillar.cap_when_absent for name, pillar in segment.pillars.items()} == nulls
    changed = other.model_dump() | {"base_currency": policy.base_currency}
    assert changed == policy.model_dump()
    assert other.version != policy.version
    assert segment.model_dump() | {"segments": {}, "limits": {}} == policy.model_dump() | {"segments": {}, "limits": {}}
