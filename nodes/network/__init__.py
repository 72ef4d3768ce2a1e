"""Consortia: descriptors, founding, trying out on one machine, joining, promotion."""
