"""The face that browsers and identity providers meet."""
