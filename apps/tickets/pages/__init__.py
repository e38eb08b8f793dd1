"""Pages for browsers: the city's public map, and the desk of support and managers."""
