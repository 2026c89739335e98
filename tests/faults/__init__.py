"""Deliveries that went wrong, as they do: what is damaged, how much, and what becomes of it."""
