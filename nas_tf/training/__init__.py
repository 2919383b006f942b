"""Everything that fits weights: the trainer, its settings and its distribution strategies."""
