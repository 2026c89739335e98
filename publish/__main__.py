"""`python -m publish`: the command line, where the script `mingbai` is not on the path."""

from .cli import main

if __name__ == "__main__":  # a worker of staging imports this module anew
    main()
