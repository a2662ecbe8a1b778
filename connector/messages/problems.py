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
    "E-NO-DAY": Words(
        "{account} was not assessed on {day}.",
        "zixin explain without --as-of shows the newest assessment.",
        "{account} 在 {day} 没有评级。",
        "不带 --as-of 的 zixin explain 显示最新评级。",
    ),
    "E-RUN-UNKNOWN": Words(
        "There is no run {run}.",
        "zixin runs lists them, newest first.",
        "没有编号为 {run} 的运行。",
        "zixin runs 按时间倒序列出所有运行。",
    ),
    "E-RUN-NOT-BRAKED": Words(
        "Run {run} does not wait for approval: it is {state}.",
        "Only a run that the brake stopped, or that withheld customers, can be approved; zixin runs lists them.",
        "运行 {run} 不在等待批准：状态为 {state}。",
        "只有被制动或有客户被暂缓的运行才能批准；zixin runs 列出所有运行。",
    ),
    "E-RUN-LOST": Words(
        "Run {run} waits for records that the CRM no longer shows, of: {sources}.",
        "Mend the access, or take what it shows for all that there is: zixin accept SOURCE.",
        "运行 {run} 在等待 CRM 不再显示的记录，数据源：{sources}。",
        "请恢复访问权限，或将其显示的内容视为全部：zixin accept SOURCE。",
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
    "E-CRM-UNREACHABLE": Words(
        "{host} cannot be reached.",
        "Check the network, the proxy and the address of the connection; nothing was lost, run it again.",
        "无法连接 {host}。",
        "请检查网络、代理和连接地址；没有数据丢失，请重新运行。",
    ),
    "E-CRM-LOST": Words(
        "The answer of {host} was lost on the way.",
        "Run it again; what may have arrived is read back first.",
        "{host} 的响应在途中丢失。",
        "请重新运行；可能已送达的内容会先读回核对。",
    ),
    "E-CRM-DOWN": Words(
        "{host} answered with an error of its own (HTTP {status}).",
        "It is the CRM's trouble and mostly passes; run it again later.",
        "{host} 返回自身错误（HTTP {status}）。",
        "这是 CRM 端的问题，通常会恢复；请稍后重新运行。",
    ),
    "E-CRM-TLS": Words(
        "{host} shows a certificate that cannot be trusted.",
        "Check the address; behind a company proxy set REQUESTS_CA_BUNDLE to its certificates.",
        "{host} 的证书不可信。",
        "请检查地址；若在公司代理之后，请将 REQUESTS_CA_BUNDLE 指向其证书。",
    ),
    "E-CRM-ORIGIN": Words(
        "A call to {host} was not made: the connection does not name it.",
        "Add its address to the connection if it is right.",
        "未向 {host} 发出请求：该连接未声明此地址。",
        "如地址无误，请将其加入连接设置。",
    ),
    "E-CRM-RATE": Words(
        "{host} asks for a pause.",
        "Run it again in some minutes.",
        "{host} 要求暂停请求。",
        "请几分钟后重新运行。",
    ),
    "E-CRM-QUOTA": Words(
        "The quota of calls at {host} is used up.",
        "It fills again within 24 hours; run it again then, or raise the quota. What was done is kept.",
        "{host} 的调用额度已用完。",
        "额度将在 24 小时内恢复；届时重新运行或提高额度。已完成的部分不会丢失。",
    ),
    "E-CRM-TOKEN": Words(
        "{host} does not accept the access token.",
        "Connect it again with new credentials.",
        "{host} 不接受访问令牌。",
        "请用新的凭证重新连接。",
    ),
    "E-CRM-REVOKED": Words(
        "{host} refuses the connection's credentials ({detail}).",
        "They were revoked or mistyped: connect it again with new ones.",
        "{host} 拒绝该连接的凭证（{detail}）。",
        "凭证已被撤销或有误：请用新凭证重新连接。",
    ),
    "E-CRM-PERMISSION": Words(
        "{host} does not allow this call ({detail}).",
        "Give the connection's user the permission or scope that is named there.",
        "{host} 不允许此调用（{detail}）。",
        "请为该连接的用户授予所述权限或范围。",
    ),
    "E-CRM-OBJECT": Words(
        "{host} has no object {name}.",
        "Create it there, or change its name in the mapping file.",
        "{host} 中没有对象 {name}。",
        "请在 CRM 中创建，或在映射文件中修改名称。",
    ),
    "E-CRM-ANSWER": Words(
        "{host} refused a call: {detail}.",
        "The call itself is wrong for this CRM: check the mapping's field names; if they are right, report this.",
        "{host} 拒绝了请求：{detail}。",
        "请求本身不符合该 CRM 的要求：请检查映射中的字段名；如无误请反馈。",
    ),
    "E-CRM-GARBLED": Words(
        "{host} gave an answer that is no JSON of the documented form.",
        "A proxy may have answered in its place; run it again, and check the address if it stays so.",
        "{host} 的响应不是文档所述的 JSON。",
        "可能是代理代为应答；请重新运行，若仍如此请检查地址。",
    ),
    "E-MAP": Words(
        "{file}, line {line}: {detail}.",
        "Mend the mapping there; nothing was read with it.",
        "{file} 第 {line} 行：{detail}。",
        "请在该处修改映射文件；尚未用它读取数据。",
    ),
    "E-STORE-OPEN": Words(
        "The store {path} cannot be opened: {detail}.",
        "Check ZIXIN_HOME, the permissions and the disk.",
        "无法打开数据库 {path}：{detail}。",
        "请检查 ZIXIN_HOME、权限和磁盘。",
    ),
    "E-NO-STORE": Words(
        "The profile {profile} has no store yet: {path}.",
        "Run zixin sync, which makes one; if there was one, put a backup back first (zixin restore FILE).",
        "配置 {profile} 尚无数据库：{path}。",
        "请运行 zixin sync 创建；如果曾经有过，请先恢复备份（zixin restore 文件）。",
    ),
    "E-HOME": Words(
        "zixin's folder {path} cannot be used: {detail}.",
        "Set ZIXIN_HOME to a folder that you may write, and run it again.",
        "无法使用 zixin 的数据目录 {path}：{detail}。",
        "请将 ZIXIN_HOME 设为可写的目录后重新运行。",
    ),
    "E-BACKUP-THERE": Words(
        "{file} is there already.",
        "Name another file; a backup is never written over.",
        "{file} 已存在。",
        "请换一个文件名；备份不会被覆盖。",
    ),
    "E-BACKUP-WRITE": Words(
        "The backup {file} cannot be written: {detail}.",
        "Check the folder, its permissions and the room on that disk; nothing was left there.",
        "无法写入备份 {file}：{detail}。",
        "请检查文件夹、权限和磁盘空间；没有留下不完整的文件。",
    ),
    "E-RESTORE-FILE": Words(
        "{file} is not a backup that can be used: {detail}.",
        "Take another one; nothing was changed.",
        "{file} 不是可用的备份：{detail}。",
        "请使用另一份备份；没有任何改动。",
    ),
    "E-RESTORE-WRITE": Words(
        "The backup cannot be unpacked into {path}: {detail}.",
        "Check the permissions and the room on that disk, and restore again; the backup itself is sound so far.",
        "无法将备份解包到 {path}：{detail}。",
        "请检查权限和磁盘空间后重新恢复；备份文件本身未发现问题。",
    ),
    "E-RESTORE-HALF": Words(
        "A restore of the profile {profile} was cut off.",
        "Run zixin restore FILE --replace again: it finishes the one that was cut off; what was there before is kept.",
        "配置 {profile} 的恢复被中断。",
        "请再次运行 zixin restore 文件 --replace：会完成被中断的恢复；原有数据均已保留。",
    ),
    "E-RESTORE-OTHER": Words(
        "A restore that was cut off is finished: the profile {profile} is now as the backup of {made_at} has it.",
        "Say --replace to put {file} in its place.",
        "被中断的恢复已完成：配置 {profile} 现为 {made_at} 备份的内容。",
        "如要改用 {file}，请加 --replace。",
    ),
    "E-RESTORE-THERE": Words(
        "The profile {profile} has a store already.",
        "Say --replace to put the backup in its place (what is there is kept), or --profile NAME for another one.",
        "配置 {profile} 已有数据库。",
        "使用 --replace 以备份取代（原有数据会保留），或用 --profile 指定另一个名称。",
    ),
    "E-FOLDER-NONE": Words(
        "There is no folder {path}.",
        "Check the path; a folder of another machine has to be mounted here.",
        "文件夹 {path} 不存在。",
        "请检查路径；其他机器上的文件夹需先挂载到本机。",
    ),
    "E-FOLDER-EMPTY": Words(
        "The folder {path} has none of the files that zixin reads.",
        "Put one of {known} into it; docs/sources.md has their columns.",
        "文件夹 {path} 中没有 zixin 可读取的文件。",
        "请放入以下任一文件：{known}；各列说明见 docs/sources.zh-CN.md。",
    ),
    "E-FOLDER-CHANGED": Words(
        "The folder {path} changed while it was read.",
        "The next run reads it again; put whole files there, by renaming them.",
        "读取期间文件夹 {path} 发生了变化。",
        "下次运行将重新读取；请以改名方式放入完整的文件。",
    ),
    "E-FEED-CRM": Words(
        "The profile has no CRM of the name {name} that could be fed.",
        "It has {known}; connect the CRM first, then what feeds it.",
        "此配置中没有名为 {name} 的 CRM。",
        "现有：{known}；请先连接 CRM，再连接数据源。",
    ),
    "E-FEED-NAME": Words(
        "A feed cannot be called {name!r}: {detail}.",
        "Give it another name by --as, such as erp.",
        "数据源不能命名为 {name!r}：{detail}。",
        "请用 --as 指定其他名称，例如 erp。",
    ),
    "E-FEED-MAPPED": Words(
        "The CRM's own mapping reads from {feed}.",
        "Take its sources and its entry under feeds out of the mapping file first.",
        "CRM 的映射文件仍从 {feed} 读取。",
        "请先在映射文件中删除其来源与 feeds 下的条目。",
    ),
    "E-FEED-UNKNOWN": Words(
        "There is no feed {feed}, and nothing of one is stored.",
        "The feeds are {known}.",
        "没有数据源 {feed}，也没有其数据。",
        "现有数据源：{known}。",
    ),
    "E-FEED-NONE": Words(
        "The mapping reads from {feed}, and {crm} has no feed of that name.",
        "zixin connect SYSTEM --as {feed} --feeds {crm}",
        "映射需要读取 {feed}，但 {crm} 没有此名称的数据源。",
        "zixin connect 系统 --as {feed} --feeds {crm}",
    ),
    "E-FEED-TIE": Words(
        "Nothing says which customer of {feed} is which account of the CRM.",
        "Name the field of the CRM's account that holds the customer's number there by --number, or the field of its"
        " customers that holds the account's id or number in the CRM by --account.",
        "无法确定 {feed} 的客户对应 CRM 中的哪个客户档案。",
        "请用 --number 指定 CRM 客户档案中保存对方客户编号的字段，或用 --account 指定对方客户中保存 CRM 编号的字段。",
    ),
    "E-FEED-TABLES": Words(
        "Its mapping brings no {tables}.",
        "It brings {known}.",
        "其映射不提供 {tables}。",
        "可提供：{known}。",
    ),
    "E-MAP-SOURCE": Words(
        "The mapping has no source {name}.",
        "Its sources are {known}.",
        "映射中没有来源 {name}。",
        "现有来源：{known}。",
    ),
    "E-NO-RECORD": Words(
        "The CRM shows no record {record} of {object}.",
        "Check the id, and whether zixin's user may see it.",
        "CRM 未返回 {object} 的记录 {record}。",
        "请检查 ID，以及 zixin 的用户是否可见该记录。",
    ),
    "E-NO-WIDGET": Words(
        "There is no page panel for {name}.",
        "The fields on the account show the same; zoho has one.",
        "{name} 没有页面组件。",
        "客户页面上的字段显示相同内容；zoho 提供组件。",
    ),
    "E-NO-FIELDS": Words(
        "{name} is only read: zixin makes and writes no fields there.",
        "zixin list and zixin report show the ratings.",
        "{name} 仅供读取：zixin 不在其中创建或写入字段。",
        "可用 zixin list 和 zixin report 查看评级。",
    ),
    "E-NO-IMPORT": Words(
        "Nothing is known of another program's store for {name}.",
        "zoho takes the CSV store of zcrmsdk; give the settings in a file, by --settings.",
        "{name} 不支持导入其他程序的凭据。",
        "zoho 可导入 zcrmsdk 的 CSV 文件；请用 --settings 提供设置。",
    ),
    "E-NO-SDK": Words(
        "zcrmsdk is not installed here.",
        "Install zixin with its extra: pip install 'zixin[zcrmsdk]'.",
        "未安装 zcrmsdk。",
        "请安装附加组件：pip install 'zixin[zcrmsdk]'。",
    ),
    "E-SDK-STORE": Words(
        "{file} holds {count} users with a refresh token; exactly one is taken over.",
        "Keep the line of the user that zixin is to be, in a copy of the file.",
        "{file} 中有 {count} 个带 refresh token 的用户；只能导入一个。",
        "请复制该文件，仅保留 zixin 要使用的用户那一行。",
    ),
    "E-STORE-REVISION": Words(
        "The store {path} is of revision {found}; this zixin knows revisions up to {wanted}.",
        "Install the zixin that made it, or a newer one; nothing was changed.",
        "数据库 {path} 的版本为 {found}，当前程序最高支持 {wanted}。",
        "请安装创建它的版本或更新的版本；没有任何改动。",
    ),
    "E-POLICY-OWN": Words(
        "{file} says something of its own, which the edition {edition} would replace.",
        "Change it as zixin policy editions shows, edition: {edition} included; or give --replace: it is kept aside.",
        "{file} 含有自定义内容，采用版本 {edition} 会将其替换。",
        "请按 zixin policy editions 显示的差异手工修改（包括 edition: {edition}）；或使用 --replace，原文件会保留。",
    ),
    "E-STORE-OLD": Words(
        "The store {path} is of revision {found}; this zixin works on revision {wanted}.",
        "Run zixin sync, or restart zixin serve: either brings it up to date, after a backup beside the store.",
        "数据库 {path} 的版本为 {found}，当前程序使用版本 {wanted}。",
        "请运行 zixin sync 或重启 zixin serve：二者会先在数据库旁备份，再完成升级。",
    ),
    "E-STORE-IN-USE": Words(
        "Another process has the store {path} open, which is to be changed as a whole.",
        "Let an upgrade that is under way end; stop zixin serve (of the release before, too) and what else reads it.",
        "其他进程正打开数据库 {path}，无法升级或替换。",
        "如正在升级请等待其结束；否则请停止 zixin serve（包括旧版本的）以及读取该文件的其他程序，然后重新运行。",
    ),
    "E-SERVE-BUSY": Words(
        "zixin serve runs on the profile {profile}, or an upgrade or a restore of it is under way.",
        "Stop zixin serve, or wait until the other command ends, then run it again.",
        "配置 {profile} 上正在运行 zixin serve，或正在升级、恢复。",
        "请停止 zixin serve，或等待另一命令结束，然后重新运行。",
    ),
    "E-STORE-FOREIGN": Words(
        "{path} is a database that zixin did not make.",
        "Move it away, or set ZIXIN_HOME to another folder; nothing was changed.",
        "{path} 不是 zixin 创建的数据库。",
        "请移走该文件，或将 ZIXIN_HOME 设为其他目录；没有任何改动。",
    ),
    "E-STORE-BUSY": Words(
        "The store {path} is held by another writer.",
        "Wait for the other run, then run it again.",
        "数据库 {path} 正被其他进程占用。",
        "请等待其他任务结束后重新运行。",
    ),
    "E-STORE-FULL": Words(
        "There is no room left for {path}.",
        "Free some room on that disk and run it again; nothing is half-written.",
        "{path} 所在磁盘已满。",
        "请腾出空间后重新运行；没有写入一半的数据。",
    ),
    "E-RUN-BUSY": Words(
        "Another run of the profile {profile} is under way.",
        "Wait until it has ended, then run it again.",
        "配置 {profile} 的另一个任务正在运行。",
        "请等它结束后重新运行。",
    ),
    "E-FIELDS-MISSING": Words(
        "{host} lacks zixin's fields on {object}: {fields}.",
        "Run `zixin fields apply`, or create them there under these names; for the demo, run it again.",
        "{host} 的 {object} 缺少资信字段：{fields}。",
        "请运行 `zixin fields apply`，或在 CRM 中按这些名称创建；若为演示请重新运行 demo。",
    ),
    "E-NO-CONNECTION": Words(
        "The profile {profile} has no connection to a CRM.",
        "Run `zixin connect CRM`, or `zixin demo` for a trial with a simulated one.",
        "配置 {profile} 尚未连接任何 CRM。",
        "请运行 `zixin connect CRM`，或运行 `zixin demo` 用模拟 CRM 试用。",
    ),
    "E-DESK-REASON": Words(
        "The policy knows no reason {reason!r}{hint}.",
        "Give one of: {known}.",
        "信用政策中没有理由 {reason!r}{hint}。",
        "可用的理由：{known}。",
    ),
    "E-DESK-DAYS": Words(
        "The last day {last} is before the first day {first}.",
        "Give --until a later day.",
        "截止日 {last} 早于起始日 {first}。",
        "请把 --until 设为更晚的日期。",
    ),
    "E-DESK-LONG": Words(
        "The policy lets a decision of kind {kind} run {days} days at most, and it must have an end.",
        "Give --until {until} or an earlier day.",
        "信用政策规定 {kind} 类决定最长 {days} 天，且必须有截止日。",
        "请把 --until 设为 {until} 或更早。",
    ),
    "E-DESK-VALUE": Words(
        "There is no {value!r} to decide for.",
        "Give one of: {known}.",
        "没有可选的值 {value!r}。",
        "可用的值：{known}。",
    ),
    "E-DESK-NOTCHES": Words(
        "From {rating} to {value} is further than the {most} notches that the policy lets an override lift.",
        "The best that may be set is {best}.",
        "从 {rating} 调至 {value} 超过政策允许上调的 {most} 级。",
        "最高可设为 {best}。",
    ),
    "E-DESK-OWN": Words(
        "{by} asked for it, and somebody else has to approve it.",
        "Have another person approve it with --by.",
        "{by} 是申请人，须由他人批准。",
        "请由其他人用 --by 批准。",
    ),
    "E-DESK-APPROVER": Words(
        "{by} is not among those who may approve.",
        "The policy's approvals.approvers names: {known}.",
        "{by} 无权批准。",
        "信用政策 approvals.approvers 中的批准人：{known}。",
    ),
    "E-DESK-UNKNOWN": Words(
        "There is no {what} {key} that is in force or waits.",
        "`zixin {what} list` shows them with their ids.",
        "没有生效或待批的 {what} {key}。",
        "`zixin {what} list` 会列出它们的编号。",
    ),
    "E-LINK-SELF": Words(
        "{account} and {account} are the same account.",
        "Name two accounts.",
        "{account} 与 {account} 是同一个客户档案。",
        "请指定两个客户档案。",
    ),
    "E-LINK-WHICH": Words(
        "Several accounts are called {name}: {ids}.",
        "Name one by its id.",
        "有多个客户档案名为 {name}：{ids}。",
        "请用标识指定其中一个。",
    ),
    "E-LINK-THERE": Words(
        "{one} and {other} are one customer already.",
        "zixin links list shows by what.",
        "{one} 与 {other} 已是同一客户。",
        "zixin links list 显示依据。",
    ),
    "E-LINK-NONE": Words(
        "{account} has no other accounts.",
        "zixin links list shows who has.",
        "{account} 没有其他客户档案。",
        "zixin links list 显示哪些客户有多个档案。",
    ),
    "E-LINK-TOLD": Words(
        "{account} is linked by what the CRM says of it, and stays so.",
        "Change it in the CRM, or in the mapping.",
        "{account} 的关联来自 CRM 的内容，保持不变。",
        "请在 CRM 或映射文件中修改。",
    ),
    "E-DESK-CRM": Words(
        "{key} was decided in the CRM and is only read here.",
        "End it in the CRM.",
        "{key} 是在 CRM 中决定的，这里只读取。",
        "请在 CRM 中结束它。",
    ),
    "E-AMOUNT": Words(
        "{amount} cannot be used as an amount: {detail}.",
        "Give a plain decimal like 12500.00, and --currency where it is another one.",
        "{amount} 不是可用的金额：{detail}。",
        "请输入如 12500.00 的数字；币种不同时加 --currency。",
    ),
    "E-NOTHING-RATED": Words(
        "Nobody has been rated in the profile {profile} yet.",
        "Run zixin sync, or zixin demo --once for a trial.",
        "配置 {profile} 尚无任何评级。",
        "请先运行 zixin sync，或用 zixin demo --once 试用。",
    ),
    "E-FLAG-DOWN": Words(
        "The flag {flag} is not up for {account}.",
        "`zixin flags list` shows those that are.",
        "{account} 当前没有预警 {flag}。",
        "`zixin flags list` 显示当前预警。",
    ),
    "E-ACTION-UNKNOWN": Words(
        "There is no open action {key}.",
        "`zixin actions list` shows them with their ids.",
        "没有未完成的措施 {key}。",
        "`zixin actions list` 会列出它们的编号。",
    ),
    "E-FEATURE": Words(
        "There is no feature {name} to set.",
        "docs/features.md lists them with their units.",
        "没有可设定的指标 {name}。",
        "docs/features.md 列出全部指标及单位。",
    ),
    "E-HOOK-GARBLED": Words(
        "The call is no event that can be read.",
        "docs/operations.md shows the formats.",
        "无法解析该事件。",
        "格式见 docs/operations.md。",
    ),
    "E-HOOK-HEADERS": Words(
        "The call lacks the headers webhook-id, webhook-timestamp and webhook-signature.",
        "Sign it as Standard Webhooks v1.",
        "缺少 webhook-id、webhook-timestamp 或 webhook-signature。",
        "请按 Standard Webhooks v1 签名。",
    ),
    "E-HOOK-SECRET": Words(
        "The call's token or signature is not of this connection.",
        "`zixin hooks secret new` makes one; give it to the sender.",
        "令牌或签名与该连接不符。",
        "用 `zixin hooks secret new` 生成并配置到发送方。",
    ),
    "E-HOOK-TIME": Words(
        "The call is more than five minutes old or ahead.",
        "Set the sender's clock; a repetition is signed anew.",
        "请求时间与本机相差超过五分钟。",
        "请校准发送方时钟；重发时须重新签名。",
    ),
    "E-NO-ACCOUNT": Words(
        "There is no account {account} in the profile {profile}.",
        "Give its number or its id as `zixin list` shows it.",
        "配置 {profile} 中没有客户 {account}。",
        "请使用 `zixin list` 显示的编号或 ID。",
    ),
    "E-NO-FACTS": Words(
        "{path} holds no fact to date the run by.",
        "Give the day with --as-of.",
        "{path} 中没有可用于确定日期的数据。",
        "请用 --as-of 指定日期。",
    ),
    "E-SIMULATOR": Words(
        "The simulator ended at once (exit code {status}).",
        "What it said stands above; start it alone with `zixin simulate zoho --data FOLDER` to see more.",
        "模拟器启动后立即退出（退出码 {status}）。",
        "原因见上方输出；可用 `zixin simulate zoho --data FOLDER` 单独启动查看。",
    ),
    "E-ENV-OPEN": Words(
        "{file} can be read by others.",
        "It may hold secrets: `chmod 600` it.",
        "{file} 可被他人读取。",
        "其中可能含有密钥：请执行 `chmod 600`。",
    ),
    "E-GRANT-CODE": Words(
        "{host} did not take the grant code.",
        "It lives three minutes and can be used once, with the client and data centre it was made in: make a new one.",
        "{host} 未接受该授权码。",
        "授权码 3 分钟内有效且只能使用一次，并须与生成时的客户端和数据中心一致：请重新生成。",
    ),
    "E-KEY-SHORT": Words(
        "The key in {where} is shorter than {least} characters.",
        "Make one: `python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`.",
        "{where} 中的密钥短于 {least} 个字符。",
        "可生成一个：`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`。",
    ),
    "E-KEY-OTHER": Words(
        "What is kept was sealed with another key than the one in {where}.",
        "Give the key it was sealed with (ZIXIN_KEY or ZIXIN_KEY_FILE), or connect the CRM again.",
        "已保存的内容并非用 {where} 中的密钥加密。",
        "请提供当时的密钥（ZIXIN_KEY 或 ZIXIN_KEY_FILE），或重新连接 CRM。",
    ),
    "E-CRM": Words(
        "There is no adapter for {name}.",
        "Known: {known}.",
        "没有名为 {name} 的适配器。",
        "可用：{known}。",
    ),
    "E-SETTINGS": Words(
        "The settings of the connection {name} do not fit: {detail}.",
        "Connect it again with the settings that its guide names.",
        "连接 {name} 的设置不符：{detail}。",
        "请按其指南中的设置重新连接。",
    ),
    "E-QUOTA-CAP": Words(
        "The calls of {name} have cost what the cap of {cap} a day allows.",
        "What is left is done once the day's calls have aged; raise the connection's cap if the CRM's quota allows.",
        "{name} 的调用已达到每日上限 {cap}。",
        "余下部分将在额度恢复后继续；若 CRM 配额允许，可提高该连接的上限。",
    ),
    "E-BRAKE-EVENTS": Words(
        "Too many customers would fall to C or D within an hour.",
        "Look at `zixin runs`, and approve the newest run if the news is true.",
        "一小时内将降至 C 或 D 的客户过多。",
        "请查看 `zixin runs`；若属实，请批准最新的运行。",
    ),
    "E-TABLES": Words(
        "{file}, line {line}: {detail}.",
        "Mend the file that declares the tables there; docs/sources.md says what each key means.",
        "{file} 第 {line} 行：{detail}。",
        "请在该处修改表声明文件；各键含义见 docs/sources.zh-CN.md。",
    ),
    "E-TABLE-COLUMN": Words(
        "{host}: {table} has no column {columns}.",
        "It was renamed, dropped or hidden from zixin's user: zixin map check shows what the mapping reads.",
        "{host}：{table} 没有列 {columns}。",
        "该列可能已改名、删除或对 zixin 用户不可见：zixin map check 显示映射读取的内容。",
    ),
    "E-TABLE-ID": Words(
        "{host}: nothing tells the rows of {table} apart: it has no primary key, and no column is called id.",
        "Declare its id in the file that the setting `declared` names (docs/sources.md).",
        "{host}：无法区分 {table} 的各行：没有主键，也没有名为 id 的列。",
        "请在设置项 declared 指定的文件中声明其 id（docs/sources.zh-CN.md）。",
    ),
    "E-TABLE-TWICE": Words(
        "{host}: rows of {table} share a value of {columns}, which is to tell them apart.",
        "Declare columns that no two rows share (several: id: [a, b]) in the file that the setting `declared` names.",
        "{host}：{table} 中有多行的 {columns} 相同，无法据此区分。",
        "请在设置项 declared 指定的文件中声明不重复的列（可多列：id: [a, b]）。",
    ),
    "E-TABLE-MODIFIED": Words(
        "{host}: {column} of {table} holds no times: {detail}.",
        "Declare another column as `modified`, or none (`modified: ''`): the table is then read whole each time.",
        "{host}：{table} 的 {column} 不是时间：{detail}。",
        "请声明另一列为 modified，或声明没有（modified: ''），此时每次读取整张表。",
    ),
    "E-LAKE-CHANGED": Words(
        "Files of {host} changed or went while they were read.",
        "The next run reads what is there then; nothing was closed for what is missing.",
        "读取期间 {host} 的文件发生了变化或被删除。",
        "下次运行将读取届时的内容；缺失的行未被视为已关闭。",
    ),
    "E-LAKE-FILES": Words(
        "{host}: the files of {table} do not fit together: {detail}.",
        "Write the table anew with one layout, or as a Delta table, which keeps its layout itself.",
        "{host}：{table} 的文件结构不一致：{detail}。",
        "请以统一结构重写该表，或改用自带结构的 Delta 表。",
    ),
    "E-DB-URL": Words(
        "The setting url is no address of a database: {detail}.",
        "Give one that SQLAlchemy takes, such as postgresql+psycopg://zixin@db.example.com/erp.",
        "设置项 url 不是数据库地址：{detail}。",
        "请使用 SQLAlchemy 的地址，例如 postgresql+psycopg://zixin@db.example.com/erp。",
    ),
    "E-DB-DRIVER": Words(
        "The driver for {name} is not installed.",
        "Install it beside zixin: pip install {package}.",
        "未安装 {name} 的驱动。",
        "请在 zixin 的环境中安装：pip install {package}。",
    ),
    "E-DB-SLOW": Words(
        "{host} did not answer a query on {table} within the time that is allowed.",
        "Index the columns that it is read by (its id; modified and id together), or raise the setting timeout_s.",
        "{host} 未在规定时间内返回对 {table} 的查询。",
        "请为读取所用的列建立索引（id；modified 与 id 的组合），或增大设置项 timeout_s。",
    ),
    "E-DB-ANSWER": Words(
        "{host} refused a query on {table}: {detail}.",
        "Check the table and its columns there (zixin map check); if they are right, report this.",
        "{host} 拒绝了对 {table} 的查询：{detail}。",
        "请检查该表及其列（zixin map check）；如无误请反馈。",
    ),
    "E-CONNECTOR": Words(
        "{file}, line {line}: {detail}.",
        "Mend the connector file there; docs/rest.md says what each key means.",
        "{file} 第 {line} 行：{detail}。",
        "请在该处修改连接器文件；各键含义见 docs/rest.md。",
    ),
    "E-CONNECTOR-NAME": Words(
        "The connector file names {{{name}}}, which nobody knows here.",
        "Known: {known}.",
        "连接器文件引用了此处未知的 {{{name}}}。",
        "可用：{known}。",
    ),
    "E-CONNECTOR-BY": Words(
        "The connector file of {host} does not say how to do {object}.",
        "Add it; docs/rest.md has examples.",
        "{host} 的连接器文件未说明如何处理 {object}。",
        "请补充；示例见 docs/rest.md。",
    ),
    "E-CLOCK": Words(
        "The clock of {name} says {theirs}, and this machine's says {ours}: no day can be rated by either.",
        "Set the one that is wrong (timedatectl here). A simulated CRM with its own day declares it: `clock_ahead_s`.",
        "{name} 的时钟为 {theirs}，本机时钟为 {ours}：无法据此确定评级日期。",
        "请校正错误的一方（本机可用 timedatectl）。带有自己日期的模拟 CRM 以 clock_ahead_s 声明。",
    ),
    "E-CRM-CURRENCY": Words(
        "{host} names no home currency of the company that is an ISO 4217 code: {currency}.",
        "Set it there; of a connector file check `me.currency`, or give it as a setting (`me.currency_setting`).",
        "{host} 没有给出公司的本位币（ISO 4217 代码）：{currency}。",
        "请在该系统中设置；若使用连接器文件，请检查 me.currency，或以设置给出（me.currency_setting）。",
    ),
    "E-SIGHT-NONE": Words(
        "Nothing of the source {source} is out of sight.",
        "Out of sight: {lost}; zixin status lists them with their counts.",
        "数据源 {source} 没有消失的记录。",
        "有记录消失的数据源：{lost}；zixin status 列出其数量。",
    ),
    "E-CRM-PAGES": Words(
        "{host}, {object}: a page came twice; what follows it may be missing.",
        "Check `page` in the connector file: the request may not use what the next page is asked for by. "
        "A system that repeats its last page has `repeats_last_page: true`.",
        "{host} 的 {object}：同一页返回了两次，其后的记录可能缺失。",
        "请检查连接器文件中的 page：请求可能没有使用翻页参数。若系统会重复最后一页，请声明 repeats_last_page: true。",
    ),
    "E-CRM-INCOMPLETE": Words(
        "{host}, {object}: {read} rows came, and the answers tell of {total}.",
        "Nothing is closed for those that are missing. Run it again; if it stays so, compare with the system: "
        "it may hide rows from this user, or count others.",
        "{host} 的 {object}：收到 {read} 行，而响应称有 {total} 行。",
        "缺失的记录不会被视为已关闭。请重新运行；若仍如此，请与系统核对：它可能对该用户隐藏了部分行，或计数口径不同。",
    ),
    "E-CRM-ENVELOPE": Words(
        "{host}, {object}: an answer without its records ({place}); it holds {found}.",
        "It counts as a failure, not as an empty list; run it again. If the system says so that there are none, the "
        "connector file declares it (`none`, `empty`).",
        "{host} 的 {object}：响应中没有记录（{place}），其内容为 {found}。",
        "这按失败处理，不视为空列表；请重新运行。若系统以此表示没有记录，请在连接器文件中声明（none、empty）。",
    ),
    "E-CONNECTED": Words(
        "The profile {profile} is connected to {name} already.",
        "To read this one beside it: --as NAME --feeds {name}. For another company use another profile (--profile), to"
        " write into this one instead --replace.",
        "配置 {profile} 已连接 {name}。",
        "如需作为补充数据源读取：--as 名称 --feeds {name}。"
        "其他公司请使用另一个配置（--profile）；改为写回此系统请用 --replace。",
    ),
    "E-FIELD-KIND": Words(
        "Fields in {name} have zixin's names and are of another kind: {fields}.",
        "Rename or delete them in the CRM, and apply again.",
        "{name} 中的同名字段类型不符：{fields}。",
        "请在 CRM 中改名或删除后重试。",
    ),
    "E-FIELD-OTHERS": Words(
        "Fields in {name} have zixin's names, and zixin did not make them: {fields}.",
        "If they may be written over, apply with --adopt; else rename them in the CRM.",
        "{name} 中已有同名字段，且并非由本系统创建：{fields}。",
        "若允许覆盖，请使用 --adopt；否则请在 CRM 中改名。",
    ),
}
