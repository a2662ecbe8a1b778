"""Names that look like one company's: they propose, and a person says.

Legal forms, width, case, accents, spaces, common abbreviations and traditional characters make no difference; one
letter of a long word may be wrong. A place in brackets, a number, a trade and every character of a Chinese trade name
make another company; a place before the name only where both names have one. Legal forms: ISO 20275; places: GB/T 2260.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from connector import places

if TYPE_CHECKING:
    from opencc import OpenCC

#: How sure a proposal is, of 100: the same name; the same but for a legal form that one leaves out, or a Chinese one
#: that is another (no two companies of a place may have one trade name and trade, art. 9 of the rules of 734); a place
#: that only one has; a slip; of what has another Western form, which is another company as a rule.
SAME, OTHER_FORM, NO_PLACE, SLIP, FORMS_DIFFER = 100, 97, 93, 90, 70
#: What is proposed where nobody asks for less.
LEAST = 85
#: Of a name that more accounts bear each is proposed beside the first alone.
_MANY = 50
#: A slip counts in a word of so many letters, in a name of so many.
_WORD, _NAME = 7, 9

_HAN = re.compile(r"[\u3400-\u9fff]")
_BRACKETS = re.compile(r"[(\[{【〔「《]([^()\[\]{}【】〔〕「」《》]*)[)\]}】〕」》]")
_CHINESE_FORMS = (
    "集团股份有限公司", "股份有限责任公司", "集团有限责任公司", "有限责任公司", "集团有限公司", "股份有限公司",
    "集团股份公司", "有限合伙企业", "股份公司", "集团公司", "有限公司", "合伙企业", "责任公司", "总公司", "有限公",
    "公司", "集团", "股份", "有限",
)  # fmt: skip
#: In brackets it says nothing of the company.
_NOTE = re.compile(
    r"alt|alteskonto|old|oldaccount|neu|new|donotuse|blocked|inactive|duplicate|dup|eur|usd|gbp|chf|cny|rmb|jpy"
    r"|停用|作废|勿用|黑名单|老账户|旧账户|旧|美元|人民币|欧元|个体工商户"
)
_GROUP = "集团"
_CHINESE_NOTES = re.compile(r"(停用|作废|勿用|黑名单|老账户|旧账户|旧|[-_－](美元|人民币|欧元))+$")
#: A place of a county, a district or a town, which no list has.
_COUNTY = re.compile(r"^([\u3400-\u9fff]{2,3})(市|县|区|镇)(?=[\u3400-\u9fff]{4})")
_PARTNERSHIPS = ("有限合伙", "普通合伙", "特殊普通合伙", "个人独资")
_BRANCH = re.compile(r"^(.*公司)(.+?)(分公司|分厂|办事处|分行|支行)$")
_FORMS = frozenset(
    "ab ag aps as asa bhd bv bvba cia co company corp corporation cv dba doo eg ek ev gbr gesmbh gmbh inc"
    " incorporated jsc kft kg kgaa kk lda limited limitada llc llp lp ltd ltda mbh nv oao oe ohg ojsc ood ooo ou"
    " oy oyj pbc pjsc plc pllc pt pte pty pvt private proprietary public sa sab sae sarl sas sca scs sdn se sicav"
    " sl slu snc soc sp spa spol spzoo sro srl sti tbk ug vof zao zoo zrt".split()
)
_ONE_FORM = {
    "limited": "ltd", "incorporated": "inc", "corporation": "corp", "company": "co", "limitada": "ltda",
    "gesmbh": "gmbh", "private": "pvt", "proprietary": "pty", "public": "plc",
}  # fmt: skip
_JOINS = frozenset("and und et y e og och ve".split())
_SHORT = {
    "intl": "international", "int": "international", "mfg": "manufacturing", "manuf": "manufacturing",
    "tech": "technologies", "technology": "technologies", "svcs": "services", "svc": "services", "service": "services",
    "dist": "distribution", "distributors": "distribution", "bros": "brothers", "eng": "engineering",
    "engrg": "engineering", "ind": "industries", "inds": "industries", "industry": "industries", "assoc": "associates",
    "flli": "fratelli", "hnos": "hermanos", "ets": "etablissements", "soc": "societe", "gebr": "gebruder",
    "st": "saint", "kon": "koninklijke", "san": "sanayi", "tic": "ticaret", "natl": "national",
    "mgmt": "management", "grp": "group", "sys": "systems", "transp": "transport", "univ": "university",
    "pharma": "pharmaceuticals", "constr": "construction", "ctr": "center", "centre": "center",
}  # fmt: skip
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
#: Legal forms written out, at the end of a name; forms that stand before it.
_LONG_FORMS = (
    ("gesellschaft mit beschrankter haftung", "gmbh"), ("aktiengesellschaft", "ag"), ("aktiebolag", "ab"),
    ("public limited company", "plc"), ("private limited company", "ltd"), ("limited liability company", "llc"),
    ("sociedad limitada", "sl"), ("sociedad anonima", "sa"), ("societe anonyme", "sa"), ("spolka akcyjna", "sa"),
    ("societe a responsabilite limitee", "sarl"), ("spolka z ograniczona odpowiedzialnoscia", "spzoo"),
    ("spolka z oo", "spzoo"), ("sp z oo", "spzoo"), ("sp zoo", "spzoo"), ("societa per azioni", "spa"),
    ("societa a responsabilita limitata", "srl"), ("besloten vennootschap", "bv"), ("naamloze vennootschap", "nv"),
    ("spol s r o", "sro"), ("spol sro", "sro"), ("sau", "sa"),
)  # fmt: skip
_BEFORE = frozenset({"pt", "sarl", "ooo", "ооо", "oao", "оао", "ao", "ао", "sc"})
#: What clerks write behind a name.
_NOTES = re.compile(
    r"[*(\[-]?\s*\b(do not use|dont use|blocked|inactive|duplicate|old account|in liquidation|i\. ?l\.)\s*[*)\]]*\s*$"
    r"|\s-\s*(eur|usd|gbp|chf|cny|rmb|jpy)\s*$"
)
_UMLAUT = re.compile("[äöüøæå]")
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "æ": "ae", "å": "aa"})
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "a", "œ": "o", "ı": "i", "þ": "th"})


@dataclass(frozen=True, slots=True)
class Name:
    """A name by what tells a company from another."""

    #: Without legal form, places and numbers, in one piece; and with its umlauts written ae, oe, ue, where it has some.
    core: str
    other: str
    words: tuple[str, ...]
    #: The place that it begins with, the narrowest of several; what stands in brackets, and branches; numbers.
    place: str
    parts: frozenset[str]
    numbers: tuple[str, ...]
    form: str
    is_chinese: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two accounts that look like one customer, the lesser id first."""

    one: str
    other: str
    #: How sure it is, of 100.
    score: int
    #: same, other_form, no_place, slip, forms_differ.
    why: str


def read(text: str) -> Name:
    """What a name says."""
    text = unicodedata.normalize("NFKC", text).casefold()
    chinese = bool(_HAN.search(text))
    if chinese:
        text = _simplified().convert(text)
    parts = frozenset(_part(each) for each in _BRACKETS.findall(text)) - {""}
    text = _BRACKETS.sub(" ", text)
    return _chinese(text, parts) if chinese else _western(text, parts)


def compare(one: Name, other: Name) -> tuple[int, str] | None:
    """How sure it is that both are one company's, and why; None: they are not proposed."""
    if not one.core or one.parts != other.parts or one.numbers != other.numbers or one.is_chinese != other.is_chinese:
        return None
    lacks = bool(one.place) != bool(other.place)
    if one.place and other.place and one.place != other.place:
        return None
    differ = bool(one.form) and bool(other.form) and one.form != other.form
    # Of two Chinese forms only a group is another company than what it holds.
    differ = differ and (not one.is_chinese or _GROUP in (one.form, other.form))
    if not {one.core, one.other}.isdisjoint({other.core, other.other} - {""}):
        if differ:
            return FORMS_DIFFER, "forms_differ"
        if lacks:
            return (NO_PLACE, "no_place") if len(one.core) > 2 else None
        return (SAME, "same") if one.form == other.form else (OTHER_FORM, "other_form")
    return (SLIP, "slip") if not lacks and not differ and _is_slip(one, other) else None


def proposals(
    names: Mapping[str, str], apart: Mapping[str, str] | None = None, least: int = LEAST
) -> list[Proposal]:  # fmt: skip
    """Accounts that look like one customer, the surest first, none below `least`. `names`: by account.

    `apart`: account → what it may not differ in from the other, a country for example; accounts without one may.
    """
    accounts = sorted(names)
    read_names = [read(names[account]) for account in accounts]
    found = []
    for one, other in dict.fromkeys(_candidates(read_names)):
        left, right = accounts[one], accounts[other]
        told = compare(read_names[one], read_names[other])
        lands = {apart[name] for name in (left, right) if name in apart} if apart else set()
        if told is not None and told[0] >= least and len(lands) < 2:
            found.append(Proposal(left, right, *told))
    return sorted(found, key=lambda each: (-each.score, each.one, each.other))


def _candidates(names: Sequence[Name]) -> Iterator[tuple[int, int]]:
    """Pairs whose cores are the same, or a letter apart: both lose a letter and are the same then."""
    # What stands in brackets and numbers have to be the same in any case.
    groups: dict[tuple[str, frozenset[str], tuple[str, ...]], list[int]] = {}
    for row, name in enumerate(names):
        for core in dict.fromkeys(each for each in (name.core, name.other) if each):
            groups.setdefault((core, name.parts, name.numbers), []).append(row)
    alike: dict[str, list[int]] = {}
    for (core, _, _), rows in groups.items():
        yield from _pairs(rows)
        alike.setdefault(core, []).extend(rows)
    cores = [core for core, rows in alike.items() if len(core) >= _NAME and not names[rows[0]].is_chinese]
    keys: list[int] = []
    owners: list[int] = []
    for n, core in enumerate(cores):
        shorter = {hash(core), *(hash(core[:at] + core[at + 1 :]) for at in range(len(core)))}
        keys += shorter
        owners += [n] * len(shorter)
    order = np.argsort(np.array(keys, np.int64), kind="stable")
    sorted_keys, sorted_owners = np.array(keys, np.int64)[order], np.array(owners, np.int64)[order]
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=sorted_keys[:1] - 1)) if len(keys) else np.array([], np.int64)
    ends = np.append(starts[1:], len(keys))
    seen: set[tuple[int, int]] = set()
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        seen |= set(_every_pair(sorted(sorted_owners[start:end].tolist())))
    for one, other in sorted(seen):
        for left in alike[cores[one]]:
            # Those that are written with an umlaut have two cores.
            yield from ((min(left, right), max(left, right)) for right in alike[cores[other]] if left != right)


def _pairs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """All pairs; of many rows each with the first alone."""
    if len(rows) > _MANY:
        yield from ((rows[0], row) for row in rows[1:])
    else:
        yield from _every_pair(rows)


def _every_pair(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    for n, one in enumerate(rows):
        yield from ((one, other) for other in rows[n + 1 :])


def _is_slip(one: Name, other: Name) -> bool:
    """Whether one long word has a letter too few, too many or another, or two in the wrong order."""
    from rapidfuzz.distance import OSA

    if one.is_chinese or min(len(one.core), len(other.core)) < _NAME:
        return False
    if len(one.words) != len(other.words):
        return OSA.distance(one.core, other.core, score_cutoff=1) <= 1 and _long(one.words) and _long(other.words)
    differ = [(left, right) for left, right in zip(one.words, other.words, strict=True) if left != right]
    if len(differ) != 1 or min(map(len, differ[0])) < _WORD - 1 or max(map(len, differ[0])) < _WORD:
        return False
    return OSA.distance(*differ[0], score_cutoff=1) <= 1


def _long(words: Iterable[str]) -> bool:
    return any(len(word) >= _WORD for word in words)


@cache
def _simplified() -> OpenCC:
    # Its tables take a moment to read, and nothing else needs them.
    from opencc import OpenCC

    return OpenCC("t2s")


def _part(text: str) -> str:
    """What stands in brackets: nothing, where it is a legal form."""
    written = re.sub(r"[\s.\-_'’·]+", "", text)
    if (
        written in _FORMS
        or written in _CHINESE_FORMS
        or written in ("有限合伙", "普通合伙", "特殊普通合伙", "个人独资")
    ):
        return ""
    return "" if _NOTE.fullmatch(written) else _bare_place(written)


def _bare_place(text: str) -> str:
    for ending in places.ENDINGS:
        bare = text.removesuffix(ending)
        if bare != text and bare in places.ALL:
            return bare
    return text


def _chinese(text: str, parts: frozenset[str]) -> Name:
    text = _CHINESE_NOTES.sub("", re.sub(r"\s+", "", text))
    text = re.sub(r"[^\w]+|_", "", text)
    if branch := _BRANCH.match(text):
        text, parts = branch[1], parts | {_bare_place(branch[2]) + branch[3]}
    form = ""
    for each in _CHINESE_FORMS:
        if text.endswith(each) and len(text) > len(each) + 1:
            form, text = _form_kind(each), text.removesuffix(each)
            break
    narrowest = ""
    while place := next((text[:n] for n in (4, 3, 2) if text[:n] in places.ALL and len(text) > n + 1), ""):
        narrowest, text = place, text.removeprefix(place)
        text = next((text.removeprefix(each) for each in places.ENDINGS if text.startswith(each)), text)
    if county := _COUNTY.match(text):
        narrowest, text = county[1], text[county.end() :]
    return Name(text, "", (text,), narrowest, parts, (), form, is_chinese=True)


def _form_kind(form: str) -> str:
    return _GROUP if _GROUP in form else "股份" if "股份" in form else "有限" if "有限" in form else ""


def _western(text: str, parts: frozenset[str]) -> Name:
    written = _words(text)
    # People write ä as ae or as a.
    spelled = _words(text.translate(_SPELLED)) if _UMLAUT.search(unicodedata.normalize("NFC", text)) else written
    words, numbers, form = _without_form(written)
    other = "".join(_without_form(spelled)[0]) if spelled != written else ""
    words = words or list(numbers)
    return Name("".join(words), other, tuple(words), "", parts, numbers, form, is_chinese=False)


def _words(text: str) -> list[str]:
    plain = "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))
    plain = _NOTES.sub(" ", plain.translate(_LETTERS))
    plain = re.sub(r"[.'’`´]+", "", re.sub(r"\.(?=\s|$)", " ", plain))
    words = [word for word in re.split(r"[^\w]+|_", plain) if word and word not in _JOINS]
    return words[1:] if len(words) > 1 and words[0] == "the" else words


def _without_form(words: Sequence[str]) -> tuple[list[str], tuple[str, ...], str]:
    """The words without the legal form, in one spelling; the numbers among them; the form."""
    text = " ".join(words)
    for long, short in _LONG_FORMS:
        text = re.sub(rf"\b{long}$", short, text)
    words = _initials(text.split())
    if len(words) > 1 and words[0] in _BEFORE:
        words = [*words[1:], words[0]]
    form: list[str] = []
    while len(words) > 1 and words[-1] in _FORMS:
        form.insert(0, _ONE_FORM.get(words[-1], words[-1]))
        words = words[:-1]
    # "Co. Ltd." and "Ltd." are written for each other.
    form = form[1:] if form[:1] == ["co"] and len(form) > 1 else form
    words = [part for word in words for part in re.findall(r"\d+|[^\d]+", word)]
    numbers = tuple(_ROMAN.get(word, word.lstrip("0") or "0") for word in words if word.isdigit() or word in _ROMAN)
    rest = [_SHORT.get(word, word) for word in words if not word.isdigit() and word not in _ROMAN]
    return rest, numbers, " ".join(form)


def _initials(words: Sequence[str]) -> list[str]:
    """Letters that stand alone one after the other are one word: S A, B V, I B M."""
    result: list[str] = []
    run = ""
    for word in [*words, ""]:
        if len(word) == 1 and word.isalpha():
            run += word
            continue
        result += [run] if run else []
        run = ""
        result += [word] if word else []
    return result
