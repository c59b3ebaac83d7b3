"""How many texts there are, by what they wait for. Triggers keep the numbers, so that asking costs the same however many."""

import sqlite3

HELD_FOR_A_PERSON = "held_for_a_person"
"""The pile of texts that are held until a person says so; those that wait for their time are in the pile `held`."""


def of_texts(db: sqlite3.Connection) -> dict[str, int]:
    """By pile: the state, or `HELD_FOR_A_PERSON`. A pile that never was is left out."""
    return {row[0]: row[1] for row in db.execute("SELECT pile, texts FROM text_counts")}
