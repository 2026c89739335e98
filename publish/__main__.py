"""The command line: `python -m publish`, and the script `mingbai`.

Workers of staging import what was started, whatever it is: this module knows nothing before it is called.
"""


def main() -> None:
    """What a person typed."""
    from .cli import main as command

    command()


if __name__ == "__main__":
    main()
