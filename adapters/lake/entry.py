"""How a lake is opened as a source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from adapters.common.table_settings import SPECS, declared_in
from adapters.lake.crm import Lake
from adapters.lake.places import Place
from adapters.registry import SettingSpec, SetupStep
from connector.errors import Misconfigured
from connector.ports import Reads, Shared


def setting_specs(crm: str, settings: Mapping[str, str]) -> tuple[SettingSpec, ...]:  # noqa: ARG001
    """Where it is, who reads it, and what its tables do not say of themselves."""
    return (
        SettingSpec(
            "path",
            en="folder of tables, local or an address of fsspec such as s3://bucket/lake",
            zh="表所在的文件夹：本地路径或 fsspec 地址，例如 s3://bucket/lake",
        ),
        SettingSpec(
            "options", secret=True, default="", ask=True,
            en='credentials as fsspec takes them, JSON such as {"key": "…", "secret": "…"}; empty: none',
            zh='fsspec 所需的凭证，JSON，例如 {"key": "…", "secret": "…"}；可为空',
        ),
        SettingSpec(
            "delta_options", secret=True, default="",
            en="the same for Delta tables, as deltalake takes them", zh="Delta 表所需的凭证（deltalake 的格式）",
        ),
        *SPECS,
    )  # fmt: skip


def setup_steps(crm: str) -> tuple[SetupStep, ...]:  # noqa: ARG001
    """Who may read it."""
    return (
        SetupStep(
            "Let zixin's user read the folder, and nothing more; for Delta tables: pip install deltalake",
            "仅授予 zixin 用户对该文件夹的读权限；Delta 表需 pip install deltalake",
        ),
    )


def open_crm(crm: str, settings: Mapping[str, str], shared: Shared, name: str) -> Reads:  # noqa: ARG001
    """The lake at that address. Raises Misconfigured: its file system is not installed, or options are no JSON."""
    place = Place(settings["path"], _options(name, "options", settings["options"]))
    delta = {key: str(value) for key, value in _options(name, "delta_options", settings["delta_options"]).items()}
    return Lake(place, declared_in(name, settings), settings["currency"], shared, delta)


def _options(name: str, setting: str, text: str) -> dict[str, Any]:
    try:
        options = json.loads(text) if text.strip() else {}
    except ValueError:
        options = None
    if not isinstance(options, dict):
        # What stands there may be a secret.
        raise Misconfigured("E-SETTINGS", name=name, detail=f"{setting} is no JSON object")
    return options
