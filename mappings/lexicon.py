"""What the canonical columns are called elsewhere, read from lexicon.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from ruamel.yaml import YAML

#: account, user and self: the accounts, users and the object itself; the others by their words.
Target = Literal["account", "user", "self", "currency", "country", "receivable", "payment", "order", "company", ""]
#: German letters as they are spelled without them, which half of all systems do.
UMLAUTS = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meaning:
    """How one column is recognised."""

    #: Phrases, the most telling first; a phrase's words may stand in any order.
    en: tuple[str, ...]
    zh: tuple[str, ...] = ()
    de: tuple[str, ...] = ()
    #: What a reference must point to.
    target: Target = ""
    #: Words that make it something else.
    never: tuple[str, ...] = ()
    #: Options of a choice that speak for it.
    options: tuple[str, ...] = ()


@cache
def meanings() -> dict[str, dict[str, Meaning]]:
    """Canonical table → column → how it is recognised."""
    payload = YAML(typ="safe").load(resources.files("mappings").joinpath("lexicon.yaml").read_text(encoding="utf-8"))
    return {
        table: {column: _meaning(values) for column, values in columns.items()} for table, columns in payload.items()
    }


def _meaning(given: dict[str, list[str] | str]) -> Meaning:
    result = {
        key: value if isinstance(value, str) else tuple(str(each) for each in value) for key, value in given.items()
    }
    return Meaning(**result)  # type: ignore[arg-type]
