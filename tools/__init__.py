"""What the Makefile calls: provisioning, the test suite, generated files. No part of the product."""
