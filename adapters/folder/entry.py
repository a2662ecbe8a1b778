"""How a portfolio folder is opened as a source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapters.folder.crm import PortfolioFolder
from adapters.registry import SettingSpec, SetupStep
from connector.ports import Reads, Shared


def setting_specs(crm: str, settings: Mapping[str, str]) -> tuple[SettingSpec, ...]:  # noqa: ARG001
    """Where it is."""
    message, told_zh = "path of the folder", "文件夹的路径"
    currency, currency_zh = (
        "home currency where the files have several and no rates",
        "文件有多种货币且无汇率时的本位币",
    )
    return (
        SettingSpec("path", en=message, zh=told_zh),
        SettingSpec("currency", default="", en=currency, zh=currency_zh),
    )


def setup_steps(crm: str) -> tuple[SetupStep, ...]:  # noqa: ARG001
    """What is put there."""
    return (
        SetupStep(
            "Put CSV files into a folder that zixin's user may read: evidence.csv, statements.csv, … (docs/sources.md)",
            "将 CSV 文件放入 zixin 用户可读取的文件夹：evidence.csv、statements.csv 等（docs/sources.zh-CN.md）",
        ),
    )


def open_crm(crm: str, settings: Mapping[str, str], shared: Shared, name: str) -> Reads:  # noqa: ARG001
    """The folder of that name."""
    return PortfolioFolder(Path(settings["path"]).expanduser(), settings.get("currency", ""), shared)
