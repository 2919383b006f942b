"""What the command does: one file a job, with its settings; flags are made of them."""
