"""As ISO 8601 has them, in both languages: with seconds, which matter around a deadline."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i:s"
