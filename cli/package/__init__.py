"""Makes the zips that Function Compute runs: our code, what it imports, byte code. Never deployed."""
