"""Why values of a column do not cast, as far as their form tells: a separator, a sign, the order of a day."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Words = tuple[str, str]

_FIGURES: tuple[tuple[str, Words], ...] = (
    (r"[{\[].*", ("an object or a list: map a field inside it", "是对象或列表：请映射其中的字段")),
    (r".*[0-9]\s*%", ("a percent sign", "带有百分号")),
    (r"\(.*\)", ("negative amounts in brackets", "负数以括号表示")),
    (r".*[0-9]\s*[-\u2212]", ("the minus sign behind the amount", "负号位于金额之后")),
    (r"[-+]?[0-9.,]+[eE][-+]?[0-9]+", ("exponents", "科学计数法")),
    (
        r"[-+]?[0-9]{1,3}(\.[0-9]{3})*,[0-9]{0,2}",
        ("a decimal comma, points between thousands", "逗号小数点，点分千位"),
    ),
    (r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", ("commas between thousands", "以逗号分隔千位")),
    (r"[-+]?[0-9]{1,2}(,[0-9]{2})+,[0-9]{3}(\.[0-9]*)?", ("commas between lakhs", "以逗号按印度习惯分隔")),
    (r"[-+]?[0-9]+,[0-9]*", ("a decimal comma", "以逗号作小数点")),
    (r"[-+]?[0-9]{1,3}(\.[0-9]{3}){2,}", ("points between thousands", "以点分隔千位")),
    (
        r"[-+]?[0-9]{1,3}(['\u2019\u00a0\u202f\s][0-9]{3})+([.,][0-9]*)?",
        ("spaces or quotes between thousands", "以空格或撇号分隔千位"),
    ),
    (r".*[万亿].*", ("amounts in 万 or 亿", "以万或亿为单位")),
    (r"\D*[0-9].*|.*[0-9]\D*", ("a currency or other words beside the number", "数字旁带有货币符号或其他文字")),
)
_DAYS: tuple[tuple[str, Words], ...] = (
    (r"0000-00-00.*", ("a zero date for none", "以零日期表示空")),
    (r"[0-9]{4}-(1[3-9]|[23][0-9])-[0-9]{1,2}.*", ("the day before the month", "日在月之前")),
    (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", ("months or days of one digit", "月或日只有一位数字")),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T].*", ("a time without its offset from UTC", "时间没有时区偏移")),
    (r"[0-9]{4}[/.年][0-9]{1,2}[/.月][0-9]{1,2}.*", ("another separator than -, year first", "分隔符不是 -，年在前")),
    (r"(19|20)[0-9]{6}", ("days without separators, YYYYMMDD", "无分隔符的 YYYYMMDD")),
    (r"[0-9]{13}", ("milliseconds since 1970", "自 1970 年起的毫秒数")),
    (r"[0-9]{10}", ("seconds since 1970", "自 1970 年起的秒数")),
    (r"[0-9]{5}(\.[0-9]+)?", ("a spreadsheet's number of days", "电子表格的日期序号")),
    (r"(?i).*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*", ("the month's name", "月份以名称表示")),
)
_SLASHED = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4}|[0-9]{2})(\D.*)?")


def likely(kind: str, values: Sequence[str]) -> Words | None:
    """The likeliest reason that *values* of a column of that kind do not cast, in both languages; None: unknown."""
    texts = [value.strip() for value in values]
    match kind:
        case "money" | "rate" | "count" | "ratio":
            return _first(_FIGURES, texts)
        case "day" | "instant":
            return _order(texts) or _first(_DAYS, texts)
        case "flag":
            return ("yes and no in other words: translate them by `values`", "是与否的写法不同：请用 `values` 对应")
        case "choice":
            return ("words of its own: translate them by `values`", "取值不同：请用 `values` 对应")
        case "currency":
            return ("no ISO 4217 codes: translate them by `values`", "不是 ISO 4217 代码：请用 `values` 对应")
        case _:
            return None


def _first(forms: Sequence[tuple[str, Words]], texts: Sequence[str]) -> Words | None:
    """The form that most of the values have: the first of equals, and the last of all where no other is."""
    for some in (forms[:-1], forms[-1:]):
        best = max(some, key=lambda form: _count(texts, re.compile(form[0], re.DOTALL).fullmatch))
        if _count(texts, re.compile(best[0], re.DOTALL).fullmatch) * 2 > len(texts):
            return best[1]
    return None


def _count(texts: Sequence[str], fits: Callable[[str], object]) -> int:
    return sum(fits(text) is not None for text in texts)


def _order(texts: Sequence[str]) -> Words | None:
    """Of days whose year stands last: what a part above twelve says."""
    parts = [found for text in texts if (found := _SLASHED.fullmatch(text))]
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


def suspicious(kind: str, values: Sequence[str]) -> Words | None:
    """What makes values that do cast look wrong; None: nothing."""
    if kind != "money" or len(values) < _FEW:
        return None
    pointed = [value for value in values if "." in value]
    if len(pointed) >= _FEW and all(re.fullmatch(r"[-+]?[0-9]{1,3}\.[0-9]{3}", value) for value in pointed):
        return ("three digits behind each point: they may be thousands", "小数点后均为三位：可能是千位分隔")
    if sum(value.startswith(("-", "\u2212")) for value in values) > 0.9 * len(values):
        return ("nearly all are negative: the sign may be the other way round", "几乎全部为负数：正负号可能相反")
    return None


#: Values that tell nothing of all others.
_FEW = 3
