"""The routes, one module a subject. Each gives a router for the services at hand."""
