"""The benchmarks behind `make bench` and the peers they run against. Loopback only, bounded, no part of the tests."""
