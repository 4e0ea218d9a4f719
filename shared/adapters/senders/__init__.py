"""How an event reaches a target: one sender for each kind of target, and what chooses among them."""
