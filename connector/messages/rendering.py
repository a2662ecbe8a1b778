"""Codes and figures of an assessment as sentences, in English or Chinese: the one place where such text is made.

An assessment keeps codes; what a gate or a flag says comes from the policy, as `Sentences`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from connector import money
from connector.messages.features import FEATURES, PILLARS
from connector.messages.figures import Language
from connector.messages.flags import FLAGS
from connector.schema import day_of

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
#: What sentences are put together of, by language. `pending`: a grade that has yet to hold, or to be confirmed.
TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "indicator": "{name}: {value} (−{lost} points)",
        "nothing": "no data",
        "at most": "at most {grade}",
        "gate": "{grade}: {text}",
        "absent": "no data on {pillar}",
        "decided": "decided by a person: {text}",
        "until": " until {day}",
        "why": " ({reason})",
        "linked": "one customer together with {accounts}",
        "pending": "pending since {day}: {grade}",
        "days": "{number} days",
    },
    "zh": {
        "indicator": "{name}：{value}（扣{lost}分）",
        "nothing": "无数据",
        "at most": "最高 {grade}",
        "gate": "{grade}：{text}",
        "absent": "缺少{pillar}数据",
        "decided": "人工决定：{text}",
        "until": "，至{day}",
        "why": "（{reason}）",
        "linked": "与 {accounts} 合为一个客户",
        "pending": "待生效（自{day}）：{grade}",
        "days": "{number} 天",
    },
}


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
    everything = json.dumps([language, names, PILLARS, DECISIONS, TEXTS, rules], ensure_ascii=False)
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
    said, grade = TEXTS[language], line["grade"]
    if name == "linked":
        return said["linked"].format(accounts=line["why"])
    if name.startswith("absent_"):
        pillar = name.removeprefix("absent_")
        text = said["absent"].format(pillar=pillar if language == "en" else PILLARS.get(pillar, pillar))
    else:
        text = (_of(sentences.gates, line["segment"], name) or (name, name))[LANGUAGES.index(language)]
    # D and NR are set, every other grade is a bound.
    bound = grade if grade in ("D", "NR") else said["at most"].format(grade=grade)
    return said["gate"].format(grade=bound, text=text)


def _of(
    texts: Mapping[tuple[str | None, str], tuple[str, str]], segment: str | None, name: str
) -> tuple[str, str] | None:
    """The segment's own sentence, else everybody's, which a segment of today may no longer have."""
    return texts.get((segment, name)) or texts.get((None, name))


def _indicator(line: Mapping[str, Any], currency: str, language: Language) -> str:
    said, feature, value = TEXTS[language], line["feature"], line["value"]
    return said["indicator"].format(
        name=getattr(FEATURES[feature], language),
        value=said["nothing"] if value is None else value_text(value, feature, currency, language),
        lost=_tenths(line["lost"]),
    )


def _decision(line: Mapping[str, Any], language: Language) -> str:
    said, kind = TEXTS[language], line["indicator"].removeprefix("decided_")
    text = kind
    if kind in DECISIONS:
        text = DECISIONS[kind][LANGUAGES.index(language)].format(line["decided"] or "")
    if line["until"] is not None:
        text += said["until"].format(day=day_of(line["until"]).isoformat())
    if line["why"] is not None:
        text += said["why"].format(reason=line["why"].replace("_", " "))
    return said["decided"].format(text=text)


def flag_text(flag: Mapping[str, Any], sentences: Sentences, language: Language) -> str:
    """What a flag says; one that no policy knows any more is told by its name."""
    code = flag["code"]
    if text := _of(sentences.flags, flag["segment"], code):
        return text[LANGUAGES.index(language)]
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
            return TEXTS[language]["days"].format(number=round(value))
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


def texts(lines: Sequence[Mapping[str, Any]], sentences: Sentences, currency: str, language: str) -> list[str]:
    """Lines of `REASON` as sentences."""
    return [reason_text(line, sentences, currency, language_of(language)) for line in lines]
