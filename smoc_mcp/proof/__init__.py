"""What may be claimed: windows in, certainty out. Pure."""
