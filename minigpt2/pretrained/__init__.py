"""The models that ship with the package, one folder each, and the recipe that made them."""
