"""Rules that hold for the whole tree, each with its reason in the message."""
