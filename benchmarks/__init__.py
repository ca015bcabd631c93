"""How fast, how large and how soon: ``make bench``. What is measured, and how, is in docs/performance.md."""
