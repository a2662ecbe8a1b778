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
from stdnum.ch import uid
from stdnum.cn import uscc
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.fr import siren
from stdnum.no import orgnr

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

    Full-width characters, spaces, dots, dashes, case and what stands before it ("VAT no.", 税号) make no difference.
    """
    plain = unicodedata.normalize("NFKC", text or "").upper()
    written = "".join(each for each in _LABEL.sub("", plain, count=1) if each.isalnum())
    land = (country or "").strip().upper()
    return _tax_id(written, _LANDS.get(land, land)) if _could_be_one(written) else None


def contradict(one: TaxId | None, other: TaxId | None) -> bool:
    """Whether they are of two companies: of one kind and form, and not the same."""
    if one is None or other is None or one.scheme != other.scheme or one.number == other.number:
        return False
    # One that proves nothing may be the same one in another form.
    return (one.is_proven and other.is_proven) or len(one.number) == len(other.number)


def _could_be_one(written: str) -> bool:
    return sum(each.isdigit() for each in written) >= _LEAST_DIGITS and len(set(written)) > 1 and written.isascii()


@lru_cache(maxsize=65_536)
def _tax_id(written: str, country: str) -> TaxId:
    bare_cn = written.removeprefix("CN") if len(written) == 20 else written
    if _holds(uscc, bare_cn):
        return _told("CN", bare_cn)
    if _LEI.fullmatch(written) and _holds(lei, written):
        return _told("LEI", written)
    if _holds(vat, written):
        land = _LANDS.get(written[:2], written[:2])
        return _told(land, _compact(land, written))
    checks = get_cc_module(country.lower(), "vat") if len(country) == 2 and country.isalpha() else None
    if checks is not None:
        for each in (written, written.removeprefix(country)):
            if _holds(checks, each):
                return _told(country, _compact(country, each))
    also = "CH" if written.startswith("CHE") else country
    if also in _REGISTERS and _holds(_REGISTERS[also], _SUFFIX.sub("", written)):
        return _told(also, _compact(also, written))
    if not country and _LOOKS_CHINESE.fullmatch(written):
        country = "CN"
    return TaxId(country, written.removeprefix(country) if country else written, is_proven=False)


def _told(scheme: str, number: str) -> TaxId:
    """One whose check digit holds; what somebody typed to fill the field proves nothing all the same."""
    # The first eight of a Chinese one say who registered it, and where.
    body = number[8:17] if scheme == "CN" else number
    digits = "".join(each for each in body if each.isdigit())
    filler = number in _OF_NOBODY or bool(_SAME_DIGIT.search(digits)) or any(run in digits for run in _RUNS)
    return TaxId(scheme, number, is_proven=not filler)


def _compact(country: str, number: str) -> str:
    """The form that all ways of writing a number of the country share."""
    checks = get_cc_module(country.lower(), "vat")
    number = str(checks.compact(number)) if checks is not None else number
    number = _SUFFIX.sub("", number)
    number = number.removeprefix("CHE" if country == "CH" else country).removeprefix(
        "EL" if country == "GR" else country
    )
    # A French number is that of the company (SIREN), with two check digits before it.
    return number[-9:] if country == "FR" else number


#: What people write before a number.
_LABEL = re.compile(
    r"^\W*(统一社会信用代码|纳税人识别号|税号|TAX\s*(ID|NO|NUMBER)?|VAT\s*(ID|NO|NUMBER|REG)?|UST\W*ID\W*(NR|NO)?|TVA|P\W*IVA|PARTITA\s+IVA"
    r"|BTW|NIF|CIF|TIN|EIN|LEI)\W+|^\W*(统一社会信用代码|纳税人识别号|税号)\W*"
)
#: ISO 17442: the check itself looks at neither length nor form.
_LEI = re.compile(r"[0-9A-Z]{18}\d{2}")
#: What a country tells to write for whoever has none.
_OF_NOBODY = frozenset({"XEXX010101000", "XAXX010101000", "999999990"})
_SAME_DIGIT = re.compile(r"(\d)\1{5}")
_RUNS = (*(("1234567890" * 2)[at : at + 6] for at in range(10)), "654321", "987654", "876543", "765432")
#: Where the number of the company register is the tax id, but for what is written around it.
_REGISTERS = {"CH": uid, "NO": orgnr, "FR": siren}
_SUFFIX = re.compile(r"(MWST|TVA|IVA|TPV|MVA)$")
#: Two letters or digits for who registered what, six digits of the place, nine of the body, one to check them all.
_LOOKS_CHINESE = re.compile(r"[0-9A-Z]{2}\d{6}[0-9A-Z]{9}[0-9A-Z]")
#: The union writes Greece EL; who knows the account's country writes GR.
_LANDS = {"EL": "GR"}


def _holds(checks: Any, written: str) -> bool:
    try:
        checks.validate(written)
    except ValidationError:
        return False
    return True
