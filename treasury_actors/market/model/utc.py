"""Times as people write them: always UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_ns(moment: datetime | int) -> int:
    """Return nanoseconds since 1970 of a datetime (UTC if it has no zone); nanoseconds stay."""
    if isinstance(moment, int):
        return moment
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1) * 1_000


def utc_text(time_ns: int) -> str:
    """Return a time as people write it, to the minute."""
    return (EPOCH + timedelta(microseconds=time_ns // 1_000)).strftime("%Y-%m-%dT%H:%MZ")
