"""Dead letters are bounded; their counts are exact."""

from treasury_actors.actors.dead_letters import DeadLetters


def test_the_oldest_letters_are_lost_first_and_every_one_is_counted() -> None:
    letters = DeadLetters(size=3)
    for number in range(5):
        letters.add("ann" if number % 2 else "bob", number, "dropped")
    letters.add("ann", 5, "stopped")

    assert [letter.message for letter in letters] == [3, 4, 5]
    assert [letter.message for letter in letters.of("ann")] == [3, 5]
    assert (letters.count(), letters.count("dropped"), letters.count("crashed")) == (6, 5, 0)


def test_dead_letters_show_their_counts() -> None:
    letters = DeadLetters()
    assert repr(letters) == "<DeadLetters [none]>"
    letters.add("ann", "hello", "stopped")
    letters.add("ann", "hello", "crashed")
    letters.add("ann", "hello", "stopped")

    assert repr(letters) == "<DeadLetters [stopped 2, crashed 1]>"
