"""The cluster that the tests of one module share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.chaos.cluster import Cluster, cluster


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found
