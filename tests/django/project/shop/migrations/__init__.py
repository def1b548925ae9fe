"""Of its tables."""
