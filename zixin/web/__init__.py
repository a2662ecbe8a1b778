"""The web server: the door for events, health and metrics."""
