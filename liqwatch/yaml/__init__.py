"""A YAML file read against settings: text, tree, words, structs; every problem with its place."""
