"""What a study leaves for its reader: curves, figures, drawings of cells, summaries and reports."""
