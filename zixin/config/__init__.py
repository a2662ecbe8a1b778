"""What a profile is made of on this machine: connections, keys, settings, the files of a beginning."""
