"""`python -m liqwatch` is the `liqwatch` command."""

from liqwatch.cli import main

if __name__ == "__main__":
    main()
