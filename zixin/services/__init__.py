"""What every door calls: each service returns a typed result, and says nothing to anybody."""
