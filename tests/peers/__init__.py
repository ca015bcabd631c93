"""People signed in by identity providers that nobody here wrote, over a server as it comes."""
