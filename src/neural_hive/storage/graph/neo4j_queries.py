"""Every Cypher statement of the graph on Neo4j. Values go in as parameters, never into the text.

Nodes: `HiveEntity` (`is_known` false for a name that only others mention), `HiveCase`, and `HiveState`, which counts.
"""

from __future__ import annotations

#: What must be true of the nodes, and what is looked up; making one that exists changes nothing.
CONSTRAINTS = (
    "CREATE CONSTRAINT hive_entity_name IF NOT EXISTS FOR (e:HiveEntity) REQUIRE e.name IS UNIQUE",
    "CREATE CONSTRAINT hive_case_id IF NOT EXISTS FOR (c:HiveCase) REQUIRE c.id IS UNIQUE",
    "CREATE CONSTRAINT hive_state_name IF NOT EXISTS FOR (s:HiveState) REQUIRE s.name IS UNIQUE",
    "CREATE INDEX hive_case_row IF NOT EXISTS FOR (c:HiveCase) ON (c.tenant, c.row)",
)

#: Take a counter's lock before anything is read, so that what is counted is in the order of the counts.
LOCK = "MERGE (s:HiveState {name: $counter}) ON CREATE SET s.n = 0 SET s.is_locked = true"
#: How often the catalogue was changed.
COUNT = "MATCH (s:HiveState {name: $counter}) RETURN s.n AS n"
ADD_ONE = "MATCH (s:HiveState {name: $counter}) SET s.n = s.n + 1"

PUT_ENTITIES = """
UNWIND $entities AS new
MERGE (e:HiveEntity {name: new.name})
SET e.is_known = true, e.kind = new.kind, e.title = new.title, e.owner = new.owner, e.lifecycle = new.lifecycle,
    e.aliases = new.aliases
"""
REMOVE_DEPENDENCIES = "MATCH (e:HiveEntity)-[d:DEPENDS_ON]->() WHERE e.name IN $names DELETE d"
PUT_DEPENDENCIES = """
UNWIND $edges AS edge
MATCH (e:HiveEntity {name: edge.source})
MERGE (t:HiveEntity {name: edge.target}) ON CREATE SET t.is_known = false
MERGE (e)-[:DEPENDS_ON]->(t)
"""
NAMES = "MATCH (e:HiveEntity) WHERE e.is_known RETURN e.name AS name, e.title AS title, e.aliases AS aliases"
#: The blast radius: everything from which a path of dependencies leads here, each once, so that cycles end.
SYSTEMS = """
MATCH (e:HiveEntity) WHERE e.name IN $names AND e.is_known
OPTIONAL MATCH (e)<-[:DEPENDS_ON*1..]-(d:HiveEntity) WHERE d <> e
WITH e, count(DISTINCT d) AS blast_radius
OPTIONAL MATCH (e)<-[:DEPENDS_ON]-(x:HiveEntity) WHERE x <> e
RETURN e.name AS name, e.owner AS owner, e.lifecycle AS lifecycle, blast_radius, collect(DISTINCT x.name) AS dependents
"""

PUT_CASE = """
MERGE (c:HiveCase {id: $id})
ON CREATE SET c.tenant = $tenant, c.vector = $vector, c.n_bytes = $n_bytes, c.is_new = true
SET c.outcome = $outcome, c.verdict = $verdict
"""
#: A new case gets the next number; the numbers of one tenant's cases are in the order of their commits.
NUMBER_CASE = """
MATCH (c:HiveCase {id: $id}) WHERE c.is_new
MATCH (s:HiveState {name: $counter})
SET s.n = s.n + 1
SET c.row = s.n
REMOVE c.is_new
"""
REMOVE_MENTIONS = "MATCH (:HiveCase {id: $id})-[m:MENTIONS]->() DELETE m"
PUT_MENTIONS = """
UNWIND $mentions AS mention
MATCH (c:HiveCase {id: $id})
MERGE (e:HiveEntity {name: mention.name}) ON CREATE SET e.is_known = false
MERGE (c)-[m:MENTIONS]->(e) SET m.place = mention.place
"""
NEWER_VECTORS = """
MATCH (c:HiveCase) WHERE c.tenant = $tenant AND c.row > $after AND c.n_bytes = $n_bytes
RETURN c.row AS row, c.vector AS vector ORDER BY row DESC LIMIT $limit
"""
CASES = """
MATCH (c:HiveCase) WHERE c.tenant = $tenant AND c.row IN $rows
RETURN c.row AS row, c.id AS id, c.outcome AS outcome, c.verdict AS verdict
"""
CASE = """
MATCH (c:HiveCase {id: $id}) WHERE c.tenant = $tenant
OPTIONAL MATCH (c)-[m:MENTIONS]->(e:HiveEntity)
WITH c, m, e ORDER BY m.place
RETURN c.vector AS vector, collect(e.name) AS systems
"""
#: Writes, because a graph that can only be read cannot learn.
PING = "MERGE (s:HiveState {name: 'ping'}) SET s.at = timestamp()"
