"""What crosses the wire, both ways; one module per noun. Nothing else builds JSON, and this never queries."""
