"""Codes and figures of an assessment as sentences, in English or Chinese: the one place where such text is made.

An assessment keeps codes; what a gate or a flag says comes from the policy, as `Sentences`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from connector import money
from connector.messages.features import FEATURES, PILLARS
from connector.messages.flags import FLAGS

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
#: Kind of a decision → its words; `{}`: the value.
DECISIONS = {
    "override": ("rating set to {}", "等级设为{}"),
    "hold": ("held: {}", "人工管控：{}"),
    "release": ("released", "放行"),
    "blacklist": ("blacklisted", "列入黑名单"),
    "cash_only": ("cash only", "仅限现款"),
    "legal": ("in legal collection", "诉讼催收中"),
    "confirmation": ("lower grade confirmed: {}", "已确认降级：{}"),
}
#: A grade that has yet to hold, or that a person has yet to confirm.
PENDING = {"en": "pending since {1}: {0}", "zh": "待生效（自{1}）：{0}"}
#: What stands in an indicator's line behind its name, without data, before what it lost, and at the end.
_AROUND = {"en": (": ", "no data", " (−", " points)"), "zh": ("：", "无数据", "（扣", "分）")}


@dataclass(frozen=True, slots=True)
class Sentences:
    """What a policy says of its gates and flags: segment (null: everybody's) and name → English, Chinese."""

    gates: Mapping[tuple[str | None, str], tuple[str, str]] = field(default_factory=dict)
    flags: Mapping[tuple[str | None, str], tuple[str, str]] = field(default_factory=dict)

    def beside(self, earlier: Sentences) -> Sentences:
        """These, and those of an earlier policy for what this one no longer has."""
        return Sentences({**earlier.gates, **self.gates}, {**earlier.flags, **self.flags})


def wording(sentences: Sentences, language: str) -> str:
    """A hash of all that sentences are made of: another one, and what was written before reads otherwise now."""
    names = {name: (item.en, item.zh, item.unit) for name, item in FEATURES.items()}
    rules = [
        sorted((segment or "", name, *text) for (segment, name), text in each.items())
        for each in (sentences.gates, sentences.flags)
    ]
    everything = json.dumps([language, names, PILLARS, DECISIONS, _AROUND, PENDING, rules], ensure_ascii=False)
    return hashlib.sha256(everything.encode()).hexdigest()[:16]


def language_of(language: str) -> Language:
    """The key of a reader's language."""
    return "zh" if language == "zh-CN" else "en"


def reason_text(line: Mapping[str, Any], sentences: Sentences, currency: str, language: Language) -> str:
    """One line of `REASON` as a sentence; the words that an earlier release kept, where it kept no more."""
    name = line["indicator"]
    if line[f"words_{language}"] is not None:
        return str(line[f"words_{language}"])
    if line["feature"] is not None:
        return _indicator(line, currency, language)
    if name.startswith("decided_"):
        return _decision(line, language)
    en = language == "en"
    if name.startswith("absent_"):
        pillar = name.removeprefix("absent_")
        return (
            f"at most {line['grade']}: no data on {pillar}"
            if en
            else f"最高 {line['grade']}：缺少{PILLARS.get(pillar, pillar)}数据"
        )
    text = _of(sentences.gates, line["segment"], name) or (name, name)
    # D and NR are set, every other grade is a bound.
    grade = line["grade"] if line["grade"] in ("D", "NR") else f"{'at most' if en else '最高'} {line['grade']}"
    return f"{grade}: {text[0]}" if en else f"{grade}：{text[1]}"


def _of(
    texts: Mapping[tuple[str | None, str], tuple[str, str]], segment: str | None, name: str
) -> tuple[str, str] | None:
    """The segment's own sentence, else everybody's, which a segment of today may no longer have."""
    return texts.get((segment, name)) or texts.get((None, name))


def _indicator(line: Mapping[str, Any], currency: str, language: Language) -> str:
    colon, nothing, less, end = _AROUND[language]
    feature = line["feature"]
    value = nothing if line["value"] is None else value_text(line["value"], feature, currency, language)
    return f"{getattr(FEATURES[feature], language)}{colon}{value}{less}{_tenths(line['lost'])}{end}"


def _decision(line: Mapping[str, Any], language: Language) -> str:
    kind = line["indicator"].removeprefix("decided_")
    number = 0 if language == "en" else 1
    text = DECISIONS[kind][number].format(line["decided"] or "") if kind in DECISIONS else kind
    until, why = ((" until {}", " ({})"), ("，至{}", "（{}）"))[number]
    if line["until"] is not None:
        text += until.format(_day(line["until"]))
    if line["why"] is not None:
        text += why.format(line["why"].replace("_", " "))
    return ("decided by a person: ", "人工决定：")[number] + text


def flag_text(flag: Mapping[str, Any], sentences: Sentences, language: Language) -> str:
    """What a flag says; one that no policy knows any more is told by its name."""
    code = flag["code"]
    if text := _of(sentences.flags, flag["segment"], code):
        return text[0 if language == "en" else 1]
    return str(getattr(FLAGS[code], language)) if code in FLAGS else code


def evidence_text(flag: Mapping[str, Any], currency: str, language: Language) -> str:
    """The figures that raised a flag; the words that an earlier release kept, where it kept no figures."""
    if flag[f"words_{language}"] is not None:
        return str(flag[f"words_{language}"])
    figures = ((item["feature"], item["value"]) for item in flag["evidence"] or () if item["value"] is not None)
    return "; ".join(
        f"{getattr(FEATURES[name], language)}: {value_text(value, name, currency, language)}" for name, value in figures
    )


def in_words(row: Mapping[str, Any], sentences: Sentences) -> dict[str, Any]:
    """An assessment for a reader of either language, its flags and reasons with their sentences."""
    currency = row["currency"]
    return {
        **row,
        "reasons": reasons_in_words(row["reasons"] or (), sentences, currency),
        "flags": flags_in_words(row["flags"] or (), sentences, currency),
    }


def reasons_in_words(lines: Iterable[Mapping[str, Any]], sentences: Sentences, currency: str) -> list[dict[str, Any]]:
    """Lines of `REASON` as indicator, value, points, lost, en and zh."""
    return [
        {
            **{name: line[name] for name in ("indicator", "value", "points", "lost")},
            **{key: reason_text(line, sentences, currency, key) for key in LANGUAGES},
        }
        for line in lines
    ]


def flags_in_words(flags: Iterable[Mapping[str, Any]], sentences: Sentences, currency: str) -> list[dict[str, Any]]:
    """Flags as code, severity, en, zh, since, measure, evidence_en and evidence_zh."""
    return [
        {
            "code": flag["code"],
            "severity": flag["severity"],
            **{key: flag_text(flag, sentences, key) for key in LANGUAGES},
            "since": flag["since"],
            "measure": flag["measure"],
            **{f"evidence_{key}": evidence_text(flag, currency, key) for key in LANGUAGES},
        }
        for flag in flags
    ]


def value_text(value: float, feature: str, currency: str, language: Language) -> str:
    """A feature's value as a person reads it, with its unit."""
    match FEATURES[feature].unit:
        case "days":
            return f"{round(value)} {'days' if language == 'en' else '天'}"
        case "share":
            return f"{round(value * 100)} %"
        case "log_odds":
            return f"{round(100 / (1 + math.exp(-value)))} %"
        case "money":
            return f"{money.from_minor(round(value), currency):f} {currency}"
        case _:
            return str(round(value)) if FEATURES[feature].is_whole else _tenths(value)


def _tenths(value: float) -> str:
    return repr(float(np.rint(value * 10)) / 10)


def _day(day: int) -> str:
    from connector.schema import day_of

    return day_of(day).isoformat()


def texts(lines: Sequence[Mapping[str, Any]], sentences: Sentences, currency: str, language: str) -> list[str]:
    """Lines of `REASON` as sentences."""
    return [reason_text(line, sentences, currency, language_of(language)) for line in lines]
