"""The methods of the credit limit: names, formulas and sources, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LimitMethod:
    """One method, or another term of a limit."""

    en: str
    zh: str
    formula: str
    source: str


#: Term → what it is. The last three are no methods of the policy: they bound and add.
METHODS: dict[str, LimitMethod] = {
    "needs": LimitMethod(
        "what he needs",
        "需求法",
        "billed in 12 months ÷ days active × (days of credit + days beyond terms) × peak × factor of the grade",
        "needs-based limit: monthly purchases × (terms + expected lateness) × peak",
    ),
    "average_sales": LimitMethod(
        "average sales",
        "月销售法",
        "billed in 12 months ÷ days active × days of credit × factor of the grade",
        "月销售法: average monthly sales × credit term in months × risk factor",
    ),
    "equity": LimitMethod(
        "share of equity",
        "净资产比例法",
        "equity × share × factor of the grade",
        "a tenth of the tangible net worth",
    ),
    "working_capital": LimitMethod(
        "share of working capital",
        "营运资金比例法",
        "(current assets − current liabilities) × share × factor",
        "a tenth of the working capital",
    ),
    "high_balance": LimitMethod(
        "highest balance",
        "历史最高欠款法",
        "highest balance of 12 months × growth × factor of the grade",
        "trade references: recent high credit",
    ),
    "cap": LimitMethod("cap of the grade", "等级上限", "the policy's limit_cap of the grade", "policy"),
    "agreed": LimitMethod(
        "agreed, while a rate is missing",
        "约定额度（缺汇率时）",
        "no proposal above it without a rate",
        "policy",
    ),
    "secured": LimitMethod(
        "securities and insurance",
        "担保与保险",
        "added: insured limits and securities in force",
        "reference, A + B × C",
    ),
}
