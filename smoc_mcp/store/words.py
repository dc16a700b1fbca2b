"""The index of words: FTS5 over the searchable texts of contacts.

New and changed contacts wait in `unindexed` until they are indexed, which takes long; a search
without that would miss them.
"""

from contextlib import nullcontext

from smoc_mcp.store.database import Database

__all__ = ["index_words", "purge_words", "words_wait"]


def words_wait(db: Database) -> bool:
    """Say whether there are words that are not in the index yet."""
    if db.indexes_by_itself:
        return False
    return bool(db.fetch("SELECT EXISTS (SELECT 1 FROM unindexed)")[0][0])


def index_words(db: Database) -> None:
    """Put the words of new and changed contacts into the index."""
    with db.lock:
        if not words_wait(db):
            return
        with nullcontext() if db.in_transaction else db.transaction():
            db.run(
                "INSERT INTO words (rowid, owner_token, name_words, email_words, phone_words, "
                "company_words, place_words, texts_words, answers_words) SELECT row, owner_token, "
                "name_words, email_words, phone_words, company_words, place_words, texts_words, "
                "answers_words FROM contacts WHERE row IN (SELECT row FROM unindexed)"
            )
            db.run("DELETE FROM unindexed")


def purge_words(db: Database) -> None:
    """Take the words of deleted contacts out of the index, which keeps them for a while."""
    if not db.indexes_by_itself:
        db.run("INSERT INTO words (words) VALUES ('optimize')")
