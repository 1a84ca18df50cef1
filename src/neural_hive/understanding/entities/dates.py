"""Dates and deadlines, absolute and relative, resolved to ISO 8601 in UTC against the moment the text was received."""

from __future__ import annotations

import calendar
import re
from bisect import bisect
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from neural_hive.understanding.entities.amounts import NUMBER_WORDS, Amount, number_of
from neural_hive.understanding.entities.date_patterns import (
    AGO,
    AHEAD,
    AHEAD_WORDS,
    CLOCK,
    CLOCK_WORDS,
    DAY_MONTH,
    DAY_WORD,
    DAY_WORDS,
    DAYS,
    EOD,
    EOD_WORDS,
    HAS_NUMERIC,
    ISO,
    JOIN,
    MONTH_DAY,
    MONTH_ONLY,
    MONTHS,
    NAMED_TIME,
    NEXT_DAY,
    NOON_WORDS,
    NUMERIC,
    ON_DAY,
    PERIOD,
    PERIOD_UNITS,
    PERIOD_WORDS,
    QUARTER,
    QUARTER_WORDS,
    QUARTERS,
    WEEKDAY_WORDS,
    WEEKDAYS,
)


class _Day(NamedTuple):
    """A resolved day (and perhaps a time) in `text[start:end]`."""

    start: int
    end: int
    day: date | None
    clock: time | None
    moment: datetime | None = None
    confidence: float = 0.9


def dates(plain: str, words: AbstractSet[str], language: str, received_at: datetime) -> Iterator[Amount]:
    """Dates in `plain` (folded text, same offsets, made of `words`); a time without a day is the next such time."""
    found = _without_overlaps([*_absolute(plain, words, language, received_at), *_relative(plain, words, language, received_at)])
    taken = _coverage(found)
    clocks = [clock for clock in _clocks(plain, words) if not any(taken[clock.start : clock.end])]
    for item in _joined(plain, found, clocks):
        yield Amount("date", _iso(item, received_at), item.start, item.end, item.confidence)


def _coverage(days: list[_Day]) -> bytearray:
    """1 for each character of a day."""
    taken = bytearray(max((day.end for day in days), default=0))
    for day in days:
        taken[day.start : day.end] = b"\x01" * (day.end - day.start)
    return taken


def _without_overlaps(days: list[_Day]) -> list[_Day]:
    """The longest days that do not overlap, in order."""
    taken = bytearray(max((day.end for day in days), default=0))
    kept: list[_Day] = []
    for day in sorted(days, key=lambda item: (item.start - item.end, item.start)):
        if not any(taken[day.start : day.end]):
            taken[day.start : day.end] = b"\x01" * (day.end - day.start)
            kept.append(day)
    return sorted(kept, key=lambda item: item.start)


def _joined(plain: str, days: list[_Day], clocks: list[_Day]) -> list[_Day]:
    """Each clock time joined with the day beside it; those without stay alone."""
    rest, alone = list(days), []
    for clock in clocks:
        at = bisect(rest, clock.start, key=lambda item: item.start)
        for index in (at - 1, at):
            day = rest[index] if 0 <= index < len(rest) else None
            if day and day.day and day.clock is None and (_is_beside(plain, day, clock) or _is_beside(plain, clock, day)):
                rest[index] = day._replace(start=min(day.start, clock.start), end=max(day.end, clock.end), clock=clock.clock)
                break
        else:
            alone.append(clock)
    return sorted([*rest, *alone], key=lambda item: item.start)


def _is_beside(plain: str, first: _Day, second: _Day) -> bool:
    return 0 <= second.start - first.end <= 8 and bool(JOIN.fullmatch(plain, first.end, second.start))


def _iso(item: _Day, received_at: datetime) -> str:
    if item.moment:
        return item.moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if item.clock is None and item.day:
        return item.day.isoformat()
    clock = item.clock or time()
    day = item.day or received_at.date()
    moment = datetime.combine(day, clock, received_at.tzinfo)
    if item.day is None and moment < received_at:
        moment += timedelta(days=1)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clocks(plain: str, words: AbstractSet[str]) -> Iterator[_Day]:
    has_clock = ":" in plain or not words.isdisjoint(CLOCK_WORDS)
    for match in CLOCK.finditer(plain) if has_clock else ():
        hour, minute = int(match["hour"]), int(match["minute"] or 0)
        meridiem = (match["meridiem"] or match["meridiem2"] or "")[:1]
        has_cue = bool(meridiem or match["sep"] == ":" or plain[match.start()].isalpha())
        if not has_cue or hour > 23 or (match["sep"] == ":" and not match["minute"]):
            continue
        hour = hour % 12 + (12 if meridiem == "p" else 0) if meridiem else hour
        yield _Day(match.start(), match.end(), None, time(hour, minute), None, 0.85)
    for match in NAMED_TIME.finditer(plain) if not words.isdisjoint(NOON_WORDS) else ():
        yield _Day(match.start(), match.end(), None, time(12) if match["noon"] else time(0), None, 0.85)


def _safe(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _next(month: int, day: int, today: date) -> date | None:
    """The next such day, today included."""
    this_year = _safe(today.year, month, day)
    return this_year if this_year and this_year >= today else _safe(today.year + 1, month, day) or this_year


def _absolute(plain: str, words: AbstractSet[str], language: str, received_at: datetime) -> Iterator[_Day]:
    today = received_at.date()
    if HAS_NUMERIC.search(plain):
        yield from _all_digits(plain, language, today)
    if words.isdisjoint(MONTHS):
        return
    for pattern in (DAY_MONTH, MONTH_DAY):
        for match in pattern.finditer(plain):
            month, number = MONTHS[match["month"]], int(match["day"])
            day = _safe(int(match["year"]), month, number) if match["year"] else _next(month, number, today)
            if day:
                yield _Day(match.start(), match.end(), day, None, None, 0.95)
    for match in MONTH_ONLY.finditer(plain):
        day = _month_start(MONTHS[match["month"]], int(match["year"]) if match["year"] else None, today)
        yield _Day(match.start("month"), match.end(), day, None, None, 0.7)


def _all_digits(plain: str, language: str, today: date) -> Iterator[_Day]:
    for match in ISO.finditer(plain):
        day = _safe(int(match["year"]), int(match["month"]), int(match["day"]))
        if day and match["hour"]:
            yield _Day(match.start(), match.end(), day, None, _moment(match, day), 0.98)
        elif day:
            yield _Day(match.start(), match.end(), day, None, None, 0.98)
    for match in NUMERIC.finditer(plain):
        day = _numeric(match, language, today)
        if day:
            yield _Day(match.start(), match.end(), day, None, None, 0.9)


def _moment(match: re.Match[str], day: date) -> datetime:
    """An ISO 8601 time of day; UTC where it names no zone. An hour past 23 counts as the last minute of the day."""
    zone = "+00:00" if match["zone"] in (None, "z") else match["zone"]
    if int(match["hour"]) > 23:
        return datetime.combine(day, time(23, 59), UTC)
    return datetime.fromisoformat(f"{day}T{match['hour']}:{match['minute']}:00{zone}")


def _month_start(month: int, year: int | None, today: date) -> date:
    return date(year if year else today.year + (month < today.month), month, 1)


def _numeric(match: re.Match[str], language: str, today: date) -> date | None:
    """dd/mm in pt and es; mm/dd in en unless the first number cannot be a month. Without a year only with a slash."""
    first, second = int(match["a"]), int(match["b"])
    if not match["year"] and match["sep"] != "/":
        return None
    month, day = (first, second) if language == "en" and first <= 12 else (second, first)
    if match["year"]:
        year = int(match["year"])
        return _safe(year if year > 99 else 2000 + year, month, day)
    return _next(month, day, today) if 1 <= month <= 12 else None


def _relative(plain: str, words: AbstractSet[str], language: str, received_at: datetime) -> Iterator[_Day]:
    """Days and moments counted from when the text was received; each pattern runs only if one of its words is there."""
    today = received_at.date()
    for match in DAY_WORD.finditer(plain) if not words.isdisjoint(DAY_WORDS) else ():
        yield _Day(match.start(), match.end(), today + timedelta(days=DAYS.get(match.group(), 1)), None, None, 0.95)
    for match in AHEAD.finditer(plain) if not words.isdisjoint(AHEAD_WORDS) else ():
        yield _shifted(match, language, received_at, 1)
    for match in AGO.finditer(plain) if "ago" in words or "atras" in words else ():
        yield _shifted(match, language, received_at, -1)
    if not words.isdisjoint(WEEKDAY_WORDS):
        yield from _weekdays(plain, today)
    for match in ON_DAY.finditer(plain) if "dia" in words else ():
        day_of_month = _next_day_of_month(int(match["day"]), today)
        if day_of_month:
            yield _Day(match.start(), match.end(), day_of_month, None, None, 0.8)
    for match in QUARTER.finditer(plain) if not words.isdisjoint(QUARTER_WORDS) else ():
        yield _Day(match.start(), match.end(), _quarter_end(match, today), None, None, 0.7)
    for match in EOD.finditer(plain) if not words.isdisjoint(EOD_WORDS) else ():
        unit = {"d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year"}[match.group()[2]]
        yield _Day(match.start(), match.end(), _end_of(unit, today, False), None, None, 0.9)
    if not words.isdisjoint(PERIOD_UNITS) and not words.isdisjoint(PERIOD_WORDS):
        yield from _periods(plain, today)


def _weekdays(plain: str, today: date) -> Iterator[_Day]:
    """The next such weekday, never today."""
    for match in NEXT_DAY.finditer(plain):
        number = WEEKDAYS[(match["weekday"] or match["ordinal"]).replace(" ", "-")]
        has_cue = bool(match["weekday"] or match["next"] or match["coming"]) or plain[match.start()] in "naet"
        if has_cue:
            day = today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
            yield _Day(match.start(), match.end(), day, None, None, 0.9 if match["weekday"] else 0.7)


def _next_day_of_month(number: int, today: date) -> date | None:
    for months in range(3):
        month = (today.month - 1 + months) % 12 + 1
        day = _safe(today.year + (today.month - 1 + months) // 12, month, number)
        if day and day >= today:
            return day
    return None


def _quarter_end(match: re.Match[str], today: date) -> date:
    quarter = int(match["q"] or match["t"] or QUARTERS[match["name"]])
    end = _month_end(int(match["year"] or today.year), quarter * 3)
    return end if match["year"] or end >= today else _month_end(today.year + 1, quarter * 3)


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _shifted(match: re.Match[str], language: str, received_at: datetime, sign: int) -> _Day:
    """The moment (hours and minutes) or the day that lies so far from when the text was received."""
    number = int(number_of(match["number"], language)) if match["number"] not in NUMBER_WORDS else NUMBER_WORDS[match["number"]]
    number, unit = min(number, 10_000) * sign, match["unit"]
    today = received_at.date()
    if unit.startswith(("min", "h")):
        shift = timedelta(minutes=number) if unit.startswith("min") else timedelta(hours=number)
        return _Day(match.start(), match.end(), None, None, received_at + shift)
    if unit.startswith(("d", "s", "w")):
        return _Day(match.start(), match.end(), today + timedelta(days=number * (1 if unit[0] == "d" else 7)), None)
    months = number * (12 if unit.startswith(("a", "y")) else 1)
    return _Day(match.start(), match.end(), _months_later(today, months), None)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    year = min(max(year, 1), 9999)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _periods(plain: str, today: date) -> Iterator[_Day]:
    """The end of a period, or the beginning of the next one."""
    for match in PERIOD.finditer(plain):
        unit, lead = match["unit"], match["lead"] or ""
        is_next = bool(match["coming"]) or lead.startswith(("proxim", "next"))
        if unit in ("fim de semana", "fin de semana", "weekend") or match["end"]:
            yield _Day(match.start(), match.end(), _end_of(unit, today, is_next), None, None, 0.85)
        elif is_next:
            yield _Day(match.start(), match.end(), _start_of_next(unit, today), None, None, 0.8)
        elif lead in ("este", "esta", "neste", "nesta", "this") and unit not in ("dia", "day"):
            yield _Day(match.start(), match.end(), _end_of(unit, today, False), None, None, 0.7)


def _start_of_next(unit: str, today: date) -> date:
    if unit in ("semana", "week"):
        return today + timedelta(days=7 - today.weekday())
    if unit in ("dia", "day", "expediente"):
        return today + timedelta(days=1)
    return _end_of(unit, today, False) + timedelta(days=1)


def _end_of(unit: str, today: date, is_next: bool) -> date:
    if unit in ("dia", "day", "expediente"):
        return today + timedelta(days=int(is_next))
    if unit in ("semana", "week"):
        return today + timedelta(days=6 - today.weekday() + 7 * is_next)
    if unit in ("fim de semana", "fin de semana", "weekend"):
        return today + timedelta(days=(5 - today.weekday()) % 7 + 7 * is_next)
    months = {"mes": 1, "month": 1, "trimestre": 3, "quarter": 3, "semestre": 6, "ano": 12, "year": 12}[unit]
    last = today.year * 12 + ((today.month - 1) // months + 1) * months - 1 + months * is_next
    return _month_end(last // 12, last % 12 + 1)
