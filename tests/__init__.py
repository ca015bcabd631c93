"""Tests, by the layer they look at; `make test` runs them all."""
