"""Storage URLs: which product, where it is, and how to show a URL without its secrets."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from neural_hive.errors import ConfigurationError

#: The path that means a database in memory, gone when it is closed.
MEMORY = ":memory:"
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_USER_INFO = re.compile(r"(?<=://)[^/?#\s]*@")
_SECRET_PARAMETER = re.compile(r"([?&][^=&#]*(?:pass|pwd|secret|token|key|credential)[^=&#]*=)[^&#]*", re.IGNORECASE)


def scheme(url: str, setting: str) -> str:
    """The lower-case scheme of `url`; `setting` is the name of the setting it came from, for the message.

    Raises:
        ConfigurationError: the URL has no scheme.
    """
    found = _SCHEME.match(url.strip())
    if found is None:
        raise ConfigurationError(f"{setting} must be a URL such as sqlite:///hive.db; it is {mask(url)!r}.")
    return found.group(1).lower()


def sqlite_path(url: str, setting: str) -> str:
    """The file that a SQLite URL names, by SQLAlchemy's convention, or `:memory:`.

    `sqlite:///hive.db` is relative to the working directory, `sqlite:////var/lib/hive.db` is absolute,
    `sqlite:///:memory:` and `sqlite://` are in memory. Percent-encoding is undone.

    Raises:
        ConfigurationError: a host, a query, a fragment or no file name.
    """
    parts = urlsplit(url.strip())
    if parts.scheme.lower() != "sqlite" or parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(f"{setting} must be sqlite:///name.db or sqlite:////absolute.db; it is {mask(url)!r}.")
    path = unquote(parts.path.removeprefix("/"))
    if path.endswith("/") or "\x00" in path:
        raise ConfigurationError(f"{setting} must name a file, not a folder; it is {mask(url)!r}.")
    return path or MEMORY


def sqlite_url(path: str) -> str:
    """The URL of a SQLite file, for messages; the opposite of `sqlite_path`."""
    return f"sqlite:///{path}"


def mask(url: str) -> str:
    """`url` with user names, passwords and secret parameters replaced by `***`: what may be shown or logged."""
    return _SECRET_PARAMETER.sub(r"\1***", _USER_INFO.sub("***@", url))
