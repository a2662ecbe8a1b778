"""What simulators share: faults, a server in a thread, a certificate."""
