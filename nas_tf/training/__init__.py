"""Everything that fits weights: the trainer and its distribution strategies."""
