"""Words and moments: cleaning, folding, times. Knows nothing of contacts. Pure."""
