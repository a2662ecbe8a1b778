"""The policy: a YAML file that a credit manager can read; checked, frozen, with a content hash as its version.

Amounts in the file are plain decimals in major units of the base currency. What it does not know is refused with its
line and a suggestion. The parts are described in docs/scoring.md.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Collection, Iterator
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationError, model_validator

from connector import money
from connector.assessment import FLAGS, RATINGS
from connector.documents import Part, parse, suggestion
from connector.messages.features import AFTERWARDS, FEATURES
from connector.messages.figures import Comparison, Language, filled, own_figures
from connector.messages.flags import FLAGS as FLAG_WORDS
from connector.messages.flags import MEASURES, MeasureWords, canonical
from connector.messages.rendering import Sentences

Grade = Literal["AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D"]
Hold = Literal["none", "warn", "approve", "block"]
Severity = Literal["info", "warning", "critical"]
#: A flag by our code, or another usual name of it.
FlagCode = Annotated[str, AfterValidator(canonical)]
Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=0, le=36500)]
#: The number of what the engine makes of a policy: raised by a release in which the same file gives other results.
ENGINE = 2
#: Major units of the base currency; YAML numbers go through their text, never through a float's digits.
Amount = Annotated[Decimal, BeforeValidator(lambda v: str(v) if isinstance(v, float | int) else v), Field(ge=0)]


class Condition(Part):
    """A condition as data: `all`, `any`, `not`, or comparisons of one feature. Null never fires, but `missing`."""

    every: tuple[Condition, ...] | None = Field(None, alias="all")
    some: tuple[Condition, ...] | None = Field(None, alias="any")
    negated: Condition | None = Field(None, alias="not")
    feature: str | None = None
    eq: float | None = None
    ne: float | None = None
    lt: float | None = None
    le: float | None = None
    gt: float | None = None
    ge: float | None = None
    among: tuple[float, ...] | None = Field(None, alias="in")
    missing: bool | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Condition:
        forms = [self.every, self.some, self.negated, self.feature]
        if sum(form is not None for form in forms) != 1:
            raise ValueError("a condition holds exactly one of all, any, not, feature")
        if (self.feature is not None) != bool(self.comparisons()):
            raise ValueError("a feature needs a comparison (eq, ne, lt, le, gt, ge, in, missing)")
        return self

    def comparisons(self) -> dict[str, Any]:
        """The comparisons given, by operator."""
        names = ("eq", "ne", "lt", "le", "gt", "ge", "among", "missing")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def figures(self) -> Iterator[Comparison]:
        """Every comparison with a number: feature, operator, number."""
        if self.feature is not None:
            numbers = ((how, value) for how, value in self.comparisons().items() if how not in ("among", "missing"))
            yield from ((self.feature, how, float(value)) for how, value in numbers)
        for part in (*(self.every or ()), *(self.some or ()), *((self.negated,) if self.negated else ())):
            yield from part.figures()

    def features(self) -> Iterator[str]:
        """Names of all features the condition looks at."""
        if self.feature is not None:
            yield self.feature
        for part in (*(self.every or ()), *(self.some or ()), *((self.negated,) if self.negated else ())):
            yield from part.features()


class Calendar(Part):
    """Whose days are business days."""

    time_zone: str = "UTC"


class Default(Part):
    """Evidence of kind legal with one of these values is an insolvency."""

    insolvency_codes: tuple[str, ...] = ("insolvent", "bankrupt", "bankruptcy", "liquidation", "破产", "清算")


class Materiality(Part):
    """Below these, a difference is noise."""

    #: What may stay open on a settled item: the smaller of the two.
    stub: Amount = Decimal(10)
    stub_share: Annotated[float, Field(ge=0, le=0.05)] = 0.05
    #: Overdue counts in gates and flags from this amount on.
    overdue: Amount = Decimal(50)
    #: Lateness of so few days still is "on time".
    grace_days: Days = 3


class Terms(Part):
    """What holds where a row is silent."""

    #: Days of credit where neither a due day nor terms are known.
    days: Days = 30
    #: The same for retentions (质保金), which no terms of the trade date.
    retention_days: Days = 365


class Disputes(Part):
    """How long a dispute keeps an item from being overdue."""

    max_days: Days = 180


class Exposure(Part):
    """What counts as money at risk, and for how long."""

    disputes: Disputes = Disputes()


class Step(Part):
    """One grade of the scale."""

    #: Lowest score of the grade.
    floor: float = Field(alias="from", ge=0, le=100)
    hold: Hold = "none"
    review_days: Days = 180
    #: Factor on what the limit methods give.
    limit_factor: float = Field(1.0, ge=0, le=10)
    #: Most that the grade may have without securities; null: no cap.
    limit_cap: Amount | None = None
    #: What a method gives that has no data; null: it does not count. Low, so that withholding figures does not pay.
    limit_without: Amount | None = None


class Pillar(Part):
    """A group of indicators."""

    weight: float = Field(gt=0)
    #: Without data: its weight goes to the other pillars (true), or its indicators count as missing (false).
    reweight: bool = True
    #: Best grade while the pillar has no data; null: no cap.
    cap_when_absent: Grade | None = "BBB"


class Tendency(Part):
    """Constants of the tendency to pay late. Source: docs/scoring.md, "Tendency to pay late"."""

    half_life_days: Annotated[int, Field(ge=1, le=3650)] = 120
    window_days: Days = 1095
    rungs: tuple[Days, ...] = (3, 5, 10, 15, 30)
    #: Strength of the portfolio's rate, in payments.
    strength: float = Field(1.0, gt=0, le=100)
    weight_power: float = Field(0.2, ge=0, le=1)
    greatest_weight: float = Field(3.0, ge=1, le=10)
    #: Amounts below this share of the median weigh in proportion to it.
    small_share: float = Field(0.05, gt=0, le=1)
    early_days: Days = 10
    early_coefficient: float = Field(1.0, ge=0, le=1)
    open_coefficient: float = Field(0.3, ge=0, le=2)
    open_cap: float = Field(4.0, gt=0, le=100)
    #: The portfolio's late rate while its history is thin: below `portfolio_minimum` payments' worth.
    fallback_rate: float = Field(0.08, gt=0, lt=1)
    portfolio_minimum: float = Field(30.0, ge=0)


class Indicator(Part):
    """One indicator: a feature, its points by piecewise-linear interpolation, its weight in its pillar."""

    feature: str
    pillar: str
    weight: float = Field(gt=0)
    #: [value, points]; values rise strictly, points lie in 0 … 100; flat beyond the ends.
    points: tuple[tuple[float, float], ...] = Field(min_length=2)
    #: Points without data, at most half of the best.
    missing: float = Field(ge=0, le=50)
    #: Constants of the feature, where it has some.
    parameters: Tendency | None = None

    @model_validator(mode="after")
    def _sound(self) -> Indicator:
        values = [x for x, _ in self.points]
        if any(b <= a for a, b in itertools.pairwise(values)):
            raise ValueError("the values of `points` must rise strictly")
        if not all(0 <= y <= 100 for _, y in self.points):
            raise ValueError("points lie between 0 and 100")
        return self


class Gate(Part):
    """A cap or a knock-out: `cap` bounds the grade, `rating` sets D or NR."""

    when: Condition
    cap: Grade | None = None
    rating: Literal["D", "NR"] | None = None
    #: What kind of not rated: evidence is thin, or he pays cash and has no credit to be rated.
    kind: Literal["thin", "cash"] | None = None
    en: str
    zh: str

    @model_validator(mode="after")
    def _one_effect(self) -> Gate:
        if (self.cap is None) == (self.rating is None):
            raise ValueError("a gate has either `cap` or `rating`")
        if (self.rating == "NR") != (self.kind is not None):
            raise ValueError("`rating: NR` needs a `kind` (thin, cash), and nothing else has one")
        return self


class Stability(Part):
    """How steady a grade is. The form follows a measurement of another scorecard; these numbers are not measured."""

    #: Points beyond a grade's floor that a score must fall or rise before the grade follows.
    band: float = Field(2.0, ge=0, le=20)
    #: A better grade takes effect when it still holds so many days after it was first reached.
    confirm_days: Days = 7
    #: A better grade that was reached longer ago and has not taken effect is forgotten.
    forget_days: Days = 40
    #: Most that points may move a grade, for each day that has passed.
    most_notches: Annotated[int, Field(ge=1, le=9)] = 3


Method = Literal["needs", "average_sales", "equity", "working_capital", "high_balance"]


class Limits(Part):
    """How limits are proposed: the smallest of the named methods, each × the grade's factor, capped and rounded."""

    #: Method → what it is multiplied with: 1 for needs and sales, a share for equity and working capital, a growth for
    #: the highest balance. Formulas: connector.messages.limits.
    methods: dict[Method, Annotated[float, Field(gt=0, le=10)]] = Field({"needs": 1.0}, min_length=1)
    #: What a customer needs at his busiest, to the mean; for the method `needs`.
    peak: float = Field(1.5, gt=0, le=10)
    #: Digits kept when rounding down.
    significant_digits: Annotated[int, Field(ge=1, le=6)] = 2
    #: Share of the needs that an unrated customer is proposed.
    unrated_share: Share = 0.0
    #: A limit that is in force by itself rises only by at least this share, with new facts or a better grade.
    least_rise: Share = 0.1
    #: Share of an insured limit, and of a security's covered amount, that adds to the limit.
    insured_share: Share = 0.9
    security_share: Share = 1.0


class Approvals(Part):
    """Which proposals take effect by themselves, and what a second person has to agree to."""

    #: A first limit of at most this amount is in force without a person; null: every one of them waits.
    limit_above: Amount | None = None
    #: Decisions of people that a second person has to approve: `upgrade` (an override to a better grade), `downgrade`,
    #: `hold`, `release`, `limit` (one above limit_above).
    second_person: tuple[Literal["upgrade", "downgrade", "hold", "release", "limit"], ...] = (
        "upgrade",
        "release",
        "limit",
    )
    #: Who may approve; empty: anybody but who asked.
    approvers: tuple[str, ...] = ()
    #: An order beyond the room left by at most this share of the limit needs approval; beyond that it is blocked.
    over_share: Share = 0.1


class Overrides(Part):
    """The rules for what people decide: why, how far, and for how long."""

    reasons: tuple[str, ...] = (
        "new_information",
        "parent_support",
        "security_given",
        "dispute_settled",
        "payment_agreed",
        "data_correction",
        "legal_advice",
        "strategic_customer",
        "confirmed",
    )
    #: Notches that an override lifts a rating at most; downwards any.
    most_notches: Annotated[int, Field(ge=0, le=9)] = 2
    #: Longest time that an override, a release or a temporary limit runs; a hold may have no end.
    longest_days: Annotated[int, Field(ge=1, le=3650)] = 180


class Checks(Part):
    """The brake: a run that would change more than this waits for a person."""

    #: Share of ratings that may differ from the last ones, and how many always may.
    changed_share: Share = 0.2
    changed_least: Annotated[int, Field(ge=1)] = 20
    #: Share of customers that may fall to C or D, and how many always may.
    fallen_share: Share = 0.02
    fallen_least: Annotated[int, Field(ge=1)] = 5
    #: The same within an hour of events, whose ratings wait then while better ones pass.
    events_share: Share = 0.02
    events_least: Annotated[int, Field(ge=1)] = 20
    #: Share of a source's rows in a table that may be rejected, of those that may be gone since the last run, and of
    #: its records that a full read may not show. Above it the customers concerned are not written; so many always may.
    rejected_share: Share = 0.05
    gone_share: Share = 0.5
    lost_share: Share = 0.01
    missing_least: Annotated[int, Field(ge=1)] = 3


class Measure(Part):
    """Something that a person does about a flag."""

    en: str
    zh: str
    days: Days = 7


class Flag(Part):
    """When a warning flag is raised, how grave it is, and the hold it brings."""

    when: Condition
    #: Once up it stays so until this holds; null: until `when` no longer does.
    until: Condition | None = None
    #: Once up it stays so for this many days at least.
    stays_days: Days = 0
    #: What is recommended; null: what the table of flags says.
    measure: str | None = None
    severity: Severity = "warning"
    hold: Hold = "none"
    en: str
    zh: str


class Review(Part):
    """When a customer is looked at again: the grade's days, but sooner with a flag of that severity."""

    critical_days: Days = 7
    warning_days: Days = 30
    #: A picture older than so many days is stale: no limit rises, and an order needs a person.
    stale_days: Days = 7


class Segment(Part):
    """Customers who are judged otherwise: whom it is about, and what of the policy is different for them."""

    #: Attribute of the account → values, any of them; all attributes must fit. Case does not matter.
    match: dict[Literal["segment", "industry", "country", "currency", "natural_person"], tuple[str | bool, ...]] = (
        Field(min_length=1)
    )
    pillars: dict[str, dict[str, Any]] = Field(default_factory=dict)
    indicators: dict[str, dict[str, Any]] = Field(default_factory=dict)
    gates: dict[str, dict[str, Any]] = Field(default_factory=dict)
    flags: dict[FlagCode, dict[str, Any]] = Field(default_factory=dict)
    scale: dict[Grade, dict[str, Any]] = Field(default_factory=dict)
    limits: dict[str, Any] = Field(default_factory=dict)


class Policy(Part):
    """A policy as the file says it."""

    _segment: str | None = PrivateAttr(default=None)

    format: Literal[1] = Field(alias="version")
    #: The shipped edition that it is, or was made from: POLICY/NUMBER.
    edition: str | None = Field(None, pattern=r"^[a-z][a-z0-9-]*/[1-9][0-9]*$")
    base_currency: str = Field(pattern="^[A-Z]{3}$")
    calendar: Calendar = Calendar()
    default: Default = Default()
    materiality: Materiality = Materiality()
    terms: Terms = Terms()
    exposure: Exposure = Exposure()
    scale: dict[Grade, Step]
    segments: dict[str, Segment] = Field(default_factory=dict)
    pillars: dict[str, Pillar] = Field(default_factory=dict)
    indicators: dict[str, Indicator] = Field(min_length=1)
    gates: dict[str, Gate] = Field(default_factory=dict)
    stability: Stability = Stability()
    limits: Limits = Limits()
    approvals: Approvals = Approvals()
    overrides: Overrides = Overrides()
    checks: Checks = Checks()
    flags: dict[FlagCode, Flag] = Field(default_factory=dict)
    measures: dict[str, Measure] = Field(default_factory=dict)
    review: Review = Review()

    @model_validator(mode="after")
    def _sound(self) -> Policy:
        floors = [step.floor for step in self.scale.values()]
        if list(self.scale) != [grade for grade in RATINGS if grade in self.scale]:
            raise ValueError("the grades of `scale` stand in the order AAA … D")
        if any(b >= a for a, b in itertools.pairwise(floors)) or floors[-1] != 0 or "D" in self.scale:
            raise ValueError("`from` falls strictly from grade to grade, down to 0; D is set by gates, not by points")
        for name, indicator in self.indicators.items():
            _check_known("pillar", indicator.pillar, self.pillars, f"indicators.{name}.pillar")
            _check_known("feature", indicator.feature, FEATURES, f"indicators.{name}.feature")
            if indicator.feature in AFTERWARDS:
                raise ValueError(f"indicators.{name}: {indicator.feature} is known only once there is a rating")
        for code, flag in self.flags.items():
            _check_known("flag", code, dict.fromkeys(FLAGS), "flags")
            if flag.measure is not None:
                _check_known("measure", flag.measure, {**MEASURES, **self.measures}, f"flags.{code}.measure")
        self._check_conditions()
        _ = self.of_segments
        return self

    def _check_conditions(self) -> None:
        for name, gate in self.gates.items():
            for feature in gate.when.features():
                _check_known("feature", feature, FEATURES.keys() - AFTERWARDS, f"gates.{name}.when")
        for code, flag in self.flags.items():
            for condition in (flag.when, flag.until):
                for feature in condition.features() if condition else ():
                    _check_known("feature", feature, FEATURES, f"flags.{code}.when")
        for where, said, key in self._sentences():
            try:
                filled(getattr(said, key), said.when.figures(), key)
            except ValueError as error:
                raise ValueError(f"{where}.{key}: {error}") from None

    def _sentences(self) -> Iterator[tuple[str, Gate | Flag, Language]]:
        """Where each sentence stands, what it is about, and its language."""
        for where, items in (("gates", self.gates), ("flags", self.flags)):
            for name, item in items.items():
                yield f"{where}.{name}", item, "en"
                yield f"{where}.{name}", item, "zh"

    @cached_property
    def asked(self) -> frozenset[str]:
        """Features that indicators, gates and flags look at, those of segments among them."""
        rules = (self, *self.of_segments.values())
        conditions = [gate.when for each in rules for gate in each.gates.values()]
        conditions += [
            part for each in rules for flag in each.flags.values() for part in (flag.when, flag.until) if part
        ]
        named = {name for condition in conditions for name in condition.features()}
        return frozenset(named | {item.feature for each in rules for item in each.indicators.values()})

    def own_figures(self) -> list[tuple[str, str]]:
        """(sentence, figure): figures that stand in a sentence and not in its condition, which may say another one."""
        return [
            (f"{where}.{key}", figure)
            for where, said, key in self._sentences()
            for figure in own_figures(getattr(said, key), said.when.features())
        ]

    @cached_property
    def of_segments(self) -> dict[str, Policy]:
        """The policy of each segment, with its differences merged in; ValueError names what is off."""
        result = {}
        whole = self.model_dump(by_alias=True)
        for name, segment in self.segments.items():
            changes = segment.model_dump(exclude={"match"}, exclude_defaults=True)
            try:
                result[name] = Policy.model_validate({**_merged(whole, changes), "segments": {}})
                result[name]._segment = name
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                raise ValueError(f"segments.{name}.{where}: {first['msg']}") from None
        return result

    @property
    def tendency(self) -> Tendency:
        """The constants of the tendency to pay late."""
        tendencies = [item.parameters for item in self.indicators.values() if item.parameters]
        return tendencies[0] if tendencies else Tendency()

    @cached_property
    def version(self) -> str:
        """What results hang on: twelve hex digits of a hash over what the file says, a point, the engine's number.

        Keys that the file leaves out do not count, so that a key which is new in a release re-rates nobody; neither do
        texts, or the edition's name. What an engine makes of the same file is told apart by its number.
        """
        document = self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"edition"})
        text = json.dumps(_untold(document), sort_keys=True, ensure_ascii=False)
        return f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.{ENGINE}"

    def same_as(self, other: Policy) -> bool:
        """Whether both say the same, defaults included; texts and the edition's name left out."""
        one, two = (_untold(each.model_dump(by_alias=True, exclude={"edition"})) for each in (self, other))
        return bool(one == two)

    @cached_property
    def content(self) -> str:
        """A hash over everything, defaults and texts included: what is made of a policy is kept under it."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()

    @property
    def segment(self) -> str | None:
        """Whose policy it is, out of `of_segments`; null: everybody's."""
        return self._segment

    @cached_property
    def sentences(self) -> Sentences:
        """What gates and flags say, those of segments among them."""
        every = (*self.of_segments.values(), self)
        return Sentences(
            {(rules.segment, name): _told(gate) for rules in every for name, gate in rules.gates.items()},
            {(rules.segment, code): _told(flag) for rules in every for code, flag in rules.flags.items()},
        )

    def measure_of(self, code: str) -> str:
        """The measure that is recommended about a flag: the policy's, else that of the table of flags."""
        flag = self.flags.get(code)
        return (flag.measure if flag else None) or FLAG_WORDS[code].measure

    def measure(self, code: str) -> Measure | MeasureWords | None:
        """A measure's words and days: the policy's, else those of the table; None: it is words of somebody's own."""
        return self.measures.get(code) or MEASURES.get(code)

    def in_currency(self, base: str) -> Policy:
        """The same policy with its amounts in another base currency."""
        document = self.model_dump(by_alias=True, exclude_unset=True)
        return Policy.model_validate({**document, "base_currency": base})

    def minor(self, amount: Decimal, base: str | None = None) -> int:
        """Minor units of an amount of the policy, in the base currency."""
        return money.to_minor(amount, base or self.base_currency)


def load_stored(body: str, version: str) -> Policy:
    """A policy that was stored with its results, whose version is still that of its file, with today's engine.

    A body says every key, so that the version of the policy that is read back would be another one.
    """
    policy = Policy.model_validate_json(body)
    policy.__dict__["version"] = f"{version.partition('.')[0]}.{ENGINE}"
    return policy


def engine_of(version: str) -> int:
    """The number of the engine in a policy's version; 0.1.0 wrote none, and was the first."""
    return int(version.partition(".")[2] or 1)


def _untold(said: Any) -> Any:
    """Without the texts."""
    if isinstance(said, dict):
        return {key: _untold(value) for key, value in said.items() if key not in ("en", "zh")}
    return said


def _told(said: Gate | Flag) -> tuple[str, str]:
    """Its sentence in English and Chinese, with the numbers of its condition."""
    figures = tuple(said.when.figures())
    return filled(said.en, figures, "en"), filled(said.zh, figures, "zh")


def _merged(whole: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The mapping with the changes put in, level by level."""
    result = dict(whole)
    for key, value in changes.items():
        deeper = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if deeper else value
    return result


def _check_known(kind: str, name: str, known: Collection[str], where: str) -> None:
    if name not in known:
        raise ValueError(f"{where}: no {kind} of the name {name!r}{suggestion(name, list(known))}")


def load(text: str, name: str) -> Policy:
    """The policy of a YAML text; raises Misconfigured with file, line, and a suggestion."""
    return parse(text, name, Policy, "E-POLICY")
