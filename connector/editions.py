"""The policies that zixin ships, in editions: what a release changes about one is a new edition, which somebody takes.

The newest edition of a policy is policies/NAME.yaml, each before it policies/earlier/NAME-NUMBER.yaml. A profile stays
on the edition that it has until a person takes another one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from connector.policy import Policy, load

#: Policies that zixin ships, by name.
PRESETS = ("default", "cn-b2b-100", "financial-ratios")
#: Where their files are.
PLACE: Traversable = resources.files("connector").joinpath("policies")
_NAME = re.compile(r"(?P<policy>[a-z][a-z0-9-]*)-(?P<number>[1-9][0-9]*)\.yaml")


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a shipped policy."""

    policy: str
    number: int
    text: str

    @property
    def name(self) -> str:
        """As a policy's file names it: POLICY/NUMBER."""
        return f"{self.policy}/{self.number}"

    def rules(self, base: str | None = None) -> Policy:
        """The policy, its amounts in the base currency that is given."""
        rules = load(self.text, f"edition {self.name}")
        return rules if base is None else rules.in_currency(base)


def editions(policy: str) -> tuple[Edition, ...]:
    """All editions of a shipped policy, the newest last."""
    earlier = PLACE.joinpath("earlier")
    results = []
    for file in earlier.iterdir() if earlier.is_dir() else ():
        match = _NAME.fullmatch(file.name)
        if match and match["policy"] == policy:
            results.append(Edition(policy, int(match["number"]), file.read_text(encoding="utf-8")))
    text = PLACE.joinpath(f"{policy}.yaml").read_text(encoding="utf-8")
    result = re.search(rf"^edition: {re.escape(policy)}/(\d+)$", text, re.MULTILINE)
    return (*sorted(results, key=lambda each: each.number), Edition(policy, int(result[1]) if result else 1, text))


def preset_text(name: str) -> str:
    """The YAML text of the newest edition of a policy that zixin ships."""
    return editions(name)[-1].text


def default_text() -> str:
    """The YAML text of the policy that holds where a profile has none of its own."""
    return preset_text("default")


def edition_of(rules: Policy) -> Edition | None:
    """The shipped edition that a policy is, or says it was made from; None: it is of somebody's own making."""
    if rules.edition is not None:
        policy, _, number = rules.edition.partition("/")
        results = editions(policy) if policy in PRESETS else ()
        return next((each for each in results if each.number == int(number)), None)
    every = (each for policy in PRESETS for each in editions(policy))
    return next((each for each in every if unchanged(rules, each)), None)


def unchanged(rules: Policy, edition: Edition) -> bool:
    """Whether a policy says what the edition says; in whatever currency, texts left out."""
    return rules.version == edition.rules(rules.base_currency).version
