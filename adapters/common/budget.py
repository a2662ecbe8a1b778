"""What a connection's calls may cost in a day, and what they cost in this run."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.ports import Shared, Spent


@dataclass(frozen=True, slots=True)
class Budget:
    """The calls of one connection, counted in the vendor's own unit."""

    shared: Shared
    name: str
    #: The most in 24 hours, over all processes, as the connection's setting says; empty: as much as the vendor gives.
    cap: str
    spent: Spent = field(default_factory=Spent)

    def take(self, api: str, cost: int = 1) -> None:
        """Count a call of that API before it is made. Raises Exhausted where the cap would be passed."""
        self.shared.take(self.name, cost, int(self.cap) if self.cap else None)
        self.spent.add(api, cost)
