"""Any system with a REST API, as a connector file describes it."""
