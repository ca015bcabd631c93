"""What tests lean on: databases, a server, a browser, a receiver. Real things, never mocks."""
