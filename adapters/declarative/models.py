"""The vocabulary of a connector file: how a system is called, pages, filters, answers, writes and calls us.

Names in braces are substituted, and nothing is code: settings of the connection, and what the place says that it knows
(`{id}`, `{since}`, `{after}` …). A selector is a path such as `$.data[*]` or `$.owner.id`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from adapters.declarative.select import check_selector
from connector.documents import Part

Selector = Annotated[str, AfterValidator(check_selector)]
#: iso8601, epoch_s, epoch_ms, or a strftime pattern.
TimeFormat = Annotated[str, Field(min_length=2)]
Where = Literal["header", "query", "body"]


#: How a system writes a list that is empty.
EmptyList = Literal["list", "null", "missing"]

#: The setting that a connector file calls the most calls in 24 hours.
CAP = "calls_a_day"


class Setting(Part):
    """One setting of a connection."""

    secret: bool = False
    default: str | None = None
    number: bool = False
    #: For a person: where to find it.
    help: str = ""
    help_zh: str = ""


class Call(Part):
    """One request."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str
    #: A value that is a list or a mapping is sent as JSON.
    query: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    #: JSON; a text that is one name in braces becomes the thing itself, a list for example.
    body: Any = None
    #: Sent as application/x-www-form-urlencoded instead of JSON.
    form: bool = False
    #: Statuses by which the system says that there is none, as its documentation has it: 204, 404.
    none: tuple[int | str, ...] = ()


class Inject(Part):
    """Where a credential is put into every call."""

    where: Where = Field("header", alias="in")
    name: str
    value: str


class Auth(Part):
    """How calls prove who we are: exactly one kind.

    none · basic (user, password) · token (inject only: API keys, fixed bearer tokens) · hmac (each call is signed) ·
    oauth2 (token_url with client credentials or a refresh token) · login (a call that returns a token).
    """

    kind: Literal["none", "basic", "token", "hmac", "oauth2", "login"]
    inject: tuple[Inject, ...] = ()
    user: str = ""
    password: str = ""
    #: hmac: what is signed, how, and with what; `{signature}` then stands in `inject`.
    key: str = ""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    sign: str = ""
    #: oauth2 and login: the call, where the token is in its answer, and how long it lives.
    request: Call | None = None
    token_at: Selector = "$.access_token"  # noqa: S105
    #: More that the answer gives and calls need; name → selector.
    extra: dict[str, Selector] = Field(default_factory=dict)
    expires_in: Selector = "$.expires_in"
    #: Seconds that a token lives where the answer does not say.
    lives_s: int = Field(3600, ge=30)

    @model_validator(mode="after")
    def _complete(self) -> Auth:
        missing = {
            "basic": ("user", "password"),
            "hmac": ("key", "sign", "inject"),
            "token": ("inject",),
            "oauth2": ("request",),
            "login": ("request", "inject"),
        }.get(self.kind, ())
        lacking = [name for name in missing if not getattr(self, name)]
        if lacking:
            raise ValueError(f"auth of kind {self.kind} needs {', '.join(lacking)}")
        return self


class When(Part):
    """What an answer is known by; all that is given must hold."""

    #: Statuses, or ranges such as 500-599.
    status: tuple[int | str, ...] = ()
    header: str = ""
    body: Selector = "$"
    #: The header's or the body's value is one of these; without it, it is enough that there is one.
    values: tuple[str, ...] = Field((), alias="in")
    #: … or holds one of these texts.
    contains: tuple[str, ...] = ()
    #: … or is none of these.
    other_than: tuple[str, ...] = ()


class Rule(Part):
    """What an answer means. The first rule that fits counts; else 2xx is good, 429 slow down, 5xx try again."""

    when: When
    do: Literal["ok", "empty", "retry", "slow_down", "new_token", "denied", "quota_spent", "no_object", "wrong"]
    #: slow_down: seconds, or the header that holds them.
    wait_s: float | None = None
    wait_header: str = "Retry-After"


class Paging(Part):
    """How the next page is asked for.

    none · page (a number that counts up) · offset (rows to leave out) · cursor (a token of the answer) · next_link (a
    URL of the answer) · link_header (RFC 8288) · keyset (rows after the last one's key: loses nothing when rows move).
    """

    kind: Literal["none", "page", "offset", "cursor", "next_link", "link_header", "keyset"] = "none"
    size: int = Field(200, ge=1)
    #: Number of the first page.
    first: int = 1
    #: cursor and next_link: where the answer says it; empty or missing: it was the last page.
    next: Selector = "$.next"
    #: Where the answer says whether there is more: true, yes, or a number of them. Without it, and without a link or a
    #: total, pages are asked for until one is empty.
    more: Selector | None = None
    #: Where the answer says how many records there are in all.
    total: Selector | None = None
    #: offset: rows that a page shares with the one before, so that a list that moved while it is read is noticed.
    overlap: int = Field(1, ge=0)
    #: keyset: the field whose value the next page follows; `{after}` in the request.
    key: str = "id"
    #: What `{after}` is on the first page.
    start: str = ""
    #: keyset: several rows bear one key; a page that ends within them is cut before them.
    grouped: bool = False
    #: Asked for a page behind the last one, the system hands out the last one again: that is the end, and no fault.
    repeats_last_page: bool = False

    @model_validator(mode="after")
    def _groups_by_key(self) -> Paging:
        if self.grouped and self.kind != "keyset":
            raise ValueError("grouped needs kind keyset: a group that a page cuts is read again from its key")
        return self


class FieldRule(Part):
    """A field that is not simply the record's key of that name."""

    path: Selector
    #: It is a time in that form, and becomes ISO.
    time: TimeFormat | None = None
    #: It is a day only: the time is cut off.
    day: bool = False
    #: Moves the decimal point: -2 makes units of cents.
    shift: int = 0
    #: Turns the sign: systems that show credit notes as negative invoices.
    negate: bool = False
    #: Where a share stands, in per cent, that is taken of it: systems that say how much of an order is billed.
    percent: Selector | None = None
    #: It is rich text: its tags are taken out.
    html: bool = False


class Since(Part):
    """How to ask for what changed since an instant."""

    #: Parts of a list call that are added or replaced; they use `{since}`.
    query: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    format: TimeFormat = "iso8601"
    #: Seconds that are read again: rows that commit late.
    overlap_s: int = Field(300, ge=0)


class Deleted(Part):
    """How deleted records show: marked in a list, or listed by a call of their own."""

    #: In lists of changes: the field that says so, and its values.
    field: str = ""
    values: tuple[str, ...] = ("true", "1")
    request: Call | None = None
    records: Selector = "$.data[*]"
    id: Selector = "$.id"
    #: How the list of its own is paged.
    page: Paging = Paging()


class Children(Part):
    """Rows that lie inside a record of another object: each has `row_id`, and the record around it as `parent`."""

    of: str
    rows: Selector
    #: The field that tells one row from another within a record; else its place.
    id: str = ""
    #: The child rows are shown by a record's own call only, not in lists.
    one_by_one: bool = False


class Batch(Part):
    """Many records per call."""

    size: int = Field(ge=1)
    #: One item of `{items}`.
    item: Any


class Result(Part):
    """Each record's outcome in the answer to a write."""

    #: One item a record, in order; `$` where the whole answer is of the one record.
    rows: Selector = "$"
    #: Where an item says whether it was taken, and the words for yes. An item that says nothing proves nothing.
    state: Selector | None = None
    taken: tuple[str, ...] = ("true", "success", "ok", "200")
    #: Whose item it is; several ids, where one item is about several records.
    id: Selector | None = None
    #: Where an item shows the record as it is now: with its `id` and every value that was sent, it was taken.
    shows: Selector | None = None
    #: Statuses that alone say that every record of the call was taken, such as a 204 that the vendor documents so.
    statuses: tuple[int | str, ...] = ()
    #: Only records that were refused are listed.
    only_failed: bool = False
    #: Names of the fields that it refused, where it tells.
    fields: tuple[Selector, ...] = ()
    #: The system's words when it refused; of a traceback its last line.
    words: tuple[Selector, ...] = ("$.message", "$.error")


class Write(Part):
    """How an object's fields are set; `{id}`, and `{values}`: field → value.

    What no answer proves (`result.state`, `shows`, `statuses`) is read back before it counts as written.
    """

    request: Call
    batch: Batch | None = None
    result: Result = Result()
    #: Statuses of a call that refuse its record and are no fault of the call.
    refused: tuple[int | str, ...] = (400, 404, 409, 417, 422)
    #: How values go: number (JSON number) or text; lists as a list or joined by this.
    numbers: Literal["number", "text"] = "number"
    lists: str = "list"
    empty: str | None = None


class Get(Part):
    """One record by its id."""

    request: Call
    record: Selector = "$"


class Object(Part):
    """A kind of record."""

    read: Call | None = None
    records: Selector = "$.data[*]"
    #: `records` is a mapping: each of its entries is a record of `name`, `value` and `read_on`, the day of the read.
    by_name: bool = False
    #: How the system writes a list that is empty: as one, as null, or not at all.
    empty: EmptyList = "list"
    page: Paging | None = None
    #: The record's id, and when it changed; without the latter it is read whole every time.
    id: Selector = "$.id"
    modified: Selector | None = None
    since: Since | None = None
    deleted: Deleted | None = None
    get: Get | None = None
    #: Many by id: `{ids}`; at most `per_call`.
    some: Call | None = None
    #: Those whose field is one of some values: `{field}`, `{values}`.
    by: Call | None = None
    per_call: int = Field(50, ge=1)
    #: How values are joined where `{ids}` and `{values}` stand inside a text.
    joined: str = ","
    quoted: str = ""
    fields: dict[str, FieldRule] = Field(default_factory=dict)
    children: Children | None = None
    write: Write | None = None
    #: False: the system has no object of that name, so nothing lists its fields.
    described: bool = True
    #: Fields that its calls give names of their own, which no list tells: name → type.
    named: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _readable(self) -> Object:
        if (self.read is None) == (self.children is None):
            raise ValueError("an object has either `read`, or `children` that lie in another one")
        return self
