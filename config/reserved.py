"""Names that the program takes for itself, so that no section of the file may have them. Nothing else is imported for it."""

CALL_TEST = "call-test"
"""The trunk that a test call with the right token comes from."""
