"""Every problem that a user can see: what happened and what to try, in English and Chinese.

Texts are `str.format` templates over the facts that the raiser gives. The first two letters group: E-FOLDER a
portfolio folder, E-POLICY a policy file, E-MAP a mapping file, E-CRM a CRM, E-STORE the store.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """One problem's text."""

    what_en: str
    next_en: str
    what_zh: str
    next_zh: str


PROBLEMS: dict[str, Words] = {
    "E-FOLDER-MISSING": Words(
        "{path} is not a portfolio folder: {file} is not there.",
        "A portfolio folder holds accounts.csv, invoices.csv and payments.csv.",
        "{path} 不是数据文件夹：缺少 {file}。",
        "数据文件夹应包含 accounts.csv、invoices.csv 和 payments.csv。",
    ),
    "E-FOLDER-COLUMN": Words(
        "{file} has no column {column}.",
        "Add it to the header (line 1); the columns there are: {found}.",
        "{file} 缺少列 {column}。",
        "请在表头（第 1 行）补上；现有的列：{found}。",
    ),
    "E-FOLDER-TEXT": Words(
        "{file} cannot be read as UTF-8 CSV: {detail}.",
        "Save it as CSV UTF-8; a line must have as many cells as the header.",
        "{file} 不是有效的 UTF-8 CSV：{detail}。",
        "请另存为 UTF-8 编码的 CSV；每行的单元格数应与表头一致。",
    ),
    "E-POLICY": Words(
        "{file}, line {line}: {detail}.",
        "Mend the policy there; nothing was scored with it.",
        "{file} 第 {line} 行：{detail}。",
        "请在该处修改信用政策；尚未用它评级。",
    ),
    "E-PROFILE": Words(
        "{profile!r} cannot be the name of a profile.",
        "Use letters, digits, - and _, at most 64 of them.",
        "{profile!r} 不能作为配置名。",
        "请使用字母、数字、- 和 _，最多 64 个。",
    ),
    "E-FILE": Words(
        "{file} cannot be read: {detail}.",
        "Check the path and its permissions.",
        "无法读取 {file}：{detail}。",
        "请检查路径和权限。",
    ),
}
