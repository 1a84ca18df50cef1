"""Forms of other sites are refused, redirects stay here, and tokens stay with the person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from neural_hive.console.visitors import is_from_own_page, own_path, token_in


@pytest.mark.parametrize(
    ("headers", "method", "is_own"),
    [
        ({"sec-fetch-site": "same-origin"}, "POST", True),
        ({"sec-fetch-site": "same-site"}, "POST", False),
        ({"sec-fetch-site": "cross-site"}, "POST", False),
        ({"sec-fetch-site": "cross-site"}, "GET", False),
        ({"sec-fetch-site": "none"}, "GET", True),
        ({"sec-fetch-site": "none"}, "POST", False),
        ({"origin": "http://hive.example", "host": "hive.example"}, "POST", True),
        ({"origin": "http://evil.example", "host": "hive.example"}, "POST", False),
        ({"origin": "null", "host": "hive.example"}, "POST", False),
        ({"host": "hive.example"}, "POST", False),
        ({"host": "hive.example"}, "GET", True),
    ],
)
def test_a_form_must_come_from_our_own_page(headers: dict[str, str], method: str, is_own: bool) -> None:
    assert is_from_own_page(Headers(headers), method) is is_own


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "", "cases", "/a\\b", "/a\nb", None]
)
def test_a_redirect_never_leaves(path: str | None) -> None:
    assert own_path(path) == "/"


@given(st.text(max_size=40))
def test_whatever_is_asked_for_the_way_back_is_a_path_here(path: str) -> None:
    back = own_path(path)
    assert back.startswith("/")
    assert not back.startswith(("//", "/\\"))
    assert "\n" not in back


@pytest.mark.parametrize(
    ("cookie", "token"),
    [("hive_token=abc; a=b", "abc"), ("a=b", None), ("hive_token=", None), ("=;;=", None), ("", None)],
)
def test_the_token_is_read_from_its_cookie(cookie: str, token: str | None) -> None:
    assert token_in(Headers({"cookie": cookie})) == token
