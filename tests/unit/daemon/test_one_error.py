"""What a process died of has one name."""

import pytest

from treasury_actors.daemon.one_error import one_error, within_memory
from treasury_actors.errors import JournalFault, OutOfMemory


@pytest.mark.parametrize(
    "raised",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        BaseExceptionGroup("two tasks", [MemoryError(), ValueError("made of it")]),
    ],
)
def test_what_the_system_gives_no_more_of_is_a_fault_with_70(raised: BaseException) -> None:
    with pytest.raises(OutOfMemory) as left, within_memory():
        raise raised

    assert left.value.exit_code == 70
    assert left.value.__cause__ is raised


@pytest.mark.parametrize(
    "raised", [RuntimeError("a bug"), JournalFault("full"), BaseExceptionGroup("", [KeyError()])]
)
def test_whatever_else_it_died_of_stays_what_it_was(raised: BaseException) -> None:
    with pytest.raises(type(raised)) as left, within_memory():
        raise raised

    assert left.value is raised


def test_one_task_of_a_group_speaks_for_itself() -> None:
    fault = JournalFault("full")

    with pytest.raises(JournalFault) as left, one_error():
        raise BaseExceptionGroup("outer", [BaseExceptionGroup("inner", [fault])])

    assert left.value is fault
