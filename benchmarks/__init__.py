"""Benchmarks: throughput, latency and memory in one table, a peer or a limit beside it (L3)."""
