"""Reviews and data sets → models and their evaluation."""
