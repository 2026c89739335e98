"""What bureaus send and servers answer, made by code: no binary file stands here that nobody could read or change."""
