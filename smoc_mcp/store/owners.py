"""Which company of a store a key is of: one file may hold several.

Until a contact names the operator, the key itself stands for its company.
"""

from smoc_mcp.store.sqlite import Database

__all__ = ["Owner"]


class Owner:
    """The company that a key is of, as far as that is known.

    Args:
        db: Is told whose contacts it shows.
        address: The API's address; companies of different ones are different.
        key_hash: A hash that tells keys apart.

    Attributes:
        number: Of the company in the store.
    """

    def __init__(self, db: Database, address: str, key_hash: str) -> None:
        self._db = db
        self._address, self._key_hash = address, key_hash
        self._alone = f"key {key_hash}"
        self._name = ""
        self.number = 0
        self.settle(None)

    @property
    def is_settled(self) -> bool:
        """Whether the key is still of this company; another process may have changed that."""
        held = self._db.fetch("SELECT owner FROM keys WHERE hash = ?", (self._key_hash,))
        return bool(held) and held[0][0] == self.number

    def look_again(self) -> None:
        """Find the company anew, after another process has erased it or learnt whose the key is."""
        self._name = ""
        self.settle(None)

    def settle(self, operator: str | None) -> bool:
        """Show the company that the key is of; say whether that is another than was known.

        Args:
            operator: The operatorId of the company's contacts; None if it is not known yet.
        """
        name = self._alone if operator is None else f"{self._address} operator {operator}"
        if operator is not None and name == self._name:
            return False
        with self._db.transaction():
            held = self._db.fetch(
                "SELECT id, name FROM companies JOIN keys ON owner = id WHERE hash = ?",
                (self._key_hash,),
            )
            if operator is None and held:
                # Nothing to write, so that opening the store disturbs nobody who has it open.
                self.number, self._name = held[0]["id"], held[0]["name"]
                self._db.see(self.number)
                return False
            if held and held[0]["name"] == self._alone and self._number_of(name) is None:
                self._db.run("UPDATE companies SET name = ? WHERE name = ?", (name, self._alone))
            self._db.run("INSERT OR IGNORE INTO companies (name) VALUES (?)", (name,))
            self.number = self._number_of(name) or 0
            self._db.run(
                "INSERT INTO keys VALUES (?, ?) ON CONFLICT (hash) DO UPDATE "
                "SET owner = excluded.owner",
                (self._key_hash, self.number),
            )
            moved = bool(held) and held[0]["id"] != self.number
            if moved and held[0]["name"] == self._alone:
                self._db.run("DELETE FROM companies WHERE id = ?", (held[0]["id"],))
            self._name = name
        self._db.see(self.number)
        return moved

    def _number_of(self, name: str) -> int | None:
        rows = self._db.fetch("SELECT id FROM companies WHERE name = ?", (name,))
        return rows[0]["id"] if rows else None
