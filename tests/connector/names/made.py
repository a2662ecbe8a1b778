"""Names and their variants, by rules that anybody can read; the matcher was written after them.

Chinese names: place, trade name 字号, trade, legal form, in that order (企业名称登记管理规定, 国务院令第734号, art. 6 to
12); the place may also stand in brackets behind the trade name, and makes another company of it. Western names: words,
trade, legal form of ISO 20275 (ELF). What happens to a name on its way into a CRM: forms are left out or shortened,
letters are full or half width, characters traditional, umlauts and accents lost, words abbreviated, joined or mistyped.
A name that differs in its place, its number, its trade or one character of a Chinese trade name is another company.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opencc import OpenCC

PLACES = (
    "上海",
    "北京",
    "深圳",
    "广州",
    "江苏",
    "浙江",
    "苏州",
    "杭州",
    "成都",
    "武汉",
    "天津",
    "山东",
    "青岛",
    "宁波",
    "香港",
)
CHARACTERS = (
    "华中天宏鑫盛瑞恒泰达康隆昌信诚德永安福顺源丰利通联合众创新光明星海洋江河山川林森金银玉宝龙凤飞腾远航博雅文正大"
    "东方南北西京国民世纪时代未来卓越优品佳美尚锐捷快速"
)
TRADES = (
    "科技", "贸易", "机械制造", "电子", "化工", "物流", "食品", "医药", "建筑工程", "纺织", "包装材料", "汽车零部件",
    "环保设备", "信息技术", "广告传媒", "家具", "钢铁", "新能源", "生物技术", "进出口",
)  # fmt: skip
FORMS = ("有限公司", "有限责任公司", "股份有限公司", "集团有限公司")

WORDS = (
    "Northern", "Atlantic", "Silver", "Harbour", "Summit", "Pioneer", "Liberty", "Cascade", "Meridian", "Keystone",
    "Evergreen", "Falcon", "Granite", "Horizon", "Imperial", "Juniper", "Lakeside", "Magnolia", "Nightingale", "Orchard",
    "Paramount", "Quantum", "Riverside", "Sapphire", "Thunder", "Universal", "Victoria", "Westbrook", "Yellowstone",
    "Zenith", "Hoffmann", "Hofmann", "Schröder", "Müller", "Jansen", "Janssen", "Nordström", "Lefèvre", "Gonzalez",
    "Kowalski", "Fernandez", "O'Brien", "McAllister", "Vandenberg", "Steinbach", "Rosenthal", "Castellano", "Beaumont",
)  # fmt: skip
LINES = (
    "International", "Manufacturing", "Technologies", "Services", "Distribution", "Logistics", "Foods", "Brothers",
    "Engineering", "Industries", "Systems", "Transport", "Chemicals", "Electronics", "Packaging", "Pharmaceuticals",
    "Construction", "Textiles", "Automotive", "Energy", "Farms", "Trading",
)  # fmt: skip
WESTERN_FORMS = {
    "Limited": ("Ltd", "Ltd.", "LTD"), "Incorporated": ("Inc", "Inc.", "INC."), "Corporation": ("Corp", "Corp."),
    "LLC": ("L.L.C.", "llc"), "GmbH": ("G.m.b.H.", "Gmbh", "gmbh"), "AG": ("A.G.",), "S.A.": ("SA", "S A"),
    "B.V.": ("BV", "B V"), "S.p.A.": ("SpA", "SPA"), "GmbH & Co. KG": ("GmbH & Co KG", "GmbH und Co. KG"),
    "Pty Ltd": ("Pty. Ltd.", "Pty Limited"), "Oy": ("OY",), "AB": ("Ab",), "S.r.l.": ("Srl", "SRL"),
}  # fmt: skip
SHORT = {
    "International": "Intl", "Manufacturing": "Mfg", "Technologies": "Tech", "Services": "Svcs",
    "Distribution": "Dist", "Brothers": "Bros", "Engineering": "Eng", "Industries": "Ind",
}  # fmt: skip

_TRADITIONAL = OpenCC("s2t")


@dataclass(frozen=True)
class Names:
    """Names by account, and which two are the same company."""

    names: dict[str, str]
    same: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Chinese:
    place: str
    brand: str
    trade: str
    form: str
    bracketed: bool

    def text(self) -> str:
        if self.bracketed:
            return f"{self.brand}{self.trade}（{self.place}）{self.form}"
        return f"{self.place}{self.brand}{self.trade}{self.form}"


@dataclass(frozen=True)
class Western:
    words: tuple[str, ...]
    line: str
    form: str
    place: str

    def text(self) -> str:
        return " ".join([*self.words, self.line, *([f"({self.place})"] if self.place else []), self.form])


def chinese(chance: random.Random) -> Chinese:
    brand = "".join(chance.sample(CHARACTERS, chance.choice((2, 2, 3))))
    pick = chance.choice
    return Chinese(pick(PLACES), brand, pick(TRADES), pick(FORMS), chance.random() < 0.25)


def western(chance: random.Random) -> Western:
    words = tuple(chance.sample(WORDS, chance.choice((1, 2, 2))))
    place = chance.choice(("", "", "", "UK", "France", "Shanghai"))
    return Western(words, chance.choice(LINES), chance.choice(list(WESTERN_FORMS)), place)


def neighbour(name: Chinese | Western, chance: random.Random) -> Chinese | Western:
    """Another company whose name is much like this one."""
    if isinstance(name, Chinese):
        kind = chance.choice(("place", "trade", "brand", "bracket"))
        if kind == "place":
            place = chance.choice([each for each in PLACES if each != name.place])
            return Chinese(place, name.brand, name.trade, name.form, name.bracketed)
        if kind == "trade":
            trade = chance.choice([each for each in TRADES if each != name.trade])
            return Chinese(name.place, name.brand, trade, name.form, name.bracketed)
        if kind == "brand":
            brand = name.brand[:-1] + chance.choice([each for each in CHARACTERS if each not in name.brand])
            return Chinese(name.place, brand, name.trade, name.form, name.bracketed)
        place = chance.choice([each for each in PLACES if each != name.place])
        return Chinese(place, name.brand, name.trade, name.form, bracketed=True)
    kind = chance.choice(("line", "word", "place", "number"))
    if kind == "line":
        return Western(name.words, chance.choice([each for each in LINES if each != name.line]), name.form, name.place)
    if kind == "word":
        word = chance.choice([each for each in WORDS if each not in name.words])
        return Western((*name.words[:-1], word), name.line, name.form, name.place)
    if kind == "place":
        return Western(name.words, name.line, name.form, "Italy")
    return Western((*name.words, chance.choice(("II", "2", "III"))), name.line, name.form, name.place)


def variant(name: Chinese | Western, chance: random.Random) -> str:
    """The same company as somebody else wrote it: one or two things happen to its name."""
    rules: Sequence[Callable[[str, random.Random], str]]
    if isinstance(name, Chinese):
        text, rules = name.text(), CHINESE_RULES
        if not name.bracketed and chance.random() < 0.1:
            return f"{name.brand}{name.trade}{name.form}"
    else:
        text, rules = name.text(), WESTERN_RULES
    for _ in range(20):
        result = text
        for rule in chance.sample(list(rules), chance.choice((1, 1, 2))):
            result = rule(result, chance)
        if result != text:
            return result
    return f"{text} "


def _width(text: str, _: random.Random) -> str:
    wide = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
    half = unicodedata.normalize("NFKC", text)
    return half if half != text else "".join(wide.get(each, each) for each in text)


def _traditional(text: str, _: random.Random) -> str:
    return str(_TRADITIONAL.convert(text))


def _short_form(text: str, _: random.Random) -> str:
    for long, short in (("有限责任公司", "有限公司"), ("股份有限公司", "股份公司"), ("集团有限公司", "集团公司")):
        text = text.replace(long, short)
    return text


def _no_form(text: str, _: random.Random) -> str:
    for form in sorted(FORMS, key=len, reverse=True):
        text = text.removesuffix(form)
    return text


def _spaces(text: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(text))
    return f"{text[:at]} {text[at:]}"


def _city(text: str, _: random.Random) -> str:
    for place in PLACES:
        if text.startswith(place) and place not in ("江苏", "浙江", "山东", "香港"):
            return f"{place}市{text.removeprefix(place)}"
    return text


def _brackets(text: str, chance: random.Random) -> str:
    left, right = chance.choice((("(", ")"), ("【", "】"), ("〔", "〕"), ("( ", " )")))
    return text.replace("（", left).replace("）", right)


CHINESE_RULES = (_width, _traditional, _short_form, _no_form, _spaces, _city, _brackets)


def _form(text: str, chance: random.Random) -> str:
    for form in sorted(WESTERN_FORMS, key=len, reverse=True):
        if text.endswith(form):
            return text.removesuffix(form) + chance.choice(WESTERN_FORMS[form])
    return text


def _form_gone(text: str, _: random.Random) -> str:
    for form in sorted(WESTERN_FORMS, key=len, reverse=True):
        text = text.removesuffix(f" {form}")
    return text


def _upper(text: str, _: random.Random) -> str:
    return text.upper()


def _comma(text: str, _: random.Random) -> str:
    head, last = text.rsplit(" ", 1)
    return f"{head}, {last}"


def _accents(text: str, chance: random.Random) -> str:
    if chance.random() < 0.5:
        for letter, written in (("ö", "oe"), ("ü", "ue"), ("ä", "ae")):
            text = text.replace(letter, written)
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


def _shortened(text: str, _: random.Random) -> str:
    return " ".join(SHORT.get(word, word) for word in text.split())


def _the(text: str, _: random.Random) -> str:
    return f"The {text}"


def _apostrophe(text: str, _: random.Random) -> str:
    return text.replace("'", "").replace("&", "and")


def _joined(text: str, chance: random.Random) -> str:
    words = text.split()
    at = chance.randrange(len(words) - 1) if len(words) > 3 else 0
    return " ".join([*words[:at], words[at] + chance.choice(("", "-")) + words[at + 1], *words[at + 2 :]])


def _typo(text: str, chance: random.Random) -> str:
    """A letter too few, too many, or two in the wrong order, within a word of seven letters at least."""
    words = text.split()
    long = [n for n, word in enumerate(words) if len(word) >= 7 and word.isalpha()]
    if not long:
        return text
    n = chance.choice(long)
    word, at = words[n], chance.randrange(1, len(words[n]) - 2)
    words[n] = chance.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
    )
    return " ".join(words)


WESTERN_RULES = (
    _form,
    _form,
    _form_gone,
    _upper,
    _comma,
    _accents,
    _shortened,
    _the,
    _apostrophe,
    _joined,
    _typo,
    _width,
)


def made(seed: int, companies: int) -> Names:
    """So many companies, half of them Chinese: of four in ten a second account, of three in ten a neighbour."""
    chance = random.Random(seed)
    names: dict[str, str] = {}
    same: set[tuple[str, str]] = set()
    taken: set[str] = set()
    for number in range(companies):
        name: Chinese | Western = chinese(chance) if number % 2 else western(chance)
        if name.text() in taken:
            continue
        taken.add(name.text())
        names[f"{number}"] = name.text()
        if chance.random() < 0.4:
            names[f"{number}b"] = variant(name, chance)
            same.add((f"{number}", f"{number}b"))
        if chance.random() < 0.3:
            other = neighbour(name, chance)
            if other.text() not in taken:
                taken.add(other.text())
                names[f"{number}n"] = other.text()
    return Names(names, frozenset(same))
