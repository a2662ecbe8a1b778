"""Why a row was rejected: reason codes and their sentences, in English and Chinese."""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    "no_id": ("the record says no id of its own", "该记录没有编号"),
    "not_text": (
        "it holds characters that are no text (half a character, or no UTF-8)",
        "含有非文本字符（不完整字符或非 UTF-8）",
    ),
    "unreadable": ("the record cannot be read", "无法读取该记录"),
    "empty": ("a value is needed here", "此处不能为空"),
    "not_a_day": ("not a day of the form YYYY-MM-DD", "不是 YYYY-MM-DD 形式的日期"),
    "not_an_amount": ("not a plain decimal amount", "不是普通的十进制金额"),
    "too_large": ("beyond 10^15 minor units", "超过 10^15 个最小货币单位"),
    "not_a_currency": ("not an ISO 4217 currency code", "不是 ISO 4217 货币代码"),
    "debit_or_credit": (
        "it says debit or credit, and nobody said which of them is owed",
        "注明了借方或贷方，但未说明哪一方为应收",
    ),
    "eaten": (
        "a spreadsheet kept it as a number, and digits of it are lost: enter it as text",
        "电子表格按数字保存，部分数位已丢失：请以文本形式重新输入",
    ),
    "not_an_option": ("not one of the values this column takes", "不是该列允许的取值"),
    "not_a_flag": ("neither true nor false", "既不是 true 也不是 false"),
    "not_a_number": ("not a number", "不是数字"),
    "not_an_instant": ("not an ISO instant with its offset", "不是带时区的 ISO 时间"),
    "id_twice": ("this id stands in an earlier row already", "此编号在前面的行中已出现"),
    "unknown_account": ("no account of that id", "没有此编号的客户"),
    "unknown_invoice": ("no invoice of that id", "没有此编号的发票"),
    "other_row": ("another row of this payment says otherwise", "同一收款的另一行与此不一致"),
    "summed": ("a second part of the same payment and invoice; both count", "同一收款与发票的第二部分；两行均计入"),
    "not_iso": ("not an ISO 3166 country code; kept as it is", "不是 ISO 3166 国家代码；原样保留"),
}


def sentence(reason: str, language: str = "en") -> str:
    """The sentence of a reason code."""
    en, zh = REASONS[reason]
    return zh if language == "zh-CN" else en
