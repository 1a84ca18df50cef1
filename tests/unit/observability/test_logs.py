"""Lines that machines and people can read, and nobody's data in them."""

from __future__ import annotations

import io
import json
import logging
import threading
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pydantic
import pytest
import structlog

from neural_hive.contracts import Ask
from neural_hive.errors import StorageError
from neural_hive.observability.arrivals import ARRIVAL, Answered, Arrival, loggable_id
from neural_hive.observability.lines import Writer, human_line
from neural_hive.observability.logs import LogListener, configure_logs, log_listener
from neural_hive.observability.observer import Listeners
from neural_hive.observability.redaction import traceback_of

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CPF, EMAIL, NAME = "529.982.247-25", "joaquina@exemplo.com.br", "Joaquina Albuquerque"


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was logged."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def listener(stream: io.StringIO, level: str = "info") -> Listeners:
    """What the pipeline would talk to."""
    configure_logs("json", level, stream)
    own = log_listener()
    assert own is not None
    return Listeners(own)


def test_a_decision_is_one_line_with_everything_that_finds_it_again(make_case: Callable[..., Any]) -> None:
    stream = io.StringIO()
    ARRIVAL.set(Arrival("r-1", TRACE))
    listener(stream).on_decided(make_case(), 0.0042)
    (line,) = lines(stream)
    assert list(line)[:8] == ["timestamp", "level", "logger", "message", "request_id", "trace_id", "case_id", "duration_ms"]
    assert line["message"] == "decided"
    assert (line["request_id"], line["trace_id"]) == ("r-1", "0af7651916cd43dd8448eb211c80319c")
    assert (line["case_id"], line["duration_ms"]) == (make_case().id, 4.2)
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)


@pytest.mark.parametrize(("level", "said"), [("debug", 10), ("info", 5), ("warning", 3), ("error", 0)])
def test_what_is_below_the_level_is_not_even_called(
    level: str, said: int, make_case: Callable[..., Any], make_opinion: Callable[..., Any], make_understanding: Callable[..., Any]
) -> None:
    stream, case = io.StringIO(), make_case()
    listeners = listener(stream, level)
    listeners.on_accepted(case, 0.1)
    listeners.on_resumed(case)
    listeners.on_understood(case.id, make_understanding(), 0.1)
    listeners.on_opinion(case.id, make_opinion(), 0.1)
    listeners.on_silence(case.id, "business", "timeout", 1.5)
    listeners.on_failed(case.id, "outbox", StorageError())
    listeners.on_published([], 0.1)
    listeners.on_answered(Answered("GET", "/x", 503, 0.1, "r", "", "storage"))
    listeners.on_answered(Answered("GET", "/x", 200, 0.1, "r", ""))
    listeners.on_decided(case, 0.1)
    found = lines(stream)
    assert len(found) == said
    assert NAME not in stream.getvalue()
    if level == "info":
        assert [line["message"] for line in found] == ["resumed", "specialist_silent", "stage_failed", "answered", "decided"]


def test_personal_data_is_masked_wherever_somebody_logs_it() -> None:
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    log = structlog.get_logger("neural_hive.somewhere")
    log.info(f"asked by {EMAIL}", cpf=CPF, tree={"who": f"Maria da {NAME}", "n": [CPF]}, number=52998224725, n_tasks=3)
    logging.getLogger("uvicorn.error").warning("from %s, %s", EMAIL, CPF)
    text = stream.getvalue()
    assert not any(value in text for value in (CPF, EMAIL, NAME, "52998224725"))
    assert lines(stream)[0]["n_tasks"] == 3


def test_everybodys_logs_are_lines_of_the_same_kind_from_warning_on() -> None:
    stream = io.StringIO()
    configure_logs("json", "debug", stream)
    logging.getLogger("httpx2").info("GET /intents?q=secret words")
    logging.getLogger("aiokafka").warning("broker %s is gone", "b-1")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", UserWarning, stacklevel=1)
    assert [line["logger"] for line in lines(stream)] == ["aiokafka", "py.warnings"]
    assert lines(stream)[0]["message"] == "broker b-1 is gone"


def _fails_with(text: str) -> None:
    secret = text
    Ask.model_validate({"text": secret, "language": secret, secret: 1})


def test_a_traceback_tells_places_and_no_values() -> None:
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    log = structlog.get_logger("neural_hive.somewhere")
    text = "apagar tudo o que a secretária escreveu"
    try:
        try:
            _fails_with(text)
        except pydantic.ValidationError as error:
            raise StorageError from error
    except StorageError:
        log.exception("failed")
        logging.getLogger("other").exception("failed")
    for line in lines(stream):
        assert "StorageError: The store could not" in line["exception"]
        assert "ValidationError" in line["exception"]
        assert "in _fails_with" in line["exception"]
    assert len(lines(stream)) == 2
    assert text not in stream.getvalue()


@pytest.mark.parametrize("error", [KeyError(NAME), ValueError(f"bad {NAME}"), ExceptionGroup(NAME, [KeyError(NAME)])])
def test_messages_of_others_may_repeat_what_was_written_and_are_left_out(error: Exception) -> None:
    assert NAME not in traceback_of(error)
    assert type(error).__name__ in traceback_of(error)


def test_a_thread_that_dies_is_logged() -> None:
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    thread = threading.Thread(target=_fails_with, args=(NAME,), name="doomed")
    thread.start()
    thread.join()
    (line,) = lines(stream)
    assert (line["message"], line["thread"]) == ("thread_died", "doomed")
    assert NAME not in stream.getvalue()


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("01934f3a-7c1e-7b42-9d0e-3f6c5a1b2d4e", True),
        ("01934f3a7c1e7b429d0e3f6c5a1b2d4e", True),
        ("order-123456-retry-2", True),
        (CPF, False),
        ("52998224725", False),
        ("cpf:52998224725", False),
    ],
)
def test_a_callers_request_id_cannot_carry_a_number_into_the_logs(given: str, is_kept: bool) -> None:
    assert (loggable_id(given) == given) is is_kept


def test_people_get_a_line_that_cannot_play_tricks_on_their_terminal() -> None:
    line = human_line({"timestamp": "12:00", "level": "info", "logger": "x", "message": "a\x1b[2J\nb", "case_id": "c", "no": ""})
    assert line == b"12:00 info    a?[2J?b  case_id=c\n"


def test_people_get_several_words_with_commas_and_nothing_for_none() -> None:
    line = human_line({"timestamp": "12:00", "level": "info", "logger": "x", "message": "m", "rails": ("a", "b"), "missing": ()})
    assert line == b"12:00 info    m  rails=a,b\n"


def test_a_traceback_stays_readable_for_people() -> None:
    line = human_line({"timestamp": "12:00", "level": "error", "logger": "x", "message": "m", "exception": "one\ntwo"})
    assert line.decode().splitlines()[1:] == ["    one", "    two"]


def test_a_full_disk_stops_nothing(make_case: Callable[..., Any]) -> None:
    stream = io.StringIO()
    writer = Writer(stream, is_json=True)
    stream.close()
    LogListener(writer, logging.INFO).on_decided(make_case(), 0.1)
    assert writer.n_lost == 1


def test_configuring_twice_logs_once() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logs("json", "info", first)
    configure_logs("json", "info", second)
    structlog.get_logger("neural_hive.x").info("once")
    assert (first.getvalue(), len(lines(second))) == ("", 1)


def test_without_configuration_nothing_listens() -> None:
    assert log_listener() is None
