"""Sound or text → understanding."""
