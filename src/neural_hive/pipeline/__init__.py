"""What happens to an intent, in order, and what happens when something fails."""
