"""One number, one place: what a gate or a flag says is what its condition says."""

from collections.abc import Iterator
from typing import Any

import pytest

from connector.editions import PRESETS, preset_text
from connector.messages.features import FEATURES
from connector.messages.figures import filled
from connector.policy import Policy, load

OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge")
#: What is added to a threshold of that unit.
MORE = {"days": 420, "share": 0.07, "count": 40}


def comparisons(condition: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """The parts of a condition that compare with a number other than none at all, and their operator."""
    if isinstance(condition, dict):
        if "feature" in condition:
            yield from ((condition, how) for how in OPERATORS if condition.get(how))
        for part in condition.values():
            yield from comparisons(part)
    elif isinstance(condition, list):
        for part in condition:
            yield from comparisons(part)


def thresholds() -> Iterator[Any]:
    for preset in PRESETS:
        body = load(preset_text(preset), preset).model_dump(by_alias=True, mode="json")
        for kind in ("gates", "flags"):
            for name, item in body[kind].items():
                for number, _ in enumerate(comparisons(item["when"])):
                    yield pytest.param(preset, kind, name, number, id=f"{preset}-{name}-{number}")


@pytest.mark.parametrize(("preset", "kind", "name", "number"), list(thresholds()))
def test_a_threshold_that_is_changed_is_the_one_that_is_read(preset: str, kind: str, name: str, number: int) -> None:
    rules = load(preset_text(preset), preset)
    body = rules.model_dump(by_alias=True, mode="json")
    part, how = list(comparisons(body[kind][name]["when"]))[number]
    feature, sign = part["feature"], -1 if part[how] < 0 else 1
    part[how] += sign * MORE.get(FEATURES[feature].unit, 1.3)
    changed = Policy.model_validate(body)

    before, after = getattr(rules.sentences, kind)[None, name], getattr(changed.sentences, kind)[None, name]

    for language, old, new in zip(("en", "zh"), before, after, strict=True):
        # Its own form, whatever the sentence chose.
        forms = {
            filled(f"{{{feature}{form}}}", [(feature, how, part[how])], "zh" if language == "zh" else "en")
            for form in ("", ":months", ":years", ":number", ":size")
        }
        assert old != new
        assert any(form in new for form in forms), (new, forms)


@pytest.mark.parametrize("preset", PRESETS)
def test_no_sentence_of_ours_holds_a_figure_of_its_own(preset: str) -> None:
    assert load(preset_text(preset), preset).own_figures() == []


def test_a_policy_with_figures_in_its_sentences_still_loads_and_a_place_that_means_nothing_does_not() -> None:
    text = preset_text("default")
    own = load(text.replace("more than {material_overdue_days} overdue", "more than 180 days overdue"), "own.yaml")
    assert ("gates.overdue_180.en", "180") in own.own_figures()

    with pytest.raises(Exception, match=r"gates\.overdue_180\.en: \{trend\}: the condition does not compare it"):
        load(text.replace("more than {material_overdue_days} overdue", "more than {trend} overdue"), "own.yaml")
