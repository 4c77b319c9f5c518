"""What a chain says of a market: the contracts a frame is read from, and the reader."""
