"""Where Neo4j is: `neo4j://`, `neo4j+s://` and `bolt://` URLs, and Neo4j's errors in the hive's words."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from neo4j import AsyncDriver, AsyncGraphDatabase, exceptions

from neural_hive.errors import ConfigurationError
from neural_hive.storage.faults import Faults
from neural_hive.storage.urls import mask

SETTING = "HIVE_GRAPH_URL"
FORM = "neo4j[+s]://[user:password@]host[:port][/database] or bolt://…"
#: The database, unless the URL names one.
DEFAULT_DATABASE = "neo4j"
#: Longest to wait for a connection, for a free one, and for retries of one transaction, in seconds.
CONNECT_S, ACQUIRE_S, RETRY_S = 1.5, 10.0, 5.0

_FAULTS = (
    (exceptions.AuthError, "the user name or password is not accepted; correct the URL"),
    (exceptions.Forbidden, "this user may not do that; grant it reading, writing and making constraints"),
    (exceptions.ServiceUnavailable, "it cannot be reached; check that it runs, host, port, and neo4j:// or neo4j+s://"),
    (exceptions.SessionExpired, "the connection was lost; try again"),
    (exceptions.TransientError, "it could not finish now; try again"),
    (exceptions.ConfigurationError, "an option of the URL is not valid"),
    (exceptions.ClientError, "it refused a query; check that it is Neo4j 5 or later and that the database exists"),
    (TimeoutError, "it does not answer in time; check that it runs and is not overloaded"),
    (OSError, "the connection was lost; try again"),
    (exceptions.DriverError, ""),
    (exceptions.Neo4jError, ""),
)


@dataclass(frozen=True, slots=True)
class Connection:
    """A driver, which connects when it is first used, and the database to use."""

    driver: AsyncDriver
    database: str
    faults: Faults


def connect(url: str) -> Connection:
    """The connection that a URL describes.

    Raises:
        ConfigurationError: it is not of the form.
    """
    parts = urlsplit(url.strip())
    user_info, _, address = parts.netloc.rpartition("@")
    user, _, password = (unquote(part) for part in user_info.partition(":"))
    try:
        if not parts.hostname or parts.port == 0 or parts.query or parts.fragment or "/" in parts.path.strip("/"):
            raise ValueError
        driver = AsyncGraphDatabase.driver(
            f"{parts.scheme}://{address}",
            auth=(user, password) if user else None,
            connection_timeout=CONNECT_S,
            connection_acquisition_timeout=ACQUIRE_S,
            max_transaction_retry_time=RETRY_S,
            user_agent="neural-hive",
        )
    except (ValueError, exceptions.ConfigurationError) as error:
        raise ConfigurationError(f"{SETTING}: {mask(url)!r} is not {FORM}.") from error
    return Connection(driver, parts.path.strip("/") or DEFAULT_DATABASE, Faults(SETTING, url, _FAULTS))
