"""The management API: what the vendor's backend asks for."""
