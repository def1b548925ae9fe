"""`python -m continuable` is `continuable`."""

from continuable.cli import main

if __name__ == "__main__":
    main()
