"""A policy's conditions, compiled once: what of them holds for which row of features."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from connector.messages.features import FEATURES
from connector.policy import Condition, Policy
from connector.scoring.frame.columns import Bool, Float, Values

#: Rows of features → where the condition holds.
Matches = Callable[[Values], Bool]

_COMPARES: dict[str, Callable[[Float, float], Bool]] = {
    "eq": np.equal,
    # What is not known is not another value either.
    "ne": lambda value, right: (value != right) & ~np.isnan(value),
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def matches(condition: Condition, policy: Policy, base: str) -> Matches:
    """True where the condition holds; an unknown feature never fires it, except by `missing`.

    Amounts of the policy are major units of `base`.
    """
    if condition.every is not None:
        every = [matches(part, policy, base) for part in condition.every]
        return lambda values: np.logical_and.reduce([part(values) for part in every])
    if condition.some is not None:
        batch = [matches(part, policy, base) for part in condition.some]
        return lambda values: np.logical_or.reduce([part(values) for part in batch])
    if condition.negated is not None:
        negated = matches(condition.negated, policy, base)
        return lambda values: ~negated(values)
    name = str(condition.feature)
    unit = policy.minor(Decimal(1), base) if FEATURES[name].unit == "money" else 1
    tests = [_test(operator, right, unit) for operator, right in condition.comparisons().items()]
    return lambda values: np.logical_and.reduce([test(values[name]) for test in tests])


def _test(operator: str, right: Any, unit: int) -> Callable[[Float], Bool]:
    if operator == "missing":
        return lambda value: np.isnan(value) == bool(right)
    if operator == "among":
        among = [float(item) * unit for item in right]
        return lambda value: np.isin(value, among)
    compares, bound = _COMPARES[operator], float(str(right)) * unit
    return lambda value: compares(value, bound)
