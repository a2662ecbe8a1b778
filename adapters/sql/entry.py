"""How a database is opened as a source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapters.common.table_settings import SPECS, declared_in
from adapters.registry import SettingSpec, SetupStep
from adapters.sql.crm import SqlDatabase
from adapters.sql.database import Database
from connector.errors import Misconfigured
from connector.ports import Reads, Shared


def setting_specs(crm: str, settings: Mapping[str, str]) -> tuple[SettingSpec, ...]:  # noqa: ARG001
    """Its address, who reads it, and what the database does not say of itself."""
    return (
        SettingSpec(
            "url",
            en="address without the password, such as postgresql+psycopg://zixin@db.example.com/erp",
            zh="不含密码的地址，例如 postgresql+psycopg://zixin@db.example.com/erp",
        ),
        SettingSpec("password", secret=True, default="", ask=True, en="empty: none, or in a file", zh="可为空"),
        SettingSpec(
            "password_file", default="", en="file that holds the password, read anew each time", zh="存放密码的文件"
        ),
        *SPECS,
        SettingSpec("timeout_s", default="600", number=True, en="seconds for one query", zh="单次查询的秒数上限"),
    )  # fmt: skip


def setup_steps(crm: str) -> tuple[SetupStep, ...]:  # noqa: ARG001
    """A user who may read, and the driver."""
    return (
        SetupStep(
            "Make a user who may only read the tables or views that zixin is to see; on PostgreSQL:",
            "创建一个只能读取相关表或视图的用户；以 PostgreSQL 为例：",
            "CREATE ROLE zixin LOGIN PASSWORD '…'; GRANT USAGE ON SCHEMA ar TO zixin;"
            " GRANT SELECT ON ar.invoices, ar.payments TO zixin;",
        ),
        SetupStep(
            "Install the driver beside zixin: 'psycopg[binary]' (PostgreSQL), pymysql, oracledb or pyodbc",
            "在 zixin 的环境中安装驱动：'psycopg[binary]'（PostgreSQL）、pymysql、oracledb 或 pyodbc",
        ),
    )


def open_crm(crm: str, settings: Mapping[str, str], shared: Shared, name: str) -> Reads:  # noqa: ARG001
    """The database at that address. Raises Misconfigured: its driver is missing, or a file cannot be read."""
    password = settings["password"]
    if file := settings["password_file"]:
        try:
            password = Path(file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured("E-FILE", file=file, detail=type(error).__name__) from None
    database = Database(settings["url"], password, int(settings["timeout_s"]))
    return SqlDatabase(database, declared_in(name, settings), settings["currency"], shared)
