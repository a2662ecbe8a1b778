"""Every feature of a customer that a policy may name: unit, and what it is called in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["days", "share", "money", "count", "log_odds"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature; its definition stands in docs/scoring.md under its name."""

    unit: Unit
    en: str
    zh: str


FEATURES: dict[str, Feature] = {
    "late_tendency": Feature("log_odds", "Chance of paying seriously late", "严重逾期可能性"),
    "days_beyond_terms": Feature("days", "Average days beyond terms, by amount", "加权平均逾期天数"),
    "on_time_share": Feature("share", "Share of money paid on time", "按时付款比例"),
    "overdue_share": Feature("share", "Overdue share of what fell due", "到期款逾期比例"),
    "oldest_overdue": Feature("days", "Oldest overdue item", "最长逾期天数"),
    "material_overdue_days": Feature("days", "Age of material overdue", "重大逾期天数"),
    "late_15_share": Feature("share", "Share of money paid over 15 days late", "逾期超过15天的金额比例"),
    "trend": Feature("days", "Change in days beyond terms, last 90 days", "近90天逾期天数变化"),
    "tenure": Feature("days", "Days as a customer", "合作天数"),
    "volume": Feature("money", "Billed in 12 months", "12个月开票额"),
    "terms_days": Feature("days", "Usual days of credit", "平均账期"),
    "utilisation": Feature("share", "Share of the credit limit in use", "额度使用率"),
    "group_utilisation": Feature("share", "Share of the group's limit in use", "集团额度使用率"),
    "group_exposure": Feature("money", "Exposure of the whole group", "集团信用占用"),
    "unbilled": Feature("money", "Orders not billed yet", "未开票订单"),
    "prepaid": Feature("count", "Terms are payment in advance", "预付款条件"),
    "exposure": Feature("money", "Exposure", "信用占用"),
    "overdue": Feature("money", "Overdue", "逾期金额"),
    "history": Feature("count", "Payments' worth of evidence", "付款记录数（折算）"),
    "open_items": Feature("count", "Unpaid invoices", "未付发票数"),
    "disputed_share": Feature("share", "Disputed share of open items", "争议金额比例"),
    "bounced": Feature("count", "Payments returned in 12 months", "12个月退票次数"),
    "written_off": Feature("money", "Written off in 12 months", "12个月核销金额"),
    "dormant_days": Feature("days", "Days since the last invoice", "距上次开票天数"),
    "insolvency": Feature("count", "Insolvency on record", "破产记录"),
    "rate_missing": Feature("count", "Items without an exchange rate", "缺少汇率的单据数"),
    "stretched_days": Feature("days", "Longest extension of a due day within a year", "一年内最长展期天数"),
    "implausible": Feature("count", "Items due before they were issued", "到期日早于开票日的单据数"),
    "due_unknown": Feature("count", "Items without a due day", "缺少到期日的单据数"),
}
