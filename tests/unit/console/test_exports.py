"""Exports say what the cases say, and no spreadsheet runs anything of it."""

from __future__ import annotations

import csv
import io
import json

import httpx2
from fake_hive import FakeHive
from hypothesis import given
from hypothesis import strategies as st

from neural_hive.console.exports import COLUMNS, every_case, inert
from neural_hive.ports import CaseQuery


@given(st.text())
def test_no_cell_is_a_formula(cell: str) -> None:
    assert not inert(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


async def test_every_case_is_read_once_over_all_pages(hive: FakeHive) -> None:
    ids = [case.id async for case in every_case(hive, CaseQuery("default"))]
    assert sorted(ids) == sorted(hive.known)
    assert len([case async for case in every_case(hive, CaseQuery("default"), 3)]) == 3


async def test_csv_has_a_row_per_case(browser: httpx2.AsyncClient, hive: FakeHive) -> None:
    answer = await browser.get("/cases.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(hive.known) + 1
    assert "attachment" in answer.headers["content-disposition"]


async def test_json_has_what_the_filters_keep(browser: httpx2.AsyncClient) -> None:
    cases = json.loads((await browser.get("/cases.json?outcome=rejected")).content)
    assert {case["decision"]["outcome"] for case in cases} == {"rejected"}


async def test_json_of_nothing_is_an_empty_array(browser: httpx2.AsyncClient) -> None:
    assert json.loads((await browser.get("/cases.json?q=nothing+like+this")).content) == []
