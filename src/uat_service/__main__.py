"""`python -m uat_service` is `uat`."""

from uat_service.cli import main

if __name__ == "__main__":
    main(prog_name="uat")
