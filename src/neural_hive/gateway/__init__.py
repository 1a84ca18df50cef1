"""HTTP for the hive and for one specialist."""
