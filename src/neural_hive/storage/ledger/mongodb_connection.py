"""Where MongoDB is: `mongodb://` URLs, and MongoDB's errors in the hive's words."""

from __future__ import annotations

import warnings
from typing import Any

from pymongo import AsyncMongoClient, ReadPreference, WriteConcern, errors
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern

from neural_hive.errors import ConfigurationError
from neural_hive.storage.faults import Faults
from neural_hive.storage.urls import mask

SETTING = "HIVE_LEDGER_URL"
#: The database, unless the URL names one.
DEFAULT_DATABASE = "hive"
#: Longest to look for the primary, and longest that an operation may take in all, in milliseconds.
SELECTION_MS, OPERATION_MS = 2_000, 10_000

Document = dict[str, Any]
Collection = AsyncCollection[Document]

_UNREACHABLE = "no primary can be reached in time; check that it runs, hosts, ports, and tls=true or false"
_FAULTS = (
    (errors.ServerSelectionTimeoutError, _UNREACHABLE),
    (errors.NetworkTimeout, "it does not answer in time; whether it was recorded is not known, retrying is safe"),
    (errors.ExecutionTimeout, "it does not answer in time; whether it was recorded is not known, retrying is safe"),
    (errors.AutoReconnect, "the connection was lost; whether it was recorded is not known, retrying is safe"),
    (errors.WTimeoutError, "too few members of the replica set acknowledged in time; retrying is safe"),
    (errors.ConfigurationError, "it is older than MongoDB 6, or an option of the URL is not valid"),
    (errors.OperationFailure, "it refused an operation; check that it is MongoDB 6 or later and may be written"),
    (TimeoutError, "it does not answer in time; check that it runs and is not overloaded"),
    (errors.PyMongoError, ""),
)
_CODES = {
    13: "this user may not use the hive's database; grant it readWrite",
    18: "the user name or password is not accepted; correct the URL",
    8000: "the user name or password is not accepted; correct the URL",
}


def faults(url: str) -> Faults:
    """The table of MongoDB's errors, for messages about this URL."""
    return Faults(SETTING, url, _FAULTS, _CODES)


def connect(url: str) -> AsyncMongoClient[Document]:
    """A client for the URL; it connects when it is first used.

    Raises:
        ConfigurationError: the URL or one of its options is not valid.
    """
    options: Document = {"serverSelectionTimeoutMS": SELECTION_MS, "timeoutMS": OPERATION_MS, "appname": "neural-hive"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # or options with a wrong value are left out, such as tls=yes
            return AsyncMongoClient(url, **options)
    except (errors.ConfigurationError, errors.InvalidURI, ValueError, UserWarning) as error:
        form = "mongodb://[user:password@]host[:port][,…][/database][?options]"
        raise ConfigurationError(f"{SETTING}: {mask(url)!r} is not {form}.") from error


def database(client: AsyncMongoClient[Document]) -> AsyncDatabase[Document]:
    """The ledger's database: what is written is synced by a majority, what is read cannot be rolled back."""
    return client.get_default_database(DEFAULT_DATABASE).with_options(
        write_concern=WriteConcern("majority", j=True),
        read_concern=ReadConcern("majority"),
        read_preference=ReadPreference.PRIMARY,
    )
