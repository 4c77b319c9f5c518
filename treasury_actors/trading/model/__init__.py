"""The pure half of trading: orders, mandates, costs, limits, the planner, the stop latch."""
