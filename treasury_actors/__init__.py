"""treasury_actors."""
