"""Recipes of search strategies: settings, title, published numbers, needs, and how one is built."""
