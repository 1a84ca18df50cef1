"""The model registry: trained models by name, one file per product."""
