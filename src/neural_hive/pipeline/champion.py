"""Understanding with the registry's champion: loaded at start, exchanged while the hive runs, the bundled model where it cannot be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from neural_hive.errors import HiveError, ModelError, StorageError
from neural_hive.pipeline.listening import Listener
from neural_hive.pipeline.minds import Mind
from neural_hive.ports import ModelRegistry, ModelVersion
from neural_hive.understanding.understand import Heading, Understood

#: The model's name in the registry, and among the hashes that a decision names.
NAME = "understanding"
#: Longest that a start waits for the registry, in seconds.
FIRST_S = 6.0
#: How often a mind that was replaced is asked whether it has finished, in seconds.
_LOOK_S = 0.05
#: Digits of a model's digest that a decision names.
_SHOWN = 16

#: Opens a mind with the model in a folder, or with the bundled one.
OpenMind = Callable[[Path | None], Awaitable[Mind]]


class ChampionMind:
    """Implements `Mind` with whichever model serves now. A text is understood by one model from beginning to end."""

    def __init__(self, registry: ModelRegistry, open_mind: OpenMind, listener: Listener, interval_s: float) -> None:
        """interval_s: time between looks for another champion, in seconds."""
        self._registry, self._open_mind, self._listener, self._interval_s = registry, open_mind, listener, interval_s
        self._mind: Mind
        self._names: Mapping[str, str] = {}
        self._under_way: Counter[Mind] = Counter()
        self._refused = self._trouble = ""

    async def open(self) -> None:
        """Load the champion, or else the bundled model.

        Raises:
            ModelError: the bundled model is missing or damaged.
        """
        champion = await self._champion()
        mind = champion and await self._load(champion)
        self._mind = mind or await self._open_mind(None)

    @property
    def models(self) -> Mapping[str, str]:
        """Of the model that the next text is understood with."""
        return self._mind.models

    @property
    def depth(self) -> int:
        """See `Mind`."""
        return self._mind.depth

    async def understand(self, heading: Heading) -> Understood:
        """See `Mind`."""
        mind = self._mind
        self._under_way[mind] += 1
        try:
            return await mind.understand(heading)
        finally:
            self._under_way[mind] -= 1

    async def learn_names(self, names: Mapping[str, str]) -> None:
        """See `Mind`; a model that comes later knows them too."""
        self._names = names
        await self._mind.learn_names(names)

    async def close(self) -> None:
        """See `Mind`."""
        await self._mind.close()

    def state(self) -> dict[str, str]:
        """For /ready: which model serves, and why it is not the champion if it is not."""
        trouble = self._trouble or self._registry.fallbacks.get(NAME, "")
        return {"status": "degraded" if trouble else "ok", "detail": trouble or f"{NAME} {self.models[NAME]}"}

    async def run(self) -> None:
        """Look for another champion for ever."""
        while True:
            await asyncio.sleep(self._interval_s)
            await self.look()

    async def look(self) -> None:
        """Serve the champion from now on if it is another model; what is under way ends with the old one."""
        champion = await self._champion()
        if champion is None or champion.digest[:_SHOWN] == self.models[NAME]:
            return
        mind = await self._load(champion)
        if mind is not None:
            await mind.learn_names(self._names)
            old, self._mind = self._mind, mind
            await self._retire(old)

    async def _retire(self, old: Mind) -> None:
        while True:
            if not self._under_way[old]:
                break
            await asyncio.sleep(_LOOK_S)
        del self._under_way[old]
        await old.close()

    async def _champion(self) -> ModelVersion | None:
        try:
            async with asyncio.timeout(FIRST_S):
                champion = await self._registry.champion(NAME)
        except TimeoutError:
            self._tell(StorageError(f"HIVE_MODELS_URL: the registry did not answer within {FIRST_S:g} s."))
            return None
        except HiveError as error:
            self._tell(error)
            return None
        if champion.digest != self._refused:
            self._trouble = ""
        return champion

    async def _load(self, champion: ModelVersion) -> Mind | None:
        """A mind with the champion; None, told once, if it is not a model of this release."""
        if champion.digest == self._refused:
            return None
        try:
            return await self._open_mind(champion.path)
        except ModelError as error:
            self._refused = champion.digest
            self._tell(ModelError(f"Version {champion.version} of the model {NAME} cannot serve: {error}"))
            return None

    def _tell(self, error: HiveError) -> None:
        if str(error) != self._trouble:
            self._listener.on_failed("", "models", error)
        self._trouble = str(error)
