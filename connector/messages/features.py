"""Every feature of a customer that a policy may name: unit, names, formula and source.

docs/features.md is made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["days", "share", "money", "count", "log_odds", "ratio", "points"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: unit, name in English and Chinese, formula, and where the formula or its use comes from."""

    unit: Unit
    en: str
    zh: str
    formula: str
    source: str
    #: The feature that is above 0 where there are facts behind this one; null: this one itself is null without any.
    rests_on: str | None = None
    #: Has a value without a single fact, 0 above all, and so is no sign of data.
    always: bool = False
    #: Whether its values are whole numbers; null: counts are, and nothing else.
    whole: bool | None = None
    #: Until something is settled it earns no more than no value at all: else an open item would help by falling due.
    needs_settled: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether a reader is shown whole numbers."""
        return self.unit == "count" if self.whole is None else self.whole


@dataclass(frozen=True, slots=True)
class Chapter:
    """Features of one kind, by name."""

    en: str
    zh: str
    features: dict[str, Feature]


# fmt: off
CHAPTERS: tuple[Chapter, ...] = (
    Chapter("How they pay", "付款行为", {
        "late_tendency": Feature(
            "log_odds", "Chance of paying seriously late", "严重逾期可能性",
            "ln(r ÷ (1 − r)) − early + 0.3 · ln(1 + min(unpaid, 4)) − 0.15; docs/scoring.md",
            "measured on two ledgers, docs/scoring.md",
            # Without history it is the portfolio's.
            rests_on="history",
        ),
        "days_beyond_terms": Feature(
            "days", "Average days beyond terms, by amount", "加权平均逾期天数",
            "Σ amount × days late ÷ Σ amount, settled in 365 days; open late items join where they raise it",
            "DBT, amount-weighted",
            needs_settled=True,
        ),
        "average_days_late": Feature(
            "days", "Average days late, item by item", "平均逾期天数",
            "mean days late of the parts settled in 365 days; open late items join where they raise it",
            "DBT, simple",
        ),
        "paydex_like": Feature(
            "points", "PAYDEX-like index", "类PAYDEX指数",
            "amount-weighted mean of points (−30 days 100, due 80, +30 days 50, +120 days 20) of what was "
            "settled in 365 days; for show only",
            "D&B's printed table, on one supplier's ledger",
        ),
        "on_time_share": Feature(
            "share", "Share of money paid on time", "按时付款比例",
            "paid at most grace_days late ÷ paid, 365 days; open late items join the denominator", "promptness",
        ),
        "late_15_share": Feature(
            "share", "Share of money paid over 15 days late", "逾期超过15天的金额比例",
            "more than 15 days late ÷ all, settled in 365 days; items open for longer join",
            "docs/scoring.md, Points, rating, limit",
        ),
        "late_items_90": Feature(
            "count", "Items paid late in 90 days", "近90天逾期付款笔数",
            "claims settled late beyond grace_days in 90 days, and open late ones",
            "early-warning practice, TERM_BREAK_3X",
            always=True,
        ),
        "partial_payments": Feature(
            "count", "Late items paid in part", "部分付款的逾期笔数",
            "open late claims of which something was settled", "early-warning practice, PARTIAL_PAYMENTS",
            always=True,
        ),
        "trend": Feature(
            "days", "Change in days beyond terms, last 90 days", "近90天逾期天数变化",
            "days_beyond_terms of the last 90 days less that of the 275 before; for flags only",
            "early-warning practice, SLOWING",
        ),
        "history": Feature(
            "count", "Payments' worth of evidence", "付款记录数（折算）",
            "Σ weights of what was settled and is open late; docs/scoring.md", "docs/scoring.md, tendency",
            always=True,
            whole=False,
        ),
        "broken_promises": Feature(
            "count", "Promises to pay not kept in 24 months", "24个月内未兑现承诺",
            "promises due in 730 days of which, by their day, less was paid since they were made",
            "Chinese B2B scorecards",
            always=True,
        ),
        "bounced": Feature(
            "count", "Payments returned in 12 months", "12个月退票次数",
            "payments returned in 365 days", "Chinese B2B scorecards",
            always=True,
        ),
        "written_off": Feature(
            "money", "Written off in 12 months", "12个月核销金额",
            "written off in 365 days, stubs left out", "docs/scoring.md, Facts",
            always=True,
        ),
        "bad_debts": Feature(
            "money", "Written off in 24 months", "24个月内坏账核销", "written off in 730 days, stubs left out",
            "Chinese B2B scorecards",
            always=True,
        ),
        "bad_records": Feature(
            "count", "Returned payments, write-offs and broken promises in 24 months", "24个月内退票、坏账与失约次数",
            "their number in 730 days", "Chinese B2B scorecards, 坏账/退票/承诺未兑现",
            always=True,
        ),
    }),
    Chapter("What is owed", "欠款", {
        "exposure": Feature(
            "money", "Exposure", "信用占用",
            "open + uncleared + orders not billed − on account, not below 0", "docs/scoring.md, Facts",
            always=True,
        ),
        "overdue": Feature(
            "money", "Overdue", "逾期金额",
            "open amounts past due, without what is contested or under a floor", "docs/scoring.md, Facts",
            always=True,
        ),
        "overdue_1_30": Feature(
            "money", "Overdue 1 to 30 days", "逾期1–30天",
            "of `overdue`, by days past due", "ageing schedule",
            always=True,
        ),
        "overdue_31_60": Feature(
            "money", "Overdue 31 to 60 days", "逾期31–60天",
            "of `overdue`, by days past due", "ageing schedule",
            always=True,
        ),
        "overdue_61_90": Feature(
            "money", "Overdue 61 to 90 days", "逾期61–90天",
            "of `overdue`, by days past due", "ageing schedule",
            always=True,
        ),
        "overdue_over_90": Feature(
            "money", "Overdue more than 90 days", "逾期超过90天",
            "of `overdue`, by days past due", "ageing schedule",
            always=True,
        ),
        "overdue_share": Feature(
            "share", "Overdue share of what fell due", "到期款逾期比例",
            "overdue ÷ (overdue + settled in 365 days)", "Chinese B2B scorecards, 逾期额/到期额",
        ),
        "oldest_overdue": Feature(
            "days", "Oldest overdue item", "最长逾期天数",
            "days since the earliest due day among overdue items", "ageing schedule",
            always=True,
        ),
        "material_overdue_days": Feature(
            "days", "Age of material overdue", "重大逾期天数",
            "days that at least materiality.overdue is overdue, money on account held against the oldest",
            "docs/scoring.md, Points, rating, limit",
            always=True,
        ),
        "open_items": Feature(
            "count", "Unpaid invoices", "未付发票数",
            "claims with an open amount", "docs/scoring.md, tendency",
            always=True,
        ),
        "on_account": Feature(
            "money", "Money on account", "未核销款项",
            "payments and credit notes less what they settle, and open credits", "docs/scoring.md, Facts",
            always=True,
        ),
        "uncleared": Feature(
            "money", "Paid, but not cleared yet", "未兑付票据",
            "discharged by a cheque, bill or letter of credit that is not money yet", "docs/scoring.md, Facts",
            always=True,
        ),
        "commercial_acceptances": Feature(
            "money", "Commercial acceptances not matured", "未到期商业承兑汇票",
            "of `uncleared`, what commercial acceptances (商承) carry", "docs/scoring.md, Facts",
            always=True,
        ),
        "disputed_share": Feature(
            "share", "Disputed share of open items", "争议金额比例",
            "contested ÷ open", "early-warning practice, DISPUTE",
        ),
        "deductions_share": Feature(
            "share", "Credits and deductions per money billed", "退货与扣款比例",
            "credit notes, rebates and deductions booked in 365 days ÷ billed in 365 days",
            "Chinese B2B scorecards, 争议/退货率",
        ),
        "unbilled": Feature(
            "money", "Orders not billed yet", "未开票订单",
            "orders placed and not cancelled, beyond what was billed of them", "docs/scoring.md, Facts",
            always=True,
        ),
        "utilisation": Feature(
            "share", "Share of the credit limit in use", "额度使用率",
            "exposure ÷ limit; 10 on a limit of nothing", "docs/scoring.md, Facts",
        ),
        "group_utilisation": Feature(
            "share", "Share of the group's limit in use", "集团额度使用率",
            "group_exposure ÷ the group's limit", "docs/scoring.md, Facts",
        ),
        "group_exposure": Feature(
            "money", "Exposure of the whole group", "集团信用占用",
            "Σ exposure over the tree of parent_id", "docs/scoring.md, Facts",
            always=True,
        ),
    }),
    Chapter("Trade", "交易", {
        "tenure": Feature(
            "days", "Days as a customer", "合作天数",
            "days since `since` or the first invoice", "Chinese B2B scorecards, 合作年限",
        ),
        "volume": Feature(
            "money", "Billed in 12 months", "12个月开票额",
            "Σ amount of claims issued in 365 days", "needs-based limit",
            always=True,
        ),
        "terms_days": Feature(
            "days", "Usual days of credit", "平均账期",
            "Σ amount × (due − issued) ÷ Σ amount, issued in 365 days", "needs-based limit",
        ),
        "days_sales_outstanding": Feature(
            "days", "Days sales outstanding", "应收账款周转天数",
            "open × 365 ÷ billed in 365 days; for show only, sales move it", "DSO",
        ),
        "share_of_receivables": Feature(
            "share", "Share of all receivables", "占全部应收比例",
            "open ÷ the portfolio's open", "early-warning practice, LARGE_SHARE",
        ),
        "sales_change": Feature(
            "share", "Change in sales, half-year on half-year", "近半年销售额变化",
            "billed in 180 days ÷ billed in the 180 before − 1; null in the first year; for flags only",
            "early-warning practice, SALES_DROP_30",
        ),
        "order_surge": Feature(
            "ratio", "Orders of 30 days against the usual month", "近30天订单与月均之比",
            "ordered (without orders: billed) in 30 days × 12 ÷ the same in 365 days; null in the first 180 days",
            "early-warning practice, ORDER_SURGE",
        ),
        "high_balance": Feature(
            "money", "Highest balance of 12 months", "12个月最高欠款",
            "the largest sum of open claims at the end of a day within 365 days; where the policy's limits ask for it",
            "high credit, trade references",
        ),
        "secured": Feature(
            "money", "Securities and insurance", "担保与保险额度",
            "Σ insured limits × insured_share + Σ securities × coverage × security_share, in force on the day",
            "reference, A + B × C",
            always=True,
        ),
        "notches_down": Feature(
            "count", "Notches lost since the last rating", "较上次评级下调级数",
            "grade of today − grade of the newest earlier day; null without both; for flags only",
            "rating migration",
        ),
        "data_age": Feature(
            "days", "Days since the portfolio's last fact", "数据未更新天数",
            "days since the newest claim or payment of any customer; the same for all", "docs/rules.md",
            always=True,
        ),
        "dormant_days": Feature(
            "days", "Days since the last invoice", "距上次开票天数",
            "days since the last claim was issued", "early-warning practice, DORMANT_180",
        ),
        "stretched_days": Feature(
            "days", "Longest extension of a due day within a year", "一年内最长展期天数",
            "greatest due − original_due of claims issued in 365 days",
            "early-warning practice, CREDIT_TERM_EXTENDED",
        ),
        "prepaid": Feature(
            "count", "Terms are payment in advance", "预付款条件",
            "1 where the terms in force are prepaid", "docs/scoring.md, Facts",
            always=True,
        ),
    }),
    Chapter("The company", "企业", {
        "company_age": Feature(
            "days", "Age of the company", "成立天数",
            "days since founded_on", "Chinese B2B scorecards, 成立年限",
        ),
        "registered_capital": Feature(
            "money", "Registered capital", "注册资本",
            "as stated on the account", "Chinese B2B scorecards, 注册资本",
        ),
        "tax_grade": Feature(
            "points", "Tax credit grade", "纳税信用等级",
            "A 4, B 3, M 3, C 1, D 0, the newest evidence of kind tax in force", "纳税信用",
            whole=True,
        ),
        "external_score": Feature(
            "points", "Outside judgements", "外部评价",
            "Σ weight × value ÷ Σ weight of bureau, management, industry, partner, visit and news evidence, in force "
            "and at most two years old; a value is 0 to 100, or a grade AAA (100) … D (0)", "practitioner's guide",
        ),
        "external_age": Feature(
            "days", "Age of the newest outside judgement", "外部评价距今天数",
            "days since the newest was observed; after 730 it counts no more", "practitioner's guide",
            always=True,
        ),
        "legal_cases": Feature(
            "count", "Legal cases on record", "司法记录",
            "evidence of kind legal in force, insolvencies left out", "Chinese B2B scorecards, 司法",
        ),
        "insolvency": Feature(
            "count", "Insolvency on record", "破产记录",
            "evidence of kind legal with one of default.insolvency_codes",
            "docs/scoring.md, Points, rating, limit",
            always=True,
        ),
    }),
    Chapter("Financial statements", "财务报表", {
        "current_ratio": Feature(
            "ratio", "Current ratio", "流动比率",
            "current assets ÷ current liabilities", "credit textbooks",
        ),
        "quick_ratio": Feature(
            "ratio", "Quick ratio", "速动比率",
            "(current assets − inventory) ÷ current liabilities", "Chinese B2B scorecards",
        ),
        "debt_ratio": Feature(
            "share", "Liabilities to assets", "资产负债率",
            "total liabilities ÷ total assets", "Chinese B2B scorecards",
        ),
        "revenue_change": Feature(
            "share", "Change in revenue, year on year", "营业收入同比变化",
            "revenue ÷ that of the statement a year before − 1; null without one", "statements of two years",
        ),
        "debt_change": Feature(
            "share", "Debt ratio a year before, less today's", "资产负债率同比改善",
            "liabilities ÷ assets of the year before − of the newest", "statements of two years",
        ),
        "working_capital": Feature(
            "money", "Working capital", "营运资金", "current assets − current liabilities", "statement",
        ),
        "equity": Feature(
            "money", "Net worth", "净资产",
            "equity, else total assets − total liabilities", "credit textbooks",
        ),
        "net_margin": Feature(
            "share", "Net margin", "净利率",
            "net profit ÷ revenue", "Chinese B2B scorecards",
        ),
        "return_on_assets": Feature(
            "share", "Return on assets", "总资产收益率",
            "net profit × 12 ÷ months ÷ total assets", "credit textbooks",
        ),
        "return_on_capital": Feature(
            "share", "Return on capital employed", "已动用资本回报率",
            "EBIT × 12 ÷ months ÷ (total assets − current liabilities)", "credit textbooks",
        ),
        "operating_margin": Feature(
            "share", "Operating margin", "营业利润率", "EBIT ÷ revenue", "credit textbooks",
        ),
        "cash_flow_margin": Feature(
            "share", "Operating cash flow to sales", "经营现金流销售比", "operating cash flow ÷ revenue",
            "credit textbooks",
        ),
        "gross_margin": Feature(
            "share", "Gross margin", "毛利率",
            "(revenue − cost of sales) ÷ revenue", "credit textbooks",
        ),
        "interest_cover": Feature(
            "ratio", "Interest cover", "利息保障倍数",
            "EBIT ÷ interest expense, within −100 … 100; 100 without interest and loss",
            "Chinese B2B scorecards, 利息偿还率",
        ),
        "asset_turnover": Feature(
            "ratio", "Asset turnover", "总资产周转率",
            "revenue × 12 ÷ months ÷ total assets", "credit textbooks",
        ),
        "cash_flow_ratio": Feature(
            "ratio", "Operating cash flow to current liabilities", "经营现金流动负债比",
            "operating cash flow × 12 ÷ months ÷ current liabilities", "Chinese B2B scorecards",
        ),
        "earning_signs": Feature(
            "count", "Profit and operating cash flow above nothing", "净利与经营现金流为正的项数",
            "how many of net profit and operating cash flow are positive; null unless both are known",
            "Chinese B2B scorecards, 净利率/经营现金流",
        ),
        "altman_z": Feature(
            "ratio", "Altman Z (listed manufacturers)", "Altman Z（上市制造业）",
            "1.2 WC/TA + 1.4 RE/TA + 3.3 EBIT/TA + 0.6 MV/TL + 0.999 S/TA", "Altman 1968",
        ),
        "altman_z1": Feature(
            "ratio", "Altman Z' (private manufacturers)", "Altman Z'（非上市制造业）",
            "0.717 WC/TA + 0.847 RE/TA + 3.107 EBIT/TA + 0.420 BV/TL + 0.998 S/TA", "Altman 1983",
        ),
        "altman_z2": Feature(
            "ratio", "Altman Z'' (all other companies)", "Altman Z''（其他企业）",
            "6.56 WC/TA + 3.26 RE/TA + 6.72 EBIT/TA + 1.05 BV/TL", "Altman 1995",
        ),
        "statement_age": Feature(
            "days", "Age of the statements", "财报天数",
            "days since the end of the newest period that was known", "docs/scoring.md, Points, rating, limit",
            always=True,
        ),
    }),
    Chapter("The data", "数据", {
        "rate_missing": Feature(
            "count", "Items without an exchange rate", "缺少汇率的单据数",
            "claims without a rate on the day", "docs/scoring.md, Facts",
            always=True,
        ),
        "implausible": Feature(
            "count", "Items due before they were issued", "到期日早于开票日的单据数",
            "claims whose due day lies before their issue", "case 06",
            always=True,
        ),
        "due_unknown": Feature(
            "count", "Items without a due day", "缺少到期日的单据数",
            "open claims with due_basis unknown", "docs/scoring.md, Facts",
            always=True,
        ),
    }),
)
# fmt: on

#: Features that are known only once there is a rating: for flags, not for indicators and gates.
AFTERWARDS = frozenset({"notches_down"})

#: All features by name.
FEATURES: dict[str, Feature] = {name: item for chapter in CHAPTERS for name, item in chapter.features.items()}

#: Usual names of pillars, in Chinese; a policy's own names are shown as they are.
PILLARS = {"payment": "付款", "relationship": "合作", "standing": "资质", "finances": "财务", "external": "外部"}
