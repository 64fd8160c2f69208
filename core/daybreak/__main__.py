"""Allow `python -m daybreak`."""

from daybreak.cli import main

if __name__ == "__main__":
    main()
