"""The one table of settings: name, default, unit, meaning. Every setting is an environment variable `HIVE_…` with the same name.

`docs/reference/settings.md` is generated from here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from neural_hive.errors import ConfigurationError


class SpecialistUrls(BaseModel):
    """Where each specialist lives: inprocess:// or http(s)://host:port."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    business_url: str = Field("inprocess://", description="Where the business specialist lives.")
    technical_url: str = Field("inprocess://", description="Where the technical specialist lives.")
    behavior_url: str = Field("inprocess://", description="Where the behavior specialist lives.")
    evolution_url: str = Field("inprocess://", description="Where the evolution specialist lives.")
    architecture_url: str = Field("inprocess://", description="Where the architecture specialist lives.")
    token: SecretStr = Field(SecretStr(""), description="Token that the gateway and the specialists show each other.")


class Settings(BaseSettings):
    """Everything that can be set. Units are in the names."""

    model_config = SettingsConfigDict(env_prefix="HIVE_", env_nested_delimiter="__", extra="ignore", frozen=True)

    # Where things are kept
    ledger_url: str = Field("sqlite:///hive.db", description="Cases, reviews, outbox: sqlite:///file or mongodb://host/db.")
    graph_url: str = Field("sqlite:///hive.db", description="Systems and how cases relate: sqlite:///file or neo4j://host.")
    cache_url: str = Field("memory://", description="Understanding cache, rate limits: memory:// or redis://host.")
    bus_url: str = Field("sqlite:///hive.db", description="Events between processes: sqlite:///file or kafka://host:port.")
    models_url: str = Field("bundled://", description="Model registry: bundled:// or mlflow+http://host:port.")
    models_interval_s: float = Field(
        10.0, ge=0.1, description="Time between looks for another champion and a changed catalogue of systems, in seconds."
    )
    specialists: SpecialistUrls = Field(SpecialistUrls(), description="Where each specialist lives.")
    rubrics_dir: Path | None = Field(None, description="Folder with rubrics to use instead of the bundled ones.")

    # HTTP
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    insecure: bool = Field(False, description="Allow a public address without authentication.")
    auth_tokens: SecretStr = Field(
        SecretStr(""),
        description="Static bearer tokens as token=tenant[:actor[:role]], separated by commas. Role: user (default), reviewer or admin.",
    )
    auth_jwks_file: Path | None = Field(
        None, description="JSON Web Key Set that signs callers' JWTs (claims: sub, tenant, role)."
    )
    auth_issuer: str = Field("", description="Issuer that a JWT must name; empty accepts any.")
    auth_audience: str = Field("neural-hive", description="Audience that a JWT must name.")
    max_text_chars: int = Field(10_000, ge=1, le=100_000, description="Longest intent text, in characters.")
    max_body_bytes: int = Field(1_000_000, ge=1_000, description="Largest JSON body, in bytes.")
    max_audio_bytes: int = Field(50_000_000, ge=1_000, description="Largest audio body, in bytes.")
    rate_limit_per_minute: int = Field(60_000, ge=0, description="Requests per minute and caller; 0 is no limit.")
    max_in_flight: int = Field(256, ge=1, description="Intents judged at once; more are answered 429.")
    docs: bool = Field(True, description="Serve the OpenAPI document and its page.")

    # Judging
    deadline_ms: int = Field(5_000, ge=50, description="Longest a decision may take, in milliseconds.")
    specialist_timeout_ms: int = Field(
        1_500, ge=10, description="Longest one attempt at one specialist may take, in milliseconds."
    )
    specialist_retries: int = Field(1, ge=0, le=5, description="Attempts after the first, while the retry budget lasts.")
    lease_s: float = Field(
        30.0, ge=1, description="How long a process may work on a case before another finishes it, in seconds."
    )
    recovery_interval_s: float = Field(5.0, ge=0.1, description="Time between looks for unfinished cases, in seconds.")
    understanding_processes: int | None = Field(
        None, ge=0, le=64,
        description="Processes that understand texts, 190 MB each; 0 understands in the hive's own. Empty is 1 for `hive up` and `hive serve`, 0 for commands that end by themselves.",
    )  # fmt: skip
    similar_cases: int = Field(3, ge=0, le=20, description="Similar past cases that specialists see.")
    answer_language: Literal["", "pt", "en", "es"] = Field("", description="Language of answers; empty is the asker's.")

    # Speech
    speech_model: str = Field(
        "", description="Folder of a CTranslate2 Whisper model; empty looks in the cache. See `hive doctor`."
    )
    speech_idle_s: float = Field(300.0, ge=0, description="Unload the speech model after this long without work, in seconds.")
    speech_queue: int = Field(16, ge=1, description="Recordings that may wait; more are answered 429.")

    # Seeing
    log_format: Literal["auto", "json", "human"] = Field("auto", description="auto is human on a terminal, JSON otherwise.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    otlp_endpoint: str = Field("", description="OTLP/HTTP endpoint for traces; empty is off.")
    trace_sample_ratio: float = Field(0.1, ge=0, le=1, description="Share of requests that are traced.")

    # Privacy
    vault_key: SecretStr = Field(
        SecretStr(""),
        description="Key of the vault, 32 random bytes in base64 (`openssl rand -base64 32`): with it, what is masked can be given back"
        " by `hive ledger reveal`. Empty keeps nothing.",
    )


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, with `overrides` on top.

    Raises:
        ConfigurationError: a value is not valid; the message names the setting.
    """
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "HIVE_" + "__".join(str(p) for p in first["loc"]).upper()
        raise ConfigurationError(f"{name}: {first['msg']}") from error


#: Variables that start with HIVE_ but belong to the tests.
_TEST_VARIABLES = ("HIVE_TEST_", "HIVE_SPEECH_DATA")


def unknown_variables() -> list[str]:
    """HIVE_ variables that are set but are no setting: probably a misspelling. Shown at start and by `hive doctor`."""
    known = set(environment_names())
    return sorted(
        name for name in os.environ if name.startswith("HIVE_") and name not in known and not name.startswith(_TEST_VARIABLES)
    )


def environment_names() -> list[str]:
    """Name of every environment variable that is read."""
    names = [f"HIVE_{name.upper()}" for name in Settings.model_fields if name != "specialists"]
    return names + [f"HIVE_SPECIALISTS__{name.upper()}" for name in SpecialistUrls.model_fields]
