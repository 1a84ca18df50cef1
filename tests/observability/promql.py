"""Whether a PromQL expression asks only for what the hive emits: metrics, labels, and values of labels that are a closed list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import promql_parser as promql

from neural_hive.contracts import SpecialistName
from neural_hive.errors import HiveError
from neural_hive.gateway.app import document_for
from neural_hive.observability.metric_table import OTHER, PROCESS, TABLE, Kind, Row
from neural_hive.settings import Settings

#: What a scrape adds to every series; `service` is in deploy/observability/prometheus/prometheus.yaml.
TARGET = frozenset({"job", "service", "instance"})
#: Values that a label can have; None where the installation decides.
Values = frozenset[str] | None


@dataclass(frozen=True)
class Vocabulary:
    """Metric → label → values."""

    metrics: Mapping[str, Mapping[str, Values]]

    def check(self, expression: str) -> list[str]:
        """What is wrong with an expression; empty if nothing is."""
        found: list[str] = []
        _labels(promql.parse(expression), self, found)
        return found

    def labels(self, expression: str) -> frozenset[str]:
        """The labels that its result has."""
        return _labels(promql.parse(expression), self, [])

    def with_rule(self, name: str, expression: str) -> Vocabulary:
        """Also knows what a recording rule makes."""
        return Vocabulary({**self.metrics, name: dict.fromkeys(self.labels(expression))})


def emitted() -> Vocabulary:
    """What the code's table says, and what Prometheus adds."""
    target: dict[str, Values] = dict.fromkeys(TARGET)
    found: dict[str, dict[str, Values]] = {"up": dict(target)}
    for row in TABLE:
        labels = {label.name: _known_values(label.name, label.values) for label in row.labels} | target
        for suffix, more in _series(row):
            found[f"hive_{row.name}{suffix}"] = labels | more
    return Vocabulary(found | {name: dict(target) for name, _, _ in PROCESS})


def _series(row: Row) -> Iterator[tuple[str, dict[str, Values]]]:
    if row.kind is not Kind.HISTOGRAM:
        yield "", {}
        return
    bounds = frozenset(f"{b:g}" if b != int(b) else f"{b:.1f}" for b in row.buckets) | {"+Inf"}
    yield from (("_bucket", {"le": bounds}), ("_sum", {}), ("_count", {}))


def _known_values(name: str, listed: tuple[str, ...]) -> Values:
    if name == "route":
        return frozenset(document_for(Settings.model_construct())["paths"]) | {"/api/v1/opinions", "unmatched", OTHER}
    if name == "code":
        return frozenset(_codes(HiveError)) | {OTHER}
    if name == "specialist":
        return frozenset(SpecialistName)
    return frozenset(listed) | {OTHER} if listed else None


def _codes(error: type[HiveError]) -> Iterator[str]:
    yield error.code
    for below in error.__subclasses__():
        yield from _codes(below)


def _labels(expr: Any, known: Vocabulary, wrong: list[str]) -> frozenset[str]:
    """Labels of an expression's result; complaints about it go to `wrong`."""
    match expr:
        case promql.VectorSelector():
            return _of_selector(expr, known, wrong)
        case promql.MatrixSelector():
            return _of_selector(expr.vector_selector, known, wrong)
        case promql.AggregateExpr():
            return _of_aggregate(expr, _labels(expr.expr, known, wrong), wrong)
        case promql.Call():
            return _of_call(expr, known, wrong)
        case promql.BinaryExpr():
            return _of_binary(expr, _labels(expr.lhs, known, wrong), _labels(expr.rhs, known, wrong), wrong)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return _labels(expr.expr, known, wrong)
        case promql.NumberLiteral() | promql.StringLiteral():
            return frozenset()
    raise TypeError(type(expr).__name__)


def _of_selector(selector: Any, known: Vocabulary, wrong: list[str]) -> frozenset[str]:
    labels = known.metrics.get(selector.name)
    if labels is None:
        wrong.append(f"nothing emits {selector.name}")
        return frozenset()
    for matcher in selector.matchers.matchers:
        if matcher.name not in labels:
            wrong.append(f"{selector.name} has no label {matcher.name}")
        elif (values := labels[matcher.name]) is not None:
            wrong += [f"{matcher.name} of {selector.name} is never {value}" for value in _never(matcher, values)]
    return frozenset(labels)


def _never(matcher: Any, values: frozenset[str]) -> Iterator[str]:
    """Values, or alternatives of a pattern, that match nothing."""
    is_pattern = matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe)
    for wanted in _alternatives(matcher.value) if is_pattern else (matcher.value,):
        if not any(re.fullmatch(wanted, value) if is_pattern else wanted == value for value in values):
            yield wanted


def _alternatives(pattern: str) -> list[str]:
    return pattern.split("|") if "(" not in pattern else [pattern]


def _of_aggregate(expr: Any, inner: frozenset[str], wrong: list[str]) -> frozenset[str]:
    modifier = expr.modifier
    if modifier is None:
        return frozenset()
    named = frozenset(modifier.labels)
    wrong += [f"{expr.op}: no label {name} to group by" for name in sorted(named - inner)]
    return named & inner if modifier.type == promql.AggModifierType.By else inner - named


def _of_call(expr: Any, known: Vocabulary, wrong: list[str]) -> frozenset[str]:
    inner: frozenset[str] = frozenset().union(*(_labels(argument, known, wrong) for argument in expr.args))
    if expr.func.name != "histogram_quantile":
        return inner
    if "le" not in inner:
        wrong.append("histogram_quantile: the label le is gone")
    return inner - {"le"}


def _of_binary(expr: Any, left: frozenset[str], right: frozenset[str], wrong: list[str]) -> frozenset[str]:
    """Both sides must have the labels that they are matched on; the left side's labels stay."""
    matching = expr.modifier.matching if expr.modifier else None
    is_scalar = any(isinstance(_bare(side), promql.NumberLiteral) for side in (expr.lhs, expr.rhs))
    if is_scalar:
        return left | right
    if matching is not None:
        return left
    if left != right and str(expr.op) != "or":
        wrong.append(f"{expr.op}: {sorted(left)} and {sorted(right)} never match")
    return left | right


def _bare(expr: Any) -> Any:
    while isinstance(expr, promql.ParenExpr | promql.UnaryExpr):
        expr = expr.expr
    return expr


@dataclass(frozen=True)
class Query:
    """An expression and where it stands. legend: text with {{label}} or $labels.label in it."""

    where: str
    expression: str
    legend: str = ""
    labels: frozenset[str] = field(default_factory=frozenset)

    @property
    def told(self) -> list[str]:
        """Labels that the legend names."""
        return re.findall(r"\{\{ ?(?:\$labels\.)?([a-z_]+)(?: [^}]*)?\}\}", self.legend)
