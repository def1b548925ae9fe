"""Database connections of the user's own."""
