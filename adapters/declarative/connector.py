"""A connector file, whole: what it is called, how it is reached, its objects, its fields, its calls to us."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from adapters.declarative.models import Auth, Call, Inject, Object, Rule, Selector, Setting
from adapters.declarative.select import names
from connector.documents import Part, parse, suggestion

#: Names that the engine knows in every request.
ALWAYS = ("uuid", "now", "now_ms")
_AUTH = ("token", "signature", "method", "path", "body", "credentials")
_LIST = ("after", "page", "offset", "cursor", "size", "since", "field", "values", "ids", "id")


def _a_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
        raise ValueError("a name is of a-z, 0-9, _ and -, at most 40 characters")
    return name


class Me(Part):
    """Whose system it is: the first call that is made, and the proof that credentials work."""

    request: Call
    company: Selector | None = None
    #: ISO 4217; where the system does not say, a setting.
    currency: Selector | None = None
    currency_setting: str = ""


class Listed(Part):
    """One call that lists fields of `{object}`."""

    request: Call
    rows: Selector = "$.data[*]"
    name: Selector = "$.name"
    label: Selector = "$.label"
    type: Selector = "$.type"
    #: Options of a choice; a text is split at line ends.
    options: Selector | None = None
    #: True or absent: the field can be written. With `read_only` the other way round.
    writable: Selector | None = None
    read_only: Selector | None = None
    #: The object that a reference points to.
    target: Selector | None = None
    #: How the system knows it, where that is not its name; its tooltip, characters, decimals.
    id: Selector | None = None
    tip: Selector | None = None
    length: Selector | None = None
    places: Selector | None = None
    #: Type → names under which a field of it stands in a record, such as {link: ["{name}Id"]}; else its own name.
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    #: Fields that every record has and no list tells: name → type.
    everywhere: dict[str, str] = Field(default_factory=dict)
    #: Rows are a mapping by name, not a list.
    by_name: bool = False


class Create(Part):
    """How one field is made on `{object}`: {name} {label} {tip} {options} {places} {length}."""

    request: Call
    #: Kind of a written field (choice, choices, number, money, day, text) → what `{spec}` becomes.
    kinds: dict[Literal["choice", "choices", "number", "money", "day", "text"], Any]
    #: The name that is asked for; systems that make one of their own say it in the answer.
    name: str = "{key}"
    named: Selector | None = None
    #: Prefix and suffix that the system adds to every name that it is given.
    prefix: str = ""
    suffix: str = ""
    #: After the prefix the name goes on with a capital: cCreditRating.
    capitalise: bool = False
    #: What a person does so that new fields show on the page; empty: nothing.
    place: str = ""
    place_zh: str = ""
    #: How one is deleted: {name}, {id}.
    remove: Call | None = None
    #: How one that is there is changed, with the placeholders of `request` and {id}, and what of it can be; `{options}`
    #: are those that it has and those that it is to have.
    change: Call | None = None
    changes: tuple[Literal["options", "label", "length"], ...] = ()
    #: A last call after all fields were made, changed or deleted, to rebuild or publish.
    afterwards: Call | None = None
    #: In the system's own words for each kind, as described.
    types: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _all_kinds(self) -> Create:
        lacking = [kind for kind in ("choice", "choices", "number", "money", "day", "text") if kind not in self.kinds]
        if lacking:
            raise ValueError(f"kinds lacks {', '.join(lacking)}")
        return self


class Verify(Part):
    """How a call to us proves where it comes from.

    hmac: a header holds an HMAC over `payload`; token: a header or the body holds the secret itself.
    """

    kind: Literal["hmac", "token"]
    header: str = ""
    body: Selector | None = None
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    #: Text before the signature, such as `sha256=`.
    prefix: str = ""
    #: The decoded signature begins with an id and this: what follows is the signature.
    after: str = ""
    payload: str = "{body}"
    #: Header with the call's time in seconds since 1970; `{timestamp}` in payload. Older calls are refused.
    timestamp: str = ""
    tolerance_s: int = 300


class Hook(Part):
    """Calls to us: how they are verified, and what they name. Our own format is always understood, too."""

    verify: Verify
    #: One event a row.
    rows: Selector = "$"
    id: Selector = "$.id"
    #: The object: where a row says it, or always this one.
    object: str = ""
    object_at: Selector | None = None
    objects: dict[str, str] = Field(default_factory=dict)
    account: Selector | None = None
    #: What tells a repetition: a header, or a place in the row; else the body's hash.
    key_header: str = ""
    key: Selector | None = None
    operation: Selector | None = None
    operations: dict[str, Literal["create", "update", "delete"]] = Field(default_factory=dict)
    #: How to subscribe: `{url}` `{secret}` `{object}`; how long it lasts.
    subscribe: Call | None = None
    lives_s: int = 30 * 86_400


class Limits(Part):
    """What the system can take."""

    concurrency: int = Field(4, ge=1, le=64)
    #: At most so many calls in a second; 0: no limit.
    calls_per_s: float = Field(0.0, ge=0)
    #: Seconds that an answer may take to come in.
    answer_s: float = Field(300.0, gt=0)


class Connector(Part):
    """A connector file."""

    version: int = Field(ge=1, le=1)
    name: Annotated[str, AfterValidator(_a_name)]
    title: str = ""
    #: What a connection must be given. `{name}` of these may stand anywhere.
    settings: dict[str, Setting]
    base_url: str
    #: Further origins that calls may go to, such as a token server.
    origins: tuple[str, ...] = ()
    auth: Auth = Auth(kind="none")
    headers: dict[str, str] = Field(default_factory=dict)
    #: In every query and body.
    always: tuple[Inject, ...] = ()
    limits: Limits = Limits()
    answers: tuple[Rule, ...] = ()
    #: Zone of times that say none.
    zone: str = "UTC"
    me: Me
    objects: dict[str, Object]
    describe: tuple[Listed, ...] = ()
    create: Create | None = None
    hook: Hook | None = None

    @model_validator(mode="after")
    def _whole(self) -> Connector:
        for name, item in self.objects.items():
            if item.children is not None and item.children.of not in self.objects:
                near = _near(item.children.of, self.objects)
                raise ValueError(f"objects.{name}: no object {item.children.of!r}{near}")
        if self.me.currency is None and self.me.currency_setting not in self.settings:
            raise ValueError("me: where the currency comes from is not said: `currency` or `currency_setting`")
        self._check_names()
        return self

    def accounts(self) -> str:
        """The object that zixin's fields stand on: the one that can be written."""
        return next((name for name, item in self.objects.items() if item.write is not None), "accounts")

    def _check_names(self) -> None:
        results = {*self.settings, *ALWAYS}
        places: list[tuple[str, Any, set[str]]] = [("base_url", self.base_url, set()), ("headers", self.headers, set())]
        places.append(("auth", self.auth.model_dump(exclude={"extra"}), {*_AUTH, *self.auth.extra}))
        places.append(("me", self.me.request.model_dump(), set()))
        for name, item in self.objects.items():
            calls = (item.read, item.some, item.by, item.get.request if item.get else None)
            places += [(f"objects.{name}", call.model_dump(), {*_LIST}) for call in calls if call]
        for where, template, more in places:
            unknown = names(template) - results - more
            if unknown:
                word = sorted(unknown)[0]
                raise ValueError(f"{where}: nobody knows {{{word}}}{_near(word, [*results, *more])}")


def _near(word: str, known: Any) -> str:
    return suggestion(word, list(known))


def load(text: str, name: str) -> Connector:
    """The connector of a YAML text; raises Misconfigured with file, line, and a suggestion."""
    return parse(text, name, Connector, "E-CONNECTOR")
