"""The population evaluator as machine code: the same lives as `simulation.evaluate`, to the unit, faster."""
