"""Lines as they arrive."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_hive.cli.lines import Line, Splitter, read_lines


@given(st.lists(st.binary(max_size=40)), st.integers(1, 7))
def test_lines_do_not_depend_on_how_the_bytes_arrive(parts: list[bytes], n_most: int) -> None:
    content = b"\n".join(parts)
    whole, pieces = Splitter(1000), Splitter(1000)
    expected = [*whole.feed(content), *whole.end()]
    cut = [content[i : i + n_most] for i in range(0, len(content), n_most)]
    assert [line for piece in cut for line in pieces.feed(piece)] + pieces.end() == expected
    assert [line.content for line in expected] == (content.removesuffix(b"\n").split(b"\n") if content else [])
    assert not expected or expected[-1].end == len(content)


def test_a_line_that_is_too_long_is_named_but_not_kept() -> None:
    splitter = Splitter(4)
    found = splitter.feed(b"ok\n12345") + splitter.feed(b"6" * 100) + splitter.feed(b"\n1234\n")
    assert found == [Line(1, b"ok", 3), Line(2, None, 109), Line(3, b"1234", 114)]


async def test_a_file_is_read_in_lists_of_at_most_so_many(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_bytes(b"".join(b"%d\n" % n for n in range(10_000)))
    sizes, numbers = [], []
    async for lines in read_lines(file, n_most=64, max_line_bytes=100):
        sizes.append(len(lines))
        numbers.extend(line.number for line in lines)
    assert max(sizes) == 64
    assert numbers == list(range(1, 10_001))


async def test_a_pipe_gives_what_has_arrived_without_waiting_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin, os.fdopen(writer, "wb", buffering=0) as feed:
        monkeypatch.setattr("sys.stdin", stdin)
        feed.write(b"one\ntw")
        lines = read_lines(None, n_most=64, max_line_bytes=100)
        assert [line.content for line in await anext(lines)] == [b"one"]
        feed.write(b"o\n")
        assert [line.content for line in await anext(lines)] == [b"two"]
        feed.close()
        assert [line async for line in lines] == []


async def test_a_file_that_cannot_be_read_fails_here(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        async for _ in read_lines(tmp_path, n_most=1, max_line_bytes=1):
            pass
