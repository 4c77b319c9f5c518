"""What every test shares: properties that try the same cases each time, and leave nothing behind."""

from hypothesis import HealthCheck, settings

# A failing case is printed in full, so no database of examples is kept; time limits are pytest's.
settings.register_profile(
    "repeatable",
    database=None,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")
