"""The ``authio`` command."""
