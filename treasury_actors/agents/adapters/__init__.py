"""Strategies from files of the user: loading one, and writing the first."""
