"""The one table of warning flags and of what to do about them: codes, severities, measures, in English and Chinese.

Codes as in the CRM's field. When a flag is up is the policy's to say (`flags.CODE.when`). Sources:
warning signs and measures of Chinese practitioners' guides and of credit insurers.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FlagWords:
    """One flag."""

    en: str
    zh: str
    #: Of `MEASURES`: what is recommended, unless the policy says otherwise.
    measure: str


@dataclass(frozen=True, slots=True)
class MeasureWords:
    """Something that a person does about a flag, and within how many days."""

    en: str
    zh: str
    days: int


#: Gravest first; the options of the CRM's field.
FLAGS: dict[str, FlagWords] = {
    "INSOLVENT": FlagWords("Insolvency on record", "破产", "stop_and_claim"),
    "OVERDUE_90": FlagWords("More than 90 days overdue", "逾期超过90天", "legal_letter"),
    "OVERDUE_60": FlagWords("More than 60 days overdue", "逾期超过60天", "formal_demand"),
    "OVERDUE_30": FlagWords("More than 30 days overdue", "逾期超过30天", "call"),
    "OVERDUE_1": FlagWords("Overdue", "有逾期", "remind"),
    "BOUNCED": FlagWords("A payment or bill was returned", "有退票", "ask_security"),
    "BROKEN_PROMISE": FlagWords("A promise to pay was not kept", "承诺付款未兑现", "call"),
    "OVER_LIMIT": FlagWords("Over the credit limit", "超信用额度", "review_limit"),
    "GROUP_LIMIT": FlagWords("The group is over its credit limit", "集团超信用额度", "review_limit"),
    "PREPAY_DUE": FlagWords("Payment in advance is not there yet", "预付款未到账", "hold_deliveries"),
    "ORDER_SURGE": FlagWords("Orders far more than usual while overdue", "逾期期间订单激增", "hold_deliveries"),
    "DOWNGRADE": FlagWords("The rating was lowered", "信用等级下调", "review_limit"),
    "NEAR_LIMIT": FlagWords("The credit limit is nearly used up", "额度即将用尽", "review_limit"),
    "SLOWING": FlagWords("Pays slower than before", "付款放慢", "call"),
    "TERM_BREAK_3X": FlagWords("Late several times in a row", "多次逾期", "call"),
    "SALES_DROP_30": FlagWords("Buys much less than before", "采购大幅下降", "visit"),
    "LARGE_SHARE": FlagWords("Owes a large share of all receivables", "应收占比过高", "ask_security"),
    "DISPUTE": FlagWords("Much of what is open is disputed", "争议金额较大", "settle_dispute"),
    "PARTIAL_PAYMENTS": FlagWords("Pays late items in parts", "逾期款分次支付", "payment_plan"),
    "DORMANT_180": FlagWords("No invoice for long, and overdue", "久未开票且有逾期", "visit"),
    "CREDIT_TERM_EXTENDED": FlagWords("A due day was moved far out", "付款期被大幅展延", "review_limit"),
    "LEGAL": FlagWords("Legal cases on record", "有司法记录", "visit"),
    "NO_FINANCIALS": FlagWords("No financial statement, or an old one", "缺少近期财务报表", "ask_statement"),
    "CASH_UNAPPLIED": FlagWords("Cash on account beside overdue items", "有未核销款项且有逾期", "allocate"),
    "RATE_MISSING": FlagWords("An exchange rate is missing", "缺少汇率", "refresh_data"),
    "DATA_STALE": FlagWords("No new facts for days", "数据久未更新", "refresh_data"),
}

#: Other usual names → ours; accepted in policies and queries.
ALIASES = {
    "LIMIT_NEAR": "NEAR_LIMIT",
    "BILL_BOUNCED": "BOUNCED",
    "PROMISE_BROKEN": "BROKEN_PROMISE",
    "TERMS_STRETCHED": "CREDIT_TERM_EXTENDED",
}

#: What is recommended, by code; a policy's `measures` may reword them and add others.
MEASURES: dict[str, MeasureWords] = {
    "remind": MeasureWords("Remind by mail", "邮件提醒", 3),
    "call": MeasureWords("Call, and agree on a day", "电话沟通，约定付款日", 3),
    "formal_demand": MeasureWords("Send a formal demand", "发送催款函", 5),
    "legal_letter": MeasureWords("Send a lawyer's letter", "发送律师函", 7),
    "stop_and_claim": MeasureWords("Stop deliveries, register the claim", "停止发货，申报债权", 1),
    "hold_deliveries": MeasureWords("Hold deliveries until it is paid", "款到发货", 1),
    "payment_plan": MeasureWords("Agree on a payment plan", "商定还款计划", 7),
    "review_limit": MeasureWords("Review the limit", "复核额度", 7),
    "ask_security": MeasureWords("Ask for security or insurance", "要求担保或保险", 14),
    "ask_statement": MeasureWords("Ask for the newest statement", "索取最新财务报表", 30),
    "settle_dispute": MeasureWords("Settle the dispute", "处理争议", 14),
    "visit": MeasureWords("Visit the customer", "走访客户", 30),
    "allocate": MeasureWords("Allocate the cash on account", "核销未分配款项", 3),
    "refresh_data": MeasureWords("Bring the data up to date", "更新数据", 1),
}


def canonical(code: str) -> str:
    """Our code of a flag that may go by another usual name."""
    return ALIASES.get(code, code)


def flag_name(code: str, language: str) -> str:
    """What a flag is called; one of somebody's own policy is called by its code."""
    words = FLAGS.get(code)
    return code if words is None else words.zh if language == "zh-CN" else words.en
