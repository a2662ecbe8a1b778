"""Tax ids that tell one company from another: written in many ways, checked, one form of each.

Two accounts of the same id are the same company only where the id proves itself by its check digit; a typing slip, a
placeholder or a form without a check digit joins nobody. Sources: GB 32100-2015 (统一社会信用代码), ISO 17442 (LEI),
Directive 2006/112/EC article 215 (VAT); the checks themselves are python-stdnum's.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stdnum import get_cc_module, lei
from stdnum.cn import uscc
from stdnum.eu import vat
from stdnum.exceptions import ValidationError

#: Shorter ones, or with fewer digits, are no tax id: "N/A", "none", "-".
_LEAST_DIGITS = 5


@dataclass(frozen=True, slots=True)
class TaxId:
    """A tax id in its one form."""

    #: Whose kind it is: a country's code, or LEI; empty: nobody knows.
    scheme: str
    number: str
    #: Whether its check digit holds.
    is_proven: bool

    @property
    def key(self) -> str:
        """The text that all ways of writing it share."""
        return f"{self.scheme}:{self.number}"


def tax_id(text: str | None, country: str | None = None) -> TaxId | None:
    """What a text says as a tax id; None: nothing that could be one. `country`: ISO 3166 alpha-2 of the account.

    Full-width characters, spaces, dots, dashes and case make no difference.
    """
    written = "".join(each for each in unicodedata.normalize("NFKC", text or "").upper() if each.isalnum())
    land = (country or "").strip().upper()
    return _tax_id(written, land) if _could_be_one(written) else None


def contradict(one: TaxId | None, other: TaxId | None) -> bool:
    """Whether they are of two companies: of one kind, and not the same."""
    return one is not None and other is not None and one.scheme == other.scheme and one.number != other.number


def _could_be_one(written: str) -> bool:
    return sum(each.isdigit() for each in written) >= _LEAST_DIGITS and len(set(written)) > 1 and written.isascii()


@lru_cache(maxsize=65_536)
def _tax_id(written: str, country: str) -> TaxId:
    if _holds(uscc, written):
        return TaxId("CN", written, is_proven=True)
    if _holds(lei, written):
        return TaxId("LEI", written, is_proven=True)
    if _holds(vat, written):
        return TaxId(_LANDS.get(written[:2], written[:2]), written[2:], is_proven=True)
    checks = get_cc_module(country.lower(), "vat") if len(country) == 2 and country.isalpha() else None
    if checks is not None:
        bare = written.removeprefix(country) if country in _PREFIXED or _in_union(country) else written
        if _holds(checks, bare):
            return TaxId(country, _bare(checks.compact(bare), country), is_proven=True)
    if not country and _LOOKS_CHINESE.fullmatch(written):
        country = "CN"
    return TaxId(country, _bare(written, country), is_proven=False)


#: Two letters or digits for who registered what, six digits of the place, nine of the body, one to check them all.
_LOOKS_CHINESE = re.compile(r"[0-9A-Z]{2}\d{6}[0-9A-Z]{9}[0-9A-Z]")
#: The union writes Greece EL; who knows the account's country writes GR.
_LANDS = {"EL": "GR"}
#: Outside the union, numbers that are often written with the country before them.
_PREFIXED = ("GB", "CH", "NO")


def _in_union(country: str) -> bool:
    return country.lower() in vat.MEMBER_STATES or country in _LANDS.values()


def _bare(written: str, country: str) -> str:
    return written.removeprefix(country) if country else written


def _holds(checks: Any, written: str) -> bool:
    try:
        checks.validate(written)
    except ValidationError:
        return False
    return True
