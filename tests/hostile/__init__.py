"""A CRM that lies, over every adapter: what is read proves itself, or is said to be missing."""
