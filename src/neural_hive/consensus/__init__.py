"""Opinions → decision: pooling, guardrails, trust. Pure."""
