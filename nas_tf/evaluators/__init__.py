"""Measuring cells: benchmark tables, trained networks, budgets."""
