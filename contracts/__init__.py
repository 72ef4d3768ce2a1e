"""The business instruments: one folder each, holding its Solidity and its Python side by side."""
