"""Transactions on database connections of the user: begin one, and ask if it committed."""
