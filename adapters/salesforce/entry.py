"""How a connection to Salesforce is opened, and what an admin does in Setup first.

Source: help.salesforce.com, External Client Apps; client credentials flow; JWT bearer flow (docs/salesforce.md).
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.registry import SettingSpec, SetupStep
from adapters.salesforce.auth import GRANTS, Credentials
from adapters.salesforce.crm import Salesforce
from connector.ports import Reads, Shared


def setting_specs(crm: str, settings: Mapping[str, str]) -> tuple[SettingSpec, ...]:  # noqa: ARG001
    """What a connection must be given, by its grant."""
    grant = settings.get("grant") or GRANTS[0]
    return (
        SettingSpec(
            "instance_url",
            en="My Domain, such as https://acme.my.salesforce.com (sandbox: https://acme--dev.sandbox.my.salesforce.com)",
            zh="我的域，如 https://acme.my.salesforce.com（沙盒：https://acme--dev.sandbox.my.salesforce.com）",
        ),
        SettingSpec("grant", default=GRANTS[0], en=", ".join(GRANTS), zh="、".join(GRANTS)),
        SettingSpec(
            "client_id", secret=True, en="consumer key of the External Client App", zh="外部客户端应用的使用者密钥"
        ),
        SettingSpec(
            "client_secret",
            secret=True,
            default=None if grant == "client_credentials" else "",
            en="consumer secret of the same app",
            zh="同一应用的使用者密码",
        ),
        SettingSpec(
            "username",
            default=None if grant == "jwt" else "",
            en="jwt only: user name of the integration user",
            zh="仅 jwt：集成用户的用户名",
        ),
        SettingSpec(
            "private_key",
            secret=True,
            default=None if grant == "jwt" else "",
            en="jwt only: the certificate's private key, PEM",
            zh="仅 jwt：证书私钥（PEM）",
        ),
        SettingSpec(
            "refresh_token",
            secret=True,
            default=None if grant == "refresh_token" else "",
            en="refresh_token only",
            zh="仅 refresh_token",
        ),
        SettingSpec(
            "audience",
            default="https://login.salesforce.com",
            en="jwt only; a sandbox: https://test.salesforce.com",
            zh="仅 jwt；沙盒：https://test.salesforce.com",
        ),
        SettingSpec("version", default="66.0", en="version of the API", zh="API 版本"),
        SettingSpec(
            "currency",
            default="",
            ask=True,
            en="the org's currency such as USD, where it has only one (no API tells it); empty: it has several",
            zh="组织货币（如 CNY）；仅有一种货币时填写（API 不提供）；多种货币时留空",
        ),
        SettingSpec(
            "calls_a_day",
            cap=True,
            default="",
            number=True,
            en="the most API calls that zixin may make in 24 hours; empty: as many as Salesforce gives",
            zh="zixin 在 24 小时内最多使用的 API 调用次数；为空表示不限",
        ),
    )


def setup_steps(crm: str) -> tuple[SetupStep, ...]:  # noqa: ARG001
    """An External Client App with a run-as user; no password of anybody's is kept."""
    return (
        SetupStep(
            "Setup > Users > New: a user of its own, licence Salesforce Integration, profile Minimum Access - API Only "
            "Integrations.",
            "Setup > Users > New：新建专用用户，许可证选 Salesforce Integration，简档选 "
            "Minimum Access - API Only Integrations。",
        ),
        SetupStep(
            "Setup > Permission Sets > New, assign it to that user: read and View All Records on Account and on the "
            "objects with invoices and payments, edit on Account; API Enabled. For `fields apply` once: Customize "
            "Application, Manage Profiles and Permission Sets, Assign Permission Sets (take them away afterwards).",
            "Setup > Permission Sets > New 并分配给该用户：对 Account 以及发票、收款对象的读取"
            "和 View All Records，"
            "对 Account 的编辑；API Enabled。"
            "仅在运行 `fields apply` 时需要：Customize Application、Manage Profiles and "
            "Permission Sets、Assign Permission Sets（之后可收回）。",
        ),
        SetupStep(
            "Setup > External Client App Manager > New External Client App: enable OAuth, this scope, this callback "
            "(it is not used).",
            "Setup > External Client App Manager > New External Client App：启用 OAuth，"
            "使用下列范围和回调地址（不会使用）。",
            "Manage user data via APIs (api)      https://localhost/unused",
        ),
        SetupStep(
            "In its policies enable Client Credentials Flow and name that user in Run As.",
            "在其策略中启用 Client Credentials Flow，并在 Run As 中填写该用户。",
        ),
        SetupStep(
            "Settings > OAuth Settings > Consumer Key and Secret: these are client_id and client_secret. My Domain is "
            "under Setup > My Domain.",
            "Settings > OAuth Settings > Consumer Key and Secret 即 client_id 和 client_secret；"
            "我的域见 Setup > My Domain。",
        ),
    )


def open_crm(crm: str, settings: Mapping[str, str], shared: Shared, name: str) -> Reads:  # noqa: ARG001
    """A connection of that name."""
    return Salesforce(Credentials(**settings), shared, name=name)
