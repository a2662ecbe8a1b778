"""From features to points, rating, limit, flags and hold, with their reasons."""
