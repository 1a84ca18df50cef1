"""What operators look at: rules, alerts, dashboards, and whether the hive emits what they name."""
