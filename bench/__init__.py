"""The benchmarks behind `make bench`, and the peers they run against. Loopback only, bounded, never part of the tests."""
