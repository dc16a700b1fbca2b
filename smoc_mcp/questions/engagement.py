"""Who is most worth a call: one point for each thing that a contact did, and nothing else.

A point each for: talked in the last 30 days; three visits or more; answered a survey; earned a
reward or referred somebody; said yes to communication. Who said no comes last, whatever the points.
"""

from smoc_mcp.questions.rows import Column
from smoc_mcp.text.times import SECOND, Moment

__all__ = ["AHEAD", "COUNTED", "DAY", "READS", "RECENT", "SAID_NO", "VISITS"]

DAY: Moment = 24 * 3600 * SECOND
RECENT: Moment = 30 * DAY
"""How long ago a conversation may be to count."""
AHEAD: Moment = DAY
"""How far ahead of our clock it may be: clocks differ, but next year nobody has talked yet."""
VISITS = 3
"""How many visits are worth a point."""
SAID_NO = -1
"""The points of those who said no to communication."""
COUNTED = tuple(Column(name, name) for name in ("visits", "surveys", "rewards", "referrals"))
"""What is counted of a contact for its points."""
READS = ("conversation", *(column.source for column in COUNTED), "accepted_communication")
"""What points are read from, by the names of `fields.WIRE_FIELDS`."""
