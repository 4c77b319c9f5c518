"""What the arena's ports are in this world: people's keys."""
