"""Whether a policy foretells what it is to foretell, and never rewards paying later."""
