class LocalError(Exception):
    """Something went wrong that the developer can see to; the message is all they need."""
