"""Why values of a column do not cast, as far as their form tells: a separator, a sign, the order of a day."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Words = tuple[str, str]

_FORMS_OF_FIGURES: tuple[tuple[str, Words], ...] = (
    (r"[{\[].*|.*;.*", ("an object or a list: map a field inside it", "是对象或列表：请映射其中的字段")),
    (r".*[0-9]\s*[%\uff05]", ("a percent sign", "带有百分号")),
    (r"\(.*\)", ("negative amounts in brackets", "负数以括号表示")),
    (r".*[0-9]\s*[-\u2010-\u2015\u2212]", ("the minus sign behind the amount", "负号位于金额之后")),
    (r"[-+]?[0-9.,]+[eE][-+]?[0-9]+", ("exponents", "科学计数法")),
    (
        r"[-+]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]{0,2}",
        ("a decimal comma, points between thousands", "以逗号作小数点、以点分隔千位"),
    ),
    (r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", ("commas between thousands", "以逗号分隔千位")),
    (r"[-+]?[0-9]{1,2}(,[0-9]{2})+,[0-9]{3}(\.[0-9]*)?", ("commas between lakhs", "以逗号按印度习惯分隔")),
    (r"[-+]?[0-9]+,[0-9]*", ("a decimal comma", "以逗号作小数点")),
    (r"[-+]?[0-9]{1,3}(\.[0-9]{3}){2,}", ("points between thousands", "以点分隔千位")),
    (
        r"[-+]?[0-9]{1,3}(['\u2019\u00a0\u202f\s][0-9]{3})+,[0-9]*",
        ("spaces or quotes between thousands, and a decimal comma", "以空格或撇号分隔千位、以逗号作小数点"),
    ),
    (
        r"[-+]?[0-9]{1,3}(['\u2019\u00a0\u202f\s][0-9]{3})+(\.[0-9]*)?",
        ("spaces or quotes between thousands", "以空格或撇号分隔千位"),
    ),
    (r"[-+]?\.[0-9]+", ("no digit before the point", "小数点前没有数字")),
    (r".*[万亿].*", ("amounts in 万 or 亿", "以万或亿为单位")),
)  # fmt: skip
_BESIDE = ("a currency or other words beside the number", "数字旁带有货币符号或其他文字")
_NONE = ("words or signs for none", "以文字或符号表示空值")
_FORMS_OF_DAYS: tuple[tuple[str, Words], ...] = (
    (r"[{\[](?!d|ts).*", ("an object or a list: map a field inside it", "是对象或列表：请映射其中的字段")),
    (r"(0000[-/.]?00[-/.]?00|00[-/.]00[-/.]0000|0{8,14}).*", ("a zero date for none", "以零日期表示空")),
    (
        r"(0001|1[0-8][0-9]{2}|[2-9][2-9][0-9]{2})-[0-9]{2}-[0-9]{2}.*",
        ("a far day for none or for ever", "以极早或极晚的日期表示空或永久"),
    ),
    (r"[0-9]{4}-(1[3-9]|[23][0-9])-[0-9]{1,2}.*", ("the day before the month", "日在月之前")),
    (r"[0-9]{4}-([0-9]-[0-9]{1,2}|[0-9]{1,2}-[0-9])", ("months or days of one digit", "月或日只有一位数字")),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", ("days that no calendar has", "日历中不存在的日期")),
    (
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T].*([zZ\]]|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)",
        ("a time in another form than ISO 8601", "时间不是 ISO 8601 格式"),
    ),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}[zZ+].*", ("a day with an offset from UTC", "日期带有时区偏移")),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T].*", ("a time without its offset from UTC", "时间没有时区偏移")),
    (r"[0-9]{4}[/. 年][0-9]{1,2}[/. 月][0-9]{1,2}.*", ("another separator than -, year first", "分隔符不是 -，年在前")),
    (r"[0-9]{4}(-[0-9]{2})?", ("months or years without their day", "只有年月、没有日")),
    (r"[0-9]{2}[-/.][0-9]{2}[-/.][0-9]{2}", ("years of two digits", "年份只有两位数字")),
    (r"(19|20)[0-9]{6}([0-9]{4}|[0-9]{6})?", ("days without separators, YYYYMMDD", "无分隔符的 YYYYMMDD")),
    (r"[0-9]{8}|[0-9]{6}", ("days without separators, the year not first", "无分隔符的日期，年不在前")),
    (r"/Date\(.*|[0-9]{13}(\.0*)?|[0-9]{16}", ("milliseconds since 1970", "自 1970 年起的毫秒数")),
    (r"[0-9]{9,10}(\.0*)?", ("seconds since 1970", "自 1970 年起的秒数")),
    (
        r"[0-9]{5}(\.[0-9]+)?",
        ("a spreadsheet's number of days, or days since 1970", "电子表格的日期序号，或自 1970 年起的天数"),
    ),
    (r"\{(d|ts) .*", ("an ODBC literal", "ODBC 日期文本")),
    (
        r"(?i).*(jan|f[eé]v|feb|mar|m[aä]r|apr|avr|abr|ma[iy]|jui?n|jui?l|ao[uû]t|aug|ago|sep|set|o[ck]t|out|nov|d[eéi][cz]).*",
        ("the month's name", "月份以名称表示"),
    ),
)  # fmt: skip
_SLASHED = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})(\D.*)?")
_NOTHING = re.compile(r"(?i)\W+|n/?a|nan|none|null|nil|unknown|-+|\*+|无|暂无|空")
_NUMBER = re.compile(r"[0-9][0-9.,'\u2019\u00a0\u202f ]*")


def likely(kind: str, values: Sequence[str]) -> Words | None:
    """The likeliest reason that *values* of a column of that kind do not cast, in both languages; None: unknown."""
    texts = [value.strip() for value in values]
    figures, days = kind in ("money", "rate", "count", "ratio"), kind in ("day", "instant")
    if (figures or days) and _most(texts, _NOTHING.fullmatch):
        return _NONE
    if figures:
        return _first(_FORMS_OF_FIGURES, texts) or _beside(texts)
    if days:
        return _order(texts) or _first(_FORMS_OF_DAYS, texts)
    return _TRANSLATE.get(kind)


_TRANSLATE = {
    "flag": ("yes and no in other words: translate them by `values`", "是与否的写法不同：请用 `values` 对应"),
    "choice": ("words of its own: translate them by `values`", "取值不同：请用 `values` 对应"),
    "currency": ("names or signs: translate them by `values`", "名称或符号：请用 `values` 对应"),
}


def _first(forms: Sequence[tuple[str, Words]], texts: Sequence[str]) -> Words | None:
    """The form that most of the values have; the first of equals."""
    counts = [_count(texts, re.compile(form, re.DOTALL).fullmatch) for form, _ in forms]
    most = max(counts)
    return forms[counts.index(most)][1] if most * 2 > len(texts) else None


def _most(texts: Sequence[str], fits: Callable[[str], object]) -> bool:
    return _count(texts, fits) * 2 > len(texts)


def _count(texts: Sequence[str], fits: Callable[[str], object]) -> int:
    return sum(fits(text) is not None for text in texts)


def _beside(texts: Sequence[str]) -> Words | None:
    """Words beside a number, and the form of the number itself where that is another one, too."""
    found = [(text, number) for text in texts if (number := _NUMBER.search(text)) and number[0].strip() != text]
    if len(found) * 2 <= len(texts):
        return None
    inner = _first(_FORMS_OF_FIGURES, [number[0].strip() for _, number in found])
    return _BESIDE if inner is None else (f"{_BESIDE[0]}, and {inner[0]}", f"{_BESIDE[1]}，且{inner[1]}")


def _order(texts: Sequence[str]) -> Words | None:
    """Of days whose year stands last: what a part above twelve says."""
    parts = [found for text in texts if (found := _SLASHED.fullmatch(text)) and found[3] != "0000"]
    if not parts or len(parts) * 2 <= len(texts):
        return None
    first = max(int(found[1]) for found in parts) > 12
    second = max(int(found[2]) for found in parts) > 12
    if first and not second:
        return ("day, month, year", "日、月、年的顺序")
    if second and not first:
        return ("month, day, year", "月、日、年的顺序")
    if first:
        return ("the year last, and days and months in both orders", "年在最后，且日月顺序不一")
    return ("the year last; whether day or month is first, these do not tell", "年在最后；日月顺序无法从这些值判断")


def suspicious(kind: str, values: Sequence[str], places: int = 2) -> Words | None:
    """What makes values that do cast look wrong; None: nothing. `places`: most decimals that their currencies have."""
    if len(values) < _FEW:
        return None
    if kind == "currency":
        wrong = sorted({value for value in values if value in _NO_CODES})
        shown = ", ".join(f"{value} ({_NO_CODES[value]})" if _NO_CODES[value] else value for value in wrong)
        return (f"no ISO 4217 code: {shown}", f"不是 ISO 4217 代码：{shown}") if wrong else None
    if kind == "day":
        far = sum(not "1990" <= value[:4] < "2090" for value in values)
        return (
            ("far days that may stand for none", "极早或极晚的日期，可能表示空值") if far > 0.1 * len(values) else None
        )
    return _suspicious_amounts(values, places) if kind == "money" else None


def may_be_thousands(values: Sequence[str], places: int = 2) -> bool:
    """Whether the points in these amounts, which cast, look like those between thousands."""
    pointed = [value for value in values if "." in value]
    thousands = [value for value in pointed if re.fullmatch(r"[-+]?[1-9][0-9]{0,2}\.[0-9]{3}", value)]
    # A database that prints three decimals ends them all in 0, and amounts of cents do not begin with one.
    telling = any(not value.endswith("0") for value in thousands) or any(value.endswith("000") for value in thousands)
    return places < _FEW <= len(pointed) == len(thousands) and telling


def _suspicious_amounts(values: Sequence[str], places: int) -> Words | None:
    if may_be_thousands(values, places):
        return ("three digits behind each point: they may be thousands", "小数点后均为三位：可能是千位分隔")
    if sum(value.startswith(("-", "\u2212")) for value in values) > 0.9 * len(values):
        return ("nearly all are negative: the sign may be the other way round", "几乎全部为负数：正负号可能相反")
    if not any(re.search("[1-9]", value) for value in values):
        return ("all are 0", "全部为 0")
    return None


#: What is used like a code and is none → the code that is meant.
_NO_CODES = {
    "RMB": "CNY", "CNH": "CNY", "NTD": "TWD", "NTS": "TWD", "UKP": "GBP", "STG": "GBP", "SFR": "CHF", "YEN": "JPY",
    "WON": "KRW", "RUR": "RUB", "XXX": "", "XTS": "", "ABC": "",
}  # fmt: skip
#: Values that tell nothing of all others; decimals of a dinar.
_FEW = 3
