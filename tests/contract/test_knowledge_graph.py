"""Every promise of `KnowledgeGraph`, on every product."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neural_hive.contracts import Outcome
from neural_hive.errors import ConflictError
from neural_hive.ports import CatalogueEntity, KnowledgeGraph


def entity(name: str, *depends_on: str, **fields: Any) -> CatalogueEntity:
    return CatalogueEntity(name=name, kind="Component", depends_on=depends_on, **fields)


async def test_names_titles_and_aliases_lead_to_the_entity(graph: KnowledgeGraph) -> None:
    await graph.put_entities([entity("checkout", title="Loja Online", aliases=("Carrinho", "cart"))])
    assert await graph.names() == dict.fromkeys(("checkout", "loja online", "carrinho", "cart"), "checkout")


async def test_a_name_wins_over_a_title_and_a_title_over_an_alias(graph: KnowledgeGraph) -> None:
    await graph.put_entities(
        [
            entity("billing", title="payments", aliases=("ledger",)),
            entity("ledger", title="books", aliases=("payments",)),
        ]
    )
    names = await graph.names()
    assert names["ledger"] == "ledger"
    assert names["payments"] == "billing"


async def test_an_entity_put_again_is_replaced_with_its_names_and_edges(graph: KnowledgeGraph) -> None:
    assert await graph.put_entities([entity("a", "b", aliases=("old",)), entity("b"), entity("c")]) == 3
    assert await graph.put_entities([entity("a", "c", owner="team", aliases=("new",))]) == 1
    assert set(await graph.names()) == {"a", "b", "c", "new"}
    a, b, c = await graph.systems(["a", "b", "c"])
    assert (a.owner, b.dependents, c.dependents) == ("team", (), ("a",))


async def test_putting_nothing_is_fine(graph: KnowledgeGraph) -> None:
    assert await graph.put_entities([]) == 0
    assert await graph.names() == {}


async def test_systems_come_in_the_order_asked_without_unknown_ones(graph: KnowledgeGraph) -> None:
    await graph.put_entities([entity("a", owner="x", lifecycle="production"), entity("b")])
    found = await graph.systems(["b", "nobody", "a"])
    assert [system.name for system in found] == ["b", "a"]
    assert (found[1].owner, found[1].lifecycle) == ("x", "production")
    assert list(await graph.systems([])) == []


async def test_the_blast_radius_counts_direct_and_indirect_dependents_once(graph: KnowledgeGraph) -> None:
    await graph.put_entities(
        [entity("db"), entity("api", "db"), entity("web", "api", "db"), entity("app", "api"), entity("alone")]
    )
    db, api, web, alone = await graph.systems(["db", "api", "web", "alone"])
    assert (db.dependents, db.blast_radius) == (("api", "web"), 3)
    assert (api.dependents, api.blast_radius) == (("app", "web"), 2)
    assert (web.blast_radius, alone.blast_radius) == (0, 0)


async def test_cycles_are_fine(graph: KnowledgeGraph) -> None:
    await graph.put_entities([entity("a", "b"), entity("b", "c"), entity("c", "a"), entity("self", "self")])
    a, self_ = await graph.systems(["a", "self"])
    assert (a.dependents, a.blast_radius) == (("c",), 2)
    assert (self_.dependents, self_.blast_radius) == ((), 0)


async def test_a_dependency_on_an_unknown_name_counts_once_it_is_known(graph: KnowledgeGraph) -> None:
    await graph.put_entities([entity("a", "later")])
    assert list(await graph.systems(["later"])) == []
    await graph.put_entities([entity("later")])
    assert (await graph.systems(["later"]))[0].dependents == ("a",)


async def test_similar_cases_come_most_similar_first(graph: KnowledgeGraph, samples: Any) -> None:
    vector = samples.vector(0)
    near, nearer, far = samples.case(), samples.case(Outcome.REJECTED), samples.case()
    await graph.link_case(near, [], samples.vector(1, near=vector, noise=0.8))
    await graph.link_case(nearer, [], samples.vector(2, near=vector, noise=0.3))
    await graph.link_case(far, [], samples.vector(3))
    found = await graph.similar("default", vector, 5)
    assert [(case.id, case.outcome) for case in found] == [
        (nearer.id, Outcome.REJECTED),
        (near.id, Outcome.NEEDS_REVIEW),
    ]
    assert 0.6 <= found[1].similarity < found[0].similarity <= 1.0


async def test_equally_similar_cases_come_newest_first_and_within_the_limit(graph: KnowledgeGraph, samples: Any) -> None:
    vector, cases = samples.vector(0), [samples.case() for _ in range(5)]
    for case in cases:
        await graph.link_case(case, [], vector)
    found = await graph.similar("default", vector, 3)
    assert [case.id for case in found] == [case.id for case in cases[:1:-1]]
    assert list(await graph.similar("default", vector, 0)) == []


async def test_a_case_can_be_left_out(graph: KnowledgeGraph, samples: Any) -> None:
    vector, one, two = samples.vector(0), samples.case(), samples.case()
    await graph.link_case(one, [], vector)
    await graph.link_case(two, [], vector)
    assert [case.id for case in await graph.similar("default", vector, 1, exclude=two.id)] == [one.id]


async def test_a_tenant_sees_only_its_own_cases(graph: KnowledgeGraph, samples: Any) -> None:
    vector, mine = samples.vector(0), samples.case(tenant="mine")
    await graph.link_case(mine, [], vector)
    await graph.link_case(samples.case(tenant="theirs"), [], vector)
    assert [case.id for case in await graph.similar("mine", vector, 5)] == [mine.id]
    assert list(await graph.similar("nobody", vector, 5)) == []
    assert (await graph.related("theirs", mine.id)).similar == ()


async def test_a_case_linked_again_has_its_new_outcome_and_verdict(graph: KnowledgeGraph, samples: Any) -> None:
    vector, case = samples.vector(0), samples.case()
    await graph.link_case(case, [], vector)
    assert (await graph.similar("default", vector, 5))[0].verdict is None
    reviewed = case.model_copy(update={"reviews": (samples.review(Outcome.APPROVED), samples.review(Outcome.REJECTED))})
    await graph.link_case(reviewed, [], vector)
    found = await graph.similar("default", vector, 5)
    assert [(similar.id, similar.verdict) for similar in found] == [(case.id, Outcome.REJECTED)]


async def test_a_case_that_is_not_decided_cannot_be_linked(graph: KnowledgeGraph, samples: Any) -> None:
    case = samples.case(decision=None)
    with pytest.raises(ConflictError):
        await graph.link_case(case, [], samples.vector(0))


async def test_many_cases_are_searched_as_well_as_few(graph: KnowledgeGraph, samples: Any) -> None:
    vector = samples.vector(0)
    near = [samples.case() for _ in range(5)]
    links = [graph.link_case(samples.case(), [], samples.vector(n)) for n in range(1, 700)]
    links += [graph.link_case(case, [], samples.vector(n, near=vector, noise=1.0)) for n, case in enumerate(near, 1000)]
    await asyncio.gather(*links)
    assert {case.id for case in await graph.similar("default", vector, 10)} == {case.id for case in near}


async def test_what_is_near_a_case(graph: KnowledgeGraph, samples: Any) -> None:
    vector, one, two = samples.vector(0), samples.case(), samples.case()
    await graph.put_entities([entity("db"), entity("api", "db")])
    await graph.link_case(one, ["db", "unknown", "api"], vector)
    await graph.link_case(two, [], samples.vector(1, near=vector, noise=0.2))
    related = await graph.related("default", one.id)
    assert [case.id for case in related.similar] == [two.id]
    assert [system.name for system in related.systems] == ["db", "api"]
    assert (await graph.related("default", two.id)).systems == ()


async def test_nothing_is_near_a_case_that_was_never_linked(graph: KnowledgeGraph, samples: Any) -> None:
    related = await graph.related("default", samples.case().id)
    assert (related.similar, related.systems) == ((), ())


async def test_a_graph_that_works_answers_a_ping(graph: KnowledgeGraph) -> None:
    await graph.ping()
