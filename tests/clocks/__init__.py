"""Five years, day by day: nothing is shown outside of its window, on any surface, also between two runs."""
