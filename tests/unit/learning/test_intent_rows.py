"""Labelled rows are read from JSON lines, and a bad one is named by its file and line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from neural_hive.errors import UsageError
from neural_hive.learning.intents.rows import LabelledText, RowError, contradictions, fingerprint, language_of, read_rows


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_rows_of_all_files_in_order(tmp_path: Path) -> None:
    first = written(tmp_path / "a.jsonl", {"utt": "olá", "intent": "greet", "locale": "pt-PT"}, "")
    second = tmp_path / "b.jsonl.gz"
    second.write_bytes(gzip.compress(b'\xef\xbb\xbf{"utt": "bye", "intent": 3, "other": []}'))
    assert read_rows([first, second], "utt", "intent") == [LabelledText("olá", "greet", "pt"), LabelledText("bye", "3", "")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "a.jsonl, line 2: not JSON"),
        ("text,label", 'write one object a line, such as {"text": "…", "label": "…"}'),
        ("[1]", "a.jsonl, line 2: not a JSON object; write one a line"),
        ("[1]", "jq"),
        ({"text": "x"}, 'a.jsonl, line 2: there is no "label"; the row has "text". Name the columns with --text-field'),
        ({"label": "x"}, 'there is no "text"'),
        ({"text": "  ", "label": "x"}, '"text" must be a text'),
        ({"text": 5, "label": "x"}, '"text" must be a text'),
        ({"text": "x", "label": ""}, '"label" must be a label'),
        ({"text": "x", "label": True}, '"label" must be a label'),
        ({"text": "x", "label": None}, '"label" must be a label'),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, line: object, message: str) -> None:
    file = written(tmp_path / "a.jsonl", {"text": "a", "label": "b"}, line)
    with pytest.raises(RowError) as caught:
        read_rows([file], "text", "label")
    assert message in str(caught.value)


def test_text_that_is_not_utf8_is_named_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes('{"text": "olá", "label": "b"}\n'.encode("latin1"))
    with pytest.raises(RowError, match=r"line 1: not UTF-8 text .*convert the file, as `iconv"):
        read_rows([file], "text", "label")


def test_texts_with_several_labels_are_found_whatever_their_case_and_spaces() -> None:
    said = [("Pay  it", "b"), ("pay it", "a"), ("ship", "a"), ("ship", "a"), ("pay", "c")]
    assert contradictions([LabelledText(text, label) for text, label in said]) == {"pay it": ["a", "b"]}


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no rows"):
        read_rows([written(tmp_path / "a.jsonl", "", "  ")], "text", "label")


def test_a_broken_archive_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(b'{"text": "a", "label": "b"}\n' * 1000)[:-20])
    with pytest.raises(UsageError, match="cannot be read"):
        read_rows([file], "text", "label")


@pytest.mark.parametrize(
    ("row", "language"),
    [({"language": "pt"}, "pt"), ({"lang": "EN"}, "en"), ({"locale": "es_MX"}, "es"), ({"lang": 3}, ""), ({}, "")],
)
def test_the_language_is_read_from_whichever_column_has_it(row: dict[str, object], language: str) -> None:
    assert language_of(row) == language


def test_the_fingerprint_knows_order_and_every_field() -> None:
    a, b = LabelledText("x", "y", "pt"), LabelledText("x", "y", "en")
    assert len({fingerprint([a, b]), fingerprint([b, a]), fingerprint([a]), fingerprint([b])}) == 4
