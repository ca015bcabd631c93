"""The release: built, installed and tested away from the tree."""
