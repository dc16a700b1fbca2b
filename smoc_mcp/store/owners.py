"""Which company of a store a key is of: one file may hold several.

A key has no company in the store before SMOC has accepted it: until then it shows nobody.
"""

import secrets
from collections.abc import Sequence

from smoc_mcp.proof.windows import Window
from smoc_mcp.store.database import Database

__all__ = ["Owner"]


class Owner:
    """The company that a key is of, as far as that is known.

    Until contacts name the operator, the key itself stands for its company.

    Args:
        db: Is told whose contacts it shows.
        address: The API's address; companies of different ones are different.
        key_hash: A hash that tells keys apart.
        joins: A key whose contacts all name one operator shows that operator's company, which a
            key before it may have filled. Without it a key's company is its own, whatever contacts
            say: they are text that strangers can have a part in.

    Attributes:
        number: Of the company in the store; 0 for none yet.
    """

    def __init__(self, db: Database, address: str, key_hash: str, *, joins: bool) -> None:
        self._db = db
        self._address, self._key_hash, self._joins = address, key_hash, joins
        self._alone = f"key {key_hash}"
        self._name = ""
        self.number = 0
        self.find()

    def settle(self, window: Window, operators: Sequence[str | None]) -> bool:
        """Show the company that the key is of; say whether it is another than was known.

        Args:
            window: What the key has brought.
            operators: The operatorId of each of its contacts.
        """
        moved = self._has_moved()
        if moved:
            # Erased by another process, or one that has learnt whose the key is.
            self.find()
        if not self.number:
            self._take(self._alone)
        if (
            self._joins
            and (window.full or window.complete)
            and operators
            and operators[0] is not None
            and len(set(operators)) == 1
        ):
            moved |= self._take(f"{self._address} operator {operators[0]}")
        return moved

    def _has_moved(self) -> bool:
        held = self._db.fetch("SELECT owner FROM keys WHERE hash = ?", (self._key_hash,))
        return (held[0][0] if held else 0) != self.number

    def find(self) -> None:
        """Show the company that the key is known to be of; nothing is written."""
        held = self._db.fetch(
            "SELECT id, name FROM companies JOIN keys ON owner = id WHERE hash = ?",
            (self._key_hash,),
        )
        self.number, self._name = (held[0]["id"], held[0]["name"]) if held else (0, "")
        self._db.see(self.number)

    def _take(self, name: str) -> bool:
        """Make the key one of the company of a name; say whether it was of another before."""
        if name == self._name:
            return False
        with self._db.transaction():
            if self._name == self._alone and self._number_of(name) is None:
                self._db.run("UPDATE companies SET name = ? WHERE name = ?", (name, self._alone))
            self._db.run(
                "INSERT INTO companies (name, series) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                (name, secrets.token_hex(6)),
            )
            before, self.number = self.number, self._number_of(name) or 0
            self._db.run(
                "INSERT INTO keys VALUES (?, ?) ON CONFLICT (hash) DO UPDATE "
                "SET owner = excluded.owner",
                (self._key_hash, self.number),
            )
            moved = before not in (0, self.number)
            if moved and self._name == self._alone:
                self._db.run("DELETE FROM companies WHERE id = ?", (before,))
            self._name = name
        self._db.see(self.number)
        return moved

    def _number_of(self, name: str) -> int | None:
        rows = self._db.fetch("SELECT id FROM companies WHERE name = ?", (name,))
        return rows[0]["id"] if rows else None
