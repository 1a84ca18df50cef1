"""The knowledge graph: systems, cases and how they relate, one file per product."""
