"""How failures look."""

from __future__ import annotations

import sys

import pytest
import typer

from neural_hive.cli.failures import describe, run_safely
from neural_hive.errors import ConfigurationError, StorageError, TextRejectedError
from neural_hive.settings import load_settings


def failing(error: BaseException) -> int:
    """Exit code of a command that raises `error`."""

    def work() -> None:
        raise error

    return run_safely(work)


def test_the_chain_of_causes_is_one_line_and_says_nothing_twice() -> None:
    error = StorageError("hive.db: the disk is full; free some space.")
    error.__cause__ = OSError(28, "No space left on device", "hive.db")
    error.__cause__.__cause__ = ValueError("No space left on device")
    assert describe(error) == "hive.db: the disk is full; free some space: hive.db: No space left on device."


def test_a_failure_is_one_line_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(StorageError("first\nsecond")) == 1
    assert capsys.readouterr().err == "hive: first second.\n"


def test_debugging_shows_where_it_failed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIVE_LOG_LEVEL", "DEBUG")
    assert failing(StorageError("no")) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TextRejectedError(), 2),
        (ConfigurationError(), 2),
        (StorageError(), 1),
        (FileNotFoundError(2, "No such file", "x"), 1),
        (KeyboardInterrupt(), 130),
        (typer.BadParameter("no"), 2),
        (typer.Abort(), 130),
    ],
)
def test_exit_codes(error: BaseException, code: int) -> None:
    assert failing(error) == code


def test_a_misspelt_option_names_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    error = typer.BadParameter("No such option: --sever (Possible options: --server, --several)")
    assert failing(error) == 2
    assert "--sever. Did you mean --server or --several? See `hive --help`." in capsys.readouterr().err


def test_a_text_without_quotes_is_told_to_put_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(typer.BadParameter("Got unexpected extra argument(s) (the accounts)")) == 2
    assert "Unexpected: the accounts. Put words that belong together in quotes. See" in capsys.readouterr().err


def test_a_value_that_a_setting_refused_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(port="hunter2")
    assert describe(refused.value).startswith("HIVE_PORT: ")
    assert "hunter2" not in describe(refused.value)


def test_an_interruption_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_safely(lambda: 130) == 130
    assert capsys.readouterr().err == "hive: Interrupted.\n"


def test_a_defect_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError())


def test_a_defect_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    run_safely(lambda: 0)
    error = KeyError("wing")
    sys.excepthook(KeyError, error, None)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "KeyError" in said
    assert "HIVE_LOG_LEVEL=debug" in said
