"""The Admin Portal: the pages an IT admin sees, from the setup link to the saved connection."""
