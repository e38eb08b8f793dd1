"""Django's database backend for PostgreSQL with a cheaper question whether a lasting connection still lives."""
