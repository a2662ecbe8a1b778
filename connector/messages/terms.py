"""The trade's words for the states, kinds and levels that results are made of, in Chinese.

What programs read (JSON, CSV, fields of a CRM) keeps the keys; a person reads these. docs/glossary.md explains them.
"""

from __future__ import annotations

from connector.messages.glossary import HOLD_WORDS

#: Key → Chinese. An English reader is shown the key.
TERMS: dict[str, str] = {
    **{code: zh for code, (zh, _) in HOLD_WORDS.items()},
    # Severities of warning flags.
    "info": "提示",
    "warning": "预警",
    "critical": "严重",
    # Decisions.
    "override": "人工评级",
    "confirmation": "确认",
    "permanent": "固定额度",
    "temporary": "临时额度",
    "insured": "保险额度",
    "hold": "管控",
    "release": "放行",
    "blacklist": "黑名单",
    "cash_only": "仅限现款",
    "legal": "法务处理",
    "crm": "CRM",
    "in_force": "生效",
    "waits": "待批",
    "over": "已结束",
    "ahead": "未开始",
    "orphaned": "客户已不存在",
    "approved": "已批准",
    # Runs.
    "sync": "同步",
    "event": "事件",
    "poll": "轮询",
    "running": "运行中",
    "done": "完成",
    "shown": "仅预览",
    "dry": "试算",
    "braked": "等待批准",
    "withheld": "部分暂缓",
    "failed": "失败",
    # What `status` counts.
    "last_success": "最近成功",
    "last_run": "最近运行",
    "last_state": "最近状态",
    "newest_day": "最新日期",
    "accounts": "客户数",
    "waiting_events": "待处理事件",
    "dead_events": "已放弃事件",
    "stalled_s": "停滞秒数",
    "spent_24h": "24小时用量",
    "cap_24h": "24小时上限",
    "rejected": "拒收",
    "refused": "CRM拒绝",
    "lost": "不可见",
    "holes": "数据缺口",
    "feeds": "数据源",
    "sweep": "全量读取",
    "paused": "暂停写回",
    "True": "是",
    "False": "否",
    # What `doctor` looks at.
    "environment": "环境",
    "connection": "连接",
    "fields": "字段",
    "records": "记录",
    "schedule": "计划",
    "home": "数据目录",
    "disk": "磁盘",
    "key": "密钥",
    "store": "数据库",
    "policy": "信用政策",
    "clock": "时钟",
    "quota": "配额",
    "runs": "运行",
    "backup": "备份",
    "version": "版本",
    "edition": "版本",
    "organisation": "组织",
    "mapping": "映射",
    # Where a run spends its time and its calls.
    "simulator": "模拟",
    "install": "建字段",
    "pull": "读取",
    "history": "历史",
    "score": "评级",
    "push": "写回",
    "total": "合计",
    "org": "组织",
    "admin": "管理",
    "count": "计数",
    "coql": "查询",
    "bulk": "批量",
    "job": "作业",
    "file": "文件",
    "write": "写入",
    "query": "查询",
    "get": "读取",
    "post": "提交",
    "put": "写入",
    "patch": "修改",
    "delete": "删除",
    "rest": "接口",
    "watch": "订阅",
}


def term(key: str, language: str) -> str:
    """The word for a key; the key itself in English, or where it is a name and no word."""
    return TERMS.get(key, key) if language == "zh-CN" else key
