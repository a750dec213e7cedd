"""What people read: summary, Allure, the sign-off page."""
