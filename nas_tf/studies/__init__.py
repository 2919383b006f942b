"""What a user holds: encoders, studies and comparisons, and how they are made."""
